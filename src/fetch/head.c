/* SPDX-License-Identifier: MIT */
/* Judges heads of answers. libcurl has read their lines; what they claim is a stranger's word. */
#include "head.h"

#include "base/str.h"

#include <strings.h>

/* "bytes START-END/TOTAL", TOTAL may be "*". Does the part continue exactly what is there? */
static bool
range_fits(const char *text, const struct request *req)
{
	struct pp_str rest, start, end;
	uint64_t n = 0;

	if (text == NULL || strncasecmp(text, "bytes ", 6) != 0)
		return false;
	rest = pp_str_trim(pp_str_of(text + 6));
	if (!pp_str_cut(&rest, '-', &start) || !pp_str_cut(&rest, '/', &end))
		return false;
	if (pp_parse_u64(start, UINT64_MAX, &n) < 0 || n != req->offset)
		return false;
	if (!req->exact || pp_str_eq(rest, "*"))
		return true;
	return pp_parse_u64(rest, UINT64_MAX, &n) == 0 && n == req->max;
}

enum head_verdict
head_judge(const struct head *h, const struct request *req, uint64_t *out_start)
{
	if (h->status == 206 && req->offset > 0) {
		if (!range_fits(h->content_range, req))
			return HEAD_RANGE;
		*out_start = req->offset;
	} else if (h->status == 200) {
		*out_start = 0;
	} else {
		return HEAD_USELESS;
	}
	if (h->length >= 0 && (uint64_t)h->length > req->max - *out_start)
		return HEAD_LIMIT;
	if (h->length >= 0 && req->exact && (uint64_t)h->length != req->max - *out_start)
		return HEAD_SIZE;
	return HEAD_FITS;
}

bool
head_is_secure(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}
