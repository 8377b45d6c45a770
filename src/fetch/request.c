/* SPDX-License-Identifier: MIT */
/* Reads requests. The near side is trusted; the limits only keep arithmetic sound. */
#include <limits.h>
#include <stdlib.h>

#include "request.h"

#include "base/mem.h"

#define MAX_FILE_BYTES ((int64_t)1 << 46)
#define MAX_PATIENCE   3600
#define MAX_DEADLINE   (INT_MAX / 1000) /* libcurl's */

static char *
copy(const char *text)
{
	return text != NULL ? pp_xstrdup(text) : NULL;
}

bool
request_read(const pp_json *j, struct request *out)
{
	const char *url = pp_json_get_str(j, "url");
	int64_t max = pp_json_get_int(j, "max", -1);
	int64_t offset = pp_json_get_int(j, "offset", 0);
	int64_t patience = pp_json_get_int(j, "patience", 20);
	int64_t deadline = pp_json_get_int(j, "deadline", MAX_DEADLINE);

	*out = (struct request){ .id = pp_json_get_int(j, "id", -1) };
	if (url == NULL || max < 0 || max > MAX_FILE_BYTES || offset < 0 || offset > max)
		return false;
	if (pp_json_get_bool(j, "held") && (max > HELD_MAX_BYTES || offset > 0))
		return false;
	if (out->id < 0 || patience < 1 || patience > MAX_PATIENCE)
		return false;
	if (deadline < 1)
		return false;
	out->url = pp_xstrdup(url);
	out->user = copy(pp_json_get_str(j, "user"));
	out->password = copy(pp_json_get_str(j, "password"));
	out->token = copy(pp_json_get_str(j, "token"));
	out->max = (uint64_t)max;
	out->offset = (uint64_t)offset;
	out->patience = (unsigned)patience;
	out->deadline = (unsigned)(deadline < MAX_DEADLINE ? deadline : MAX_DEADLINE);
	out->exact = pp_json_get_bool(j, "exact");
	out->held = pp_json_get_bool(j, "held");
	return true;
}

void
request_fini(struct request *r)
{
	free(r->url);
	free(r->user);
	free(r->password);
	free(r->token);
	*r = (struct request){ .id = r->id };
}
