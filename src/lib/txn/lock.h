/* SPDX-License-Identifier: MIT */
/*
 * var/lock: one mutating plugpkg a root. The holder writes who it is; the kernel releases it when
 * it dies.
 */
#ifndef PP_TXN_LOCK_H
#define PP_TXN_LOCK_H

#include "lib/model/context.h"

/*
 * Waits as ctx->lock_wait_ms says; then reads plugpkg.json again, which may have changed meanwhile,
 * lifts a state of an older format, and finishes or takes back a transaction that was cut off.
 * what: "install photos". Errors: LOCKED (names process, command and since when), REFUSED inside a
 * script of this root, PERMISSION, INTERRUPTED, BAD_CONFIG, BAD_STATE, NEWER_ROOT, and what lifting
 * and recovery fail with.
 */
enum plugpkg_code pp_lock(plugpkg_context *ctx, const char *what, plugpkg_error **err);
/*
 * The same. `start` is called as soon as the lock is held and plugpkg.json is read: what it starts
 * goes on beside the look at the state, which may fail.
 */
struct pp_aside {
	void (*start)(plugpkg_context *ctx, void *user);
	void *user;
};
enum plugpkg_code pp_lock_aside(
    plugpkg_context *ctx, const char *what, const struct pp_aside *aside, plugpkg_error **err);
/* The same without recovery, for who does it himself. */
enum plugpkg_code pp_lock_bare(plugpkg_context *ctx, const char *what, plugpkg_error **err);
/* Who holds the lock at this moment. Takes nothing, waits for nothing. */
struct pp_lock_holder {
	bool is_held;
	int64_t pid, since, transaction; /* transaction 0: none runs, or not yet */
	char *command;                   /* owned; sanitised */
};
enum plugpkg_code pp_lock_look(
    plugpkg_context *ctx, struct pp_lock_holder *out, plugpkg_error **err);
void pp_unlock(plugpkg_context *ctx);
/* Are we, by what our environment says, a script of a transaction on this very root? */
bool pp_lock_is_in_script(const plugpkg_context *ctx, const char **out_transaction);
/* Does any process hold it now? */
bool pp_lock_is_held(const plugpkg_context *ctx);
/* Adds the number of the running transaction to what others read of the holder. */
void pp_lock_note_transaction(plugpkg_context *ctx, const char *what, int64_t txn);
/*
 * Which script runs now (0: none), and its temporary directory, ctx->script_temp: for who comes
 * after our death. Does nothing without the lock.
 */
void pp_lock_note_script(plugpkg_context *ctx, int64_t pid);

/* Unlocks at the end of the scope: PP_AUTO_LOCK plugpkg_context *locked = NULL; */
static inline void
pp_auto_lock(plugpkg_context **ctx)
{
	if (*ctx != NULL)
		pp_unlock(*ctx);
}
#define PP_AUTO_LOCK PP_CLEANUP(pp_auto_lock)

#endif
