/* SPDX-License-Identifier: MIT */
/*
 * staged/: additions and removals that wait for the next publish, one JSON file each, and the
 * archives of the additions (pool.h).
 */
#ifndef PP_REPO_STAGED_H
#define PP_REPO_STAGED_H

#include "base/vec.h"
#include "lib/repo/pool.h"

struct pp_staged {
	char *file; /* name below staged/; NULL: an add is about to write it */
	char *name, *version;
	bool is_removal;
	pp_json *planning, *details; /* rows of an addition; NULL for a removal */
	struct pp_pool_copy copy;    /* of an addition's archive */
};
struct pp_staged_list pp_vec(struct pp_staged);

/*
 * Everything staged, sorted by file name. Rows are what add writes (names, versions, digests and
 * relations hold), or BAD_STATE.
 */
enum plugpkg_code pp_staged_read(
    plugpkg_repo *repo, struct pp_staged_list *out, plugpkg_error **err);
/* Writes s (file is made from name and version); an earlier one of the same version is replaced. */
enum plugpkg_code pp_staged_write(
    plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err);
/* The same for an add, by way of ready.h. */
enum plugpkg_code pp_staged_prepare(
    plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err);
/* Deletes the entry, and its archive if that still waits. */
enum plugpkg_code pp_staged_delete(
    plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err);
/* The same of many: looks for signatures once. */
enum plugpkg_code pp_staged_delete_all(
    plugpkg_repo *repo, const struct pp_staged_list *v, plugpkg_error **err);
/* Deletes archives that no entry leads to: those of an add that was cut off. */
enum plugpkg_code pp_staged_sweep(
    plugpkg_repo *repo, const struct pp_staged_list *v, plugpkg_error **err);
/* The archive of an addition; views into s. */
struct pp_pool_file pp_staged_archive(const struct pp_staged *s);
void pp_staged_list_fini(struct pp_staged_list *v);
const struct pp_staged *pp_staged_find(
    const struct pp_staged_list *v, const char *name, const char *version);

/*
 * Index of the row of a version (equal precedence counts as equal) in a line's "versions", or -1.
 */
ptrdiff_t pp_rows_find(const pp_json *line, const char *version);

#endif
