/* SPDX-License-Identifier: MIT */
/* The request: its targets, and what it leaves as wanted in plugpkg.json. */
#include "lib/api/making.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MAX_BYTES 4096
#define MORE_MAX_BYTES    40

/* ---- targets ---- */

static enum plugpkg_code
check_target(const char *text, plugpkg_error **err)
{
	if (*text == '\0' || strchr("./~", *text) == NULL)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is a path, not the name of a plugin", text);
}

enum plugpkg_code
pp_making_targets(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_verb verb = m->request->verb;

	for (size_t i = 0; i < m->request->n_targets; i++) {
		const char *text = m->request->targets[i];
		struct pp_target *t = pp_vec_new(&m->targets);
		if (verb == PLUGPKG_INSTALL && pp_local_is_path(text)) {
			enum plugpkg_code rc = pp_making_local(m, text, t, err);
			if (rc != PLUGPKG_OK)
				return rc;
			continue;
		}
		enum plugpkg_code rc = check_target(text, err);
		if (rc == PLUGPKG_OK)
			rc = pp_target_parse(text, t, err);
		if (rc != PLUGPKG_OK)
			return rc;
		bool names_major = t->range != NULL && pp_key_valid(pp_str_of(text));
		if (verb != PLUGPKG_INSTALL && (t->is_removal || t->range != NULL) && !names_major)
			return pp_fail(err, PLUGPKG_E_USAGE, 0,
			    "'%s': %s takes names without a version", text, pp_verb_names[verb]);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_making_link(struct pp_making *m, plugpkg_error **err)
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
	if (!pp_is_utf8(m->link_dir, strlen(m->link_dir))) {
		enum plugpkg_code rc =
		    pp_fail(err, PLUGPKG_E_USAGE, 0, "the full path of '%s' is no UTF-8", dir);
		return pp_hint(err, rc, "history and journal could not say where it is: rename it");
	}
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

char *
pp_making_command(const struct plugpkg_request *request)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(COMMAND_MAX_BYTES + MORE_MAX_BYTES);
	size_t n = 0;

	pp_buf_adds(&text, pp_verb_names[request->verb]);
	if ((request->flags & PLUGPKG_ALL) != 0)
		pp_buf_adds(&text, " --all");
	while (n < request->n_targets && strlen(request->targets[n]) < COMMAND_MAX_BYTES - text.n)
		pp_buf_addf(&text, " %s", request->targets[n++]);
	if (n < request->n_targets)
		pp_buf_addf(&text, " (and %zu more)", request->n_targets - n);
	return pp_buf_steal(&text);
}

/* ---- purge ---- */

/* NAME or, with a major, NAME@MAJOR. */
static char *
key_of(const struct pp_target *t)
{
	return t->range != NULL ? pp_asprintf("%s@%s", t->name, t->range) : pp_xstrdup(t->name);
}

static bool
has_left_data(const struct pp_making *m, const char *key)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", key);

	return pp_inventory_release(&m->inv, key) == NULL &&
	       pp_exists_at(m->ctx->root_fd, dir) == 1;
}

static bool
has_left_pin(const struct pp_making *m, const char *name)
{
	pp_vec_foreach (p, &m->inv.set)
		if (strcmp((*p)->name, name) == 0)
			return false;
	return pp_pins_get(&m->owners, name) != NULL;
}

enum plugpkg_code
pp_making_left_data(struct pp_making *m, plugpkg_error **err)
{
	size_t n = 0;

	if (m->request->verb != PLUGPKG_PURGE)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_making_read_owners(m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (size_t i = 0; i < m->targets.n; i++) {
		struct pp_target *t = &m->targets.at[i];
		PP_AUTO_FREE char *key = key_of(t);
		bool is_pin = !has_left_data(m, key) && has_left_pin(m, t->name);
		if (!is_pin && !has_left_data(m, key)) {
			m->targets.at[n++] = *t;
			continue;
		}
		pp_strs_add(&m->plan->left_data, key);
		if (is_pin)
			pp_strs_add(&m->plan->left_pins, key);
		pp_target_fini(t);
	}
	m->targets.n = n;
	pp_strs_sort(&m->plan->left_pins);
	return PLUGPKG_OK;
}

/* By that target something is, or may be, meant that is installed. */
static bool
is_there(const struct pp_making *m, const struct pp_target *t, const char *key)
{
	if (t->range != NULL)
		return pp_inventory_release(&m->inv, key) != NULL;
	return pp_inventory_highest(&m->inv, t->name) != NULL;
}

static bool
take_back(struct pp_making *m, const char *key)
{
	if (pp_deps_get(&m->ctx->config->plugins, key) == NULL)
		return false;
	struct pp_wish *w = pp_vec_new(m->wishes);
	w->name = pp_xstrdup(key);
	return true;
}

void
pp_making_left_wishes(struct pp_making *m)
{
	size_t n = 0;

	if (m->request->verb != PLUGPKG_REMOVE && m->request->verb != PLUGPKG_PURGE)
		return;
	pp_vec_foreach (key, &m->plan->left_data)
		(void)take_back(m, *key);
	for (size_t i = 0; i < m->targets.n; i++) {
		struct pp_target *t = &m->targets.at[i];
		PP_AUTO_FREE char *key = key_of(t);
		if (!is_there(m, t, key) && take_back(m, key))
			pp_target_fini(t);
		else
			m->targets.at[n++] = *t;
	}
	m->targets.n = n;
}

/* ---- wishes ---- */

static void
wish(struct pp_making *m, const char *name, const char *range)
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
fits(const struct pp_range *range, const char *version)
{
	struct pp_version v = { 0 };
	bool is_in =
	    range == NULL || (pp_version_parse(pp_str_of(version), &v, NULL) == PLUGPKG_OK &&
				 pp_range_match(range, &v, true));

	pp_version_fini(&v);
	return is_in;
}

struct answer {
	const char *key, *version; /* views */
};

static void
consider(struct answer *best, const char *key, const char *version, const struct pp_range *range)
{
	if (fits(range, version) &&
	    (best->key == NULL || pp_version_cmp_text(version, best->version) > 0))
		*best = (struct answer){ key, version };
}

static bool
is_in_plan(const struct pp_making *m, const char *key)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (pp_step_concerns(step, key))
			return true;
	return false;
}

