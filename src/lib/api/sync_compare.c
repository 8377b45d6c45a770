/* SPDX-License-Identifier: MIT */
/*
 * How a root differs from what its files say. Reads only the state and, of the store, which
 * plugins are there: a root that is as it should be is seen to be so in a moment.
 */
#include "lib/api/sync.h"

#include "base/path.h"
#include "lib/txn/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- differences ---- */

static const char *const kind_names[] = {
	[PP_DIFF_MISSING] = "missing",
	[PP_DIFF_VERSION] = "version",
	[PP_DIFF_EXTRA] = "extra",
	[PP_DIFF_SOURCE] = "source",
	[PP_DIFF_CONTENT] = "content",
	[PP_DIFF_LINK] = "link",
	[PP_DIFF_FILES] = "files",
	[PP_DIFF_MARK] = "mark",
	[PP_DIFF_HOST] = "host",
	[PP_DIFF_WISH] = "wish",
};

static struct pp_diff *
add(struct pp_sync *s, enum pp_diff_kind kind, const char *key, const char *here, const char *there)
{
	struct pp_diff *d = pp_vec_new(&s->diffs);

	*d = (struct pp_diff){
		.kind = kind,
		.key = pp_xstrdup(key),
		.here = pp_xstrdup(here),
		.there = pp_xstrdup(there),
	};
	return d;
}

void
pp_diffs_fini(struct pp_diffs *diffs)
{
	pp_vec_foreach (d, diffs) {
		free(d->key);
		free(d->here);
		free(d->there);
	}
	pp_vec_free(diffs);
}

const struct pp_diff *
pp_diffs_get(const struct pp_diffs *diffs, enum pp_diff_kind kind, const char *key)
{
	pp_vec_foreach (d, diffs)
		if (d->kind == kind && strcmp(d->key, key) == 0)
			return d;
	return NULL;
}

static char *
link_text(const struct pp_diff *d)
{
	if (d->here == NULL)
		return pp_asprintf(
		    "%s is used in place from %s in plugpkg.lock, not here", d->key, d->there);
	if (d->there == NULL)
		return pp_asprintf(
		    "%s is used in place from %s here, not in plugpkg.lock", d->key, d->here);
	return pp_asprintf(
	    "%s is used in place from %s, in plugpkg.lock from %s", d->key, d->here, d->there);
}

static char *
host_text(const struct pp_diff *d)
{
	if (d->here == NULL)
		return pp_asprintf("plugpkg.lock is for %s %s; this application does not have it",
		    d->key, d->there);
	if (d->there == NULL)
		return pp_asprintf("this application has %s %s; plugpkg.lock is for one without it",
		    d->key, d->here);
	return pp_asprintf(
	    "plugpkg.lock is for %s %s; this application has %s", d->key, d->there, d->here);
}

static char *
wish_text(const struct pp_diff *d)
{
	return d->here != NULL ? pp_asprintf("plugpkg.json wants %s %s, plugpkg.lock has %s",
				     d->key, d->there, d->here)
			       : pp_asprintf("plugpkg.json wants %s %s, plugpkg.lock has none",
				     d->key, d->there);
}

char *
pp_diff_text(const struct pp_diff *d)
{
	switch (d->kind) {
	case PP_DIFF_MISSING:
		return pp_asprintf("%s %s is missing", d->key, d->there);
	case PP_DIFF_VERSION:
		return pp_asprintf("%s is %s, not %s", d->key, d->here, d->there);
	case PP_DIFF_EXTRA:
		return pp_asprintf("%s %s is too much", d->key, d->here);
	case PP_DIFF_SOURCE:
		return pp_asprintf("%s comes from source '%s', in plugpkg.lock from '%s'", d->key,
		    d->here, d->there);
	case PP_DIFF_CONTENT:
		return pp_asprintf("%s %s has another digest in plugpkg.lock", d->key, d->here);
	case PP_DIFF_LINK:
		return link_text(d);
	case PP_DIFF_FILES:
		return pp_asprintf("the files of %s %s are gone", d->key, d->here);
	case PP_DIFF_MARK:
		return pp_asprintf("%s counts as %s, not as %s", d->key, d->here, d->there);
	case PP_DIFF_HOST:
		return host_text(d);
	case PP_DIFF_WISH:
		return wish_text(d);
	}
	return pp_xstrdup(d->key);
}

void
pp_diffs_rows(const struct pp_diffs *diffs, plugpkg_row_fn row, void *user)
{
	pp_vec_foreach (d, diffs) {
		PP_AUTO_FREE char *text = pp_diff_text(d);
		pp_json *one = pp_row_new("difference");
		pp_json_set_str(one, "kind", kind_names[d->kind]);
		pp_json_set_str(one, "name", d->key);
		pp_json_set_str(one, "here", d->here);
		pp_json_set_str(one, "there", d->there);
		pp_json_set_str(one, "text", text);
		pp_row(row, user, one);
	}
}

