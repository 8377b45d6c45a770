/* SPDX-License-Identifier: MIT */
/* The process as its caller left it, made safe; and the signal handler, which sets one flag. */
#include "term/start.h"

#include "base/compiler.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static const int cancelling[] = { SIGINT, SIGTERM, SIGHUP };

/* What the handler cancels, and how. Set before the handlers are, cleared after them. */
static _Atomic(void *) cancelled_by_signal;
static void (*_Atomic cancel_it)(void *what);

int
start_process(void)
{
	for (;;) {
		PP_AUTO_FD int fd = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (fd > STDERR_FILENO)
			break;
		/* The lowest free number was a standard one: it stays open. */
		if (fcntl(pp_fd_steal(&fd), F_SETFD, 0) < 0)
			return -errno;
	}
	(void)umask(022); /* cannot fail; modes of the store do not depend on the caller */
	/*
	 * A reader that went away, or a limit on file sizes, must not end a transaction: the calls
	 * fail and say so.
	 */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	return 0;
}

static void
on_signal(int number)
{
	void *what = atomic_load(&cancelled_by_signal);

	(void)number;
	if (what != NULL)
		atomic_load (&cancel_it)(what);
}

static void
set_handler(void (*handler)(int), int flags)
{
	/* Without SA_RESTART a question at the prompt ends too. */
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	(void)sigemptyset(
	    &action.sa_mask); /* these two fail for numbers that are no signals only */
	for (size_t i = 0; i < PP_LEN(cancelling); i++)
		(void)sigaction(cancelling[i], &action, NULL);
}

static void
cancel_context(void *ctx)
{
	plugpkg_cancel(ctx);
}

void
start_signals(plugpkg_context *ctx)
{
	start_signals_for(cancel_context, ctx);
}

void
start_signals_for(void (*cancel)(void *what), void *what)
{
	atomic_store(&cancel_it, cancel);
	atomic_store(&cancelled_by_signal, what);
	set_handler(on_signal, (int)SA_RESETHAND);
}

void
start_patience(void)
{
	set_handler(on_signal, 0);
}

void
stop_signals(void)
{
	set_handler(SIG_DFL, 0);
	atomic_store(&cancelled_by_signal, NULL);
}
