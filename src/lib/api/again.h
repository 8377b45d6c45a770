/* SPDX-License-Identifier: MIT */
/*
 * Requests that came to nothing, each with the state of the files that it was answered from: asked
 * again while nothing has changed, they come to nothing as they did before. And what else is
 * answered as before while nothing has changed.
 */
#ifndef PP_API_AGAIN_H
#define PP_API_AGAIN_H

#include "lib/model/context.h"
#include "lib/state/state.h"

#define PP_AGAIN_ANSWER_MAX_BYTES ((size_t)1 << 20)

/* What a plan is made of beside plugpkg.json and var/state.db. */
enum pp_again_parts {
	PP_AGAIN_TRUST =
	    1 << 0, /* what is trusted of each source, which names the rest by digests */
	PP_AGAIN_STORE = 1 << 1, /* plugpkg.lock, and which names are in the store */
};
struct pp_again {
	struct pp_buf text;  /* the request, and in which state the files are */
	struct pp_buf known; /* the file that remembers, as it was */
	unsigned parts;
	const char *request; /* "upgrade", in one line; a view. NULL: nothing is to be remembered */
	int64_t firm_ms;     /* from then on a further change of the files shows */
	int64_t began_ms;
	unsigned n_warnings; /* of the context, before */
};

/*
 * Within a look at the state, before it is planned: true when the request came to nothing and does
 * so now. *out, zeroed before, is for pp_again_remember() otherwise.
 */
bool pp_again_is_known(
    plugpkg_context *ctx, const char *request, unsigned parts, struct pp_again *out);
/*
 * The plan that was made came to nothing, and `until` is the last moment at which time alone has
 * changed nothing; -1: it may at any.
 */
void pp_again_remember(plugpkg_context *ctx, const struct pp_again *a, int64_t until);
/*
 * The same of a question and of `file`, which holds nothing but its last answer. *out_answer is a
 * view until pp_again_fini().
 */
bool pp_again_has_answer(plugpkg_context *ctx, const char *request, const char *file,
    struct pp_again *out, struct pp_str *out_answer);
/* Within the look that the answer comes from; false: it is not to be kept. */
bool pp_again_begin(
    plugpkg_context *ctx, const char *request, unsigned parts, struct pp_again *out);
void pp_again_keep_answer(plugpkg_context *ctx, const struct pp_again *a, const char *file,
    struct pp_str answer, int64_t until);
/* The last moment at which time alone has changed nothing of what is installed; -1: at any. */
int64_t pp_again_end(const plugpkg_context *ctx, const struct pp_installeds *set);
void pp_again_fini(struct pp_again *a);

#endif
