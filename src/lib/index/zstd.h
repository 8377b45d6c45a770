/* SPDX-License-Identifier: MIT */
/*
 * The only door to libzstd: whole buffers, with exact known sizes. -ELIBACC where it cannot be
 * loaded, -ENOMEM.
 */
#ifndef PP_INDEX_ZSTD_H
#define PP_INDEX_ZSTD_H

#include "base/buf.h"
#include "base/str.h"
#include "lib/model/error.h"

/* Loads the library now: for who waits for others anyway. */
void pp_zstd_get_ready(void);
/* Appends one frame; same input, same bytes. -EFBIG past out's limit. */
int pp_zstd_pack(const void *p, size_t n, struct pp_buf *out) PP_MUSTUSE;
/*
 * Unpacks all frames to exactly `unpacked` bytes; anything else is -EBADMSG. Allocates no more than
 * that.
 */
int pp_zstd_unpack(const void *p, size_t n, size_t unpacked, struct pp_buf *out) PP_MUSTUSE;

/*
 * Cuts *packed down to its first frame and tells what that says of its unpacked size. -EBADMSG when
 * it is none, or says nothing.
 */
int pp_zstd_frame(struct pp_str *packed, size_t *out_unpacked) PP_MUSTUSE;

/* For many frames one after the other. */
struct pp_unzstd;
struct pp_unzstd *pp_unzstd_new(void);
void pp_unzstd_free(struct pp_unzstd *z);
int pp_unzstd_frame(struct pp_unzstd *z, const void *p, size_t n, size_t unpacked,
    struct pp_buf *out) PP_MUSTUSE; /* as pp_zstd_unpack() */

/* What one of these answered: BAD_METADATA in these words; IO where it was not the bytes' fault. */
PP_PRINTF(3, 4)
enum plugpkg_code pp_zstd_fail(int r, plugpkg_error **err, const char *fmt, ...);

#endif
