/* SPDX-License-Identifier: MIT */
/*
 * Who left a script's session is still of its tree. Where this process is the reaper of its
 * descendants they become its children when their parents end, and end with the script.
 */
#ifndef PP_TXN_STRAYS_H
#define PP_TXN_STRAYS_H

#include "base/vec.h"
#include "lib/model/context.h"

#include <sys/types.h>

struct pp_strays {
	bool is_on;
	struct pp_pids pp_vec(pid_t) known; /* children that are there for another reason */
};
/* Before the script starts; nothing happens where the context's process is no reaper. */
void pp_strays_begin(const plugpkg_context *ctx, struct pp_strays *s);
/* After its leader was waited for. Returns whether anybody was there. */
bool pp_strays_end(struct pp_strays *s);

#endif
