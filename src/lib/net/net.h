/* SPDX-License-Identifier: MIT */
/* The inside of struct pp_net, for the files of this directory. */
#ifndef PP_NET_NET_H
#define PP_NET_NET_H

#include "lib/net/cache.h"
#include "lib/net/fetch.h"
#include "lib/net/helper.h"
#include "lib/net/login.h"
#include "lib/net/mirrors.h"

#define PP_NET_MAX_ACTIVE 64 /* downloads under way, of whatever kind */

/* A small file that was asked for ahead of its turn. */
struct pp_ahead {
	char *base, *url;
	const char *then; /* path of what is asked for next, when this is missing; or NULL */
	struct pp_stream stream;
	unsigned start; /* the start of the helper that was asked */
	bool has_answer;
	struct pp_answer answer;
	struct pp_buf body;
};
struct pp_aheads pp_vec(struct pp_ahead);

struct pp_net {
	plugpkg_context *ctx;
	int cache_fd;
	int to_fd; /* what is fetched goes there; the cache itself, but for a dry run */
	struct pp_helper helper;
	int64_t last_id;
	unsigned patience; /* seconds that a mirror may be silent */
	struct pp_mirrors mirrors;
	struct pp_logins logins;
	bool has_logins;      /* they were read */
	bool is_at_end;       /* pp_net_begin_end() was called */
	uint64_t done, total; /* bytes of all files since pp_net_new() */
	struct pp_map held;   /* sha256 -> struct pp_buf *: what came of wants that are held */
	struct pp_aheads ahead;
};

/* The rules of plugpkg.json and of the command line; the usual ones without a root. */
unsigned pp_net_jobs(const struct pp_net *net, bool is_piece);
unsigned pp_net_per_mirror(const struct pp_net *net, bool is_piece);
unsigned pp_net_retries(const struct pp_net *net);
/* The helper of this net, told whom it has to become. */
struct pp_helper *pp_net_helper(struct pp_net *net);
int64_t pp_net_now(const struct pp_net *net); /* Unix seconds */
pp_verified *pp_net_verified(const struct pp_net *net);
/* The login for that URL into the request. Errors: as pp_logins_load(). */
enum plugpkg_code pp_net_login(
    struct pp_net *net, const char *url, const struct pp_login **out, plugpkg_error **err);
/* Milliseconds before the n-th new try, n from 1: doubled each time, half of it by chance. */
int64_t pp_net_pause_ms(const struct pp_net *net, unsigned n);
/* Could the same request succeed a little later? */
bool pp_answer_is_passing(const struct pp_answer *a);
/* Is there no such file, as far as one may know? Some object stores do not tell. */
bool pp_answer_is_missing(const struct pp_answer *a);
/* What the user can do about it; NULL: nothing in particular. */
const char *pp_answer_hint(const struct pp_answer *a);

/*
 * What was asked for ahead, once: its answer, its bytes being in the sink, or its stream, which is
 * waited for as if it was asked for now. False: it is to be asked for.
 */
bool pp_ahead_take(
    struct pp_net *net, struct pp_ask *ask, struct pp_stream *out_stream, struct pp_answer *out);
size_t pp_ahead_n_active(const struct pp_net *net);
void pp_aheads_fini(struct pp_aheads *all);

/*
 * Copies a file:// file into the sink. A failure is told as an answer of the helper would be.
 * Errors: INTERRUPTED only.
 */
enum plugpkg_code pp_file_fetch(plugpkg_context *ctx, const char *base_url, const char *path,
    const struct pp_ask *ask, struct pp_answer *out, plugpkg_error **err);

#endif
