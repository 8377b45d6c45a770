/* SPDX-License-Identifier: MIT */
/*
 * One download by libcurl. Every byte is counted here, because libcurl's own size limit does not
 * see chunked bodies. Whether the bytes are the right ones is decided by the near side.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "head.h"
#include "transfer.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_HEADER_BYTES (256u * 1024)
#define MAX_WASTED_BYTES (64u * 1024) /* bodies of errors and redirects */
#define HELD_BYTES       (64u * 1024)

/* Why we gave up ourselves; libcurl then only reports that a callback said no. */
enum fault {
	FAULT_NONE,
	FAULT_LIMIT,
	FAULT_SIZE,
	FAULT_RANGE,
	FAULT_DOWNGRADE,
	FAULT_LEFT,
};

struct transfer {
	struct request req;
	int fd;
	struct post *post;
	CURL *easy;
	char curl_text[CURL_ERROR_SIZE];
	uint64_t pos; /* where in the file the next byte belongs */
	uint64_t header_bytes, wasted;
	enum fault fault;
	int socket_errnum; /* libcurl does not say why it got no socket */
	bool has_begun;    /* the final answer's status was looked at */
	bool is_useless;   /* its body is an error page */
	bool was_secure;   /* https was spoken: no way back */
	/* Body that came and is not in the pipe yet: libcurl hands it over in small pieces. */
	struct outbox *outbox;
	struct transfer *next; /* in the outbox, when it is not empty, or among the idle */
	bool is_in_outbox;
	char *held; /* made when it is needed: HELD_BYTES, or HELD_MAX_BYTES */
	size_t n_held;
};

static long
status_of(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* ---- answers ---- */

static void
answer(const struct transfer *t, const char *type, pp_json *more)
{
	bool has_body = t->req.held && strcmp(type, "done") == 0;

	pp_json_set_int(more, "id", t->req.id);
	pp_json_set_str(more, "type", type);
	post_add(t->post, more, t->held, has_body ? t->n_held : 0);
	if (!t->req.held)
		post_send(t->post);
}

static int64_t
first_byte_ms(const struct transfer *t)
{
	curl_off_t us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &us);
	return us / 1000;
}

/* Stands in the socket before the first byte stands in the pipe. */
static void
answer_begin(const struct transfer *t)
{
	pp_json *j = pp_json_object();

	pp_json_set_int(j, "bytes", (int64_t)t->pos);
	pp_json_set_int(j, "first_byte_ms", first_byte_ms(t));
	answer(t, "begin", j);
}

/* The last answer is read when the pipe has come to its end. */
static void
close_pipe(struct transfer *t)
{
	pp_auto_fd(&t->fd);
}

static void
answer_done(struct transfer *t)
{
	pp_json *j = pp_json_object();

	close_pipe(t);
	pp_json_set_int(j, "status", status_of(t));
	pp_json_set_int(j, "bytes", (int64_t)t->pos);
	pp_json_set_int(j, "first_byte_ms", first_byte_ms(t));
	answer(t, "done", j);
}

static void
answer_failed(struct transfer *t, const char *kind, int errnum, const char *text)
{
	pp_json *j = pp_json_object();
	curl_off_t after = 0;

	close_pipe(t);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
	pp_json_set_int(j, "retry_after", after);
	pp_json_set_str(j, "kind", kind);
	pp_json_set_int(j, "status", status_of(t));
	pp_json_set_int(j, "errno", errnum);
	pp_json_set_int(j, "bytes", (int64_t)t->pos);
	pp_json_set_str(j, "text", text);
	answer(t, "failed", j);
}

void
transfer_refuse(struct post *post, int64_t id, const char *text)
{
	pp_json *j = pp_json_object();

	pp_json_set_int(j, "id", id);
	pp_json_set_str(j, "type", "failed");
	pp_json_set_str(j, "kind", "request");
	pp_json_set_str(j, "text", text);
	post_add(post, j, NULL, 0);
	post_send(post);
}

/* ---- callbacks ---- */

static bool
give_up(struct transfer *t, enum fault why)
{
	if (t->fault == FAULT_NONE)
		t->fault = why;
	return false;
}

