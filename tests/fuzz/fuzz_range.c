/* SPDX-License-Identifier: MIT */
/*
 * Ranges: limits hold, what is read reads again with the same meaning, and versions can be matched.
 */
#include <stdlib.h>

#include "lib/model/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct pp_range *r, struct pp_str version)
{
	static const char *const usual[] = { "0.0.0", "1.2.3", "1.2.3-rc.1", "2", "5.3.1.2" };
	struct pp_range *again = NULL;

	if (r->any.n == 0 || r->any.n > PP_RANGE_MAX_ALTERNATIVES)
		abort();
	pp_vec_foreach (alternative, &r->any) {
		if (alternative->all.n > PP_RANGE_MAX_COMPARATORS)
			abort();
	}
	if (pp_range_parse(pp_str_of(r->text), &again, NULL) != PLUGPKG_OK)
		abort();
	for (size_t i = 0; i <= PP_LEN(usual); i++) {
		struct pp_str text = i < PP_LEN(usual) ? pp_str_of(usual[i]) : version;
		struct pp_version v;

		if (pp_version_parse(text, &v, NULL) != PLUGPKG_OK)
			continue;
		bool strict = pp_range_match(r, &v, false);

		if (strict != pp_range_match(again, &v, false) ||
		    (strict && !pp_range_match(r, &v, true)))
			abort();
		pp_version_fini(&v);
	}
	(void)pp_range_exact(r);
	pp_range_free(again);
}

/* The input is a range and, in a second line, a version. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str rest = { (const char *)data, size }, first = { "", 0 };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_range *r = NULL;

	(void)pp_str_cut(&rest, '\n', &first);
	if (pp_range_parse(first, &r, &err) == PLUGPKG_OK)
		check(r, rest);
	pp_range_free(r);
	return 0;
}
