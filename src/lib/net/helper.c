/* SPDX-License-Identifier: MIT */
/* Starts the fetch helper with a fixed environment, speaks with it, and ends it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/msg.h"
#include "lib/net/helper.h"

#define HELPER  "plugpkg-fetch"
#define WAIT_MS 100

/* All that the helper learns from our environment; nothing of it names a file that it writes. */
static void
collect_env(struct pp_strs *out)
{
	static const char *const names[] = {
		"http_proxy",
		"https_proxy",
		"HTTPS_PROXY",
		"all_proxy",
		"ALL_PROXY",
		"no_proxy",
		"NO_PROXY",
		"SSL_CERT_FILE",
		"SSL_CERT_DIR",
	};

	for (size_t i = 0; i < PP_LEN(names); i++) {
		const char *value = secure_getenv(names[i]);

		if (value != NULL)
			pp_strs_take(out, pp_asprintf("%s=%s", names[i], value));
	}
}

static int
spawn_helper(const char *path, int sock, struct pp_child *out)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { .n = 0 };
	const char *const argv[] = { HELPER, NULL };
	struct pp_spawn s = PP_SPAWN_INIT;

	collect_env(&env);
	pp_vec_push(&env, NULL); /* the end of the list; free(NULL) is harmless */
	s.path = path;
	s.argv = argv;
	s.env = (const char *const *)env.at;
	s.pass_fd = sock;
	return pp_spawn(&s, out);
}

static enum plugpkg_code
start(struct pp_helper *h, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_helper_path(HELPER);
	int pair[2];

	if (h->sock >= 0)
		return PLUGPKG_OK;
	int r = pp_msg_pair(pair);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot speak with '%s'", path);

	PP_AUTO_FD int near = pair[0];
	PP_AUTO_FD int far = pair[1];

	r = spawn_helper(path, far, &h->child);
	if (r < 0) {
		pp_fail(err, PLUGPKG_E_IO, -r, "cannot start '%s'", path);
		return pp_hint(err, PLUGPKG_E_IO, "the installation of plugpkg is incomplete");
	}
	h->sock = pp_fd_steal(&near);
	return PLUGPKG_OK;
}

static enum plugpkg_code
broke_down(struct pp_helper *h, plugpkg_error **err)
{
	pp_helper_end(h);
	return pp_fail(err, PLUGPKG_E_FAILED, 0, "the download helper '" HELPER "' broke down");
}

enum plugpkg_code
pp_helper_ask(struct pp_helper *h, const struct pp_ask *ask, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	enum plugpkg_code rc = start(h, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_json_set_int(j, "id", ask->id);
	pp_json_set_str(j, "url", ask->url);
	pp_json_set_int(j, "max", (int64_t)ask->max);
	pp_json_set_bool(j, "exact", ask->is_exact);
	pp_json_set_int(j, "offset", (int64_t)ask->offset);
	pp_json_set_int(j, "patience", ask->patience);
	return pp_msg_send(h->sock, j, &ask->fd, 1) < 0 ? broke_down(h, err) : PLUGPKG_OK;
}

static enum plugpkg_code
receive(struct pp_helper *h, struct pp_answer *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = NULL;
	int fds[PP_MSG_MAX_FDS];
	int r = pp_msg_recv(h->sock, &j, fds);

	if (r == 0)
		for (size_t i = 0; i < PP_LEN(fds); i++)
			pp_auto_fd(&fds[i]); /* it has nothing to give us */
	if (r < 0 || !pp_answer_parse(j, out))
		return broke_down(h, err);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_helper_answer(
    struct pp_helper *h, plugpkg_context *ctx, struct pp_answer *out, plugpkg_error **err)
{
	if (h->sock < 0)
		return broke_down(h, err);
	for (;;) {
		struct pollfd p = { .fd = h->sock, .events = POLLIN };
		int n = poll(&p, 1, WAIT_MS);
		enum plugpkg_code rc = pp_check_cancel(ctx, err);

		if (rc != PLUGPKG_OK) {
			pp_helper_end(h);
			return rc;
		}
		if (n < 0 && errno != EINTR)
			return broke_down(h, err);
		if (n > 0)
			return receive(h, out, err);
	}
}

void
pp_helper_end(struct pp_helper *h)
{
	int status;

	/* It ends by itself when the socket closes; only one that hangs is killed. */
	pp_auto_fd(&h->sock);
	if (h->child.pid > 0)
		PP_IGNORE(pp_child_wait(&h->child, WAIT_MS, &status));
	pp_child_fini(&h->child);
}
