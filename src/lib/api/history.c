/* SPDX-License-Identifier: MIT */
/*
 * What happened to a root. What a transaction changed is not written down, but seen from the
 * generations before and after it.
 */
#include "lib/api/api.h"

#include "base/map.h"
#include "base/time.h"
#include "lib/state/history.h"
#include "lib/store/generation.h"
#include "lib/txn/inventory.h"
#include "lib/txn/lock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct showing {
	plugpkg_context *ctx;
	struct pp_state *state;
	struct pp_history_sets *sets;
	plugpkg_row_fn row;
	void *user;
	int64_t current;
	int64_t *kept; /* generations that are there still */
	size_t n_kept;
};

static enum plugpkg_code
begin(struct showing *s, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(s->ctx, &s->state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(s->state, &s->current, err);
	if (rc == PLUGPKG_OK)
		rc = pp_generation_list(s->ctx, &s->kept, &s->n_kept, err);
	if (rc == PLUGPKG_OK)
		rc = pp_history_sets_open(s->state, &s->sets, err);
	return rc;
}

static void
showing_fini(struct showing *s)
{
	pp_history_sets_free(s->sets);
	free(s->kept);
}

static bool
is_kept(const struct showing *s, int64_t generation)
{
	for (size_t i = 0; i < s->n_kept; i++)
		if (s->kept[i] == generation)
			return true;
	return false;
}

/* ---- changes ---- */

enum change {
	CHANGE_INSTALL,
	CHANGE_UPGRADE,
	CHANGE_DOWNGRADE,
	CHANGE_REINSTALL,
	CHANGE_REMOVE,
	N_CHANGES,
	CHANGE_NONE = N_CHANGES
};
static const char *const change_names[N_CHANGES] = {
	[CHANGE_INSTALL] = "install",
	[CHANGE_UPGRADE] = "upgrade",
	[CHANGE_DOWNGRADE] = "downgrade",
	[CHANGE_REINSTALL] = "reinstall",
	[CHANGE_REMOVE] = "remove",
};

/* Either may be NULL. */
static enum change
change_between(const struct pp_installed *old, const struct pp_installed *new, int64_t txn)
{
	PP_CLEANUP(pp_version_fini) struct pp_version a = { 0 };
	PP_CLEANUP(pp_version_fini) struct pp_version b = { 0 };

	if (old == NULL || new == NULL)
		return old == NULL ? CHANGE_INSTALL : CHANGE_REMOVE;
	if (strcmp(old->version, new->version) == 0)
		return new->transaction == txn && old->transaction != txn ? CHANGE_REINSTALL
									  : CHANGE_NONE;
	if (pp_version_parse(pp_str_of(old->version), &a, NULL) != PLUGPKG_OK ||
	    pp_version_parse(pp_str_of(new->version), &b, NULL) != PLUGPKG_OK)
		return CHANGE_UPGRADE;
	return pp_version_cmp(&a, &b) > 0 ? CHANGE_DOWNGRADE : CHANGE_UPGRADE;
}

static void
send_change(const struct showing *s, int64_t txn, enum change change,
    const struct pp_installed *old, const struct pp_installed *new)
{
	const struct pp_installed *p = new != NULL ? new : old;
	pp_json *row = pp_row_new("change");

	pp_json_set_int(row, "transaction", txn);
	pp_json_set_str(row, "action", change_names[change]);
	pp_json_set_str(row, "name", p->key);
	pp_json_set_str(row, "version", p->version);
	if (old != NULL && new != NULL)
		pp_json_set_str(row, "old_version", old->version);
	pp_json_set_str(row, "source", new != NULL ? new->source : NULL);
	pp_row(s->row, s->user, row);
}

struct sets {
	struct pp_installeds before, after;
};

static void
sets_fini(struct sets *sets)
{
	pp_installeds_fini(&sets->before);
	pp_installeds_fini(&sets->after);
}

/* Both are sorted by key. is_told: rows are sent as well. */
static void
compare(const struct showing *s, const struct pp_past *past, const struct sets *sets, bool is_told,
    size_t counts[N_CHANGES])
{
	const struct pp_installeds *a = &sets->before, *b = &sets->after;

	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		int cmp = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->at[i]->key, b->at[k]->key);
		const struct pp_installed *old = cmp <= 0 ? a->at[i++] : NULL;
		const struct pp_installed *new = cmp >= 0 ? b->at[k++] : NULL;
		assert(old != NULL || new != NULL);
		enum change change = change_between(old, new, past->id);
		if (change == CHANGE_NONE)
			continue;
		counts[change]++;
		if (is_told)
			send_change(s, past->id, change, old, new);
	}
}

static enum plugpkg_code
load_sets(
    const struct showing *s, const struct pp_past *past, struct sets *out, plugpkg_error **err)
{
	if (past->after < 0 || past->after == past->before)
		return PLUGPKG_OK;
	enum plugpkg_code rc =
	    pp_history_difference(s->sets, past->before, past->after, &out->before, err);
	if (rc != PLUGPKG_OK)
		return rc;
	return pp_history_difference(s->sets, past->after, past->before, &out->after, err);
}

