/* SPDX-License-Identifier: MIT */
/*
 * Who is blocked: a requirement of it is satisfied by disabled or blocked plugins only. Nothing
 * but the operator's switches decides it, so that enabling returns exactly what disabling took.
 */
#ifndef PP_TXN_BLOCK_H
#define PP_TXN_BLOCK_H

#include "lib/txn/bind.h"

/*
 * Sets blocked_by of each plugin in set, which `all` was made of: through any number of
 * dependencies; provided names and majors count as they do for bindings, recommendations do not.
 */
void pp_block_find(struct pp_installeds *set, const struct pp_bindables *all);

#endif
