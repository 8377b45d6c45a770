/* SPDX-License-Identifier: MIT */
/* Rows of a plain list as they are remembered: written and read. No files. */
#ifndef PP_API_LISTED_H
#define PP_API_LISTED_H

#include <plugpkg-query.h>

#include "base/str.h"
#include "base/vec.h"

struct pp_listed_rows pp_vec(struct plugpkg_listed);

/* Of an installed plugin, as a plain list has it: without candidate and depth. */
void pp_listed_add(const struct plugpkg_listed *one, struct pp_buf *out);
void pp_listed_end(struct pp_buf *out);
/* Views of the text. False: it is not all that was written; out is freed by the caller anyway. */
bool pp_listed_read(struct pp_str text, struct pp_listed_rows *out);

#endif
