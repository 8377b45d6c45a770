/* SPDX-License-Identifier: MIT */
/* Packets of one JSON object with descriptors, over SOCK_SEQPACKET. */
#include "base/msg.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define BODY_MEMBER "body" /* of a part: how many bytes follow it */

union control {
	char space[CMSG_SPACE(PP_MSG_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int
pp_msg_pair(int out_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds) < 0 ? -errno : 0;
}

static int
send_message(int sock, const struct iovec *text, const int *fds, size_t n_fds, int flags)
{
	struct iovec iov = *text;
	union control control = { .space = { 0 } };
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
		if (sendmsg(sock, &msg, MSG_NOSIGNAL | flags) >= 0)
			return 0;
		if (errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
	}
}

int
pp_msg_send(int sock, const pp_json *j, const int *fds, size_t n_fds)
{
	PP_AUTO_FREE char *text = pp_json_line(j);
	const struct iovec iov = { .iov_base = text, .iov_len = strlen(text) };

	return send_message(sock, &iov, fds, n_fds, 0);
}

int
pp_msg_send_packet(int sock, const struct pp_buf *packet)
{
	const struct iovec iov = { .iov_base = packet->s, .iov_len = packet->n };

	return send_message(sock, &iov, NULL, 0, 0);
}

int
pp_msg_send_packet_now(int sock, const struct pp_buf *packet, int fd)
{
	const struct iovec iov = { .iov_base = packet->s, .iov_len = packet->n };

	return send_message(sock, &iov, &fd, fd >= 0 ? 1 : 0, MSG_DONTWAIT);
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

static void
close_fds(int fds[PP_MSG_MAX_FDS])
{
	for (int i = 0; i < PP_MSG_MAX_FDS; i++)
		pp_auto_fd(&fds[i]);
}

static int
receive_bytes(int sock, int flags, char *room, size_t *out_n, int out_fds[PP_MSG_MAX_FDS])
{
	union control control;
	struct iovec iov = { .iov_base = room, .iov_len = PP_MSG_MAX_BYTES };
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
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		close_fds(out_fds);
		return -EBADMSG;
	}
	*out_n = (size_t)n;
	return 0;
}

static int
receive(int sock, int flags, pp_json **out, int out_fds[PP_MSG_MAX_FDS])
{
	char text[PP_MSG_MAX_BYTES]; /* on the heap, each release of so much would tidy all of it */
	size_t n = 0;
	int r = receive_bytes(sock, flags, text, &n, out_fds);

	if (r < 0)
		return r;
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, n, NULL);
	if (!pp_json_is(j, PP_JSON_OBJECT)) {
		close_fds(out_fds);
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

int
pp_msg_recv_packet(int sock, char *room, size_t *out_n, int out_fds[PP_MSG_MAX_FDS])
{
	return receive_bytes(sock, MSG_DONTWAIT, room, out_n, out_fds);
}

/* ---- packets of parts ---- */

bool
pp_msg_add_part(struct pp_buf *packet, pp_json *j, const void *body, size_t n)
{
	size_t before = packet->n;

	if (n > 0)
		pp_json_set_int(j, BODY_MEMBER, (int64_t)n);
	PP_AUTO_FREE char *text = pp_json_line(j);
	size_t n_text = strlen(text);
	if (n_text + 1 + n > packet->limit - before)
		return false;
	pp_buf_add(packet, text, n_text);
	pp_buf_addc(packet, '\n');
	pp_buf_add(packet, body, n);
	return true;
}

int
pp_msg_cut_part(struct pp_str *packet, pp_json **out, struct pp_str *out_body)
{
	struct pp_str rest = *packet, line;

	if (!pp_str_cut(&rest, '\n', &line))
		return -EBADMSG;
	PP_AUTO_JSON pp_json *j = pp_json_parse(line.p, line.n, NULL);
	int64_t n = pp_json_get_int(j, BODY_MEMBER, 0);
	if (!pp_json_is(j, PP_JSON_OBJECT) || n < 0 || (uint64_t)n > rest.n)
		return -EBADMSG;
	*out_body = (struct pp_str){ rest.p, (size_t)n };
	*packet = (struct pp_str){ rest.p != NULL ? rest.p + n : NULL, rest.n - (size_t)n };
	*out = pp_steal(&j);
	return 0;
}
