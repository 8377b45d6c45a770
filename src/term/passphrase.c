/* SPDX-License-Identifier: MIT */
/* Passphrases from a descriptor, or typed on the terminal, which shows no characters of them. */
#include "term/passphrase.h"

#include "base/fd.h"
#include "base/mem.h"
#include "term/help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_FD 1023
#define TRIES  3 /* to type the same twice */

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static volatile sig_atomic_t interrupted; /* the signal that came while a passphrase was typed */

/* One line without its end. 0 when nothing came, it does not fit, or reading failed. */
static int
read_line(int fd, char *buf, size_t size)
{
	ssize_t got = 1;
	size_t n = 0;

	while (n < size) {
		got = read(fd, buf + n, 1);
		if (got < 0 && errno == EINTR && interrupted == 0)
			continue;
		if (got != 1 || buf[n] == '\n')
			break;
		n++;
	}
	if (got < 0 || n == 0 || n == size)
		return 0;
	buf[n] = '\0';
	return 1;
}

/* Ends the reading; then the terminal shows characters again, and the signal does what it does. */
static void
on_signal(int number)
{
	interrupted = number;
}

static void
catch_signals(struct sigaction was[PP_LEN(ending)])
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask); /* these fail for numbers that are no signals only */
	interrupted = 0;
	for (size_t i = 0; i < PP_LEN(ending); i++)
		(void)sigaction(ending[i], &action, &was[i]);
}

static void
release_signals(const struct sigaction was[PP_LEN(ending)])
{
	for (size_t i = 0; i < PP_LEN(ending); i++)
		(void)sigaction(ending[i], &was[i], NULL); /* were set a moment ago */
	if (interrupted != 0)
		(void)raise((int)interrupted);
}

/*
 * Asks on the terminal itself, so that redirected streams do not get in the way; shows no
 * characters.
 */
static int
ask_on_terminal(const char *prompt, char *buf, size_t size)
{
	PP_AUTO_FD int tty = openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios was, silent;
	struct sigaction actions[PP_LEN(ending)];

	if (tty < 0 || tcgetattr(tty, &was) < 0)
		return 0;
	silent = was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	catch_signals(actions);
	int ok = tcsetattr(tty, TCSAFLUSH, &silent) == 0;
	if (ok) {
		PP_IGNORE(pp_fd_write_all(tty, prompt, strlen(prompt))); /* the cursor waits too */
		ok = read_line(tty, buf, size);
		PP_IGNORE(pp_fd_write_all(tty, "\n", 1)); /* the typed one was not shown */
	}
	(void)tcsetattr(tty, TCSAFLUSH, &was); /* was set a moment ago */
	release_signals(actions);
	return ok;
}

/* For new keys: a slip of the finger would lock them for ever. */
static int
ask_twice(char *buf, size_t size)
{
	PP_AUTO_FREE char *again = pp_xcalloc(size, 1);
	const char *prompt = "passphrase for the new keys: ";
	bool is_same = false;

	for (int i = 0; i < TRIES && !is_same; i++) {
		if (ask_on_terminal(prompt, buf, size) != 1 ||
		    ask_on_terminal("once more: ", again, size) != 1)
			break;
		is_same = strcmp(buf, again) == 0;
		prompt = "these two differ; passphrase for the new keys: ";
	}
	explicit_bzero(again, size);
	return is_same ? 1 : 0;
}

enum plugpkg_code
passphrase_check(struct cli *cli)
{
	uint64_t fd = 0;

	if (opts_find(&cli->opts, PP_STR("passphrase-fd")) == NULL)
		return PLUGPKG_OK;
	if (!opts_number(&cli->opts, "passphrase-fd", (struct opt_range){ 0, MAX_FD }, 0, &fd))
		return cli_bad_option(cli);
	if (opts_has(&cli->opts, "passphrase-fd") && fcntl((int)fd, F_GETFD) < 0)
		return cli_usage(
		    cli, "option '--passphrase-fd': descriptor %d is not open", (int)fd);
	return PLUGPKG_OK;
}

static int
read_given(struct cli *cli, char *buf, size_t size)
{
	uint64_t fd = 0;

	return opts_number(&cli->opts, "passphrase-fd", (struct opt_range){ 0, MAX_FD }, 0, &fd) &&
	       read_line((int)fd, buf, size) == 1;
}

/* One line, or one answer, for all keys of a command. */
static int
keep(struct cli *cli, int is_there, char *buf, size_t size)
{
	if (cli->passphrase == NULL && is_there)
		cli->passphrase = pp_xstrdup(buf);
	if (cli->passphrase == NULL || strlen(cli->passphrase) >= size)
		return 0;
	memcpy(buf, cli->passphrase, strlen(cli->passphrase) + 1);
	return 1;
}

int
passphrase_old(const char *key, char *buf, size_t size, void *user)
{
	struct cli *cli = user;
	PP_AUTO_FREE char *prompt = pp_asprintf("passphrase of key '%s': ", key);

	if (!opts_has(&cli->opts, "passphrase-fd"))
		return ask_on_terminal(prompt, buf, size);
	return keep(cli, cli->passphrase == NULL && read_given(cli, buf, size), buf, size);
}

int
passphrase_new(const char *key PP_UNUSED, char *buf, size_t size, void *user)
{
	struct cli *cli = user;
	bool is_given = opts_has(&cli->opts, "passphrase-fd");
	int is_there = cli->passphrase != NULL ? 0
		       : is_given              ? read_given(cli, buf, size)
					       : ask_twice(buf, size);

	return keep(cli, is_there, buf, size);
}
