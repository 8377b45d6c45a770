/* SPDX-License-Identifier: MIT */
/* Writes into changed planning lines what their details say (lib/index/brief.h). */
#ifndef PP_REPO_BRIEF_H
#define PP_REPO_BRIEF_H

#include "lib/repo/book.h"

/* Of all names of which a line of either layer was changed. */
enum plugpkg_code pp_book_write_briefs(struct pp_book *b, plugpkg_error **err);

#endif