/* Looks at the head of the final answer before its first byte is taken. */
static bool
begin_body(struct transfer *t)
{
	struct head h = { .status = status_of(t) };
	struct curl_header *range = NULL;
	curl_off_t length = -1;

	t->has_begun = true;
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	h.length = length;
	if (curl_easy_header(t->easy, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK)
		h.content_range = range->value;
	switch (head_judge(&h, &t->req, &t->pos)) {
	case HEAD_FITS:
		break;
	case HEAD_USELESS:
		t->is_useless = true;
		return true;
	case HEAD_RANGE:
		return give_up(t, FAULT_RANGE);
	case HEAD_LIMIT:
		return give_up(t, FAULT_LIMIT);
	case HEAD_SIZE:
		return give_up(t, FAULT_SIZE);
	}
	if (!t->req.held)
		answer_begin(t);
	return true;
}

/*
 * Waits where the near side is slower than the network: it reads all pipes in turn, and a network
 * that has to wait is what is wanted then.
 */
static bool
write_held(struct transfer *t)
{
	const char *p = t->held;
	size_t n = t->n_held;

	t->n_held = 0;
	while (n > 0) {
		ssize_t w = write(t->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return give_up(t, FAULT_LEFT);
		p += w;
		n -= (size_t)w;
		t->pos += (uint64_t)w;
	}
	return true;
}

/* All of it: on_body() has seen that it fits. */
static bool
hold_whole(struct transfer *t, const char *p, size_t n)
{
	if (t->held == NULL)
		t->held = pp_xmalloc(HELD_MAX_BYTES);
	memcpy(t->held + t->n_held, p, n);
	t->n_held += n;
	return true;
}

static bool
hold_body(struct transfer *t, const char *p, size_t n)
{
	if (t->req.held)
		return hold_whole(t, p, n);
	if (t->held == NULL)
		t->held = pp_xmalloc(HELD_BYTES);
	while (n > 0) {
		size_t room = HELD_BYTES - t->n_held;
		size_t some = n < room ? n : room;

		if (room == 0 && !write_held(t))
			return false;
		if (t->n_held == 0 && room > 0 && !t->is_in_outbox) {
			t->is_in_outbox = true;
			t->next = t->outbox->first;
			t->outbox->first = t;
		}
		memcpy(t->held + t->n_held, p, some);
		t->n_held += some;
		p += some;
		n -= some;
	}
	return true;
}

void
outbox_send(struct outbox *o)
{
	while (o->first != NULL) {
		struct transfer *t = o->first;

		o->first = t->next;
		t->is_in_outbox = false;
		(void)write_held(t); /* on_body() and transfer_finish() look at the fault */
	}
}

static size_t
on_body(char *p, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	n *= size;
	if (!t->has_begun && !begin_body(t))
		return CURL_WRITEFUNC_ERROR;
	if (t->is_useless) {
		t->wasted += n;
		return t->wasted <= MAX_WASTED_BYTES ? n : CURL_WRITEFUNC_ERROR;
	}
	if (t->fault != FAULT_NONE)
		return CURL_WRITEFUNC_ERROR;
	if (n > t->req.max - t->pos - t->n_held) {
		give_up(t, FAULT_LIMIT);
		return CURL_WRITEFUNC_ERROR;
	}
	return hold_body(t, p, n) ? n : CURL_WRITEFUNC_ERROR;
}

static size_t
on_header(char *p, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	(void)p;
	t->header_bytes += size * n;
	if (t->header_bytes <= MAX_HEADER_BYTES)
		return size * n;
	give_up(t, FAULT_LIMIT);
	return 0;
}

/* Also sees the bodies of redirects, which never reach on_body(). */
static int
on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct transfer *t = user;

	(void)total, (void)up_total, (void)up_now;
	if (now > 0 && (uint64_t)now > t->req.max + MAX_WASTED_BYTES) {
		give_up(t, FAULT_LIMIT);
		return 1;
	}
	return 0;
}

static curl_socket_t
on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = user;
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

	(void)purpose;
	t->socket_errnum = fd < 0 ? errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* Before each request of a chain of redirects is sent. */
static int
on_request(void *user, char *ip, char *local_ip, int port, int local_port)
{
	struct transfer *t = user;
	char *url = NULL;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (url != NULL && head_is_secure(url)) {
		t->was_secure = true;
	} else if (t->was_secure) {
		give_up(t, FAULT_DOWNGRADE);
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* ---- life ---- */

static bool
set_callbacks(CURL *e, struct transfer *t)
{
	CURLcode r = CURLE_OK;

	r |= curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	r |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->curl_text);
	r |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	r |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	r |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	r |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	r |= curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	r |= curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
	r |= curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	r |= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	r |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	r |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	r |= curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	return r == CURLE_OK;
}

static bool
set_target(CURL *e, const struct transfer *t)
{
	/* One connection for all (HTTP/2) is agreed on where TLS begins, and only there. */
	long waits = head_is_secure(t->req.url) ? 1 : 0;
	char range[32];

	if (curl_easy_setopt(e, CURLOPT_URL, t->req.url) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_PIPEWAIT, waits) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)t->req.deadline) != CURLE_OK)
		return false;
	if (t->req.offset == 0)
		return curl_easy_setopt(e, CURLOPT_RANGE, NULL) == CURLE_OK;
	snprintf(range, sizeof(range), "%" PRIu64 "-", t->req.offset);
	return curl_easy_setopt(e, CURLOPT_RANGE, range) == CURLE_OK;
}

