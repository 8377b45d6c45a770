/* SPDX-License-Identifier: MIT */
/*
 * From a request to a plan, and from a plan to a transaction. Making a plan changes nothing but the
 * cache.
 */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/solve/solve.h"
#include "lib/txn/inventory.h"
#include "lib/txn/txn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct plugpkg_plan {
	plugpkg_context *ctx;
	struct pp_plan *plan;
	struct pp_wishes wishes;
	char *command; /* "install photos" */
};
PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);

static const char *const verb_names[] = {
	[PLUGPKG_INSTALL] = "install",
	[PLUGPKG_REMOVE] = "remove",
	[PLUGPKG_PURGE] = "purge",
	[PLUGPKG_UPGRADE] = "upgrade",
	[PLUGPKG_AUTOREMOVE] = "autoremove",
	[PLUGPKG_LINK] = "link",
};

/* All that one plugpkg_plan_make() holds while it works. */
struct making {
	plugpkg_context *ctx;
	const struct plugpkg_request *request;
	struct pp_plan *plan;     /* borrowed */
	struct pp_wishes *wishes; /* borrowed */
	struct pp_inventory inv;
	struct pp_sources_open open;
	struct pp_vec(struct pp_target) targets;
	struct pp_manifest *link; /* PLUGPKG_LINK */
	char *link_dir;
};

static void
making_fini(struct making *m)
{
	pp_inventory_fini(&m->inv);
	pp_sources_open_fini(&m->open);
	pp_vec_foreach (t, &m->targets)
		pp_target_fini(t);
	pp_vec_free(&m->targets);
	pp_manifest_free(m->link);
	free(m->link_dir);
}

static bool
is_removal(const struct making *m)
{
	enum plugpkg_verb verb = m->request->verb;

	return verb == PLUGPKG_REMOVE || verb == PLUGPKG_PURGE || verb == PLUGPKG_AUTOREMOVE;
}

/* ---- the request ---- */

static enum plugpkg_code
check_target(const struct making *m, const char *text, plugpkg_error **err)
{
	if (*text == '\0' || strchr("./~", *text) == NULL)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is a path, not the name of a plugin", text);
	if (m->request->verb == PLUGPKG_INSTALL)
		return pp_hint(err, PLUGPKG_E_USAGE,
		    "a plugin's source directory is used in place with plugpkg link DIR");
	return PLUGPKG_E_USAGE;
}

