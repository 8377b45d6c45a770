/* SPDX-License-Identifier: MIT */
/* The life of a pp_net, its rules, and what a failed answer means. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/str.h"
#include "base/time.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define PATIENCE_SECONDS     20
#define MAX_PATIENCE_SECONDS 3600
#define PAUSES_IN_PATIENCE   40
#define MAX_PAUSE_MS         8000
#define PIECES_FOR_ONE       5
#define DOUBTED_SHARE        10

/* PLUGPKG_FETCH_PATIENCE: for lines that sleep longer, and for tests that cannot wait. */
static unsigned
read_patience(void)
{
	uint64_t seconds;
	struct pp_str text = pp_str_of(secure_getenv("PLUGPKG_FETCH_PATIENCE"));

	if (pp_parse_u64(text, MAX_PATIENCE_SECONDS, &seconds) < 0 || seconds == 0)
		return PATIENCE_SECONDS;
	return (unsigned)seconds;
}

struct pp_net *
pp_net_new(plugpkg_context *ctx, int cache_fd)
{
	struct pp_net *net = pp_xmalloc(sizeof(*net));

	*net = (struct pp_net){
		.ctx = ctx,
		.cache_fd = cache_fd,
		.to_fd = ctx != NULL && ctx->is_dry_run ? ctx->scratch_fd : cache_fd,
		.helper = PP_HELPER_INIT,
		.patience = read_patience(),
	};
	pp_mirrors_load(&net->mirrors, ctx);
	return net;
}

static void
free_held(void *p)
{
	pp_buf_fini(p);
	free(p);
}

void
pp_net_free(struct pp_net *net)
{
	if (net == NULL)
		return;
	pp_helper_end(&net->helper);
	pp_mirrors_save(&net->mirrors, net->ctx);
	pp_mirrors_fini(&net->mirrors);
	pp_logins_fini(&net->logins);
	pp_map_fini(&net->held, free_held);
	pp_aheads_fini(&net->ahead);
	free(net);
}

void
pp_net_set_patience(struct pp_net *net, unsigned seconds)
{
	net->patience = seconds > 0 ? seconds : 1;
}

unsigned
pp_net_hurry(struct pp_net *net, const struct pp_strs *mirrors, size_t which)
{
	unsigned usual = net->patience;

	if (pp_mirrors_is_doubted(&net->mirrors, mirrors, which))
		pp_net_set_patience(net, usual / DOUBTED_SHARE);
	return usual;
}

/* ---- rules ---- */

static const struct pp_network_rules *
rules_of(const struct pp_net *net)
{
	static const struct pp_network_rules usual = {
		.jobs = PP_NETWORK_JOBS_USUAL,
		.per_mirror = PP_NETWORK_PER_MIRROR_USUAL,
		.retries = PP_NETWORK_RETRIES_USUAL,
		.cache_bytes = PP_NETWORK_CACHE_BYTES_USUAL,
	};

	return net->ctx != NULL && net->ctx->config != NULL ? &net->ctx->config->network : &usual;
}

/* Pieces wait for answers and not for bytes. Who wants one at a time means them too. */
static unsigned
for_pieces(unsigned n, bool is_piece)
{
	n *= is_piece && n > 1 ? PIECES_FOR_ONE : 1;
	return n < PP_NET_MAX_ACTIVE ? n : PP_NET_MAX_ACTIVE;
}

unsigned
pp_net_jobs(const struct pp_net *net, bool is_piece)
{
	return for_pieces(
	    net->ctx != NULL && net->ctx->jobs > 0 ? net->ctx->jobs : rules_of(net)->jobs,
	    is_piece);
}

unsigned
pp_net_per_mirror(const struct pp_net *net, bool is_piece)
{
	/* Who says so on the command line means this run, whatever number of mirrors it has. */
	return for_pieces(
	    net->ctx != NULL && net->ctx->jobs > 0 ? net->ctx->jobs : rules_of(net)->per_mirror,
	    is_piece);
}

