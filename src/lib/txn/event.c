/* SPDX-License-Identifier: MIT */
/* One handler, asked: the event as JSON, and what its exit status means. */
#include "lib/txn/event.h"

#include "base/time.h"
#include "lib/txn/lock.h"

#include <string.h>

#define STATUS_STAY    10
#define STATUS_NO      20 /* veto; of upgrade-before: later */
#define TEXT_MAX_BYTES 8192
#define DAY_S          86400

bool
pp_event_is_handled(const pp_json *manifest, enum pp_on event)
{
	return pp_json_get(pp_json_get(manifest, "on"), pp_on_names[event]) != NULL;
}

/* ---- the event as JSON ---- */

static pp_json *
steps_json(const struct pp_plan *plan)
{
	pp_json *all = pp_json_array();

	pp_vec_foreach (step, &plan->steps) {
		pp_json *one = pp_json_object();
		pp_json_set_str(one, "action", pp_action_names[step->action]);
		pp_json_set_str(one, "name", step->name);
		pp_json_set_str(one, "key", step->key);
		pp_json_set_str(one, "version", step->version);
		pp_json_set_str(one, "old_version", step->old_version);
		pp_json_set_str(one, "why", pp_why_names[step->why]);
		pp_json_push(all, one);
	}
	return all;
}

static const char *
reason_of(const struct pp_asking *a, const struct pp_vote *vote)
{
	if (vote->event == PP_ON_UPGRADE_BEFORE)
		return "upgrade";
	if (a->plan->is_rollback)
		return "rollback";
	return a->plan->is_purge ? "purge" : "remove";
}

static char *
event_text(const struct pp_asking *a, const struct pp_vote *vote)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_int(j, "v", 1);
	pp_json_set_str(j, "event", pp_on_names[vote->event]);
	pp_json_set_str(j, "phase", "ask");
	pp_json_set_str(j, "plugin", vote->plugin);
	pp_json_set_str(j, "version", vote->plugin_version);
	pp_json_set_str(j, "new_version", vote->new_version);
	pp_json_set_str(j, "requirement", vote->requirement);
	pp_json_set_str(j, "reason", reason_of(a, vote));
	pp_json_set(j, "steps", steps_json(a->plan));
	return pp_json_line(j);
}

/* ---- the answer ---- */

static char *
joined(const struct pp_strs *lines)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);

	pp_vec_foreach (line, lines)
		if (**line != '\0')
			pp_buf_addf(&text, "%s%s", text.n > 0 ? "; " : "", *line);
	return text.n > 0 ? pp_buf_steal(&text) : NULL;
}

/* `until 2026-12-01` or {"until": "2026-12-01"}: the last line that is one of them. */
static bool
read_until(const struct pp_strs *lines, int64_t *out)
{
	bool is_found = false;

	pp_vec_foreach (line, lines) {
		struct pp_json_error why;
		PP_AUTO_JSON pp_json *j = pp_json_parse(*line, strlen(*line), &why);
		const char *date = pp_json_get_str(j, "until");
		if (date == NULL && pp_starts_with(*line, "until "))
			date = *line + strlen("until ");
		is_found =
		    (date != NULL && pp_time_parse_date(pp_str_of(date), out) == 0) || is_found;
	}
	return is_found;
}

/* No date, or none that can be read, is the usual time; nobody gets more than the longest. */
static void
set_delay(const struct pp_asking *a, const struct pp_answer *answer, struct pp_vote *vote)
{
	int64_t longest = a->ctx->now + (int64_t)PP_DELAY_MAX_DAYS * DAY_S;

	vote->said = PP_SAID_DELAY;
	if (!read_until(&answer->out, &vote->until))
		vote->until = a->ctx->now + (int64_t)PP_DELAY_USUAL_DAYS * DAY_S;
	if (vote->until > longest)
		vote->until = longest;
	if (vote->until <= a->ctx->now)
		vote->said = PP_SAID_GO;
}

static void
understand(const struct pp_asking *a, const struct pp_answer *answer, struct pp_vote *vote)
{
	bool is_upgrade = vote->event == PP_ON_UPGRADE_BEFORE;

	vote->text = joined(&answer->err);
	if (answer->status == 0) {
		vote->said = PP_SAID_GO;
		return;
	}
	if (answer->status == STATUS_STAY && !is_upgrade) {
		vote->said = PP_SAID_STAY;
		return;
	}
	if (answer->status != STATUS_NO) {
		PP_AUTO_FREE char *said = vote->text;
		vote->text = pp_asprintf("its handler answered with the unknown exit status %d%s%s",
		    answer->status, said != NULL ? ": " : "", said != NULL ? said : "");
	}
	vote->said = PP_SAID_VETO;
	if (is_upgrade)
		set_delay(a, answer, vote);
}

/* What did not come to an answer of its own. */
static void
understand_failure(const struct pp_asking *a, const plugpkg_error *why, struct pp_vote *vote)
{
	const struct pp_answer nothing = { 0 };

	vote->text = pp_xstrdup(plugpkg_error_message(why));
	vote->said = PP_SAID_VETO;
	if (vote->event == PP_ON_UPGRADE_BEFORE)
		set_delay(a, &nothing, vote);
}

/* ---- asking ---- */

static enum plugpkg_code
call(const struct pp_asking *a, const struct pp_installed *p, struct pp_vote *vote,
    plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_CLEANUP(pp_answer_fini) struct pp_answer answer = { 0 };
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	PP_AUTO_FREE char *input = event_text(a, vote);
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/* Only a frame for the script: nothing of it is freed here. */
	struct pp_txn frame = { .ctx = a->ctx, .old = *a->inv, .generation = a->plan->generation };
	struct pp_script_event event = {
		.phase = "ask",
		.plugin = vote->plugin,
		.version = vote->plugin_version,
		.new_version = vote->new_version,
		.input = input,
	};
	struct pp_txn_script s = {
		.manifest = m,
		.link_dir = p->link_dir,
		.kind = pp_on_names[vote->event],
		.path = m->on[vote->event],
		.level = -1,
		.reason = reason_of(a, vote),
		.event = &event,
		.out_answer = &answer,
	};
	rc = pp_txn_script(&frame, &s, &why);
	if (rc == PLUGPKG_E_INTERRUPTED)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	if (rc == PLUGPKG_OK)
		understand(a, &answer, vote);
	else
		understand_failure(a, why, vote);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_event_ask(const struct pp_asking *a, struct pp_vote *vote, plugpkg_error **err)
{
	const struct pp_installed *p = pp_installeds_get(&a->inv->set, vote->key);
	const char *txn = NULL;

	vote->said = PP_SAID_NONE;
	if (p == NULL || !pp_event_is_handled(p->manifest, vote->event))
		return PLUGPKG_OK;
	/* A handler that plans would be asked by its own plan, and so on. */
	if (pp_lock_is_in_script(a->ctx, &txn))
		return pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "called from a script of this root: %s would have to be asked", p->key);
	return call(a, p, vote, err);
}
