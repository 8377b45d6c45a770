/* SPDX-License-Identifier: MIT */
/* The request once more, with changes: what a way out would have people type. */
#ifndef PP_SOLVE_RETRY_H
#define PP_SOLVE_RETRY_H

#include "lib/solve/load.h"

struct pp_retry {
	const struct pp_load *load;
	unsigned flags;         /* of the request, and what the way adds */
	struct pp_strs targets; /* as words of the command line */
};

/* The request as it stands. load borrowed until pp_retry_fini(). */
void pp_retry_init(struct pp_retry *r, const struct pp_load *load);
void pp_retry_fini(struct pp_retry *r);
/* A target as it is written: "user@^2/main", "forum-". Owned. */
char *pp_retry_word(const struct pp_ask *ask);
/* Leaves out the target of that name. */
void pp_retry_drop(struct pp_retry *r, const char *name);
/* Leaves out the target that is this very word. */
void pp_retry_drop_word(struct pp_retry *r, const char *word);
/* word: moved. It takes the place of the target of its name. */
void pp_retry_take(struct pp_retry *r, const char *name, char *word);
/* " --pre --min-age=3": the options. */
void pp_retry_add_options(const struct pp_retry *r, struct pp_buf *b);
/*
 * {"text":what it does,"command":…,"argv":[…]}, owned; the latter two only when something is left
 * to ask for.
 */
pp_json *pp_retry_way(const struct pp_retry *r, const char *text);
/* The request as the words of another command: "plugpkg why-not --pre user@^2". Owned. */
char *pp_retry_command(const struct pp_retry *r, const char *verb);
/* The same for any other command: words end with NULL. */
pp_json *pp_retry_way_of(const char *text, const char *const *words);

#endif
