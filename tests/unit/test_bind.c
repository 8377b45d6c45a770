/* SPDX-License-Identifier: MIT */
/* Who is bound to what, and how dependents are told. */
#include "lib/txn/bind.h"

#include "base/mem.h"
#include "tap.h"

#include <stdlib.h>

static const char *const texts[] = {
	"{\"name\":\"@acme/b\",\"version\":\"1.0.0\"}",
	"{\"name\":\"acme-b\",\"version\":\"1.0.0\"}",
	"{\"name\":\"acme-b-2\",\"version\":\"1.0.0\"}",
	"{\"name\":\"codec\",\"version\":\"3.0.0\",\"provides\":{\"lib\":\"1.7\"}}",
	"{\"name\":\"lib\",\"version\":\"1.0.0\",\"parallel\":\"major\"}",
	"{\"name\":\"lib\",\"version\":\"2.0.0\",\"parallel\":\"major\"}",
	"{\"name\":\"me\",\"version\":\"1.0.0\",\"requires\":{\"lib\":\"^1\",\"host:x\":\"*\","
	"\"acme-b-2\":\"*\",\"acme-b\":\"*\"},"
	"\"recommends\":{\"@acme/b\":\"*\",\"absent\":\"*\",\"lib\":\"^2\"}}",
};
#define N  PP_LEN(texts)
#define ME (N - 1)

struct world {
	struct pp_release *releases[N];
	struct pp_installed plugins[N];
	char state[16];
	struct pp_bindables all;
};

static void
world_init(struct world *w)
{
	*w = (struct world){ .state = "installed" };
	for (size_t i = 0; i < N; i++) {
		PP_AUTO_JSON pp_json *j = pp_json_parse(texts[i], strlen(texts[i]), NULL);
		if (!CHECK_INT(
			pp_release_parse(j, NULL, "x", PLUGPKG_E_BAD_STATE, &w->releases[i], NULL),
			PLUGPKG_OK))
			exit(1);
		w->plugins[i] = (struct pp_installed){
			.key = pp_xstrdup(pp_release_key(w->releases[i])),
			.name = w->releases[i]->name,
			.version = w->releases[i]->version.text,
			.state = w->state,
		};
		pp_bindables_add(&w->all, &w->plugins[i], w->releases[i]);
	}
}

static void
world_fini(struct world *w)
{
	pp_bindables_fini(&w->all);
	for (size_t i = 0; i < N; i++) {
		free(w->plugins[i].key);
		pp_release_free(w->releases[i]);
	}
}

static void
check_bound(const struct world *w, const char *range, const char *key)
{
	char name[] = "lib";
	struct pp_dep dep = { .name = name };

	CHECK_INT(pp_range_parse(pp_str_of(range), &dep.range, NULL), PLUGPKG_OK);
	const struct pp_bindable *b = pp_bind_find(&w->all, &dep);
	CHECK_STR(b != NULL ? b->plugin->key : NULL, key);
	pp_range_free(dep.range);
}

static void
the_highest_that_satisfies_is_bound_then_who_provides(void)
{
	struct world w;

	world_init(&w);
	check_bound(&w, "*", "lib@2");
	check_bound(&w, "^1", "lib@1");
	check_bound(&w, "~1.7", "codec");
	check_bound(&w, "^3", NULL);
	world_fini(&w);
}

static void
dependents_are_told_in_json(void)
{
	struct world w;

	world_init(&w);
	PP_AUTO_JSON pp_json *j = pp_bind_json(&w.all, w.releases[ME]);
	PP_AUTO_FREE char *text = pp_json_line(pp_json_get(j, "lib"));
	CHECK_STR(text, "{\"key\":\"lib@1\",\"version\":\"1.0.0\",\"path\":\"store/lib/1.0.0\"}");
	CHECK_INT(pp_json_len(j), 4);
	CHECK(pp_bind_json(&w.all, w.releases[0]) == NULL);
	world_fini(&w);
}

static void
variables_that_would_be_the_same_get_numbers(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	struct world w;

	world_init(&w);
	pp_bind_env("/r", &w.all, w.releases[ME], &env);
	if (CHECK_INT(env.n, 4)) {
		CHECK_STR(env.at[0], "PLUGPKG_DEP_ACME_B=/r/store/@acme/b/1.0.0");
		CHECK_STR(env.at[1], "PLUGPKG_DEP_ACME_B_3=/r/store/acme-b/1.0.0");
		CHECK_STR(env.at[2], "PLUGPKG_DEP_ACME_B_2=/r/store/acme-b-2/1.0.0");
		CHECK_STR(env.at[3], "PLUGPKG_DEP_LIB=/r/store/lib/1.0.0");
	}
	world_fini(&w);
}

static void
a_linked_plugin_is_where_its_author_works(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs env = { 0 };
	char dir[] = "/home/author/lib";
	struct world w;

	world_init(&w);
	w.plugins[4].link_dir = dir;
	pp_bind_env("/r", &w.all, w.releases[ME], &env);
	CHECK(pp_strs_has(&env, "PLUGPKG_DEP_LIB=/home/author/lib"));
	world_fini(&w);
}

TAP_MAIN(CASE(the_highest_that_satisfies_is_bound_then_who_provides)
	CASE(dependents_are_told_in_json) CASE(variables_that_would_be_the_same_get_numbers)
	    CASE(a_linked_plugin_is_where_its_author_works))
