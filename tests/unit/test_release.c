/* SPDX-License-Identifier: MIT */
/* Releases: manifests and planning rows read alike, what satisfies what, what can run here. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "lib/model/field.h"
#include "lib/model/release.h"
#include "tap.h"

static struct pp_release *
release(const char *text)
{
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), &why);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_release *r = NULL;

	if (pp_release_parse(j, "me", "row", PLUGPKG_E_BAD_METADATA, &r, &err) != PLUGPKG_OK)
		printf("# %s\n", plugpkg_error_message(err));
	return r;
}

static bool
satisfies(const struct pp_release *r, const char *name, const char *range)
{
	struct pp_dep dep = { 0 };
	char buf[32];
	bool yes;

	(void)snprintf(buf, sizeof(buf), "%s", name);
	dep.name = buf;
	CHECK_INT(pp_range_parse(pp_str_of(range), &dep.range, NULL), PLUGPKG_OK);
	yes = pp_release_satisfies(r, &dep);
	pp_range_free(dep.range);
	return yes;
}

static void
a_planning_row_takes_its_name_from_outside(void)
{
	PP_AUTO(release)
	struct pp_release *r =
	    release("{\"version\":\"1.2\",\"requires\":{\"a\":\"^1\"},\"published\":1700000000}");

	if (!CHECK(r != NULL))
		return;
	CHECK_STR(r->name, "me");
	CHECK_INT(r->published, 1700000000);
	CHECK(pp_deps_get(&r->requires, "a") != NULL);
	CHECK(pp_deps_get(&r->requires, "b") == NULL);
}

static void
mistakes_count_as_what_the_caller_says(void)
{
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse("{\"version\":\"x\"}", 15, &why);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_release *r = NULL;

	CHECK_INT(pp_release_parse(j, "me", "index of 'main'", PLUGPKG_E_BAD_METADATA, &r, &err),
	    PLUGPKG_E_BAD_METADATA);
	CHECK_INT(plugpkg_error_code(err), PLUGPKG_E_BAD_METADATA);
	CHECK_STR(plugpkg_error_message(err),
	    "index of 'main': field 'version': 'x' is no version: expected a number at position 1");
	CHECK_INT(pp_release_parse(NULL, "me", "row", PLUGPKG_E_BAD_MANIFEST, &r, NULL),
	    PLUGPKG_E_BAD_MANIFEST);
}

static void
a_row_has_known_members_in_fixed_order(void)
{
	static const char text[] = "{\"arch\":[\"any\"],\"summary\":\"x\",\"os\":[],\"provides\":{"
				   "\"p\":\"1\"},\"published\":5,"
				   "\"requires\":{\"b\":\"1\",\"a\":\"2\"},\"conflicts\":{},"
				   "\"version\":\"1\",\"name\":\"me\","
				   "\"min-client\":\"0.1\"}";
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), &why);
	PP_AUTO_JSON pp_json *row = pp_release_row(j);
	PP_AUTO_FREE char *line = pp_json_line(row);

	CHECK_STR(line,
	    "{\"version\":\"1\",\"requires\":{\"b\":\"1\",\"a\":\"2\"},\"provides\":{\"p\":\"1\"},"
	    "\"arch\":[\"any\"],\"min-client\":\"0.1\"}");
}

static void
names_and_provides_satisfy(void)
{
	PP_AUTO(release)
	struct pp_release *r =
	    release("{\"version\":\"2.0.0\",\"provides\":{\"list\":\"1.5\",\"plain\":\"\"}}");

	if (!CHECK(r != NULL))
		return;
	CHECK(satisfies(r, "me", "^2"));
	CHECK(!satisfies(r, "me", "^1"));
	CHECK(satisfies(r, "list", "^1.2"));
	CHECK(!satisfies(r, "list", "^2"));
	CHECK(satisfies(r, "plain", "*"));
	CHECK(!satisfies(r, "plain", ">=1"));
	CHECK(!satisfies(r, "other", "*"));
}

static void
an_installed_prerelease_counts(void)
{
	PP_AUTO(release) struct pp_release *r = release("{\"version\":\"2.0.0-rc.1\"}");

	CHECK(satisfies(r, "me", ">=1"));
	CHECK(!satisfies(r, "me", "^1"));
	CHECK(!satisfies(r, "me", "^2"));
}

static void
what_is_for_other_machines_does_not_fit(void)
{
	static const struct {
		const char *row, *why;
	} rows[] = {
		{ "{\"version\":\"1\"}", NULL },
		{ "{\"version\":\"1\",\"os\":[],\"arch\":[]}", NULL },
		{ "{\"version\":\"1\",\"os\":[\"any\"],\"arch\":[\"any\"]}", NULL },
		{ "{\"version\":\"1\",\"os\":[\"plan9\",\"linux\"]}", NULL },
		{ "{\"version\":\"1\",\"os\":[\"plan9\"]}", "is for another operating system" },
		{ "{\"version\":\"1\",\"arch\":[\"vax\"]}", "is for another processor" },
		{ "{\"version\":\"1\",\"min-client\":\"0.0.1\"}", NULL },
		{ "{\"version\":\"1\",\"min-client\":\"999.0\"}", "needs a newer plugpkg" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(release) struct pp_release *r = release(rows[i].row);
		const char *why = "?";

		if (!CHECK(r != NULL))
			continue;
		CHECK_INT(pp_release_fits_here(r, &why), rows[i].why == NULL);
		CHECK_STR(why, rows[i].why);
	}
}

/* NULL: refused. */
static struct pp_release *
row_in(struct pp_arena *a, const char *text, const struct pp_release *last)
{
	PP_AUTO_JSON pp_json *row = pp_json_parse(text, strlen(text), NULL);
	const struct pp_fields f = {
		.json = row, .where = "row", .code = PLUGPKG_E_BAD_METADATA, .arena = a
	};
	struct pp_release *r = NULL;

	CHECK((pp_release_read_row(&f, "me", last, &r) == PLUGPKG_OK) == (r != NULL));
	return r;
}

