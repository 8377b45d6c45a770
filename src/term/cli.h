/* SPDX-License-Identifier: MIT */
/*
 * One run of the program: the command with its options, the context it works on, where its answer
 * and its talk go, and how it ended. Commands read options, call the library, and show what came
 * back.
 */
#ifndef PP_TERM_CLI_H
#define PP_TERM_CLI_H

#include <plugpkg.h>

#include "base/json.h"
#include "term/opt.h"
#include "term/out.h"

struct cli;

enum cmd_flags {
	CMD_NO_ROOT = 1 << 0, /* works without what program.run() opens */
	CMD_HIDDEN = 1 << 1,  /* not in --help */
	/* a directory with a plugpkg.json is made a root first, unless it only looks */
	CMD_MAKES_ROOT = 1 << 2,
};

/* What its operands are, for completion. */
enum cmd_operand {
	CMD_OPERAND_OTHER,
	CMD_OPERAND_INSTALLED,
	CMD_OPERAND_INSTALLED_NAME, /* without a major */
	CMD_OPERAND_AVAILABLE,
	CMD_OPERAND_SOURCE,
	CMD_OPERAND_DIR,
	CMD_OPERAND_COMMAND,
	CMD_OPERAND_SHELL,
};
#define CMD_MANY 1000000U

struct cmd {
	const char *name;
	const char *args;
	const char *summary;
	const struct opt *opts; /* its own, NULL = none */
	/* NULL-terminated. With run: what happens without one of them, and with operands. */
	const struct cmd *const *subs;
	unsigned flags; /* cmd_flags */
	unsigned min_operands, max_operands;
	enum cmd_operand operand;
	enum plugpkg_code (*run)(struct cli *cli);
};

/* A table of commands in help order; ends with both NULL. A heading has no cmd. */
struct cmd_entry {
	const char *heading;
	const struct cmd *cmd;
};
const struct cmd *cmd_find(const char *name);
const struct cmd *cmd_find_sub(const struct cmd *cmd, const char *name);

/* Commands that every program has. */
extern const struct cmd cmd_completion, cmd_help, cmd_version;

struct cli_rows pp_vec(pp_json *);

struct renderer;

struct cli {
	const struct cmd *group; /* the command that cmd is a subcommand of, or NULL */
	const struct cmd *cmd;   /* NULL until it is known */
	struct opts opts;
	const struct renderer *renderer;
	struct out out;  /* the answer: standard output */
	struct out talk; /* all else: standard error */
	bool is_json, is_quiet, is_debug, is_yes;
	unsigned verbose;
	plugpkg_context *ctx; /* a root, or … */
	void *subject;        /* … what else the program's commands work on; its run() owns it */
	char *passphrase;     /* of keys, once it was asked for; owned, wiped at the end */
	struct cli_rows rows; /* received and not shown yet */
	int exit_status;      /* of a success that is no 0, such as 100 */
	plugpkg_error *err;   /* failure of the library, or … */
	char *message, *hint; /* … our own; owned */
};

/* Fills group, cmd and opts from the command line. USAGE when it makes no sense. */
enum plugpkg_code cli_read(struct cli *cli, const char *const *argv);
void cli_fini(struct cli *cli);

/* Ends the command with a failure of our own; hint may be NULL. Returns code. */
enum plugpkg_code cli_fail(struct cli *cli, enum plugpkg_code code, const char *hint,
    const char *fmt, ...) PP_PRINTF(4, 5);
/* USAGE with the error that opts_number() left. */
enum plugpkg_code cli_bad_option(struct cli *cli);
const char *cli_operand(const struct cli *cli, size_t i); /* NULL past the last */
/* PLUGPKG_NOW, or the clock. */
enum plugpkg_code cli_now(struct cli *cli, int64_t *out_now);

/* plugpkg_row_fn with the cli as user: prints the row or keeps it for cli_show(). */
void cli_row(const char *json, void *user);
/* Shows the rows received so far as text; in --json mode they are out already. */
void cli_show(struct cli *cli, void (*view)(struct cli *cli));
/* The same for what may be longer than a screen: on a terminal it goes through PAGER. */
void cli_show_long(struct cli *cli, void (*view)(struct cli *cli));
/* A table of what was no row; not in --json mode. */
struct table;
void cli_show_table(struct cli *cli, const struct table *t);
/* Walks the rows of one type: for (i = 0; (row = view_next(cli, "plugin", &i)) != NULL;) */
const pp_json *view_next(const struct cli *cli, const char *type, size_t *i);
const char *view_str(const pp_json *row, const char *key); /* "" when missing */
uint64_t view_bytes(const pp_json *row, const char *key);  /* 0 when missing */

/* One line for people, on standard error; silent with --quiet and --json. */
void cli_say(struct cli *cli, const char *fmt, ...) PP_PRINTF(2, 3);

#endif
