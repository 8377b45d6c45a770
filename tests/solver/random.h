/* SPDX-License-Identifier: MIT */
/* Small worlds made up at random, decided by the solver and by trying every set. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/*
 * Number of the worlds 1 to n in which they disagree, or a plan breaks a rule; each is printed as
 * comments.
 */
uint64_t random_worlds_wrong(uint64_t n);
/*
 * The same of larger worlds with plugins installed and held, and of all verbs: plans obey every
 * rule and do not depend on the order of the input.
 */
uint64_t random_mixed_wrong(uint64_t n);

#endif
