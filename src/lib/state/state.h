/* SPDX-License-Identifier: MIT */
/*
 * var/state.db: the facts about installed plugins, generations and transactions. SQL stays inside
 * lib/state.
 */
#ifndef PP_STATE_STATE_H
#define PP_STATE_STATE_H

#include "lib/model/context.h"
#include "lib/model/release.h"

#define PP_STATE_FORMAT 2

/* An installed plugin. Each member also stands in pp_installed_text(). */
struct pp_installed {
	bool is_row; /* as read: key, name, version, source, digests and link_dir lie behind it */
	char *key;   /* unique: NAME, or NAME@MAJOR of parallel majors */
	char *name, *version, *source;
	char *state;        /* "installed", "core-installed", "leftover" */
	bool manual;        /* follows the wanted set of plugpkg.json */
	bool hold;          /* see pp_installed_is_held() */
	int64_t hold_until; /* Unix seconds; 0 = until it is released */
	bool is_disabled;   /* the operator's switch */
	/*
	 * Keys of the disabled plugins that keep it from being used, with spaces between; NULL: it
	 * is not blocked. Computed for each generation (lib/txn/block.h).
	 */
	char *blocked_by;
	/* What --no-scripts left out: "install", or "upgrade 1.0.0"; NULL: nothing (skip.h). */
	char *skipped;
	char *sha256;      /* of the archive; "" when linked */
	char *tree_sha256; /* pp_store_tree_digest(); "" when linked */
	char *link_dir;    /* or NULL */
	/* Names that it requires and goes without since it said so, when they left. */
	struct pp_strs detached;
	pp_json *manifest; /* plugin.json as installed */
	uint64_t bytes, files;
	int64_t installed_at;
	int64_t transaction;
};
struct pp_installeds pp_vec(struct pp_installed *); /* owned elements, sorted by key */
void pp_installed_free(struct pp_installed *p);
void pp_installeds_fini(struct pp_installeds *v);
struct pp_installed *pp_installed_copy(const struct pp_installed *p);
/*
 * Its relations as they count in this root: what it is detached from, it does not require. *out
 * owned. Errors: BAD_STATE.
 */
enum plugpkg_code pp_installed_release(
    const struct pp_installed *p, struct pp_release **out, plugpkg_error **err);
/* The same for one of many. */
enum plugpkg_code pp_installed_release_among(const struct pp_installed *p, struct pp_ranges *known,
    struct pp_release **out, plugpkg_error **err);
/* Held at `now`: a hold whose time is over counts as none. */
bool pp_installed_is_held(const struct pp_installed *p, int64_t now);
/* Its files may be used: it is no leftover. */
bool pp_installed_is_usable(const struct pp_installed *p);
/* And they are used: neither disabled nor blocked, it is linked in the generation. */
bool pp_installed_is_active(const struct pp_installed *p);
/* Its state as people see it: "disabled", "blocked", or what stands in p->state. View. */
const char *pp_installed_state(const struct pp_installed *p);
/* blocked_by as an array of keys; NULL when it is not blocked. Owned. (installed_json.c) */
pp_json *pp_blocked_by_json(const struct pp_installed *p);
const struct pp_installed *pp_installeds_get(const struct pp_installeds *v, const char *key);
/* Index of the key, or SIZE_MAX. */
size_t pp_installeds_index(const struct pp_installeds *v, const char *key);
/* The only plugin of the name, or the highest of its majors; NULL when there is none. */
const struct pp_installed *pp_installeds_highest(const struct pp_installeds *v, const char *name);

/*
 * The entry of the wanted set that p stands for, or NULL: that of its key; where it is one of
 * several majors, a plain NAME means the highest installed one that its range accepts.
 */
const struct pp_dep *pp_installed_wish(
    const struct pp_installeds *v, const struct pp_installed *p, const struct pp_deps *wanted);

struct pp_state;
struct pp_state_put_off {
	const char *dependent, *key, *version; /* keys; the version that would come */
};
/* Makes var/state.db and var/log.db with the present format. */
enum plugpkg_code pp_state_create(int root_fd, plugpkg_error **err);
/* IO without /proc, by way of which databases are opened: to be told before a root is made. */
enum plugpkg_code pp_state_check_proc(plugpkg_error **err);
/*
 * ctx->state, opened on first use. Errors: NEWER_ROOT BAD_STATE IO PERMISSION. A read-only root can
 * be read.
 */
enum plugpkg_code pp_state_get(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err);
void pp_state_close(struct pp_state *s);
/*
 * For who just got the lock: a state of an older format becomes one of the present format, once. A
 * copy of it stays as var/state.db.format-N. Whoever has no lock reads a lifted copy in memory, so
 * nobody else needs to know of older formats. The same errors; then it is as it was.
 */
enum plugpkg_code pp_state_lift(plugpkg_context *ctx, plugpkg_error **err);
/* Before the first of these: is it a state, and one that this plugpkg reads? The same errors. */
enum plugpkg_code pp_state_open(plugpkg_context *ctx, plugpkg_error **err);
/*
 * The same for most, without loading SQLite: true when the state's file says that it is of the
 * present format; it is opened on first use then. False: nothing is known of it.
 */
bool pp_state_expect(plugpkg_context *ctx);
/* The state that was opened, or expected; NULL when there is none, or it cannot be opened. */
struct pp_state *pp_state_of(plugpkg_context *ctx);
/*
 * What is read until the end of the look is of one moment, and cheaper than question by question.
 * Nothing is written within, and nobody asked: writers wait meanwhile. One look in
 * another is part of it. The same errors, and *out is to be ended after them too.
 */
