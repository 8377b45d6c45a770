/* SPDX-License-Identifier: MIT */
/* Starts the fetch helper with a fixed environment, speaks with it, and ends it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/time.h"
#include "lib/net/helper.h"
#include "lib/net/wall.h"

#define HELPER  "plugpkg-fetch"
#define WAIT_MS 100

#define PASSWD_BYTES 16384 /* of an entry with all its texts */

#define CHUNK_BYTES (1024 * 1024)
#define PIPE_BYTES  (64 * 1024) /* of a pipe as it is made */
#define MAX_STREAMS 64

#define DEADLINE_SPEED 4096 /* bytes a second, over the whole file */
#define MAX_TRIES      2    /* of one request: the helper begins anew where no range is served */

/*
 * All that the helper learns from our environment; nothing of it names a file that it writes. And a
 * word for GnuTLS, which mostly comes along with what libcurl can do besides: it would make itself
 * ready as soon as it is loaded. Where libcurl uses it, libcurl sees to that.
 */
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

	pp_strs_add(out, "GNUTLS_NO_IMPLICIT_INIT=1");
	for (size_t i = 0; i < PP_LEN(names); i++) {
		const char *value = secure_getenv(names[i]);

		if (value != NULL)
			pp_strs_take(out, pp_asprintf("%s=%s", names[i], value));
	}
}

