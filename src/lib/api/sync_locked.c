/* SPDX-License-Identifier: MIT */
/*
 * From differences to steps, by plugpkg.lock to the letter. Nothing is decided: the solver sees no
 * other version than those of the lock, and only orders them, or says that they do not go together.
 */
#include "lib/api/sync.h"

#include <string.h>

static bool
is_fetch(const struct pp_diff *d)
{
	return d->kind == PP_DIFF_MISSING || d->kind == PP_DIFF_VERSION || d->kind == PP_DIFF_FILES;
}

/* ---- what no plan can overcome ---- */

static enum plugpkg_code
mismatch(const struct pp_diff *d, const char *hint, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_diff_text(d);

	(void)pp_fail(err, PLUGPKG_E_LOCK_MISMATCH, 0, "%s", text);
	(void)pp_subject(err, PLUGPKG_E_LOCK_MISMATCH, d->key);
	return pp_hint(err, PLUGPKG_E_LOCK_MISMATCH, "%s", hint);
}

static enum plugpkg_code
check_held(const struct pp_sync *s, const struct pp_diff *d, plugpkg_error **err)
{
	const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, d->key);

	if (p == NULL || !pp_installed_is_held(p, s->ctx->now))
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_REFUSED, 0, "%s %s is held here, plugpkg.lock has %s", d->key,
	    p->version, d->there != NULL ? d->there : "none of it");
	(void)pp_subject(err, PLUGPKG_E_REFUSED, d->key);
	return pp_hint(err, PLUGPKG_E_REFUSED, "release the hold first: plugpkg unhold %s", d->key);
}

static enum plugpkg_code
check_obstacle(const struct pp_sync *s, const struct pp_diff *d, plugpkg_error **err)
{
	switch (d->kind) {
	case PP_DIFF_HOST:
		return mismatch(d,
		    "take the plugpkg.lock of this version of the application, or let plugpkg sync "
		    "decide anew, without --locked",
		    err);
	case PP_DIFF_WISH:
		return mismatch(d, "plugpkg sync without --locked decides anew and writes it", err);
	case PP_DIFF_LINK:
		return mismatch(d,
		    d->there != NULL ? "such a directory stays on its machine: plugpkg link DIR"
				     : "plugpkg install --reinstall takes it from its source again",
		    err);
	case PP_DIFF_SOURCE:
	case PP_DIFF_CONTENT:
		return mismatch(d, "remove it first; plugpkg sync brings the one of the lock", err);
	case PP_DIFF_MISSING:
	case PP_DIFF_VERSION:
	case PP_DIFF_EXTRA:
		return check_held(s, d, err);
	case PP_DIFF_FILES:
	case PP_DIFF_MARK:
		return PLUGPKG_OK;
	}
	return PLUGPKG_OK;
}

/* A linked plugin that is missing altogether cannot come from a source either. */
static enum plugpkg_code
check_linked(const struct pp_sync *s, const struct pp_diff *d, plugpkg_error **err)
{
	const struct pp_locked *row = pp_lockfile_get(s->lock, d->key);

	if (d->kind != PP_DIFF_MISSING || row == NULL || row->link_dir == NULL)
		return PLUGPKG_OK;
	const struct pp_diff linked = {
		.kind = PP_DIFF_LINK,
		.key = row->key,
		.there = row->link_dir,
	};
	return check_obstacle(s, &linked, err);
}

/* ---- what the sources have ---- */

static struct pp_catalog *
catalog_of(const struct pp_sync *s, const char *source)
{
	pp_vec_foreach (c, &s->making.open.catalogs)
		if (strcmp(pp_catalog_source(*c)->name, source) == 0)
			return *c;
	return NULL;
}

static enum plugpkg_code
check_offer(struct pp_sync *s, const struct pp_locked *row, plugpkg_error **err)
{
	struct pp_catalog *c = catalog_of(s, row->source);

	if (c == NULL) {
		(void)pp_fail(err, PLUGPKG_E_LOCK_MISMATCH, 0,
		    "plugpkg.lock has %s %s from source '%s', which plugpkg.json does not name",
		    row->key, row->version.text, row->source);
		(void)pp_subject(err, PLUGPKG_E_LOCK_MISMATCH, row->key);
		return pp_hint(
		    err, PLUGPKG_E_LOCK_MISMATCH, "plugpkg source add %s URL", row->source);
	}
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	PP_AUTO_JSON pp_json *planning = NULL;
	enum plugpkg_code rc =
	    pp_catalog_rows(c, row->name, row->version.text, &planning, NULL, &why);
	if (rc != PLUGPKG_E_NOT_FOUND) {
		if (err != NULL)
			*err = pp_steal(&why);
		return rc;
	}
	s->may_update = true;
	(void)pp_fail(err, PLUGPKG_E_LOCK_MISMATCH, 0,
	    "plugpkg.lock has %s %s, which source '%s' does not offer", row->key, row->version.text,
	    row->source);
	(void)pp_subject(err, PLUGPKG_E_LOCK_MISMATCH, row->key);
	return pp_hint(err, PLUGPKG_E_LOCK_MISMATCH,
	    "plugpkg sync without --locked takes another version and writes plugpkg.lock");
}

