/* SPDX-License-Identifier: MIT */
/*
 * Who goes out of use with a plan, or comes back into it: by the operator's switch, or because of
 * what became of a dependency. And the refusal of what could not be used if it came.
 */
#include "lib/api/making.h"

#include "lib/txn/block.h"

#include <stdlib.h>
#include <string.h>

/* What will be installed, with its relations. */
struct future {
	struct pp_installeds set;
	struct pp_releases parsed; /* of what comes */
	struct pp_bindables all;
};

static void
future_fini(struct future *f)
{
	pp_bindables_fini(&f->all);
	pp_installeds_fini(&f->set);
	pp_releases_fini(&f->parsed);
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_installed *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static const struct pp_step *
step_of(const struct pp_making *m, const char *key)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (pp_step_concerns(step, key))
			return step;
	return NULL;
}

static const struct pp_installed *
old_of(const struct pp_making *m, const struct pp_step *step)
{
	return pp_installeds_get(&m->inv.set, pp_step_old_key(step));
}

static struct pp_installed *
coming(const struct pp_making *m, const struct pp_step *step)
{
	const struct pp_installed *old = old_of(m, step);
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->key = pp_xstrdup(step->key);
	p->name = pp_xstrdup(step->name);
	p->version = pp_xstrdup(step->version);
	p->state = pp_xstrdup("installed");
	p->is_disabled = old != NULL && old->is_disabled;
	return p;
}

static enum plugpkg_code
find_release(const struct pp_making *m, struct future *f, const struct pp_installed *p,
    const struct pp_release **out, plugpkg_error **err)
{
	const struct pp_step *step = step_of(m, p->key);
	struct pp_release *r = NULL;

	*out = pp_inventory_release(&m->inv, p->key);
	if (step == NULL)
		return PLUGPKG_OK;
	*out = m->link != NULL ? m->link->release : NULL;
	if (step->link_dir != NULL && *out != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc =
	    pp_release_parse(step->row, step->name, step->name, PLUGPKG_E_BAD_METADATA, &r, err);
	if (rc == PLUGPKG_OK)
		pp_vec_push(&f->parsed, r);
	*out = r;
	return rc;
}

static enum plugpkg_code
look_ahead(const struct pp_making *m, struct future *f, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (p, &m->inv.set)
		if (step_of(m, (*p)->key) == NULL)
			pp_vec_push(&f->set, pp_installed_copy(*p));
	pp_vec_foreach (step, &m->plan->steps)
		if (step->action != PP_REMOVE)
			pp_vec_push(&f->set, coming(m, step));
	pp_vec_sort(&f->set, by_key);
	for (size_t i = 0; rc == PLUGPKG_OK && i < f->set.n; i++) {
		const struct pp_release *r = NULL;
		rc = find_release(m, f, f->set.at[i], &r, err);
		if (rc == PLUGPKG_OK && r != NULL)
			pp_bindables_add(&f->all, f->set.at[i], r);
	}
	return rc;
}

static void
turn(struct future *f, const char *key, bool is_disabled)
{
	size_t i = pp_installeds_index(&f->set, key);

	if (i < f->set.n)
		f->set.at[i]->is_disabled = is_disabled;
}

/* ---- what was asked for ---- */

static void
note_settled(struct pp_making *m, const struct pp_installed *p)
{
	struct pp_kept *kept = pp_vec_new(&m->plan->kept);

	kept->name = pp_xstrdup(p->key);
	kept->version = pp_xstrdup(p->version);
	kept->reason = pp_xstrdup(p->is_disabled ? "is disabled already" : "is enabled already");
}

static bool
is_switched(const struct pp_making *m, const char *key)
{
	pp_vec_foreach (s, &m->plan->switches)
		if (strcmp(s->key, key) == 0)
			return true;
	return false;
}

static enum plugpkg_code
ask_for(struct pp_making *m, const char *operand, plugpkg_error **err)
{
	bool disables = m->request->verb == PLUGPKG_DISABLE;
	struct pp_installed *p = NULL;
	enum plugpkg_code rc = pp_marks_find(&m->inv.set, operand, &p, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_installed_is_usable(p)) {
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0, "%s %s is a leftover: it is not in use",
		    p->key, p->version);
		(void)pp_subject(err, PLUGPKG_E_REFUSED, p->key);
		return pp_hint(err, PLUGPKG_E_REFUSED, "plugpkg check tells more");
	}
	if (p->is_disabled == disables)
		note_settled(m, p);
	else if (!is_switched(m, p->key))
		pp_plan_switch(m->plan, disables ? PP_DISABLE : PP_ENABLE, p->key, p->version);
	return PLUGPKG_OK;
}

/* ---- what follows ---- */

/* Of plugins that stay; those that the plan brings are told by their own steps. */
static void
add_consequence(struct pp_making *m, const struct pp_installed *p)
{
	const struct pp_installed *old = pp_installeds_get(&m->inv.set, p->key);

	if (p->is_disabled || step_of(m, p->key) != NULL || old == NULL || old->is_disabled ||
	    (old->blocked_by == NULL) == (p->blocked_by == NULL))
		return;
	struct pp_switch *s = pp_plan_switch(
	    m->plan, p->blocked_by != NULL ? PP_BLOCK : PP_UNBLOCK, p->key, p->version);
	s->because = pp_xstrdup(p->blocked_by != NULL ? p->blocked_by : old->blocked_by);
}

