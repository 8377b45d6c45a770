/* SPDX-License-Identifier: MIT */
/* Starts the unpack helper with a fixed environment, speaks with it, and ends it. */
#include "lib/store/unpacker.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HELPER         "plugpkg-unpack"
#define WAIT_MS        100
#define GOODBYE_MS     10000
#define LAST_MOMENT_MS 200 /* from its closed socket to its end */
#define MOST_HELPERS   8

enum plugpkg_code
pp_unpacker_start(struct pp_unpacker *u, bool digests, plugpkg_error **err)
{
	const char *const argv[] = { HELPER, digests ? "digest" : NULL, NULL };
	/* The one thing to hand on: how to open files, for tests of the way without openat2. */
	static const char *const walk[] = { "PLUGPKG_NO_OPENAT2=1", NULL };
	PP_AUTO_FREE char *path = pp_helper_path(HELPER);
	struct pp_spawn s = PP_SPAWN_INIT;
	int pair[2];
	int r = pp_msg_pair(pair);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot speak with '%s'", path);
	PP_AUTO_FD int near = pair[0], far = pair[1];

	s.path = path;
	s.argv = argv;
	s.env = secure_getenv("PLUGPKG_NO_OPENAT2") != NULL ? walk : NULL;
	s.pass_fd = far;
	r = pp_spawn(&s, &u->child);
	if (r < 0) {
		enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_IO, -r, "cannot start '%s'", path);

		return pp_hint(err, rc, "the installation of plugpkg is incomplete");
	}
	u->sock = pp_fd_steal(&near);
	return PLUGPKG_OK;
}

static enum plugpkg_code
broke_down(struct pp_unpacker *u, plugpkg_error **err)
{
	pp_unpacker_fini(u);
	return pp_fail(err, PLUGPKG_E_FAILED, 0, "the archive helper '" HELPER "' broke down");
}

/* It gives itself so much processor time for an archive. */
static bool
took_too_long(struct pp_unpacker *u)
{
	int status = 0;

	return u->child.pid > 0 && pp_child_wait(&u->child, LAST_MOMENT_MS, &status) == 0 &&
	       WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
}

/* A message that did not get through: it is not the helper that broke down when memory is short. */
static enum plugpkg_code
cannot_speak(struct pp_unpacker *u, int r, plugpkg_error **err)
{
	if (r == -EPIPE && took_too_long(u)) {
		pp_unpacker_fini(u);
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
		    "'" HELPER "' came to no end with it and was stopped");
	}
	if (r == -EPIPE || r == -EBADMSG)
		return broke_down(u, err);
	pp_unpacker_fini(u);
	return pp_fail(err, PLUGPKG_E_IO, -r, "cannot speak with '" HELPER "'");
}

enum plugpkg_code
pp_unpacker_ask(struct pp_unpacker *u, pp_json *request, const int fds[3], plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *own = request;

	pp_json_set_int(own, "id", ++u->id);
	int r = pp_msg_send(u->sock, own, fds, fds[2] >= 0 ? 3 : 2);
	return r < 0 ? cannot_speak(u, r, err) : PLUGPKG_OK;
}

/* Sets errno when poll() fails. */
static size_t
first_ready(const struct pp_unpacker *u, size_t n, int timeout_ms)
{
	struct pollfd p[MOST_HELPERS];

	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = u[i].answered < u[i].id ? u[i].sock : -1,
			.events = POLLIN };
	errno = 0;
	int ready = poll(p, n, timeout_ms);
	for (size_t i = 0; ready > 0 && i < n; i++)
		if (p[i].revents != 0)
			return i;
	return n;
}

size_t
pp_unpacker_ready(const struct pp_unpacker *u, size_t n)
{
	return first_ready(u, n, 0);
}

enum plugpkg_code
pp_unpacker_wait(
    plugpkg_context *ctx, struct pp_unpacker *u, size_t n, size_t *out_which, plugpkg_error **err)
{
	for (;;) {
		*out_which = first_ready(u, n, WAIT_MS);
		int errnum = errno;
		enum plugpkg_code rc = pp_check_cancel(ctx, err);

		if (rc != PLUGPKG_OK || *out_which < n)
			return rc;
		if (errnum != 0 && errnum != EINTR)
			return pp_fail(err, PLUGPKG_E_IO, errnum, "cannot wait for '" HELPER "'");
	}
}

enum plugpkg_code
pp_unpacker_answer(struct pp_unpacker *u, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *answer = NULL;
	int fds[PP_MSG_MAX_FDS];
	int r = pp_msg_recv(u->sock, &answer, fds);

	u->answered++;
	if (r < 0)
		return cannot_speak(u, r, err);
	for (size_t i = 0; i < PP_LEN(fds); i++)
		pp_auto_fd(&fds[i]); /* it has nothing to give us */
	const char *type = pp_json_get_str(answer, "type");

	if (type == NULL || (strcmp(type, "done") != 0 && strcmp(type, "failed") != 0) ||
	    pp_json_get_int(answer, "id", -1) != u->answered)
		return broke_down(u, err);
	*out = pp_steal(&answer);
	return PLUGPKG_OK;
}

void
pp_unpacker_dismiss(struct pp_unpacker *u)
{
	pp_auto_fd(&u->sock); /* which tells it */
	u->sock = -1;
}

enum plugpkg_code
pp_unpacker_end(struct pp_unpacker *u, plugpkg_error **err)
{
	int status = 0;

	if (u->child.pid <= 0)
		return PLUGPKG_OK;
	pp_unpacker_dismiss(u);
	/* Reaped by the program around us: it gave all its answers, and these count. */
	int r = pp_child_wait(&u->child, GOODBYE_MS, &status);
	if ((r < 0 && r != -ECHILD) || status != 0)
		return broke_down(u, err);
	return PLUGPKG_OK;
}

void
pp_unpacker_fini(struct pp_unpacker *u)
{
	pp_auto_fd(&u->sock);
	u->sock = -1;
	u->answered = u->id;
	pp_child_fini(&u->child);
}
