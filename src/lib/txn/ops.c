/* SPDX-License-Identifier: MIT */
/*
 * What a transaction does, in order: the plan's steps turned into ops. Levels are barriers over all
 * plugins; inside a level dependencies come first, then the name decides; on the way out it is the
 * other way round.
 */
#include "lib/txn/steps.h"

#include "base/path.h"
#include "lib/model/depth.h"
#include "lib/model/name.h"
#include "lib/txn/event.h"
#include "lib/txn/host.h"
#include "lib/txn/skip.h"

#include <stdlib.h>
#include <string.h>

static const struct pp_op_type *const types[] = {
	&pp_op_pre_transaction,
	&pp_op_disable,
	&pp_op_move,
	&pp_op_data,
	&pp_op_snapshot,
	&pp_op_restore,
	&pp_op_core,
	&pp_op_post_install,
	&pp_op_enable,
	&pp_op_switch,
	&pp_op_activate,
	&pp_op_health,
	&pp_op_commit,
	&pp_op_leave,
	&pp_op_uninstall_before,
	&pp_op_post_uninstall,
	&pp_op_uninstall,
	&pp_op_purge,
	&pp_op_settle,
	&pp_op_install_after,
	&pp_op_upgrade_after,
	&pp_op_uninstall_after,
	&pp_op_post_transaction,
};

