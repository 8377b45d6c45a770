/* SPDX-License-Identifier: MIT */
/* The only door to libzstd: whole buffers, with exact known sizes. */
#ifndef PP_INDEX_ZSTD_H
#define PP_INDEX_ZSTD_H

#include "base/buf.h"

/* Appends the frame; same input, same bytes. -EFBIG past out's limit. */
int pp_zstd_pack(const void *p, size_t n, struct pp_buf *out) PP_MUSTUSE;
/*
 * Decompresses to exactly `unpacked` bytes; anything else is -EBADMSG. Never allocates more than
 * that and a window of 8 MiB.
 */
int pp_zstd_unpack(const void *p, size_t n, size_t unpacked, struct pp_buf *out) PP_MUSTUSE;

#endif
