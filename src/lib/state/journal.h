/* SPDX-License-Identifier: MIT */
/*
 * Transactions in var/state.db: what one is about to do stands here, durable, before it does it.
 * This file keeps and gives back; what the records mean is decided in lib/txn.
 *
 *   transactions.intent  JSON, written by lib/txn/intent.c: both generations, plugins that come and
 *                        leave, wishes; NULL once the transaction has ended well
 *   transactions.base    the generation that it began with, and
 *   transactions.wanted  what plugpkg.json wanted then: "from" and "wanted" of its first intent
 *   transactions.status  "running" until its end, then "done", "undone" or "failed"
 *   steps                every step of it in order, written once, then only their status moves,
 *                        until it ends
 */
#ifndef PP_STATE_JOURNAL_H
#define PP_STATE_JOURNAL_H

#include "lib/state/state.h"

enum pp_step_status {
	PP_STEP_PLANNED,
	PP_STEP_BEGUN, /* under way, or cut off in the middle */
	PP_STEP_DONE,
	PP_STEP_FAILED, /* it said so itself */
	PP_STEP_UNDOING,
	PP_STEP_UNDONE,
	PP_STEP_STUCK, /* cannot be undone */
	PP_N_STEP_STATUSES
};
extern const char *const pp_step_status_names[PP_N_STEP_STATUSES]; /* "planned", … */
#define PP_STEP_COMMIT "commit" /* kind of the step that is the point of no return */

struct pp_journal_step {
	char *kind, *plugin; /* plugin: the key, or NULL; owned */
	uint32_t level;
	enum pp_step_status status;
};
struct pp_journal_steps pp_vec(struct pp_journal_step); /* seq is the index */
void pp_journal_steps_fini(struct pp_journal_steps *v);

/* Every one of them is durable on return, but for pp_journal_end(). */
enum plugpkg_code pp_journal_begin(struct pp_state *s, const char *command, const pp_json *intent,
    int64_t now, int64_t *out_txn, plugpkg_error **err);
/*
 * Replaces the intent and writes all steps, in one SQL transaction. From then on the number of the
 * generation that it goes "to" is taken.
 */
struct pp_journal_armed {
	const pp_json *intent;
	const struct pp_installeds *coming; /* NULL, or becomes the intent's member of this name */
	const struct pp_journal_steps *steps;
};
enum plugpkg_code pp_journal_arm(
    struct pp_state *s, int64_t txn, const struct pp_journal_armed *armed, plugpkg_error **err);
/*
 * Both at once, of a transaction that changes nothing before it is armed. id: pp_journal_next(),
 * which stays free as long as the root is locked. The intent holds what both of its kinds do.
 */
struct pp_journal_new {
	int64_t id;
	const char *command;
	int64_t now;
};
enum plugpkg_code pp_journal_next(struct pp_state *s, int64_t *out_txn, plugpkg_error **err);
enum plugpkg_code pp_journal_begin_armed(struct pp_state *s, const struct pp_journal_new *begun,
    const struct pp_journal_armed *armed, plugpkg_error **err);
enum plugpkg_code pp_journal_mark(
    struct pp_state *s, int64_t txn, size_t seq, enum pp_step_status status, plugpkg_error **err);
/* A step is done and, in the same SQL transaction, its plugin is no longer installed. */
enum plugpkg_code pp_journal_mark_gone(
    struct pp_state *s, int64_t txn, size_t seq, const char *key, plugpkg_error **err);
/* Its steps go. Ordered after all that was recorded before; a power cut may yet take it back. */
enum plugpkg_code pp_journal_end(struct pp_state *s, int64_t txn, const char *status,
    int64_t generation, int64_t now, plugpkg_error **err);

/* A transaction that never ended. */
struct pp_journal_open {
	int64_t id; /* 0: there is none */
	char *command;
	pp_json *intent; /* or NULL */
	struct pp_journal_steps steps;
};
void pp_journal_open_fini(struct pp_journal_open *o);
/* At most one can be open: a new one begins only after recovery. Errors: BAD_STATE IO. */
enum plugpkg_code pp_journal_read_open(
    struct pp_state *s, struct pp_journal_open *out, plugpkg_error **err);
/* Its number and command (owned) only, for who just looks; or 0 and NULL. */
enum plugpkg_code pp_journal_open_transaction(
    struct pp_state *s, int64_t *out_txn, char **out_command, plugpkg_error **err);

#endif