/* Who runs holds the lock. Without it he ended since his status was read, or was cut off. */
static void
set_status(const struct showing *s, const struct pp_past *past, pp_json *row)
{
	PP_AUTO_FREE char *now = NULL;
	int64_t id = past->id;

	pp_json_set_str(row, "status", past->status);
	if (strcmp(past->status, "running") != 0 || pp_lock_is_held(s->ctx) ||
	    pp_journal_status(s->state, &id, &now, NULL) != PLUGPKG_OK || now == NULL)
		return;
	pp_json_set_str(row, "status", strcmp(now, "running") == 0 ? "abandoned" : now);
}

static void
send_past(const struct showing *s, const struct pp_past *past, const size_t counts[N_CHANGES])
{
	pp_json *row = pp_row_new("history");

	pp_json_set_int(row, "id", past->id);
	pp_json_set_str(row, "command", past->command);
	set_status(s, past, row);
	pp_json_set_int(row, "started", past->started);
	if (past->ended != 0)
		pp_json_set_int(row, "ended", past->ended);
	if (past->after >= 0)
		pp_json_set_int(row, "generation", past->after);
	if (past->after == s->current)
		pp_json_set_bool(row, "current", true);
	pp_json_set_bool(row, "rollback", past->after != s->current && is_kept(s, past->after));
	pp_json_set_int(row, "before", past->before);
	for (size_t i = 0; i < N_CHANGES; i++)
		pp_json_set_int(row, change_names[i], (int64_t)counts[i]);
	pp_row(s->row, s->user, row);
}

static void
send_note(const struct showing *s, const struct pp_note *note)
{
	pp_json *row = pp_row_new("note");

	if (note->command == NULL)
		pp_json_set_int(row, "transaction", note->transaction);
	pp_json_set_str(row, "command", note->command);
	pp_json_set_int(row, "at", note->at);
	pp_json_set_str(row, "name", note->plugin);
	pp_json_set_str(row, "text", note->text);
	pp_row(s->row, s->user, row);
}

/* ---- list ---- */

static enum plugpkg_code
list_one(const struct showing *s, const struct pp_past *past, plugpkg_error **err)
{
	PP_CLEANUP(sets_fini) struct sets sets = { 0 };
	size_t counts[N_CHANGES] = { 0 };
	enum plugpkg_code rc = load_sets(s, past, &sets, err);

	if (rc != PLUGPKG_OK)
		return rc;
	compare(s, past, &sets, false, counts);
	send_past(s, past, counts);
	return pp_check_cancel(s->ctx, err);
}

/* Newest first; notes that follow a transaction stand above it. */
static enum plugpkg_code
list_all(const struct showing *s, const struct pp_pasts *pasts, const struct pp_notes *notes,
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	size_t n = notes->n;

	for (size_t i = pasts->n; rc == PLUGPKG_OK && i-- > 0;) {
		for (; n > 0 && notes->at[n - 1].transaction >= pasts->at[i].id; n--)
			if (notes->at[n - 1].command != NULL)
				send_note(s, &notes->at[n - 1]);
		rc = list_one(s, &pasts->at[i], err);
	}
	for (; rc == PLUGPKG_OK && n > 0; n--)
		if (notes->at[n - 1].command != NULL)
			send_note(s, &notes->at[n - 1]);
	return rc;
}

enum plugpkg_code
plugpkg_history(plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(showing_fini)
	struct showing s = { .ctx = ctx, .row = row, .user = user };
	PP_CLEANUP(pp_pasts_fini) struct pp_pasts pasts = { 0 };
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	enum plugpkg_code rc = begin(&s, err);

	if (rc == PLUGPKG_OK)
		rc = pp_history_list(s.state, 0, &pasts, err);
	if (rc == PLUGPKG_OK)
		rc = pp_history_notes(s.state, 0, &notes, err);
	return rc == PLUGPKG_OK ? list_all(&s, &pasts, &notes, err) : rc;
}

/* ---- the tree of a generation ---- */

/* A plugin on the way down, and the requirement of it to look at next. */
struct stop {
	size_t place, dep, depth;
};
struct walk {
	const struct showing *s;
	struct pp_inventory inv;
	bool *is_met, *is_needed;
	struct stops pp_vec(struct stop) stops;
};

static void
walk_fini(struct walk *w)
{
	pp_inventory_fini(&w->inv);
	free(w->is_met);
	free(w->is_needed);
	pp_vec_free(&w->stops);
}

