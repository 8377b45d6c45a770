/* SPDX-License-Identifier: MIT */
/* The decision itself. Runs in the child: only computes, and says what it found line by line. */
#ifndef PP_SOLVE_DECIDE_H
#define PP_SOLVE_DECIDE_H

#include "lib/solve/load.h"

/* Takes one finished object: moved. */
typedef void (*pp_decide_say)(pp_json *line, void *user);

/*
 * First {"chosen":[indices of candidates]}, then {"kept":NAME,"reason":TEXT} for what upgrade
 * left behind and {"broken":NAME,"reason":TEXT} for what stays broken; or
 * {"causes":[…],"ways":[…]} when nothing can be chosen (explain.h, ways.h). {"end":true} is last:
 * what follows is only tidying up.
 */
void pp_decide(const struct pp_load *l, pp_decide_say say, void *user);

#endif
