/* SPDX-License-Identifier: MIT */
/* What becomes of a transaction that was cut off: finished or taken back, from its journal. */
#ifndef PP_TXN_RECOVER_H
#define PP_TXN_RECOVER_H

#include "lib/model/context.h"

struct pp_recovered {
	int64_t id;         /* of the transaction; 0: none was open */
	char *command;      /* owned */
	const char *result; /* "done", "undone", "failed" */
	char *text;         /* ready to print: "it was undone"; owned */
};
void pp_recovered_fini(struct pp_recovered *r);
/*
 * Under the lock. OK: no transaction is open any more. An error: it could not be ended now, and the
 * next call goes on with it.
 */
enum plugpkg_code pp_recover(plugpkg_context *ctx, struct pp_recovered *out, plugpkg_error **err);

#endif
