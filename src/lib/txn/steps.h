/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/txn only: a running transaction. What it does is data, a list of ops (ops.c builds
 * it), written to the journal before the first of them has an effect outside the root:
 *
 *	pre-transaction  disable*  (move data snapshot restore core)*  post-install*  enable*
 *	switch  activate  the same from data to post-install of downgrades  health  commit  leave*
 *	uninstall-before*  post-uninstall*  uninstall*  purge*  settle  *-after*  post-transaction
 *
 * `commit` is the point of no return. A failure or a crash before it is undone, backwards; after it
 * the rest is carried on. Recovery reads the list from the journal (intent.c) and goes the same
 * ways as a transaction that was not cut off: undo.c and pp_txn_finish().
 *
 * A new kind of op is a struct pp_op_type and a place in ops.c. Its functions have to bear being
 * called again for what was cut off in the middle.
 */
#ifndef PP_TXN_STEPS_H
#define PP_TXN_STEPS_H

#include "base/map.h"
#include "lib/state/journal.h"
#include "lib/txn/bind.h"
#include "lib/txn/inventory.h"
#include "lib/txn/script.h"
#include "lib/txn/txn.h"

/* One step of the plan, being carried out. */
struct pp_task {
	const struct pp_step *step;
	const struct pp_installed *old; /* what is installed in its place, or NULL */
	/* of the version that comes; of the one that leaves for REMOVE */
	struct pp_manifest *manifest;
	char *staging; /* private directory, until it is in the store */
	int staging_fd;
	char tree_sha256[65];
	uint64_t bytes, files;
	bool is_new;   /* the store did not have this version: undo takes it out again */
	bool is_gone;  /* REMOVE: finished */
	bool is_stuck; /* its script could not be undone */
};

struct pp_txn;
struct pp_txn_op;
struct pp_op_type {
	const char *name; /* its kind in the journal */
	enum plugpkg_code (*run)(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err);
	/*
	 * Takes back what run did, or may have done where op->was_cut. SCRIPT and INTERRUPTED mean
	 * that it cannot be taken back; other errors, that it has to be tried again later. NULL:
	 * there is nothing to take back.
	 */
	enum plugpkg_code (*undo)(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err);
	bool marks_itself; /* run records the end of the op along with its effect */
};

struct pp_txn_op {
	const struct pp_op_type *type;
	char *key;                  /* of the plugin that it is about, or NULL; owned */
	uint32_t level;             /* of post-install and post-uninstall; of restore: from where */
	enum pp_step_status status; /* as in the journal */
	/*
	 * Changes only the root, and can be done and undone any number of times: its status is not
	 * written, recovery does (or undoes) it again.
	 */
	bool is_quiet;
	bool was_cut; /* whoever carried it out was killed in the middle */
};

/* Where archives come from and go to; cache_fd is its own. */
struct pp_supply {
	struct pp_net *net; /* NULL: not opened yet */
	int cache_fd;
};
#define PP_SUPPLY_INIT                                                                             \
	{                                                                                          \
		NULL, -1                                                                           \
	}

struct pp_txn {
	plugpkg_context *ctx;
	const struct pp_txn_spec *spec;
	struct pp_supply *supply; /* borrowed; NULL in recovery, which brings nothing */
	struct pp_state *state;
	struct pp_inventory old;                      /* what was installed when it began */
	struct pp_tasks pp_vec(struct pp_task) tasks; /* in the plan's order */
	struct pp_map by_key;                         /* pp_txn_task() */
	struct pp_installeds set; /* what is installed in the new generation; leftovers too */
	struct pp_ops pp_vec(struct pp_txn_op) ops;
	int64_t id, old_generation, generation;
	bool is_begun;            /* it stands in the journal; where it only arms it, not before */
	bool is_armed;            /* its ops stand in the journal */
	bool is_recovery;         /* another process began it */
	bool was_killed;          /* the last script did not come to an end of its own */
	bool is_unsynced;         /* scripts or ops changed the root and made nothing durable */
	uint64_t n_done, n_steps; /* for STEP events */
};

static inline bool
pp_task_is_removal(const struct pp_task *t)
{
	return t->step->action == PP_REMOVE;
}
/* Had the root this plugin before, in whatever version? Then undo leaves it installed. */
static inline bool
pp_task_had_old(const struct pp_task *t)
{
	return t->step->action != PP_INSTALL && t->old != NULL;
}
/* By the key that it comes, or leaves, under; NULL: no step of the plan. */
struct pp_task *pp_txn_task(struct pp_txn *t, const char *key);

/* Tells listeners and the log which step begins. */
void pp_txn_step(struct pp_txn *t, const struct pp_step *step, const char *what);
/* txn.c: the log's line of how it began or ended; why: NULL, or where an error may be. */
void pp_txn_log(struct pp_txn *t, const char *level, const char *how, plugpkg_error *const *why);
void pp_txn_fini(struct pp_txn *t);
/* txn.c: t->generation, above all that ever were and all that are there. */
enum plugpkg_code pp_txn_next_generation(struct pp_txn *t, plugpkg_error **err);
/* txn.c: makes durable what was done, before a record counts on it. */
enum plugpkg_code pp_txn_sync(struct pp_txn *t, plugpkg_error **err);
/* txn.c: the ops after `commit`; ends the transaction. */
enum plugpkg_code pp_txn_finish(struct pp_txn *t, plugpkg_error **err);
/* txn.c: its last record, of a generation that stays. */
enum plugpkg_code pp_txn_end(struct pp_txn *t, const char *status, plugpkg_error **err);

