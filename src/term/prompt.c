/* SPDX-License-Identifier: MIT */
/*
 * Asks on standard error, reads one line from standard input, and only where both are a terminal.
 */
#include "term/prompt.h"

#include "base/mem.h"
#include "term/render.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_ANSWER_BYTES 256
#define MAX_ATTEMPTS     3

static bool
somebody_is_there(const struct cli *cli)
{
	return !cli->is_json && cli->talk.is_terminal && isatty(STDIN_FILENO) == 1;
}

/*
 * One line without its end, read by bytes so that nothing after it is taken away from whoever reads
 * next. -ENODATA at the end of input, -EINTR after a signal.
 */
static int
read_answer(struct pp_buf *answer)
{
	char c = '\0';

	pp_buf_clear(answer);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0)
			return -errno;
		if (n == 0 && answer->n == 0)
			return -ENODATA;
		if (n == 0 || c == '\n')
			return 0;
		pp_buf_addc(answer, c);
	}
}

static enum plugpkg_code
ended_without_answer(struct cli *cli, int r)
{
	out_end(&cli->talk);
	if (r == -EINTR)
		return cli_fail(
		    cli, PLUGPKG_E_INTERRUPTED, NULL, "interrupted; nothing was changed");
	return cli_fail(cli, PLUGPKG_E_DECLINED, NULL, "nothing was changed");
}

enum plugpkg_code
prompt_continue(struct cli *cli, bool is_dangerous)
{
	PP_AUTO_BUF struct pp_buf answer = PP_BUF_INIT(MAX_ANSWER_BYTES);

	if (cli->is_yes)
		return PLUGPKG_OK;
	if (!somebody_is_there(cli))
		return cli_fail(cli, PLUGPKG_E_CONFIRM, "add -y to go on without being asked",
		    "this needs a confirmation and there is no terminal to ask; nothing was "
		    "changed");
	cli->renderer->quieten(cli);
	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		out_styled(&cli->talk, OUT_BOLD, "Continue? %s ", is_dangerous ? "[y/N]" : "[Y/n]");
		out_flush(&cli->talk);
		int r = read_answer(&answer);
		if (r < 0)
			return ended_without_answer(cli, r);
		const char *text = pp_buf_cstr(&answer);
		if (strcasecmp(text, "y") == 0 || strcasecmp(text, "yes") == 0)
			return PLUGPKG_OK;
		if (*text == '\0' && !is_dangerous)
			return PLUGPKG_OK;
		if (*text == '\0' || strcasecmp(text, "n") == 0 || strcasecmp(text, "no") == 0)
			break;
	}
	return cli_fail(cli, PLUGPKG_E_DECLINED, NULL, "nothing was changed");
}

/*
 * A key decides about everything that comes later: only the whole word counts, and -y never does.
 */
static enum plugpkg_answer
ask_key(struct cli *cli, const struct plugpkg_question *q)
{
	PP_AUTO_BUF struct pp_buf answer = PP_BUF_INIT(MAX_ANSWER_BYTES);

	if (!somebody_is_there(cli))
		return PLUGPKG_ANSWER_NOBODY;
	cli->renderer->quieten(cli);
	const char *text = q->text != NULL ? q->text : "The repository's key is not known here.";
	out_lines(&cli->talk, 0, text);
	if (q->subject != NULL && strstr(text, q->subject) == NULL)
		out_line(&cli->talk, "  %s", q->subject);
	out_line(&cli->talk, "Compare it with what the publisher told you in another way.");
	out_text(&cli->talk, "Type 'yes' to trust it: ");
	out_flush(&cli->talk);
	int r = read_answer(&answer);
	if (r < 0)
		out_end(&cli->talk);
	return r == 0 && strcmp(pp_buf_cstr(&answer), "yes") == 0 ? PLUGPKG_ANSWER_YES
								  : PLUGPKG_ANSWER_NO;
}

enum plugpkg_answer
prompt_answer(const struct plugpkg_question *q, void *user)
{
	struct cli *cli = user;

	if (q->type == PLUGPKG_ASK_TRUST_KEY)
		return ask_key(cli, q);
	/* Who agreed to the plan read it there; -y agrees to nothing that it has not read. */
	if (q->type == PLUGPKG_ASK_UNSIGNED)
		return cli->is_yes ? PLUGPKG_ANSWER_NOBODY : PLUGPKG_ANSWER_YES;
	if (q->text != NULL)
		cli_say(cli, "%s", q->text);
	switch (prompt_continue(cli, true)) {
	case PLUGPKG_OK:
		return PLUGPKG_ANSWER_YES;
	case PLUGPKG_E_CONFIRM:
		return PLUGPKG_ANSWER_NOBODY;
	default:
		return PLUGPKG_ANSWER_NO;
	}
}
