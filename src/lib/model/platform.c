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

const char *
pp_platform_name(void)
{
	return here_arch[PP_LEN(here_arch) > 1 ? 1 : 0];
}

enum pp_unfit
pp_release_unfit(const struct pp_release *r)
{
	if (!has_one_of(&r->os, here_os, PP_LEN(here_os)))
		return PP_UNFIT_OS;
	if (!has_one_of(&r->arch, here_arch, PP_LEN(here_arch)))
		return PP_UNFIT_ARCH;
	if (r->min_client != NULL && pp_version_cmp_text(r->min_client, PACKAGE_VERSION) > 0)
		return PP_UNFIT_CLIENT;
	return PP_UNFIT_NOT;
}

bool
pp_release_fits_here(const struct pp_release *r, const char **out_why)
{
	static const char *const whys[] = {
		[PP_UNFIT_NOT] = NULL,
		[PP_UNFIT_OS] = "is for another operating system",
		[PP_UNFIT_ARCH] = "is for another processor",
		[PP_UNFIT_CLIENT] = "needs a newer plugpkg",
	};
	enum pp_unfit unfit = pp_release_unfit(r);

	if (out_why != NULL)
		*out_why = whys[unfit];
	return unfit == PP_UNFIT_NOT;
}
