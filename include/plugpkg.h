/* SPDX-License-Identifier: MIT */
/*
 * libplugpkg: packages for the plugins of one running application.
 *
 * One context serves one root and one thread. Every function returns a code and, when err is not
 * NULL, an owned error that says what failed, to what, and what to do about it. Queries stream
 * rows: one JSON object a call, the same objects that `plugpkg --json` prints (plugpkg-json(5)).
 * Calls wait for child processes: the host neither ignores SIGCHLD nor reaps what is not its own.
 *
 * Words about ownership: borrowed (the callee keeps nothing), owned (the caller frees), moved (the
 * callee frees), view (valid until the named event).
 */
#ifndef PLUGPKG_H
#define PLUGPKG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGPKG_API     __attribute__((visibility("default")))
#define PLUGPKG_MUSTUSE __attribute__((warn_unused_result))

/**
 * Why something did not happen. Stable names: plugpkg_code_name(); paragraphs: plugpkg-errors(7).
 */
enum plugpkg_code {
	PLUGPKG_OK = 0,
	PLUGPKG_E_FAILED,        /* any other failure */
	PLUGPKG_E_USAGE,         /* the caller asked for something that makes no sense */
	PLUGPKG_E_BAD_NAME,      /* no valid plugin, source or repository name */
	PLUGPKG_E_BAD_VERSION,   /* no valid version */
	PLUGPKG_E_BAD_RANGE,     /* no valid version range */
	PLUGPKG_E_BAD_MANIFEST,  /* plugin.json is malformed or incomplete */
	PLUGPKG_E_BAD_CONFIG,    /* plugpkg.json or repository.json is malformed */
	PLUGPKG_E_BAD_ARCHIVE,   /* an archive breaks the archive policy, or is damaged */
	PLUGPKG_E_BAD_METADATA,  /* signed metadata or the index is malformed */
	PLUGPKG_E_BAD_STATE,     /* the root's own database or links are damaged */
	PLUGPKG_E_NO_ROOT,       /* not a plugpkg root */
	PLUGPKG_E_NEWER_ROOT,    /* the root was made by a newer plugpkg */
	PLUGPKG_E_EXISTS,        /* it is there already */
	PLUGPKG_E_NOT_FOUND,     /* no such plugin, version, source or file */
	PLUGPKG_E_NOT_INSTALLED, /* the plugin is known but not installed */
	PLUGPKG_E_NO_SOLUTION,   /* the rules of dependency allow no plan */
	PLUGPKG_E_NETWORK,       /* no mirror could deliver */
	PLUGPKG_E_SIGNATURE,     /* signatures missing, wrong, or fewer than the threshold */
	PLUGPKG_E_KEY,           /* the repository's key is not the expected one */
	PLUGPKG_E_EXPIRED,       /* metadata is past its expiry */
	PLUGPKG_E_ROLLBACK,      /* metadata is older than what was seen before */
	PLUGPKG_E_DIGEST,        /* size or digest differs from the signed one */
	PLUGPKG_E_SCRIPT,        /* a script failed; what the transaction did was undone */
	PLUGPKG_E_LOCKED,        /* another plugpkg works on this root */
	PLUGPKG_E_REFUSED,       /* veto, hold, protected, or not allowed by the administrator */
	PLUGPKG_E_CONFIRM,       /* needs a confirmation that nobody could give */
	PLUGPKG_E_DECLINED,      /* the confirmation was asked for and denied */
	PLUGPKG_E_IO,            /* the operating system refused */
	PLUGPKG_E_NO_SPACE,      /* no space left */
	PLUGPKG_E_PERMISSION,    /* no permission, or a read-only file system */
	PLUGPKG_E_INTERRUPTED,   /* plugpkg_cancel() was called; nothing changed */
	PLUGPKG_E_BAD_LOCK,      /* plugpkg.lock is malformed */
	PLUGPKG_E_LOCK_MISMATCH, /* plugpkg.lock cannot be followed here as it stands */
	PLUGPKG_E_HOST,          /* the application does not say its versions */
	PLUGPKG_E_UNHEALTHY,     /* it is not well with the new plugins; they were taken back */
	PLUGPKG_E_OWNER,         /* not signed by the key of the plugin's owner */
	PLUGPKG_N_CODES,
};

