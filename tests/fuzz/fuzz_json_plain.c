/* SPDX-License-Identifier: MIT */
/*
 * Two readers of JSON: what the quick one reads, the other reads as the same value. And what is
 * written of a value is read as that value again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_plain.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_writer(const pp_json *j, char *(*write)(const pp_json *))
{
	PP_AUTO_FREE char *text = j != NULL ? write(j) : NULL;
	PP_AUTO_JSON pp_json *again =
	    text != NULL ? pp_json_read_any(text, strlen(text), NULL) : NULL;

	if (text != NULL && !pp_json_equal(j, again))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_JSON pp_json *plain = pp_json_read_plain((const char *)data, size);
	PP_AUTO_JSON pp_json *any = pp_json_read_any((const char *)data, size, NULL);

	/* A single word or number is no text for the library. */
	if (pp_json_len(any) > 0) {
		check_writer(any, pp_json_line);
		check_writer(any, pp_json_pretty);
		check_writer(any, pp_json_sorted);
	}
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
