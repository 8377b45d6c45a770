/* SPDX-License-Identifier: MIT */
/* Inside lib/txn only: a running transaction, and the steps that txn.c puts in order. */
#ifndef PP_TXN_STEPS_H
#define PP_TXN_STEPS_H

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
	bool is_put; /* the store got this version from this transaction */
	/* its install or upgrade script ran to its end: undo has to answer it */
	bool is_script_done;
	bool is_data_made; /* the data directory was made by this transaction */
	bool is_gone;      /* REMOVE: finished */
};

struct pp_txn {
	plugpkg_context *ctx;
	const struct pp_txn_spec *spec;
	struct pp_state *state;
	struct pp_inventory old;                      /* what was installed when it began */
	struct pp_tasks pp_vec(struct pp_task) tasks; /* in the plan's order */
	struct pp_installeds set; /* what is installed in the new generation; leftovers too */
	int64_t id, old_generation, generation;
	uint64_t n_done, n_steps; /* for STEP events */
};

static inline bool
pp_task_is_removal(const struct pp_task *t)
{
	return t->step->action == PP_REMOVE;
}

/* Tells listeners and the log which step begins. */
void pp_txn_step(struct pp_txn *t, const struct pp_task *task, const char *what);

/*
 * prepare.c: steps 4 and 5, fetch and unpack. Nothing of it is visible; pp_txn_unprepare() takes it
 * back.
 */
enum plugpkg_code pp_txn_fetch(struct pp_txn *t, plugpkg_error **err);
enum plugpkg_code pp_txn_unpack(struct pp_txn *t, plugpkg_error **err);
void pp_txn_unprepare(struct pp_txn *t);
/* The S26 check: is this manifest what the signed index says of the step? */
enum plugpkg_code pp_txn_check_manifest(const struct pp_step *step, const struct pp_buf *text,
    struct pp_manifest **out, plugpkg_error **err);

/* stage.c: step 6. Fills t->set and makes generation t->generation. */
enum plugpkg_code pp_txn_stage(struct pp_txn *t, plugpkg_error **err);
enum plugpkg_code pp_txn_make_generation(struct pp_txn *t, int64_t generation, plugpkg_error **err);
/* Sorted again after an element was added. */
void pp_txn_sort_set(struct pp_installeds *set);

/* run.c: step 7, scripts of what comes; and their undoing, newest first. */
enum plugpkg_code pp_txn_run_installs(struct pp_txn *t, plugpkg_error **err);
/* Appends "uninstall of user 2.1.3" and so on for what could not be undone. */
void pp_txn_undo_installs(struct pp_txn *t, struct pp_buf *out_failures);
/* One script, with its journal records. */
struct pp_txn_script {
	const struct pp_manifest *manifest;
	const char *link_dir; /* of a linked plugin, else NULL: store */
	enum pp_script script;
	const char *reason, *old_version;
	bool is_undo;
};
enum plugpkg_code pp_txn_script(
    struct pp_txn *t, const struct pp_txn_script *s, plugpkg_error **err);

/* remove.c: step 10. The data directory, and its scope's when that is empty then. */
void pp_txn_remove_data(plugpkg_context *ctx, const char *key);
/* Ends with the state of the root recorded, whatever happened. */
enum plugpkg_code pp_txn_remove(struct pp_txn *t, plugpkg_error **err);

#endif
