/* SPDX-License-Identifier: MIT */
/* A program of this layer: its name, its tables, and how it opens what commands work on. */
#ifndef PP_TERM_PROGRAM_H
#define PP_TERM_PROGRAM_H

#include "term/cli.h"

/* Where completion puts words: those that start with what was typed, each with its meaning. */
struct offers;
void offer(const struct offers *offers, const char *word, const char *text);
/* plugpkg_row_fn with the offers as user: the row's key or name, and summary. */
void offer_row(const char *json, void *user);

/* What a command is called elsewhere; the list ends with a NULL. */
struct synonym {
	const char *word, *command;
};

struct program {
	const char *name, *summary;
	const struct cmd_entry *table;
	const struct synonym *synonyms;
	const struct opt *common; /* has help, version, json, quiet, verbose and debug */
	bool has_one_page;        /* a manual page for all commands, not one a command */
	/* Runs cli->cmd on an opened root or repository; not asked for CMD_NO_ROOT. */
	enum plugpkg_code (*run)(struct cli *cli);
	/* Offers names for operands of this kind; NULL = has none. Failures offer nothing. */
	enum plugpkg_code (*complete)(
	    struct cli *typed, enum cmd_operand kind, struct offers *offers);
};

/* Each program defines one; main() is in program.c. */
extern const struct program program;

#endif
