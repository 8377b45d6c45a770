/* SPDX-License-Identifier: MIT */
/* Holds, and who was asked for: each call is one locked change of all its plugins or of none. */
#include "lib/api/api.h"

#include "base/time.h"
#include "lib/model/name.h"
#include "lib/state/history.h"
#include "lib/txn/lock.h"
#include "lib/txn/marks.h"
#include "lib/txn/mend.h"
#include "lib/txn/skip.h"

#include <stdlib.h>
#include <string.h>

void
pp_row_add_hold(const plugpkg_context *ctx, const struct pp_installed *p, pp_json *row)
{
	if (!pp_installed_is_held(p, ctx->now))
		return;
	pp_json_set_bool(row, "hold", true);
	if (p->hold_until != 0)
		pp_json_set_int(row, "hold_until", p->hold_until);
}

void
pp_row_add_detached(const struct pp_installed *p, pp_json *row)
{
	if (p->detached.n == 0)
		return;
	pp_json *names = pp_json_array();
	pp_vec_foreach (name, &p->detached)
		pp_json_push_str(names, *name);
	pp_json_set(row, "detached", names);
}

void
pp_row_add_skipped(const struct pp_installed *p, pp_json *row)
{
	pp_json *kinds = pp_skip_kinds(p);

	if (kinds != NULL)
		pp_json_set(row, "scripts_left_out", kinds);
}

void
pp_row_add_state(const struct pp_installed *p, pp_json *row)
{
	pp_json *blocked_by = pp_blocked_by_json(p);

	pp_json_set_str(row, "state", pp_installed_state(p));
	if (p->is_disabled)
		pp_json_set_bool(row, "disabled", true);
	if (blocked_by != NULL)
		pp_json_set(row, "blocked_by", blocked_by);
}

/* One call while it works: what is installed, and those of it that are meant. */
struct marking {
	plugpkg_context *ctx;
	const char *verb; /* "hold", for the lock */
	char *what;       /* "hold base", for the lock and the history; owned */
	const char *const *names;
	size_t n_names;
	struct pp_state *state;
	struct pp_installeds set;
	struct pp_installeds meant; /* borrowed elements of set, each once, in the order of names */
	struct pp_installeds changed; /* those of them whose hold became another */
};

static void
marking_fini(struct marking *m)
{
	free(m->what);
	pp_vec_free(&m->meant);
	pp_vec_free(&m->changed);
	pp_installeds_fini(&m->set);
}

static bool
is_meant(const struct marking *m, const struct pp_installed *p)
{
	pp_vec_foreach (q, &m->meant)
		if (*q == p)
			return true;
	return false;
}

/* Before the lock: what makes no sense must not wait for it. */
static enum plugpkg_code
check_names(const struct marking *m, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->n_names; i++)
		rc = pp_marks_check(m->names[i], err);
	return rc;
}

