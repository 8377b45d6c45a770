/* SPDX-License-Identifier: MIT */
/*
 * Handlers of plugins ("on" in plugin.json). What is asked is asked here, without a transaction and
 * without the lock; what is told is told by ops of a transaction.
 */
#ifndef PP_TXN_EVENT_H
#define PP_TXN_EVENT_H

#include "lib/model/vote.h"
#include "lib/txn/inventory.h"
#include "lib/txn/steps.h"

/* Days that an upgrade can be put off at most, and for who does not say until when. */
#define PP_DELAY_MAX_DAYS   30
#define PP_DELAY_USUAL_DAYS 7

struct pp_asking {
	plugpkg_context *ctx;
	const struct pp_inventory *inv;
	const struct pp_plan *plan;
};
/* Has the installed plugin (its manifest) a handler for it? */
bool pp_event_is_handled(const pp_json *manifest, enum pp_on event);
/*
 * Calls the dependent's handler with the phase `ask` and fills said, text and until of the vote,
 * whatever becomes of the handler: crash, time limit and unknown codes count as a veto, or as a
 * delay of the usual length. Errors: INTERRUPTED, BAD_STATE, REFUSED inside a script of this root.
 */
enum plugpkg_code pp_event_ask(
    const struct pp_asking *asking, struct pp_vote *vote, plugpkg_error **err);

/* ops, in tell.c: `do` to those that were asked, and what is told afterwards. */
extern const struct pp_op_type pp_op_uninstall_before, pp_op_install_after, pp_op_upgrade_after,
    pp_op_uninstall_after;
/* Only tells what has happened: it does not fail, and who hears of it changes nothing more. */
bool pp_op_is_told(const struct pp_op_type *type);
/* One op for each dependent that was asked; one for each plugin that wants to hear of changes. */
void pp_tell_plan_before(struct pp_txn *t);
void pp_tell_plan_after(struct pp_txn *t);
/* Those of the latter that did not run yet, where a removal stopped. */
void pp_tell_after(struct pp_txn *t);

/* detach.c */
/* Dependents that stay without what leaves: their requirement is dropped in t->set. */
void pp_txn_detach(struct pp_txn *t);
/* Requirements that are satisfied (again) count again. */
void pp_txn_reattach(struct pp_txn *t);

#endif
