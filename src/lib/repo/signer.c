/* SPDX-License-Identifier: MIT */
/* A command that signs: bytes in on descriptor 0, signature out on descriptor 1. */
#include "lib/repo/signer.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNATURE_MAX_BYTES 4096
#define LOOK_EVERY_MS       100 /* whether to stop */

/*
 * Both ends are files in memory: the command may read its input twice, or ask for its size as
 * openssl does, and nobody has to feed one pipe while draining the other.
 */
static int
memory_file(const void *p, size_t n)
{
	PP_AUTO_FD int fd = memfd_create("plugpkg-sign", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = pp_fd_write_all(fd, p, n);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : pp_fd_steal(&fd);
}

/* In the background, a command that asks there would only stop. */
static bool
is_at_terminal(void)
{
	PP_AUTO_FD int tty = openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return tty >= 0 && tcgetpgrp(tty) == getpgrp();
}

static enum plugpkg_code
run(const struct pp_signer *s, int in_fd, int out_fd, plugpkg_error **err)
{
	const char *command = s->command;
	const char *const argv[] = { "sh", "-c", command, NULL };
	PP_CLEANUP(pp_child_fini) struct pp_child child = { .pid = -1 };
	struct pp_spawn spawn = PP_SPAWN_INIT;
	int status = 0;

	spawn.path = "/bin/sh";
	spawn.argv = argv;
	spawn.env = (const char *const *)(uintptr_t)environ;
	spawn.stdin_fd = in_fd;
	spawn.stdout_fd = out_fd;
	spawn.stderr_fd = STDERR_FILENO;
	spawn.keeps_terminal = is_at_terminal(); /* for who has to type a PIN */
	int r = pp_spawn(&spawn, &child);
	if (r == 0)
		r = pp_child_wait(&child, LOOK_EVERY_MS, &status);
	/* As long as it takes: somebody may have to touch a token. */
	while (r == -EAGAIN && pp_check_cancel(s->ctx, NULL) == PLUGPKG_OK)
		r = pp_child_wait(&child, LOOK_EVERY_MS, &status);
	/* The key that interrupts at a terminal ended both. */
	enum plugpkg_code rc = pp_check_cancel(s->ctx, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_KEY, -r, "cannot run the signer '%s'", command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return PLUGPKG_OK;
	return WIFEXITED(status)
		   ? pp_fail(err, PLUGPKG_E_KEY, 0, "the signer '%s' failed with exit status %d",
			 command, WEXITSTATUS(status))
		   : pp_fail(err, PLUGPKG_E_KEY, 0, "the signer '%s' was killed by signal %d",
			 command, WTERMSIG(status));
}

static bool
is_hex(struct pp_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return s.n > 0 && s.n % 2 == 0;
}

/* Raw bytes of a signature that all happen to be hex digits do not occur. */
static void
add_hex(const struct pp_buf *answer, struct pp_buf *out)
{
	struct pp_str text = { pp_buf_cstr(answer), answer->n };

	while (text.n > 0 && strchr("\r\n\t ", text.p[text.n - 1]) != NULL &&
	       text.p[text.n - 1] != '\0')
		text.n--;
	if (is_hex(text)) {
		for (size_t i = 0; i < text.n; i++) {
			bool is_upper = text.p[i] >= 'A' && text.p[i] <= 'F';
			pp_buf_addc(out, (char)(text.p[i] + (is_upper ? 'a' - 'A' : 0)));
		}
		return;
	}
	for (size_t i = 0; i < answer->n; i++) {
		char digits[3];
		const uint8_t byte = (uint8_t)answer->s[i];
		pp_hex(&byte, 1, digits);
		pp_buf_adds(out, digits);
	}
}

enum plugpkg_code
pp_signer_run(
    const struct pp_signer *s, const void *p, size_t n, struct pp_buf *out_hex, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf answer = PP_BUF_INIT(SIGNATURE_MAX_BYTES);
	PP_AUTO_FD int in_fd = memory_file(p, n);
	PP_AUTO_FD int out_fd = in_fd < 0 ? in_fd : memory_file("", 0);

	if (out_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -out_fd, "cannot hand over what is to be signed");
	enum plugpkg_code rc = run(s, in_fd, out_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = lseek(out_fd, 0, SEEK_SET) < 0 ? -errno : pp_fd_read_all(out_fd, &answer);
	if (r < 0 || answer.n == 0)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "the signer '%s' gave %s", s->command,
		    r == -EFBIG ? "more than any signature is" : "no signature");
	add_hex(&answer, out_hex);
	return PLUGPKG_OK;
}
