/* SPDX-License-Identifier: MIT */
/* The editable index on disk: lines in and out, layers that grow and split, bytes that stay. */
#include "lib/repo/book.h"

#include "base/mem.h"
#include "lib/index/zstd.h"
#include "lib/repo/publish.h"
#include "lib/repo/staged.h"
#include "scratch.h"

#include <stdlib.h>

#define HEX       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define N_PLUGINS 700
#define PAD_BYTES 3000 /* of a details line: 700 of them are more than one shard takes */

static char *
repo_dir(const struct scratch *s)
{
	return pp_asprintf("%s/repo", s->path);
}

static plugpkg_repo *
new_repo(const struct scratch *s)
{
	PP_AUTO_FREE char *dir = repo_dir(s);
	const struct plugpkg_repo_init_spec spec = { .name = "test", .now = 1000000 };
	plugpkg_repo *repo = NULL;

	CHECK_INT(plugpkg_repo_init(dir, &spec, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(plugpkg_repo_open(dir, &repo, NULL), PLUGPKG_OK);
	plugpkg_repo_set_time(repo, spec.now);
	return repo;
}

static struct pp_book *
open_book(plugpkg_repo *repo)
{
	struct pp_published published;
	struct pp_book *b = NULL;

	CHECK_INT(pp_published_read(repo, NULL, &published, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_open(repo, &published, &b, NULL), PLUGPKG_OK);
	return b;
}

/* Saves the book and signs it, so that the next open_book() sees it. */
static void
publish(plugpkg_repo *repo, struct pp_book *b)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer online = { 0 };
	struct pp_published was;
	struct pp_meta_file index;
	uint64_t length = 0;
	char sha256[65] = "";

	CHECK_INT(pp_key_load(repo, "online", &online, NULL), PLUGPKG_OK);
	CHECK_INT(pp_published_read(repo, &online, &was, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_save(b, &length, sha256, NULL), PLUGPKG_OK);
	const struct pp_signing how = { PP_ROLE_INDEX, was.file[PP_ROLE_INDEX].version + 1, &online,
		1 };
	CHECK_INT(
	    pp_metadata_write(repo, &how, pp_body_index(length, sha256), &index, NULL), PLUGPKG_OK);
	CHECK_INT(pp_metadata_seal(repo, &was, &was.file[PP_ROLE_TARGETS], &index, &online, NULL),
	    PLUGPKG_OK);
}

/* Text that packs badly, the same for the same i. */
static char *
noise(size_t i, size_t n)
{
	char *text = pp_xcalloc(n + 1, 1);
	uint64_t x = i * 2654435761u + 1;

	for (size_t k = 0; k < n; k++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		text[k] = (char)('a' + (x >> 33) % 26);
	}
	return text;
}

static char *
name_of(size_t i)
{
	return pp_asprintf("plugin-%04zu", i);
}

static void
set_line(struct pp_book *b, enum pp_layer layer, const char *name, const char *pad)
{
	PP_AUTO_JSON pp_json *old = NULL;
	pp_json *line = pp_json_object();

	CHECK_INT(pp_book_line(b, layer, name, &old, NULL), PLUGPKG_OK);
	pp_json_set_str(line, "name", name);
	pp_json_set_str(line, "pad", pad);
	pp_book_set(b, layer, name, line);
}

static void
fill(struct pp_book *b)
{
	for (size_t i = 0; i < N_PLUGINS; i++) {
		PP_AUTO_FREE char *name = name_of(i);
		PP_AUTO_FREE char *pad = noise(i, PAD_BYTES);
		set_line(b, PP_LAYER_DETAILS, name, pad);
		set_line(b, PP_LAYER_PLANNING, name, "row");
	}
}

static void
lines_go_in_and_out_and_survive_publishing(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_AUTO(book) struct pp_book *b = open_book(repo);
	PP_AUTO_JSON pp_json *line = NULL;

	CHECK_INT(pp_book_line(b, PP_LAYER_PLANNING, "user", &line, NULL), PLUGPKG_OK);
	CHECK(line == NULL);
	set_line(b, PP_LAYER_PLANNING, "user", "1");
	set_line(b, PP_LAYER_PLANNING, "animal", "2");
	set_line(b, PP_LAYER_PLANNING, "@acme/zebra", "3");
	publish(repo, b);

	PP_AUTO(book) struct pp_book *again = open_book(repo);
	set_line(again, PP_LAYER_PLANNING, "animal", "changed");
	CHECK_INT(pp_book_line(again, PP_LAYER_PLANNING, "animal", &line, NULL), PLUGPKG_OK);
	CHECK_STR(pp_json_get_str(line, "pad"), "changed");
	pp_book_set(again, PP_LAYER_PLANNING, "user", NULL);
	publish(repo, again);

	PP_AUTO(book) struct pp_book *third = open_book(repo);
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	CHECK_INT(pp_book_names(third, PP_LAYER_PLANNING, &names, NULL), PLUGPKG_OK);
	if (CHECK_INT(names.n, 2)) {
		CHECK_STR(names.at[0], "@acme/zebra");
		CHECK_STR(names.at[1], "animal");
	}
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

/* Every name stands in the shard that readers look in, read with the reader's own code. */
static void
check_placement(plugpkg_repo *repo, const struct pp_book *b)
{
	size_t n_found = 0;

	for (size_t i = 0; i < b->root->details.n; i++) {
		const struct pp_shard_ref *ref = &b->root->details.at[i];
		PP_AUTO_FREE char *path = pp_index_shard_path(PP_LAYER_DETAILS, ref);
		PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
		PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
		PP_CLEANUP(pp_shard_fini) struct pp_shard shard = { 0 };
		CHECK_INT(pp_read_file_at(repo->public_fd, full, &packed), 0);
		CHECK_INT(pp_zstd_unpack(packed.s, packed.n, ref->unpacked, &text), 0);
		CHECK_INT(pp_shard_open((struct pp_str){ text.s, text.n }, path, &shard, NULL),
		    PLUGPKG_OK);
		for (size_t k = 0; k < shard.lines.n; k++) {
			PP_AUTO_FREE char *name = pp_shard_line_name(shard.lines.at[k]);
			CHECK_INT(pp_index_shard_of(b->root->details.n, name), i);
			n_found++;
		}
	}
	CHECK_INT(n_found, N_PLUGINS);
}

static size_t
n_other_shards(const struct pp_book *a, const struct pp_book *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->root->details.n; i++)
		n += strcmp(a->root->details.at[i].sha256, b->root->details.at[i].sha256) != 0;
	return n;
}

static void
a_layer_that_grows_is_split_and_a_change_then_rewrites_one_shard(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_AUTO(book) struct pp_book *b = open_book(repo);

	CHECK_INT(b->root->details.n, 1);
	fill(b);
	publish(repo, b);
	PP_AUTO(book) struct pp_book *grown = open_book(repo);
	CHECK_INT(grown->root->details.n, 512); /* 2.1 MB in shards of 8 KiB at most */
	CHECK_INT(grown->root->planning.n, 1);
	check_placement(repo, grown);

	set_line(grown, PP_LAYER_DETAILS, "plugin-0007", "new");
	set_line(grown, PP_LAYER_PLANNING, "plugin-0007", "new");
	publish(repo, grown);
	PP_AUTO(book) struct pp_book *before = open_book(repo);
	PP_AUTO(book) struct pp_book *after = open_book(repo);
	set_line(after, PP_LAYER_DETAILS, "plugin-0008", "new");
	publish(repo, after);
	PP_AUTO(book) struct pp_book *last = open_book(repo);
	CHECK_INT(n_other_shards(before, last), 1);
	CHECK_STR(last->root->planning.at[0].sha256, before->root->planning.at[0].sha256);
	check_placement(repo, last);
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

static void
the_same_content_is_the_same_bytes(void)
{
	struct scratch one, two;
	scratch_init(&one);
	scratch_init(&two);
	plugpkg_repo *a = new_repo(&one), *b = new_repo(&two);
	PP_AUTO(book) struct pp_book *x = open_book(a);
	PP_AUTO(book) struct pp_book *y = open_book(b);
	uint64_t length;
	char x_root[65] = "x", y_root[65] = "y";

	for (size_t i = 0; i < 20; i++) {
		PP_AUTO_FREE char *forth = name_of(i);
		PP_AUTO_FREE char *back = name_of(19 - i);
		set_line(x, PP_LAYER_PLANNING, forth, "row");
		set_line(y, PP_LAYER_PLANNING, back, "row");
	}
	CHECK_INT(pp_book_save(x, &length, x_root, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_save(y, &length, y_root, NULL), PLUGPKG_OK);
	CHECK_STR(x_root, y_root);
	plugpkg_repo_close(a);
	plugpkg_repo_close(b);
	scratch_fini(&one);
	scratch_fini(&two);
}

static void
a_damaged_shard_is_named_and_a_spoiled_file_of_the_same_name_is_mended(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_AUTO(book) struct pp_book *b = open_book(repo);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_JSON pp_json *line = NULL;

	set_line(b, PP_LAYER_PLANNING, "user", "1");
	publish(repo, b);
	PP_AUTO(book) struct pp_book *read = open_book(repo);
	PP_AUTO_FREE char *path =
	    pp_index_shard_path(PP_LAYER_PLANNING, &read->root->planning.at[0]);
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	CHECK_INT(pp_write_file_at(repo->public_fd, full, "spoiled", 7, 0644), 0);
	CHECK_INT(pp_book_line(read, PP_LAYER_PLANNING, "user", &line, &err), PLUGPKG_E_DIGEST);
	CHECK_HAS(plugpkg_error_message(err), path);

	PP_AUTO(book) struct pp_book *fresh = NULL;
	uint64_t length;
	char sha256[65];
	CHECK_INT(pp_book_open(repo, NULL, &fresh, NULL), PLUGPKG_OK);
	set_line(fresh, PP_LAYER_PLANNING, "user", "1");
	CHECK_INT(pp_book_save(fresh, &length, sha256, NULL), PLUGPKG_OK);
	CHECK_INT(pp_book_line(read, PP_LAYER_PLANNING, "user", &line, NULL), PLUGPKG_OK);
	CHECK_STR(pp_json_get_str(line, "pad"), "1");
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

/* A name with so many versions 1.0, 1.1, … published, newest first. */
static void
publish_versions(plugpkg_repo *repo, const char *name, int n)
{
	PP_AUTO(book) struct pp_book *b = open_book(repo);

	for (int layer = PP_LAYER_PLANNING; layer <= PP_LAYER_DETAILS; layer++) {
		PP_AUTO_JSON pp_json *old = NULL;
		pp_json *line = pp_json_object(), *rows = pp_json_array();
		for (int i = n; i-- > 0;) {
			PP_AUTO_FREE char *version = pp_asprintf("1.%d", i);
			pp_json *row = pp_json_object();
			pp_json_set_str(row, "version", version);
			pp_json_push(rows, row);
		}
		CHECK_INT(pp_book_line(b, (enum pp_layer)layer, name, &old, NULL), PLUGPKG_OK);
		pp_json_set_str(line, "name", name);
		pp_json_set(line, "versions", rows);
		pp_book_set(b, (enum pp_layer)layer, name, line);
	}
	publish(repo, b);
}

/* Stages the addition of a version of `user` whose archive is in the pool already. */
static void
stage(plugpkg_repo *repo, char *version)
{
	PP_AUTO_FREE char *dir = pp_asprintf("targets/pool/user/%s", version);
	PP_AUTO_FREE char *archive = pp_asprintf("%s/" HEX ".plug", dir);
	PP_AUTO_JSON pp_json *planning = pp_json_object();
	PP_AUTO_JSON pp_json *details = pp_json_object();
	char name[] = "user";
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
	CHECK_INT(pp_mkdirs_at(repo->public_fd, dir, 0755), 0);
	CHECK_INT(pp_write_file_at(repo->public_fd, archive, "x", 1, 0644), 0);
	CHECK_INT(pp_staged_write(repo, &entry, NULL), PLUGPKG_OK);
}

static void
more_versions_than_readers_take_are_not_published(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	char version[] = "2.0";

	publish_versions(repo, "user", PP_INDEX_MAX_VERSIONS);
	stage(repo, version);
	CHECK_INT(plugpkg_repo_publish(repo, NULL, NULL, &err), PLUGPKG_E_FAILED);
	CHECK_HAS(plugpkg_error_message(err), "1001 versions; 1000 are allowed");
	CHECK_INT(plugpkg_repo_remove(repo, "user@1.0", NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(plugpkg_repo_publish(repo, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(plugpkg_repo_list(repo, NULL, NULL, NULL), PLUGPKG_OK);
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

static void
publish_does_not_replace_what_is_published(void)
{
	struct scratch s;
	scratch_init(&s);
	plugpkg_repo *repo = new_repo(&s);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	char version[] = "1.0.0"; /* of equal precedence as 1.0 */

	publish_versions(repo, "user", 1);
	stage(repo, version);
	CHECK_INT(plugpkg_repo_publish(repo, NULL, NULL, &err), PLUGPKG_E_EXISTS);
	CHECK_HAS(plugpkg_error_message(err), "user 1.0.0");
	plugpkg_repo_close(repo);
	scratch_fini(&s);
}

TAP_MAIN(CASE(more_versions_than_readers_take_are_not_published) CASE(
    publish_does_not_replace_what_is_published) CASE(lines_go_in_and_out_and_survive_publishing)
	CASE(a_layer_that_grows_is_split_and_a_change_then_rewrites_one_shard)
	    CASE(the_same_content_is_the_same_bytes)
		CASE(a_damaged_shard_is_named_and_a_spoiled_file_of_the_same_name_is_mended))