/* ---- against plugpkg.lock ---- */

static void
compare_host(struct pp_sync *s)
{
	const struct pp_deps *here = pp_host_known(s->ctx);

	pp_vec_foreach (d, &s->lock->host) {
		const struct pp_dep *mine = pp_deps_get(here, d->name);
		if (mine == NULL || pp_version_cmp(&mine->version, &d->version) != 0)
			add(s, PP_DIFF_HOST, d->name, mine != NULL ? mine->version.text : NULL,
			    d->version.text);
	}
	pp_vec_foreach (d, here)
		if (pp_deps_get(&s->lock->host, d->name) == NULL)
			add(s, PP_DIFF_HOST, d->name, d->version.text, NULL);
}

static void
compare_row(struct pp_sync *s, const struct pp_locked *row)
{
	const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, row->key);

	if (p == NULL || !pp_installed_is_usable(p)) {
		add(s, PP_DIFF_MISSING, row->key, NULL, row->version.text);
		return;
	}
	if (p->link_dir != NULL || row->link_dir != NULL) {
		if (p->link_dir == NULL || row->link_dir == NULL ||
		    strcmp(p->link_dir, row->link_dir) != 0)
			add(s, PP_DIFF_LINK, row->key, p->link_dir, row->link_dir);
		return;
	}
	if (strcmp(p->version, row->version.text) != 0)
		add(s, PP_DIFF_VERSION, row->key, p->version, row->version.text);
	else if (strcmp(p->sha256, row->sha256) != 0)
		add(s, PP_DIFF_CONTENT, row->key, p->version, row->version.text);
	else if (strcmp(p->source, row->source) != 0)
		add(s, PP_DIFF_SOURCE, row->key, p->source, row->source);
}

void
pp_sync_compare_lock(struct pp_sync *s)
{
	compare_host(s);
	pp_vec_foreach (row, &s->lock->plugins)
		compare_row(s, row);
	if ((s->flags & PLUGPKG_SYNC_NO_REMOVE) != 0)
		return;
	pp_vec_foreach (p, &s->making.inv.set)
		if (pp_installed_is_usable(*p) && pp_lockfile_get(s->lock, (*p)->key) == NULL)
			add(s, PP_DIFF_EXTRA, (*p)->key, (*p)->version, NULL);
}

static bool
in_range(const struct pp_dep *wish, const struct pp_version *v)
{
	return wish->range == NULL || pp_range_match(wish->range, v, true);
}

const struct pp_locked *
pp_sync_row_of(const struct pp_sync *s, const struct pp_dep *wish)
{
	const struct pp_locked *best = pp_lockfile_get(s->lock, wish->name);

	if (best != NULL)
		return best;
	/* A plain name means the highest of parallel majors that its range accepts. */
	pp_vec_foreach (row, &s->lock->plugins)
		if (strcmp(row->name, wish->name) == 0 && in_range(wish, &row->version) &&
		    (best == NULL || pp_version_cmp(&row->version, &best->version) > 0))
			best = row;
	return best;
}

/* The lock has to have what plugpkg.json wants. A virtual name is judged by what is here. */
static void
compare_wishes_with_lock(struct pp_sync *s)
{
	pp_vec_foreach (wish, &s->ctx->config->plugins) {
		const struct pp_locked *row = pp_sync_row_of(s, wish);
		if (row != NULL && (row->link_dir != NULL || in_range(wish, &row->version)))
			continue;
		size_t bound = row == NULL ? pp_inventory_bound(&s->making.inv, wish) : SIZE_MAX;
		if (bound != SIZE_MAX &&
		    pp_lockfile_get(s->lock, s->making.inv.set.at[bound]->key) != NULL)
			continue;
		add(s, PP_DIFF_WISH, wish->name, row != NULL ? row->version.text : NULL,
		    wish->text);
	}
}

/* ---- against plugpkg.json ---- */

bool
pp_sync_lock_fits(const struct pp_sync *s, const struct pp_locked *row)
{
	const struct pp_dep *wish = pp_deps_get(&s->ctx->config->plugins, row->key);

	if (wish == NULL)
		wish = pp_deps_get(&s->ctx->config->plugins, row->name);
	return row->link_dir == NULL && (wish == NULL || in_range(wish, &row->version));
}