unsigned
pp_net_retries(const struct pp_net *net)
{
	return rules_of(net)->retries;
}

struct pp_helper *
pp_net_helper(struct pp_net *net)
{
	net->helper.user = rules_of(net)->user;
	return &net->helper;
}

void
pp_net_expect(struct pp_net *net, const char *url)
{
	/* Who asks for it hears why it does not start. */
	if (!pp_url_is_file(url) && !(net->ctx != NULL && net->ctx->is_offline))
		(void)pp_helper_start(pp_net_helper(net), NULL);
}

void
pp_net_rest(struct pp_net *net)
{
	pp_helper_dismiss(&net->helper);
}

void
pp_net_begin_end(struct pp_net *net)
{
	net->is_at_end = true;
}

void
pp_net_rest_at_end(struct pp_net *net)
{
	if (net->is_at_end)
		pp_net_rest(net);
}

int64_t
pp_net_now(const struct pp_net *net)
{
	return net->ctx != NULL ? net->ctx->now : pp_time_now();
}

pp_verified *
pp_net_verified(const struct pp_net *net)
{
	return net->ctx != NULL ? &net->ctx->verified : NULL;
}

enum plugpkg_code
pp_net_login(struct pp_net *net, const char *url, const struct pp_login **out, plugpkg_error **err)
{
	*out = NULL;
	if (!net->has_logins) {
		enum plugpkg_code rc = pp_logins_load(net->ctx, &net->logins, err);

		if (rc != PLUGPKG_OK)
			return rc;
		net->has_logins = true;
	}
	*out = pp_logins_find(&net->logins, url);
	return PLUGPKG_OK;
}

int64_t
pp_net_pause_ms(const struct pp_net *net, unsigned n)
{
	int64_t ms = (int64_t)net->patience * 1000 / PAUSES_IN_PATIENCE;
	uint16_t chance = 0;

	for (unsigned i = 1; i < n && ms < MAX_PAUSE_MS; i++)
		ms *= 2;
	if (ms > MAX_PAUSE_MS)
		ms = MAX_PAUSE_MS;
	/* Many machines that failed together should not come back together. */
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = (uint16_t)pp_time_mono_ms();
	return ms / 2 + ms / 2 * chance / UINT16_MAX;
}

/* ---- answers ---- */

bool
pp_answer_is_passing(const struct pp_answer *a)
{
	switch (a->fault) {
	case PP_FAULT_NETWORK:
	case PP_FAULT_CUT:
	case PP_FAULT_SLOW:
	case PP_FAULT_PROXY:
		return true;
	case PP_FAULT_HTTP:
		return a->status >= 500 || a->status == 408 || a->status == 429;
	case PP_FAULT_REDIRECT:
	case PP_FAULT_LIMIT:
	case PP_FAULT_SIZE:
	case PP_FAULT_LOCAL:
	case PP_FAULT_TLS:
		break;
	}
	return false;
}

bool
pp_answer_is_missing(const struct pp_answer *a)
{
	return a->type == PP_ANSWER_FAILED && a->fault == PP_FAULT_HTTP &&
	       (a->status == 404 || a->status == 403);
}

const char *
pp_answer_hint(const struct pp_answer *a)
{
	if (a->fault == PP_FAULT_TLS)
		return "check the clock of this machine; a private authority goes into "
		       "SSL_CERT_FILE, "
		       "the public ones come with the package ca-certificates";
	if (a->fault == PP_FAULT_PROXY || a->status == 407)
		return "look at http_proxy, https_proxy and no_proxy in the environment";
	if (a->fault == PP_FAULT_HTTP && a->status == 401)
		return "the server wants a login: put it into ~/.netrc, or into \"network\" of "
		       "plugpkg.json";
	if (a->fault == PP_FAULT_HTTP && a->status == 403)
		return "the file is missing there, or a login is wanted or is not good enough";
	return NULL;
}
