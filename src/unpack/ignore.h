/* SPDX-License-Identifier: MIT */
/*
 * What stays out of an archive: version control, earlier builds, and the patterns of .plugignore.
 */
#ifndef PP_UNPACK_IGNORE_H
#define PP_UNPACK_IGNORE_H

#include "base/vec.h"
#include "unpack/report.h"

#define PP_IGNORE_FILE ".plugignore"

struct pp_ignore {
	struct pp_strs patterns;
};

/* Reads the directory's .plugignore; a missing one is fine. */
int pp_ignore_read(struct pp_ignore *ig, int dir_fd, struct pp_report *report) PP_MUSTUSE;
bool pp_ignore_match(const struct pp_ignore *ig, const char *path, bool is_dir);
void pp_ignore_fini(struct pp_ignore *ig);

#endif
