/* SPDX-License-Identifier: MIT */
/*
 * The root compared with itself: state, store, links, requirements, wishes. Asks the application
 * for its versions, and changes nothing but what is remembered of them.
 */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/state/journal.h"
#include "lib/store/generation.h"
#include "lib/store/store.h"
#include "lib/txn/broken.h"
#include "lib/txn/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct checking {
	plugpkg_context *ctx;
	struct pp_state *state;
	struct pp_web web;
	size_t n_problems;
	plugpkg_row_fn row;
	void *user;
};

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
	pp_row(c->row, c->user, row);
	c->n_problems++;
}

/* ---- state ---- */

static enum plugpkg_code
check_transactions(struct checking *c, plugpkg_error **err)
{
	PP_AUTO_FREE char *command = NULL;
	int64_t txn = 0;
	enum plugpkg_code rc = pp_journal_open_transaction(c->state, &txn, &command, err);

	if (rc == PLUGPKG_OK && txn != 0)
		problem(c, "transaction", NULL, "transaction %lld (%s) was cut off before its end",
		    (long long)txn, command);
	return rc;
}

static void
check_states(struct checking *c)
{
	pp_vec_foreach (p, &c->web.inv.set) {
		if (strcmp((*p)->state, "leftover") == 0)
			problem(c, "leftover", (*p)->name,
			    "%s is a leftover: its uninstall did not finish; try plugpkg remove %s "
			    "again",
			    (*p)->version, (*p)->name);
		else if (strcmp((*p)->state, "installed") != 0)
			problem(
			    c, "state", (*p)->name, "%s is only %s", (*p)->version, (*p)->state);
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
		problem(c, "store", p->name, "store/%s/%s is missing", p->name, p->version);
		return PLUGPKG_OK;
	}
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = pp_store_open(c->ctx, p->name, p->version, &fd, &why);
	if (rc == PLUGPKG_OK)
		rc = pp_store_tree_digest(fd, sha256, &why);
	if (rc != PLUGPKG_OK)
		problem(c, "store", p->name, "store/%s/%s cannot be read: %s", p->name, p->version,
		    plugpkg_error_message(why));
	else if (strcmp(sha256, p->tree_sha256) != 0)
		problem(c, "store", p->name, "store/%s/%s was changed since it was installed",
		    p->name, p->version);
	return pp_check_cancel(c->ctx, err);
}

static void
check_link_dir(struct checking *c, const struct pp_installed *p)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s/plugin.json", p->link_dir);

	if (pp_exists_at(AT_FDCWD, file) != 1)
		problem(c, "link", p->name, "'%s', where it is linked from, is gone", p->link_dir);
}

/* ---- generation ---- */

static void
check_member(struct checking *c, const struct pp_installed *p, const struct pp_strs *members)
{
	PP_AUTO_FREE char *member = pp_asprintf("%s %s", p->name, p->version);
	PP_AUTO_FREE char *link = pp_asprintf("current/%s", p->name);
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(4096);

	if (!pp_installed_is_usable(p))
		return;
	if (p->link_dir == NULL) {
		if (!pp_strs_has(members, member))
			problem(c, "generation", p->name, "current/%s does not lead to store/%s/%s",
			    p->name, p->name, p->version);
		return;
	}
	if (pp_readlink_at(c->ctx->root_fd, link, &target) < 0 ||
	    strcmp(pp_buf_cstr(&target), p->link_dir) != 0)
		problem(c, "generation", p->name, "current/%s does not lead to '%s'", p->name,
		    p->link_dir);
}

static void
check_foreign_members(struct checking *c, const struct pp_strs *members)
{
	for (size_t i = 0; i < members->n; i++) {
		PP_AUTO_FREE char *name = pp_xstrdup(members->at[i]);
		name[strcspn(name, " ")] = '\0';
		const struct pp_installed *p = pp_installeds_get(&c->web.inv.set, name);
		if (p == NULL || !pp_installed_is_usable(p))
			problem(c, "generation", name,
			    "current/%s is there, but the plugin is not installed", name);
	}
}

static enum plugpkg_code
check_generation(struct checking *c, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs members = { 0 };
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
	if (pp_generation_members(c->ctx, current, &members, &why) != PLUGPKG_OK) {
		problem(c, "generation", NULL, "generation %lld: %s", (long long)current,
		    plugpkg_error_message(why));
		return PLUGPKG_OK;
	}
	pp_vec_foreach (p, &c->web.inv.set)
		check_member(c, *p, &members);
	check_foreign_members(c, &members);
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
			problem(c, "requires", r->name, "%s %s", r->version.text, *line);
		pp_vec_foreach (dep, &r->conflicts) {
			PP_AUTO_FREE char *by = pp_inventory_satisfier(&c->web.inv, dep);
			if (by != NULL && strcmp(dep->name, r->name) != 0)
				problem(c, "conflicts", r->name,
				    "%s conflicts with %s %s; %s is installed", r->version.text,
				    dep->name, dep->text, by);
		}
	}
}

/* The wanted set: everything in it is installed, in a version that it allows. */
static void
check_wishes(struct checking *c)
{
	pp_vec_foreach (dep, &c->ctx->config->plugins) {
		const struct pp_release *r = pp_inventory_release(&c->web.inv, dep->name);
		if (r == NULL)
			problem(c, "wanted", dep->name,
			    "plugpkg.json wants it, but it is not installed");
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

enum plugpkg_code
plugpkg_check(
    plugpkg_context *ctx, size_t *out_problems, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct checking c = { .ctx = ctx, .row = row, .user = user };
	enum plugpkg_code rc = pp_state_get(ctx, &c.state, err);
	if (rc == PLUGPKG_OK)
		rc = check_host(&c, err);
	if (rc == PLUGPKG_OK)
		rc = pp_web_load(ctx, &c.web, err);
	if (rc == PLUGPKG_OK)
		rc = check_transactions(&c, err);
	if (rc == PLUGPKG_OK)
		rc = check_generation(&c, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < c.web.inv.set.n; i++) {
		if (c.web.inv.set.at[i]->link_dir != NULL)
			check_link_dir(&c, c.web.inv.set.at[i]);
		else
			rc = check_store(&c, c.web.inv.set.at[i], err);
	}
	if (rc == PLUGPKG_OK) {
		check_states(&c);
		check_relations(&c);
		check_wishes(&c);
		*out_problems = c.n_problems;
	}
	pp_web_fini(&c.web);
	return rc;
}
