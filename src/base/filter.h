/* SPDX-License-Identifier: MIT */
/*
 * Filters of system calls: a process gives up calls, for itself and all that it starts, for ever.
 * Made by one process, entered by the same or by a child before it runs a program.
 */
#ifndef PP_BASE_FILTER_H
#define PP_BASE_FILTER_H

#include "base/compiler.h"

/* Built in, and the kernel has them. */
bool pp_filter_is_there(void);

enum pp_filter_op {
	PP_FILTER_EQ,
	PP_FILTER_NE,
	PP_FILTER_GT,
	PP_FILTER_MASKED, /* (argument & mask) == value */
};
struct pp_filter_arg {
	unsigned at; /* 0: the first */
	enum pp_filter_op op;
	uint64_t value, mask; /* of all 64 bits, also where the call takes fewer */
};
#define PP_FILTER_MAX_ARGS 3
struct pp_filter_rule {
	const char *call; /* a name that this architecture does not know is passed over */
	int errnum;       /* 0: allowed */
	size_t n_args;    /* all of them have to hold */
	struct pp_filter_arg args[PP_FILTER_MAX_ARGS];
};
struct pp_filter_spec {
	int otherwise; /* errno of every call without a rule; 0: allowed */
	const struct pp_filter_rule *rules;
	size_t n_rules;
};

struct pp_filter;
/* Calls of another architecture than ours give ENOSYS. -ENOSYS: there are no filters. */
int pp_filter_new(const struct pp_filter_spec *spec, struct pp_filter **out) PP_MUSTUSE;
/* The same in two steps; the second may be another process's, which was given the descriptor. */
int pp_filter_export(const struct pp_filter_spec *spec, int *out_fd) PP_MUSTUSE;
int pp_filter_import(int fd, struct pp_filter **out) PP_MUSTUSE;
/* Async-signal-safe. no_new_privs has to be set. */
int pp_filter_enter(const struct pp_filter *f) PP_MUSTUSE;
void pp_filter_free(struct pp_filter *f);
PP_DEFINE_AUTO(filter, struct pp_filter, pp_filter_free);

#endif
