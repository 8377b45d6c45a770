/* SPDX-License-Identifier: MIT */
/*
 * The moment of change: THE pointer, and the application that is told of it and asked how it is.
 * Unhealthy means that the pointer goes back and the application is told again.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/net/fetch.h"
#include "lib/store/generation.h"
#include "lib/txn/signature.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES (64 * 1024)

/* ---- hooks ---- */

static bool
is_runnable(plugpkg_context *ctx, const char *path)
{
	/* Relative to the root, where it also runs. */
	return faccessat(ctx->root_fd, path, X_OK, 0) == 0;
}

/* A name without a slash is looked for where scripts look for programs. Owned, or NULL. */
static char *
find_program(plugpkg_context *ctx, const char *name)
{
	struct pp_str rest = pp_str_of(PP_SCRIPT_PATH), dir;

	if (name[0] == '/')
		return pp_xstrdup(name);
	if (strchr(name, '/') != NULL)
		return pp_asprintf("%s/%s", ctx->root, name);
	while (pp_str_cut(&rest, ':', &dir)) {
		char *path = pp_asprintf("%.*s/%s", (int)dir.n, dir.p, name);
		if (is_runnable(ctx, path))
			return path;
		free(path);
	}
	return NULL;
}

static void
hook_env(struct pp_txn *t, const char *name, struct pp_strs *env)
{
	pp_script_base_env(t->ctx, t->id, env);
	pp_strs_add(env, "TMPDIR=/tmp");
	pp_strs_take(env, pp_asprintf("HOME=%s", t->ctx->root));
	pp_strs_take(env, pp_asprintf("PLUGPKG_HOOK=%s", name));
	pp_strs_take(env, pp_asprintf("PLUGPKG_COMMAND=%s", t->spec->command));
	pp_strs_take(env, pp_asprintf("PLUGPKG_GENERATION=%lld", (long long)t->generation));
	pp_strs_take(env, pp_asprintf("PLUGPKG_OLD_GENERATION=%lld", (long long)t->old_generation));
}

static enum plugpkg_code
run_command(struct pp_txn *t, enum pp_hook_at at, const struct pp_hook *h, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	PP_AUTO_FREE char *program = find_program(t->ctx, h->argv.at[0]);
	PP_AUTO_FREE char *what = pp_asprintf("hook '%s' of the application", pp_hook_names[at]);
	if (program == NULL)
		return pp_fail(err, PLUGPKG_E_SCRIPT, 0, "cannot run %s: there is no program '%s'",
		    what, h->argv.at[0]);
	hook_env(t, pp_hook_names[at], &env);
	PP_AUTO_FREE char *file = pp_asprintf("'%s', %s", h->argv.at[0], what);
	PP_AUTO_FREE const char **argv = pp_strs_argv(&h->argv);
	PP_AUTO_FREE const char **envp = pp_strs_argv(&env);
	struct pp_exec e = {
		.program = program,
		.argv = argv,
		.env = envp,
		.cwd_fd = t->ctx->root_fd,
		.timeout_s = h->timeout_s,
		/* Once the pointer has moved, its consequences are waited for. */
		.is_undo = at != PP_HOOK_PRE_TRANSACTION,
		.what = what,
		.file = file,
		.channel = pp_hook_names[at],
		.transaction = t->id,
	};
	return pp_exec_run(t->ctx, &e, err);
}

/* Anything but an answer of 200 is none. */
static enum plugpkg_code
ask_url(struct pp_txn *t, enum pp_hook_at at, const struct pp_hook *h, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf body = PP_BUF_INIT(ANSWER_MAX_BYTES);
	PP_AUTO_FD int cache_fd = pp_opendir_at(t->ctx->root_fd, "var/cache");
	const char *host = strstr(h->url, "://") + 3;
	size_t n = strcspn(host, "/");
	PP_AUTO_FREE char *base = pp_xstrndup(h->url, (size_t)(host - h->url) + n);
	PP_AUTO_FREE char *shown = pp_url_redacted(h->url);
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	int status = 0;

	/* Without the context: once the pointer has moved, nobody's wish to stop counts. */
	PP_AUTO(net)
	struct pp_net *net = pp_net_new(at == PP_HOOK_PRE_TRANSACTION ? t->ctx : NULL, cache_fd);
	pp_net_set_patience(net, h->timeout_s);
	enum plugpkg_code rc = pp_net_get(
	    net, base, host[n] == '/' ? host + n + 1 : "", ANSWER_MAX_BYTES, &body, &status, &why);
	if (rc == PLUGPKG_OK && status == 200)
		return PLUGPKG_OK;
	if (rc == PLUGPKG_OK)
		return pp_fail(err, PLUGPKG_E_SCRIPT, 0,
		    "hook '%s' of the application: '%s' answers with status %d", pp_hook_names[at],
		    shown, status);
	return pp_fail(err, PLUGPKG_E_SCRIPT, 0, "hook '%s' of the application: %s",
	    pp_hook_names[at], plugpkg_error_message(why));
}

static enum plugpkg_code
call_once(struct pp_txn *t, enum pp_hook_at at, const struct pp_hook *h, plugpkg_error **err)
{
	return h->url != NULL ? ask_url(t, at, h, err) : run_command(t, at, h, err);
}