/** Stable text name such as "signature-invalid"; "unknown" for no code. View: forever. */
PLUGPKG_API const char *plugpkg_code_name(enum plugpkg_code code);
/** Exit status of the command line for the code, as in plugpkg(1). */
PLUGPKG_API int plugpkg_code_exit_status(enum plugpkg_code code);
/** Version of the library, such as "0.1.0". View: forever. */
PLUGPKG_API const char *plugpkg_version(void);

typedef struct plugpkg_error plugpkg_error;
/** Views: valid until plugpkg_error_free(). hint, subject may be NULL: nothing to add. */
PLUGPKG_API enum plugpkg_code plugpkg_error_code(const plugpkg_error *err);
PLUGPKG_API const char *plugpkg_error_message(const plugpkg_error *err);
PLUGPKG_API const char *plugpkg_error_hint(const plugpkg_error *err);
PLUGPKG_API const char *plugpkg_error_subject(const plugpkg_error *err);
/**
 * What programs can read of the reasons: one JSON object, or NULL. For NO_SOLUTION "causes" and
 * "ways", as plugpkg-json(5) tells.
 */
PLUGPKG_API const char *plugpkg_error_details(const plugpkg_error *err);
/** errno of the failing call, 0 when none. */
PLUGPKG_API int plugpkg_error_errno(const plugpkg_error *err);
/** Source file and line that made the error, for --debug. View. */
PLUGPKG_API const char *plugpkg_error_where(const plugpkg_error *err);
/** NULL is allowed. */
PLUGPKG_API void plugpkg_error_free(plugpkg_error *err);

/** What goes on, as it goes on. Fields may be appended in later versions. */
enum plugpkg_event_type {
	PLUGPKG_EVENT_DEBUG,       /* text */
	PLUGPKG_EVENT_INFO,        /* text */
	PLUGPKG_EVENT_WARNING,     /* text */
	PLUGPKG_EVENT_LOCK_WAIT,   /* text says who is waited for */
	PLUGPKG_EVENT_FETCH,       /* subject: file; done/total bytes of it, also of earlier runs */
	PLUGPKG_EVENT_FETCH_TOTAL, /* done/total bytes that this run fetches, of all files */
	/* plugin, subject: "unpack" "install" "upgrade" "uninstall" …; done/total steps */
	PLUGPKG_EVENT_STEP,
	PLUGPKG_EVENT_SCRIPT_OUTPUT, /* plugin, subject: script kind; text: one line, sanitised */
	PLUGPKG_EVENT_SWITCH,        /* the new generation is visible; done: its number */
	PLUGPKG_EVENT_UNDO,          /* plugin; text: what is undone */
};

struct plugpkg_event { /* view: valid during the call */
	enum plugpkg_event_type type;
	const char *plugin, *subject; /* NULL when the event is about none */
	const char *text;             /* ready to print; nobody ever parses it */
	uint64_t done, total;         /* bytes for FETCH*, else items; total 0 = unknown */
};
typedef void (*plugpkg_event_fn)(const struct plugpkg_event *ev, void *user);

enum plugpkg_question_type {
	PLUGPKG_ASK_CONTINUE, /* the plan was shown; go on? safe answer: no */
	/* subject: fingerprint of an unknown repository key; safe answer: no */
	PLUGPKG_ASK_TRUST_KEY,
	/* subject: path of a local file in the plan that nobody signed; safe answer: no */
	PLUGPKG_ASK_UNSIGNED,
};
struct plugpkg_question { /* view: valid during the call */
	enum plugpkg_question_type type;
	const char *subject, *text;
};
enum plugpkg_answer {
	PLUGPKG_ANSWER_NOBODY,
	PLUGPKG_ANSWER_NO,
	PLUGPKG_ANSWER_YES
};
typedef enum plugpkg_answer (*plugpkg_ask_fn)(const struct plugpkg_question *q, void *user);

/** One JSON object without newline; view: valid during the call. */
typedef void (*plugpkg_row_fn)(const char *json, void *user);

/* ---- The root and its context ---- */

typedef struct plugpkg_context plugpkg_context;

