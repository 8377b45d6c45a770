/* SPDX-License-Identifier: MIT */
/*
 * The root compared with itself: state, store, links, requirements, wishes. Asks the application
 * for its versions, and changes nothing but what is remembered of them.
 */
#include "lib/api/api.h"

#include "base/errno_text.h"
#include "base/fd.h"
#include "base/path.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/state/journal.h"
#include "lib/state/log.h"
#include "lib/store/generation.h"
#include "lib/store/store.h"
#include "lib/txn/broken.h"
#include "lib/txn/host.h"
#include "lib/txn/keeper.h"
#include "lib/txn/lock.h"
#include "lib/txn/mend.h"
#include "lib/txn/root.h"
#include "lib/txn/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOKS   5
#define WAIT_MS 1000
#define POLL_MS 20

struct checking {
	plugpkg_context *ctx;
	struct pp_state *state;
	struct pp_web web;
	struct pp_vec(pp_json *) problems; /* rows; told when it is sure that no change made them */
	size_t n_lasting;                  /* the first of them, which another look does not drop */
	plugpkg_row_fn row;
	void *user;
};

/* Until so many problems are left; the others go untold. */
static void
drop_problems(struct checking *c, size_t n_left)
{
	while (c->problems.n > n_left)
		pp_json_free(c->problems.at[--c->problems.n]);
}

static void
checking_fini(struct checking *c)
{
	drop_problems(c, 0);
	pp_vec_free(&c->problems);
	pp_web_fini(&c->web);
}

static void PP_PRINTF(4, 5)
    problem(struct checking *c, const char *kind, const char *name, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536);
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pp_json *row = pp_row_new("problem");
	pp_json_set_str(row, "kind", kind);
	pp_json_set_str(row, "name", name);
	pp_json_set_str(row, "text", pp_buf_cstr(&text));
	pp_vec_push(&c->problems, row);
}

static void
tell_problems(struct checking *c)
{
	pp_vec_foreach (row, &c->problems)
		pp_row(c->row, c->user, pp_json_ref(*row));
}

/* ---- state ---- */

static enum plugpkg_code
check_transactions(struct checking *c, plugpkg_error **err)
{
	PP_AUTO_FREE char *command = NULL;
	int64_t txn = 0;
	enum plugpkg_code rc = pp_journal_open_transaction(c->state, &txn, &command, err);

	/* One that runs is no problem. */
	if (rc == PLUGPKG_OK && txn != 0 && !pp_lock_is_held(c->ctx))
		problem(c, "transaction", NULL, "transaction %lld (%s) was cut off before its end",
		    (long long)txn, command);
	return rc;
}

static void
check_states(struct checking *c)
{
	pp_vec_foreach (p, &c->web.inv.set) {
		if ((*p)->skipped != NULL)
			problem(c, "scripts", (*p)->key,
			    "%s came with --no-scripts; plugpkg repair %s runs what was left out",
			    (*p)->version, (*p)->key);
		if (strcmp((*p)->state, "leftover") == 0)
			problem(c, "leftover", (*p)->key,
			    "%s is a leftover: its uninstall did not finish; try plugpkg remove %s "
			    "again",
			    (*p)->version, (*p)->key);
		else if (strcmp((*p)->state, PP_STATE_NOT_INSTALLED) == 0)
			problem(c, "state", (*p)->key,
			    "%s counts as not installed; plugpkg repair %s installs it again",
			    (*p)->version, (*p)->key);
		else if (strcmp((*p)->state, "core-installed") == 0)
			problem(c, "state", (*p)->key,
			    "%s is only %s; plugpkg configure %s runs what is left", (*p)->version,
			    (*p)->state, (*p)->key);
	}
}

/* ---- store ---- */

