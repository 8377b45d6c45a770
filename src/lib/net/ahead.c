/* SPDX-License-Identifier: MIT */
/* Small files that are asked for ahead of their turn. Whose turn it is judges the answer. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define MAX_KEPT 64 /* under way, or answered and not taken yet */

static void
ahead_fini(struct pp_ahead *one)
{
	pp_stream_close(&one->stream);
	pp_buf_fini(&one->body);
	free(one->base);
	free(one->url);
}

void
pp_aheads_fini(struct pp_aheads *all)
{
	pp_vec_foreach (one, all)
		ahead_fini(one);
	pp_vec_free(all);
}

static bool
is_active(const struct pp_net *net, const struct pp_ahead *one)
{
	return !one->has_answer && net->helper.sock >= 0 && one->start == net->helper.n_starts;
}

size_t
pp_ahead_n_active(const struct pp_net *net)
{
	size_t n = 0;

	pp_vec_foreach (one, &net->ahead)
		n += is_active(net, one) ? 1 : 0;
	return n;
}

static void on_answer(void *user, const struct pp_answer *a);

/* Why it cannot be asked for is heard by who asks for it in turn. */
static void
ask_ahead(struct pp_net *net, const char *base_url, const char *path, const char *then)
{
	PP_AUTO_FREE char *url = pp_url_join(base_url, path);
	struct pp_stream stream = { .fd = -1 };
	struct pp_ask ask = {
		.id = ++net->last_id,
		.url = url,
		.max = PP_NET_HELD_MAX,
		.is_held = true,
		.patience = net->patience,
	};

	if (pp_net_login(net, url, &ask.login, NULL) != PLUGPKG_OK ||
	    pp_helper_ask(pp_net_helper(net), &ask, &stream, NULL) != PLUGPKG_OK)
		return;
	net->helper.heard = on_answer;
	net->helper.user_of_heard = net;

	struct pp_ahead *one = pp_vec_new(&net->ahead);

	*one = (struct pp_ahead){
		.base = pp_xstrdup(base_url),
		.url = pp_steal(&url),
		.then = then,
		.stream = stream,
		.start = net->helper.n_starts,
		.body = PP_BUF_INIT(PP_NET_HELD_MAX),
	};
}

static void
on_answer(void *user, const struct pp_answer *a)
{
	struct pp_net *net = user;

	pp_vec_foreach (one, &net->ahead) {
		if (!is_active(net, one) || one->stream.id != a->id)
			continue;
		one->has_answer = true;
		one->answer = *a;
		one->answer.body = (struct pp_str){ NULL, 0 };
		pp_buf_add(&one->body, a->body.p, a->body.n);
		if (one->then != NULL && pp_answer_is_missing(a))
			ask_ahead(net, one->base, one->then, NULL);
		return; /* the array may be another */
	}
}

bool
pp_net_ask_ahead(struct pp_net *net, const char *base_url, const char *path, const char *then)
{
	if (pp_url_is_file(base_url) || (net->ctx != NULL && net->ctx->is_offline))
		return true;
	/* One place is for whose turn it is. */
	if (net->ahead.n >= MAX_KEPT || pp_ahead_n_active(net) + 1 >= pp_net_jobs(net, false))
		return false;
	ask_ahead(net, base_url, path, then);
	return true;
}

static bool
replay(const struct pp_ahead *one, const struct pp_sink *sink, struct pp_answer *out)
{
	*out = one->answer;
	if (out->type != PP_ANSWER_DONE)
		return true;
	return !one->body.overflow && sink->begin(sink->user, 0) == 0 &&
	       sink->add(sink->user, pp_buf_cstr(&one->body), one->body.n) == 0;
}

bool
pp_ahead_take(
    struct pp_net *net, struct pp_ask *ask, struct pp_stream *out_stream, struct pp_answer *out)
{
	struct pp_ahead taken;
	bool is_of_use = true;
	size_t i = 0;

	while (i < net->ahead.n && strcmp(net->ahead.at[i].url, ask->url) != 0)
		i++;
	if (i == net->ahead.n)
		return false;
	taken = net->ahead.at[i];
	net->ahead.at[i] = net->ahead.at[--net->ahead.n];
	if (is_active(net, &taken)) {
		*out_stream = taken.stream;
		out_stream->sink = ask->sink;
	} else {
		is_of_use = taken.has_answer && replay(&taken, &ask->sink, out);
	}
	if (is_of_use)
		ask->id = taken.stream.id;
	ahead_fini(&taken);
	return is_of_use;
}