/**
 * Make DIR a root: plugpkg.json (kept when there is one), store, generation 0, state.
 *
 * dir   borrowed; made when missing (its parent must exist)
 * name  borrowed; name of the application for plugpkg.json, NULL = the directory's name
 *
 * Errors: EXISTS (a root already) IO PERMISSION NO_SPACE BAD_CONFIG.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_init(
    const char *dir, const char *name, plugpkg_error **err);
/**
 * Open a root.
 *
 * dir      borrowed; NULL = the nearest directory upwards that holds a plugpkg.json
 * out_ctx  receives an owned context (plugpkg_close)
 *
 * Takes no lock and changes nothing. Errors: NO_ROOT NEWER_ROOT BAD_CONFIG BAD_STATE IO PERMISSION.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_open(
    const char *dir, plugpkg_context **out_ctx, plugpkg_error **err);
/** NULL is allowed. */
PLUGPKG_API void plugpkg_close(plugpkg_context *ctx);
/** Full path of the root, for messages. View: until plugpkg_close(). */
PLUGPKG_API const char *plugpkg_root_path(const plugpkg_context *ctx);

/** Who hears events and answers questions; NULL = nobody (questions get their safe answer). */
PLUGPKG_API void plugpkg_set_event_fn(plugpkg_context *ctx, plugpkg_event_fn fn, void *user);
PLUGPKG_API void plugpkg_set_ask_fn(plugpkg_context *ctx, plugpkg_ask_fn fn, void *user);
/** The time that counts for expiry, Unix seconds; default: the clock when ctx was opened. */
PLUGPKG_API void plugpkg_set_time(plugpkg_context *ctx, int64_t now);
/**
 * From now on nothing below the root is written, not even its cache: what a plan needs is fetched
 * into a private directory below TMPDIR, which goes with plugpkg_close(). What would change the
 * root, such as plugpkg_plan_commit(), is refused (PLUGPKG_E_USAGE).
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_set_dry_run(
    plugpkg_context *ctx, plugpkg_error **err);
/** How long to wait for the lock: milliseconds, 0 = not at all, -1 = for ever (default). */
PLUGPKG_API void plugpkg_set_lock_wait(plugpkg_context *ctx, int64_t timeout_ms);
/** How many downloads at once, 1 to 32, at one mirror too; 0 = as plugpkg.json says (default). */
PLUGPKG_API void plugpkg_set_jobs(plugpkg_context *ctx, unsigned jobs);
/** 1 = fetch nothing: what the cache lacks is an error (PLUGPKG_E_NETWORK). */
PLUGPKG_API void plugpkg_set_offline(plugpkg_context *ctx, int on);
/**
 * 1 = keep lines of level debug in the log too, whatever "log" in plugpkg.json says; 0 (default) =
 * as it says.
 */
PLUGPKG_API void plugpkg_set_log_debug(plugpkg_context *ctx, int on);
/**
 * Scripts of plugins run in a sandbox (plugpkg-scripts(7)) unless on is 0; each context that goes
 * without says so in a warning.
 */
PLUGPKG_API void plugpkg_set_sandbox(plugpkg_context *ctx, int on);
/**
 * Makes the calling process the reaper of its descendants (PR_SET_CHILD_SUBREAPER), so that a
 * script's processes end with it also where they left its session. Only for a process that starts
 * no others while a call runs: it could not tell them from those.
 */
PLUGPKG_API void plugpkg_set_reaper(plugpkg_context *ctx);
/**
 * Ask the running call to stop, with INTERRUPTED, and every later one of ctx that takes time: to go
 * on, open the root anew. Only sets a flag, which stays: safe in a signal handler and from another
 * thread.
 */
PLUGPKG_API void plugpkg_cancel(plugpkg_context *ctx);

/* ---- Sources ---- */

/** A repository as a root shall know it. */
struct plugpkg_source_spec {
	const char *name;        /* [a-z0-9-], 1 to 64 bytes */
	const char *const *urls; /* mirrors in order of preference; file://, http://, https:// */
	size_t n_urls;
	int priority;    /* higher wins; 500 is usual */
	const char *key; /* "sha256:HEX" of the root metadata, or path of a root.json; NULL = ask */
	/* Names that are taken from this source and from no other, a name or "acme-*". */
	const char *const *names;
	size_t n_names;
};

