/* SPDX-License-Identifier: MIT */
/* Frames there and back; what is damaged, longer, shorter or larger than signed is refused. */
#include "lib/index/zstd.h"

#include <errno.h>

#include "base/mem.h"
#include "tap.h"

#define TEXT "sing, o muse, sing, o muse, sing, o muse, of versions"

static void
pack(const void *p, size_t n, struct pp_buf *out)
{
	CHECK_INT(pp_zstd_pack(p, n, out), 0);
}

static int
unpack(const struct pp_buf *frame, size_t n, size_t unpacked)
{
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1 << 20);

	return pp_zstd_unpack(pp_buf_cstr(frame), n, unpacked, &out);
}

static void
what_goes_in_comes_out(void)
{
	static const size_t sizes[] = { 0, 1, 53, 100000, 3000000 };

	for (size_t i = 0; i < PP_LEN(sizes); i++) {
		PP_AUTO_FREE char *text = pp_xmalloc(sizes[i] + 1);
		PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(4000000);
		PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(sizes[i]);

		for (size_t k = 0; k < sizes[i]; k++)
			text[k] = (char)(k % 97 + k / 1001);
		pack(text, sizes[i], &frame);
		CHECK_INT(pp_zstd_unpack(frame.s, frame.n, sizes[i], &out), 0);
		CHECK(out.n == sizes[i] && memcmp(pp_buf_cstr(&out), text, out.n) == 0);
	}
}

static void
the_same_input_gives_the_same_frame(void)
{
	PP_AUTO_BUF struct pp_buf a = PP_BUF_INIT(1000);
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(1000);

	pack(TEXT, strlen(TEXT), &a);
	pack(TEXT, strlen(TEXT), &b);
	CHECK(a.n == b.n && memcmp(a.s, b.s, a.n) == 0);
}

static void
another_size_than_signed_is_refused(void)
{
	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(1000);
	size_t n = strlen(TEXT);

	pack(TEXT, n, &frame);
	CHECK_INT(unpack(&frame, frame.n, n), 0);
	CHECK_INT(unpack(&frame, frame.n, n - 1), -EBADMSG);
	CHECK_INT(unpack(&frame, frame.n, n + 1), -EBADMSG);
	CHECK_INT(unpack(&frame, frame.n, 0), -EBADMSG);
}

static void
damaged_frames_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(1000);
	size_t n = strlen(TEXT);

	pack(TEXT, n, &frame);
	for (size_t cut = 0; cut < frame.n; cut++)
		CHECK_INT(unpack(&frame, cut, n), -EBADMSG);
	pp_buf_addc(&frame, '\0');
	CHECK_INT(unpack(&frame, frame.n, n), -EBADMSG);
}

static void
a_bomb_stops_at_the_signed_size(void)
{
	PP_AUTO_FREE char *zeros = pp_xcalloc(1, 64 << 20);
	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(1 << 20);
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1000);

	pack(zeros, 64 << 20, &frame);
	CHECK(frame.n < 100000);
	CHECK_INT(pp_zstd_unpack(frame.s, frame.n, 1000, &out), -EBADMSG);
	CHECK_INT(pp_zstd_unpack(frame.s, frame.n, 1001, &out), -EFBIG);
}

static void
too_small_a_buffer_is_told(void)
{
	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(5);

	CHECK_INT(pp_zstd_pack(TEXT, strlen(TEXT), &frame), -EFBIG);
}

TAP_MAIN(CASE(what_goes_in_comes_out) CASE(the_same_input_gives_the_same_frame)
	CASE(another_size_than_signed_is_refused) CASE(damaged_frames_are_refused)
	    CASE(a_bomb_stops_at_the_signed_size) CASE(too_small_a_buffer_is_told))