/* All that an answer leaves is this and what libcurl keeps of the options. */
static void
clear(struct transfer *t)
{
	t->pos = t->header_bytes = t->wasted = t->n_held = 0;
	t->fault = FAULT_NONE;
	t->socket_errnum = 0;
	t->has_begun = t->is_useless = t->was_secure = false;
	t->curl_text[0] = '\0';
}

/* Small files come by hundreds, and setting up takes longer than some of them. */
static bool
is_common(const struct request *r)
{
	return r->held && r->user == NULL && r->token == NULL;
}

static struct transfer *
take_idle(const struct request *req, const struct wires *wires)
{
	struct transfer *t = wires->outbox->idle;

	if (t == NULL || !is_common(req) || t->req.patience != req->patience)
		return NULL;
	struct request old = t->req;
	t->req = *req;
	if (!set_target(t->easy, t)) {
		t->req = old;
		return NULL;
	}
	wires->outbox->idle = t->next;
	t->next = NULL;
	clear(t);
	return t;
}

struct transfer *
transfer_new(const struct request *req, int fd, const struct wires *wires)
{
	struct transfer *t = take_idle(req, wires);
	CURL *easy = t == NULL ? curl_easy_init() : NULL;

	if (t != NULL)
		return t;
	if (easy == NULL)
		return NULL;
	t = pp_xcalloc(1, sizeof(*t));
	*t = (struct transfer){
		.req = *req, .fd = fd, .post = wires->post, .outbox = wires->outbox, .easy = easy
	};
	if (policy_set(easy, req, wires->trust) && set_callbacks(easy, t) && set_target(easy, t))
		return t;
	curl_easy_cleanup(easy);
	free(t);
	return NULL;
}

CURL *
transfer_easy(const struct transfer *t)
{
	return t->easy;
}

struct transfer *
transfer_of(CURL *easy)
{
	char *t = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	return (struct transfer *)(void *)t;
}

void
transfer_free(struct transfer *t)
{
	if (is_common(&t->req)) {
		t->next = t->outbox->idle;
		t->outbox->idle = t;
		unsigned patience = t->req.patience;
		request_fini(&t->req);
		t->req.patience = patience;
		return;
	}
	curl_easy_cleanup(t->easy);
	pp_auto_fd(&t->fd);
	free(t->held);
	request_fini(&t->req);
	free(t);
}

/* ---- the verdict ---- */

/* The server cannot continue where we stand: once more, the whole file. */
static bool
restart(struct transfer *t)
{
	t->req.offset = 0;
	clear(t);
	return set_target(t->easy, t);
}