bool
pp_sync_is_wished(const struct pp_sync *s, const char *key)
{
	PP_AUTO_FREE char *name = pp_key_name(key);

	return pp_deps_get(&s->ctx->config->plugins, key) != NULL ||
	       pp_deps_get(&s->ctx->config->plugins, name) != NULL;
}

static void
compare_wish(struct pp_sync *s, const struct pp_dep *wish)
{
	const struct pp_inventory *inv = &s->making.inv;
	size_t i = pp_installeds_index(&inv->set, wish->name);

	if (pp_key_has_major(wish->name)) {
		if (i == SIZE_MAX || !pp_installed_is_usable(inv->set.at[i]))
			add(s, PP_DIFF_MISSING, wish->name, NULL, wish->text);
		else if (!in_range(wish, &inv->releases.at[i]->version) &&
			 !pp_installed_is_held(inv->set.at[i], s->ctx->now))
			add(s, PP_DIFF_VERSION, wish->name, inv->set.at[i]->version, wish->text);
		return;
	}
	if (pp_inventory_bound(inv, wish) != SIZE_MAX)
		return;
	const struct pp_installed *p = pp_installeds_highest(&inv->set, wish->name);
	if (p == NULL || !pp_installed_is_usable(p))
		add(s, PP_DIFF_MISSING, wish->name, NULL, wish->text);
	else if (!pp_installed_is_held(p, s->ctx->now) && p->link_dir == NULL)
		add(s, PP_DIFF_VERSION, wish->name, p->version, wish->text);
}

struct reached {
	bool *is_reached; /* by place in the inventory */
	struct pp_vec(size_t) queue;
};

static void
reach(const struct pp_inventory *inv, struct reached *r, size_t place)
{
	if (place == SIZE_MAX || r->is_reached[place] ||
	    !pp_installed_is_usable(inv->set.at[place]))
		return;
	r->is_reached[place] = true;
	pp_vec_push(&r->queue, place);
}

/* By its own name only, and strictly: whom this does not reach, the long way may. */
static void
reach_all(const struct pp_inventory *inv, struct reached *r, const struct pp_deps *deps)
{
	pp_vec_foreach (dep, deps) {
		size_t place = pp_installeds_index(&inv->set, dep->name);
		if (place != SIZE_MAX &&
		    (dep->range == NULL ||
			pp_range_match(dep->range, &inv->releases.at[place]->version, false)))
			reach(inv, r, place);
	}
}

/*
 * Everything is wanted, or needed by what is: seen without asking `autoremove`. False: it is not
 * known.
 */
static bool
is_all_wanted(const struct pp_sync *s)
{
	const struct pp_inventory *inv = &s->making.inv;
	struct reached r = { .is_reached = pp_xcalloc(inv->set.n, sizeof(bool)) };
	bool is_all = true;

	for (size_t i = 0; i < inv->set.n; i++) {
		const struct pp_installed *p = inv->set.at[i];
		if (pp_key_has_major(p->key))
			is_all = false; /* which major who is bound to is no matter of names */
		else if (pp_installed_is_held(p, s->ctx->now) || p->link_dir != NULL ||
			 pp_deps_get(&s->ctx->config->plugins, p->key) != NULL)
			reach(inv, &r, i);
	}
	for (size_t i = 0; is_all && i < r.queue.n; i++) {
		reach_all(inv, &r, &inv->releases.at[r.queue.at[i]]->requires);
		reach_all(inv, &r, &inv->releases.at[r.queue.at[i]]->recommends);
	}
	for (size_t i = 0; is_all && i < inv->set.n; i++)
		is_all = r.is_reached[i] || !pp_installed_is_usable(inv->set.at[i]);
	pp_vec_free(&r.queue);
	free(r.is_reached);
	return is_all;
}

/* What nothing wants: the same answer as `autoremove` gives. What is left over stays that. */
static enum plugpkg_code
find_extra(struct pp_sync *s, plugpkg_error **err)
{
	if (is_all_wanted(s))
		return PLUGPKG_OK;
	const struct plugpkg_request request = { .verb = PLUGPKG_AUTOREMOVE };
	PP_AUTO(steps) struct pp_plan *plan = pp_plan_new();
	struct pp_making m = {
		.ctx = s->ctx,
		.request = &request,
		.plan = plan,
		.inv = s->making.inv, /* borrowed: m is never finished */
		.open = PP_SOURCES_OPEN_INIT,
	};
	enum plugpkg_code rc = pp_making_solve(&m, err);

	s->is_solved = true;
	pp_vec_foreach (step, &plan->steps) {
		const struct pp_installed *p = pp_installeds_get(&s->making.inv.set, step->key);
		if (p != NULL && pp_installed_is_usable(p))
			add(s, PP_DIFF_EXTRA, step->key, step->version, NULL);
	}
	return rc;
}

