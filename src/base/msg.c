/* SPDX-License-Identifier: MIT */
/* Packets of one JSON object with descriptors, over SOCK_SEQPACKET. */
#include "base/msg.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	char space[CMSG_SPACE(PP_MSG_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int
pp_msg_pair(int out_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds) < 0 ? -errno : 0;
}

int
pp_msg_send(int sock, const pp_json *j, const int *fds, size_t n_fds)
{
	PP_AUTO_FREE char *text = pp_json_line(j);
	union control control = { .space = { 0 } };
	struct iovec iov = { .iov_base = text, .iov_len = strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (iov.iov_len > PP_MSG_MAX_BYTES || n_fds > PP_MSG_MAX_FDS)
		return -EMSGSIZE;
	if (n_fds > 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(sock, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static void
take_fds(struct msghdr *msg, int out_fds[PP_MSG_MAX_FDS])
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(
		    out_fds, CMSG_DATA(c), (n < PP_MSG_MAX_FDS ? n : PP_MSG_MAX_FDS) * sizeof(int));
	}
}

static int
receive(int sock, int flags, pp_json **out, int out_fds[PP_MSG_MAX_FDS])
{
	char text[PP_MSG_MAX_BYTES]; /* on the heap, each release of so much would tidy all of it */
	union control control;
	struct iovec iov = { .iov_base = text, .iov_len = PP_MSG_MAX_BYTES };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	for (int i = 0; i < PP_MSG_MAX_FDS; i++)
		out_fds[i] = -1;
	while ((n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | flags)) < 0)
		if (errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	take_fds(&msg, out_fds);
	PP_AUTO_JSON pp_json *j = NULL;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		j = pp_json_parse(text, (size_t)n, NULL);
	if (!pp_json_is(j, PP_JSON_OBJECT)) {
		for (int i = 0; i < PP_MSG_MAX_FDS; i++)
			pp_auto_fd(&out_fds[i]);
		return -EBADMSG;
	}
	*out = pp_steal(&j);
	return 0;
}

int
pp_msg_recv(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS])
{
	return receive(sock, 0, out, out_fds);
}

int
pp_msg_recv_now(int sock, pp_json **out, int out_fds[PP_MSG_MAX_FDS])
{
	return receive(sock, MSG_DONTWAIT, out, out_fds);
}
