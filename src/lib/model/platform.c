/* SPDX-License-Identifier: MIT */
/* Which releases can run on this machine with this plugpkg. */
#include <string.h>

#include "lib/model/release.h"

/* Every usual name of what this was built for. */
static const char *const here_os[] = {
	"any",
#if defined(__linux__)
	"linux",
#endif
};

static const char *const here_arch[] = {
	"any",
#if defined(__x86_64__)
	"x86_64",
	"amd64",
	"x64",
#elif defined(__i386__)
	"i386",
	"i686",
	"x86",
	"ia32",
#elif defined(__aarch64__)
	"aarch64",
	"arm64",
#elif defined(__arm__)
	"arm",
	"armhf",
#elif defined(__riscv) && __riscv_xlen == 64
	"riscv64",
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	"ppc64le",
	"ppc64el",
#elif defined(__s390x__)
	"s390x",
#elif defined(__loongarch64)
	"loongarch64",
	"loong64",
#endif
};

static bool
has_one_of(const struct pp_strs *named, const char *const *here, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pp_strs_has(named, here[i]))
			return true;
	}
	return named->n == 0;
}

bool
pp_release_fits_here(const struct pp_release *r, const char **out_why)
{
	const char *why = NULL;

	if (!has_one_of(&r->os, here_os, PP_LEN(here_os)))
		why = "is for another operating system";
	else if (!has_one_of(&r->arch, here_arch, PP_LEN(here_arch)))
		why = "is for another processor";
	else if (r->min_client != NULL && pp_version_cmp_text(r->min_client, PACKAGE_VERSION) > 0)
		why = "needs a newer plugpkg";
	if (out_why != NULL)
		*out_why = why;
	return why == NULL;
}
