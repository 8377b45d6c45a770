/* SPDX-License-Identifier: MIT */
/* Writes into planning lines what their dependencies lead to (lib/index/reach.h). */
#ifndef PP_REPO_HINTS_H
#define PP_REPO_HINTS_H

#include "lib/repo/book.h"

/*
 * Of all lines that were changed, or of every line. What a changed line means for the hints of
 * lines above it is left to their next change: a client then needs one round more.
 */
enum plugpkg_code pp_hints_write(struct pp_book *b, bool is_for_all, plugpkg_error **err);

#endif