enum plugpkg_code
pp_txn_hook(struct pp_txn *t, enum pp_hook_at at, plugpkg_error **err)
{
	const struct pp_hook *h = &t->ctx->config->hooks[at];
	if (!pp_hook_is_set(h))
		return PLUGPKG_OK;
	for (uint32_t i = 0; i < h->retries; i++) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		if (call_once(t, at, h, &why) == PLUGPKG_OK)
			return PLUGPKG_OK;
		pp_debug(t->ctx, NULL, "%s", plugpkg_error_message(why));
		struct timespec pause = {
			.tv_sec = h->wait_ms / 1000,
			.tv_nsec = (long)(h->wait_ms % 1000) * 1000000L,
		};
		(void)nanosleep(&pause, NULL); /* a signal only makes the next try come sooner */
	}
	enum plugpkg_code rc = call_once(t, at, h, err);
	return rc == PLUGPKG_OK ? rc : pp_subject(err, rc, pp_hook_names[at]);
}

enum plugpkg_code
pp_txn_hook_or_warn(struct pp_txn *t, enum pp_hook_at at, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_txn_hook(t, at, &why);

	if (rc != PLUGPKG_OK && rc != PLUGPKG_E_SCRIPT)
		return pp_fail(err, rc, 0, "%s", plugpkg_error_message(why));
	if (rc != PLUGPKG_OK)
		pp_warn(t->ctx, NULL, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_pre_transaction(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	return pp_txn_hook(t, PP_HOOK_PRE_TRANSACTION, err);
}

/* The application that was told of a transaction is told that there was none. */
static enum plugpkg_code
undo_pre_transaction(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	return pp_txn_hook_or_warn(t, PP_HOOK_ROLLBACK, err);
}

const struct pp_op_type pp_op_pre_transaction = {
	"pre-transaction",
	run_pre_transaction,
	undo_pre_transaction,
	false,
};

static enum plugpkg_code
run_activate(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	return pp_txn_hook(t, PP_HOOK_ACTIVATE, err);
}

const struct pp_op_type pp_op_activate = { "activate", run_activate, NULL, false };

static enum plugpkg_code
run_health(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_txn_hook(t, PP_HOOK_HEALTH, err);

	if (rc != PLUGPKG_E_SCRIPT)
		return rc;
	(void)pp_wrap(err, rc, "the application is not healthy with the new plugins");
	return pp_recode(err, PLUGPKG_E_UNHEALTHY);
}

const struct pp_op_type pp_op_health = { "health", run_health, NULL, false };

/* It is over, whatever it says. */
static enum plugpkg_code
run_post_transaction(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	return pp_txn_hook_or_warn(t, PP_HOOK_POST_TRANSACTION, err);
}

const struct pp_op_type pp_op_post_transaction = {
	"post-transaction",
	run_post_transaction,
	NULL,
	false,
};

/* ---- the pointer ---- */

static void
tell_switch(struct pp_txn *t, int64_t generation)
{
	struct plugpkg_event ev = { .type = PLUGPKG_EVENT_SWITCH, .done = (uint64_t)generation };

	pp_event(t->ctx, &ev);
}

static enum plugpkg_code
run_switch(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_generation_switch(t->ctx, t->generation, err);

	if (rc == PLUGPKG_OK)
		tell_switch(t, t->generation);
	return rc;
}

static bool
was_activated(const struct pp_txn *t)
{
	pp_vec_foreach (op, &t->ops)
		if (op->type == &pp_op_activate && op->status != PP_STEP_PLANNED)
			return true;
	return false;
}

/*
 * The rename may have happened and only its durability failed: the pointer itself is asked. One
 * that is gone or leads elsewhere is put back too.
 */
static enum plugpkg_code
undo_switch(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	int64_t current = 0;
	bool has_moved = pp_generation_current(t->ctx, &current, NULL) != PLUGPKG_OK ||
			 current != t->old_generation;
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_generation_tidy(t->ctx);
	if (has_moved)
		rc = pp_generation_switch(t->ctx, t->old_generation, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (has_moved)
		tell_switch(t, t->old_generation);
	return was_activated(t) ? pp_txn_hook_or_warn(t, PP_HOOK_ACTIVATE, err) : rc;
}

const struct pp_op_type pp_op_switch = { "switch", run_switch, undo_switch, false };

/* ---- the point of no return ---- */

/*
 * Who leaves is on record as a leftover from here until its uninstall is done: if plugpkg dies in
 * between, the root knows whose script still has to run.
 */
static void
record_leaving(struct pp_txn *t)
{
	size_t n = t->set.n;

	for (size_t i = 0; i < t->tasks.n; i++) {
		const struct pp_task *task = &t->tasks.at[i];
		struct pp_installeds staying = { .at = t->set.at, .n = n };
		if (!pp_task_is_removal(task) ||
		    pp_installeds_get(&staying, task->step->key) != NULL)
			continue;
		struct pp_installed *p = pp_installed_copy(task->old);
		pp_installed_set_state(p, "leftover");
		pp_vec_push(&t->set, p);
	}
	pp_txn_sort_set(&t->set);
}

static enum plugpkg_code
run_commit(struct pp_txn *t, struct pp_txn_op *op PP_UNUSED, plugpkg_error **err)
{
	PP_CLEANUP(pp_pins_fini) struct pp_pins pins = { 0 };
	enum plugpkg_code rc = pp_txn_sync(t, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_ops_leave_at_once(t))
		record_leaving(t);
	pp_txn_pins(t, &pins);
	return pp_state_commit_set(t->state, &t->set, t->generation, t->id, &pins, err);
}

const struct pp_op_type pp_op_commit = { PP_STEP_COMMIT, run_commit, NULL, true };