static enum plugpkg_code
check_offers(struct pp_sync *s, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_sync_sources(s, err);

	pp_vec_foreach (c, &s->making.open.catalogs) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
		pp_vec_foreach (d, &s->diffs) {
			const struct pp_locked *row = pp_lockfile_get(s->lock, d->key);
			if (is_fetch(d) && row != NULL && catalog_of(s, row->source) == *c)
				pp_strs_add(&names, row->name);
		}
		if (rc == PLUGPKG_OK && names.n > 0)
			rc = pp_catalog_expect(*c, &names, err);
	}
	pp_vec_foreach (d, &s->diffs)
		if (rc == PLUGPKG_OK && is_fetch(d))
			rc = check_offer(s, pp_lockfile_get(s->lock, d->key), err);
	return rc;
}

/* ---- steps ---- */

static bool
has_fetches(const struct pp_sync *s)
{
	pp_vec_foreach (d, &s->diffs)
		if (is_fetch(d))
			return true;
	return false;
}

static void
ask_all(struct pp_sync *s)
{
	pp_vec_foreach (d, &s->diffs) {
		const struct pp_locked *row = pp_lockfile_get(s->lock, d->key);
		PP_AUTO_FREE char *range =
		    row != NULL ? pp_asprintf("=%s", row->version.text) : NULL;
		if (is_fetch(d))
			pp_sync_ask(s, d->key, range);
		else if (d->kind == PP_DIFF_EXTRA)
			pp_sync_take_off(&s->making.targets, d->key, has_fetches(s));
	}
}

/* What is here already goes without it as well, and is not asked. */
static void
detach_installed(struct pp_sync *s)
{
	struct pp_inventory *inv = &s->making.inv;

	pp_vec_foreach (row, &s->lock->plugins) {
		size_t at = pp_installeds_index(&inv->set, row->key);
		if (at < inv->releases.n &&
		    strcmp(inv->set.at[at]->version, row->version.text) == 0)
			pp_vec_foreach (name, &row->detached)
				pp_release_detach(inv->releases.at[at], *name);
	}
}

/* The answer that it gave where the lock was made, about what leaves here too. */
static void
record_detached(const struct pp_sync *s, struct pp_plan *plan)
{
	pp_vec_foreach (row, &s->lock->plugins) {
		const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, row->key);
		pp_vec_foreach (name, &row->detached) {
			const struct pp_installed *left =
			    pp_installeds_highest(&s->making.inv.set, *name);
			if (p != NULL && pp_strs_has(&p->detached, *name))
				continue;
			(void)pp_votes_add(
			    &plan->votes, &(struct pp_vote){
					      .event = PP_ON_UNINSTALL_BEFORE,
					      .said = PP_SAID_STAY,
					      .key = row->key,
					      .version = row->version.text,
					      .plugin = left != NULL ? left->key : *name,
					      .plugin_version = left != NULL ? left->version : NULL,
					      .requirement = *name,
					  });
		}
	}
}

/* Everything that happens is what the lock says; its plugins need nothing that it does not have. */
static enum plugpkg_code
check_step(const struct pp_sync *s, struct pp_step *step, plugpkg_error **err)
{
	const struct pp_locked *row = pp_lockfile_get(s->lock, step->key);
	bool is_right = step->action == PP_REMOVE
			    ? row == NULL
			    : row != NULL && strcmp(row->version.text, step->version) == 0;

	step->manual = step->action != PP_REMOVE && pp_sync_is_wished(s, step->key);
	step->why = step->manual ? PP_WHY_REQUESTED : PP_WHY_LOCKED;
	if (is_right)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_LOCK_MISMATCH, 0,
	    "the plugins in plugpkg.lock do not go together: %s %s would have to %s", step->key,
	    step->version, step->action == PP_REMOVE ? "go" : "come as well");
	(void)pp_subject(err, PLUGPKG_E_LOCK_MISMATCH, step->key);
	return pp_hint(err, PLUGPKG_E_LOCK_MISMATCH,
	    "plugpkg sync without --locked decides anew and writes plugpkg.lock");
}

static enum plugpkg_code
solve(struct pp_sync *s, struct pp_plan *steps, plugpkg_error **err)
{
	const struct plugpkg_request request = {
		.verb = has_fetches(s) ? PLUGPKG_INSTALL : PLUGPKG_REMOVE,
		.flags = PLUGPKG_REINSTALL | PLUGPKG_DOWNGRADE | pp_sync_request_flags(s),
	};

	ask_all(s);
	detach_installed(s);
	s->making.plan = steps;
	s->making.request = &request;
	s->making.pins = s->lock;
	s->making.is_pins_only = true;
	enum plugpkg_code rc =
	    s->making.targets.n > 0 ? pp_making_solve(&s->making, err) : PLUGPKG_OK;
	if (rc == PLUGPKG_E_NO_SOLUTION)
		rc = pp_wrap(err, rc, "plugpkg.lock cannot be followed");
	if (rc == PLUGPKG_OK)
		rc = pp_sync_details(s, err);
	pp_vec_foreach (step, &steps->steps)
		if (rc == PLUGPKG_OK)
			rc = check_step(s, step, err);
	if (rc == PLUGPKG_OK && steps->steps.n > 0) {
		record_detached(s, steps);
		rc = pp_making_vote(&s->making, "plugpkg.lock", err);
	}
	s->making.request = NULL;
	return rc;
}

enum plugpkg_code
pp_sync_plan_locked(struct pp_sync *s, plugpkg_plan *plan, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (d, &s->diffs) {
		if (rc == PLUGPKG_OK)
			rc = check_obstacle(s, d, err);
		if (rc == PLUGPKG_OK)
			rc = check_linked(s, d, err);
	}
	if (rc == PLUGPKG_OK && has_fetches(s))
		rc = check_offers(s, err);
	return rc == PLUGPKG_OK ? solve(s, plan->plan, err) : rc;
}