/**
 * Add a source: fetches its root metadata, compares it with spec->key or asks TRUST_KEY, and
 * records it.
 * Errors: EXISTS BAD_NAME NETWORK KEY SIGNATURE CONFIRM LOCKED IO.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_source_add(
    plugpkg_context *ctx, const struct plugpkg_source_spec *spec, plugpkg_error **err);
/** Errors: NOT_FOUND LOCKED IO.  Lock: exclusive. Installed plugins stay. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_source_remove(
    plugpkg_context *ctx, const char *name, plugpkg_error **err);
/** Rows of type "source". */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_source_list(
    plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Bring the metadata and index of every source up to date. Rows of type "update", one a source.
 * Errors: NETWORK SIGNATURE EXPIRED ROLLBACK DIGEST BAD_METADATA LOCKED IO.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_update(
    plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- Plans ---- */

enum plugpkg_verb {
	/* targets: NAME[@RANGE][/SOURCE], NAME-; what begins with . / ~ or ends in .plug: a path */
	PLUGPKG_INSTALL,
	PLUGPKG_REMOVE,     /* targets: NAME; none with PLUGPKG_ALL */
	PLUGPKG_PURGE,      /* REMOVE, and the data directory goes as well */
	PLUGPKG_UPGRADE,    /* targets: NAME; none = all */
	PLUGPKG_AUTOREMOVE, /* no targets */
	PLUGPKG_LINK,       /* target: a plugin's source directory, used in place */
	/*
	 * targets: NAME. The operator's switch: the plugin stays installed and is not in use, nor
	 * is what requires it ("blocked"), until it is enabled. One that is switched so already is
	 * "kept" in the plan.
	 */
	PLUGPKG_DISABLE,
	PLUGPKG_ENABLE,
};
enum plugpkg_plan_flags {
	PLUGPKG_ALL = 1 << 0,           /* REMOVE, PURGE: everything */
	PLUGPKG_NO_RECOMMENDS = 1 << 1, /* recommended plugins are not brought along */
	PLUGPKG_PRE = 1 << 2,           /* prereleases are candidates */
	PLUGPKG_REINSTALL = 1 << 3,     /* also what is installed in the same version */
	PLUGPKG_DOWNGRADE = 1 << 4,     /* INSTALL: NAME@RANGE may go below the installed version */
	PLUGPKG_ONLY_UPGRADE = 1 << 5,  /* INSTALL: bring installed targets up, skip the others */
	PLUGPKG_ALLOW_ORIGIN_CHANGE = 1 << 6, /* installed plugins may come from another source */
	/* INSTALL, UPGRADE: what stands in the way may be removed, although nobody named it */
	PLUGPKG_ALLOW_REMOVE = 1 << 7,
	/*
	 * Dependents are asked, but vetoes and delays do not count; the history keeps them. What
	 * has lost its files is removed without its scripts; a target whose scripts fail when it
	 * leaves goes all the same.
	 */
	PLUGPKG_FORCE = 1 << 8,
	PLUGPKG_LOOK =
	    1 << 9, /* nobody will carry it out: delays that begin now are not recorded */
	/* Nothing of what comes runs; plugpkg_repair() runs it later. What leaves cleans up. */
	PLUGPKG_NO_SCRIPTS = 1 << 17,
	PLUGPKG_ALLOW_UNSIGNED = 1 << 16, /* local files are taken without asking UNSIGNED */
};
/** What is asked for. A member that is zero means the usual; members may be appended. */
struct plugpkg_request {
	enum plugpkg_verb verb;
	unsigned flags; /* plugpkg_plan_flags */
	const char *const *targets;
	size_t n_targets;
	/*
	 * Releases published less than so many days ago are not taken, unless named in that very
	 * version; 0: "min-age" of plugpkg.json, -1: whatever their age.
	 */
	int min_age_days;
	const char *const *min_age_except; /* shell globs of names that may be younger */
	size_t n_min_age_except;
	/*
	 * NULL, or a file to write the request and all that it reaches into, before it is decided:
	 * a scenario of tests/solver/, for a report.
	 */
	const char *dump_case;
};

typedef struct plugpkg_plan plugpkg_plan;

/**
 * Resolve a request. Changes nothing; needs no network when `update` ran before, unless details of
 * the chosen versions are not cached yet.
 *
 * out_plan  receives an owned plan (plugpkg_plan_free), bound to ctx and the root's present
 * generation
 *
 * Dependents with a handler for what the plan does are asked, which runs their programs; a delay
 * that begins with that is recorded. A veto, and the delay of a plugin that is named: REFUSED.
 *
 * Errors: NOT_FOUND NOT_INSTALLED BAD_NAME BAD_RANGE NO_SOLUTION NETWORK EXPIRED DIGEST IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_plan_make(plugpkg_context *ctx,
    const struct plugpkg_request *request, plugpkg_plan **out_plan, plugpkg_error **err);
/**
 * Rows of type "step" in the order of execution, then "vote" (what dependents said), "kept" (held
 * back, with why), and one "summary".
 */
PLUGPKG_API void plugpkg_plan_rows(const plugpkg_plan *plan, plugpkg_row_fn row, void *user);
/** Number of steps; 0: nothing to do. */
PLUGPKG_API size_t plugpkg_plan_count(const plugpkg_plan *plan);
/**
 * Number of plugins that leave without having been asked for by name, go back in version, go out of
 * use because of what they require, or whose data is deleted after they had left before.
 */
PLUGPKG_API size_t plugpkg_plan_count_dangerous(const plugpkg_plan *plan);
/**
 * Number of plugins that leave although the request does not name them, because what they need
 * goes or they conflict with what comes. -y of the command line does not agree to these.
 */
PLUGPKG_API size_t plugpkg_plan_count_unnamed(const plugpkg_plan *plan);
/**
 * What would keep plugpkg_plan_commit() from beginning and can be told before anybody is asked.
 * Errors: OWNER (the key of a plugin's owner is not the expected one), REFUSED (a snapshot is
 * wanted of data that is a link or mounted), BAD_STATE, IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_plan_check(
    const plugpkg_plan *plan, plugpkg_error **err);
/**
 * Carry the plan out: fetch, unpack, stage, scripts, switch, remove. Refuses (REFUSED) when the
 * root changed since the plan was made. Rows: one of type "transaction" at the end.
 * Errors: LOCKED NETWORK DIGEST BAD_ARCHIVE SCRIPT NO_SPACE IO PERMISSION
 * INTERRUPTED.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_plan_commit(
    plugpkg_plan *plan, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * 1 when the root has another generation by now, or plugpkg.json as it was read last wants other
 * plugins or provides other versions, so that the plan can only be refused; else 0.
 */
PLUGPKG_API int plugpkg_plan_is_stale(const plugpkg_plan *plan);
/** NULL is allowed. */
PLUGPKG_API void plugpkg_plan_free(plugpkg_plan *plan);

/* ---- The lock file, and making a root what its files say ---- */

/**
 * Write plugpkg.lock of what is installed now; not touched when it says that already. Row: "lock".
 * Errors: LOCKED IO NO_SPACE PERMISSION BAD_STATE.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_lock_write(
    plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** The text that plugpkg_lock_write() would write. out_text: owned (free). */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_lock_text(
    plugpkg_context *ctx, char **out_text, plugpkg_error **err);
/**
 * Compare plugpkg.lock with what is installed. Rows of type "difference", counted in
 * *out_differences. Errors: BAD_LOCK BAD_STATE IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_lock_check(plugpkg_context *ctx,
    size_t *out_differences, plugpkg_row_fn row, void *user, plugpkg_error **err);

enum plugpkg_sync_flags {
	PLUGPKG_SYNC_LOCKED = 1 << 0,        /* exactly plugpkg.lock, or nothing */
	PLUGPKG_SYNC_NO_REMOVE = 1 << 1,     /* what is too much stays */
	PLUGPKG_SYNC_NO_RECOMMENDS = 1 << 2, /* recommended plugins are not brought along */
	PLUGPKG_SYNC_NO_UPDATE = 1 << 3,     /* sources stay as they were last seen */
	PLUGPKG_SYNC_FORCE = 1 << 4,         /* as PLUGPKG_FORCE: vetoes and delays do not count */
	PLUGPKG_SYNC_NO_SCRIPTS = 1 << 5,    /* as PLUGPKG_NO_SCRIPTS */
};
/**
 * Make what a directory with a plugpkg.json lacks to be a root: store, state, generation 0. The
 * file stays as it is; a complete root too. dir: as for plugpkg_open(). Two may do it at once.
 * Errors: NO_ROOT BAD_CONFIG BAD_STATE LOCKED IO PERMISSION NO_SPACE.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_prepare(const char *dir, plugpkg_error **err);
/**
 * Compare the root with plugpkg.json (and plugpkg.lock): rows of type "difference", counted in
 * *out_differences. Takes no lock, asks no source, changes nothing.
 * Errors: BAD_LOCK LOCK_MISMATCH (there is no plugpkg.lock) BAD_STATE IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_sync_check(plugpkg_context *ctx,
    unsigned flags, size_t *out_differences, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Plan what makes the root equal to plugpkg.json. No steps and no request when it is already; else
 * sources that were never seen here, have expired, or lack what is needed are brought up to date
 * first, which asks TRUST_KEY where plugpkg.json does not name a key.
 *
 * out_plan  receives an owned plan, as of plugpkg_plan_make()
 *
 * Errors: those of plugpkg_plan_make() and plugpkg_update(), BAD_LOCK LOCK_MISMATCH DIGEST.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_sync_plan(
    plugpkg_context *ctx, unsigned flags, plugpkg_plan **out_plan, plugpkg_error **err);

/* ---- Going back ---- */

enum plugpkg_rollback_flags {
	/* what is held changes and goes as well; vetoes of dependents do not count */
	PLUGPKG_ROLLBACK_FORCE = 1 << 0,
	PLUGPKG_ROLLBACK_NO_SCRIPTS = 1 << 1, /* as PLUGPKG_NO_SCRIPTS */
};
/**
 * Plan the way back to a former generation: what was installed and what plugpkg.json wanted then.
 * Nothing is solved, and no source is asked as long as the files are in the store or in the cache.
 * Committed it makes a new generation; no steps when nothing differs.
 *
 * generation  one of plugpkg_history() that is there still; -1 = the one before the current one
 * flags       PLUGPKG_ROLLBACK_*
 * out_plan    receives an owned plan, as of plugpkg_plan_make()
 *
 * Dependents of what leaves are asked, as by plugpkg_plan_make(), and can only forbid it.
 *
 * Errors: NOT_FOUND (the generation, with those that are there, or files of it) REFUSED (something
 * is held, or a dependent forbids it) DIGEST NETWORK BAD_STATE IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_rollback_plan(plugpkg_context *ctx,
    int64_t generation, unsigned flags, plugpkg_plan **out_plan, plugpkg_error **err);
/**
 * The same, to the generation before the last transaction that changed something: undone twice, it
 * is done again. Errors: those of plugpkg_rollback_plan(); REFUSED when there is no such one.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_undo_plan(
    plugpkg_context *ctx, unsigned flags, plugpkg_plan **out_plan, plugpkg_error **err);

/* ---- Marks: what a root remembers of its plugins beside their files ---- */

/** Plugins to hold. */
struct plugpkg_hold_spec {
	const char *const *names; /* without versions */
	size_t n_names;
	int64_t until; /* Unix seconds, later than now: the hold is over then; 0 = unhold ends it */
};
/**
 * Hold plugins at their installed versions: no plan upgrades, downgrades or removes them. All of
 * them or, on a failure, none.
 *
 * ctx   borrowed
 * spec  borrowed
 * row   NULL, or receives rows of type "hold", one a plugin
 * err   NULL, or receives an owned error (plugpkg_error_free)
 *
 * Holding a held plugin is PLUGPKG_OK and sets its time anew.
 * Errors: USAGE (a time that is over) BAD_NAME NOT_INSTALLED LOCKED IO PERMISSION.
 * Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_hold(plugpkg_context *ctx,
    const struct plugpkg_hold_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Release the holds of plugins, all or none. Rows of type "hold", one a plugin. Releasing a plugin
 * that is not held is PLUGPKG_OK.
 * Errors: BAD_NAME NOT_INSTALLED LOCKED IO PERMISSION.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_unhold(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Installed plugins to move into or out of the wanted set of plugpkg.json. */
struct plugpkg_mark_spec {
	const char *const *names; /* without versions */
	size_t n_names;
	int manual; /* 1 = asked for, in any version; 0 = came along, autoremove may take it */
};
/**
 * Count plugins as asked for or as come along, all or none. Rows of type "mark", one a plugin. A
 * plugin that is wanted already keeps its range.
 * Errors: BAD_NAME NOT_INSTALLED LOCKED IO PERMISSION.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_mark(plugpkg_context *ctx,
    const struct plugpkg_mark_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- Upkeep ---- */

/**
 * Say of installed plugins that what their `install` did is gone: is_installed answers no, check
 * names them, repair runs `install` again. All or none. Rows of type "mark", one a plugin.
 * Errors: BAD_NAME NOT_INSTALLED LOCKED IO PERMISSION.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_mark_not_installed(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Make a root what its state says: damaged or missing files of plugins come again from the cache or
 * their source, links become a new generation, `install` of what says that it is not there runs
 * again, uninstalls of leftovers are tried again. No names = all plugins. Rows of type "repaired";
 * the first failure ends it, and what was repaired before stays so.
 * Errors: BAD_NAME NOT_INSTALLED NETWORK DIGEST SCRIPT LOCKED IO PERMISSION INTERRUPTED. Lock:
 * exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repair(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Where plain files go. */
struct plugpkg_materialize_spec {
	const char *dir; /* a new directory, or an earlier one of these; NULL = ROOT/plain */
	int copy;        /* 1 = share no file with the store */
};
/**
 * Write the current generation as plain files instead of links; what was at dir before is replaced
 * in one step. Files share their blocks with the store, or are hard links to it, where possible.
 * Row: "materialized". Errors: USAGE EXISTS (dir is something else) REFUSED (a place of the root's
 * own) LOCKED IO NO_SPACE PERMISSION BAD_STATE INTERRUPTED.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_materialize(plugpkg_context *ctx,
    const struct plugpkg_materialize_spec *spec, plugpkg_row_fn row, void *user,
    plugpkg_error **err);
/**
 * Delete cached files, old generations but `keep_generations`, and store versions nobody points to.
 */
struct plugpkg_clean_spec {
	unsigned keep_generations; /* beside the current one */
	int keep_cache;            /* 1 = leave downloaded archives alone */
	int only_cache;            /* 1 = delete nothing else */
	/*
	 * Forget also the history and log before this time, which reads as `since` of
	 * plugpkg_log_spec does; transactions that made a remaining generation stay. NULL = none.
	 */
	const char *before;
};
/**
 * One row of type "cleaned" with counts and bytes. Much of it goes by the hands of a few threads,
 * which get no signals and are gone on return. Errors: USAGE (before) LOCKED IO NO_SPACE PERMISSION
 * BAD_STATE.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_clean(plugpkg_context *ctx,
    const struct plugpkg_clean_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Write text into the log, one record a line of it. Inside a script of a transaction on this root
 * (PLUGPKG_TRANSACTION and PLUGPKG_NAME in the environment) the lines carry its tags and the
 * channel "plugin", else none and the channel "operator".
 * Errors: USAGE BAD_NAME PERMISSION NO_SPACE IO. Takes no lock, also while a transaction runs.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_log_write(
    plugpkg_context *ctx, const char *level, const char *text, plugpkg_error **err);

/* ---- Transactions that did not come to their end ---- */

/**
 * Finish or undo a transaction that was cut off; the next mutating call does the same by itself.
 * Fit for the start of the machine. Past the switch (when the application was found healthy) it is
 * finished, before it undone. One row of type "recovered", or none.
 *
 * An error means that it could not be ended now; calling again goes on with it.
 * Errors: LOCKED SCRIPT BAD_STATE BAD_CONFIG IO NO_SPACE PERMISSION.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_recover(
    plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Does a transaction run at this moment? out: 0 or 1; then one row of type "installing". Read from
 * the lock, which dies with its holder. Takes no lock. Errors: IO PERMISSION.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_is_installing(
    plugpkg_context *ctx, int *out, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Run the post-install steps of plugins that stand at "core-installed".
 *
 * names  borrowed; keys or names; n_names 0 = all of them
 *
 * Rows of type "configured", one a plugin. What is installed already is passed over.
 * Errors: SCRIPT (some are still pending) NOT_INSTALLED LOCKED IO INTERRUPTED.  Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_configure(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- For authors: no root needed ---- */

/**
 * Make DIR/NAME a working skeleton plugin. Rows: "created", one a file. Errors: EXISTS BAD_NAME IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_new(
    const char *dir, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Rows of type "finding" (level "error" or "warning", field, text). Counts each level. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_lint(const char *dir, size_t *out_errors,
    size_t *out_warnings, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Lint and pack DIR into OUT_DIR/NAME-VERSION.plug (the / of a scope becomes -, its @ goes). Same
 * input, same bytes. mtime: Unix seconds for every entry (SOURCE_DATE_EPOCH), 0 is usual. Row:
 * "built".
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_build(const char *dir, const char *out_dir,
    int64_t mtime, plugpkg_row_fn row, void *user, plugpkg_error **err);

#ifdef __cplusplus
}
#endif

#include <plugpkg-query.h>

#include <plugpkg-owner.h>
#endif
