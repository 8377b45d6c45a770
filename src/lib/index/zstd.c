/* SPDX-License-Identifier: MIT */
/* The only door to libzstd: one frame in, one frame out, nothing beside it. */
#include <errno.h>
#include <zstd.h>

#include "lib/index/zstd.h"

/* Publishing is rare and reading is frequent; above this level shards hardly get smaller. */
#define LEVEL 12
/* 8 MiB: what a reader must be ready to hold, whatever the frame says of itself. */
#define WINDOW_LOG 23

static void
free_cctx(ZSTD_CCtx *c)
{
	ZSTD_freeCCtx(c);
}
PP_DEFINE_AUTO(cctx, ZSTD_CCtx, free_cctx);

static void
free_dctx(ZSTD_DCtx *d)
{
	ZSTD_freeDCtx(d);
}
PP_DEFINE_AUTO(dctx, ZSTD_DCtx, free_dctx);

int
pp_zstd_pack(const void *p, size_t n, struct pp_buf *out)
{
	PP_AUTO(cctx) ZSTD_CCtx *c = ZSTD_createCCtx();
	if (c == NULL)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, WINDOW_LOG)))
		return -EINVAL;

	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(ZSTD_compressBound(n));
	char *room = pp_buf_reserve(&frame, ZSTD_compressBound(n));
	if (room == NULL)
		return -EFBIG;
	size_t got = ZSTD_compress2(c, room, ZSTD_compressBound(n), p, n);
	if (ZSTD_isError(got))
		return -EINVAL;
	pp_buf_add(out, room, got);
	return out->overflow ? -EFBIG : 0;
}

/* Runs one frame to its end; false when it is damaged, longer than the room, or cut. */
static bool
run_frame(ZSTD_DCtx *d, ZSTD_inBuffer *in, ZSTD_outBuffer *out)
{
	for (;;) {
		size_t in_before = in->pos, out_before = out->pos;
		size_t left = ZSTD_decompressStream(d, out, in);

		if (left == 0)
			return true;
		if (ZSTD_isError(left) || (in->pos == in_before && out->pos == out_before))
			return false;
	}
}

int
pp_zstd_unpack(const void *p, size_t n, size_t unpacked, struct pp_buf *out)
{
	PP_AUTO(dctx) ZSTD_DCtx *d = ZSTD_createDCtx();
	if (d == NULL)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG)))
		return -EINVAL;
	char *room = pp_buf_reserve(out, unpacked);
	if (room == NULL)
		return -EFBIG;

	ZSTD_inBuffer in = { p, n, 0 };
	ZSTD_outBuffer to = { room, unpacked, 0 };

	if (!run_frame(d, &in, &to) || in.pos != n || to.pos != unpacked)
		return -EBADMSG;
	pp_buf_grew(out, unpacked);
	return 0;
}
