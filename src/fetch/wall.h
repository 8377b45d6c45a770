/* SPDX-License-Identifier: MIT */
/* What plugpkg-fetch may still do when it begins to speak with servers. */
#ifndef PP_FETCH_WALL_H
#define PP_FETCH_WALL_H

#include "transfer.h"

#include "base/wall.h"

/* "UID:GID", and no other groups. */
int fetch_become(const char *ids) PP_MUSTUSE;
/* After libcurl is initialised, before the first request. */
int fetch_wall_enter(const struct trust_store *trust) PP_MUSTUSE;

#endif
