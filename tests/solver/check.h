/* SPDX-License-Identifier: MIT */
/* An independent judge: is the set that a plan leads to allowed, and its order right? */
#ifndef CHECK_H
#define CHECK_H

#include "case.h"

/* NULL, or what is broken; owned. text: what scenario_run() gave. */
char *check_rules(const struct scenario *c, const char *text);

#endif
