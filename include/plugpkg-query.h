/* SPDX-License-Identifier: MIT */
/*
 * libplugpkg: questions to a root and its sources. None of them changes the root. Part of
 * plugpkg.h, which says who owns what.
 */
#ifndef PLUGPKG_QUERY_H
#define PLUGPKG_QUERY_H

#include <plugpkg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Plugins ---- */

enum plugpkg_list_flags {
	PLUGPKG_LIST_AVAILABLE = 1 << 0,  /* what the sources offer instead of what is installed */
	PLUGPKG_LIST_UPGRADABLE = 1 << 1, /* only what has a newer version in its source */
	PLUGPKG_LIST_MANUAL = 1 << 2,
	PLUGPKG_LIST_AUTO = 1 << 3,
	PLUGPKG_LIST_HELD = 1 << 4,
	PLUGPKG_LIST_ALL = 1 << 5,      /* what is installed, and what else the sources offer */
	PLUGPKG_LIST_LEVELS = 1 << 6,   /* with the distance of each from the leaves */
	PLUGPKG_LIST_DISABLED = 1 << 7, /* only what is disabled or blocked */
};
struct plugpkg_list_spec {
	unsigned flags;      /* plugpkg_list_flags */
	const char *pattern; /* shell glob on names, or NULL */
	const char *type;    /* only plugins of this "type", or NULL */
};
/** Rows of type "plugin", sorted by name, with LEVELS by depth first. spec: borrowed. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_list(plugpkg_context *ctx,
    const struct plugpkg_list_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** One of these rows as it is shown to people. View: valid during the call; NULL: it has none. */
struct plugpkg_listed {
	const char *name, *version, *source, *summary;
	const char *key;        /* of what is installed: NAME, or NAME@MAJOR */
	const char *candidate;  /* a newer version of it */
	const char *reason;     /* "manual" or "automatic", of what is installed */
	const char *state;      /* "installed", "disabled", …; "available" */
	const char *blocked_by; /* keys of what it is blocked by, with spaces between */
	const char *installed;  /* of an offer: the version that is here */
	const char *linked_from;
	int64_t held_until; /* 0: until it is released */
	int is_held, is_broken;
	unsigned depth; /* with LEVELS */
};
typedef void (*plugpkg_listed_fn)(const struct plugpkg_listed *one, void *user);
/** The same as plugpkg_list(), for who shows it and writes no JSON. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_list_each(plugpkg_context *ctx,
    const struct plugpkg_list_spec *spec, plugpkg_listed_fn each, void *user, plugpkg_error **err);
/**
 * The scripts of NAME or NAME@RANGE, to be read before they run: rows of type "script". Where it is
 * not installed its archive is fetched into the cache, and nothing of it runs. Errors: as
 * plugpkg_show(); NETWORK DIGEST BAD_ARCHIVE.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_show_scripts(
    plugpkg_context *ctx, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Everything about NAME or NAME@RANGE: one row of type "show". Errors: NOT_FOUND (with near names).
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_show(
    plugpkg_context *ctx, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Rows of type "found" for plugins whose name, summary or keywords hold every word. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_search(plugpkg_context *ctx,
    const char *const *words, size_t n_words, plugpkg_row_fn row, void *user, plugpkg_error **err);
enum plugpkg_depends_flags {
	PLUGPKG_DEPENDS_RECURSIVE = 1 << 0, /* what is required or recommended, to its end */
	PLUGPKG_DEPENDS_TREE = 1 << 1,      /* the same, each edge below the one that led to it */
};
/**
 * Rows of type "edge": what NAME asks for, and what of it is installed. flags:
 * plugpkg_depends_flags. A tree has one row of type "tree" first. Errors: BAD_NAME NOT_FOUND.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_depends(plugpkg_context *ctx,
    const char *name, unsigned flags, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** The same the other way: who asks for NAME among the installed plugins. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_rdepends(plugpkg_context *ctx,
    const char *name, unsigned flags, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * What is installed, for drawing: rows of type "node" (plugins, then names of the application and
 * missing ones), then "line" (requirements, followed recommendations, conflicts that are there).
 * names: borrowed; only these and what they lead to; none = all. Errors: BAD_NAME NOT_INSTALLED.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_graph(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Why NAME is installed: rows of type "why", one for each shortest chain of requirements and
 * recommendations from a plugin that was asked for down to NAME. Without such a chain they start at
 * a held or linked plugin, or the one row has none. Errors: BAD_NAME NOT_INSTALLED BAD_STATE IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_why(
    plugpkg_context *ctx, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * What could be installed of plugins or virtual names: for each a row of type "policy" (what is
 * installed, the candidates that install and upgrade would take, who provides the name), then rows
 * of type "offer", one a release of any source, with why it is none of them. What releases need of
 * each other is left to plugpkg_why_not(). Ends at the first name that nobody knows.
 * names: borrowed; NAME or NAME/SOURCE. Errors: USAGE BAD_NAME NOT_FOUND BAD_STATE IO. Takes no
 * lock.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_policy(plugpkg_context *ctx,
    const char *const *names, size_t n_names, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * What stands in the way of a request, which is planned and not carried out. One row of type
 * "why-not"; where it is possible, then the rows of the plan, else those of plugpkg_policy() for
 * the targets. OK whenever there is an answer, also where it is no.
 * request: borrowed; PLUGPKG_INSTALL. Errors: those of plugpkg_plan_make() and plugpkg_plan_check()
 * but NO_SOLUTION, REFUSED and OWNER.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_why_not(plugpkg_context *ctx,
    const struct plugpkg_request *request, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Whether plugins are installed. */
