/* SPDX-License-Identifier: MIT */
/*
 * What the near side may ask of the fetch helper: one file, into a pipe or, when it is small, with
 * the last answer.
 */
#ifndef PP_FETCH_REQUEST_H
#define PP_FETCH_REQUEST_H

#include "base/json.h"

#define HELD_MAX_BYTES (32 * 1024) /* with its answer it fits into one packet */

struct request {
	int64_t id;
	char *url;
	char *user, *password, *token; /* for the URL's origin; NULL = none */
	uint64_t max;                  /* most bytes of the whole file */
	uint64_t offset;               /* bytes that are in the file already */
	unsigned patience;             /* seconds without progress that are borne */
	unsigned deadline;             /* seconds for the whole file */
	bool exact;                    /* the file has max bytes, no fewer */
	bool held;                     /* it comes with the last answer: there is no pipe */
};

/* False when j asks for nothing that can be done; *out then holds at most the id. */
bool request_read(const pp_json *j, struct request *out);
void request_fini(struct request *r);

#endif
