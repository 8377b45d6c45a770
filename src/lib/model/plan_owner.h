/* SPDX-License-Identifier: MIT */
/* The owner's key of what a step brings, compared with the one that the root expects. */
#ifndef PP_MODEL_PLAN_OWNER_H
#define PP_MODEL_PLAN_OWNER_H

#include "base/json.h"
#include "lib/model/error.h"

enum pp_owner_state {
	PP_OWNER_NONE,      /* nobody signed it, and nobody has to */
	PP_OWNER_NEW,       /* no key was expected; from now on it is this one */
	PP_OWNER_UNCHANGED, /* the expected one */
	PP_OWNER_ROTATED,   /* another one, as the expected one signed */
	PP_OWNER_CHANGED,   /* another one: refused */
	PP_OWNER_UNSIGNED,  /* none, where one is expected: refused */
};
extern const char *const pp_owner_state_names[]; /* "none", "new", "unchanged", "rotated", … */

struct pp_step_owner {
	enum pp_owner_state state;
	char key_id[65];   /* that has to have signed it, or that the index names; "" = none */
	char expected[65]; /* by the root, where that is another; "" else */
	bool is_locked;    /* plugpkg.lock names it */
};

struct pp_plan;
/* OWNER for the first step that the key of its owner keeps out. */
enum plugpkg_code pp_plan_check_owners(const struct pp_plan *p, plugpkg_error **err);
/* "owner", "owner_key", "owner_expected" of a step row; nothing of what nobody signed. */
void pp_step_owner_to_row(const struct pp_step_owner *o, pp_json *row);

#endif
