/* SPDX-License-Identifier: MIT */
/* What becomes of a plan when the key of an owner is not the expected one: nothing. */
#include "lib/model/plan.h"

const char *const pp_owner_state_names[] = {
	[PP_OWNER_NONE] = "none",
	[PP_OWNER_NEW] = "new",
	[PP_OWNER_UNCHANGED] = "unchanged",
	[PP_OWNER_ROTATED] = "rotated",
	[PP_OWNER_CHANGED] = "changed",
	[PP_OWNER_UNSIGNED] = "unsigned",
};

#define SHOWN 16 /* digits of a key id, as in pp_sig_check_archive() */

static enum plugpkg_code
changed(const struct pp_step *s, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_OWNER, 0,
	    "the owner's key of '%s' has changed: %s is signed by %.*s, here %.*s is expected; "
	    "nothing was changed",
	    s->name, s->version, SHOWN, s->owner.key_id, SHOWN, s->owner.expected);
	/* Of a file on this machine no source names the key, which `accept` would ask about. */
	bool is_file = s->file != NULL;
	return pp_hint(err, PLUGPKG_E_OWNER,
	    "ask its author which key is right; if it is the new one: plugpkg owner accept %s%s%s",
	    s->name, is_file ? " --key " : "", is_file ? s->owner.key_id : "");
}

static enum plugpkg_code
not_signed(const struct pp_step *s, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_OWNER, 0,
	    "%s %s is not signed by its owner, whose key %.*s is expected here; nothing was "
	    "changed",
	    s->name, s->version, SHOWN, s->owner.expected);
	return pp_hint(err, PLUGPKG_E_OWNER,
	    "ask its author; to take it from anybody from now on: plugpkg owner forget %s",
	    s->name);
}

enum plugpkg_code
pp_plan_check_owners(const struct pp_plan *p, plugpkg_error **err)
{
	pp_vec_foreach (s, &p->steps) {
		if (s->owner.state == PP_OWNER_CHANGED)
			(void)changed(s, err);
		else if (s->owner.state == PP_OWNER_UNSIGNED)
			(void)not_signed(s, err);
		else
			continue;
		return pp_subject(err, PLUGPKG_E_OWNER, s->name);
	}
	return PLUGPKG_OK;
}

void
pp_step_owner_to_row(const struct pp_step_owner *o, pp_json *row)
{
	if (o->state == PP_OWNER_NONE)
		return;
	pp_json_set_str(row, "owner", pp_owner_state_names[o->state]);
	if (o->key_id[0] != '\0')
		pp_json_set_str(row, "owner_key", o->key_id);
	if (o->expected[0] != '\0')
		pp_json_set_str(row, "owner_expected", o->expected);
}
