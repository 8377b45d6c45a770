/* SPDX-License-Identifier: MIT */
/*
 * Heads of answers: "STATUS LENGTH OFFSET MAX EXACT\n" and a Content-Range. However they lie, what
 * is taken starts where it was asked for and never goes beyond the file.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch/head.h"

#include "base/mem.h"
#include "base/str.h"

#define MAX_FILE_BYTES ((uint64_t)1 << 46)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
number(struct pp_str *rest, char end, uint64_t max)
{
	struct pp_str word;
	uint64_t n = 0;

	if (rest->p == NULL || !pp_str_cut(rest, end, &word) || pp_parse_u64(word, max, &n) < 0)
		return 0;
	return n;
}

static void
check(const struct head *h, const struct request *req)
{
	uint64_t start = UINT64_MAX;
	enum head_verdict verdict = head_judge(h, req, &start);
	bool is_page = h->status != 200 && h->status != 206;

	if (is_page != (verdict == HEAD_USELESS) && h->status != 206)
		abort();
	if (verdict == HEAD_RANGE && h->status != 206)
		abort();
	if (verdict == HEAD_USELESS || verdict == HEAD_RANGE)
		return;
	if (start != 0 && (start != req->offset || h->status != 206))
		abort();
	if (start > req->max)
		abort();
	if (verdict != HEAD_FITS || h->length < 0)
		return;
	if (start + (uint64_t)h->length > req->max)
		abort();
	if (req->exact && start + (uint64_t)h->length != req->max)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_FREE char *text = pp_xstrndup((const char *)data, size);
	struct pp_str rest = pp_str_of(text);
	struct head h = { .status = (long)number(&rest, ' ', 999) };

	h.length = (int64_t)number(&rest, ' ', INT64_MAX) - 1;
	struct request req = { .offset = number(&rest, ' ', MAX_FILE_BYTES) };
	req.max = number(&rest, ' ', MAX_FILE_BYTES);
	req.exact = number(&rest, '\n', 1) == 1;
	h.content_range = rest.p;
	if (req.offset <= req.max)
		check(&h, &req);
	(void)head_is_secure(text);
	return 0;
}
