/* SPDX-License-Identifier: MIT */
/*
 * The set of plugins after the transaction, and the generation that shows it: complete, not yet
 * current.
 */
#include "lib/txn/steps.h"

#include "base/str.h"
#include "lib/model/tables.h"
#include "lib/store/generation.h"
#include "lib/txn/block.h"
#include "lib/txn/event.h"
#include "lib/txn/skip.h"

#include <stdlib.h>
#include <string.h>

static int
by_key(const void *a, const void *b)
{
	const struct pp_installed *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

void
pp_txn_sort_set(struct pp_installeds *set)
{
	pp_vec_sort(set, by_key);
}

void
pp_installed_set_state(struct pp_installed *p, const char *state)
{
	char *copy = pp_xstrdup(state); /* it may be p's own */

	free(p->state);
	p->state = copy;
}

static const struct pp_task *
task_of(struct pp_txn *t, const char *key)
{
	const struct pp_task *own = pp_txn_task(t, key);

	if (own != NULL)
		return own;
	pp_vec_foreach (task, &t->tasks)
		if (task->step->old_key != NULL && pp_step_concerns(task->step, key))
			return task;
	return NULL;
}

static struct pp_installed *
installed_by(const struct pp_txn *t, const struct pp_task *task)
{
	const struct pp_step *s = task->step;
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->key = pp_xstrdup(s->key);
	p->name = pp_xstrdup(s->name);
	p->version = pp_xstrdup(s->version);
	p->source = pp_xstrdup(s->source != NULL ? s->source : "");
	/* What it will be: a transaction whose post levels do not all run never gets there. */
	p->state = pp_xstrdup("installed");
	p->hold = task->old != NULL ? task->old->hold : s->hold;
	p->hold_until = !p->hold ? 0 : task->old != NULL ? task->old->hold_until : s->hold_until;
	p->is_disabled = task->old != NULL && task->old->is_disabled;
	p->skipped = pp_skip_of(t, task);
	p->sha256 = pp_xstrdup(s->sha256);
	p->tree_sha256 = pp_xstrdup(task->tree_sha256);
	p->link_dir = pp_xstrdup(s->link_dir);
	p->manifest = pp_json_ref(task->manifest->json);
	p->bytes = task->bytes;
	p->files = task->files;
	p->installed_at = t->ctx->now;
	p->transaction = t->id;
	return p;
}

void
pp_txn_bindables(struct pp_txn *t, struct pp_bindables *out)
{
	pp_vec_foreach (p, &t->set) {
		const struct pp_task *task = pp_txn_task(t, (*p)->key);
		bool is_new = task != NULL && !pp_task_is_removal(task) && task->manifest != NULL;
		const struct pp_release *r =
		    is_new ? task->manifest->release : pp_inventory_release(&t->old, (*p)->key);
		if (r != NULL)
			pp_bindables_add(out, *p, r);
	}
}

static void
say_why_off(const struct pp_installed *p, pp_json *info)
{
	pp_json *blocked_by = pp_blocked_by_json(p);

	pp_json_set_str(info, "state", pp_installed_state(p));
	if (blocked_by != NULL)
		pp_json_set(info, "blocked-by", blocked_by);
}

/* What the host needs of a plugin without opening its plugin.json. */
static pp_json *
info_of(const struct pp_bindable *b, const struct pp_bindables *all)
{
	static const char *const keys[] = { "type", "summary", "provides" };
	pp_json *info = pp_json_object();

	for (size_t i = 0; i < PP_LEN(keys); i++) {
		const pp_json *value = pp_json_get(b->plugin->manifest, keys[i]);
		if (value != NULL)
			pp_json_set(info, keys[i], pp_json_copy(value));
	}
	if (!pp_installed_is_active(b->plugin)) {
		say_why_off(b->plugin, info);
		return info;
	}
	pp_json *dependencies = pp_bind_json(all, b->release);
	if (dependencies != NULL)
		pp_json_set(info, "dependencies", dependencies);
	return info;
}

enum plugpkg_code
pp_txn_make_generation(struct pp_txn *t, int64_t generation, plugpkg_error **err)
{
	struct pp_vec(struct pp_member) members = { 0 };
	PP_AUTO_JSON pp_json *infos = pp_json_array();
	PP_AUTO_BINDABLES struct pp_bindables all = { 0 };

	pp_txn_bindables(t, &all);
	pp_block_find(&t->set, &all);
	pp_vec_foreach (b, &all.list) {
		const struct pp_installed *p = b->plugin;
		if (!pp_installed_is_usable(p))
			continue;
		pp_json *info = info_of(b, &all);
		pp_json_push(infos, info);
		struct pp_member m = {
			.name = p->name,
			.version = p->version,
			.key = p->key,
			.link_dir = p->link_dir,
			.is_off = !pp_installed_is_active(p),
			.info = info,
		};
		pp_vec_push(&members, m);
	}
	enum plugpkg_code rc = pp_generation_make(t->ctx, generation, members.at, members.n, err);
	pp_vec_free(&members);
	return rc;
}

/* By plugpkg.json as it will be: with the wishes of this transaction. */
void
pp_txn_mark_wanted(struct pp_txn *t)
{
	PP_CLEANUP(pp_auto_map) struct pp_map wishes = { .n = 0 };
	struct pp_deps wanted = { 0 }; /* of borrowed elements */

	pp_wishes_index(t->spec->wishes, &wishes);
	if (t->spec->wishes != NULL)
		pp_vec_foreach (w, t->spec->wishes)
			if (w->range != NULL)
				pp_vec_push(&wanted, ((struct pp_dep){ .name = w->name }));
	pp_vec_foreach (dep, &t->ctx->config->plugins)
		if (!pp_map_has(&wishes, dep->name))
			pp_vec_push(&wanted, *dep);
	pp_vec_foreach (p, &t->set)
		(*p)->manual = pp_installed_wish(&t->set, *p, &wanted) != NULL;
	pp_vec_free(&wanted);
}

/* By what the archives hold; the index may be older than its word for it. */
static enum plugpkg_code
check_tables(struct pp_txn *t, plugpkg_error **err)
{
	struct pp_tables all = { 0 };

	pp_vec_foreach (p, &t->set)
		pp_tables_add(&all, pp_tables_of((*p)->manifest),
		    &(struct pp_table){
			.name = (*p)->name,
			.version = (*p)->version,
			.is_coming = task_of(t, (*p)->key) != NULL,
		    });
	enum plugpkg_code rc = pp_tables_check(&all, err);
	pp_vec_free(&all);
	return rc;
}

static void
turn_switches(struct pp_txn *t)
{
	pp_vec_foreach (s, &t->spec->plan->switches) {
		size_t i = pp_installeds_index(&t->set, s->key);
		if (i != SIZE_MAX && (s->action == PP_DISABLE || s->action == PP_ENABLE))
			t->set.at[i]->is_disabled = s->action == PP_DISABLE;
	}
}

/* Who is enabled and disabled by that is planned before the generation is made. */
static void
find_blocked(struct pp_txn *t)
{
	PP_AUTO_BINDABLES struct pp_bindables all = { 0 };

	pp_txn_bindables(t, &all);
	pp_block_find(&t->set, &all);
}

enum plugpkg_code
pp_txn_stage(struct pp_txn *t, plugpkg_error **err)
{
	pp_vec_foreach (p, &t->old.set) {
		if (task_of(t, (*p)->key) == NULL)
			pp_vec_push(&t->set, pp_installed_copy(*p));
	}
	pp_vec_foreach (task, &t->tasks)
		if (!pp_task_is_removal(task))
			pp_vec_push(&t->set, installed_by(t, task));
	pp_txn_sort_set(&t->set);
	pp_txn_mark_wanted(t);
	enum plugpkg_code rc = check_tables(t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_txn_detach(t);
	pp_txn_reattach(t);
	turn_switches(t);
	find_blocked(t);
	return PLUGPKG_OK;
}
