/* SPDX-License-Identifier: MIT */
/*
 * The form over which TUF signs: of the same value always the same bytes, never more of them than
 * were read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Controls stand raw in it, which no reader of JSON takes. */
static bool
has_controls(const struct pp_buf *text)
{
	for (size_t i = 0; i < text->n; i++)
		if ((unsigned char)text->s[i] < ' ')
			return true;
	return false;
}

static void
check_again(const pp_json *j, const struct pp_buf *first, size_t limit)
{
	PP_AUTO_BUF struct pp_buf second = PP_BUF_INIT(limit);
	PP_AUTO_JSON pp_json *again = pp_json_parse(pp_buf_cstr(first), first->n, NULL);

	if (again == NULL || !pp_json_equal(j, again))
		abort();
	if (pp_json_canonical(again, &second) < 0 || second.n != first->n ||
	    memcmp(second.s, first->s, first->n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_JSON pp_json *j = pp_json_parse((const char *)data, size, NULL);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(size + 1);

	if (j == NULL)
		return 0;
	int r = pp_json_canonical(j, &text);
	if (r < 0) {
		if (text.overflow)
			abort();
		return 0;
	}
	if (text.n > size)
		abort();
	PP_AUTO_BUF struct pp_buf copy = PP_BUF_INIT(size + 1);
	PP_AUTO_JSON pp_json *twin = pp_json_copy(j);
	if (pp_json_canonical(twin, &copy) < 0 || copy.n != text.n ||
	    memcmp(copy.s, text.s, text.n) != 0)
		abort();
	if (!has_controls(&text))
		check_again(j, &text, size + 1);
	return 0;
}