static enum plugpkg_code
find_meant(struct marking *m, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(m->ctx, &m->state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_state_installed(m->state, &m->set, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < m->n_names; i++) {
		struct pp_installed *p = NULL;
		rc = pp_marks_find(&m->set, m->names[i], &p, err);
		if (rc == PLUGPKG_OK && !is_meant(m, p))
			pp_vec_push(&m->meant, p);
	}
	return rc;
}

/* Under the lock when it returns well; the caller's scope ends it. */
static enum plugpkg_code
begin(struct marking *m, plugpkg_context **out_locked, plugpkg_error **err)
{
	enum plugpkg_code rc = check_names(m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *first = m->n_names > 0 ? m->names[0] : "";
	m->what = pp_asprintf("%s %s%s", m->verb, first, m->n_names > 1 ? " ..." : "");
	rc = pp_lock(m->ctx, m->what, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_locked = m->ctx;
	return find_meant(m, err);
}

/* ---- hold, unhold ---- */

static void
send_holds(const struct marking *m, plugpkg_row_fn row, void *user)
{
	pp_vec_foreach (p, &m->meant) {
		pp_json *one = pp_row_new("hold");
		pp_json_set_str(one, "name", (*p)->name);
		pp_json_set_str(one, "version", (*p)->version);
		pp_json_set_str(one, "key", (*p)->key);
		pp_json_set_bool(one, "hold", (*p)->hold);
		if ((*p)->hold_until != 0)
			pp_json_set_int(one, "hold_until", (*p)->hold_until);
		pp_row(row, user, one);
	}
}

static enum plugpkg_code
note(const struct marking *m, const struct pp_notes *notes, plugpkg_error **err)
{
	return pp_history_note(m->state, 0, m->what, m->ctx->now, notes, err);
}

static enum plugpkg_code
note_holds(const struct marking *m, plugpkg_error **err)
{
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };

	pp_vec_foreach (p, &m->changed) {
		char until[PP_TIME_TEXT] = "";
		if ((*p)->hold_until != 0)
			pp_time_format((*p)->hold_until, until);
		pp_notes_add(&notes, (*p)->key, "%s %s%s%s",
		    (*p)->hold ? "held at" : "no longer held at", (*p)->version,
		    *until != '\0' ? " until " : "", until);
	}
	return note(m, &notes, err);
}

static enum plugpkg_code
set_holds(struct marking *m, bool hold, int64_t until, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = begin(m, &locked, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, &m->meant) {
		if ((*p)->hold == hold && (*p)->hold_until == until)
			continue;
		(*p)->hold = hold;
		(*p)->hold_until = until;
		pp_vec_push(&m->changed, *p);
	}
	if (m->changed.n == 0)
		return PLUGPKG_OK;
	rc = pp_state_set_marks(m->state, &m->changed, err);
	return rc == PLUGPKG_OK ? note_holds(m, err) : rc;
}

enum plugpkg_code
plugpkg_hold(plugpkg_context *ctx, const struct plugpkg_hold_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(marking_fini)
	struct marking m = {
		.ctx = ctx,
		.verb = "hold",
		.names = spec->names,
		.n_names = spec->n_names,
	};
	char until[PP_TIME_TEXT];

	if (spec->until != 0 && spec->until <= ctx->now) {
		pp_time_format(spec->until, until);
		return pp_fail(
		    err, PLUGPKG_E_USAGE, 0, "a hold until %s would be over already", until);
	}
	enum plugpkg_code rc = set_holds(&m, true, spec->until, err);
	if (rc == PLUGPKG_OK)
		send_holds(&m, row, user);
	return rc;
}

enum plugpkg_code
plugpkg_unhold(plugpkg_context *ctx, const char *const *names, size_t n_names, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(marking_fini)
	struct marking m = { .ctx = ctx, .verb = "unhold", .names = names, .n_names = n_names };
	enum plugpkg_code rc = set_holds(&m, false, 0, err);

	if (rc == PLUGPKG_OK)
		send_holds(&m, row, user);
	return rc;
}

/* ---- mark ---- */

static enum plugpkg_code
want(const struct marking *m, bool manual, plugpkg_error **err)
{
	PP_CLEANUP(pp_wishes_fini) struct pp_wishes wishes = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs unwanted = { 0 };
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };

	pp_vec_foreach (p, &m->meant) {
		pp_notes_add(&notes, (*p)->key, "%s",
		    manual ? "counts as asked for" : "counts as come along");
		const struct pp_dep *wanted =
		    pp_installed_wish(&m->set, *p, &m->ctx->config->plugins);
		if (!manual) {
			pp_strs_add(&unwanted, wanted != NULL ? wanted->name : (*p)->key);
		} else if (wanted == NULL) { /* else it keeps the range that somebody chose */
			struct pp_wish *w = pp_vec_new(&wishes);
			w->name = pp_xstrdup((*p)->key);
			w->range = pp_xstrdup("*");
		}
	}
	enum plugpkg_code rc = pp_marks_want(m->ctx, &wishes, &unwanted, err);
	return rc == PLUGPKG_OK ? note(m, &notes, err) : rc;
}

static enum plugpkg_code
set_manual(struct marking *m, bool manual, plugpkg_error **err)
{
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = begin(m, &locked, err);

	return rc == PLUGPKG_OK ? want(m, manual, err) : rc;
}

enum plugpkg_code
plugpkg_mark(plugpkg_context *ctx, const struct plugpkg_mark_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	bool manual = spec->manual != 0;
	PP_CLEANUP(marking_fini)
	struct marking m = {
		.ctx = ctx,
		.verb = manual ? "mark manual" : "mark auto",
		.names = spec->names,
		.n_names = spec->n_names,
	};
	enum plugpkg_code rc = set_manual(&m, manual, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, &m.meant) {
		pp_json *one = pp_row_new("mark");
		pp_json_set_str(one, "name", (*p)->name);
		pp_json_set_str(one, "version", (*p)->version);
		pp_json_set_str(one, "key", (*p)->key);
		pp_json_set_bool(one, "manual", manual);
		pp_json_set_str(one, "reason", manual ? "manual" : "automatic");
		pp_row(row, user, one);
	}
	return PLUGPKG_OK;
}

/* ---- mark not-installed ---- */

static enum plugpkg_code
deny(struct marking *m, plugpkg_error **err)
{
	PP_CLEANUP(pp_notes_fini) struct pp_notes notes = { 0 };
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	enum plugpkg_code rc = begin(m, &locked, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->meant.n; i++) {
		const struct pp_installed *p = m->meant.at[i];
		pp_notes_add(&notes, p->key, "counts as not installed until it is repaired");
		rc = pp_state_set_state(m->state, p->key, PP_STATE_NOT_INSTALLED, err);
	}
	return rc == PLUGPKG_OK ? note(m, &notes, err) : rc;
}

enum plugpkg_code
plugpkg_mark_not_installed(plugpkg_context *ctx, const char *const *names, size_t n_names,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(marking_fini)
	struct marking m = {
		.ctx = ctx,
		.verb = "mark --not-installed",
		.names = names,
		.n_names = n_names,
	};
	enum plugpkg_code rc = deny(&m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (p, &m.meant) {
		pp_json *one = pp_row_new("mark");
		pp_json_set_str(one, "name", (*p)->key);
		pp_json_set_str(one, "version", (*p)->version);
		pp_json_set_str(one, "state", PP_STATE_NOT_INSTALLED);
		pp_row(row, user, one);
	}
	return PLUGPKG_OK;
}