enum plugpkg_code pp_state_look(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err);
/* A look that reads nothing: what was left half written is put back, and writers wait. */
enum plugpkg_code pp_state_glance(plugpkg_context *ctx, struct pp_state **out, plugpkg_error **err);
/* What is read is a copy of a state of an older format, which its file may be ahead of. */
bool pp_state_is_copy(const plugpkg_context *ctx);
void pp_state_look_end(struct pp_state **s);
#define PP_AUTO_LOOK PP_CLEANUP(pp_state_look_end)

enum plugpkg_code pp_state_installed(
    struct pp_state *s, struct pp_installeds *out, plugpkg_error **err);
/* Those of these names, each once, with all their majors. */
enum plugpkg_code pp_state_installed_named(struct pp_state *s, const struct pp_strs *names,
    struct pp_installeds *out, plugpkg_error **err);
/* "@acme", …, of what is installed: each once, sorted. */
enum plugpkg_code pp_state_scopes(struct pp_state *s, struct pp_strs *out, plugpkg_error **err);
/*
 * All of it as one line of JSON, for what a transaction is about to install, and the history; and
 * back (owned). s keeps texts of manifests; NULL: nobody does.
 */
char *pp_installed_text(struct pp_state *s, const struct pp_installed *p);
enum plugpkg_code pp_installed_from_json(
    const pp_json *j, struct pp_installed **out, plugpkg_error **err);
/*
 * One SQL transaction: replaces the whole set of installed plugins and the current generation.
 * transaction: its step `commit` is marked as done along with it, the point of no return; 0: none.
 * pins: keys of owners that are expected from then on (owners.h); NULL: no new ones. Durable on
 * return.
 */
struct pp_pins;
enum plugpkg_code pp_state_commit_set(struct pp_state *s, const struct pp_installeds *set,
    int64_t generation, int64_t transaction, const struct pp_pins *pins, plugpkg_error **err);
/*
 * One SQL transaction: writes manual, hold and hold_until of these plugins, which are installed,
 * and nothing else of them. Durable on return.
 */
enum plugpkg_code pp_state_set_marks(
    struct pp_state *s, const struct pp_installeds *set, plugpkg_error **err);
/* One plugin's state, or the plugin no longer on record at all. Durable on return. */
enum plugpkg_code pp_state_set_state(
    struct pp_state *s, const char *key, const char *state, plugpkg_error **err);
/* The digest of its tree, where another one was on record. Durable on return. */
enum plugpkg_code pp_state_set_tree(
    struct pp_state *s, const char *key, const char *tree_sha256, plugpkg_error **err);
/* The scripts that were left out have run. Durable on return. */
enum plugpkg_code pp_state_forget_skipped(struct pp_state *s, const char *key, plugpkg_error **err);
enum plugpkg_code pp_state_drop(struct pp_state *s, const char *key, plugpkg_error **err);
enum plugpkg_code pp_state_drop_all(
    struct pp_state *s, const struct pp_strs *keys, plugpkg_error **err);
/*
 * delays.c. The dependent puts the upgrade of key to version off until *until: no later than it
 * once said, which is recorded with the first answer. is_look: only what the record says counts.
 * What cannot be recorded counts as it is.
 */
void pp_state_delay(
    struct pp_state *s, const struct pp_state_put_off *what, bool is_look, int64_t *until);
/* Until when, as recorded; 0: it never put it off. */
int64_t pp_state_delayed(struct pp_state *s, const struct pp_state_put_off *what);
/* Is var/state.db a sound database? BAD_STATE when not. */
enum plugpkg_code pp_state_check(struct pp_state *s, plugpkg_error **err);
enum plugpkg_code pp_state_generation(struct pp_state *s, int64_t *out, plugpkg_error **err);
/*
 * The highest number that a generation ever had, whatever became of it: none comes twice, and an
 * application may remember things by it. Taking one is durable on return; pp_journal_arm() and
 * pp_state_commit_set() do so in passing.
 */
enum plugpkg_code pp_state_last_generation(struct pp_state *s, int64_t *out, plugpkg_error **err);
enum plugpkg_code pp_state_take_generation(
    struct pp_state *s, int64_t generation, plugpkg_error **err);

/*
 * What generation N held when it was committed, sorted by key; leftovers are not part of it. Owned
 * elements are added to *out. NOT_FOUND for a generation that was never committed. (history.c)
 */
enum plugpkg_code pp_history_set(
    struct pp_state *s, int64_t generation, struct pp_installeds *out, plugpkg_error **err);
/*
 * A transaction's status ("running", "done", …; owned), NULL when there is none of that number.
 * *txn: a negative one stands for the newest, and becomes its number.
 */
enum plugpkg_code pp_journal_status(
    struct pp_state *s, int64_t *txn, char **out_status, plugpkg_error **err);

/* Log (lib/state/log.c), var/log.db: never in the way of a transaction. */
void pp_log_write(struct pp_state *s, int64_t txn, const char *plugin, const char *level,
    const char *channel, const char *text);
/* The conventional line of a step that begins: "installing user 2.1.3", for what "install". */
void pp_log_step(
    struct pp_state *s, int64_t txn, const char *plugin, const char *what, const char *version);
/* Lines are collected for a moment; this makes them visible to readers. */
void pp_log_flush(struct pp_state *s);
/* Deletes the lines before that and gives their room back. Errors: BAD_STATE IO. */
enum plugpkg_code pp_log_forget(struct pp_state *s, int64_t before_ms, plugpkg_error **err);
/* The end of a command: flushes, and deletes what the rules of plugpkg.json let go. */
void pp_log_end(struct pp_state *s);

#endif