static enum plugpkg_code
check_store(struct checking *c, const struct pp_installed *p, plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	char sha256[65];
	int there = pp_store_has(c->ctx, p->name, p->version);
	if (there == 0) {
		problem(c, "store", p->key, "store/%s/%s is missing", p->name, p->version);
		return PLUGPKG_OK;
	}
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_store_open(c->ctx, p->name, p->version, &fd, &why);
	if (rc == PLUGPKG_OK)
		rc = pp_store_tree_digest(fd, sha256, &why);
	if (rc != PLUGPKG_OK)
		problem(c, "store", p->key, "store/%s/%s cannot be read: %s", p->name, p->version,
		    plugpkg_error_message(why));
	else if (strcmp(sha256, p->tree_sha256) != 0)
		problem(c, "store", p->key,
		    "store/%s/%s was changed since it was installed, or its archive states "
		    "another digest of its tree",
		    p->name, p->version);
	return pp_check_cancel(c->ctx, err);
}

static void
check_link_dir(struct checking *c, const struct pp_installed *p)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s/plugin.json", p->link_dir);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	int r = pp_read_file_at(AT_FDCWD, file, &text);

	if (r == -ENOENT || r == -ENOTDIR) {
		bool is_there = pp_exists_at(AT_FDCWD, p->link_dir) == 1;
		problem(c, "link", p->key, "'%s', where it is linked from, %s", p->link_dir,
		    is_there ? "has no plugin.json" : "is gone");
	} else if (r < 0) {
		problem(c, "link", p->key, "'%s' cannot be read: %s", file, pp_errno_text(-r));
	} else if (pp_manifest_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, file, &m,
		       &why) != PLUGPKG_OK) {
		problem(c, "link", p->key, "%s", plugpkg_error_message(why));
	} else if (strcmp(m->release->name, p->name) != 0) {
		problem(c, "link", p->key, "'%s', where it is linked from, holds %s now",
		    p->link_dir, m->release->name);
	}
}

/* ---- generation ---- */

/* current/NAME, or current/NAME@MAJOR, leads to the plugin. */
static void
check_link(struct checking *c, const struct pp_installed *p, const char *as)
{
	const char *up = p->name[0] == '@' ? "../../../" : "../../";
	PP_AUTO_FREE char *stored = pp_asprintf("%sstore/%s/%s", up, p->name, p->version);
	PP_AUTO_FREE char *link = pp_asprintf("current/%s", as);
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(4096);
	const char *want = p->link_dir != NULL ? p->link_dir : stored;

	if (pp_readlink_at(c->ctx->root_fd, link, &target) == 0 &&
	    strcmp(pp_buf_cstr(&target), want) == 0)
		return;
	if (p->link_dir != NULL)
		problem(c, "generation", p->key, "%s does not lead to '%s'", link, want);
	else
		problem(c, "generation", p->key, "%s does not lead to store/%s/%s", link, p->name,
		    p->version);
}

/* The highest of several majors that can be used has the plain name. */
static bool
has_plain_name(const struct checking *c, const struct pp_installed *p)
{
	pp_vec_foreach (q, &c->web.inv.set)
		if (strcmp((*q)->name, p->name) == 0 && pp_installed_is_active(*q) &&
		    pp_version_cmp_text((*q)->version, p->version) > 0)
			return false;
	return true;
}

/* A plain NAME may lead to another one of its majors. */
static void
check_no_link(struct checking *c, const struct pp_installed *p)
{
	PP_AUTO_FREE char *link = pp_asprintf("current/%s", p->key);

	if (pp_exists_at(c->ctx->root_fd, link) != 0)
		problem(c, "generation", p->key, "%s is there, though %s is %s", link, p->version,
		    pp_installed_state(p));
}

static void
check_member(struct checking *c, const struct pp_installed *p)
{
	if (!pp_installed_is_usable(p))
		return;
	if (!pp_installed_is_active(p)) {
		check_no_link(c, p);
		return;
	}
	check_link(c, p, p->key);
	if (strcmp(p->key, p->name) != 0 && has_plain_name(c, p))
		check_link(c, p, p->name);
}

static bool
is_installed(const struct checking *c, const char *name)
{
	const struct pp_installed *p = pp_installeds_get(&c->web.inv.set, name);

	if (p != NULL)
		return pp_installed_is_usable(p);
	pp_vec_foreach (q, &c->web.inv.set)
		if (strcmp((*q)->name, name) == 0 && pp_installed_is_usable(*q))
			return true;
	return false;
}

