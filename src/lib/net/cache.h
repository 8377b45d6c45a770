/* SPDX-License-Identifier: MIT */
/* The content-addressed cache: verified files under their sha256, downloads under SHA256.part. */
#ifndef PP_NET_CACHE_H
#define PP_NET_CACHE_H

#include "base/buf.h"

/*
 * Opens a cached file for reading at its start, after size and digest were checked. -ENOENT when
 * there is none; one that is not what its name says is removed first. -errno.
 */
int pp_cache_open(int cache_fd, const char *sha256, uint64_t size);
/*
 * Opens it unread, for who compares the digests of its pieces himself; only its size is checked.
 * -ENOENT also when that is another.
 */
int pp_cache_open_unread(int cache_fd, const char *sha256, uint64_t size);
/* Reads n bytes of such a file at offset into out, emptied before. 0, -EBADMSG when it ends. */
int pp_cache_read_piece(int fd, uint64_t offset, size_t n, struct pp_buf *out) PP_MUSTUSE;
/* The same into memory, appended. 0, -ENOENT, -errno. */
int pp_cache_read(int cache_fd, const char *sha256, size_t size, struct pp_buf *out) PP_MUSTUSE;

/* A download under way. Locked, so that two processes never write into one file. */
struct pp_part {
	int fd;        /* -1 = closed */
	char name[96]; /* in the cache directory */
};
#define PP_PART_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Opens what an earlier attempt left, or an empty file. 0 or -errno. */
int pp_part_open(int cache_fd, const char *sha256, struct pp_part *out) PP_MUSTUSE;
/* Bytes that are there. 0 or -errno. */
int pp_part_size(const struct pp_part *part, uint64_t *out) PP_MUSTUSE;
int pp_part_truncate(const struct pp_part *part) PP_MUSTUSE;
/*
 * Checks size and digest and moves the file to its name; -EBADMSG when they differ (still open
 * then).
 */
int pp_part_finish(
    int cache_fd, struct pp_part *part, const char *sha256, uint64_t size) PP_MUSTUSE;
/* Leaves a part for later, or removes it; an empty one is always removed. */
void pp_part_close(int cache_fd, struct pp_part *part, bool is_kept);

#endif
