/* SPDX-License-Identifier: MIT */
/* Warnings that what only offline keys can renew expires soon. */
#ifndef PP_REPO_EXPIRY_H
#define PP_REPO_EXPIRY_H

#include "lib/repo/published.h"

/* Rows "expiry" of root and targets when they are due or past. */
enum plugpkg_code pp_expiry_warn(
    plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err);

#endif
