/* SPDX-License-Identifier: MIT */
/* What the head of a final answer says of the bytes that follow; looks at nothing else. */
#ifndef PP_FETCH_HEAD_H
#define PP_FETCH_HEAD_H

#include "request.h"

struct head {
	long status;
	int64_t length;            /* of what follows; below 0: not told */
	const char *content_range; /* NULL: there is none */
};

enum head_verdict {
	HEAD_FITS,    /* the bytes of the file, from *out_start on */
	HEAD_USELESS, /* an error page or the like */
	HEAD_RANGE,   /* another part than was asked for */
	HEAD_LIMIT,   /* more than the file may have */
	HEAD_SIZE,    /* not as many as the file has */
};

/* *out_start is set with all verdicts but HEAD_USELESS and HEAD_RANGE, and at most req->max. */
enum head_verdict head_judge(const struct head *h, const struct request *req, uint64_t *out_start);
/* Is the scheme of that URL https? */
bool head_is_secure(const char *url);

#endif
