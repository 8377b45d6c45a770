/* SPDX-License-Identifier: MIT */
/*
 * Canonical JSON in the OLPC dialect, the form over which TUF signs: members sorted by bytes, no
 * blanks, only `"` and `\` escaped, everything else raw, integers only.
 */
#include "base/json.h"
#include "base/vec.h"

#include <errno.h>
#include <string.h>

static void
add_string(struct pp_buf *out, const char *s)
{
	pp_buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			pp_buf_addc(out, '\\');
		pp_buf_addc(out, *s);
	}
	pp_buf_addc(out, '"');
}

static int
add_array(struct pp_buf *out, const pp_json *j)
{
	int r = 0;

	pp_buf_addc(out, '[');
	for (size_t i = 0; r == 0 && i < pp_json_len(j); i++) {
		if (i > 0)
			pp_buf_addc(out, ',');
		r = pp_json_canonical(pp_json_at(j, i), out);
	}
	pp_buf_addc(out, ']');
	return r;
}

static int
add_object(struct pp_buf *out, const pp_json *j)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs keys = { 0 };
	int r = 0;

	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it))
		pp_strs_add(&keys, pp_json_iter_key(it));
	pp_strs_sort(&keys);
	pp_buf_addc(out, '{');
	for (size_t i = 0; r == 0 && i < keys.n; i++) {
		if (i > 0)
			pp_buf_addc(out, ',');
		add_string(out, keys.at[i]);
		pp_buf_addc(out, ':');
		r = pp_json_canonical(pp_json_get(j, keys.at[i]), out);
	}
	pp_buf_addc(out, '}');
	return r;
}

int
pp_json_canonical(const pp_json *j, struct pp_buf *out)
{
	switch (pp_json_kind(j)) {
	case PP_JSON_NULL:
		pp_buf_adds(out, "null");
		return 0;
	case PP_JSON_BOOL:
		pp_buf_adds(out, pp_json_is_true(j) ? "true" : "false");
		return 0;
	case PP_JSON_INT:
		pp_buf_addf(out, "%lld", (long long)pp_json_integer(j, 0));
		return 0;
	case PP_JSON_STRING:
		add_string(out, pp_json_string(j));
		return 0;
	case PP_JSON_ARRAY:
		return add_array(out, j);
	case PP_JSON_OBJECT:
		return add_object(out, j);
	case PP_JSON_REAL:
		break;
	}
	return -EINVAL;
}