/* "UID:GID" that the helper becomes; NULL: as it is. */
static enum plugpkg_code
find_user(const char *name, char **out, plugpkg_error **err)
{
	char buf[PASSWD_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;

	if (name == NULL || geteuid() != 0)
		return PLUGPKG_OK;
	int r = getpwnam_r(name, &entry, buf, sizeof(buf), &found);
	if (found == NULL) {
		pp_fail(err, PLUGPKG_E_BAD_CONFIG, r, "there is no user '%s'", name);
		return pp_hint(err, PLUGPKG_E_BAD_CONFIG,
		    "\"network\" in plugpkg.json says that downloads run as this user");
	}
	*out = pp_asprintf("%ju:%ju", (uintmax_t)entry.pw_uid, (uintmax_t)entry.pw_gid);
	return PLUGPKG_OK;
}

static int
spawn_helper(const char *path, const char *user, int sock, struct pp_child *out)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { .n = 0 };
	const char *const argv[] = { HELPER, user, NULL };
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
broke_down(struct pp_helper *h, plugpkg_error **err)
{
	pp_helper_end(h);
	return pp_fail(err, PLUGPKG_E_FAILED, 0, "the download helper '" HELPER "' broke down");
}

/* A message that did not get through: it is not the helper that broke down when memory is short. */
static enum plugpkg_code
cannot_speak(struct pp_helper *h, int r, plugpkg_error **err)
{
	if (r == -EPIPE || r == -EBADMSG)
		return broke_down(h, err);
	pp_helper_end(h);
	return pp_fail(err, PLUGPKG_E_IO, -r, "cannot speak with '" HELPER "'");
}

enum plugpkg_code
pp_helper_start(struct pp_helper *h, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_helper_path(HELPER);
	PP_AUTO_FREE char *user = NULL;
	int pair[2];

	if (h->sock >= 0)
		return PLUGPKG_OK;
	pp_helper_end(h); /* one that was dismissed */
	enum plugpkg_code rc = find_user(h->user, &user, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_msg_pair(pair);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot speak with '%s'", path);

	PP_AUTO_FD int near = pair[0];
	PP_AUTO_FD int far = pair[1];

	r = spawn_helper(path, user, far, &h->child);
	if (r < 0) {
		pp_fail(err, PLUGPKG_E_IO, -r, "cannot start '%s'", path);
		return pp_hint(err, PLUGPKG_E_IO, "the installation of plugpkg is incomplete");
	}
	h->sock = pp_fd_steal(&near);
	h->n_starts++;
	r = pp_net_wall_send(h->sock);
	return r < 0 ? cannot_speak(h, r, err) : PLUGPKG_OK;
}

static int
make_pipe(uint64_t bytes, int *out_near, int *out_far)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* Fewer turns of both processes; a system that is short of pipe memory gives less. */
	if (bytes > PIPE_BYTES)
		(void)fcntl(ends[0], F_SETPIPE_SZ, CHUNK_BYTES);
	/* Ours only: a helper that promises the end and keeps the pipe open must not hold us. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = -errno;
		pp_auto_fd(&ends[0]);
		pp_auto_fd(&ends[1]);
		return r;
	}
	*out_near = ends[0];
	*out_far = ends[1];
	return 0;
}

/* Seconds that one try may take in all. */
static int64_t
deadline_of(const struct pp_ask *ask)
{
	return 3 * (int64_t)ask->patience + (int64_t)(ask->max / DEADLINE_SPEED);
}

static pp_json *
request_of(const struct pp_ask *ask)
{
	pp_json *j = pp_json_object();

	pp_json_set_int(j, "id", ask->id);
	pp_json_set_str(j, "url", ask->url);
	pp_json_set_int(j, "max", (int64_t)ask->max);
	pp_json_set_bool(j, "exact", ask->is_exact);
	if (ask->is_held)
		pp_json_set_bool(j, "held", true);
	pp_json_set_int(j, "offset", (int64_t)ask->offset);
	pp_json_set_int(j, "patience", ask->patience);
	pp_json_set_int(j, "deadline", deadline_of(ask));
	if (ask->login != NULL) {
		pp_json_set_str(j, "user", ask->login->user);
		pp_json_set_str(j, "password", ask->login->password);
		pp_json_set_str(j, "token", ask->login->token);
	}
	return j;
}

/* The helper keeps the deadline. Should it be another's by now, it is waited for no longer. */
static struct pp_stream
stream_of(const struct pp_ask *ask, int fd)
{
	return (struct pp_stream){
		.id = ask->id,
		.sink = ask->sink,
		.fd = fd,
		.wait_ms = 1000 * (MAX_TRIES * deadline_of(ask) + ask->patience),
		.is_held = ask->is_held,
	};
}

static void
letter_fini(struct pp_letter *letter)
{
	pp_buf_fini(&letter->packet);
	pp_auto_fd(&letter->fd);
}

/* As many as there is room for. */
static int
send_letters(struct pp_helper *h)
{
	size_t n = 0;
	int r = 0;

	while (n < h->letters.n) {
		struct pp_letter *letter = &h->letters.at[n];

		r = pp_msg_send_packet_now(h->sock, &letter->packet, letter->fd);
		if (r < 0)
			break;
		letter_fini(letter);
		n++;
	}
	if (n > 0) {
		h->letters.n -= n;
		memmove(h->letters.at, h->letters.at + n, h->letters.n * sizeof(*h->letters.at));
	}
	return r == -EAGAIN ? 0 : r;
}

/*
 * Now, or when there is room: whoever waited here for a helper that is full of answers would not
 * read them. fd: moved when it is still needed; -1 for none.
 */
static int
post(struct pp_helper *h, const struct pp_buf *packet, int *fd)
{
	int r = h->letters.n == 0 ? pp_msg_send_packet_now(h->sock, packet, *fd) : -EAGAIN;

	if (r != -EAGAIN)
		return r;
	struct pp_letter *letter = pp_vec_new(&h->letters);
	*letter = (struct pp_letter){ PP_BUF_INIT(PP_MSG_MAX_BYTES), pp_fd_steal(fd) };
	pp_buf_add(&letter->packet, packet->s, packet->n);
	return 0;
}

static int
send_requests(struct pp_helper *h)
{
	int none = -1;
	int r = h->requests.n > 0 ? post(h, &h->requests, &none) : 0;

	pp_buf_clear(&h->requests);
	return r < 0 ? r : send_letters(h);
}

static enum plugpkg_code
ask_for_held(
    struct pp_helper *h, const struct pp_ask *ask, struct pp_stream *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = request_of(ask);

	if (!pp_msg_add_part(&h->requests, j, NULL, 0)) {
		int r = send_requests(h);
		if (r == 0 && !pp_msg_add_part(&h->requests, j, NULL, 0))
			r = -EMSGSIZE;
		if (r < 0)
			return cannot_speak(h, r, err);
	}
	*out = stream_of(ask, -1);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_helper_ask(
    struct pp_helper *h, const struct pp_ask *ask, struct pp_stream *out, plugpkg_error **err)
{
	PP_AUTO_FD int near = -1;
	PP_AUTO_FD int far = -1;
	enum plugpkg_code rc = pp_helper_start(h, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (ask->is_held)
		return ask_for_held(h, ask, out, err);
	PP_AUTO_JSON pp_json *j = request_of(ask);
	PP_AUTO_BUF struct pp_buf packet = PP_BUF_INIT(PP_MSG_MAX_BYTES);
	int r = make_pipe(ask->max, &near, &far);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make a pipe");
	r = pp_msg_add_part(&packet, j, NULL, 0) ? post(h, &packet, &far) : -EMSGSIZE;
	if (r < 0)
		return cannot_speak(h, r, err);
	*out = stream_of(ask, pp_fd_steal(&near));
	return PLUGPKG_OK;
}

void
pp_stream_close(struct pp_stream *s)
{
	pp_auto_fd(&s->fd);
	s->id = 0;
}

/* The sink refuses: the pipe is closed, which the helper notices and answers. */
static void
refuse(struct pp_stream *s, int r)
{
	s->local_errno = -r;
	pp_auto_fd(&s->fd);
}

/* One read. True when there may be more. */
static bool
flow(struct pp_helper *h, struct pp_stream *s)
{
	if (s->fd < 0)
		return false;
	if (h->chunk == NULL)
		h->chunk = pp_xmalloc(CHUNK_BYTES);

	ssize_t n = read(s->fd, h->chunk, CHUNK_BYTES);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		pp_auto_fd(&s->fd);
		return false;
	}
	int r = s->has_begun ? s->sink.add(s->sink.user, h->chunk, (size_t)n) : -EBADMSG;
	if (r < 0)
		refuse(s, r);
	return r == 0;
}

static int
receive_packet(struct pp_helper *h)
{
	int fds[PP_MSG_MAX_FDS];
	size_t n = 0;

	if (h->packet == NULL)
		h->packet = pp_xmalloc(PP_MSG_MAX_BYTES);
	int r = pp_msg_recv_packet(h->sock, h->packet, &n, fds);
	for (size_t i = 0; i < PP_LEN(fds); i++)
		pp_auto_fd(&fds[i]); /* it has nothing to give us */
	h->answers = (struct pp_str){ h->packet, r == 0 ? n : 0 };
	return r;
}

/* out->id is 0 when there is no message. */
static enum plugpkg_code
receive(struct pp_helper *h, struct pp_answer *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = NULL;
	struct pp_str body = { NULL, 0 };
	int r = h->answers.n == 0 ? receive_packet(h) : 0;

	*out = (struct pp_answer){ .id = 0 };
	if (r == -EAGAIN)
		return PLUGPKG_OK;
	if (r == 0)
		r = pp_msg_cut_part(&h->answers, &j, &body);
	if (r == 0 && !pp_answer_parse(j, out))
		r = -EBADMSG;
	if (r < 0)
		return cannot_speak(h, r, err);
	out->body = body;
	return PLUGPKG_OK;
}

static void
take_body(struct pp_stream *s, const struct pp_answer *a)
{
	int r = s->sink.begin(s->sink.user, 0);

	if (r == 0)
		r = s->sink.add(s->sink.user, a->body.p, a->body.n);
	if (r < 0)
		s->local_errno = -r;
}

/* The last answer: the helper has closed its end before, so what is in the pipe is all. */
static void
end_stream(struct pp_helper *h, struct pp_stream *s, struct pp_answer *a)
{
	while (flow(h, s))
		;
	if (s->local_errno != 0) {
		a->type = PP_ANSWER_FAILED;
		a->fault = PP_FAULT_LOCAL;
		a->errnum = s->local_errno;
	}
	pp_stream_close(s);
}

/* False: nothing of it concerns the caller. */
static bool
heed(struct pp_helper *h, struct pp_stream *const *streams, size_t n, struct pp_answer *a)
{
	for (size_t i = 0; i < n; i++) {
		struct pp_stream *s = streams[i];

		if (s->id != a->id)
			continue;
		if (a->type == PP_ANSWER_DONE && s->is_held)
			take_body(s, a);
		if (a->type != PP_ANSWER_BEGIN) {
			end_stream(h, s, a);
			return true;
		}
		int r = s->has_begun ? -EBADMSG : s->sink.begin(s->sink.user, a->bytes);
		s->has_begun = true;
		if (r < 0)
			refuse(s, r);
		return false;
	}
	if (h->heard != NULL && a->type != PP_ANSWER_BEGIN)
		h->heard(h->user_of_heard, a);
	return false;
}

/* Is there anything to look at? As poll(). */
static int
await(struct pp_helper *h, struct pp_stream *const *streams, size_t n, int timeout_ms,
    struct pollfd *polls)
{
	int r = send_requests(h);

	if (r < 0)
		return r;
	polls[0] = (struct pollfd){ .fd = h->sock,
		.events = h->letters.n > 0 ? POLLIN | POLLOUT : POLLIN };
	/* Before it has begun, nothing may be read: its first answer says where the bytes go. */
	for (size_t i = 0; i < n; i++)
		polls[i + 1] = (struct pollfd){ .fd = streams[i]->has_begun ? streams[i]->fd : -1,
			.events = POLLIN };
	for (size_t i = 0; i < h->n_guests; i++)
		polls[n + 1 + i] = (struct pollfd){ .fd = h->guests[i], .events = POLLIN };
	r = poll(polls, n + 1 + h->n_guests, timeout_ms < WAIT_MS ? timeout_ms : WAIT_MS);
	return r < 0 ? -errno : r;
}

/* Only waiting counts, so that a plugpkg that was stopped in between blames nobody. */
static int
await_at_cost(struct pp_helper *h, struct pp_stream *const *streams, size_t n, int timeout_ms,
    struct pollfd *polls)
{
	int64_t began_ms = pp_time_mono_ms();
	int r = await(h, streams, n, timeout_ms, polls);
	int64_t took_ms = pp_time_mono_ms() - began_ms;

	for (size_t i = 0; i < n; i++)
		streams[i]->wait_ms -= took_ms < WAIT_MS ? took_ms : WAIT_MS;
	return r;
}

static bool
is_overdue(struct pp_stream *const *streams, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streams[i]->wait_ms < 0)
			return true;
	return false;
}

/* Reads answers up to the last one of a stream, or all that there are. */
static enum plugpkg_code
look(struct pp_helper *h, struct pp_stream *const *streams, size_t n, struct pp_answer *out,
    plugpkg_error **err)
{
	/* A small file's first answer, its bytes and its last answer mostly come together. */
	for (size_t i = 0; i <= MAX_STREAMS; i++) {
		enum plugpkg_code rc = receive(h, out, err);
		if (rc != PLUGPKG_OK || out->id == 0 || heed(h, streams, n, out))
			return rc;
	}
	out->id = 0;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_helper_pump(struct pp_helper *h, plugpkg_context *ctx, struct pp_stream *const *streams,
    size_t n, int timeout_ms, struct pp_answer *out, plugpkg_error **err)
{
	struct pollfd polls[MAX_STREAMS + 1 + PP_HELPER_GUESTS];

	*out = (struct pp_answer){ .id = 0 };
	h->has_guest = false;
	if (h->sock < 0 || n > MAX_STREAMS)
		return broke_down(h, err);
	if (is_overdue(streams, n)) {
		pp_helper_end(h);
		return pp_fail(err, PLUGPKG_E_FAILED, 0,
		    "the download helper '" HELPER "' does not answer any more");
	}
	int ready = h->answers.n > 0 ? 0 : await_at_cost(h, streams, n, timeout_ms, polls);
	enum plugpkg_code rc = pp_check_cancel(ctx, err);
	if (rc != PLUGPKG_OK) {
		pp_helper_end(h);
		return rc;
	}
	if (h->answers.n > 0)
		return look(h, streams, n, out, err);
	if (ready < 0 && ready != -EINTR)
		return cannot_speak(h, ready, err);
	if (ready <= 0)
		return PLUGPKG_OK;
	for (size_t i = 0; i < h->n_guests; i++)
		h->has_guest = h->has_guest || polls[n + 1 + i].revents != 0;
	for (size_t i = 0; i < n; i++)
		if (polls[i + 1].revents != 0)
			(void)flow(h, streams[i]);
	return polls[0].revents != 0 ? look(h, streams, n, out, err) : PLUGPKG_OK;
}

void
pp_helper_dismiss(struct pp_helper *h)
{
	pp_auto_fd(&h->sock); /* which tells it */
}

void
pp_helper_end(struct pp_helper *h)
{
	int status;

	/* Only one that hangs is killed. */
	pp_helper_dismiss(h);
	if (h->child.pid > 0)
		PP_IGNORE(pp_child_wait(&h->child, WAIT_MS, &status));
	pp_child_fini(&h->child);
	pp_buf_fini(&h->requests);
	pp_vec_foreach (letter, &h->letters)
		letter_fini(letter);
	pp_vec_free(&h->letters);
	free(h->packet);
	h->packet = NULL;
	h->answers = (struct pp_str){ NULL, 0 };
	free(h->chunk);
	h->chunk = NULL;
}
