/* SPDX-License-Identifier: MIT */
/* libsolv's own headers say what it does; this one says whether it can be loaded. */
#ifndef PP_SOLVE_LIBSOLV_H
#define PP_SOLVE_LIBSOLV_H

#include <stdbool.h>

/* Loads it. False: pp_library_error() tells why not, and none of its functions may be called. */
bool pp_libsolv_is_there(void);

#endif
