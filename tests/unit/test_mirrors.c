/* SPDX-License-Identifier: MIT */
/* Which mirror is asked next. */
#include "lib/net/mirrors.h"

#include "tap.h"

struct world {
	struct pp_mirrors mirrors;
	struct pp_strs urls;
	char *is_out[3];
};

static struct world
three(void)
{
	struct world w = { .is_out = { NULL, NULL, NULL } };

	pp_strs_add(&w.urls, "https://a/");
	pp_strs_add(&w.urls, "https://me:pw@b/");
	pp_strs_add(&w.urls, "https://c/");
	return w;
}

static struct pp_mirror *
at(struct world *w, size_t i)
{
	return pp_mirror_of(&w->mirrors, w->urls.at[i]);
}

static size_t
choose(struct world *w, uint64_t size, int64_t *wake)
{
	const struct pp_choice c = {
		.urls = &w->urls,
		.is_out = w->is_out,
		.size = size,
		.per_mirror = 2,
		.now_ms = 1000,
	};

	return pp_mirrors_choose(&w->mirrors, &c, wake);
}

static void
end(struct world *w)
{
	pp_mirrors_fini(&w->mirrors);
	pp_strs_fini(&w->urls);
}

static void
unknown_mirrors_keep_their_order(void)
{
	struct world w = three();
	int64_t wake = -1;

	CHECK_INT(choose(&w, 1000, &wake), 0);
	at(&w, 0)->n_active = 2;
	CHECK_INT(choose(&w, 1000, &wake), 1);
	CHECK(strstr(at(&w, 1)->url, "pw") == NULL);
	end(&w);
}

static void
faults_count_before_speed(void)
{
	struct world w = three();
	int64_t wake;

	for (size_t i = 0; i < 3; i++)
		pp_mirror_praise(&w.mirrors, at(&w, i), 1000000, 10, 1000 - 300 * (int)i);
	CHECK_INT(choose(&w, 10000000, &wake), 2);
	pp_mirror_blame(&w.mirrors, at(&w, 2), 1);
	CHECK_INT(choose(&w, 10000000, &wake), 1);
	pp_mirror_blame(&w.mirrors, at(&w, 0), 1);
	pp_mirror_blame(&w.mirrors, at(&w, 1), 1);
	CHECK_INT(choose(&w, 10000000, &wake), 2);
	end(&w);
}

static void
a_small_difference_moves_nobody(void)
{
	struct world w = three();
	int64_t wake;

	pp_mirror_praise(&w.mirrors, at(&w, 0), 1000000, 10, 1000);
	pp_mirror_praise(&w.mirrors, at(&w, 1), 1000000, 10, 900);
	CHECK_INT(choose(&w, 10000000, &wake), 0);
	end(&w);
}

static void
small_files_go_to_who_answers_first(void)
{
	struct world w = three();
	int64_t wake;

	pp_mirror_praise(&w.mirrors, at(&w, 0), 10000000, 400, 1000);
	pp_mirror_praise(&w.mirrors, at(&w, 1), 1000000, 20, 1000);
	CHECK_INT(choose(&w, 1000, &wake), 1);
	CHECK_INT(choose(&w, 100000000, &wake), 0);
	end(&w);
}

static void
a_quick_one_is_waited_for_when_the_free_one_is_much_slower(void)
{
	struct world w = three();
	int64_t wake;

	pp_mirror_praise(&w.mirrors, at(&w, 0), 10000000, 10, 1000);
	pp_mirror_praise(&w.mirrors, at(&w, 1), 1000000, 10, 1000);
	at(&w, 0)->n_active = 2;
	w.is_out[2] = w.urls.at[2];
	CHECK_INT(choose(&w, 10000000, &wake), 3);
	CHECK(wake == INT64_MAX);
	pp_mirror_praise(&w.mirrors, at(&w, 1), 10000000, 10, 1000);
	CHECK_INT(choose(&w, 10000000, &wake), 1);
	end(&w);
}

static void
who_rests_is_not_asked_and_all_out_is_told(void)
{
	struct world w = three();
	int64_t wake;

	at(&w, 0)->rests_until_ms = 5000;
	CHECK_INT(choose(&w, 1000, &wake), 1);
	w.is_out[1] = w.is_out[2] = w.urls.at[0];
	CHECK_INT(choose(&w, 1000, &wake), 3);
	CHECK(wake == 5000);
	w.is_out[0] = w.urls.at[0];
	CHECK_INT(choose(&w, 1000, &wake), 3);
	CHECK(wake == 0);
	end(&w);
}

static void
a_failed_one_is_doubted_while_another_did_not_fail(void)
{
	struct world w = three();

	CHECK(!pp_mirrors_is_doubted(&w.mirrors, &w.urls, 0));
	pp_mirror_blame(&w.mirrors, at(&w, 0), 100);
	pp_mirror_blame(&w.mirrors, at(&w, 1), 100);
	CHECK(pp_mirrors_is_doubted(&w.mirrors, &w.urls, 0));
	CHECK(pp_mirrors_is_doubted(&w.mirrors, &w.urls, 1));
	CHECK(!pp_mirrors_is_doubted(&w.mirrors, &w.urls, 2));
	pp_mirror_blame(&w.mirrors, at(&w, 2), 100);
	CHECK(!pp_mirrors_is_doubted(&w.mirrors, &w.urls, 0));
	end(&w);
}

TAP_MAIN(CASE(unknown_mirrors_keep_their_order) CASE(faults_count_before_speed)
	CASE(a_small_difference_moves_nobody) CASE(small_files_go_to_who_answers_first)
	    CASE(a_quick_one_is_waited_for_when_the_free_one_is_much_slower)
		CASE(who_rests_is_not_asked_and_all_out_is_told)
		    CASE(a_failed_one_is_doubted_while_another_did_not_fail))
