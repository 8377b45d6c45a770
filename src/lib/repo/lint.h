/* SPDX-License-Identifier: MIT */
/* What is wrong, or could be better, with a plugin's directory before it becomes an archive. */
#ifndef PP_REPO_LINT_H
#define PP_REPO_LINT_H

#include "lib/model/manifest.h"

struct pp_lint_outcome {
	size_t errors, warnings;
	/* Owned; NULL where it could not be read. Without errors it is fit for all other use. */
	struct pp_manifest *manifest;
};
void pp_lint_outcome_fini(struct pp_lint_outcome *o);
/*
 * Checks the manifest and the scripts that it names: rows of type "finding" with level ("error" or
 * "warning"), file, field (when it is about one), text (ready to print, with file and field) and
 * hint (when there is one). Returns OK also when there are findings; the counts tell; errors: IO
 * PERMISSION. What may stand in an archive is not looked at: packing and unpacking refuse it.
 *
 * dir_fd  borrowed
 * where   the directory's name for messages; "." or NULL: none
 */
enum plugpkg_code pp_lint_dir(int dir_fd, const char *where, struct pp_lint_outcome *out,
    plugpkg_row_fn row, void *user, plugpkg_error **err);
/* The same of a directory that holds nothing but this manifest. */
void pp_lint_alone(struct pp_str manifest, const char *where, struct pp_lint_outcome *out,
    plugpkg_row_fn row, void *user);

#endif
