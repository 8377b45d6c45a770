/* SPDX-License-Identifier: MIT */
/*
 * The content-addressed cache: verified files under their sha256, signatures of archives under
 * SHA256.KEYID.sig, downloads under the same names with .part.
 */
#ifndef PP_NET_CACHE_H
#define PP_NET_CACHE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

/*
 * What this process has verified: sha256 -> the file's identity and time of its last change, which
 * nobody can set back. Values are freed with free(). NULL where it is taken: everything is read.
 */
typedef struct pp_map pp_verified;

/* Is it the name of a whole file, not of a part or of something that nobody here made? */
bool pp_cache_is_whole(const char *name);
/* Is it a signature's? The digest of its archive is what the name begins with. */
bool pp_cache_is_signature(const char *name);
/* What a signature is called; owned. */
char *pp_cache_signature_name(const char *sha256, const char *key_id);

/* Where who reads looks for a file. */
struct pp_cache {
	int fd;       /* borrowed */
	bool is_look; /* files keep their time of last use, and what is damaged stays */
};
/*
 * Opens a cached file for reading at its start, after size and digest were checked. -ENOENT when
 * there is none; one that is not what its name says is removed first. -errno.
 */
int pp_cache_open(struct pp_cache cache, const char *sha256, uint64_t size, pp_verified *known);
/*
 * Opens it unread, for who compares the digests of its pieces himself; only its size is checked.
 * -ENOENT also when that is another.
 */
int pp_cache_open_unread(struct pp_cache cache, const char *sha256, uint64_t size);
/* Reads n bytes of such a file at offset into out, emptied before. 0, -EBADMSG when it ends. */
int pp_cache_read_piece(int fd, uint64_t offset, size_t n, struct pp_buf *out) PP_MUSTUSE;
/* The same into memory, appended. 0, -ENOENT, -errno. */
int pp_cache_read(
    struct pp_cache cache, const char *sha256, size_t size, struct pp_buf *out) PP_MUSTUSE;

/*
 * Puts verified bytes there under their name. Who reads it meanwhile may find it cut short, and
 * fetches it himself.
 */
int pp_cache_put(int cache_fd, const char *sha256, struct pp_str bytes) PP_MUSTUSE;

/*
 * A download under way. Locked, so that two processes never write into one file. The digest grows
 * with the file, so that what was received need not be read again.
 */
struct pp_part {
	int fd;         /* -1 = closed */
	char name[192]; /* in the cache directory */
	uint64_t n;     /* bytes that are there */
	uint64_t max;   /* bytes that the whole file has */
	struct pp_sha256 *digest;
	/* A small file is no file before it is whole. */
	bool is_held;
	struct pp_buf held;
};
#define PP_PART_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Opens what an earlier attempt left, or an empty file; more than `size` bytes cannot be right and
 * are dropped. 0 or -errno.
 */
int pp_part_open(int cache_fd, const char *sha256, uint64_t size, struct pp_part *out) PP_MUSTUSE;
/* The same in memory: nothing is there before, and nothing is left for later. */
void pp_part_hold(uint64_t size, struct pp_part *out);
bool pp_part_is_open(const struct pp_part *part);
/* What comes next follows the first n bytes: 0, or all that are there. -EBADMSG for others. */
int pp_part_begin(struct pp_part *part, uint64_t n) PP_MUSTUSE;
/* Appends. 0, -EFBIG past the size, -errno. */
int pp_part_add(struct pp_part *part, const char *p, size_t n) PP_MUSTUSE;
/* All of the open file `from`, from its start. 0, -EBADMSG when it is larger, -errno. */
int pp_part_copy(struct pp_part *part, int from) PP_MUSTUSE;
/*
 * Checks size and digest and moves the file to its name, known from then on; -EBADMSG when they
 * differ (still open then, with its bytes).
 */
int pp_part_finish(
    int cache_fd, struct pp_part *part, const char *sha256, pp_verified *known) PP_MUSTUSE;
/*
 * Checks size and digest of one that is held; its bytes are moved into *out. -EBADMSG as above.
 */
int pp_part_take(struct pp_part *part, const char *sha256, struct pp_buf *out) PP_MUSTUSE;
/* Moves it to that name as it is: the caller has looked at its bytes. */
int pp_part_keep(int cache_fd, struct pp_part *part, const char *name) PP_MUSTUSE;
/* Leaves a part for later, or removes it; an empty one is always removed. */
void pp_part_close(int cache_fd, struct pp_part *part, bool is_kept);

#endif
