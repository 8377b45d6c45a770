/* SPDX-License-Identifier: MIT */
/*
 * Which owner's key a chosen release has, and which one the root expects. What the root knows
 * counts; of a plugin that it never had, what plugpkg.lock says; else what the index says.
 */
#include "lib/api/making.h"

#include "lib/trust/owner.h"

#include <stdlib.h>
#include <string.h>

static void
copy_id(char to[65], const char *from)
{
	memcpy(to, from, 64);
	to[64] = '\0';
}

enum plugpkg_code
pp_making_read_owners(struct pp_making *m, plugpkg_error **err)
{
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(m->ctx, &state, err);

	pp_pins_fini(&m->owners);
	return rc == PLUGPKG_OK ? pp_state_pins(state, &m->owners, err) : rc;
}

/* By the name: majors side by side have one owner. NULL: plugpkg.lock knows none. */
static const char *
locked_id(const struct pp_making *m, const char *name)
{
	if (m->pins == NULL)
		return NULL;
	pp_vec_foreach (row, &m->pins->plugins)
		if (strcmp(row->name, name) == 0 && row->owner != NULL)
			return row->owner;
	return NULL;
}

const char *
pp_making_expected_owner(struct pp_making *m, const char *name, bool *out_locked)
{
	const struct pp_pin *pin = pp_pins_get(&m->owners, name);
	const char *locked = pin == NULL ? locked_id(m, name) : NULL;

	*out_locked = locked != NULL;
	return pin != NULL ? pin->key_id : locked;
}

/* id: that of the key that signed, NULL = nobody did; follows: the expected key wants it so. */
static void
judge(struct pp_making *m, struct pp_step *step, const char *id, bool follows)
{
	struct pp_step_owner *o = &step->owner;
	bool is_locked = false;
	const char *expected = pp_making_expected_owner(m, step->name, &is_locked);

	*o = (struct pp_step_owner){ .is_locked = is_locked };
	if (id != NULL)
		copy_id(o->key_id, id);
	bool is_same = id != NULL && expected != NULL && strcmp(id, expected) == 0;
	if (expected != NULL && !is_same)
		copy_id(o->expected, expected);
	if (id == NULL)
		o->state = expected != NULL ? PP_OWNER_UNSIGNED : PP_OWNER_NONE;
	else if (expected == NULL || (is_same && is_locked))
		o->state = PP_OWNER_NEW;
	else if (is_same)
		o->state = PP_OWNER_UNCHANGED;
	else
		o->state = follows ? PP_OWNER_ROTATED : PP_OWNER_CHANGED;
}

enum plugpkg_code
pp_making_owner(struct pp_making *m, struct pp_catalog *c, enum pp_layer layer, const pp_json *row,
    struct pp_step *step, plugpkg_error **err)
{
	PP_AUTO(owner) struct pp_owner *owner = NULL;
	bool is_locked = false;

	enum plugpkg_code rc = pp_catalog_owner(c, layer, step->name, &owner, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *expected = pp_making_expected_owner(m, step->name, &is_locked);
	bool is_signed = owner != NULL && pp_json_get_bool(row, "signed");
	judge(m, step, is_signed ? owner->id : NULL,
	    is_signed && expected != NULL && pp_owner_follows(owner, expected));
	/* An older release that its owner left unsigned, while another key than expected rules. */
	if (owner != NULL && !is_signed && expected != NULL && !pp_owner_follows(owner, expected)) {
		step->owner.state = PP_OWNER_CHANGED;
		copy_id(step->owner.key_id, owner->id);
	}
	return PLUGPKG_OK;
}

/* A local archive without a signature needs a word of its own already. */
void
pp_making_local_owner(struct pp_making *m, const struct pp_local *l, struct pp_step *step)
{
	if (l->owner_id[0] != '\0')
		judge(m, step, l->owner_id, false);
}

/* ---- an upgrade of everything ---- */

static const struct pp_step *
step_that_brings(const struct pp_plan *plan, const char *key)
{
	pp_vec_foreach (step, &plan->steps)
		if (key != NULL && step->action != PP_REMOVE && strcmp(step->key, key) == 0)
			return step;
	return NULL;
}

/* Itself, or the change of an installed plugin that brings it along. NULL: there is none. */
static const struct pp_step *
change_behind(const struct pp_plan *plan, const struct pp_step *step)
{
	/* Those who need each other may name each other. */
	for (size_t i = 0; step != NULL && i < plan->steps.n; i++) {
		if (step->old_version != NULL)
			return step;
		step = step_that_brings(plan, step->because);
	}
	return NULL;
}

static void
delay(struct pp_making *m, const struct pp_step *change, const struct pp_step *stranger)
{
	struct pp_kept *kept = pp_vec_new(&m->strangers);
	bool is_unsigned = stranger->owner.state == PP_OWNER_UNSIGNED;

	kept->name = pp_xstrdup(pp_step_old_key(change));
	kept->version = pp_xstrdup(change->old_version);
	kept->candidate = pp_xstrdup(change->version);
	PP_AUTO_FREE char *why =
	    change == stranger
		? pp_xstrdup(is_unsigned ? "its owner did not sign it" : "owner key changed")
		: pp_asprintf("needs %s, %s", stranger->name,
		      is_unsigned ? "which its owner did not sign" : "whose owner key changed");
	kept->reason = pp_asprintf("%s, see plugpkg owner show %s", why, stranger->name);
	pp_strs_add(&m->delayed, kept->name);
	pp_warn(m->ctx, kept->name, "kept back at %s: %s", kept->version, kept->reason);
}

bool
pp_making_delay_strangers(struct pp_making *m)
{
	size_t n = m->strangers.n;

	if (m->request->verb != PLUGPKG_UPGRADE || m->request->n_targets > 0)
		return false;
	pp_vec_foreach (step, &m->plan->steps) {
		const struct pp_step *change = NULL;
		if (step->owner.state == PP_OWNER_CHANGED || step->owner.state == PP_OWNER_UNSIGNED)
			change = change_behind(m->plan, step);
		if (change != NULL && !pp_strs_has(&m->delayed, pp_step_old_key(change))) {
			delay(m, change, step);
			pp_strs_sort(&m->delayed);
		}
	}
	return m->strangers.n > n;
}

/* The solver calls them held; who asks why wants to know by whom. */
void
pp_making_explain_strangers(struct pp_making *m)
{
	pp_vec_foreach (s, &m->strangers) {
		struct pp_kept *kept = pp_plan_keep(m->plan, s->name, s->version, s->candidate);
		free(kept->reason);
		kept->reason = pp_xstrdup(s->reason);
	}
}
