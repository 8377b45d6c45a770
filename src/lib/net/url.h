/* SPDX-License-Identifier: MIT */
/* URLs of mirrors: joining them with paths, and what a file:// URL means on disk. */
#ifndef PP_NET_URL_H
#define PP_NET_URL_H

#include "base/str.h"

#define PP_URL_MAX_BYTES 2048

bool pp_url_is_file(const char *url);
/* scheme://host[:port] in lower case, without the port that is usual; NULL of others than http. */
char *pp_url_origin(const char *url);
bool pp_url_has_user(const char *url);
/* base, one slash, path. Owned. */
char *pp_url_join(const char *base, const char *path);
/*
 * The file that `path` below a file:// URL names; owned. NULL when there can be none: path leaves
 * the base, or an escape stands for a slash or NUL, which no file name can hold.
 */
char *pp_url_file(const char *base, const char *path);

#endif
