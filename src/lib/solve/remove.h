/* SPDX-License-Identifier: MIT */
/* What goes: by request, because it misses what goes, or because nothing needs it any more. */
#ifndef PP_SOLVE_REMOVE_H
#define PP_SOLVE_REMOVE_H

#include "lib/solve/load.h"

/* REMOVE and PURGE. Errors: NOT_INSTALLED REFUSED (held). */
enum plugpkg_code pp_remove(const struct pp_load *l, struct pp_plan *plan, plugpkg_error **err);
/* AUTOREMOVE: automatic plugins that no manual one needs or recommends, cycles of them too. */
void pp_autoremove(const struct pp_load *l, struct pp_plan *plan);

#endif
