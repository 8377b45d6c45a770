/* SPDX-License-Identifier: MIT */
/* Scripts and links of what is installed, outside of a transaction: asked, and made right again. */
#ifndef PP_TXN_MEND_H
#define PP_TXN_MEND_H

#include "lib/state/state.h"

/* The state of a plugin of which somebody said that its install has to run again. */
#define PP_STATE_NOT_INSTALLED "not-installed"

enum pp_mend_answer {
	PP_MEND_NOT_ASKED, /* it has no `verify` */
	PP_MEND_YES,
	PP_MEND_NO,
	PP_MEND_UNKNOWN, /* it could not tell */
};
/*
 * Runs `verify`. out_why: NULL, or receives what it said to NO and UNKNOWN (owned), NULL otherwise.
 * Needs no lock.
 */
enum plugpkg_code pp_mend_ask(plugpkg_context *ctx, const struct pp_installed *p,
    enum pp_mend_answer *out, char **out_why, plugpkg_error **err);
/*
 * Under the lock. Runs `install` again and asks `verify`; then the state says "installed". Before,
 * it says PP_STATE_NOT_INSTALLED, so that a crash in between is not forgotten. Errors: SCRIPT IO.
 */
enum plugpkg_code pp_mend_install(
    plugpkg_context *ctx, const struct pp_installed *p, plugpkg_error **err);
/* Under the lock. The uninstall of a leftover once more; then it is no longer on record. */
enum plugpkg_code pp_mend_leftover(
    plugpkg_context *ctx, const struct pp_installed *p, plugpkg_error **err);
/* Under the lock. A new generation of exactly these plugins becomes current. */
enum plugpkg_code pp_mend_generation(
    plugpkg_context *ctx, const struct pp_installeds *set, int64_t *out, plugpkg_error **err);

#endif
