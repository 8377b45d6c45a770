/* SPDX-License-Identifier: MIT */
/*
 * Where the files of a former generation are: in the store as a rule. What is missing there, or
 * damaged, comes from the cache or from its source, by the digest that it had.
 */
#include "lib/api/rollback.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/net/cache.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static bool
runs_scripts(const struct pp_installed *p)
{
	return pp_json_len(pp_json_get(p->manifest, "scripts")) > 0 ||
	       pp_json_len(pp_json_get(p->manifest, "on")) > 0;
}

/*
 * What stands in the store was complete and durable before a generation led to it, and is never
 * changed: like the plugins in use it is not read anew at each switch, that is `check`'s work. What
 * plugpkg itself is about to run is read first.
 */
static bool
is_in_store(struct pp_going *g, const struct pp_installed *p)
{
	PP_AUTO_FD int fd = -1;
	char sha256[65];

	if (!runs_scripts(p))
		return pp_store_has(g->ctx, p->name, p->version) == 1;
	return pp_store_open(g->ctx, p->name, p->version, &fd, NULL) == PLUGPKG_OK &&
	       pp_store_tree_digest(fd, sha256, NULL) == PLUGPKG_OK &&
	       strcmp(sha256, p->tree_sha256) == 0;
}

static bool
is_in_cache(struct pp_going *g, const struct pp_installed *p, uint64_t *out_size)
{
	PP_AUTO_FD int cache_fd = pp_opendir_at(g->ctx->root_fd, "var/cache");
	struct stat st;

	if (cache_fd < 0 || !pp_is_sha256(p->sha256) ||
	    fstatat(cache_fd, p->sha256, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	const struct pp_cache cache = { cache_fd, g->ctx->is_dry_run };
	PP_AUTO_FD int fd = pp_cache_open(cache, p->sha256, (uint64_t)st.st_size, NULL);
	*out_size = (uint64_t)st.st_size;
	return fd >= 0;
}

static enum plugpkg_code
supply_link(
    const struct pp_going *g, struct pp_step *s, const struct pp_installed *p, plugpkg_error **err)
{
	s->link_dir = pp_xstrdup(p->link_dir);
	if (pp_exists_at(AT_FDCWD, p->link_dir) == 1)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
	    "generation %" PRId64 " uses %s in '%s', which is gone", g->target, p->key,
	    p->link_dir);
}

enum plugpkg_code
pp_going_supply(
    struct pp_going *g, struct pp_step *s, const struct pp_installed *p, plugpkg_error **err)
{
	if (p->link_dir != NULL)
		return supply_link(g, s, p, err);
	s->row = pp_release_row(p->manifest);
	s->unpacked_bytes = p->bytes;
	s->files = p->files;
	memcpy(s->tree_sha256, p->tree_sha256, strnlen(p->tree_sha256, 64));
	if (pp_is_sha256(p->sha256))
		memcpy(s->sha256, p->sha256, 65);
	s->is_stored = is_in_store(g, p);
	s->manifest = s->is_stored ? pp_json_ref(p->manifest) : NULL;
	s->is_cached = !s->is_stored && is_in_cache(g, p, &s->size_bytes);
	return PLUGPKG_OK;
}

/* ---- fetching ---- */

static bool
is_missing(const struct pp_step *s)
{
	return s->action != PP_REMOVE && s->link_dir == NULL && !s->is_stored && !s->is_cached;
}

static bool
has_source(const struct pp_going *g, const struct pp_step *s)
{
	return s->source != NULL && pp_config_source(g->ctx->config, s->source) != NULL;
}

static enum plugpkg_code
take_details(struct pp_step *to, const struct pp_step *from, plugpkg_error **err)
{
	if (strcmp(to->sha256, from->sha256) != 0) {
		(void)pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "source '%s' offers other content as %s %s than was installed from it",
		    from->source, from->name, from->version);
		return pp_hint(
		    err, PLUGPKG_E_DIGEST, "ask the publisher; a published version never changes");
	}
	to->size_bytes = from->size_bytes;
	return PLUGPKG_OK;
}

static void
auto_plan(struct pp_plan **plan)
{
	pp_plan_free(*plan);
}

/* The sizes that the index gives; an old index is good enough for what has a known digest. */
static enum plugpkg_code
ask_sources(struct pp_going *g, plugpkg_error **err)
{
	PP_CLEANUP(auto_plan) struct pp_plan *plan = pp_plan_new();
	PP_CLEANUP(pp_making_fini)
	struct pp_making m = { .ctx = g->ctx, .plan = plan, .open = PP_SOURCES_OPEN_INIT };
	enum plugpkg_code rc = pp_sources_load(g->ctx, true, &m.open, err);
	size_t i = 0;

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (s, &g->plan->steps)
		if (is_missing(s)) {
			struct pp_step *copy = pp_plan_add(plan, s->action, s->key, s->version);
			copy->source = pp_xstrdup(s->source);
		}
	rc = pp_making_details(&m, err);
	pp_vec_foreach (s, &g->plan->steps)
		if (rc == PLUGPKG_OK && is_missing(s))
			rc = take_details(s, &plan->steps.at[i++], err);
	return rc;
}

static enum plugpkg_code
tell_missing(const struct pp_going *g, const char *names, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
	    "generation %" PRId64
	    " cannot come back, its files are not here any more as they were installed: %s",
	    g->target, names);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND,
	    "nothing was changed; plugpkg history lists the other generations");
}

enum plugpkg_code
pp_going_fetch(struct pp_going *g, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf lost = PP_BUF_INIT(65536), missing = PP_BUF_INIT(65536);

	pp_vec_foreach (s, &g->plan->steps) {
		if (!is_missing(s))
			continue;
		pp_buf_addf(&missing, "%s%s %s", missing.n > 0 ? ", " : "", s->key, s->version);
		if (!has_source(g, s))
			pp_buf_addf(&lost, "%s%s %s (from '%s')", lost.n > 0 ? ", " : "", s->key,
			    s->version, s->source);
	}
	if (lost.n > 0)
		return tell_missing(g, pp_buf_cstr(&lost), err);
	if (missing.n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = ask_sources(g, err);
	if (rc == PLUGPKG_OK)
		return rc;
	return pp_wrap(err, rc,
	    "generation %" PRId64
	    " cannot come back, its files are not here any more as they were installed (%s)",
	    g->target, pp_buf_cstr(&missing));
}
