/* SPDX-License-Identifier: MIT */
/* Installed plugins whose requirements are not met: after the application changed, mostly. */
#ifndef PP_TXN_BROKEN_H
#define PP_TXN_BROKEN_H

#include "lib/txn/web.h"

/*
 * One line for each requirement that the plugin at this place has in vain: "needs host:mishka
 * <0.3; this application has 0.4.1", and for each conflict with the application. Leftovers need
 * nothing. A version of the application that its
 * command was not asked for yet is no complaint.
 */
void pp_broken_complaints(const struct pp_web *w, size_t place, struct pp_strs *out);
/* The same as member "broken" of a row; nothing when all is well. */
void pp_row_add_broken(const struct pp_web *w, size_t place, pp_json *row);

#endif
