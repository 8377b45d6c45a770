/* SPDX-License-Identifier: MIT */
/* The only door to libzstd, which is loaded for the first frame. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/library.h"
#include "base/mem.h"
#include "lib/index/zstd.h"

/*
 * Publishing is rare and reading is frequent: the level above which texts hardly get smaller. That
 * of short ones, which are mostly digests, is reached early: twelve costs four times as much for
 * half a percent.
 */
#define LEVEL       12
#define LEVEL_SHORT 8
#define SHORT_BYTES (16 << 10)
/* 8 MiB: what any reader must be ready to hold. */
#define WINDOW_LOG 23

#define TEXT_MAX_BYTES 4096

#define SONAME "libzstd.so.1"
PP_LIBRARY_NOTE(SONAME, "zstd", "required", "Reading and writing the files of an index");

/* clang-format off */
#define CALLS(_)                                                                                   \
	_(ZSTD_CCtx_setParameter)                                                                  \
	_(ZSTD_compress2)                                                                          \
	_(ZSTD_compressBound)                                                                      \
	_(ZSTD_createCCtx)                                                                         \
	_(ZSTD_createDCtx)                                                                         \
	_(ZSTD_decompressDCtx)                                                                     \
	_(ZSTD_findFrameCompressedSize)                                                            \
	_(ZSTD_freeCCtx)                                                                           \
	_(ZSTD_freeDCtx)                                                                           \
	_(ZSTD_getFrameContentSize)                                                                \
	_(ZSTD_isError)
/* clang-format on */

struct calls {
#define MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): declares it */
	CALLS(MEMBER)
#undef MEMBER
};
static const struct pp_library_call rows[] = {
#define ROW(name) { #name, offsetof(struct calls, name) },
	CALLS(ROW)
#undef ROW
};

static _Atomic(void *) loaded;

static bool
is_there(void)
{
	return pp_library_table(&loaded, sizeof(struct calls), SONAME, rows, PP_LEN(rows)) != NULL;
}

static const struct calls *
lib(void)
{
	return pp_library_need(&loaded, sizeof(struct calls), SONAME, rows, PP_LEN(rows));
}

void
pp_zstd_get_ready(void)
{
	(void)is_there(); /* who needs it is told */
}

static void
free_cctx(ZSTD_CCtx *c)
{
	lib()->ZSTD_freeCCtx(c);
}
PP_DEFINE_AUTO(cctx, ZSTD_CCtx, free_cctx);

int
pp_zstd_pack(const void *p, size_t n, struct pp_buf *out)
{
	if (!is_there())
		return -ELIBACC;
	PP_AUTO(cctx) ZSTD_CCtx *c = lib()->ZSTD_createCCtx();
	if (c == NULL)
		return -ENOMEM;
	if (lib()->ZSTD_isError(lib()->ZSTD_CCtx_setParameter(
		c, ZSTD_c_compressionLevel, n <= SHORT_BYTES ? LEVEL_SHORT : LEVEL)) ||
	    lib()->ZSTD_isError(lib()->ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, WINDOW_LOG)))
		return -EINVAL;

	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(lib()->ZSTD_compressBound(n));
	char *room = pp_buf_reserve(&frame, lib()->ZSTD_compressBound(n));
	if (room == NULL)
		return -EFBIG;
	size_t got = lib()->ZSTD_compress2(c, room, lib()->ZSTD_compressBound(n), p, n);
	if (lib()->ZSTD_isError(got))
		return -EINVAL;
	pp_buf_add(out, room, got);
	return out->overflow ? -EFBIG : 0;
}

/* ---- unpacking: into room of the exact size, so no window is held and no bomb grows ---- */

struct pp_unzstd {
	ZSTD_DCtx *dctx; /* NULL before the first frame */
};
PP_DEFINE_AUTO(unzstd, struct pp_unzstd, pp_unzstd_free);

struct pp_unzstd *
pp_unzstd_new(void)
{
	return pp_xcalloc(1, sizeof(struct pp_unzstd));
}

void
pp_unzstd_free(struct pp_unzstd *z)
{
	if (z != NULL && z->dctx != NULL)
		lib()->ZSTD_freeDCtx(z->dctx);
	free(z);
}

int
pp_unzstd_frame(struct pp_unzstd *z, const void *p, size_t n, size_t unpacked, struct pp_buf *out)
{
	if (!is_there())
		return -ELIBACC;
	if (z->dctx == NULL)
		z->dctx = lib()->ZSTD_createDCtx();
	if (z->dctx == NULL)
		return -ENOMEM;
	char *room = pp_buf_reserve(out, unpacked);
	if (room == NULL)
		return -EFBIG;
	size_t got = lib()->ZSTD_decompressDCtx(z->dctx, room, unpacked, p, n);
	if (lib()->ZSTD_isError(got) || got != unpacked)
		return -EBADMSG;
	pp_buf_grew(out, unpacked);
	return 0;
}

int
pp_zstd_unpack(const void *p, size_t n, size_t unpacked, struct pp_buf *out)
{
	PP_AUTO(unzstd) struct pp_unzstd *z = pp_unzstd_new();

	return n > 0 ? pp_unzstd_frame(z, p, n, unpacked, out) : -EBADMSG;
}

int
pp_zstd_frame(struct pp_str *packed, size_t *out_unpacked)
{
	if (!is_there())
		return -ELIBACC;
	size_t n = lib()->ZSTD_findFrameCompressedSize(packed->p, packed->n);
	unsigned long long unpacked = lib()->ZSTD_getFrameContentSize(packed->p, packed->n);

	if (lib()->ZSTD_isError(n) || unpacked == ZSTD_CONTENTSIZE_ERROR ||
	    unpacked == ZSTD_CONTENTSIZE_UNKNOWN || unpacked > SIZE_MAX)
		return -EBADMSG;
	packed->n = n;
	*out_unpacked = (size_t)unpacked;
	return 0;
}

enum plugpkg_code
pp_zstd_fail(int r, plugpkg_error **err, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);
	va_list ap;

	if (r == -ELIBACC)
		return pp_fail(
		    err, PLUGPKG_E_IO, 0, "cannot unpack an index: %s", pp_library_error());
	if (r == -ENOMEM)
		return pp_fail(err, PLUGPKG_E_IO, ENOMEM, "cannot unpack an index");
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s", pp_buf_cstr(&text));
}