/*
 * bring.c: steps 4 and 5, fetch and unpack. Nothing of it is visible; pp_txn_unprepare() takes it
 * back, all but what the state calls installed.
 */
enum plugpkg_code pp_txn_bring(struct pp_txn *t, plugpkg_error **err);
/*
 * Starts the download helper where the plan will need it: loading its libraries takes longer than
 * all that comes before the first request. Only a hint, which cannot fail.
 */
void pp_supply_expect(plugpkg_context *ctx, const struct pp_plan *plan, struct pp_supply *s);
void pp_supply_fini(struct pp_supply *s);

/* prepare.c */
bool pp_task_needs_archive(const struct pp_task *task);
/* The manifests of what comes without an archive: linked plugins and versions in the store. */
enum plugpkg_code pp_txn_prepare_others(struct pp_txn *t, plugpkg_error **err);
/* Of what was unpacked into that directory. */
enum plugpkg_code pp_task_read_manifest(struct pp_task *task, int dir_fd, plugpkg_error **err);
bool pp_txn_unpacks(const struct pp_txn *t); /* will it put anything into the store? */
enum plugpkg_code pp_txn_unprepare(struct pp_txn *t, plugpkg_error **err);
/* The S26 check: is this manifest what the signed index says of the step? */
enum plugpkg_code pp_txn_check_manifest(const struct pp_step *step, const struct pp_buf *text,
    struct pp_manifest **out, plugpkg_error **err);

/* stage.c: step 6. Fills t->set; of that generation t->generation is made. */
enum plugpkg_code pp_txn_stage(struct pp_txn *t, plugpkg_error **err);
enum plugpkg_code pp_txn_make_generation(struct pp_txn *t, int64_t generation, plugpkg_error **err);
/* What the new generation holds, to be bound; the elements are views into t. */
void pp_txn_bindables(struct pp_txn *t, struct pp_bindables *out);
/* Marks each of t->set as asked for or not, by plugpkg.json with the wishes of t. */
void pp_txn_mark_wanted(struct pp_txn *t);
/* Sorted again after an element was added. */
void pp_txn_sort_set(struct pp_installeds *set);
void pp_txn_drop(struct pp_installeds *set, const char *key);
void pp_installed_set_state(struct pp_installed *p, const char *state);

/* ops.c: fills t->ops, of a staged transaction. */
enum plugpkg_code pp_ops_plan(struct pp_txn *t, plugpkg_error **err);
struct pp_txn_op *pp_ops_add(struct pp_txn *t, const struct pp_op_type *type, const char *key);
const struct pp_op_type *pp_op_type_named(const char *name); /* or NULL */
size_t pp_ops_commit(const struct pp_txn *t);                /* index of `commit` */
/*
 * Has nobody who leaves anything left to do after `commit`? Then it records them as gone, and no
 * failure can bring them back.
 */
bool pp_ops_leave_at_once(const struct pp_txn *t);
/* Is the op not worth two records of its own? Decided anew by recovery. */
bool pp_op_is_quiet(struct pp_txn *t, const struct pp_txn_op *op);
extern const struct pp_op_type pp_op_pre_transaction, pp_op_post_transaction, pp_op_activate,
    pp_op_health, pp_op_switch, pp_op_commit;                 /* switch.c */
extern const struct pp_op_type pp_op_move, pp_op_leave;       /* move.c */
bool pp_step_moves(const struct pp_step *s);                  /* does it say from where to where? */
extern const struct pp_op_type pp_op_disable, pp_op_enable;   /* disable.c */
extern const struct pp_op_type pp_op_snapshot, pp_op_restore; /* snapshot.c */
extern const struct pp_op_type pp_op_data, pp_op_core, pp_op_post_install; /* run.c */
extern const struct pp_op_type pp_op_post_uninstall, pp_op_uninstall, pp_op_purge,
    pp_op_settle; /* remove.c */

/* disable.c: has the plugin of a disable or enable op something to say to it, or to its undoing? */
bool pp_op_has_handler(const struct pp_txn *t, const struct pp_txn_op *op);

/* intent.c: what recovery needs to know, as JSON; */
pp_json *pp_intent_write(const struct pp_txn *t);
/* and what comes, once it is staged. Elements are views into t. */
void pp_intent_coming(const struct pp_txn *t, struct pp_installeds *out);
/* The wishes in it, of which the spec of a recovery is made. */
void pp_intent_wishes(const pp_json *intent, struct pp_wishes *out);
/* A transaction as it was when its steps were written. t->ctx and t->state are set. */
enum plugpkg_code pp_intent_read(struct pp_txn *t, const struct pp_journal_open *open,
    struct pp_plan *plan, plugpkg_error **err);

