/* SPDX-License-Identifier: MIT */
/* Asks a program of the application for a short answer on its standard output. */
#ifndef PP_TXN_COMMAND_H
#define PP_TXN_COMMAND_H

#include "lib/model/context.h"

struct pp_command {
	const struct pp_strs *argv; /* at[0]: path below the root */
	unsigned timeout_s;
	const char *phase; /* PLUGPKG_PHASE of its environment */
};
/*
 * Runs it in the root: a clean environment, nothing on standard input, no terminal, a process group
 * of its own that ends with it. *out gets the answer; more than its limit is a failure. Of standard
 * error only the last lines are kept, for the message.
 *
 * Errors: HOST (what it did instead, with those lines), INTERRUPTED, IO.
 */
enum plugpkg_code pp_command_run(
    plugpkg_context *ctx, const struct pp_command *c, struct pp_buf *out, plugpkg_error **err);
/*
 * The digest of the program's bytes and of how it is called. Errors: HOST when it is no program.
 */
enum plugpkg_code pp_command_digest(
    plugpkg_context *ctx, const struct pp_strs *argv, char out[65], plugpkg_error **err);

#endif
