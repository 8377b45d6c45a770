/* SPDX-License-Identifier: MIT */
/* What plugpkg-fetch gives up before it begins to speak with servers. */
#ifndef PP_FETCH_WALL_H
#define PP_FETCH_WALL_H

#include "base/compiler.h"

/* "UID:GID", and no other groups. */
int fetch_become(const char *ids) PP_MUSTUSE;
/* After libcurl is initialised, before the first request; the socket brings the wall. */
int fetch_wall_enter(int sock) PP_MUSTUSE;

#endif