/* undo.c */
/*
 * Takes everything back that was done and ends the transaction. out_failures: owned text of what
 * could not be undone, "" for nothing. An error means that it stays open for recovery.
 */
enum plugpkg_code pp_txn_take_back(struct pp_txn *t, char **out_failures, plugpkg_error **err);
/* The same after a failure, whose error is wrapped with how it went. */
enum plugpkg_code pp_txn_undo(struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err);
/* Quietly notes a status; a record that cannot be written makes recovery repeat, no worse. */
void pp_op_note(struct pp_txn *t, struct pp_txn_op *op, enum pp_step_status status);

/* run.c: one script of a plugin, or those of a level. */
struct pp_txn_script {
	const struct pp_manifest *manifest;
	const char *link_dir; /* of a linked plugin, else NULL: store */
	const char *kind;     /* "install", "post-install" … */
	const char *path;     /* inside the plugin; NULL: OK at once */
	int64_t level;        /* -1: none */
	const char *reason, *old_version;
	bool is_undo;
	const struct pp_script_event *event; /* of handlers */
	struct pp_answer *out_answer;        /* of those that are asked */
	int *out_status; /* NULL, or receives its exit status; stays as it is without one */
};
enum plugpkg_code pp_txn_script(
    struct pp_txn *t, const struct pp_txn_script *s, plugpkg_error **err);
/* s->path is ignored. */
enum plugpkg_code pp_txn_level(struct pp_txn *t, const struct pp_txn_script *s,
    const struct pp_levels *levels, plugpkg_error **err);
bool pp_levels_have(const struct pp_levels *levels, uint32_t level);
/*
 * What a plugin's `verify` says of itself. A verdict takes an exit status that means it: who was
 * killed, could not start or leaves with another one has said nothing.
 */
enum pp_verdict {
	PP_VERDICT_NONE,      /* it has no such script */
	PP_VERDICT_THERE,     /* 0 */
	PP_VERDICT_NOT_THERE, /* 1 */
	PP_VERDICT_UNKNOWN
};
/* s: its path, status and so on are ignored. out_why: NULL, or receives why not (owned). */
enum pp_verdict pp_txn_ask(struct pp_txn *t, const struct pp_txn_script *s, char **out_why);
/* On the way back. */
enum pp_verdict pp_txn_verify(
    struct pp_txn *t, const struct pp_manifest *m, const char *link_dir, const char *old_version);
/* The manifest of what is installed, as it was installed. */
enum plugpkg_code pp_installed_manifest(
    const struct pp_installed *p, struct pp_manifest **out, plugpkg_error **err);

/* snapshot.c: will the data of what it changes be kept? */
bool pp_task_takes_snapshot(const struct pp_txn *t, const struct pp_task *task);
/*
 * Can the snapshot be taken that the installed version wants of its data? old: NULL where none is
 * installed. Errors: REFUSED IO BAD_STATE.
 */
enum plugpkg_code pp_step_check_snapshot(plugpkg_context *ctx, const struct pp_step *step,
    const struct pp_installed *old, plugpkg_error **err);
/* NO_SPACE when snapshots among the ops do not fit; before the first of them runs. */
enum plugpkg_code pp_snapshot_check_space(struct pp_txn *t, plugpkg_error **err);
/* On the way back: the data as it was, before the old version's script looks at it. */
enum plugpkg_code pp_txn_return_data(
    struct pp_txn *t, const struct pp_task *task, plugpkg_error **err);

/* switch.c: calls a hook of the application; OK where there is none. */
enum plugpkg_code pp_txn_hook(struct pp_txn *t, enum pp_hook_at at, plugpkg_error **err);
/* What it says when it fails is a warning; an error means that it could not be called. */
enum plugpkg_code pp_txn_hook_or_warn(struct pp_txn *t, enum pp_hook_at at, plugpkg_error **err);

/*
 * remove.c: step 10. The last records: facts, wishes, what is derived. As planned only what left
 * differs from what `commit` recorded.
 */
enum plugpkg_code pp_txn_settle(struct pp_txn *t, bool is_as_planned, plugpkg_error **err);
/* The data directory, and its scope's when that is empty then. */
enum plugpkg_code pp_txn_remove_data(plugpkg_context *ctx, const char *key, plugpkg_error **err);
/* The same as part of an op; in a recovery a failure is a warning. */
enum plugpkg_code pp_txn_try_remove_data(struct pp_txn *t, const char *key, plugpkg_error **err);

/* back.c: what was to leave and could not comes back; ends the transaction. */
enum plugpkg_code pp_txn_stop_removal(
    struct pp_txn *t, enum plugpkg_code failed, plugpkg_error **err);
/*
 * Post-install scripts of plugins that stay although some of their bindings were taken away, level
 * by level. Who fails stands at `core-installed` in set. wants: indexes of ops, any order.
 */
struct pp_rebind {
	struct pp_installeds *set;
	const char *old_version;
	struct pp_buf *failures;
};
enum plugpkg_code pp_txn_rebind(
    struct pp_txn *t, const struct pp_txn_op *op, const struct pp_rebind *r, plugpkg_error **err);

#endif
