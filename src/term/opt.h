/* SPDX-License-Identifier: MIT */
/*
 * Options as data: one table serves the parser, --help, the completions and the lint of the man
 * pages.
 */
#ifndef PP_TERM_OPT_H
#define PP_TERM_OPT_H

#include "base/str.h"
#include "base/vec.h"

struct opt {
	char letter; /* 0 = long form only */
	const char *name;
	const char *arg; /* name of its argument, NULL = takes none */
	const char *text;
};
#define OPT_END                                                                                    \
	{                                                                                          \
		0, NULL, NULL, NULL                                                                \
	}

struct opt_value {
	const struct opt *opt;
	const char *value; /* view of argv; NULL when it takes none */
};

/* What was given. Operands and values are views of argv. */
struct opts {
	const struct opt *own;    /* of the command; NULL = none */
	const struct opt *common; /* of every command */
	struct opt_values pp_vec(struct opt_value) values;
	struct opt_operands pp_vec(const char *) operands;
	bool is_ended;      /* -- was there: only operands can follow */
	char *error, *hint; /* why parsing failed; owned */
};

enum opts_stop {
	OPTS_ALL,           /* options and operands in any order, up to the end */
	OPTS_FIRST_OPERAND, /* stop before the first operand */
};

/* Adds argv[from…] to o. The index of the first word not looked at, or -1 with o->error set. */
int opts_parse(struct opts *o, const char *const *argv, int from, enum opts_stop stop);
void opts_fini(struct opts *o);

/* The option of that long name in either table, or NULL. */
const struct opt *opts_find(const struct opts *o, struct pp_str name);
/* name must stand in one of the tables; anything else is our own mistake and asserts. */
unsigned opts_count(const struct opts *o, const char *name);
bool opts_has(const struct opts *o, const char *name);
const char *opts_value(const struct opts *o, const char *name); /* the last one given, or NULL */
struct opt_range {
	uint64_t min, max;
};
/* The last value as a number in range; `other` when not given. False with o->error set. */
bool opts_number(struct opts *o, const char *name, struct opt_range range, uint64_t other,
    uint64_t *out) PP_MUSTUSE;

#endif
