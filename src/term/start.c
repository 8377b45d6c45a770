/* SPDX-License-Identifier: MIT */
/* The process as its caller left it, made safe; and the signal handler, which sets one flag. */
#include "term/start.h"

#include "base/compiler.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_STEP (4 << 20)

static const int cancelling[] = { SIGINT, SIGTERM, SIGHUP };

/* What the handler cancels, and how. Set before the handlers are, cleared after them. */
static _Atomic(void *) cancelled_by_signal;
static void (*_Atomic cancel_it)(void *what);
static atomic_bool is_stopping;

/* Memory comes in large pieces: a few hundred rows would ask the system for it 20 times. */
static void
start_memory(void)
{
#ifdef M_TOP_PAD
	(void)mallopt(M_TOP_PAD, MEMORY_STEP); /* what it refuses stays as it was */
	(void)mallopt(M_TRIM_THRESHOLD, 2 * MEMORY_STEP);
	/* Else whatever is larger than 1 KB waits until all small pieces were put together. */
	(void)mallopt(M_MXFAST, 0);
#endif
}

int
start_process(void)
{
	start_memory();
	pp_json_start();
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
	pp_spawn_own_signals();
	return 0;
}

static void
on_signal(int number)
{
	void *what = atomic_load(&cancelled_by_signal);

	(void)number;
	atomic_store(&is_stopping, true);
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

bool
start_is_stopping(void)
{
	return atomic_load(&is_stopping);
}

void
stop_signals(void)
{
	set_handler(SIG_DFL, 0);
	atomic_store(&cancelled_by_signal, NULL);
}
