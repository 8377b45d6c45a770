/* SPDX-License-Identifier: MIT */
/*
 * The digest of a tree, taken while it is packed or written: the same as the one that plugpkg takes
 * of what lies in its store, so that what was just written need not be read again.
 */
#ifndef PP_UNPACK_DIGEST_H
#define PP_UNPACK_DIGEST_H

#include "base/vec.h"

#define PP_DIGEST_HEX_BYTES 65
/* Of plugin.json in an archive: an extended attribute that states the digest of the whole tree. */
#define PP_DIGEST_XATTR "user.plugpkg.tree"

struct evp_md_st;
struct evp_md_ctx_st;
struct pp_digest_calls;

struct pp_digest_line {
	char *text;       /* owned */
	const char *path; /* the end of the text */
};

struct pp_digest {
	struct pp_digest_calls *calls; /* NULL: libcrypto is not loaded */
	struct evp_md_st *kind;
	struct evp_md_ctx_st *hash;
	struct pp_digest_lines pp_vec(struct pp_digest_line) lines;
};

/*
 * Loads libcrypto, which takes as long as a small archive and is of no use to who only looks.
 * To be called before files cannot be opened any more, and before all others; twice is once.
 */
void pp_digest_load(struct pp_digest *d);
void pp_digest_fini(struct pp_digest *d);

/* Forgets what was added. */
void pp_digest_clear(struct pp_digest *d);
/* The contents of one file, from its first byte to pp_digest_file(). */
void pp_digest_begin(struct pp_digest *d);
void pp_digest_add(struct pp_digest *d, const void *p, size_t n);
void pp_digest_file(struct pp_digest *d, const char *path, unsigned mode, uint64_t size);
void pp_digest_link(struct pp_digest *d, const char *path, const char *target);
/* Of all of them, whatever order they came in. */
void pp_digest_end(struct pp_digest *d, char out[PP_DIGEST_HEX_BYTES]);

#endif
