/* SPDX-License-Identifier: MIT */
/* A download helper that answers before it has read all that it is asked for. */
#include "lib/net/helper.h"
#include "tap.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define REQUESTS    50
#define TOKEN_BYTES 4096
#define SMALL       PP_MSG_MAX_BYTES /* of a socket: one packet and little more */
#define PATIENCE    60               /* seconds: one who waits for himself never ends */

static int
begin(void *user PP_UNUSED, uint64_t offset PP_UNUSED)
{
	return 0;
}

static int
add(void *user, const char *p PP_UNUSED, size_t n)
{
	*(size_t *)user += n;
	return 0;
}

/* The helper's end reads what there is: requests, in order, each with its pipe. */
static void
serve(int sock, char *room, int64_t *next)
{
	int fds[PP_MSG_MAX_FDS];
	size_t n = 0;

	while (pp_msg_recv_packet(sock, room, &n, fds) == 0) {
		struct pp_str packet = { room, n }, none;

		while (packet.n > 0) {
			PP_AUTO_JSON pp_json *j = NULL, *answer = pp_json_object();
			int64_t id;

			if (!CHECK_INT(pp_msg_cut_part(&packet, &j, &none), 0))
				return;
			id = pp_json_get_int(j, "id", 0);
			CHECK_INT(id, *next);
			CHECK_INT(fds[0] >= 0, !pp_json_get_bool(j, "held"));
			*next = id + 1;
			pp_json_set_str(answer, "type", "failed");
			pp_json_set_int(answer, "id", id);
			pp_json_set_str(answer, "kind", "network");
			pp_json_set_str(answer, "text", "no luck");
			CHECK_INT(pp_msg_send(sock, answer, NULL, 0), 0);
		}
		for (size_t i = 0; i < PP_LEN(fds); i++)
			pp_auto_fd(&fds[i]);
	}
}

static void
ask(struct pp_helper *h, int64_t id, bool is_held, struct pp_stream *out, size_t *bytes)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	char token[TOKEN_BYTES + 1];

	memset(token, 't', TOKEN_BYTES);
	token[TOKEN_BYTES] = '\0';
	const struct pp_login login = { .token = token };
	const struct pp_ask request = {
		.id = id,
		.url = "http://127.0.0.1:1/x",
		.login = &login,
		.sink = { begin, add, bytes },
		.max = 10,
		.is_held = is_held,
		.patience = 1,
	};

	if (!CHECK_INT(pp_helper_ask(h, &request, out, &err), PLUGPKG_OK))
		tap_value("error", plugpkg_error_message(err));
}

static void
check_all_are_answered(bool is_held)
{
	struct pp_helper h = PP_HELPER_INIT;
	struct pp_stream streams[REQUESTS];
	struct pp_stream *under_way[REQUESTS];
	PP_AUTO_FREE char *room = pp_xmalloc(PP_MSG_MAX_BYTES);
	int pair[2], small = SMALL;
	int64_t next = 1;
	size_t bytes = 0, n_answered = 0;

	CHECK_INT(pp_msg_pair(pair), 0);
	h.sock = pair[0];
	CHECK_INT(setsockopt(h.sock, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	alarm(PATIENCE);
	for (size_t i = 0; i < REQUESTS; i++) {
		ask(&h, (int64_t)i + 1, is_held, &streams[i], &bytes);
		under_way[i] = &streams[i];
	}
	for (int i = 0; i < 100 * REQUESTS && n_answered < REQUESTS; i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_answer a;

		if (!CHECK_INT(
			pp_helper_pump(&h, NULL, under_way, REQUESTS, 10, &a, &err), PLUGPKG_OK))
			break;
		n_answered += a.id > 0;
		serve(pair[1], room, &next);
	}
	alarm(0);
	CHECK_INT(next, REQUESTS + 1);
	CHECK_INT(n_answered, REQUESTS);
	pp_helper_end(&h);
	close(pair[1]);
}

static void
requests_wait_for_room_and_do_not_hold_up_the_answers(void)
{
	check_all_are_answered(false);
	check_all_are_answered(true);
}

/* Ended with requests that were never sent, it leaves no descriptor open. */
static void
requests_that_were_never_sent_are_forgotten(void)
{
	struct pp_helper h = PP_HELPER_INIT;
	struct pp_stream streams[REQUESTS];
	int pair[2], small = SMALL, before = dup(0);
	size_t bytes = 0;

	close(before);
	CHECK_INT(pp_msg_pair(pair), 0);
	h.sock = pair[0];
	CHECK_INT(setsockopt(h.sock, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	alarm(PATIENCE);
	for (size_t i = 0; i < REQUESTS; i++)
		ask(&h, (int64_t)i + 1, false, &streams[i], &bytes);
	alarm(0);
	for (size_t i = 0; i < REQUESTS; i++)
		pp_stream_close(&streams[i]);
	pp_helper_end(&h);
	close(pair[1]);

	int after = dup(0);
	CHECK_INT(after, before);
	close(after);
}

/* clang-format off */
TAP_MAIN(
	CASE(requests_wait_for_room_and_do_not_hold_up_the_answers)
	CASE(requests_that_were_never_sent_are_forgotten)
)
