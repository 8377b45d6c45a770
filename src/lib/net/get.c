/* SPDX-License-Identifier: MIT */
/* Small files of unknown digest: into memory, from one mirror. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define MAX_REST_S 30 /* for one small file; the next mirror may have it at once */
#define SLICE_MS   100

static int
begin(void *user, uint64_t offset)
{
	pp_buf_clear(user);
	return offset == 0 ? 0 : -EBADMSG;
}

static int
add(void *user, const char *p, size_t n)
{
	struct pp_buf *out = user;

	pp_buf_add(out, p, n);
	return out->overflow ? -EFBIG : 0;
}

/* Asks for the one file, unless that was done, and waits for its last answer. */
static enum plugpkg_code
ask_and_wait(struct pp_net *net, struct pp_ask *ask, bool *out_was_ahead, struct pp_answer *out,
    plugpkg_error **err)
{
	struct pp_stream stream = { .fd = -1 };
	struct pp_stream *const streams[] = { &stream };

	*out = (struct pp_answer){ .id = 0 };
	*out_was_ahead = pp_ahead_take(net, ask, &stream, out);
	enum plugpkg_code rc = *out_was_ahead
				   ? pp_check_cancel(net->ctx, err)
				   : pp_helper_ask(pp_net_helper(net), ask, &stream, err);
	while (rc == PLUGPKG_OK && out->id != ask->id)
		rc = pp_helper_pump(&net->helper, net->ctx, streams, 1, SLICE_MS, out, err);
	pp_stream_close(&stream);
	return rc;
}

/* What is asked for ahead may have fewer bytes. */
static bool
had_no_room(const struct pp_answer *a)
{
	return a->type == PP_ANSWER_FAILED &&
	       (a->fault == PP_FAULT_LIMIT || a->fault == PP_FAULT_LOCAL);
}

static enum plugpkg_code
run(struct pp_net *net, const char *base_url, const char *path, struct pp_ask *ask,
    struct pp_answer *out, plugpkg_error **err)
{
	enum plugpkg_code rc;
	bool was_ahead = false;

	if (pp_url_is_file(base_url))
		return pp_file_fetch(net->ctx, base_url, path, ask, out, err);
	do {
		ask->id = ++net->last_id;
		rc = ask_and_wait(net, ask, &was_ahead, out, err);
	} while (rc == PLUGPKG_OK && was_ahead && had_no_room(out));
	return rc;
}

static enum plugpkg_code
rest(struct pp_net *net, int64_t ms, plugpkg_error **err)
{
	int64_t until = pp_time_mono_ms() + ms;
	enum plugpkg_code rc = PLUGPKG_OK;

	while (rc == PLUGPKG_OK && (ms = until - pp_time_mono_ms()) > 0) {
		(void)poll(NULL, 0, (int)(ms < SLICE_MS ? ms : SLICE_MS));
		rc = pp_check_cancel(net->ctx, err);
	}
	return rc;
}

/*
 * Another mirror is the better answer to most failures. Tried again here is what says itself that
 * it will pass, and what broke off in the middle.
 */
static bool
is_tried_again(const struct pp_answer *a)
{
	return a->type == PP_ANSWER_FAILED &&
	       (a->fault == PP_FAULT_CUT ||
		   (a->fault == PP_FAULT_HTTP && a->status != 404 && pp_answer_is_passing(a))) &&
	       a->retry_after_s <= MAX_REST_S;
}

static enum plugpkg_code
run_with_retries(struct pp_net *net, const char *base_url, const char *path, struct pp_ask *ask,
    struct pp_answer *out, plugpkg_error **err)
{
	for (unsigned n = 0;; n++) {
		enum plugpkg_code rc = run(net, base_url, path, ask, out, err);
		if (rc != PLUGPKG_OK || n >= pp_net_retries(net) || !is_tried_again(out))
			return rc;
		rc = rest(net,
		    out->retry_after_s > 0 ? (int64_t)out->retry_after_s * 1000
					   : pp_net_pause_ms(net, n + 1),
		    err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}

static enum plugpkg_code
fail_get(struct pp_net *net, const char *base_url, const char *path, const struct pp_answer *a,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *shown = pp_url_redacted(base_url);
	const char *hint = pp_answer_hint(a);

	if (a->fault == PP_FAULT_LOCAL)
		return pp_fail(err, PLUGPKG_E_IO, a->errnum, "cannot hold '%s'", path);
	if (!pp_url_is_file(base_url))
		pp_mirror_blame(
		    &net->mirrors, pp_mirror_of(&net->mirrors, base_url), pp_net_now(net));
	pp_fail(err, PLUGPKG_E_NETWORK, a->errnum, "cannot fetch '%s' from '%s'%s%s", path, shown,
	    a->text[0] != '\0' ? ": " : "", a->text);
	if (hint != NULL)
		pp_hint(err, PLUGPKG_E_NETWORK, "%s", hint);
	return pp_retryable(err, PLUGPKG_E_NETWORK);
}

static enum plugpkg_code
fail_offline(const char *base_url, const char *path, plugpkg_error **err)
{
	PP_AUTO_FREE char *shown = pp_url_redacted(base_url);

	pp_fail(err, PLUGPKG_E_NETWORK, 0, "'%s' of '%s' is not fetched: offline", path, shown);
	return pp_hint(err, PLUGPKG_E_NETWORK, "run the command again without --offline");
}

enum plugpkg_code
pp_net_get(struct pp_net *net, const char *base_url, const char *path, size_t max_bytes,
    struct pp_buf *out, int *out_status, plugpkg_error **err)
{
	PP_AUTO_FREE char *url = pp_url_join(base_url, path);
	PP_AUTO_BUF struct pp_buf body = PP_BUF_INIT(max_bytes);
	struct pp_ask ask = {
		.url = url,
		.sink = { begin, add, &body },
		.max = max_bytes,
		.is_held = max_bytes <= PP_NET_HELD_MAX,
		.patience = net->patience,
	};
	struct pp_answer a;

	if (net->ctx != NULL && net->ctx->is_offline)
		return fail_offline(base_url, path, err);
	enum plugpkg_code rc = pp_net_login(net, url, &ask.login, err);
	if (rc == PLUGPKG_OK)
		rc = run_with_retries(net, base_url, path, &ask, &a, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_status = a.status;
	if (pp_answer_is_missing(&a))
		return PLUGPKG_OK;
	if (a.type == PP_ANSWER_FAILED)
		return fail_get(net, base_url, path, &a, err);
	pp_buf_add(out, pp_buf_cstr(&body), body.n);
	if (out->overflow)
		return pp_fail(err, PLUGPKG_E_IO, EFBIG, "cannot hold '%s'", path);
	return PLUGPKG_OK;
}