static void
fail_by_fault(struct transfer *t)
{
	char text[96];

	switch (t->fault) {
	case FAULT_LIMIT:
		snprintf(text, sizeof(text), "sends more than %" PRIu64 " bytes", t->req.max);
		answer_failed(t, "limit", 0, text);
		break;
	case FAULT_SIZE:
		snprintf(text, sizeof(text), "has another size than %" PRIu64 " bytes", t->req.max);
		answer_failed(t, "size", 0, text);
		break;
	case FAULT_DOWNGRADE:
		answer_failed(t, "redirect", 0, "redirects from https to http");
		break;
	case FAULT_LEFT:
		answer_failed(t, "local", 0, "nobody reads any more");
		break;
	case FAULT_RANGE:
	case FAULT_NONE:
		answer_failed(t, "network", 0, "answers with another part of the file");
		break;
	}
}

/* What the user can do something about has its own words; the rest are libcurl's. */
static const struct {
	CURLcode code;
	const char *kind, *text;
} curl_words[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "network", "cannot resolve the name of the host" },
	{ CURLE_COULDNT_RESOLVE_PROXY, "proxy", "cannot resolve the name of the proxy" },
	{ CURLE_PROXY, "proxy", "the proxy refuses" },
	{ CURLE_COULDNT_CONNECT, "network", "cannot connect" },
	{ CURLE_OPERATION_TIMEDOUT, "slow", "too slow, or no answer at all" },
	{ CURLE_PARTIAL_FILE, "cut", "the answer is cut off" },
	{ CURLE_RECV_ERROR, "cut", "the answer is cut off" },
	{ CURLE_GOT_NOTHING, "cut", "the answer is cut off" },
	{ CURLE_HTTP2, "cut", "the answer is cut off" },
	{ CURLE_HTTP2_STREAM, "cut", "the answer is cut off" },
	{ CURLE_TOO_MANY_REDIRECTS, "redirect", "redirects more than 5 times" },
	{ CURLE_UNSUPPORTED_PROTOCOL, "redirect",
	    "redirects to something else than http and https" },
	{ CURLE_PEER_FAILED_VERIFICATION, "tls", "its certificate is not trusted" },
	{ CURLE_SSL_CACERT_BADFILE, "tls", "there are no certificates to trust it by" },
};

static void
fail_by_curl(struct transfer *t, CURLcode result)
{
	const char *text = t->curl_text[0] != '\0' ? t->curl_text : curl_easy_strerror(result);
	const char *kind = "network";
	long errnum = 0, proxy_status = 0;
	char more[PP_LEN(t->curl_text) + 64];

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status >= 300) {
		snprintf(
		    more, sizeof(more), "the proxy answers with HTTP status %ld", proxy_status);
		answer_failed(t, "proxy", 0, more);
		return;
	}
	for (size_t i = 0; i < PP_LEN(curl_words); i++) {
		if (curl_words[i].code != result)
			continue;
		kind = curl_words[i].kind;
		/* Which certificate and why is worth its line. */
		snprintf(more, sizeof(more), "%s: %s", curl_words[i].text, text);
		text = strcmp(kind, "tls") == 0 ? more : curl_words[i].text;
		break;
	}
	if (errnum == 0)
		errnum = t->socket_errnum;
	answer_failed(t, kind, result == CURLE_COULDNT_CONNECT ? (int)errnum : 0, text);
}

static void
fail_by_status(struct transfer *t, long status)
{
	char text[48];

	snprintf(text, sizeof(text), "HTTP status %ld", status);
	answer_failed(t, "http", 0, text);
}

bool
transfer_finish(struct transfer *t, CURLcode result)
{
	/* An empty body never reached on_body(). */
	if (result == CURLE_OK && !t->has_begun)
		begin_body(t);
	if (t->req.held)
		t->pos = t->n_held;

	long status = status_of(t);
	if (t->req.offset > 0 && (t->fault == FAULT_RANGE || status == 416) && restart(t))
		return false;
	if (t->fault != FAULT_NONE)
		fail_by_fault(t);
	else if (t->is_useless)
		fail_by_status(t, status);
	else if (result != CURLE_OK)
		fail_by_curl(t, result);
	else if (t->req.exact && t->pos != t->req.max)
		answer_failed(t, "size", 0, "sends too few bytes");
	else
		answer_done(t);
	return true;
}
