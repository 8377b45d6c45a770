/* SPDX-License-Identifier: MIT */
/* What lies in staged/: written and read back, and nothing wrong in it reaches the index. */
#include "lib/repo/staged.h"

#include "base/mem.h"
#include "scratch.h"

#include <stdlib.h>

#define HEX     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DETAILS "\"details\":{\"version\":\"1.0\",\"sha256\":\"" HEX "\",\"size\":1}"
#define ADD     "{\"action\":\"add\",\"name\":\"user\",\"version\":\"1.0\","

static plugpkg_repo *
new_repo(const struct scratch *s)
{
	PP_AUTO_FREE char *dir = pp_asprintf("%s/repo", s->path);
	const struct plugpkg_repo_init_spec spec = { .name = "test", .now = 1000000 };
	plugpkg_repo *repo = NULL;

	CHECK_INT(plugpkg_repo_init(dir, &spec, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(plugpkg_repo_open(dir, &repo, NULL), PLUGPKG_OK);
	return repo;
}

static void
wrong_entries_are_named_and_refused(void)
{
	static const char *const rows[][2] = {
		{ "", "line 1" },
		{ "[]", "not an entry" },
		{ "{\"action\":\"add\",\"name\":1,\"version\":\"1\"}", "not an entry" },
		{ "{\"action\":\"burn\",\"name\":\"user\",\"version\":\"1\"}", "not an entry" },
		{ "{\"action\":\"remove\",\"name\":\"../user\",\"version\":\"1\"}", "../user" },
		{ "{\"action\":\"remove\",\"name\":\"user\",\"version\":\"../1\"}", "../1" },
		{ ADD DETAILS "}", "'planning' is nothing" },
		{ ADD "\"planning\":7," DETAILS "}", "'planning' is a number" },
		{ ADD "\"planning\":{}," DETAILS "}", "version" },
		{ ADD "\"planning\":{\"version\":\"2.0\"}," DETAILS "}", "not of user 1.0" },
		{ ADD "\"planning\":{\"version\":\"1.0\",\"name\":\"x\"}," DETAILS "}",
		    "not of user 1.0" },
		{ ADD "\"planning\":{\"version\":\"1.0\",\"provides\":{\"a\\\"b\":\"1\"}}," DETAILS
		      "}",
		    "provides" },
		{ ADD "\"planning\":{\"version\":\"1.0\",\"provides\":[1]}," DETAILS "}",
		    "provides" },
		{ ADD "\"planning\":{\"version\":\"1.0\"}}", "not of user 1.0" },
		{ ADD "\"planning\":{\"version\":\"1.0\"},\"details\":[]}", "not of user 1.0" },
		{ ADD "\"planning\":{\"version\":\"1.0\"},\"details\":{\"version\":\"1.0\"}}",
		    "'sha256'" },
	};
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(pp_staged_list_fini) struct pp_staged_list list = { 0 };
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		CHECK_INT(pp_write_file_at(
			      repo->dir_fd, "staged/x.json", rows[i][0], strlen(rows[i][0]), 0644),
		    0);
		CHECK_INT(pp_staged_read(repo, &list, &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err), "staged/x.json");
		CHECK_HAS(plugpkg_error_message(err), rows[i][1]);
		CHECK(plugpkg_error_hint(err) != NULL);
	}
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

static void
stage(plugpkg_repo *repo, char *name, char *version)
{
	PP_AUTO_JSON pp_json *planning = pp_json_object();
	PP_AUTO_JSON pp_json *details = pp_json_object();
	const struct pp_staged entry = {
		.name = name,
		.version = version,
		.planning = planning,
		.details = details,
	};

	pp_json_set_str(planning, "version", version);
	pp_json_set_str(details, "version", version);
	pp_json_set_str(details, "sha256", HEX);
	pp_json_set_int(details, "size", 1);
	CHECK_INT(pp_staged_write(repo, &entry, NULL), PLUGPKG_OK);
}

static void
entries_are_read_back_and_long_names_find_room(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_CLEANUP(pp_staged_list_fini) struct pp_staged_list list = { 0 };
	char name[201], version[101];

	memset(name, 'n', sizeof(name) - 1);
	memset(version, '1', sizeof(version) - 1);
	name[200] = version[100] = '\0';
	memcpy(version + 40, "-", 1);
	stage(repo, name, version);
	char scoped[] = "@acme/animal", release[] = "1.4.0";
	stage(repo, scoped, release);
	CHECK_INT(pp_exists_at(repo->dir_fd, "staged/@acme%2Fanimal@1.4.0.json"), 1);
	CHECK_INT(pp_staged_read(repo, &list, NULL), PLUGPKG_OK);
	CHECK_INT(list.n, 2);
	CHECK(pp_staged_find(&list, name, version) != NULL);
	CHECK(pp_staged_find(&list, "@acme/animal", "1.4") != NULL);
	CHECK(pp_staged_find(&list, "@acme/animal", "1.4.1") == NULL);
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

TAP_MAIN(
    CASE(wrong_entries_are_named_and_refused) CASE(entries_are_read_back_and_long_names_find_room))