static enum plugpkg_code
parse_targets(struct making *m, plugpkg_error **err)
{
	enum plugpkg_verb verb = m->request->verb;

	for (size_t i = 0; i < m->request->n_targets; i++) {
		const char *text = m->request->targets[i];
		struct pp_target *t = pp_vec_new(&m->targets);
		enum plugpkg_code rc = check_target(m, text, err);
		if (rc == PLUGPKG_OK)
			rc = pp_target_parse(text, t, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (verb != PLUGPKG_INSTALL && (t->is_removal || t->range != NULL))
			return pp_fail(err, PLUGPKG_E_USAGE, 0,
			    "'%s': %s takes names without a version", text, verb_names[verb]);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_link(struct making *m, plugpkg_error **err)
{
	if (m->request->n_targets != 1)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "link takes one directory, not %zu",
		    m->request->n_targets);
	const char *dir = m->request->targets[0];
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	m->link_dir = realpath(dir, NULL);
	if (m->link_dir == NULL)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open '%s'", dir);
	PP_AUTO_FD int fd = openat(AT_FDCWD, m->link_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", m->link_dir);

	PP_AUTO_FREE char *file = pp_asprintf("%s/plugin.json", m->link_dir);
	int r = pp_read_file_at(fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(err, r == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, -r,
		    "cannot read '%s'", file);
	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	return pp_manifest_parse(bytes, file, &m->link, err);
}

static char *
command_text(const struct plugpkg_request *request)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);

	pp_buf_adds(&text, verb_names[request->verb]);
	if ((request->flags & PLUGPKG_ALL) != 0)
		pp_buf_adds(&text, " --all");
	for (size_t i = 0; i < request->n_targets; i++)
		pp_buf_addf(&text, " %s", request->targets[i]);
	return pp_buf_steal(&text);
}

/* ---- the world ---- */

static enum plugpkg_code
releases_of(void *user, const char *name, struct pp_releases *out, struct pp_strs *out_providers,
    plugpkg_error **err)
{
	return pp_catalog_releases(user, name, out, out_providers, err);
}

static enum plugpkg_code
names_of(void *user, struct pp_strs *out, plugpkg_error **err)
{
	return pp_catalog_names(user, out, err);
}

struct world {
	struct pp_vec(struct pp_solve_installed) installed;
	struct pp_vec(struct pp_solve_source) sources;
};

static void
world_fini(struct world *w)
{
	pp_vec_free(&w->installed);
	pp_vec_free(&w->sources);
}

static void
build_world(const struct making *m, struct world *w)
{
	for (size_t i = 0; i < m->inv.set.n; i++) {
		const struct pp_installed *p = m->inv.set.at[i];
		/* A leftover cannot be used by others; it is there only for who wants it gone. */
		if (!pp_installed_is_usable(p) && !is_removal(m))
			continue;
		struct pp_solve_installed one = {
			.release = m->inv.releases.at[i],
			.source = p->source,
			.manual = pp_deps_get(&m->ctx->config->plugins, p->name) != NULL,
			.hold = pp_installed_is_held(p, m->ctx->now),
			.hold_until = p->hold_until,
			.linked = p->link_dir != NULL,
		};
		pp_vec_push(&w->installed, one);
	}
	pp_vec_foreach (c, &m->open.catalogs) {
		const struct pp_source *source = pp_catalog_source(*c);
		struct pp_solve_source one = {
			.name = source->name,
			.priority = source->priority,
			.user = *c,
			.releases = releases_of,
			.names = names_of,
		};
		pp_vec_push(&w->sources, one);
	}
}

static enum plugpkg_code
solve(struct making *m, plugpkg_error **err)
{
	PP_CLEANUP(world_fini) struct world w = { 0 };
	build_world(m, &w);
	struct pp_solve_world world = {
		.installed = w.installed.at,
		.n_installed = w.installed.n,
		.host = &m->ctx->config->provides,
		.sources = w.sources.at,
		.n_sources = w.sources.n,
		.wanted = &m->ctx->config->plugins,
	};
	struct pp_solve_request request = {
		.verb = m->request->verb,
		.flags = m->request->flags,
		.targets = m->targets.at,
		.n_targets = m->targets.n,
		.link = m->link != NULL ? m->link->release : NULL,
	};
	enum plugpkg_code rc = pp_solve(m->ctx, &world, &request, m->plan, err);
	if (rc == PLUGPKG_E_NOT_FOUND && w.sources.n == 0)
		return pp_hint(err, rc, "this root has no source yet: plugpkg source add NAME URL");
	return rc;
}

/* ---- details of what was chosen ---- */

static struct pp_catalog *
catalog_of(const struct making *m, const char *source)
{
	pp_vec_foreach (c, &m->open.catalogs)
		if (source != NULL && strcmp(pp_catalog_source(*c)->name, source) == 0)
			return *c;
	return NULL;
}

static bool
is_fetched(const struct pp_step *step)
{
	return step->action != PP_REMOVE && step->link_dir == NULL;
}

/* One round of requests for all details that a source has to give. */
static enum plugpkg_code
prefetch(struct making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->open.catalogs.n; i++) {
		struct pp_catalog *c = m->open.catalogs.at[i];
		PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
		pp_vec_foreach (step, &m->plan->steps)
			if (is_fetched(step) && catalog_of(m, step->source) == c)
				pp_strs_add(&names, step->name);
		if (names.n > 0)
			rc = pp_catalog_prefetch(c, &names, PP_LAYER_DETAILS, err);
	}
	return rc;
}

static enum plugpkg_code
copy_digest(const pp_json *details, const char *key, char out[65], const struct pp_step *step,
    plugpkg_error **err)
{
	const char *hex = pp_json_get_str(details, key);

	if (hex == NULL || !pp_is_sha256(hex))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index of source '%s': %s %s has no sound \"%s\"", step->source, step->name,
		    step->version, key);
	memcpy(out, hex, 65);
	return PLUGPKG_OK;
}

static enum plugpkg_code
copy_count(const pp_json *details, const char *key, uint64_t *out, const struct pp_step *step,
    plugpkg_error **err)
{
	int64_t n = pp_json_get_int(details, key, -1);

	if (n < 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index of source '%s': %s %s has no sound \"%s\"", step->source, step->name,
		    step->version, key);
	*out = (uint64_t)n;
	return PLUGPKG_OK;
}

/* Better refused than half done: nothing that an author wrote is silently left out. */
static enum plugpkg_code
check_scripts(const pp_json *details, const struct pp_step *step, plugpkg_error **err)
{
	const pp_json *kinds = pp_json_get(details, "scripts");

	for (size_t i = 0; i < pp_json_len(kinds); i++) {
		const char *kind = pp_json_string(pp_json_at(kinds, i));
		if (kind != NULL && pp_starts_with(kind, "post-"))
			return pp_fail(err, PLUGPKG_E_REFUSED, 0,
			    "%s %s needs post-install levels, which this plugpkg does not run yet",
			    step->name, step->version);
	}
	return PLUGPKG_OK;
}