/* An installed version that plugpkg.lock has otherwise, while both would do. */
static void
compare_with_row(struct pp_sync *s, const struct pp_installed *p)
{
	const struct pp_locked *row = s->lock != NULL ? pp_lockfile_get(s->lock, p->key) : NULL;

	if (row == NULL || p->link_dir != NULL || pp_installed_is_held(p, s->ctx->now) ||
	    !pp_sync_lock_fits(s, row) || strcmp(p->version, row->version.text) == 0 ||
	    pp_diffs_get(&s->diffs, PP_DIFF_VERSION, p->key) != NULL)
		return;
	add(s, PP_DIFF_VERSION, p->key, p->version, row->version.text)->is_from_lock = true;
}

/* The names in the store, or in the directory of a scope there. */
struct shelf {
	char *dir;
	struct pp_strs names; /* sorted */
	int result;           /* of reading it */
};

static void
shelf_fini(struct shelf *shelf)
{
	free(shelf->dir);
	pp_strs_fini(&shelf->names);
}

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/*
 * One look at a directory for all plugins in it, as their number must not matter at each start of
 * an application: what is gone from within, `check` sees. Keys are sorted, so scopes come one after
 * the other.
 */
static bool
is_on_shelf(const struct pp_sync *s, struct shelf *shelf, const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;
	PP_AUTO_FREE char *scope = pp_xstrndup(name, (size_t)(base - name));
	PP_AUTO_FREE char *dir = pp_concat("store", slash != NULL ? "/" : "", scope);

	if (shelf->dir == NULL || strcmp(shelf->dir, dir) != 0) {
		shelf_fini(shelf);
		*shelf = (struct shelf){ .dir = pp_steal(&dir) };
		shelf->result = pp_list_dir(s->ctx->root_fd, shelf->dir, &shelf->names);
	}
	/* What cannot be read is not gone. */
	if (shelf->result < 0 && shelf->result != -ENOENT && shelf->result != -ENOTDIR)
		return true;
	return shelf->names.n > 0 &&
	       bsearch(&base, shelf->names.at, shelf->names.n, sizeof(base), by_name) != NULL;
}

/* What is the matter with an installed plugin itself, whatever asks for it. */
static void
compare_installed(struct pp_sync *s, const struct pp_installed *p, struct shelf *shelf)
{
	bool manual = pp_installed_wish(&s->making.inv.set, p, &s->ctx->config->plugins) != NULL;

	if (!pp_installed_is_usable(p) || pp_diffs_get(&s->diffs, PP_DIFF_EXTRA, p->key) != NULL)
		return;
	if (p->link_dir == NULL && pp_diffs_get(&s->diffs, PP_DIFF_VERSION, p->key) == NULL &&
	    !is_on_shelf(s, shelf, p->name))
		add(s, PP_DIFF_FILES, p->key, p->version, NULL);
	if (p->manual != manual)
		add(s, PP_DIFF_MARK, p->key, p->manual ? "manual" : "automatic",
		    manual ? "manual" : "automatic");
}

static enum plugpkg_code
compare_wanted(struct pp_sync *s, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (wish, &s->ctx->config->plugins)
		compare_wish(s, wish);
	if ((s->flags & PLUGPKG_SYNC_NO_REMOVE) == 0)
		rc = find_extra(s, err);
	pp_vec_foreach (p, &s->making.inv.set)
		if (pp_installed_is_usable(*p) &&
		    pp_diffs_get(&s->diffs, PP_DIFF_EXTRA, (*p)->key) == NULL)
			compare_with_row(s, *p);
	return rc;
}

static enum plugpkg_code
no_lock(struct pp_sync *s, plugpkg_error **err)
{
	(void)pp_fail(
	    err, PLUGPKG_E_LOCK_MISMATCH, 0, "there is no '%s/" PP_LOCKFILE "'", s->ctx->root);
	return pp_hint(err, PLUGPKG_E_LOCK_MISMATCH,
	    "plugpkg sync without --locked decides itself and writes it");
}

enum plugpkg_code
pp_sync_compare(struct pp_sync *s, plugpkg_error **err)
{
	PP_CLEANUP(shelf_fini) struct shelf shelf = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	if ((s->flags & PLUGPKG_SYNC_LOCKED) == 0) {
		rc = compare_wanted(s, err);
	} else if (s->lock == NULL) {
		return no_lock(s, err);
	} else {
		pp_sync_compare_lock(s);
		compare_wishes_with_lock(s);
	}
	pp_vec_foreach (p, &s->making.inv.set)
		compare_installed(s, *p, &shelf);
	return rc;
}
