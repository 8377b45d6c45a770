/* SPDX-License-Identifier: MIT */
/*
 * The near side of the fetch helper: mirrors, retries, digests, the content-addressed cache. Bytes
 * come only through here, and what has a known digest is verified before anybody sees it.
 */
#ifndef PP_NET_FETCH_H
#define PP_NET_FETCH_H

#include "base/vec.h"
#include "lib/model/context.h"

struct pp_net; /* one helper process, started at the first request that needs it */

/*
 * cache_fd  borrowed directory for verified files and partial downloads, must outlive the pp_net
 * ctx       borrowed; events, cancelling; may be NULL
 */
struct pp_net *pp_net_new(plugpkg_context *ctx, int cache_fd);
void pp_net_free(struct pp_net *net);
/*
 * Something will be fetched from there, or nothing more from anywhere: the helper starts, or ends,
 * while its user is at other things. Only a hint, which cannot fail.
 */
void pp_net_expect(struct pp_net *net, const char *url);
void pp_net_rest(struct pp_net *net);
/*
 * Who asks for several things one after the other says when the last one begins; whoever sees that
 * this needs nothing more lets the helper end, which it does not before.
 */
void pp_net_begin_end(struct pp_net *net);
void pp_net_rest_at_end(struct pp_net *net);
/* How long a transfer may stand still; PLUGPKG_FETCH_PATIENCE or 20 s unless it is said here. */
void pp_net_set_patience(struct pp_net *net, unsigned seconds);
/*
 * Only a tenth of it where that one of the mirrors failed lately and another one of them did not,
 * for a file that all are asked for. What it was, to be set again after that file.
 */
unsigned pp_net_hurry(struct pp_net *net, const struct pp_strs *mirrors, size_t which);
PP_DEFINE_AUTO(net, struct pp_net, pp_net_free);

#define PP_PROOF_MAX_BYTES 4096
#define PP_NET_HELD_MAX    (32 * 1024)

/* For a small file that no digest names: who knows what it has to say looks at its bytes. */
struct pp_proof {
	const char *name; /* in the cache; borrowed */
	/* Of what came, and of what the cache has. An error says what is wrong with them. */
	enum plugpkg_code (*check)(const void *user, struct pp_str bytes, plugpkg_error **err);
	const void *user;
	/* When mirrors answered and none of them has it: what that is. */
	enum plugpkg_code code;
	const char *subject, *hint; /* borrowed */
};

/* One file whose size and digest are known, or which proves itself. */
struct pp_want {
	const struct pp_strs *mirrors; /* base URLs in order of preference; borrowed */
	const char *path;   /* relative to a mirror's URL, already percent-encoded; borrowed */
	const char *label;  /* for messages and progress: "photos 1.2.0", "index of 'main'" */
	const char *sha256; /* 64 lower-case hex digits; of no use with a proof */
	uint64_t size;      /* exact bytes; with a proof, at most so many */
	bool is_piece;      /* one of hundreds of small ones: more of them at once */
	/*
	 * At most PP_NET_HELD_MAX bytes, which the cache was found to lack, and which are read as a
	 * whole by pp_net_read_cached(): they are held in memory until then.
	 */
	bool is_held;
	const struct pp_proof *proof; /* borrowed; NULL for all but signatures */
};
/*
 * Makes every wanted file be in the cache under its sha256, several at once, with resume and
 * failover to the next mirror for each file alone. What is in the cache already is checked again
 * and not fetched. Errors: NETWORK (all mirrors, last reason), DIGEST (all mirrors delivered other
 * bytes), NO_SPACE, INTERRUPTED, and the code of a proof.
 */
enum plugpkg_code pp_net_fetch(
    struct pp_net *net, const struct pp_want *wants, size_t n, plugpkg_error **err);
/* Who works with the first files while others are still coming. An error ends the downloads. */
struct pp_fetch_guest {
	/*
	 * wants[i] is in the cache, verified or proven. Not called for a second one of the same
	 * bytes.
	 */
	enum plugpkg_code (*ready)(void *user, size_t i, plugpkg_error **err);
	/* Descriptors to wake up for, at most PP_FETCH_GUEST_FDS; how many there are now. */
	size_t (*fds)(void *user, int *out);
	/* One of them can be read, or it is time to look. Must not wait. */
	enum plugpkg_code (*turn)(void *user, plugpkg_error **err);
	void *user;
};
#define PP_FETCH_GUEST_FDS 8
enum plugpkg_code pp_net_fetch_with(struct pp_net *net, const struct pp_want *wants, size_t n,
    const struct pp_fetch_guest *guest, plugpkg_error **err);
/*
 * Opens a verified cached file for reading, checking size and digest once more. -1 and error, or a
 * descriptor.
 */
enum plugpkg_code pp_net_open_cached(
    struct pp_net *net, const char *sha256, uint64_t size, int *out_fd, plugpkg_error **err);
/* pp_cache_open_unread() */
int pp_net_open_unread(struct pp_net *net, const char *sha256, uint64_t size);
/*
 * The bytes of a cached file, appended: what is in memory is what was checked. 0; -ENOENT when
 * there is none, or a damaged one, which is removed; -errno.
 */
int pp_net_read_cached(
    struct pp_net *net, const char *sha256, size_t size, struct pp_buf *out) PP_MUSTUSE;

/*
 * A small file of unknown digest (TUF metadata): from one mirror only, at most max_bytes, never
 * retried. *out_status: HTTP status, 200 for file://, 404 for a missing file; then rc is OK and
 * out is empty when status is 404 or 403. Every other failure is an error.
 */
enum plugpkg_code pp_net_get(struct pp_net *net, const char *base_url, const char *path,
    size_t max_bytes, struct pp_buf *out, int *out_status, plugpkg_error **err);

/*
 * Asks for it already now, so that one waits for several servers at once; `then`, a literal, is
 * asked for as soon as this turns out to be missing. pp_net_get() takes what came, or waits for it.
 * At most PP_NET_HELD_MAX bytes each. Only a hint, which cannot fail; false when there is no
 * place now.
 */
bool pp_net_ask_ahead(struct pp_net *net, const char *base_url, const char *path, const char *then);

/*
 * URL without user name and password, for messages. Owned. The only function that formats URLs for
 * people.
 */
char *pp_url_redacted(const char *url);
/* file://, http:// or https:// with a sound form? */
#define PP_URL_HINT                                                                                \
	"write https://HOST/PATH, http://HOST/PATH or file:///PATH; a blank is written %%20"
bool pp_url_valid(const char *url);

#endif
