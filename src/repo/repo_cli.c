/* SPDX-License-Identifier: MIT */
/* The publisher's directory and the passphrase of its keys. */
#include "repo/repo_cli.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_FD 1023

const char *
repo_cli_dir(const struct cli *cli)
{
	const char *dir = opts_value(&cli->opts, "repo");

	if (dir == NULL)
		dir = secure_getenv("PLUGPKG_REPO");
	return dir != NULL && *dir != '\0' ? dir : NULL;
}

plugpkg_repo *
repo_cli_repo(const struct cli *cli)
{
	return cli->subject;
}

/* One line without its end. 0 when nothing came, it does not fit, or reading failed. */
static int
read_line(int fd, char *buf, size_t size)
{
	ssize_t got = 1;
	size_t n = 0;

	while (n < size) {
		got = read(fd, buf + n, 1);
		if (got < 0 && errno == EINTR)
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

/*
 * Asks on the terminal itself, so that redirected streams do not get in the way; shows no
 * characters.
 */
static int
ask_on_terminal(const char *key, char *buf, size_t size)
{
	PP_AUTO_FD int tty = openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	PP_AUTO_FREE char *prompt = pp_asprintf("passphrase of key '%s': ", key);
	struct termios was, silent;

	if (tty < 0 || tcgetattr(tty, &was) < 0)
		return 0;
	silent = was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
		return 0;
	PP_IGNORE(pp_fd_write_all(tty, prompt, strlen(prompt))); /* whoever waits sees the cursor */
	int ok = read_line(tty, buf, size);
	PP_IGNORE(pp_fd_write_all(tty, "\n", 1)); /* the typed one was not shown */
	(void)tcsetattr(tty, TCSAFLUSH, &was);    /* was set a moment ago */
	return ok;
}

int
repo_cli_passphrase(const char *key, char *buf, size_t size, void *user)
{
	struct cli *cli = user;
	uint64_t fd = 0;

	if (!opts_has(&cli->opts, "passphrase-fd"))
		return ask_on_terminal(key, buf, size);
	if (!opts_number(&cli->opts, "passphrase-fd", MAX_FD, 0, &fd))
		return 0;
	/*
	 * One descriptor, several keys: a regular file or a rewound one answers each; a pipe is
	 * remembered.
	 */
	if (cli->passphrase == NULL && read_line((int)fd, buf, size) == 1)
		cli->passphrase = pp_xstrdup(buf);
	if (cli->passphrase == NULL || strlen(cli->passphrase) >= size)
		return 0;
	memcpy(buf, cli->passphrase, strlen(cli->passphrase) + 1);
	return 1;
}