/* An application takes what it finds there for a plugin, wherever it leads. */
static void
check_foreign(struct checking *c, const struct pp_strs *names)
{
	pp_vec_foreach (name, names)
		if (!is_installed(c, *name))
			problem(c, "generation", *name,
			    "current/%s is there, but no such plugin is installed", *name);
}

static enum plugpkg_code
check_generation(struct checking *c, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	int64_t known = 0, current = 0;
	enum plugpkg_code rc = pp_state_generation(c->state, &known, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (pp_generation_current(c->ctx, &current, &why) != PLUGPKG_OK) {
		problem(c, "generation", NULL, "%s", plugpkg_error_message(why));
		return PLUGPKG_OK;
	}
	if (current != known)
		problem(c, "generation", NULL,
		    "current leads to generation %lld, but %lld is on record", (long long)current,
		    (long long)known);
	if (pp_generation_names(c->ctx, current, &names, &why) != PLUGPKG_OK) {
		problem(c, "generation", NULL, "generation %lld: %s", (long long)current,
		    plugpkg_error_message(why));
		return PLUGPKG_OK;
	}
	pp_vec_foreach (p, &c->web.inv.set)
		check_member(c, *p);
	check_foreign(c, &names);
	return PLUGPKG_OK;
}

/* ---- relations ---- */

static void
check_relations(struct checking *c)
{
	for (size_t i = 0; i < c->web.inv.releases.n; i++) {
		const struct pp_release *r = c->web.inv.releases.at[i];
		if (!pp_installed_is_usable(c->web.inv.set.at[i]))
			continue;
		PP_CLEANUP(pp_strs_fini) struct pp_strs lines = { 0 };
		pp_broken_complaints(&c->web, i, &lines);
		pp_vec_foreach (line, &lines)
			problem(c, "requires", pp_release_key(r), "%s %s", r->version.text, *line);
		pp_vec_foreach (dep, &r->conflicts) {
			PP_AUTO_FREE char *by = pp_inventory_satisfier(&c->web.inv, dep);
			if (by != NULL && !pp_name_is_host(dep->name) &&
			    strcmp(dep->name, r->name) != 0)
				problem(c, "conflicts", pp_release_key(r),
				    "%s conflicts with %s %s; %s is installed", r->version.text,
				    dep->name, dep->text, by);
		}
	}
}

/* What stands for an entry of the wanted set: its key; by a plain name the best that is there. */
static const struct pp_release *
wanted_release(const struct checking *c, const struct pp_dep *dep)
{
	const struct pp_inventory *inv = &c->web.inv;
	const struct pp_release *r = pp_inventory_release(inv, dep->name);

	if (r != NULL)
		return r;
	for (size_t i = 0; i < inv->set.n; i++)
		if (strcmp(inv->set.at[i]->name, dep->name) == 0 &&
		    pp_installed_wish(&inv->set, inv->set.at[i], &c->ctx->config->plugins) == dep)
			return inv->releases.at[i];
	return pp_inventory_highest(inv, dep->name);
}

/* The wanted set: everything in it is installed, in a version that it allows. */
static void
check_wishes(struct checking *c)
{
	pp_vec_foreach (dep, &c->ctx->config->plugins) {
		const struct pp_release *r = wanted_release(c, dep);
		if (r == NULL)
			problem(c, "wanted", dep->name,
			    "plugpkg.json wants it, but it is not installed; plugpkg sync installs "
			    "it, plugpkg remove %s takes the wish back",
			    dep->name);
		else if (dep->range != NULL && !pp_range_match(dep->range, &r->version, true))
			problem(c, "wanted", dep->name, "plugpkg.json wants %s; %s is installed",
			    dep->text, r->version.text);
	}
}

/* What it said last counts for the rest of the check. */
static enum plugpkg_code
check_host(struct checking *c, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_host_refresh(c->ctx, &why);

	if (rc == PLUGPKG_E_INTERRUPTED)
		return pp_check_cancel(c->ctx, err);
	if (rc != PLUGPKG_OK)
		problem(c, "host", NULL, "%s", plugpkg_error_message(why));
	return PLUGPKG_OK;
}

/* ---- databases, data, what plugins say ---- */

static void
check_databases(struct checking *c)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL, *why_log = NULL;

	if (pp_state_check(c->state, &why) != PLUGPKG_OK)
		problem(c, "database", NULL, "%s", plugpkg_error_message(why));
	if (pp_log_check(c->state, &why_log) != PLUGPKG_OK)
		problem(c, "database", NULL, "%s", plugpkg_error_message(why_log));
}

