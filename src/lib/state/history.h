/* SPDX-License-Identifier: MIT */
/* What happened to a root: transactions, and small changes that are none of their own. */
#ifndef PP_STATE_HISTORY_H
#define PP_STATE_HISTORY_H

#include "lib/state/state.h"

struct pp_past {
	int64_t id, started, ended; /* Unix seconds; ended 0: it never did */
	char *command, *status;
	int64_t before, after; /* generations; after -1: it never came to one */
};
struct pp_pasts pp_vec(struct pp_past);
void pp_pasts_fini(struct pp_pasts *v);
/* All transactions, oldest first; id 0, or the one of that number with the right `before`. */
enum plugpkg_code pp_history_list(
    struct pp_state *s, int64_t id, struct pp_pasts *out, plugpkg_error **err);

/* Something that was changed and makes no generation: "held at 1.0.0" of a plugin, or of none. */
struct pp_note {
	char *plugin; /* or NULL */
	char *text;
};
struct pp_notes pp_vec(struct pp_note);
void pp_notes_fini(struct pp_notes *v);
void pp_notes_add(struct pp_notes *v, const char *plugin, const char *fmt, ...) PP_PRINTF(3, 4);
enum plugpkg_code pp_history_notes(
    struct pp_state *s, int64_t id, struct pp_notes *out, plugpkg_error **err);
/*
 * Records a change without a transaction as one that is over: "hold base" with its notes. Nothing
 * without notes.
 */
enum plugpkg_code pp_history_note(struct pp_state *s, const char *command, int64_t now,
    const struct pp_notes *notes, plugpkg_error **err);
/* Adds notes to a transaction that runs. */
enum plugpkg_code pp_history_add_notes(
    struct pp_state *s, int64_t transaction, const struct pp_notes *notes, plugpkg_error **err);

#endif
