/* SPDX-License-Identifier: MIT */
/*
 * Packets of an unpack helper that was taken over: what comes through is the answer to the oldest
 * request, of a known type; all else ends the helper. The first byte says how many descriptors it
 * slips in.
 */
#include "base/fd.h"
#include "base/msg.h"
#include "lib/store/unpacker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_FDS 8

static void
send_packet(int sock, const uint8_t *data, size_t size, int fd, size_t n_fds)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS };
		for (size_t i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &fd, sizeof(fd));
	}
	(void)!sendmsg(sock, &m, MSG_NOSIGNAL); /* too large for a packet is not too large here */
}

/* The lowest descriptor that is free: no call may leave one open. */
static int
next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	(void)close(fd);
	return fd;
}

static void
answer(const uint8_t *data, size_t size, size_t n_fds)
{
	PP_CLEANUP(pp_unpacker_fini) struct pp_unpacker u = PP_UNPACKER_INIT;
	PP_AUTO_JSON pp_json *got = NULL;
	int pair[2];

	if (pp_msg_pair(pair) < 0) {
		perror("pp_msg_pair"); /* no fault of what is tested */
		abort();
	}
	u.sock = pair[0];
	u.id = 1;
	PP_AUTO_FD int far = pair[1];
	/* Not the socket itself: the kernel keeps those until it looks for circles. */
	send_packet(far, data, size, STDERR_FILENO, n_fds);
	pp_auto_fd(&far);
	far = -1;

	PP_AUTO_ERROR plugpkg_error *err = NULL;
	enum plugpkg_code rc = pp_unpacker_answer(&u, &got, &err);
	if (rc != PLUGPKG_OK) {
		if (got != NULL || err == NULL || u.sock >= 0)
			abort();
		return;
	}
	const char *type = pp_json_get_str(got, "type");
	if (pp_json_get_int(got, "id", 0) != 1 ||
	    (strcmp(type, "done") != 0 && strcmp(type, "failed") != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before = next_fd();

	if (size > 0)
		answer(data + 1, size - 1, data[0] < '0' ? 0 : (data[0] - (size_t)'0') % MOST_FDS);
	if (next_fd() != before)
		abort();
	return 0;
}
