/* SPDX-License-Identifier: MIT */
/* Runs one script of a plugin: environment, time limit, process group, captured output. */
#ifndef PP_TXN_SCRIPT_H
#define PP_TXN_SCRIPT_H

#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/state/state.h"

struct pp_script_run {
	const struct pp_manifest *manifest;
	int dir_fd;             /* the plugin's store directory, borrowed */
	const char *store_path; /* full path of it */
	enum pp_script script;
	const char *reason;      /* install, upgrade, remove, purge, rollback */
	const char *old_version; /* or NULL */
	int64_t transaction, next_generation;
	bool is_undo; /* runs to its end although the user wants to stop */
};
/*
 * A plugin without that script: OK at once. Errors: SCRIPT (exit status, signal or time limit, with
 * the last lines), INTERRUPTED.
 */
enum plugpkg_code pp_script_run(
    plugpkg_context *ctx, const struct pp_script_run *run, plugpkg_error **err);
/*
 * The "settings" of plugpkg.json that scripts get: names and values that may be there. Errors:
 * BAD_CONFIG.
 */
enum plugpkg_code pp_script_check_settings(const struct pp_config *config, plugpkg_error **err);

/* lib/txn/capture.c: the output of one running script, line by line. */
struct pp_capture {
	plugpkg_context *ctx;
	struct pp_state *state;
	const char *plugin, *channel;
	int64_t transaction;
	int fd;             /* reading end of the pipe, non-blocking; owned; -1 at its end */
	struct pp_buf line; /* what came since the last newline */
	uint64_t bytes;     /* shown so far */
	bool is_cut;
	struct pp_strs last; /* the last lines, for the error message */
};
void pp_capture_init(struct pp_capture *c, int fd);
/* Takes what is there now; never waits. False when nothing was there. */
bool pp_capture_read(struct pp_capture *c);
void pp_capture_end(struct pp_capture *c); /* the last line, without its newline */
void pp_capture_fini(struct pp_capture *c);

#endif
