/* SPDX-License-Identifier: MIT */
/* "sandbox" of plugpkg.json: what scripts of plugins may do beside what they always may. */
#ifndef PP_MODEL_SANDBOX_H
#define PP_MODEL_SANDBOX_H

#include "lib/model/field.h"

#include "base/vec.h"

struct pp_sandbox_rules {
	bool is_off;
	struct pp_strs writable;                /* paths: full, or below the root */
	struct pp_ports pp_vec(unsigned) ports; /* TCP ports that they may connect to */
};

/* The member may be missing. Errors: BAD_CONFIG. */
enum plugpkg_code pp_sandbox_rules_read(const struct pp_fields *f, struct pp_sandbox_rules *out);
void pp_sandbox_rules_fini(struct pp_sandbox_rules *r);

#endif
