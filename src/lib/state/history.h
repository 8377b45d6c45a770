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

/* Where the newest one that led to another generation began; -1: there is none. */
enum plugpkg_code pp_history_last_change(
    struct pp_state *s, int64_t *out_before, plugpkg_error **err);
/*
 * Forgets what only a way back to a generation needs, of all but these; sorted. Gives the room of
 * what was deleted back to the disk when it is worth it.
 */
enum plugpkg_code pp_history_trim(
    struct pp_state *s, const int64_t *kept, size_t n, plugpkg_error **err);

/*
 * Forgets the transactions that ended before (Unix seconds), but not those that made the kept
 * generations, and not the newest. *out_n: how many.
 */
enum plugpkg_code pp_history_forget(struct pp_state *s, int64_t before, const int64_t *kept,
    size_t n, int64_t *out_n, plugpkg_error **err);

/* What generations held, for who compares many. Holds no lock between two comparisons. */
struct pp_history_sets;
enum plugpkg_code pp_history_sets_open(
    struct pp_state *s /* borrowed */, struct pp_history_sets **out, plugpkg_error **err);
void pp_history_sets_free(struct pp_history_sets *sets);
PP_DEFINE_AUTO(history_sets, struct pp_history_sets, pp_history_sets_free);
/* What of a generation the other one has not, or not alike; sorted by key. */
enum plugpkg_code pp_history_difference(struct pp_history_sets *sets, int64_t generation,
    int64_t other, struct pp_installeds *out, plugpkg_error **err);

/*
 * What plugpkg.json wanted when the root last left that generation: {NAME: RANGE}, owned; NULL:
 * nobody knows, or it is still the current one.
 */
enum plugpkg_code pp_history_wanted(
    struct pp_state *s, int64_t generation, pp_json **out, plugpkg_error **err);

/* Something that was changed and makes no generation: "held at 1.0.0" of a plugin, or of none. */
struct pp_note {
	int64_t transaction; /* that it belongs to or, where it has a command of its own, follows */
	int64_t at;          /* Unix seconds */
	char *command;       /* "hold base"; NULL: the transaction's */
	char *plugin;        /* or NULL */
	char *text;
};
struct pp_notes pp_vec(struct pp_note);
void pp_notes_fini(struct pp_notes *v);
void pp_notes_add(struct pp_notes *v, const char *plugin, const char *fmt, ...) PP_PRINTF(3, 4);
/* All notes as they came, or those of one transaction (id not 0). */
enum plugpkg_code pp_history_notes(
    struct pp_state *s, int64_t id, struct pp_notes *out, plugpkg_error **err);
/*
 * Writes notes down, all or none, whatever their own times and commands say: those of transaction
 * `id`, or with id 0 those of `command`, which was no transaction.
 */
enum plugpkg_code pp_history_note(struct pp_state *s, int64_t id, const char *command, int64_t now,
    const struct pp_notes *notes, plugpkg_error **err);
/* With id 0, of what is done already: that it cannot be noted is a warning. */
void pp_history_note_done(plugpkg_context *ctx, const char *command, const struct pp_notes *notes);

#endif