static void
what_the_next_release_repeats_is_shared(void)
{
	struct pp_arena *a = pp_arena_new();
	struct pp_release *first =
	    row_in(a, "{\"version\":\"2\",\"requires\":{\"a\":\"^1\",\"b\":\"^1\"}}", NULL);
	struct pp_release *next =
	    row_in(a, "{\"version\":\"1\",\"requires\":{\"b\":\"^2\",\"a\":\"^1\"}}", first);

	pp_arena_free(a); /* they hold it */
	if (!CHECK(first != NULL && next != NULL))
		return;
	CHECK_STR(next->name, "me");
	CHECK_STR(next->version.text, "1");
	CHECK_INT(next->requires.n, 2);
	CHECK_STR(next->requires.at[0].text, "^2");
	CHECK(next->requires.at[1].range == first->requires.at[0].range);
	pp_release_free(next);
	/* The other one has it still. */
	CHECK_STR(first->requires.at[0].range->text, "^1");
	pp_release_free(first);
}

static void
releases_of_two_arenas_share_nothing(void)
{
	static const char text[] = "{\"version\":\"1\",\"requires\":{\"a\":\"^1\"}}";
	struct pp_arena *one = pp_arena_new(), *two = pp_arena_new();
	struct pp_release *first = row_in(one, text, NULL), *next = row_in(two, text, first);
	struct pp_release *single = row_in(NULL, text, next);

	CHECK(next->requires.at[0].range != first->requires.at[0].range);
	CHECK(single->requires.at[0].range != next->requires.at[0].range);
	pp_release_free(first);
	pp_release_free(next);
	pp_arena_free(one);
	pp_arena_free(two);
	CHECK_STR(single->requires.at[0].range->text, "^1");
	pp_release_detach(single, "a");
	CHECK_INT(single->requires.n, 0);
	pp_release_free(single);
}

