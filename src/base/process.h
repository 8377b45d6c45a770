/* SPDX-License-Identifier: MIT */
/*
 * Processes that we did not start ourselves, as /proc shows them. Where there is no /proc, nobody
 * is seen.
 */
#ifndef PP_BASE_PROCESS_H
#define PP_BASE_PROCESS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pp_process {
	pid_t pid, parent, session;
	bool is_dead;         /* a corpse that nobody reaped */
	uint64_t start_ticks; /* since boot; tells it from a later process of the same number */
};

/* False when there is no such process. */
bool pp_process_look(pid_t pid, struct pp_process *out);
/* Has its environment all of these lines, "NAME=VALUE"? False of one that cannot be read. */
bool pp_process_has_env(pid_t pid, const char *const *lines, size_t n);
/* Calls fn for every process of the session that is alive, until it returns false. */
typedef bool (*pp_process_fn)(const struct pp_process *p, void *user);
void pp_process_each(pid_t session, pp_process_fn fn, void *user);
/* The same for the children of a process, corpses too. */
void pp_process_each_child(pid_t parent, pp_process_fn fn, void *user);
/* SIGKILL, if it is still the one that was seen. */
void pp_process_kill(const struct pp_process *p);

#endif
