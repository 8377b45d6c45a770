/* SPDX-License-Identifier: MIT */
/* What libcurl may do for a request, and for how long it waits. */
#ifndef PP_FETCH_POLICY_H
#define PP_FETCH_POLICY_H

#include <curl/curl.h>

#include "request.h"

/* Where certificates are looked for; NULL = where libcurl was built to look. */
struct trust_store {
	const char *file, *dir;
};

/* All but the target: URL, range, time for the whole. False when libcurl refuses. */
bool policy_set(CURL *e, const struct request *req, const struct trust_store *trust);

#endif
