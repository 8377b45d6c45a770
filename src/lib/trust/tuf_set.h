/* SPDX-License-Identifier: MIT */
/* The trusted set as lib/trust/tuf.c keeps it and lib/trust/tuf_delegation.c searches it. */
#ifndef PP_TRUST_TUF_SET_H
#define PP_TRUST_TUF_SET_H

#include "lib/trust/proofs.h"
#include "lib/trust/tuf.h"
#include "lib/trust/tuf_meta.h"

struct pp_tuf {
	int64_t now;
	struct pp_proofs *proofs; /* borrowed, or NULL */
	struct pp_meta *root, *timestamp, *snapshot;
	/*
	 * Targets metadata by role *and* chain of delegators: a role reached by a second delegator
	 * has to be verified with that delegator's keys, so one must not stand for the other.
	 */
	struct pp_map targets;
};

/* Key of a role in t->targets. Owned. */
char *pp_tuf_role_id(const char *role, const struct pp_meta *delegator);

#endif
