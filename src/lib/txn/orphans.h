/* SPDX-License-Identifier: MIT */
/*
 * What a script of a killed plugpkg left running: its own end came with plugpkg's, that of its
 * children did not. They would go on writing beside the repair.
 */
#ifndef PP_TXN_ORPHANS_H
#define PP_TXN_ORPHANS_H

#include "lib/model/context.h"

/* A process by number and start; pid 0: none. */
struct pp_orphan_mark {
	int64_t pid, start_ticks;
};
struct pp_orphan_mark pp_orphan_mark(int64_t pid);
/*
 * Waits until the plugpkg that held the lock is wholly dead, then ends the session of the script
 * that it ran. Who left that session (a service that a script started on purpose) is left alone.
 */
struct pp_orphans {
	struct pp_orphan_mark holder, script;
	int64_t transaction;
};
void pp_orphans_end(plugpkg_context *ctx, const struct pp_orphans *o);

#endif
