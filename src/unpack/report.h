/* SPDX-License-Identifier: MIT */
/* The outcome of one job: what was done, or the first thing that went wrong. */
#ifndef PP_UNPACK_REPORT_H
#define PP_UNPACK_REPORT_H

#include "base/json.h"

enum pp_failure {
	PP_NO_FAILURE,
	PP_BAD_ARCHIVE, /* damage, or a breach of the archive policy */
	PP_NO_SPACE,
	PP_IO_ERROR
};

struct pp_report {
	enum pp_failure failure;
	int errnum;  /* NO_SPACE, IO_ERROR */
	char *entry; /* as the archive has it, or NULL */
	char *text;
	uint64_t bytes, files;
	char tree_sha256[65]; /* "" where none was stated or taken */
	char *manifest;       /* what it says, where it was not written; or NULL */
};

/* The first failure counts. Both return -1, so that failing is one line. */
int pp_report_bad(struct pp_report *r, const char *entry, const char *fmt, ...) PP_PRINTF(3, 4);
int pp_report_io(struct pp_report *r, const char *entry, int errnum, const char *what);
/* The answer for the job `id`; owned. */
pp_json *pp_report_answer(const struct pp_report *r, int64_t id);
void pp_report_fini(struct pp_report *r);

#endif