/* What a target came to: the highest of its name that will be there and fits; NULL: none. */
static const char *
answer_to(const struct pp_making *m, const struct pp_target *t)
{
	struct answer best = { 0 };
	struct pp_range *range = NULL;

	if (t->range != NULL)
		PP_IGNORE(pp_range_parse(pp_str_of(t->range), &range, NULL)); /* parsed before */
	pp_vec_foreach (step, &m->plan->steps)
		if (step->action != PP_REMOVE && strcmp(step->name, t->name) == 0)
			consider(&best, step->key, step->version, range);
	pp_vec_foreach (p, &m->inv.set)
		if (strcmp((*p)->name, t->name) == 0 && !is_in_plan(m, (*p)->key))
			consider(&best, (*p)->key, (*p)->version, range);
	pp_range_free(range);
	return best.key;
}

/* NAME@MAJOR says it all: the range is for those who want less than the major. */
/* A version that was named by its file is nothing that a later upgrade has to keep to. */
static bool
is_local(const struct pp_making *m, const char *name)
{
	pp_vec_foreach (l, &m->locals)
		if (strcmp(l->manifest->release->name, name) == 0)
			return true;
	return false;
}

static void
wish_target(struct pp_making *m, const struct pp_target *t, const char *key)
{
	PP_AUTO_FREE char *asked = key_of(t);

	if (is_local(m, t->name)) {
		wish(m, key, NULL);
		return;
	}
	/* A plain name in plugpkg.json means the highest, and so does this. */
	if (t->range == NULL && pp_deps_get(&m->ctx->config->plugins, t->name) != NULL)
		return;
	wish(m, key, strcmp(asked, key) == 0 && pp_key_has_major(key) ? "*" : t->range);
}

/* A plugin that ceases to declare parallel majors is wanted on as what it is then. */
static void
wish_moved(struct pp_making *m)
{
	pp_vec_foreach (step, &m->plan->steps) {
		const struct pp_dep *wanted = NULL;
		if (step->old_key != NULL && !pp_key_has_major(step->key))
			wanted = pp_deps_get(&m->ctx->config->plugins, step->old_key);
		if (wanted != NULL)
			wish(m, step->key, wanted->text);
	}
}

/*
 * Who asks for a virtual name gets a plugin that provides it; that one is what he wants from then
 * on.
 */
static void
wish_provider(struct pp_making *m, const char *name)
{
	bool is_found = false;

	pp_vec_foreach (step, &m->plan->steps) {
		if (step->why != PP_WHY_REQUESTED || step->action == PP_REMOVE ||
		    pp_json_get(pp_json_get(step->row, "provides"), name) == NULL)
			continue;
		wish(m, step->key, NULL);
		is_found = true;
	}
	for (size_t i = 0; !is_found && i < m->inv.releases.n; i++)
		if (pp_deps_get(&m->inv.releases.at[i]->provides, name) != NULL)
			wish(m, m->inv.set.at[i]->key, NULL);
}

static bool
range_takes(const struct pp_dep *wanted, const char *text)
{
	struct pp_version version;

	if (wanted->range == NULL ||
	    pp_version_parse(pp_str_of(text), &version, NULL) != PLUGPKG_OK)
		return false;
	bool takes = pp_range_match(wanted->range, &version, false);
	pp_version_fini(&version);
	return takes;
}

/*
 * A plugin that takes the place of a wanted one of another name is wanted from then on, in the old
 * range where that fits the new version.
 */
static void
wish_renamed(struct pp_making *m)
{
	pp_vec_foreach (gone, &m->plan->steps) {
		if (gone->action != PP_REMOVE || gone->why != PP_WHY_REPLACED ||
		    gone->because == NULL || !gone->manual)
			continue;
		const struct pp_dep *wanted = pp_deps_get(&m->ctx->config->plugins, gone->key);
		PP_AUTO_FREE char *name = pp_key_name(gone->because);
		PP_AUTO_FREE char *old_name = pp_key_name(gone->key);
		if (strcmp(name, old_name) == 0)
			continue;
		pp_vec_foreach (new, &m->plan->steps) {
			if (new->action == PP_REMOVE || strcmp(new->key, gone->because) != 0)
				continue;
			bool fits = wanted != NULL && range_takes(wanted, new->version);
			wish(m, new->key, fits ? wanted->text : NULL);
		}
	}
}

void
pp_making_wishes(struct pp_making *m)
{
	if (m->link != NULL)
		wish(m, pp_release_key(m->link->release), NULL);
	wish_moved(m);
	wish_renamed(m);
	if (m->request->verb != PLUGPKG_INSTALL)
		return;
	pp_vec_foreach (t, &m->targets) {
		bool is_only_upgrade = (m->request->flags & PLUGPKG_ONLY_UPGRADE) != 0;
		if (t->is_removal || (is_only_upgrade && t->range == NULL))
			continue;
		const char *key = answer_to(m, t);
		if (key != NULL)
			wish_target(m, t, key);
		else
			wish_provider(m, t->name);
	}
}
