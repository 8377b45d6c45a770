/* SPDX-License-Identifier: MIT */
/* Rows of a list that are remembered: there and back, and what is not as it was written. */
#include "lib/api/listed.h"

#include "tap.h"

#include <string.h>

static const struct plugpkg_listed rows[] = {
	{
	    .name = "@acme/animal",
	    .version = "1.4.0",
	    .source = "main",
	    .summary = "Animals,\n\033[31m of \xc3\xa4ll kinds",
	    .key = "@acme/animal@1",
	    .reason = "manual",
	    .state = "blocked",
	    .blocked_by = "base user",
	    .linked_from = "/home/ann/animal",
	    .held_until = 1795269600,
	    .is_held = 1,
	    .is_broken = 1,
	},
	{
	    .name = "base",
	    .version = "1.0.0",
	    .source = "",
	    .key = "base",
	    .reason = "automatic",
	    .state = "installed",
	    .held_until = 7, /* and over */
	},
};

static void
write_rows(struct pp_buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pp_listed_add(&rows[i], out);
	pp_listed_end(out);
}

static bool
reads(const char *p, size_t n, struct pp_listed_rows *out)
{
	pp_vec_free(out);
	return pp_listed_read((struct pp_str){ p, n }, out);
}

static void
check_same(const struct plugpkg_listed *is, const struct plugpkg_listed *was)
{
	CHECK_STR(is->name, was->name);
	CHECK_STR(is->version, was->version);
	CHECK_STR(is->source, was->source);
	CHECK_STR(is->summary, was->summary);
	CHECK_STR(is->key, was->key);
	CHECK_STR(is->reason, was->reason);
	CHECK_STR(is->state, was->state);
	CHECK_STR(is->blocked_by, was->blocked_by);
	CHECK_STR(is->linked_from, was->linked_from);
	CHECK_INT(is->held_until, was->held_until);
	CHECK_INT(is->is_held, was->is_held);
	CHECK_INT(is->is_broken, was->is_broken);
	CHECK(is->candidate == NULL && is->installed == NULL && is->depth == 0);
}

static void
rows_are_read_as_they_were_written(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	struct pp_listed_rows got = { 0 };

	write_rows(&text, PP_LEN(rows));
	CHECK(reads(text.s, text.n, &got));
	CHECK_INT(got.n, PP_LEN(rows));
	for (size_t i = 0; i < got.n; i++)
		check_same(&got.at[i], &rows[i]);
	pp_vec_free(&got);
}

static void
an_empty_list_is_one_too(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	struct pp_listed_rows got = { 0 };

	write_rows(&text, 0);
	CHECK(reads(text.s, text.n, &got));
	CHECK_INT(got.n, 0);
	pp_vec_free(&got);
}

static void
what_was_cut_off_or_has_more_is_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	struct pp_listed_rows got = { 0 };

	write_rows(&text, PP_LEN(rows));
	for (size_t n = 0; n < text.n; n++)
		CHECK(!reads(text.s, n, &got));
	size_t whole = text.n;
	pp_buf_addc(&text, '\0');
	CHECK(!reads(text.s, text.n, &got));
	pp_buf_cut(&text, whole);
	pp_buf_adds(&text, "x");
	CHECK(!reads(text.s, text.n, &got));
	pp_vec_free(&got);
}

static void
what_a_disk_lost_is_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536);
	struct pp_listed_rows got = { 0 };

	while (text.n < 4096)
		pp_listed_add(&rows[0], &text);
	write_rows(&text, PP_LEN(rows));
	for (size_t at = 0; at + 512 <= text.n; at += 512) {
		PP_AUTO_FREE char *copy = pp_xmalloc(text.n);
		memcpy(copy, text.s, text.n);
		memset(copy + at, 0, 512);
		CHECK(!reads(copy, text.n, &got));
	}
	pp_vec_free(&got);
}

static void
a_number_that_is_none_is_refused(void)
{
	static const char text[] = "n\0k\0v\0s\0r\0\0\0\0\0\0-1\0";
	struct pp_listed_rows got = { 0 };

	CHECK(!reads(text, sizeof(text), &got));
	pp_vec_free(&got);
}

TAP_MAIN(CASE(rows_are_read_as_they_were_written) CASE(an_empty_list_is_one_too)
	CASE(what_was_cut_off_or_has_more_is_refused) CASE(what_a_disk_lost_is_refused)
	    CASE(a_number_that_is_none_is_refused))
