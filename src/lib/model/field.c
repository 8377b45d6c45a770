/* SPDX-License-Identifier: MIT */
/* Messages about fields of plugin.json, plugpkg.json and index rows. */
#include <inttypes.h>
#include <string.h>

#include "base/json_where.h"
#include "base/mem.h"
#include "lib/model/field.h"

#define TEXT_MAX_BYTES 4096

/* "plugpkg.json: line 3, column 5"; of a field that is missing, where what lacks it stands. */
static char *
place_of(const struct pp_fields *f, const char *field)
{
	struct pp_json_pos pos;

	if (f->text.p == NULL)
		return pp_xstrdup(f->where);
	(void)pp_json_where(f->text, field, &pos); /* the nearest there is will do */
	return pp_asprintf("%s: line %d, column %d", f->where, pos.line, pos.column);
}

enum plugpkg_code
pp_field_wrap(const struct pp_fields *f, const char *field)
{
	PP_AUTO_FREE char *shown = pp_shown(field, strlen(field));
	PP_AUTO_FREE char *place = place_of(f, field);

	(void)pp_wrap(f->err, f->code, "%s: field '%s'", place, shown);
	(void)pp_subject(f->err, f->code, shown);
	return pp_recode(f->err, f->code);
}

enum plugpkg_code
pp_field_fail(const struct pp_fields *f, const char *field, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	(void)pp_fail(f->err, f->code, 0, "%s", pp_buf_cstr(&text));
	return pp_field_wrap(f, field);
}

enum plugpkg_code
pp_field_missing(const struct pp_fields *f, const char *field)
{
	PP_AUTO_FREE char *place = place_of(f, field);

	(void)pp_fail(f->err, f->code, 0, "%s: field '%s' is missing", place, field);
	return pp_subject(f->err, f->code, field);
}

enum plugpkg_code
pp_field_kind(const struct pp_fields *f, const char *field, const pp_json *found, const char *want)
{
	if (pp_json_is(found, PP_JSON_INT))
		return pp_field_fail(f, field, "expected %s, found the number %" PRId64, want,
		    pp_json_integer(found, 0));
	if (pp_json_is(found, PP_JSON_STRING)) {
		const char *s = pp_json_string(found);
		PP_AUTO_FREE char *shown = pp_shown(s, strlen(s));

		return pp_field_fail(f, field, "expected %s, found '%s'", want, shown);
	}
	return pp_field_fail(f, field, "expected %s, found %s", want, pp_json_kind_name(found));
}
