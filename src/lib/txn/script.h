/* SPDX-License-Identifier: MIT */
/* Runs one script of a plugin: environment, time limit, process group, captured output. */
#ifndef PP_TXN_SCRIPT_H
#define PP_TXN_SCRIPT_H

#include "lib/model/context.h"
#include "lib/model/manifest.h"

struct pp_script_run {
	const struct pp_manifest *manifest;
	int dir_fd;             /* the plugin's store directory, borrowed */
	const char *store_path; /* full path of it */
	enum pp_script script;
	const char *reason;      /* install, upgrade, remove, purge, rollback */
	const char *old_version; /* or NULL */
	int64_t transaction, next_generation;
};
/* A plugin without that script: OK at once. Errors: SCRIPT (exit status, signal or time limit, with the last lines), INTERRUPTED. */
enum plugpkg_code pp_script_run(
    plugpkg_context *ctx, const struct pp_script_run *run, plugpkg_error **err);

#endif
