/* SPDX-License-Identifier: MIT */
/* Versions: what is read is read again the same, equals itself, and precedence is antisymmetric. */
#include <stdlib.h>

#include "lib/model/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

static void
check_pair(const struct pp_version *a, const struct pp_version *b)
{
	int d = sign(pp_version_cmp(a, b));

	if (d != -sign(pp_version_cmp(b, a)) || d != sign(pp_version_cmp_text(a->text, b->text)))
		abort();
}

/* The input is two versions, one a line. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str rest = { (const char *)data, size }, first = { "", 0 };
	struct pp_version a, b, again;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	(void)pp_str_cut(&rest, '\n', &first);
	if (pp_version_parse(first, &a, &err) != PLUGPKG_OK)
		return 0;
	if (pp_version_parse(pp_str_of(a.text), &again, NULL) != PLUGPKG_OK ||
	    pp_version_cmp(&a, &again) != 0)
		abort();
	pp_version_fini(&again);
	if (rest.p != NULL && pp_version_parse(rest, &b, &err) == PLUGPKG_OK) {
		check_pair(&a, &b);
		pp_version_fini(&b);
	}
	pp_version_fini(&a);
	return 0;
}
