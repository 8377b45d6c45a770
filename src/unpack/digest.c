/* SPDX-License-Identifier: MIT */
/*
 * This program's door to libcrypto. The lines are those of pp_store_tree_digest() in lib/store,
 * which a unit test compares.
 */
#include "unpack/digest.h"

#include "base/library.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tree_line.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define STR_OF(x) #x
#define STR(x)    STR_OF(x)
#define SONAME    "libcrypto.so." STR(OPENSSL_SHLIB_VERSION)

/* clang-format off */
#define CALLS(_)                                                                                   \
	_(EVP_DigestFinal_ex)                                                                      \
	_(EVP_DigestInit_ex2)                                                                      \
	_(EVP_DigestUpdate)                                                                        \
	_(EVP_MD_CTX_free)                                                                         \
	_(EVP_MD_CTX_new)                                                                          \
	_(EVP_MD_fetch)                                                                            \
	_(EVP_MD_free)                                                                             \
	_(OPENSSL_init_crypto)
/* clang-format on */

struct pp_digest_calls {
#define MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): declares it */
	CALLS(MEMBER)
#undef MEMBER
};

static const struct pp_library_call rows[] = {
#define ROW(name) { #name, offsetof(struct pp_digest_calls, name) },
	CALLS(ROW)
#undef ROW
};

/*
 * A digest can only fail for lack of memory or a broken installation: both end the process. Without
 * libcrypto nobody comes here: plugpkg needs it for the archive's own digest, and has said so.
 */
static void
must(bool ok)
{
	if (!ok)
		abort();
}

void
pp_digest_load(struct pp_digest *d)
{
	if (d->calls != NULL)
		return;
	d->calls = pp_xcalloc(1, sizeof(*d->calls));
	must(pp_library_load(SONAME, rows, PP_LEN(rows), d->calls));
	/* The system's configuration may ask for modules and engines; this needs none of them. */
	must(d->calls->OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
	d->kind = d->calls->EVP_MD_fetch(NULL, "SHA256", NULL);
	d->hash = d->calls->EVP_MD_CTX_new();
	must(d->kind != NULL && d->hash != NULL);
	pp_digest_begin(d); /* what is fetched late is fetched now */
}

void
pp_digest_clear(struct pp_digest *d)
{
	pp_vec_foreach (line, &d->lines)
		free(line->text);
	pp_vec_free(&d->lines);
}

void
pp_digest_fini(struct pp_digest *d)
{
	pp_digest_clear(d);
	if (d->calls != NULL) {
		d->calls->EVP_MD_CTX_free(d->hash);
		d->calls->EVP_MD_free(d->kind);
	}
	free(d->calls);
}

void
pp_digest_begin(struct pp_digest *d)
{
	must(d->calls->EVP_DigestInit_ex2(d->hash, d->kind, NULL) == 1);
}

void
pp_digest_add(struct pp_digest *d, const void *p, size_t n)
{
	must(n == 0 || d->calls->EVP_DigestUpdate(d->hash, p, n) == 1);
}

static void
end_hash(struct pp_digest *d, char out[PP_DIGEST_HEX_BYTES])
{
	uint8_t digest[32];

	must(d->calls->EVP_DigestFinal_ex(d->hash, digest, NULL) == 1);
	pp_hex(digest, sizeof(digest), out);
}

/* text: moved; it ends with the path. */
static void
add_line(struct pp_digest *d, char *text, const char *path)
{
	struct pp_digest_line *line = pp_vec_new(&d->lines);

	line->text = text;
	line->path = text + strlen(text) - strlen(path);
}

void
pp_digest_file(struct pp_digest *d, const char *path, unsigned mode, uint64_t size)
{
	char hex[PP_DIGEST_HEX_BYTES];

	end_hash(d, hex);
	add_line(d, pp_tree_line_file(mode, size, hex, path), path);
}

void
pp_digest_link(struct pp_digest *d, const char *path, const char *target)
{
	add_line(d, pp_tree_line_link(target, path), path);
}

static int
by_path(const void *a, const void *b)
{
	const struct pp_digest_line *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
pp_digest_end(struct pp_digest *d, char out[PP_DIGEST_HEX_BYTES])
{
	pp_vec_sort(&d->lines, by_path);
	pp_digest_begin(d);
	pp_vec_foreach (line, &d->lines) {
		pp_digest_add(d, line->text, strlen(line->text));
		pp_digest_add(d, "\n", 1);
	}
	end_hash(d, out);
}
