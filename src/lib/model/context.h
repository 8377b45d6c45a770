/* SPDX-License-Identifier: MIT */
/*
 * What every module needs to know of the context: descriptors of the root, callbacks, clock, cancel
 * flag.
 */
#ifndef PP_MODEL_CONTEXT_H
#define PP_MODEL_CONTEXT_H

#include "base/map.h"
#include "lib/model/config.h"
#include "lib/model/error.h"

#include <stdatomic.h>
#include <sys/stat.h>

struct pp_state; /* lib/state/state.h */
struct pp_host;  /* lib/txn/host.h */

struct plugpkg_context {
	char *root; /* full path, for messages and for scripts' environment */
	int root_fd;
	struct pp_config *config; /* plugpkg.json */
	struct stat config_file;  /* before it was read */
	struct pp_state *state;   /* opened on first use: pp_state_of() */
	bool has_state;           /* it is there, and in the format of today */
	struct pp_host *host;     /* what the application's command said of its versions, or NULL */
	plugpkg_event_fn event_fn;
	void *event_user;
	plugpkg_ask_fn ask_fn;
	void *ask_user;
	int64_t now;
	int64_t lock_wait_ms;
	int lock_fd; /* -1 = not held */
	/* Full path of what the running script is given; borrowed, NULL while none runs. */
	const char *script_temp;
	/* The log: what is said while the lock is held also stands in var/log.db. */
	void (*log_fn)(
	    plugpkg_context *ctx, enum pp_log_level level, const char *plugin, const char *text);
	bool is_reaper;         /* who loses his parent becomes a child of this process */
	bool is_log_debug;      /* lines of level debug are kept, whatever plugpkg.json says */
	int64_t clock_skew_s;   /* what a caller's idea of the time adds to the clock */
	int64_t transaction;    /* the running one's number, for log lines; 0 = none */
	bool is_dry_run;        /* nothing below the root is written */
	char *scratch;          /* of a dry run: what it fetches, outside the root */
	int scratch_fd;         /* valid when is_dry_run */
	bool is_sandbox_off;    /* asked for: scripts run without a wall */
	bool is_sandbox_told;   /* that they do was said */
	bool is_keeper_told;    /* that the root is not root's was said */
	bool is_staging_told;   /* that something in var/staging cannot be deleted was said */
	bool is_offline;        /* nothing is fetched: the cache has it, or it cannot be had */
	unsigned jobs;          /* downloads at once; 0 = as plugpkg.json says */
	unsigned n_warnings;    /* how many were given */
	struct pp_map verified; /* lib/net/cache.h: what this process found right in the cache */
	atomic_int cancelled;
};

#define PP_NO_ROOT_HINT "name the root with --root, or make one with plugpkg init"

void pp_event(plugpkg_context *ctx, const struct plugpkg_event *ev); /* ctx NULL allowed */
void pp_warn(plugpkg_context *ctx, const char *plugin, const char *fmt, ...) PP_PRINTF(3, 4);
void pp_debug(plugpkg_context *ctx, const char *plugin, const char *fmt, ...) PP_PRINTF(3, 4);
enum plugpkg_answer pp_ask(plugpkg_context *ctx, const struct plugpkg_question *q);
/* The least level that the log keeps. */
enum pp_log_level pp_log_least(const plugpkg_context *ctx);
/* INTERRUPTED when plugpkg_cancel() was called. ctx NULL allowed. */
enum plugpkg_code pp_check_cancel(plugpkg_context *ctx, plugpkg_error **err);
/* USAGE in a dry run, which writes nothing below the root. */
enum plugpkg_code pp_check_may_write(const plugpkg_context *ctx, plugpkg_error **err);
/* Sends a row and frees it: row moved. fn NULL allowed. */
void pp_row(plugpkg_row_fn fn, void *user, struct pp_json *row);
/* A new row: {"v":1,"type":TYPE}. */
struct pp_json *pp_row_new(const char *type);

#endif
