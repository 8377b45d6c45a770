/* SPDX-License-Identifier: MIT */
/* What a planning line says it leads to: there and back, and what is no such text. */
#include "lib/index/reach.h"

#include "base/mem.h"
#include "tap.h"

#include <string.h>

static char *
line_with(const char *text)
{
	return pp_asprintf("{\"name\":\"user\",\"versions\":[],\"reach\":\"%s\"}", text);
}

static void
what_is_written_is_read(void)
{
	static const size_t counts[] = { 1, 2, 7, 60, 400 };

	for (size_t i = 0; i < PP_LEN(counts); i++) {
		struct pp_reach reach = { 0 }, again = { 0 };
		for (size_t k = 0; k < counts[i]; k++) {
			PP_AUTO_FREE char *name = pp_asprintf("plugin-%zu", k);
			pp_reach_add(&reach, name);
		}
		PP_AUTO_FREE char *text = pp_reach_text(&reach);
		if (!CHECK(text != NULL))
			return;
		PP_AUTO_FREE char *line = line_with(text);
		pp_reach_read(pp_str_of(line), &again);
		CHECK(memcmp(&reach, &again, sizeof(reach)) == 0);
	}
}

struct shards pp_vec(size_t);

static void
note(size_t shard, void *user)
{
	struct shards *told = user;

	pp_vec_push(told, shard);
}

static void
a_name_is_in_its_shard_however_many_there_are(void)
{
	for (size_t n = 1; n <= PP_INDEX_MAX_SHARDS; n *= 4) {
		struct pp_reach reach = { 0 };
		struct shards told = { 0 };
		pp_reach_add(&reach, "user");
		pp_reach_each(&reach, n, note, &told);
		if (CHECK_INT(told.n, 1))
			CHECK_INT(told.at[0], pp_index_shard_of(n, "user"));
		pp_vec_free(&told);
	}
}

static void
shards_are_told_once_and_in_order(void)
{
	struct pp_reach reach = { .bits = { [0] = 0x8000000000000013, [63] = (uint64_t)1 << 63 } };
	static const size_t fine[] = { 0, 1, 4, 63, 4095 }, coarse[] = { 0, 1, 31, 2047 };
	struct shards told = { 0 };

	pp_reach_each(&reach, PP_INDEX_MAX_SHARDS, note, &told);
	if (CHECK_INT(told.n, PP_LEN(fine)))
		CHECK(memcmp(told.at, fine, sizeof(fine)) == 0);
	told.n = 0;
	reach.bits[0] = 0x8000000000000007;
	pp_reach_each(&reach, PP_INDEX_MAX_SHARDS / 2, note, &told);
	if (CHECK_INT(told.n, PP_LEN(coarse)))
		CHECK(memcmp(told.at, coarse, sizeof(coarse)) == 0);
	pp_vec_free(&told);
}

static void
the_first_and_the_last_shard_are_told(void)
{
	struct pp_reach reach = { .bits = { [0] = 1 } }, again = { 0 };

	reach.bits[PP_LEN(reach.bits) - 1] = (uint64_t)1 << 63;
	PP_AUTO_FREE char *text = pp_reach_text(&reach);
	PP_AUTO_FREE char *line = line_with(text);
	pp_reach_read(pp_str_of(line), &again);
	CHECK(memcmp(&reach, &again, sizeof(reach)) == 0);
}

static void
nothing_and_too_much_are_not_written(void)
{
	struct pp_reach reach = { 0 };

	CHECK(pp_reach_text(&reach) == NULL);
	for (size_t i = 0; i < PP_LEN(reach.bits); i++)
		reach.bits[i] = UINT64_MAX;
	CHECK(pp_reach_text(&reach) == NULL);
}

static void
other_lines_say_nothing(void)
{
	PP_AUTO_BUF struct pp_buf far = PP_BUF_INIT(4096);

	for (int i = 0; i < 70; i++)
		pp_buf_addc(&far, '-');
	PP_AUTO_FREE char *beyond = line_with(pp_buf_cstr(&far));
	const char *const lines[] = { "", "\"}", "{\"name\":\"user\"}", "{\"name\":\"AB\"}",
		"{\"reach\":\"A B\"}", "{\"reach\":\"A\"},", "reach\":\"AB\"}", beyond };
	const struct pp_reach none = { 0 };

	for (size_t i = 0; i < PP_LEN(lines); i++) {
		struct pp_reach reach = { 0 };
		pp_reach_read(pp_str_of(lines[i]), &reach);
		CHECK(memcmp(&reach, &none, sizeof(none)) == 0);
	}
}

TAP_MAIN(CASE(what_is_written_is_read) CASE(a_name_is_in_its_shard_however_many_there_are)
	CASE(shards_are_told_once_and_in_order) CASE(the_first_and_the_last_shard_are_told)
	    CASE(nothing_and_too_much_are_not_written) CASE(other_lines_say_nothing))
