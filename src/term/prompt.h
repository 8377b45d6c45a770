/* SPDX-License-Identifier: MIT */
/* Questions to the person at the terminal, and what counts as an answer when there is none. */
#ifndef PP_TERM_PROMPT_H
#define PP_TERM_PROMPT_H

#include "term/cli.h"

/* plugpkg_ask_fn with the cli as user. */
enum plugpkg_answer prompt_answer(const struct plugpkg_question *q, void *user);
/* OK, CONFIRM (nobody to ask), DECLINED, or INTERRUPTED. -y answers it. */
enum plugpkg_code prompt_continue(struct cli *cli, bool is_dangerous);

#endif
