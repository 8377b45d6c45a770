/* SPDX-License-Identifier: MIT */
/* Extended attributes of files and directories that are copied. */
#ifndef PP_STORE_DATA_ATTRS_H
#define PP_STORE_DATA_ATTRS_H

#include "lib/model/context.h"

struct pp_data_attrs;
struct pp_data_attrs *pp_data_attrs_new(void);
void pp_data_attrs_free(struct pp_data_attrs *a);
/*
 * Gives one file or directory those of the other, and no access control list that the other has
 * not. path: for messages. 0 or -errno; privileged ones that may not be set are only counted.
 */
int pp_data_attrs_copy(struct pp_data_attrs *a, int from, int to, const char *path) PP_MUSTUSE;
/* One warning for all that could not be set. */
void pp_data_attrs_tell(const struct pp_data_attrs *a, plugpkg_context *ctx);

#endif
