/* SPDX-License-Identifier: MIT */
/* What the planning lines of a repository say of where their dependencies lead. */
#include "lib/repo/hints.h"

#include "base/mem.h"
#include "lib/index/reach.h"
#include "lib/repo/publish.h"
#include "scratch.h"

#include <string.h>

struct world {
	struct scratch s;
	plugpkg_repo *repo;
	struct pp_book *book;
};

static void
world_init(struct world *w)
{
	const struct plugpkg_repo_init_spec spec = { .name = "test", .now = 1000000 };
	struct pp_published published;

	*w = (struct world){ .repo = NULL };
	scratch_init(&w->s);
	PP_AUTO_FREE char *dir = pp_asprintf("%s/repo", w->s.path);
	CHECK_INT(plugpkg_repo_init(dir, &spec, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(plugpkg_repo_open(dir, &w->repo, NULL), PLUGPKG_OK);
	plugpkg_repo_set_time(w->repo, spec.now);
	CHECK_INT(pp_published_read(w->repo, NULL, &published, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_open(w->repo, &published, &w->book, NULL), PLUGPKG_OK);
}

static void
world_fini(struct world *w)
{
	pp_book_free(w->book);
	plugpkg_repo_close(w->repo);
	scratch_fini(&w->s);
}

/* One version of the plugin; needed: "a b c". */
static void
set_plugin(struct world *w, const char *name, const char *member, const char *needed)
{
	pp_json *line = pp_json_object(), *rows = pp_json_array(), *row = pp_json_object();
	pp_json *object = pp_json_object();
	struct pp_str rest = pp_str_of(needed), one;

	while (rest.n > 0 && pp_str_cut(&rest, ' ', &one)) {
		PP_AUTO_FREE char *key = pp_xstrndup(one.p, one.n);
		pp_json_set_str(object, key, "*");
	}
	pp_json_set_str(line, "name", name);
	pp_json_set_str(row, "version", "1.0.0");
	pp_json_set(row, member, object);
	pp_json_push(rows, row);
	pp_json_set(line, "versions", rows);
	pp_book_set(w->book, PP_LAYER_PLANNING, name, line);
}

static void
set_provider(struct world *w, const char *name, const char *provider)
{
	pp_json *line = pp_json_object(), *list = pp_json_array();

	pp_json_set_str(line, "name", name);
	pp_json_push_str(list, provider);
	pp_json_set(line, "providers", list);
	pp_book_set(w->book, PP_LAYER_PLANNING, name, line);
}

/* The line says the shards of these names, "a b c", and of no others. */
static void
check_reach(struct world *w, const char *name, const char *names)
{
	PP_AUTO_JSON pp_json *line = NULL;
	struct pp_reach said = { 0 }, due = { 0 };
	struct pp_str rest = pp_str_of(names), one;

	CHECK_INT(pp_book_line(w->book, PP_LAYER_PLANNING, name, &line, NULL), PLUGPKG_OK);
	PP_AUTO_FREE char *text = pp_json_line(line);
	pp_reach_read(pp_str_of(text), &said);
	while (rest.n > 0 && pp_str_cut(&rest, ' ', &one)) {
		PP_AUTO_FREE char *known = pp_xstrndup(one.p, one.n);
		pp_reach_add(&due, known);
	}
	if (!CHECK(memcmp(&said, &due, sizeof(said)) == 0))
		printf("# %s: %s\n", name, text);
}

static void
lines_say_all_that_their_dependencies_lead_to(void)
{
	struct world w;

	world_init(&w);
	set_plugin(&w, "animal", "requires", "user host:web");
	set_plugin(&w, "user", "recommends", "photos @acme/missing@2");
	set_plugin(&w, "photos", "requires", "storage");
	set_provider(&w, "storage", "disk");
	set_plugin(&w, "disk", "requires", "");
	CHECK_INT(pp_hints_write(w.book, true, NULL), PLUGPKG_OK);
	check_reach(&w, "animal", "user photos @acme/missing storage disk");
	check_reach(&w, "user", "photos @acme/missing storage disk");
	check_reach(&w, "photos", "storage disk");
	check_reach(&w, "storage", "disk");
	check_reach(&w, "disk", "");
	world_fini(&w);
}

static void
all_of_a_ring_lead_to_the_same(void)
{
	struct world w;

	world_init(&w);
	set_plugin(&w, "a", "requires", "b");
	set_plugin(&w, "b", "requires", "c inner");
	set_plugin(&w, "c", "requires", "a out");
	set_plugin(&w, "inner", "requires", "twin");
	set_plugin(&w, "twin", "requires", "inner");
	set_plugin(&w, "out", "requires", "");
	set_plugin(&w, "self", "requires", "self");
	set_plugin(&w, "before", "requires", "c self");
	CHECK_INT(pp_hints_write(w.book, true, NULL), PLUGPKG_OK);
	check_reach(&w, "a", "a b c inner twin out");
	check_reach(&w, "b", "a b c inner twin out");
	check_reach(&w, "c", "a b c inner twin out");
	check_reach(&w, "inner", "inner twin");
	check_reach(&w, "twin", "inner twin");
	check_reach(&w, "out", "");
	check_reach(&w, "self", "self");
	check_reach(&w, "before", "a b c inner twin out self");
	world_fini(&w);
}

static void
what_is_written_anew_stands_on_what_the_others_say(void)
{
	struct world w;
	uint64_t length;
	char sha256[65];

	world_init(&w);
	set_plugin(&w, "user", "requires", "photos");
	set_plugin(&w, "photos", "requires", "disk");
	set_plugin(&w, "disk", "requires", "");
	CHECK_INT(pp_hints_write(w.book, true, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_save(w.book, &length, sha256, NULL), PLUGPKG_OK);
	set_plugin(&w, "animal", "requires", "user");
	CHECK_INT(pp_hints_write(w.book, false, NULL), PLUGPKG_OK);
	check_reach(&w, "animal", "user photos disk");
	check_reach(&w, "user", "photos disk");
	world_fini(&w);
}

TAP_MAIN(CASE(lines_say_all_that_their_dependencies_lead_to) CASE(all_of_a_ring_lead_to_the_same)
	CASE(what_is_written_anew_stands_on_what_the_others_say))