static void
check_keeper(struct checking *c)
{
	PP_AUTO_FREE char *text = pp_keeper_complaint(c->ctx);

	if (text != NULL)
		problem(c, "keeper", NULL, "%s", text);
}

/* Who has scripts has a place for its data. */
static void
check_data(struct checking *c, const struct pp_installed *p)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", p->key);

	if (pp_json_len(pp_json_get(p->manifest, "scripts")) > 0 &&
	    pp_exists_at(c->ctx->root_fd, dir) == 0)
		problem(c, "data", p->key, "its directory data/%s is missing", p->key);
}

static enum plugpkg_code
check_verify(struct checking *c, const struct pp_installed *p, plugpkg_error **err)
{
	enum pp_mend_answer answer = PP_MEND_NOT_ASKED;
	PP_AUTO_FREE char *why = NULL;

	if (!pp_installed_is_usable(p) || strcmp(p->state, PP_STATE_NOT_INSTALLED) == 0 ||
	    p->skipped != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_mend_ask(c->ctx, p, &answer, &why, err);
	if (rc == PLUGPKG_OK && answer == PP_MEND_NO)
		problem(
		    c, "verify", p->key, "%s says that it is not installed: %s", p->version, why);
	if (rc == PLUGPKG_OK && answer == PP_MEND_UNKNOWN)
		problem(c, "unknown", p->key, "%s cannot tell whether it is installed: %s",
		    p->version, why);
	return rc;
}

static enum plugpkg_code
check_plugins(struct checking *c, bool ask, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < c->web.inv.set.n; i++) {
		const struct pp_installed *p = c->web.inv.set.at[i];
		if (p->link_dir != NULL)
			check_link_dir(c, p);
		else
			rc = check_store(c, p, err);
		check_data(c, p);
		if (rc == PLUGPKG_OK && ask)
			rc = check_verify(c, p, err);
	}
	return rc;
}

enum plugpkg_code
pp_check_generation(plugpkg_context *ctx, size_t *out_problems, plugpkg_error **err)
{
	PP_CLEANUP(checking_fini) struct checking c = { .ctx = ctx };
	enum plugpkg_code rc = pp_state_get(ctx, &c.state, err);

	if (rc == PLUGPKG_OK)
		rc = pp_web_load(ctx, &c.web, err);
	if (rc == PLUGPKG_OK)
		rc = check_generation(&c, err);
	*out_problems = c.problems.n;
	return rc;
}

/* An older kernel is no fault of the root's: a row of its own, and no problem. */
static void
show_lacks(struct checking *c)
{
	struct pp_lack lacks[PP_LACKS_MAX];
	size_t n = pp_sandbox_lacks(c->ctx, lacks);

	for (size_t i = 0; i < n; i++) {
		pp_json *row = pp_row_new("exposure");
		pp_json_set_str(row, "kind", lacks[i].kind);
		pp_json_set_str(row, "text", lacks[i].text);
		pp_row(c->row, c->user, row);
	}
	c->ctx->is_sandbox_told = true; /* no script that is asked says it again */
}

/* ---- beside a change ---- */

/* When the lock was last written, which every change does; and what holds at that moment. */
struct moment {
	struct timespec locked;
	bool is_held, is_config_old;
};

