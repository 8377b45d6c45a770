/* SPDX-License-Identifier: MIT */
/* The root and its sources as the solver sees them. */
#include "lib/api/making.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/solve/dump.h"
#include "lib/txn/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S          86400
#define DUMP_MAX_BYTES (64UL * 1024 * 1024)

/* What a callback of the solver needs to know. */
struct pp_world_source {
	const struct pp_making *making;
	struct pp_catalog *catalog; /* NULL: the local files */
};

static enum plugpkg_code
releases_of(void *user, const char *name, struct pp_releases *out, struct pp_strs *out_providers,
    plugpkg_error **err)
{
	const struct pp_world_source *a = user;

	if (a->catalog == NULL)
		return pp_making_local_releases(a->making, name, out, out_providers, err);
	enum plugpkg_code rc =
	    pp_catalog_releases(a->catalog, name, out, out_providers, out_providers, err);

	if (rc == PLUGPKG_OK && a->making->pins != NULL)
		pp_making_pin(a->making, pp_catalog_source(a->catalog)->name, out, out_providers);
	return rc;
}

static enum plugpkg_code
names_of(void *user, struct pp_strs *out, plugpkg_error **err)
{
	const struct pp_world_source *a = user;

	if (a->catalog == NULL) {
		pp_making_local_names(a->making, out);
		return PLUGPKG_OK;
	}
	return pp_catalog_names(a->catalog, out, err);
}

static enum plugpkg_code
expect_of(void *user, const struct pp_strs *names, plugpkg_error **err)
{
	const struct pp_world_source *a = user;

	return a->catalog != NULL ? pp_catalog_expect(a->catalog, names, err) : PLUGPKG_OK;
}

void
pp_world_fini(struct pp_world *w)
{
	pp_vec_free(&w->installed);
	pp_vec_free(&w->sources);
	pp_strs_fini(&w->except);
	pp_strs_fini(&w->words);
	free(w->asked);
}

static void
add_source(struct pp_world *w, const struct pp_making *m, struct pp_catalog *c)
{
	const struct pp_source *source = c != NULL ? pp_catalog_source(c) : NULL;
	struct pp_world_source *asked = &w->asked[w->sources.n];

	*asked = (struct pp_world_source){ m, c };
	pp_vec_push(&w->sources, ((struct pp_solve_source){
				     .name = source != NULL ? source->name : PP_SOURCE_FILE,
				     .priority = source != NULL ? source->priority : INT_MAX,
				     .user = asked,
				     .releases = releases_of,
				     .names = names_of,
				     .expect = expect_of,
				 }));
}

/* A leftover cannot be used by others; it is there only for who wants it gone. */
void
pp_world_init(const struct pp_making *m, struct pp_world *w)
{
	const struct pp_inventory *inv = &m->inv;
	plugpkg_context *ctx = m->ctx;

	*w = (struct pp_world){ 0 };
	for (size_t i = 0; i < inv->set.n; i++) {
		const struct pp_installed *p = inv->set.at[i];
		if (!pp_installed_is_usable(p) && !pp_making_is_removal(m))
			continue;
		pp_vec_push(&w->installed,
		    ((struct pp_solve_installed){
			.release = inv->releases.at[i],
			.source = p->source,
			.manual = pp_installed_wish(&inv->set, p, &ctx->config->plugins) != NULL,
			.hold =
			    pp_installed_is_held(p, ctx->now) || pp_strs_has(&m->delayed, p->key),
			.hold_until = p->hold_until,
			.linked = p->link_dir != NULL,
		    }));
	}
	w->asked = pp_xcalloc(m->open.catalogs.n + 1, sizeof(*w->asked));
	/* Whoever names a file means that one: it is above all sources. */
	if (m->locals.n > 0)
		add_source(w, m, NULL);
	pp_vec_foreach (c, &m->open.catalogs)
		add_source(w, m, *c);
	w->world = (struct pp_solve_world){
		.installed = w->installed.at,
		.n_installed = w->installed.n,
		.host = pp_host_known(ctx),
		.sources = w->sources.at,
		.n_sources = w->sources.n,
		.wanted = &ctx->config->plugins,
	};
}

/* Ages: what the request says, else what plugpkg.json says. */
static void
set_ages(const struct pp_making *m, struct pp_world *w, struct pp_solve_request *out)
{
	const struct plugpkg_request *asked = m->request;
	const plugpkg_context *ctx = m->ctx;
	int days = asked->min_age_days != 0 ? asked->min_age_days : ctx->config->min_age_days;

	pp_vec_foreach (pattern, &ctx->config->min_age_except)
		pp_strs_add(&w->except, *pattern);
	for (size_t i = 0; i < asked->n_min_age_except; i++)
		pp_strs_add(&w->except, asked->min_age_except[i]);
	if (asked->min_age_days > 0)
		pp_strs_take(&w->words, pp_asprintf("--min-age=%d", days));
	else if (asked->min_age_days < 0)
		pp_strs_add(&w->words, "--min-age=0");
	for (size_t i = 0; i < asked->n_min_age_except; i++)
		pp_strs_take(
		    &w->words, pp_asprintf("--min-age-except=%s", asked->min_age_except[i]));
	out->now = ctx->now;
	out->min_age_s = days > 0 ? (int64_t)days * DAY_S : 0;
	out->min_age_except = &w->except;
	out->min_age_words = &w->words;
}

void
pp_world_request(const struct pp_making *m, struct pp_world *w, struct pp_solve_request *out)
{
	*out = (struct pp_solve_request){
		.verb = m->request->verb,
		.flags = m->request->flags,
		.targets = m->targets.at,
		.n_targets = m->targets.n,
		.link = m->link != NULL ? m->link->release : NULL,
	};
	set_ages(m, w, out);
}

/* A path of the user's, wherever it leads. */
static int
write_beside(const char *file, const struct pp_buf *text)
{
	const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file;
	PP_AUTO_FREE char *dir =
	    slash != NULL ? pp_xstrndup(file, (size_t)(base - file)) : pp_xstrdup(".");
	PP_AUTO_FD int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : pp_write_file_at(fd, base, text->s, text->n, 0644);
}

static enum plugpkg_code
dump(const struct pp_making *m, const struct pp_world *w, const struct pp_solve_request *request,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(DUMP_MAX_BYTES);
	const char *file = m->request->dump_case;

	if (file == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_dump_case(m->ctx, &w->world, request, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = text.overflow ? -EFBIG : write_beside(file, &text);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", file) : PLUGPKG_OK;
}

enum plugpkg_code
pp_making_solve_once(struct pp_making *m, plugpkg_error **err)
{
	PP_CLEANUP(pp_world_fini) struct pp_world w = { 0 };
	struct pp_solve_request request;

	pp_world_init(m, &w);
	pp_world_request(m, &w, &request);
	enum plugpkg_code rc = dump(m, &w, &request, err);
	if (rc == PLUGPKG_OK)
		rc = pp_solve(m->ctx, &w.world, &request, m->plan, err);
	if (rc == PLUGPKG_E_NOT_FOUND && w.sources.n == 0)
		return pp_hint(err, rc, "this root has no source yet: plugpkg source add NAME URL");
	return rc;
}