/* A published version never changes: other content under an installed one is attack or accident. */
static enum plugpkg_code
check_same_content(const struct making *m, const struct pp_step *step, plugpkg_error **err)
{
	const struct pp_installed *p = pp_installeds_get(&m->inv.set, step->name);

	if (p == NULL || *p->sha256 == '\0' || strcmp(p->version, step->version) != 0 ||
	    strcmp(p->source, step->source) != 0 || strcmp(p->sha256, step->sha256) == 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_DIGEST, 0,
	    "source '%s' offers other content as %s %s than was installed from it", step->source,
	    step->name, step->version);
	return pp_hint(
	    err, PLUGPKG_E_DIGEST, "ask the publisher; a published version never changes");
}

static enum plugpkg_code
fill_step(struct pp_catalog *c, struct pp_step *step, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	PP_AUTO_JSON pp_json *details = NULL;
	enum plugpkg_code rc =
	    pp_catalog_rows(c, step->name, step->version, &planning, &details, err);
	if (rc == PLUGPKG_OK)
		rc = copy_digest(details, "sha256", step->sha256, step, err);
	if (rc == PLUGPKG_OK)
		rc = copy_digest(details, "manifest", step->manifest_sha256, step, err);
	if (rc == PLUGPKG_OK)
		rc = copy_count(details, "size", &step->size_bytes, step, err);
	if (rc == PLUGPKG_OK)
		rc = copy_count(details, "unpacked", &step->unpacked_bytes, step, err);
	if (rc == PLUGPKG_OK)
		rc = copy_count(details, "files", &step->files, step, err);
	if (rc == PLUGPKG_OK)
		rc = check_scripts(details, step, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json_free(step->row);
	step->row = pp_steal(&planning);
	return PLUGPKG_OK;
}

static enum plugpkg_code
fill_details(struct making *m, plugpkg_error **err)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (step->source != NULL && strcmp(step->source, "link") == 0)
			step->link_dir = pp_xstrdup(m->link_dir);
	enum plugpkg_code rc = prefetch(m, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->plan->steps.n; i++) {
		struct pp_step *step = &m->plan->steps.at[i];
		if (!is_fetched(step))
			continue;
		struct pp_catalog *c = catalog_of(m, step->source);
		rc = c != NULL ? fill_step(c, step, err)
			       : pp_fail(err, PLUGPKG_E_FAILED, 0,
				     "the plan takes %s %s from an unknown source", step->name,
				     step->version);
		if (rc == PLUGPKG_OK)
			rc = check_same_content(m, step, err);
	}
	return rc;
}

/* ---- wishes ---- */

static void
wish(struct making *m, const char *name, const char *range)
{
	const struct pp_dep *wanted = pp_deps_get(&m->ctx->config->plugins, name);

	/* Without a range of its own, a request leaves the range that somebody chose before. */
	if (wanted != NULL && (range == NULL || strcmp(wanted->text, range) == 0))
		return;
	struct pp_wish *w = pp_vec_new(m->wishes);
	w->name = pp_xstrdup(name);
	w->range = pp_xstrdup(range != NULL ? range : "*");
}

static bool
is_in_plan(const struct making *m, const char *name)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (step->action != PP_REMOVE && strcmp(step->name, name) == 0)
			return true;
	return false;
}

/*
 * Who asks for a virtual name gets a plugin that provides it; that one is what he wants from then
 * on.
 */
static void
wish_provider(struct making *m, const char *name)
{
	bool is_found = false;

	pp_vec_foreach (step, &m->plan->steps) {
		if (step->why != PP_WHY_REQUESTED || step->action == PP_REMOVE ||
		    pp_json_get(pp_json_get(step->row, "provides"), name) == NULL)
			continue;
		wish(m, step->name, NULL);
		is_found = true;
	}
	for (size_t i = 0; !is_found && i < m->inv.releases.n; i++)
		if (pp_deps_get(&m->inv.releases.at[i]->provides, name) != NULL)
			wish(m, m->inv.releases.at[i]->name, NULL);
}

static void
make_wishes(struct making *m)
{
	if (m->link != NULL)
		wish(m, m->link->release->name, NULL);
	if (m->request->verb != PLUGPKG_INSTALL)
		return;
	pp_vec_foreach (t, &m->targets) {
		if (t->is_removal)
			continue;
		if (is_in_plan(m, t->name) || pp_inventory_release(&m->inv, t->name) != NULL)
			wish(m, t->name, t->range);
		else
			wish_provider(m, t->name);
	}
}

