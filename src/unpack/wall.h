/* SPDX-License-Identifier: MIT */
/* What plugpkg-unpack may still do when it begins to read an archive. */
#ifndef PP_UNPACK_WALL_H
#define PP_UNPACK_WALL_H

#include "base/wall.h"

enum pp_wall_work {
	PP_WALL_UNPACK, /* makes files below the directory, reads nothing by name */
	PP_WALL_PACK,   /* reads files below the directory, makes none */
};
/* Before the first message: no children, no rights to be gained, bounded memory. */
int pp_unpack_wall_begin(void) PP_MUSTUSE;
/* Before the first byte of an archive; no request afterwards may need more. */
int pp_unpack_wall_enter(enum pp_wall_work work, int dir_fd) PP_MUSTUSE;

#endif
