/* SPDX-License-Identifier: MIT */
/*
 * Three ways to say what happens. json: every row one line on standard output. plain: text, the
 * answer on standard output, talk on standard error. tty: plain with a progress bar on standard
 * error.
 */
#ifndef PP_TERM_RENDER_H
#define PP_TERM_RENDER_H

#include "term/cli.h"

/* How a command ended. Views. */
struct result {
	enum plugpkg_code code;
	int exit_status;
	const char *message, *hint, *where; /* NULL when there is none */
	const pp_json *details;             /* causes and ways out of a refusal, or NULL */
};

struct renderer {
	void (*row)(struct cli *cli, const char *json);
	void (*show)(struct cli *cli, void (*view)(struct cli *cli));
	void (*event)(struct cli *cli, const struct plugpkg_event *ev);
	void (*say)(struct cli *cli, const char *text);
	void (*result)(struct cli *cli, const struct result *result);
	void (*quieten)(struct cli *cli); /* takes away what moves, before a prompt or text */
};

extern const struct renderer render_json, render_plain, render_tty;

/* "Ways out:", each with its command beside it, and "More:" where to read on. */
void render_ways(struct out *o, const pp_json *details);

#endif
