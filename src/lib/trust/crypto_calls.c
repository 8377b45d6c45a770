/* SPDX-License-Identifier: MIT */
/* Loads libcrypto, of the version that the headers are of, once for a process. */
#include "lib/trust/crypto_calls.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define STR_OF(x) #x
#define STR(x)    STR_OF(x)
#define SONAME    "libcrypto.so." STR(OPENSSL_SHLIB_VERSION)

/*
 * For the tools of packagers, who find no such dependency among those of the linker:
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
 */
#define NOTE_TEXT                                                                                  \
	"[{\"feature\":\"crypto\",\"description\":\"Digests and signatures\","                     \
	"\"priority\":\"required\",\"soname\":[\"" SONAME "\"]}]"
static const struct {
	uint32_t name_bytes, text_bytes, type;
	char name[4];
	char text[(sizeof(NOTE_TEXT) + 3) & ~(size_t)3];
} note PP_NOTE(".note.dlopen") = { 4, sizeof(note.text), 0x407c0c0aU, "FDO", NOTE_TEXT };

static const struct {
	const char *name;
	size_t offset; /* in struct pp_crypto_calls */
} calls[] = {
#define ROW(name) { #name, offsetof(struct pp_crypto_calls, name) },
	PP_CRYPTO_CALLS(ROW)
#undef ROW
};

/* Like the loader's own tables it stands for the process: any other place would load it again. */
static _Atomic(struct pp_crypto_calls *) loaded;

static void PP_NORETURN
give_up(void)
{
	const char *parts[] = { "plugpkg: cannot load libcrypto: ", dlerror(), "\n" };

	for (size_t i = 0; i < PP_LEN(parts); i++)
		if (parts[i] != NULL && write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			break; /* nobody hears it */
	abort();
}

static struct pp_crypto_calls *
load(void)
{
	struct pp_crypto_calls *table = pp_xcalloc(1, sizeof(*table));
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		give_up();
	for (size_t i = 0; i < PP_LEN(calls); i++) {
		void *at = dlsym(library, calls[i].name);
		if (at == NULL)
			give_up();
		memcpy((char *)table + calls[i].offset, &at, sizeof(at));
	}
	/* As EVP_sha256() it would be looked up for each digest. */
	table->sha256 = table->EVP_MD_fetch(NULL, "SHA256", NULL);
	if (table->sha256 == NULL)
		table->sha256 = table->EVP_sha256();
	return table;
}

const struct pp_crypto_calls *
pp_crypto_calls(void)
{
	struct pp_crypto_calls *there = atomic_load(&loaded), *mine;

	if (there != NULL)
		return there;
	mine = load();
	if (atomic_compare_exchange_strong(&loaded, &there, mine))
		return mine;
	free(mine); /* another thread was quicker */
	return there;
}

bool
pp_crypto_is_loaded(void)
{
	return atomic_load(&loaded) != NULL;
}