static void
a_range_is_read_once_for_all_that_ask_for_it(void)
{
	static const char text[] =
	    "{\"version\":\"1\",\"requires\":{\"a\":\"^1\",\"b\":\"^1\",\"c\":\" ^1\"}}";
	struct pp_arena *a = pp_arena_new();

	/* Twice: once all have gone, what is known of them has gone too. */
	for (int i = 0; i < 2; i++) {
		struct pp_release *first = row_in(a, text, NULL), *other = row_in(a, text, NULL);
		if (!CHECK(first != NULL && other != NULL))
			return;
		const struct pp_dep *deps = first->requires.at;
		CHECK(deps[0].range == deps[1].range);
		CHECK(other->requires.at[0].range == deps[0].range);
		CHECK_STR(deps[2].text, " ^1");
		CHECK_STR(deps[2].range->text, "^1");
		pp_release_free(first);
		CHECK_STR(other->requires.at[1].text, "^1");
		pp_release_free(other);
		pp_release_free(row_in(
		    a, "{\"version\":\"1.2.3-a.long.one\",\"requires\":{\"x\":\">2\"}}", NULL));
	}
	pp_arena_free(a);
}

static void
a_row_that_is_refused_leaves_the_arena_to_the_next(void)
{
	struct pp_arena *a = pp_arena_new();

	CHECK(row_in(a, "{\"version\":\"1\",\"requires\":{\"a\":\"^^1\"}}", NULL) == NULL);
	CHECK(row_in(a, "{\"version\":\"1\",\"provides\":{\"a\":\"x\"}}", NULL) == NULL);
	struct pp_release *r = row_in(a,
	    "{\"version\":\"1.2\",\"parallel\":\"major\",\"os\":[\"linux\"],"
	    "\"requires\":{\"a\":\"1.0 - 1.4 || >=0 || *\",\"b\":\"<2 || ^3.0.0-rc.1\"}}",
	    NULL);
	if (!CHECK(r != NULL))
		return;
	CHECK_STR(r->key, "me@1");
	CHECK_STR(r->os.at[0], "linux");
	CHECK(pp_range_is_any(r->requires.at[0].range));
	CHECK_INT(r->requires.at[1].range->any.n, 2);
	pp_release_free(r);
	pp_arena_free(a);
}

static void
parallel_majors_are_known_by_their_key(void)
{
	static const struct {
		const char *row, *key;
	} rows[] = {
		{ "{\"version\":\"1.2\"}", "me" },
		{ "{\"version\":\"1.2\",\"parallel\":\"major\"}", "me@1" },
		{ "{\"version\":\"0.9\",\"parallel\":\"major\"}", "me@0" },
		{ "{\"version\":\"12\",\"parallel\":\"major\"}", "me@12" },
		{ "{\"version\":\"3.0.0-rc.1\",\"parallel\":\"major\"}", "me@3" },
	};
	static const char *const bad[] = {
		"{\"version\":\"1\",\"parallel\":\"minor\"}",
		"{\"version\":\"1\",\"parallel\":true}",
		"{\"version\":\"1234567890.1\",\"parallel\":\"major\"}",
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(release) struct pp_release *r = release(rows[i].row);
		if (CHECK(r != NULL))
			CHECK_STR(pp_release_key(r), rows[i].key);
	}
	for (size_t i = 0; i < PP_LEN(bad); i++) {
		PP_AUTO(release) struct pp_release *r = release(bad[i]);
		CHECK(r == NULL);
	}
}

TAP_MAIN(CASE(a_planning_row_takes_its_name_from_outside) CASE(
    mistakes_count_as_what_the_caller_says) CASE(a_row_has_known_members_in_fixed_order)
	CASE(names_and_provides_satisfy) CASE(what_the_next_release_repeats_is_shared) CASE(
	    releases_of_two_arenas_share_nothing) CASE(a_range_is_read_once_for_all_that_ask_for_it)
	    CASE(a_row_that_is_refused_leaves_the_arena_to_the_next)
		CASE(an_installed_prerelease_counts) CASE(what_is_for_other_machines_does_not_fit)
		    CASE(parallel_majors_are_known_by_their_key))
