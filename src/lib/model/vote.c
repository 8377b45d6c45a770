/* SPDX-License-Identifier: MIT */
/* Votes as values: kept, shown, written down. Who is asked, and what follows, others decide. */
#include "lib/model/vote.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const pp_said_names[PP_N_SAID] = {
	[PP_SAID_GO] = "go",
	[PP_SAID_STAY] = "stay",
	[PP_SAID_VETO] = "veto",
	[PP_SAID_DELAY] = "delay",
	[PP_SAID_NONE] = "none",
};

void
pp_votes_fini(struct pp_votes *v)
{
	pp_vec_foreach (vote, v) {
		free(vote->key);
		free(vote->version);
		free(vote->plugin);
		free(vote->plugin_version);
		free(vote->new_version);
		free(vote->requirement);
		free(vote->text);
	}
	pp_vec_free(v);
}

struct pp_vote *
pp_votes_add(struct pp_votes *v, const struct pp_vote *copied)
{
	struct pp_vote own = *copied;

	own.key = pp_xstrdup(copied->key);
	own.version = pp_xstrdup(copied->version);
	own.plugin = pp_xstrdup(copied->plugin);
	own.plugin_version = pp_xstrdup(copied->plugin_version);
	own.new_version = pp_xstrdup(copied->new_version);
	own.requirement = pp_xstrdup(copied->requirement);
	own.text = pp_xstrdup(copied->text);
	pp_vec_push(v, own);
	return &v->at[v->n - 1];
}

struct pp_vote *
pp_votes_get(const struct pp_votes *v, const char *key, const char *plugin)
{
	pp_vec_foreach (vote, v)
		if (vote->event == PP_ON_UNINSTALL_BEFORE && strcmp(vote->key, key) == 0 &&
		    strcmp(vote->plugin, plugin) == 0)
			return vote;
	return NULL;
}

static void
fill(pp_json *j, const struct pp_vote *v)
{
	pp_json_set_str(j, "event", pp_on_names[v->event]);
	pp_json_set_str(j, "name", v->key);
	pp_json_set_str(j, "version", v->version);
	pp_json_set_str(j, "plugin", v->plugin);
	pp_json_set_str(j, "plugin_version", v->plugin_version);
	pp_json_set_str(j, "new_version", v->new_version);
	pp_json_set_str(j, "requirement", v->requirement);
	pp_json_set_str(j, "answer", pp_said_names[v->said]);
	if (v->until != 0)
		pp_json_set_int(j, "until", v->until);
	pp_json_set_str(j, "text", v->text);
	pp_json_set_bool(j, "forced", v->is_forced);
}

void
pp_votes_to_rows(const struct pp_votes *v, plugpkg_row_fn row, void *user)
{
	pp_vec_foreach (vote, v) {
		pp_json *one = pp_row_new("vote");

		fill(one, vote);
		pp_row(row, user, one);
	}
}

pp_json *
pp_votes_to_json(const struct pp_votes *v)
{
	pp_json *all = pp_json_array();

	pp_vec_foreach (vote, v) {
		pp_json *one = pp_json_object();

		fill(one, vote);
		pp_json_push(all, one);
	}
	return all;
}

static bool
index_of(const char *text, const char *const *names, int n, int *out)
{
	for (int i = 0; text != NULL && i < n; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*out = i;
		return true;
	}
	return false;
}

/* Views into a string that lives as long as j. */
static char *
view(const pp_json *j, const char *key)
{
	return (char *)(uintptr_t)pp_json_get_str(j, key);
}

void
pp_votes_from_json(const pp_json *j, struct pp_votes *out)
{
	for (size_t i = 0; i < pp_json_len(j); i++) {
		const pp_json *one = pp_json_at(j, i);
		int event = 0, said = 0;
		struct pp_vote v = {
			.key = view(one, "name"),
			.version = view(one, "version"),
			.plugin = view(one, "plugin"),
			.plugin_version = view(one, "plugin_version"),
			.new_version = view(one, "new_version"),
			.requirement = view(one, "requirement"),
			.text = view(one, "text"),
			.until = pp_json_get_int(one, "until", 0),
			.is_forced = pp_json_get_bool(one, "forced"),
		};

		if (!index_of(pp_json_get_str(one, "event"), pp_on_names, PP_N_ON, &event) ||
		    !index_of(pp_json_get_str(one, "answer"), pp_said_names, PP_N_SAID, &said) ||
		    v.key == NULL || v.plugin == NULL || v.requirement == NULL)
			continue;
		v.event = (enum pp_on)event;
		v.said = (enum pp_said)said;
		(void)pp_votes_add(out, &v);
	}
}
