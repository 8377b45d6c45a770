/* SPDX-License-Identifier: MIT */
/* Making, freeing and showing plans. What goes into one is decided by the solver. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/context.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"

const char *const pp_action_names[] = {
	[PP_INSTALL] = "install",
	[PP_UPGRADE] = "upgrade",
	[PP_DOWNGRADE] = "downgrade",
	[PP_REINSTALL] = "reinstall",
	[PP_REMOVE] = "remove",
};

const char *const pp_why_names[PP_N_WHYS] = {
	[PP_WHY_REQUESTED] = "requested",
	[PP_WHY_REQUIRED] = "required",
	[PP_WHY_RECOMMENDED] = "recommended",
	[PP_WHY_BROKEN] = "broken",
	[PP_WHY_CONFLICT] = "conflict",
	[PP_WHY_UNNEEDED] = "unneeded",
	[PP_WHY_REPLACED] = "replaced",
	[PP_WHY_LOCKED] = "locked",
	[PP_WHY_ROLLBACK] = "rollback",
};

const char *const pp_verb_names[] = {
	[PLUGPKG_INSTALL] = "install",
	[PLUGPKG_REMOVE] = "remove",
	[PLUGPKG_PURGE] = "purge",
	[PLUGPKG_UPGRADE] = "upgrade",
	[PLUGPKG_AUTOREMOVE] = "autoremove",
	[PLUGPKG_LINK] = "link",
	[PLUGPKG_DISABLE] = "disable",
	[PLUGPKG_ENABLE] = "enable",
};

const char *const pp_switch_names[] = {
	[PP_DISABLE] = "disable",
	[PP_ENABLE] = "enable",
	[PP_BLOCK] = "block",
	[PP_UNBLOCK] = "unblock",
};

struct pp_plan *
pp_plan_new(void)
{
	return pp_xcalloc(1, sizeof(struct pp_plan));
}

static void
step_fini(struct pp_step *s)
{
	free(s->key);
	free(s->old_key);
	free(s->name);
	free(s->version);
	free(s->old_version);
	free(s->source);
	free(s->because);
	free(s->link_dir);
	free(s->file);
	pp_json_free(s->row);
	pp_json_free(s->tables);
	pp_json_free(s->scripts);
	pp_json_free(s->manifest);
}

void
pp_kepts_fini(struct pp_kepts *kepts)
{
	pp_vec_foreach (k, kepts) {
		free(k->name);
		free(k->version);
		free(k->candidate);
		free(k->reason);
	}
	pp_vec_free(kepts);
}

void
pp_plan_free(struct pp_plan *p)
{
	if (p == NULL)
		return;
	pp_plan_clear(p);
	pp_strs_fini(&p->left_data);
	pp_strs_fini(&p->left_pins);
	pp_votes_fini(&p->votes);
	free(p->basis);
	free(p);
}

void
pp_plan_clear(struct pp_plan *p)
{
	pp_vec_foreach (s, &p->steps)
		step_fini(s);
	pp_vec_free(&p->steps);
	pp_vec_foreach (s, &p->switches) {
		free(s->key);
		free(s->name);
		free(s->version);
		free(s->because);
	}
	pp_vec_free(&p->switches);
	pp_kepts_fini(&p->kept);
	pp_kepts_fini(&p->broken);
	pp_strs_fini(&p->suggested);
	pp_strs_fini(&p->skipped);
}

struct pp_step *
pp_plan_add(struct pp_plan *p, enum pp_action action, const char *key, const char *version)
{
	struct pp_step *s = pp_vec_new(&p->steps);

	s->action = action;
	s->key = pp_xstrdup(key);
	s->name = pp_key_name(key);
	s->version = pp_xstrdup(version);
	return s;
}

struct pp_switch *
pp_plan_switch(
    struct pp_plan *p, enum pp_switch_action action, const char *key, const char *version)
{
	struct pp_switch *s = pp_vec_new(&p->switches);

	s->action = action;
	s->key = pp_xstrdup(key);
	s->name = pp_key_name(key);
	s->version = pp_xstrdup(version);
	return s;
}

struct pp_kept *
pp_plan_keep(struct pp_plan *p, const char *key, const char *version, const char *candidate)
{
	pp_vec_foreach (kept, &p->kept)
		if (strcmp(kept->name, key) == 0)
			return kept;
	struct pp_kept *kept = pp_vec_new(&p->kept);

	kept->name = pp_xstrdup(key);
	kept->version = pp_xstrdup(version);
	kept->candidate = pp_xstrdup(candidate);
	return kept;
}

const char *
pp_step_old_key(const struct pp_step *s)
{
	return s->old_key != NULL ? s->old_key : s->key;
}

bool
pp_step_concerns(const struct pp_step *s, const char *key)
{
	if (s->key[0] == key[0] && strcmp(s->key, key) == 0)
		return true;
	return s->old_key != NULL && strcmp(s->old_key, key) == 0;
}

static bool
is_fetched(const struct pp_step *s)
{
	return s->file == NULL && !s->is_cached && !s->is_stored;
}

static void
step_row(const struct pp_step *s, plugpkg_row_fn fn, void *user)
{
	pp_json *row = pp_row_new("step");

	pp_json_set_str(row, "action", pp_action_names[s->action]);
	pp_json_set_str(row, "name", s->name);
	pp_json_set_str(row, "version", s->version);
	pp_json_set_str(row, "key", s->key);
	pp_json_set_str(row, "old_version", s->old_version);
	pp_json_set_str(row, "source", s->source);
	pp_json_set_str(row, "file", s->file);
	if (s->file != NULL && s->owner.state != PP_OWNER_UNCHANGED)
		pp_json_set_bool(row, "unsigned", true);
	pp_step_owner_to_row(&s->owner, row);
	pp_json_set_str(row, "why", pp_why_names[s->why]);
	pp_json_set_str(row, "because", s->because);
	if (s->data_from > 0)
		pp_json_set_int(row, "data_from", s->data_from);
	pp_json_set_bool(row, "manual", s->manual);
	pp_json_set_int(row, "depth", s->depth);
	pp_json_set_int(row, "download_bytes", is_fetched(s) ? (int64_t)s->size_bytes : 0);
	pp_json_set_int(row, "unpacked_bytes", s->is_stored ? 0 : (int64_t)s->unpacked_bytes);
	pp_row(fn, user, row);
}

static void
switch_row(const struct pp_switch *s, plugpkg_row_fn fn, void *user)
{
	bool is_asked_for = s->action == PP_DISABLE || s->action == PP_ENABLE;
	struct pp_str rest = pp_str_of(s->because != NULL ? s->because : ""), key;
	pp_json *row = pp_row_new("step"), *keys = pp_json_array();

	pp_json_set_str(row, "action", pp_switch_names[s->action]);
	pp_json_set_str(row, "name", s->name);
	pp_json_set_str(row, "version", s->version);
	pp_json_set_str(row, "key", s->key);
	pp_json_set_str(row, "why", is_asked_for ? "requested" : "required");
	while (s->because != NULL && pp_str_cut(&rest, ' ', &key)) {
		PP_AUTO_FREE char *text = pp_xstrndup(key.p, key.n);
		pp_json_push_str(keys, text);
	}
	pp_json_set(row, "blocked_by", keys);
	pp_row(fn, user, row);
}

static void
kept_row(const char *type, const struct pp_kept *k, plugpkg_row_fn fn, void *user)
{
	pp_json *row = pp_row_new(type);

	pp_json_set_str(row, "name", k->name);
	pp_json_set_str(row, "version", k->version);
	pp_json_set_str(row, "candidate", k->candidate);
	pp_json_set_str(row, "reason", k->reason);
	pp_row(fn, user, row);
}

static void
summary_row(const struct pp_plan *p, plugpkg_row_fn fn, void *user)
{
	int64_t counts[PP_LEN(pp_action_names)] = { 0 };
	int64_t switches[PP_LEN(pp_switch_names)] = { 0 };
	uint64_t download = 0, unpacked = 0;
	pp_json *row = pp_row_new("summary");

	pp_vec_foreach (s, &p->steps) {
		counts[s->action]++;
		download += is_fetched(s) ? s->size_bytes : 0;
		unpacked += s->is_stored ? 0 : s->unpacked_bytes;
	}
	pp_vec_foreach (s, &p->switches)
		switches[s->action]++;
	for (size_t i = 0; i < PP_LEN(counts); i++)
		pp_json_set_int(row, pp_action_names[i], counts[i]);
	for (size_t i = 0; i < PP_LEN(switches); i++)
		pp_json_set_int(row, pp_switch_names[i], switches[i]);
	pp_json_set_int(row, "kept", (int64_t)p->kept.n);
	pp_json_set_int(row, "download_bytes", (int64_t)download);
	pp_json_set_int(row, "unpacked_bytes", (int64_t)unpacked);
	if (p->skips_scripts)
		pp_json_set_bool(row, "no_scripts", true);
	pp_row(fn, user, row);
}

void
pp_plan_to_rows(const struct pp_plan *p, plugpkg_row_fn row, void *user)
{
	pp_vec_foreach (s, &p->steps)
		step_row(s, row, user);
	pp_vec_foreach (s, &p->switches)
		switch_row(s, row, user);
	for (size_t i = 0; i < p->left_data.n; i++) {
		pp_json *purge = pp_row_new("purge");

		pp_json_set_str(purge, "name", p->left_data.at[i]);
		pp_json_set_str(purge, "what",
		    pp_strs_has(&p->left_pins, p->left_data.at[i]) ? "owner-key" : "data");
		pp_row(row, user, purge);
	}
	pp_votes_to_rows(&p->votes, row, user);
	pp_vec_foreach (k, &p->kept)
		kept_row("kept", k, row, user);
	pp_vec_foreach (k, &p->broken)
		kept_row("broken", k, row, user);
	pp_vec_foreach (name, &p->skipped) {
		pp_json *skipped = pp_row_new("skipped");

		pp_json_set_str(skipped, "name", *name);
		pp_row(row, user, skipped);
	}
	for (size_t i = 0; i < p->suggested.n; i++) {
		pp_json *suggested = pp_row_new("suggested");

		pp_json_set_str(suggested, "text", p->suggested.at[i]);
		pp_row(row, user, suggested);
	}
	summary_row(p, row, user);
}
