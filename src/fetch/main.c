/* SPDX-License-Identifier: MIT */
/*
 * plugpkg-fetch: downloads for its parent, over the socket on descriptor 3 (base/msg). It opens no
 * file of its own: each request brings the descriptor to write to. It ends when the socket closes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "transfer.h"
#include "wall.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/wall.h"

#define SOCKET 3
/* The near side keeps fewer under way; the cap only bounds what a confused one could cost. */
#define MAX_TRANSFERS 64

struct fetcher {
	CURLM *multi;
	struct trust_store trust;
	struct outbox outbox;
	struct post post;
	char *packet; /* room for one of requests */
	size_t n_transfers;
};

static void
add_request(struct fetcher *f, const pp_json *j, int *fd)
{
	struct request req;
	struct transfer *t;

	if (!request_read(j, &req) || (*fd < 0) != req.held || f->n_transfers >= MAX_TRANSFERS) {
		transfer_refuse(&f->post, req.id, "the request cannot be served");
		request_fini(&req);
		return;
	}
	t = transfer_new(&req, *fd, &(struct wires){ &f->post, &f->outbox, &f->trust });
	if (t == NULL) {
		transfer_refuse(&f->post, req.id, "the URL cannot be used");
		request_fini(&req);
		return;
	}
	pp_fd_steal(fd);
	curl_multi_add_handle(f->multi, transfer_easy(t));
	f->n_transfers++;
}

/* The first of them may have a pipe. */
static bool
add_requests(struct fetcher *f, struct pp_str packet, int *fd)
{
	while (packet.n > 0) {
		PP_AUTO_JSON pp_json *j = NULL;
		struct pp_str none;

		if (pp_msg_cut_part(&packet, &j, &none) < 0)
			return false;
		add_request(f, j, fd);
	}
	return true;
}

/* All requests that wait. False when the near side is gone or talks nonsense. */
static bool
receive(struct fetcher *f)
{
	bool is_sound = true;

	for (size_t packets = 0; is_sound && packets < MAX_TRANSFERS; packets++) {
		int fds[PP_MSG_MAX_FDS];
		size_t n = 0;
		int r = pp_msg_recv_packet(SOCKET, f->packet, &n, fds);

		if (r < 0)
			return r == -EAGAIN;
		is_sound = add_requests(f, (struct pp_str){ f->packet, n }, &fds[0]);
		for (size_t i = 0; i < PP_LEN(fds); i++)
			pp_auto_fd(&fds[i]);
	}
	return is_sound;
}

static void
reap(struct fetcher *f)
{
	const CURLMsg *m;
	int n_left;

	while ((m = curl_multi_info_read(f->multi, &n_left)) != NULL) {
		CURL *easy = m->easy_handle;
		CURLcode result = m->data.result;
		struct transfer *t = transfer_of(easy);

		curl_multi_remove_handle(f->multi, easy);
		if (transfer_finish(t, result)) {
			f->n_transfers--;
			transfer_free(t);
		} else {
			curl_multi_add_handle(f->multi, easy);
		}
	}
}

static int
serve(struct fetcher *f)
{
	for (;;) {
		struct curl_waitfd sock = { .fd = SOCKET, .events = CURL_WAIT_POLLIN };
		int n_running = 0;

		if (curl_multi_perform(f->multi, &n_running) != CURLM_OK)
			return 1;
		outbox_send(&f->outbox);
		reap(f);
		post_send(&f->post);
		if (curl_multi_poll(f->multi, &sock, 1, 1000, NULL) != CURLM_OK)
			return 1;
		if (sock.revents != 0 && !receive(f))
			return 0;
	}
}

int
main(int argc, char **argv)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (argc > 2 || getsockopt(SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET) {
		fputs("plugpkg-fetch is started by plugpkg, not by hand\n", stderr);
		return 2;
	}
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 1;

	struct fetcher f = {
		.multi = curl_multi_init(),
		.post = { SOCKET, PP_BUF_INIT(PP_MSG_MAX_BYTES) },
		.packet = pp_xmalloc(PP_MSG_MAX_BYTES),
		.trust = { getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR") },
	};
	/* By itself it closes what is idle when few transfers are left, though more may follow. */
	if (f.multi == NULL ||
	    curl_multi_setopt(f.multi, CURLMOPT_MAXCONNECTS, (long)MAX_TRANSFERS) != CURLM_OK ||
	    (argc == 2 && fetch_become(argv[1]) < 0) || fetch_wall_enter(SOCKET) < 0)
		return 1;
	int status = serve(&f);
	/* Thirty libraries that tidy up after themselves would let plugpkg wait for nothing. */
	if (!PP_IS_WATCHED_BUILD)
		_exit(status);
	return status;
}