const struct pp_op_type *
pp_op_type_named(const char *name)
{
	for (size_t i = 0; i < PP_LEN(types); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}

size_t
pp_ops_commit(const struct pp_txn *t)
{
	size_t i = 0;

	while (i < t->ops.n && t->ops.at[i].type != &pp_op_commit)
		i++;
	return i;
}

bool
pp_ops_leave_at_once(const struct pp_txn *t)
{
	for (size_t i = pp_ops_commit(t) + 1; i < t->ops.n; i++) {
		const struct pp_txn_op *op = &t->ops.at[i];
		bool is_nothing =
		    op->type == &pp_op_uninstall && op->is_quiet && !pp_key_has_major(op->key);
		if (!is_nothing && op->type != &pp_op_settle && !pp_op_is_told(op->type) &&
		    op->type != &pp_op_post_transaction)
			return false;
	}
	return true;
}

struct pp_task *
pp_txn_task(struct pp_txn *t, const char *key)
{
	/* Tasks are all there before the first op asks for one. */
	if (t->by_key.n == 0)
		for (size_t i = 0; i < t->tasks.n; i++)
			*pp_map_put(&t->by_key, t->tasks.at[i].step->key) = &t->tasks.at[i];
	return pp_map_get(&t->by_key, key);
}

struct pp_txn_op *
pp_ops_add(struct pp_txn *t, const struct pp_op_type *type, const char *key)
{
	struct pp_txn_op *op = pp_vec_new(&t->ops);

	op->type = type;
	op->key = pp_xstrdup(key);
	return op;
}

static void
add_hook(struct pp_txn *t, const struct pp_op_type *type, enum pp_hook_at at)
{
	if (pp_hook_is_set(&t->ctx->config->hooks[at]))
		(void)pp_ops_add(t, type, NULL);
}

/* ---- depth ---- */

/* How far each plugin is from the leaves, of all that is installed before or after. */
struct ranks {
	struct pp_inventory inv; /* of borrowed elements */
	struct pp_depths depths;
};

static void
ranks_fini(struct ranks *r)
{
	pp_depths_fini(&r->depths);
	pp_releases_fini(&r->inv.releases);
	pp_vec_free(&r->inv.set);
}

static enum plugpkg_code
read_releases(struct pp_txn *t, struct ranks *r, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (p, &t->set)
		pp_vec_push(&r->inv.set, *p);
	pp_vec_foreach (p, &t->old.set)
		if (pp_installeds_get(&t->set, (*p)->key) == NULL)
			pp_vec_push(&r->inv.set, *p);
	pp_txn_sort_set(&r->inv.set);
	for (size_t i = 0; rc == PLUGPKG_OK && i < r->inv.set.n; i++) {
		const struct pp_installed *p = r->inv.set.at[i];
		struct pp_release *release = NULL;
		rc = pp_installed_release(p, &release, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(&r->inv.releases, release);
	}
	return rc;
}

static enum plugpkg_code
find_ranks(struct pp_txn *t, struct ranks *r, plugpkg_error **err)
{
	struct pp_links links = { 0 };
	enum plugpkg_code rc = read_releases(t, r, err);

	r->inv.host = pp_host_known(t->ctx);
	for (size_t i = 0; rc == PLUGPKG_OK && i < r->inv.releases.n; i++)
		pp_vec_foreach (dep, &r->inv.releases.at[i]->requires) {
			size_t to = pp_inventory_bound(&r->inv, dep);
			if (to != SIZE_MAX && to != i)
				pp_vec_push(&links, ((struct pp_link){ i, to, false }));
		}
	if (rc == PLUGPKG_OK)
		pp_depths_find(&r->depths, r->inv.set.n, &links);
	pp_vec_free(&links);
	return rc;
}

/* ---- levels ---- */

/* One plugin at one level. */
struct post {
	const char *key; /* view */
	uint32_t level, depth;
};
struct posts pp_vec(struct post);

static int
ascending(const void *a, const void *b)
{
	const struct post *x = a, *y = b;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int
descending(const void *a, const void *b)
{
	const struct post *x = a, *y = b;

	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* levels are sorted, so scripts of one level are neighbours: they make one op. */
static void
collect(const char *key, const struct pp_levels *levels, bool only_always, struct posts *out)
{
	pp_vec_foreach (level, levels) {
		struct post *last = out->n > 0 ? &out->at[out->n - 1] : NULL;
		if (only_always && !level->is_always)
			continue;
		if (last == NULL || last->level != level->level || strcmp(last->key, key) != 0)
			pp_vec_push(out, ((struct post){ key, level->level, 0 }));
	}
}

static bool
says_always(const pp_json *manifest)
{
	const pp_json *levels = pp_json_get(pp_json_get(manifest, "scripts"), "post-install");

	for (size_t i = 0; i < pp_json_len(levels); i++)
		if (pp_json_get_bool(pp_json_at(levels, i), "always"))
			return true;
	return false;
}

/* What stood in the place of a plugin of the new set, and could be used; or NULL. */
static const struct pp_installed *
predecessor(struct pp_txn *t, const struct pp_installed *p)
{
	const struct pp_task *task = pp_txn_task(t, p->key);
	const struct pp_installed *old =
	    task != NULL ? task->old : pp_installeds_get(&t->old.set, p->key);

	return old != NULL && pp_installed_is_usable(old) ? old : NULL;
}

/*
 * Plugins that want to see whatever comes, though they themselves stay as they are; not while they
 * are out of use, but then when they come back into it.
 */
static enum plugpkg_code
collect_always(struct pp_txn *t, bool is_coming, struct posts *out, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->set.n; i++) {
		const struct pp_installed *p = t->set.at[i];
		PP_AUTO(manifest) struct pp_manifest *m = NULL;
		if (!pp_installed_is_active(p) || pp_txn_task(t, p->key) != NULL ||
		    !says_always(p->manifest))
			continue;
		const struct pp_installed *old = predecessor(t, p);
		if (!is_coming && (old == NULL || pp_installed_is_active(old)))
			continue;
		rc = pp_installed_manifest(p, &m, err);
		if (rc == PLUGPKG_OK)
			collect(p->key, &m->post_install, true, out);
	}
	return rc;
}

static enum plugpkg_code
sort_posts(struct pp_txn *t, struct posts *posts, int (*order)(const void *, const void *),
    plugpkg_error **err)
{
	PP_CLEANUP(ranks_fini) struct ranks r = { 0 };
	if (posts->n < 2)
		return PLUGPKG_OK;
	enum plugpkg_code rc = find_ranks(t, &r, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (post, posts) {
		size_t i = pp_installeds_index(&r.inv.set, post->key);
		post->depth = i != SIZE_MAX ? r.depths.depth[i] : 0;
	}
	pp_vec_sort(posts, order);
	return PLUGPKG_OK;
}

static void
add_posts(struct pp_txn *t, const struct pp_op_type *type, const struct posts *posts)
{
	pp_vec_foreach (post, posts)
		pp_ops_add(t, type, post->key)->level = post->level;
}

/*
 * A lower version takes away what the higher one reads, which runs until the switch: its scripts
 * wait until then.
 */
static bool
is_contraction(const struct pp_task *task)
{
	return task->step->action == PP_DOWNGRADE;
}

/*
 * Who says "always" runs once, when everything has come: with the scripts that wait for the switch
 * where there are such, because they may take away what it was bound to before.
 */
static enum plugpkg_code
add_post_installs(struct pp_txn *t, bool of_contractions, plugpkg_error **err)
{
	struct posts posts = { 0 };
	bool is_coming = false, has_contractions = false;

	pp_vec_foreach (task, &t->tasks) {
		if (pp_task_is_removal(task))
			continue;
		is_coming = true;
		has_contractions = has_contractions || is_contraction(task);
		if (is_contraction(task) == of_contractions && !pp_skip_leaves_out(t, task))
			collect(task->step->key, &task->manifest->post_install, false, &posts);
	}
	enum plugpkg_code rc = PLUGPKG_OK;
	if (of_contractions == has_contractions)
		rc = collect_always(t, is_coming, &posts, err);
	if (rc == PLUGPKG_OK)
		rc = sort_posts(t, &posts, ascending, err);
	if (rc == PLUGPKG_OK)
		add_posts(t, &pp_op_post_install, &posts);
	pp_vec_free(&posts);
	return rc;
}

static enum plugpkg_code
add_post_uninstalls(struct pp_txn *t, plugpkg_error **err)
{
	struct posts posts = { 0 };

	pp_vec_foreach (task, &t->tasks)
		if (pp_task_is_removal(task))
			collect(task->step->key, &task->manifest->post_uninstall, false, &posts);
	enum plugpkg_code rc = sort_posts(t, &posts, descending, err);
	if (rc == PLUGPKG_OK)
		add_posts(t, &pp_op_post_uninstall, &posts);
	pp_vec_free(&posts);
	return rc;
}

/*
 * Who goes out of use, dependents first, or comes back into it, dependencies first; whether a
 * switch of the operator is the reason, or what became of a dependency.
 */
static enum plugpkg_code
add_turns(struct pp_txn *t, const struct pp_op_type *type, plugpkg_error **err)
{
	struct posts turns = { 0 };
	bool is_going = type == &pp_op_disable;

	pp_vec_foreach (p, &t->set) {
		const struct pp_installed *old = predecessor(t, *p);
		if (old == NULL || pp_installed_is_active(old) == pp_installed_is_active(*p) ||
		    pp_installed_is_active(old) != is_going)
			continue;
		const char *key = is_going ? old->key : (*p)->key;
		if (!is_going && pp_skip_leaves_out(t, pp_txn_task(t, key)))
			continue;
		pp_vec_push(&turns, ((struct post){ key, 0, 0 }));
	}
	enum plugpkg_code rc = sort_posts(t, &turns, is_going ? descending : ascending, err);
	if (rc == PLUGPKG_OK)
		add_posts(t, type, &turns);
	pp_vec_free(&turns);
	return rc;
}

/* ---- all of it ---- */

static bool
has_scripts(const struct pp_manifest *m)
{
	for (size_t i = 0; i < PP_N_SCRIPTS; i++)
		if (m->scripts[i] != NULL)
			return true;
	return m->post_install.n > 0 || m->post_uninstall.n > 0;
}

/* Has data/FROM to become data/TO? Never over what is there already. */
static bool
can_move(const struct pp_txn *t, const char *from, const char *to)
{
	PP_AUTO_FREE char *a = pp_asprintf("data/%s", from);
	PP_AUTO_FREE char *b = pp_asprintf("data/%s", to);

	return pp_exists_at(t->ctx->root_fd, a) == 1 && pp_exists_at(t->ctx->root_fd, b) == 0;
}

/* The plugin of another name whose place it takes, and whose data it gets; or NULL. */
static const struct pp_task *
replaced_by(const struct pp_txn *t, const struct pp_task *task)
{
	pp_vec_foreach (gone, &t->tasks) {
		const struct pp_step *s = gone->step;
		if (pp_task_is_removal(gone) && s->why == PP_WHY_REPLACED && s->because != NULL &&
		    strcmp(s->because, task->step->key) == 0 &&
		    strcmp(s->name, task->step->name) != 0 && can_move(t, s->key, task->step->key))
			return gone;
	}
	return NULL;
}

/* The step that says from where the data of a plugin moves to its place; NULL: it does not. */
static const char *
mover_of(const struct pp_txn *t, const struct pp_task *task)
{
	const struct pp_step *s = task->step;
	const struct pp_task *gone = task->old == NULL ? replaced_by(t, task) : NULL;

	if (s->old_key != NULL && can_move(t, s->old_key, s->key))
		return s->key;
	return gone != NULL ? gone->step->key : NULL;
}

/* Also of what contracts later: the version that is current after the switch looks there. */
static void
add_move(struct pp_txn *t, const struct pp_task *task)
{
	const char *mover = mover_of(t, task);

	if (mover != NULL)
		(void)pp_ops_add(t, &pp_op_move, mover);
}

static void
add_leaves(struct pp_txn *t)
{
	for (size_t i = 0; i < t->ops.n; i++)
		if (t->ops.at[i].type == &pp_op_move)
			(void)pp_ops_add(t, &pp_op_leave, t->ops.at[i].key);
}

/*
 * The plugin's own data: survives upgrades and removal. Without scripts it is the application's
 * affair. Only what is missing now is made, so that undo takes away nothing older.
 */
static void
add_data(struct pp_txn *t, const struct pp_task *task)
{
	PP_AUTO_FREE char *dir = pp_asprintf("data/%s", task->step->key);

	if ((has_scripts(task->manifest) || task->step->data_from > 0) &&
	    mover_of(t, task) == NULL && pp_exists_at(t->ctx->root_fd, dir) != 1)
		(void)pp_ops_add(t, &pp_op_data, task->step->key);
	if (pp_task_takes_snapshot(t, task))
		(void)pp_ops_add(t, &pp_op_snapshot, task->step->key);
	if (task->step->data_from > 0)
		pp_ops_add(t, &pp_op_restore, task->step->key)->level =
		    (uint32_t)task->step->data_from;
}

/* Its install or upgrade. */
static void
add_core(struct pp_txn *t, const struct pp_task *task)
{
	add_data(t, task);
	if (!pp_skip_leaves_out(t, task))
		(void)pp_ops_add(t, &pp_op_core, task->step->key);
}

static bool
can_go_back(const struct pp_installed *old)
{
	return old != NULL && pp_json_get(pp_json_get(old->manifest, "scripts"), "upgrade") != NULL;
}

bool
pp_op_is_quiet(struct pp_txn *t, const struct pp_txn_op *op)
{
	const struct pp_task *task = op->key != NULL ? pp_txn_task(t, op->key) : NULL;

	if (op->type == &pp_op_core)
		return task != NULL && task->manifest->scripts[PP_SCRIPT_INSTALL] == NULL &&
		       task->manifest->scripts[PP_SCRIPT_UPGRADE] == NULL &&
		       task->manifest->scripts[PP_SCRIPT_UNINSTALL] == NULL &&
		       !can_go_back(task->old);
	if (op->type == &pp_op_uninstall)
		return task != NULL &&
		       (task->is_gone || task->manifest->scripts[PP_SCRIPT_UNINSTALL] == NULL);
	if (op->type == &pp_op_disable || op->type == &pp_op_enable)
		return !pp_op_has_handler(t, op);
	return op->type == &pp_op_move || op->type == &pp_op_leave || op->type == &pp_op_data ||
	       op->type == &pp_op_switch || op->type == &pp_op_purge || op->type == &pp_op_settle;
}

static void
add_ends(struct pp_txn *t)
{
	pp_vec_foreach (task, &t->tasks) {
		if (!pp_task_is_removal(task))
			continue;
		(void)pp_ops_add(t, &pp_op_uninstall, task->step->key);
		if (t->spec->plan->is_purge)
			(void)pp_ops_add(t, &pp_op_purge, task->step->key);
	}
	for (size_t i = 0; i < t->spec->plan->left_data.n; i++)
		(void)pp_ops_add(t, &pp_op_purge, t->spec->plan->left_data.at[i]);
	(void)pp_ops_add(t, &pp_op_settle, NULL);
	pp_tell_plan_after(t);
	add_hook(t, &pp_op_post_transaction, PP_HOOK_POST_TRANSACTION);
}

static enum plugpkg_code
add_expansions(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = add_turns(t, &pp_op_disable, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (task, &t->tasks) {
		if (pp_task_is_removal(task))
			continue;
		add_move(t, task);
		if (is_contraction(task))
			continue;
		add_core(t, task);
	}
	rc = add_post_installs(t, false, err);
	return rc == PLUGPKG_OK ? add_turns(t, &pp_op_enable, err) : rc;
}

/* The way that undo takes back from the upgrade: dependents first. */
static enum plugpkg_code
add_contractions(struct pp_txn *t, plugpkg_error **err)
{
	for (size_t i = t->tasks.n; i-- > 0;) {
		const struct pp_task *task = &t->tasks.at[i];
		if (!is_contraction(task))
			continue;
		add_core(t, task);
	}
	return add_post_installs(t, true, err);
}

enum plugpkg_code
pp_ops_plan(struct pp_txn *t, plugpkg_error **err)
{
	add_hook(t, &pp_op_pre_transaction, PP_HOOK_PRE_TRANSACTION);
	enum plugpkg_code rc = add_expansions(t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)pp_ops_add(t, &pp_op_switch, NULL);
	add_hook(t, &pp_op_activate, PP_HOOK_ACTIVATE);
	rc = add_contractions(t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	add_hook(t, &pp_op_health, PP_HOOK_HEALTH);
	(void)pp_ops_add(t, &pp_op_commit, NULL);
	add_leaves(t);
	pp_tell_plan_before(t);
	rc = add_post_uninstalls(t, err);
	if (rc == PLUGPKG_OK)
		add_ends(t);
	pp_vec_foreach (op, &t->ops) {
		op->is_quiet = pp_op_is_quiet(t, op);
		t->n_steps += op->type == &pp_op_post_install ||
			      op->type == &pp_op_post_uninstall || op->type == &pp_op_disable ||
			      op->type == &pp_op_enable;
	}
	return rc == PLUGPKG_OK ? pp_snapshot_check_space(t, err) : rc;
}