static struct moment
moment_of(const plugpkg_context *ctx)
{
	const struct stat *known = &ctx->config_file;
	struct moment m = { .is_config_old = true };
	struct stat st;

	/* First the file: who locks after that holds the lock below, or has written it later. */
	if (fstatat(ctx->root_fd, "var/lock", &st, AT_SYMLINK_NOFOLLOW) == 0)
		m.locked = st.st_mtim;
	m.is_held = ctx->lock_fd < 0 && pp_lock_is_held(ctx);
	if (fstatat(ctx->root_fd, "plugpkg.json", &st, 0) == 0)
		m.is_config_old = st.st_ino != known->st_ino ||
				  st.st_mtim.tv_sec != known->st_mtim.tv_sec ||
				  st.st_mtim.tv_nsec != known->st_mtim.tv_nsec;
	return m;
}

/* May a change have been at work between the two? */
static bool
is_disturbed(const struct moment *before, const struct moment *after)
{
	return before->is_held || after->is_held || before->is_config_old || after->is_config_old ||
	       before->locked.tv_sec != after->locked.tv_sec ||
	       before->locked.tv_nsec != after->locked.tv_nsec;
}

static enum plugpkg_code
look(struct checking *c, unsigned flags, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_web_load(c->ctx, &c->web, err);

	if (rc == PLUGPKG_OK)
		rc = check_transactions(c, err);
	if (rc == PLUGPKG_OK)
		rc = check_generation(c, err);
	if (rc == PLUGPKG_OK)
		rc = check_plugins(c, (flags & PLUGPKG_CHECK_NO_SCRIPTS) == 0, err);
	if (rc == PLUGPKG_OK) {
		check_databases(c);
		check_keeper(c);
		check_states(c);
		check_relations(c);
		check_wishes(c);
	}
	return rc;
}

/* For another look; a change that takes long is not waited for. */
static enum plugpkg_code
begin_anew(struct checking *c, plugpkg_error **err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (int ms = 0; ms < WAIT_MS && pp_lock_is_held(c->ctx); ms += POLL_MS)
		(void)nanosleep(&pause, NULL); /* a signal only makes the look come sooner */
	drop_problems(c, c->n_lasting);
	pp_web_fini(&c->web);
	c->web = (struct pp_web){ .threads = { 0 } };
	enum plugpkg_code rc = pp_check_cancel(c->ctx, err);
	return rc == PLUGPKG_OK ? pp_root_reload_config(c->ctx, err) : rc;
}

static void
warn_of_change(plugpkg_context *ctx)
{
	struct pp_lock_holder h = { 0 };

	if (pp_lock_look(ctx, &h, NULL) == PLUGPKG_OK && h.is_held)
		pp_warn(ctx, NULL,
		    "process %lld (plugpkg %s) is changing '%s'; what was found may be its doing",
		    (long long)h.pid, h.command, ctx->root);
	else
		pp_warn(ctx, NULL,
		    "'%s' was changed meanwhile; what was found may be that change's doing",
		    ctx->root);
	free(h.command);
}

/* A change that runs beside looks like damage; what is damage is there when it is done, too. */
static enum plugpkg_code
look_until_sure(struct checking *c, unsigned flags, plugpkg_error **err)
{
	for (int left = LOOKS; left > 0; left--) {
		struct moment before = moment_of(c->ctx);
		enum plugpkg_code rc = look(c, flags, err);
		struct moment after = moment_of(c->ctx);
		if (rc != PLUGPKG_OK || c->problems.n == c->n_lasting ||
		    !is_disturbed(&before, &after))
			return rc;
		if (left > 1)
			rc = begin_anew(c, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	warn_of_change(c->ctx);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_check(plugpkg_context *ctx, unsigned flags, size_t *out_problems, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(checking_fini) struct checking c = { .ctx = ctx, .row = row, .user = user };
	enum plugpkg_code rc = pp_state_get(ctx, &c.state, err);

	show_lacks(&c);
	if (rc == PLUGPKG_OK)
		rc = check_host(&c, err);
	c.n_lasting = c.problems.n;
	if (rc == PLUGPKG_OK)
		rc = look_until_sure(&c, flags, err);
	tell_problems(&c);
	if (rc == PLUGPKG_OK)
		*out_problems = c.problems.n;
	return rc;
}
