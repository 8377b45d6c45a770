/* SPDX-License-Identifier: MIT */
/* Writes what tests/solver/README describes. Reads nothing but what the walk has loaded. */
#include "lib/solve/dump.h"

#include "base/time.h"
#include "lib/solve/load.h"
#include "lib/solve/retry.h"

#include <string.h>

static void
add_deps(struct pp_buf *b, const char *relation, const struct pp_deps *deps)
{
	pp_vec_foreach (d, deps) {
		const char *text = d->text != NULL ? d->text : "";
		pp_buf_addf(b, "  %s %s%s%s\n", relation, d->name, *text != '\0' ? " " : "", text);
	}
}

static void
add_relations(struct pp_buf *b, const struct pp_release *r)
{
	char published[PP_TIME_TEXT];

	add_deps(b, "requires", &r->requires);
	add_deps(b, "recommends", &r->recommends);
	add_deps(b, "suggests", &r->suggests);
	add_deps(b, "conflicts", &r->conflicts);
	add_deps(b, "provides", &r->provides);
	add_deps(b, "replaces", &r->replaces);
	pp_vec_foreach (os, &r->os)
		pp_buf_addf(b, "  os %s\n", *os);
	pp_vec_foreach (arch, &r->arch)
		pp_buf_addf(b, "  arch %s\n", *arch);
	if (r->min_client != NULL)
		pp_buf_addf(b, "  min-client %s\n", r->min_client);
	if (r->is_parallel)
		pp_buf_adds(b, "  parallel major\n");
	if (r->published > 0) {
		pp_time_format(r->published, published);
		pp_buf_addf(b, "  published %s\n", published);
	}
}

static void
add_host(struct pp_buf *b, const struct pp_solve_world *world)
{
	if (world->host == NULL || world->host->n == 0)
		return;
	pp_buf_adds(b, "@host\n");
	pp_vec_foreach (d, world->host)
		pp_buf_addf(b, "%s %s\n", d->name + strlen("host:"), d->text);
}

/* Names in order, so that the same world gives the same text. */
static void
add_source(struct pp_buf *b, const struct pp_load *l, size_t source, const struct pp_strs *names)
{
	const struct pp_solve_source *s = &l->world->sources[source];

	pp_buf_addf(b, "@repo %s %d\n", s->name, s->priority);
	pp_vec_foreach (name, names) {
		pp_vec_foreach (slot, &pp_load_known(l, *name)->slots) {
			if (slot->source != source)
				continue;
			pp_buf_addf(b, "%s %s\n", *name, slot->release->version.text);
			add_relations(b, slot->release);
		}
	}
}

static void
add_installed(struct pp_buf *b, const struct pp_solve_world *world)
{
	if (world->n_installed > 0)
		pp_buf_adds(b, "@installed\n");
	for (size_t i = 0; i < world->n_installed; i++) {
		const struct pp_solve_installed *p = &world->installed[i];
		bool has_source = p->source != NULL && !p->linked;
		pp_buf_addf(b, "%s %s%s%s%s%s%s\n", p->release->name, p->release->version.text,
		    p->manual ? " manual" : "", p->hold ? " hold" : "", p->linked ? " linked" : "",
		    has_source ? " from " : "", has_source ? p->source : "");
		add_relations(b, p->release);
	}
}

static void
add_wanted(struct pp_buf *b, const struct pp_solve_world *world)
{
	if (world->wanted == NULL || world->wanted->n == 0)
		return;
	pp_buf_adds(b, "@wanted\n");
	pp_vec_foreach (d, world->wanted)
		pp_buf_addf(b, "%s %s\n", d->name, d->text);
}

static void
add_run(struct pp_buf *b, const struct pp_solve_request *request, const struct pp_load *l)
{
	struct pp_retry r;

	pp_retry_init(&r, l);
	pp_buf_addf(b, "@run\n%s%s", pp_verb_names[request->verb],
	    (request->flags & PLUGPKG_ALL) != 0 ? " --all" : "");
	pp_retry_add_options(&r, b);
	pp_vec_foreach (target, &r.targets)
		pp_buf_addf(b, " %s%s%s", strchr(*target, ' ') != NULL ? "'" : "", *target,
		    strchr(*target, ' ') != NULL ? "'" : "");
	pp_buf_adds(b, "\n@expect\n");
	pp_retry_fini(&r);
}

static void
add_all(struct pp_buf *b, const struct pp_load *l)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	char now[PP_TIME_TEXT];

	pp_map_foreach (e, &l->known)
		pp_strs_add(&names, e->key);
	pp_strs_sort(&names);
	pp_buf_adds(b, "# What a request saw: complete @expect, or have run-cases --update do it.\n"
		       "@case dumped\n");
	add_host(b, l->world);
	for (size_t i = 0; i < l->world->n_sources; i++)
		add_source(b, l, i, &names);
	add_installed(b, l->world);
	add_wanted(b, l->world);
	if (l->request->now > 0) {
		pp_time_format(l->request->now, now);
		pp_buf_addf(b, "@now\n%s\n", now);
	}
	if (l->request->link != NULL) {
		const struct pp_release *link = l->request->link;
		pp_buf_addf(b, "@link\n%s %s\n", link->name, link->version.text);
		add_relations(b, link);
	}
	add_run(b, l->request, l);
}

enum plugpkg_code
pp_dump_case(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_buf *out, plugpkg_error **err)
{
	struct pp_load l;
	enum plugpkg_code rc = pp_load_init(&l, world, request, err);

	if (rc == PLUGPKG_OK)
		rc = pp_load_walk(&l, ctx, err);
	if (rc == PLUGPKG_OK)
		add_all(out, &l);
	pp_load_fini(&l);
	return rc;
}