static enum plugpkg_code
load_walk(struct walk *w, int64_t generation, plugpkg_error **err)
{
	struct pp_inventory *inv = &w->inv;
	enum plugpkg_code rc = pp_history_set(w->s->state, generation, &inv->set, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < inv->set.n; i++) {
		struct pp_release *r = NULL;
		rc = pp_installed_release(inv->set.at[i], &r, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&inv->releases, r);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	w->is_met = pp_xcalloc(inv->set.n + 1, sizeof(*w->is_met));
	w->is_needed = pp_xcalloc(inv->set.n + 1, sizeof(*w->is_needed));
	pp_vec_foreach (r, &inv->releases)
		pp_vec_foreach (dep, &(*r)->requires) {
			size_t to = pp_inventory_bound(inv, dep);
			if (to != SIZE_MAX)
				w->is_needed[to] = true;
		}
	return rc;
}

static void
send_member(const struct walk *w, size_t place, size_t depth, const char *because)
{
	const struct pp_installed *p = w->inv.set.at[place];
	pp_json *row = pp_row_new("member");

	pp_json_set_str(row, "name", p->key);
	pp_json_set_str(row, "version", p->version);
	pp_json_set_str(row, "source", p->source);
	pp_json_set_bool(row, "manual", p->manual);
	pp_json_set_int(row, "depth", (int64_t)depth);
	pp_json_set_str(row, "because", because);
	if (w->is_met[place])
		pp_json_set_bool(row, "repeated", true);
	pp_row(w->s->row, w->s->user, row);
}

/* Depth first over a list of our own: a chain of any length fits. */
static void
walk_from(struct walk *w, size_t root)
{
	send_member(w, root, 0, NULL);
	if (w->is_met[root])
		return;
	w->is_met[root] = true;
	struct stop first = { .place = root };
	pp_vec_push(&w->stops, first);
	while (w->stops.n > 0) {
		struct stop *top = &w->stops.at[w->stops.n - 1];
		const struct pp_deps *deps = &w->inv.releases.at[top->place]->requires;
		if (top->dep == deps->n) {
			w->stops.n--;
			continue;
		}
		size_t depth = top->depth + 1;
		const char *because = w->inv.set.at[top->place]->key;
		size_t to = pp_inventory_bound(&w->inv, &deps->at[top->dep++]);
		if (to == SIZE_MAX)
			continue;
		send_member(w, to, depth, because);
		if (w->is_met[to])
			continue;
		w->is_met[to] = true;
		struct stop next = { .place = to, .depth = depth };
		pp_vec_push(&w->stops, next);
	}
}

/* What was asked for comes first, then what nobody needs, then rings of what is left. */
static enum plugpkg_code
send_tree(const struct showing *s, int64_t generation, plugpkg_error **err)
{
	PP_CLEANUP(walk_fini) struct walk w = { .s = s };
	enum plugpkg_code rc = load_walk(&w, generation, err);

	for (int round = 0; rc == PLUGPKG_OK && round < 3; round++)
		for (size_t i = 0; i < w.inv.set.n; i++) {
			bool is_root = round == 0   ? w.inv.set.at[i]->manual && !w.is_needed[i]
				       : round == 1 ? !w.is_needed[i]
						    : true;
			if (is_root && !w.is_met[i])
				walk_from(&w, i);
		}
	return rc;
}

/* ---- show ---- */

static enum plugpkg_code
show_changes(const struct showing *s, const struct pp_past *past, plugpkg_error **err)
{
	PP_CLEANUP(sets_fini) struct sets sets = { 0 };
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	size_t counts[N_CHANGES] = { 0 }, again[N_CHANGES] = { 0 };
	enum plugpkg_code rc = load_sets(s, past, &sets, err);

	if (rc == PLUGPKG_OK)
		rc = pp_history_notes(s->state, past->id, &notes, err);
	if (rc != PLUGPKG_OK)
		return rc;
	compare(s, past, &sets, false, counts);
	send_past(s, past, counts);
	compare(s, past, &sets, true, again);
	pp_vec_foreach (note, &notes)
		send_note(s, note);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_history_show(plugpkg_context *ctx, const struct plugpkg_history_spec *spec,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(showing_fini)
	struct showing s = { .ctx = ctx, .row = row, .user = user };
	PP_CLEANUP(pp_pasts_fini) struct pp_pasts pasts = { 0 };
	PP_AUTO_FREE char *status = NULL;
	int64_t id = spec->transaction;
	enum plugpkg_code rc = begin(&s, err);
	if (rc == PLUGPKG_OK)
		rc = pp_journal_status(s.state, &id, &status, err);
	if (rc == PLUGPKG_OK && status != NULL)
		rc = pp_history_list(s.state, id, &pasts, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (pasts.n == 0) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no transaction %lld",
		    (long long)spec->transaction);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg history lists them");
	}
	rc = show_changes(&s, &pasts.at[0], err);
	if (rc == PLUGPKG_OK && spec->tree != 0)
		rc = send_tree(
		    &s, pasts.at[0].after >= 0 ? pasts.at[0].after : pasts.at[0].before, err);
	struct plugpkg_log_spec lines = { .transaction = id };
	if (rc == PLUGPKG_OK && spec->log != 0)
		rc = plugpkg_log(ctx, &lines, row, user, err);
	return rc;
}
