/* SPDX-License-Identifier: MIT */
/* staged/: additions and removals that wait for the next publish, one JSON file each. */
#ifndef PP_REPO_STAGED_H
#define PP_REPO_STAGED_H

#include "base/vec.h"
#include "lib/repo/repo.h"

struct pp_staged {
	char *file; /* name below staged/ */
	char *name, *version;
	bool is_removal;
	pp_json *planning, *details; /* rows of an addition; NULL for a removal */
};
struct pp_staged_list pp_vec(struct pp_staged);

/* Everything staged, sorted by file name. */
enum plugpkg_code pp_staged_read(
    plugpkg_repo *repo, struct pp_staged_list *out, plugpkg_error **err);
/* Writes s (file is made from name and version); an earlier one of the same version is replaced. */
enum plugpkg_code pp_staged_write(
    plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err);
enum plugpkg_code pp_staged_delete(
    plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err);
void pp_staged_list_fini(struct pp_staged_list *v);
const struct pp_staged *pp_staged_find(
    const struct pp_staged_list *v, const char *name, const char *version);

/* "targets/pool/NAME/VERSION" below public/, as it stands on disk; owned. */
char *pp_pool_dir(const char *name, const char *version);
/*
 * Index of the row of a version (equal precedence counts as equal) in a line's "versions", or -1.
 */
ptrdiff_t pp_rows_find(const pp_json *line, const char *version);

#endif
