/* SPDX-License-Identifier: MIT */
/* What plugpkg-fetch may still do when it begins to speak with servers. */
#ifndef PP_NET_WALL_H
#define PP_NET_WALL_H

#include "base/compiler.h"

/* Makes the wall and sends it, while the helper at the other end loads its libraries. */
int pp_net_wall_send(int sock) PP_MUSTUSE;

#endif