/* ---- purge ---- */

static bool
has_left_data(const struct making *m, const char *name)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", name);

	return pp_inventory_release(&m->inv, name) == NULL &&
	       pp_exists_at(m->ctx->root_fd, dir) == 1;
}

/* `remove` leaves a plugin's data; a later `purge` finds no plugin any more, but the data. */
static void
take_left_data(struct making *m)
{
	size_t n = 0;

	if (m->request->verb != PLUGPKG_PURGE)
		return;
	for (size_t i = 0; i < m->targets.n; i++) {
		struct pp_target *t = &m->targets.at[i];
		if (!has_left_data(m, t->name)) {
			m->targets.at[n++] = *t;
			continue;
		}
		pp_strs_add(&m->plan->left_data, t->name);
		pp_target_fini(t);
	}
	m->targets.n = n;
}

/* Nothing but data is left to go. */
static bool
is_settled(const struct making *m)
{
	return m->targets.n == 0 && m->plan->left_data.n > 0;
}

/* ---- public ---- */

static enum plugpkg_code
make(struct making *m, plugpkg_error **err)
{
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_state_get(m->ctx, &state, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_generation(state, &m->plan->generation, err);
	if (rc == PLUGPKG_OK)
		rc = m->request->verb == PLUGPKG_LINK ? read_link(m, err) : parse_targets(m, err);
	if (rc == PLUGPKG_OK)
		rc = pp_inventory_load(m->ctx, &m->inv, err);
	/* What leaves needs no source: a root can be emptied without network and after expiry. */
	if (rc == PLUGPKG_OK && !is_removal(m))
		rc = pp_sources_load(m->ctx, false, &m->open, err);
	if (rc == PLUGPKG_OK)
		take_left_data(m);
	if (rc == PLUGPKG_OK && !is_settled(m))
		rc = solve(m, err);
	if (rc == PLUGPKG_OK)
		rc = fill_details(m, err);
	if (rc == PLUGPKG_OK)
		make_wishes(m);
	return rc;
}

enum plugpkg_code
plugpkg_plan_make(plugpkg_context *ctx, const struct plugpkg_request *request,
    plugpkg_plan **out_plan, plugpkg_error **err)
{
	PP_AUTO(plan) plugpkg_plan *plan = pp_xcalloc(1, sizeof(*plan));
	plan->ctx = ctx;
	plan->plan = pp_plan_new();
	plan->plan->is_purge = request->verb == PLUGPKG_PURGE;
	plan->command = command_text(request);

	PP_CLEANUP(making_fini)
	struct making m = {
		.ctx = ctx,
		.request = request,
		.plan = plan->plan,
		.wishes = &plan->wishes,
		.open = PP_SOURCES_OPEN_INIT,
	};
	enum plugpkg_code rc = make(&m, err);
	if (rc == PLUGPKG_OK)
		*out_plan = pp_steal(&plan);
	return rc;
}

void
plugpkg_plan_rows(const plugpkg_plan *plan, plugpkg_row_fn row, void *user)
{
	/* What will stand in plugpkg.json as asked for. */
	pp_vec_foreach (w, &plan->wishes) {
		pp_json *one = pp_row_new("wanted");
		pp_json_set_str(one, "name", w->name);
		pp_json_set_str(one, "range", w->range);
		pp_row(row, user, one);
	}
	pp_plan_to_rows(plan->plan, row, user);
}

size_t
plugpkg_plan_count(const plugpkg_plan *plan)
{
	/* To mark what is installed as asked for is something to do as well. */
	size_t n = plan->plan->steps.n + plan->plan->left_data.n;

	return n > 0 ? n : plan->wishes.n;
}

size_t
plugpkg_plan_count_dangerous(const plugpkg_plan *plan)
{
	size_t n = plan->plan->left_data.n;

	pp_vec_foreach (step, &plan->plan->steps)
		if (step->action == PP_DOWNGRADE ||
		    (step->action == PP_REMOVE && step->why != PP_WHY_REQUESTED))
			n++;
	return n;
}

enum plugpkg_code
plugpkg_plan_commit(plugpkg_plan *plan, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct pp_txn_spec spec = {
		.plan = plan->plan,
		.wishes = &plan->wishes,
		.command = plan->command,
		.row = row,
		.user = user,
	};

	return pp_txn_run(plan->ctx, &spec, err);
}

void
plugpkg_plan_free(plugpkg_plan *plan)
{
	if (plan == NULL)
		return;
	pp_plan_free(plan->plan);
	pp_wishes_fini(&plan->wishes);
	free(plan->command);
	free(plan);
}
