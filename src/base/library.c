/* SPDX-License-Identifier: MIT */
/* dlopen() with a table of functions. */
#include "base/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wall.h"

/*
 * An application may export the functions of a copy of its own, of whatever version: without this
 * the library would call those where it calls itself. Sanitizers refuse the flag.
 */
#if defined(RTLD_DEEPBIND)
#define OWN_NAMES_FIRST (PP_IS_WATCHED_BUILD ? 0 : RTLD_DEEPBIND)
#else
#define OWN_NAMES_FIRST 0
#endif

bool
pp_library_load(const char *soname, const struct pp_library_call *calls, size_t n, void *table)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL | OWN_NAMES_FIRST);

	if (library == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		void *at = dlsym(library, calls[i].name);
		if (at == NULL)
			return false;
		memcpy((char *)table + calls[i].offset, &at, sizeof(at));
	}
	return true;
}

const char *
pp_library_error(void)
{
	const char *text = dlerror();

	return text != NULL ? text : "it cannot be loaded";
}

void *
pp_library_table(_Atomic(void *) *loaded, size_t bytes, const char *soname,
    const struct pp_library_call *calls, size_t n)
{
	void *there = atomic_load_explicit(loaded, memory_order_acquire);

	if (there != NULL)
		return there;
	void *mine = pp_xcalloc(1, bytes);
	if (pp_library_load(soname, calls, n, mine) &&
	    atomic_compare_exchange_strong(loaded, &there, mine))
		return mine;
	free(mine); /* it cannot be loaded, or another thread was quicker */
	return there;
}

void *
pp_library_need(_Atomic(void *) *loaded, size_t bytes, const char *soname,
    const struct pp_library_call *calls, size_t n)
{
	void *table = pp_library_table(loaded, bytes, soname, calls, n);

	if (table != NULL)
		return table;
	const char *parts[] = { "plugpkg: ", pp_library_error(), "\n" };
	for (size_t i = 0; i < PP_LEN(parts); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			break; /* nobody hears it */
	abort();
}
