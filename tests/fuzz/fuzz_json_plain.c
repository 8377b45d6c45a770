/* SPDX-License-Identifier: MIT */
/*
 * Two readers of JSON: what the quick one reads, the other reads as the same value. Two writers:
 * what the quick one writes, the other writes with the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_plain.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_writers(const pp_json *j, bool is_pretty)
{
	PP_AUTO_FREE char *quick = j != NULL ? pp_json_write_plain(j, is_pretty) : NULL;
	PP_AUTO_FREE char *slow = j != NULL ? pp_json_write_any(j, is_pretty) : NULL;

	if (quick != NULL && strcmp(quick, slow) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_JSON pp_json *plain = pp_json_read_plain((const char *)data, size);
	PP_AUTO_JSON pp_json *any = pp_json_read_any((const char *)data, size, NULL);

	check_writers(any, false);
	check_writers(any, true);
	if (plain == NULL)
		return 0;
	if (any == NULL || !pp_json_equal(plain, any))
		abort();
	/* Members in the same order, too. */
	PP_AUTO_FREE char *a = pp_json_line(plain);
	PP_AUTO_FREE char *b = pp_json_line(any);
	if (strcmp(a, b) != 0)
		abort();
	return 0;
}