struct plugpkg_is_installed_spec {
	const char *const *targets; /* NAME, NAME@RANGE */
	size_t n_targets;
	int ask; /* 1 = their `verify` is asked too */
};
/**
 * Rows of type "installed", one a target; *out_missing counts those that are not. By the state
 * alone no script is called, no lock is taken, and the application's database may be down.
 * Errors: BAD_NAME BAD_RANGE BAD_STATE IO INTERRUPTED; after all rows SCRIPT, when a `verify` could
 * not tell.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_is_installed(plugpkg_context *ctx,
    const struct plugpkg_is_installed_spec *spec, size_t *out_missing, plugpkg_row_fn row,
    void *user, plugpkg_error **err);
enum plugpkg_check_flags {
	PLUGPKG_CHECK_NO_SCRIPTS = 1 << 0, /* no plugin's `verify` is asked */
};
/**
 * Compare the root with itself: databases, store digests, links, data directories, requirements,
 * host versions; and ask every `verify`. Rows of type "problem"; *out_problems counts them. Beside
 * a change it looks again, for some seconds; a warning names one that takes longer. OK also when
 * problems were found. flags: plugpkg_check_flags.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_check(plugpkg_context *ctx, unsigned flags,
    size_t *out_problems, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- The log: what plugpkg and the scripts of plugins said ---- */

/** Which lines. Texts may be NULL: no limit. */
struct plugpkg_log_spec {
	const char *const *names; /* plugins; none = all lines */
	size_t n_names;
	const char *period;        /* "last 5 mins", "yesterday": plugpkg-log(1) */
	const char *since, *until; /* "2026-11-21T14:00:00Z", "2 hours ago" */
	const char *level;         /* the least: "debug", "info", "warning", "error" */
	int64_t transaction;       /* 0 = any; -1 = the newest */
	int follow;                /* 1 = go on with lines as they come */
};
/**
 * Rows of type "log" in the order of time; when following, in the order in which they come. Without
 * period, since and transaction, following begins with the last ten lines. It ends with the
 * transaction that was asked for, else when it is cancelled (INTERRUPTED).
 * Errors: USAGE BAD_NAME NOT_FOUND (no such transaction) BAD_STATE IO INTERRUPTED. Takes no lock.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_log(plugpkg_context *ctx,
    const struct plugpkg_log_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- History ---- */

/**
 * Transactions, newest first: rows of type "history"; between them rows of type "note" for what was
 * changed without one (holds, marks, sources). Errors: BAD_STATE IO. Takes no lock.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_history(
    plugpkg_context *ctx, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** What of a transaction is shown. */
struct plugpkg_history_spec {
	int64_t transaction; /* -1 = the newest */
	int tree; /* 1 = rows of type "member": its generation as a tree of requirements */
	int log;  /* 1 = rows of type "log" */
};
/**
 * One transaction: a row of type "history", rows of type "change" and "note", then what spec asks
 * for. Errors: NOT_FOUND BAD_STATE IO. Takes no lock.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_history_show(plugpkg_context *ctx,
    const struct plugpkg_history_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);

#ifdef __cplusplus
}
#endif
#endif
