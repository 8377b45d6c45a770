/* SPDX-License-Identifier: MIT */
/* Options of libcurl that are the same for every file, and those that depend on the server only. */
#include "policy.h"

#define CONNECT_SECONDS 10
#define LOW_SPEED       1024 /* bytes a second, over `patience` seconds */
#define MAX_REDIRECTS   5L
#define BUFFER_BYTES    (64L * 1024) /* more than a file may have is seen this late at most */
#define SMALL_BUFFER    (16L * 1024) /* of what is held: freeing larger ones tidies the heap */

static bool
set_common(CURL *e, const struct request *req, const struct trust_store *trust)
{
	CURLcode r = CURLE_OK;
	long patience = (long)req->patience;

	r |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	r |= curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	r |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	r |= curl_easy_setopt(e, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	r |= curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	r |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	r |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(
	    e, CURLOPT_CONNECTTIMEOUT, patience < CONNECT_SECONDS ? patience : CONNECT_SECONDS);
	r |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED);
	r |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, patience);
	r |= curl_easy_setopt(e, CURLOPT_BUFFERSIZE, req->held ? SMALL_BUFFER : BUFFER_BYTES);
	r |= curl_easy_setopt(e, CURLOPT_USERAGENT, "plugpkg/" PACKAGE_VERSION);
	if (trust->file != NULL)
		r |= curl_easy_setopt(e, CURLOPT_CAINFO, trust->file);
	if (trust->dir != NULL)
		r |= curl_easy_setopt(e, CURLOPT_CAPATH, trust->dir);
	return r == CURLE_OK;
}

/* libcurl leaves them away where a redirect leads to another scheme, host or port. */
static bool
set_login(CURL *e, const struct request *req)
{
	CURLcode r = CURLE_OK;

	if (req->token != NULL) {
		r |= curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		r |= curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, req->token);
	} else if (req->user != NULL) {
		r |= curl_easy_setopt(e, CURLOPT_USERNAME, req->user);
		r |= curl_easy_setopt(
		    e, CURLOPT_PASSWORD, req->password != NULL ? req->password : "");
	}
	return r == CURLE_OK;
}

bool
policy_set(CURL *e, const struct request *req, const struct trust_store *trust)
{
	return set_common(e, req, trust) && set_login(e, req);
}