static int
by_switch_key(const void *a, const void *b)
{
	const struct pp_switch *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void
add_consequences(struct pp_making *m, struct future *f)
{
	pp_block_find(&f->set, &f->all);
	pp_vec_foreach (s, &m->plan->switches) {
		const struct pp_installed *p = pp_installeds_get(&f->set, s->key);
		if (p != NULL && s->action == PP_ENABLE)
			s->because = pp_xstrdup(p->blocked_by);
	}
	pp_vec_foreach (p, &f->set)
		add_consequence(m, *p);
	pp_vec_sort(&m->plan->switches, by_switch_key);
}

/* ---- refusal ---- */

/* Would it be of use if those that stand behind it were enabled? */
static bool
helps_to_enable(struct future *f, const struct pp_installed *p, const struct pp_strs *keys)
{
	pp_vec_foreach (key, keys)
		turn(f, *key, false);
	pp_block_find(&f->set, &f->all);
	return pp_installeds_get(&f->set, p->key)->blocked_by == NULL;
}

static pp_json *
way_to_enable(const struct pp_strs *keys)
{
	PP_AUTO_BUF struct pp_buf names = PP_BUF_INIT(1024 * 1024);
	pp_json *way = pp_json_object(), *argv = pp_json_array();

	pp_json_push_str(argv, "plugpkg");
	pp_json_push_str(argv, "enable");
	pp_vec_foreach (key, keys) {
		pp_json_push_str(argv, *key);
		pp_buf_addf(&names, " %s", *key);
	}
	PP_AUTO_FREE char *text = pp_asprintf("enable%s first", pp_buf_cstr(&names));
	PP_AUTO_FREE char *command = pp_asprintf("plugpkg enable%s", pp_buf_cstr(&names));
	pp_json_set_str(way, "text", text);
	pp_json_set_str(way, "command", command);
	pp_json_set(way, "argv", argv);
	pp_json_set_int(way, "dropped", 0);
	return way;
}

static pp_json *
cause_of(const char *text, const struct pp_step *step)
{
	pp_json *cause = pp_json_object();

	pp_json_set_str(cause, "text", text);
	pp_json_set_str(cause, "kind", "disabled");
	pp_json_set_str(cause, "plugin", step->name);
	pp_json_set_str(cause, "version", step->version);
	return cause;
}

static enum plugpkg_code
refuse(
    struct future *f, const struct pp_step *step, const struct pp_installed *p, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs keys = { 0 };
	PP_AUTO_BUF struct pp_buf list = PP_BUF_INIT(1024 * 1024);
	struct pp_str rest = pp_str_of(p->blocked_by), key;
	pp_json *details = pp_json_object(), *causes = pp_json_array(), *ways = pp_json_array();

	while (pp_str_cut(&rest, ' ', &key)) {
		pp_strs_take(&keys, pp_xstrndup(key.p, key.n));
		pp_buf_addf(&list, "%s%.*s", list.n > 0 ? ", " : "", (int)key.n, key.p);
	}
	PP_AUTO_FREE char *text = pp_asprintf("%s %s needs %s, which %s disabled", step->key,
	    step->version, pp_buf_cstr(&list), keys.n == 1 ? "is" : "are");
	pp_json_push(causes, cause_of(text, step));
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0, "cannot %s %s: %s",
	    pp_action_names[step->action], step->key, text);
	rc = pp_subject(err, rc, step->key);
	if (helps_to_enable(f, p, &keys)) {
		pp_json *way = way_to_enable(&keys);
		rc = pp_hint(err, rc, "ways out:\n1. %s: %s", pp_json_get_str(way, "text"),
		    pp_json_get_str(way, "command"));
		pp_json_push(ways, way);
	}
	pp_json_set(details, "causes", causes);
	pp_json_set(details, "ways", ways);
	return pp_details(err, rc, details);
}

/* What was blocked before may be brought up to date all the same. */
static enum plugpkg_code
check_use(struct pp_making *m, struct future *f, plugpkg_error **err)
{
	pp_block_find(&f->set, &f->all);
	pp_vec_foreach (step, &m->plan->steps) {
		if (step->action == PP_REMOVE)
			continue;
		const struct pp_installed *p = pp_installeds_get(&f->set, step->key);
		const struct pp_installed *old = old_of(m, step);
		if (!p->is_disabled && p->blocked_by != NULL &&
		    (old == NULL || pp_installed_is_active(old)))
			return refuse(f, step, p, err);
	}
	return PLUGPKG_OK;
}

/* ---- all of it ---- */

static bool
has_disabled(const struct pp_making *m)
{
	pp_vec_foreach (p, &m->inv.set)
		if ((*p)->is_disabled)
			return true;
	return false;
}

enum plugpkg_code
pp_making_blocks(struct pp_making *m, plugpkg_error **err)
{
	PP_CLEANUP(future_fini) struct future f = { 0 };
	if (m->plan->steps.n == 0 || !has_disabled(m))
		return PLUGPKG_OK;
	enum plugpkg_code rc = look_ahead(m, &f, err);

	if (rc == PLUGPKG_OK)
		rc = check_use(m, &f, err);
	if (rc == PLUGPKG_OK)
		add_consequences(m, &f);
	return rc;
}

enum plugpkg_code
pp_making_switch(struct pp_making *m, plugpkg_error **err)
{
	PP_CLEANUP(future_fini) struct future f = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	/* What makes no sense is told before the root is read. */
	for (size_t i = 0; rc == PLUGPKG_OK && i < m->request->n_targets; i++)
		rc = pp_marks_check(m->request->targets[i], err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(m->ctx, &m->inv, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < m->request->n_targets; i++)
		rc = ask_for(m, m->request->targets[i], err);
	if (rc == PLUGPKG_OK)
		rc = look_ahead(m, &f, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (s, &m->plan->switches)
		turn(&f, s->key, s->action == PP_DISABLE);
	add_consequences(m, &f);
	return PLUGPKG_OK;
}
