/* SPDX-License-Identifier: MIT */
/*
 * Reads an archive: one compression, one tar, nothing around them. Everything beyond the tar's own
 * form (names, kinds, sums) is the policy's business.
 */
#ifndef PP_UNPACK_READER_H
#define PP_UNPACK_READER_H

#include "unpack/digest.h"
#include "unpack/policy.h"

#define PP_TAR_BLOCK 512u

struct archive;
struct archive_entry;

struct pp_reader {
	struct archive *outer;       /* undoes the compression */
	struct archive *inner;       /* reads the tar that comes out */
	struct archive_entry *entry; /* view: the entry at hand */
	int fd;                      /* borrowed: the compressed file */
	uint8_t *chunk;              /* the newest piece of it */
	const uint8_t *block;        /* view: the newest bytes of the tar */
	size_t block_n;
	uint8_t before[PP_TAR_BLOCK]; /* the last bytes before it */
	size_t before_n;
	uint8_t header[PP_TAR_BLOCK]; /* one that lies across the two */
	uint64_t tar_bytes;           /* of the tar so far */
	uint64_t tar_max_bytes;
	uint64_t last_byte;       /* offset behind the last byte that is not zero */
	uint64_t file_bytes;      /* size of the compressed file */
	struct pp_report *report; /* borrowed */
	struct pp_buf *kept;      /* borrowed: gets contents too; NULL: none are wanted */
};

/* fd: borrowed, a regular file. The tar may be as large as the limits can need. */
int pp_reader_open(struct pp_reader *r, int fd, const struct pp_limits *limits,
    struct pp_report *report) PP_MUSTUSE;
/* 1 and the next entry (views until the next call), 0 at a proper end, -1 reported. */
int pp_reader_next(struct pp_reader *r, struct pp_entry *out) PP_MUSTUSE;
/* The digest of its tree that the entry at hand states, "" when none. -1 reported: it is none. */
int pp_reader_stated(struct pp_reader *r, char out[PP_DIGEST_HEX_BYTES]) PP_MUSTUSE;
/*
 * Writes the contents of the entry at hand, a file; adds them to the digest unless that is NULL.
 * fd -1: they are only read and checked.
 */
int pp_reader_copy(
    struct pp_reader *r, const struct pp_entry *e, int fd, struct pp_digest *digest) PP_MUSTUSE;
void pp_reader_close(struct pp_reader *r);

#endif
