/* SPDX-License-Identifier: MIT */
/* A source from its trust to its answers, over file:// and a signed repository made on the spot. */
#include "lib/index/catalog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/path.h"
#include "lib/index/blocks.h"
#include "lib/index/reach.h"
#include "tap.h"
#include "tuf_make.h"

/* A root and the repository that it knows as source "main". */
struct world {
	char dir[40];
	int fd, cache_fd;
	plugpkg_context ctx;
	struct pp_source source;
	struct pp_net *net;
	struct pp_catalog *catalog;
};

static const char user_planning[] =
    "{\"name\":\"user\",\"versions\":[{\"version\":\"2.0.0\",\"requires\":{\"log\":\"^1\"}},"
    "{\"version\":\"1.0.0\"}]}\n";
static const char user_details[] =
    "{\"name\":\"user\",\"versions\":["
    "{\"version\":\"2.0.0\",\"sha256\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":10},"
    "{\"version\":\"1.0.0\",\"size\":10}]}\n";
static const char log_line[] = "{\"name\":\"log\",\"providers\":[\"syslog\",\"user\"]}\n";
static const char search_lines[] = "{\"name\":\"syslog\",\"version\":\"1.0.0\"}\n"
				   "{\"name\":\"user\",\"version\":\"2.0.0\"}\n";

static void
put(const struct world *w, const char *path, const void *p, size_t n)
{
	CHECK_INT(pp_write_file_at(w->fd, path, p, n, 0644), 0);
}

static void
put_metadata(const struct world *w, const char *name, pp_json *body, const char *key)
{
	PP_AUTO_FREE char *path = pp_asprintf("repo/metadata/%s", name);
	PP_AUTO_FREE char *text = tuf_sign(body, key);

	CHECK_INT(pp_mkdirs_at(w->fd, "repo/metadata", 0755), 0);
	put(w, path, text, strlen(text));
}

static struct pp_shard_ref
put_shard(const struct world *w, enum pp_layer layer, const char *text)
{
	PP_AUTO_BUF struct pp_buf frame = PP_BUF_INIT(1 << 20);
	struct pp_shard_ref ref;

	CHECK_INT(pp_blocks_pack(pp_str_of(text), &frame, &ref), 0);

	PP_AUTO_FREE char *name = pp_index_shard_path(layer, &ref);
	PP_AUTO_FREE char *path = pp_asprintf("repo/targets/%s", name);
	put(w, path, frame.s, frame.n);
	return ref;
}

/* Signs an index root with this text as version n of everything; "" lists none. */
static void
sign_root(const struct world *w, const char *text, int n)
{
	pp_json *targets = tuf_targets(n), *index = tuf_targets(n);
	pp_json *snapshot = tuf_snapshot(n, n);
	char hex[65], name[40];

	tuf_delegate(targets, "index", "i", "index/*");
	tuf_list(snapshot, "index", n);
	if (*text != '\0') {
		tuf_add_target(index, "index/root.json", text);
		pp_sha256_hex(text, strlen(text), hex);

		PP_AUTO_FREE char *path = pp_asprintf("repo/targets/index/%s.root.json", hex);
		put(w, path, text, strlen(text));
	}
	snprintf(name, sizeof(name), "%d.targets.json", n);
	put_metadata(w, name, targets, "t");
	snprintf(name, sizeof(name), "%d.index.json", n);
	put_metadata(w, name, index, "i");
	snprintf(name, sizeof(name), "%d.snapshot.json", n);
	put_metadata(w, name, snapshot, "s");
	put_metadata(w, "timestamp.json", tuf_timestamp(n, n), "m");
}

/*
 * Publishes version n with these planning and details lines in n_shards shards, all but one empty.
 */
static void
publish(const struct world *w, const char *planning, const char *details, size_t n_shards, int n)
{
	struct pp_index_root root = { .name = (char[]){ "test" } };

	CHECK_INT(pp_mkdirs_at(w->fd, "repo/targets/index", 0755), 0);
	for (size_t i = 0; i < n_shards; i++) {
		bool is_users = i == pp_index_shard_of(n_shards, "user");

		pp_vec_push(
		    &root.planning, put_shard(w, PP_LAYER_PLANNING, is_users ? planning : ""));
		pp_vec_push(&root.details, put_shard(w, PP_LAYER_DETAILS, is_users ? details : ""));
	}
	root.search = put_shard(w, PP_LAYER_SEARCH, search_lines);

	PP_AUTO_FREE char *text = pp_index_root_text(&root);
	sign_root(w, text, n);
	pp_vec_free(&root.planning);
	pp_vec_free(&root.details);
}

static void
reopen(struct world *w)
{
	pp_catalog_free(w->catalog);
	w->catalog = NULL;
	CHECK_INT(pp_catalog_open(&w->ctx, &w->source, w->net, &w->catalog, NULL), PLUGPKG_OK);
}

static void
world_init(struct world *w)
{
	*w = (struct world){ .ctx = { .lock_fd = -1, .now = TUF_NOW } };
	memcpy(w->dir, "/tmp/plugpkg-test-XXXXXX", sizeof("/tmp/plugpkg-test-XXXXXX"));
	if (mkdtemp(w->dir) == NULL)
		abort();
	w->fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(pp_mkdirs_at(w->fd, "var/trust/main", 0755), 0);
	CHECK_INT(pp_mkdirs_at(w->fd, "var/cache", 0755), 0);
	w->cache_fd = pp_opendir_at(w->fd, "var/cache");
	w->ctx.root = w->dir;
	w->ctx.root_fd = w->fd;
	w->source.name = pp_xstrdup("main");
	pp_strs_take(&w->source.urls, pp_asprintf("file://%s/nothing", w->dir));
	pp_strs_take(&w->source.urls, pp_asprintf("file://%s/repo", w->dir));
	w->net = pp_net_new(&w->ctx, w->cache_fd);

	PP_AUTO_FREE char *root = tuf_sign(tuf_root(1), "r");
	put(w, "var/trust/main/root.json", root, strlen(root));
	PP_AUTO_BUF struct pp_buf lines = PP_BUF_INIT(4096);
	pp_buf_adds(&lines, log_line);
	pp_buf_adds(&lines, user_planning);
	publish(w, lines.s, user_details, 1, 1);
	reopen(w);
}

static void
world_fini(struct world *w)
{
	pp_catalog_free(w->catalog);
	pp_net_free(w->net);
	pp_auto_fd(&w->cache_fd);
	pp_auto_fd(&w->fd);
	pp_strs_fini(&w->source.urls);
	free(w->source.name);
	pp_map_fini(&w->ctx.verified, free);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, w->dir), 0);
}

static enum plugpkg_code
refresh(struct world *w, pp_json *row, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *unseen = pp_json_object();

	return pp_catalog_refresh(w->catalog, row != NULL ? row : unseen, err);
}

static void
a_refresh_tells_what_came(void)
{
	PP_AUTO_JSON pp_json *first = pp_json_object();
	PP_AUTO_JSON pp_json *second = pp_json_object();
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, first, NULL), PLUGPKG_OK);
	CHECK_STR(pp_json_get_str(first, "source"), "main");
	CHECK_INT(pp_json_get_int(first, "version", -1), 1);
	CHECK_INT(pp_json_get_int(first, "plugins", -1), 2);
	CHECK(pp_json_get_bool(first, "changed"));
	CHECK_STR(pp_json_get_str(first, "expires"), TUF_EXPIRES);
	reopen(&w);
	CHECK_INT(refresh(&w, second, NULL), PLUGPKG_OK);
	CHECK(!pp_json_get_bool(second, "changed"));
	publish(&w, user_planning, user_details, 1, 2);
	CHECK_INT(refresh(&w, second, NULL), PLUGPKG_OK);
	CHECK(pp_json_get_bool(second, "changed"));
	CHECK_INT(pp_json_get_int(second, "version", -1), 2);
	world_fini(&w);
}

static void
releases_come_newest_first_with_their_names(void)
{
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases none = { .n = 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs providers = { .n = 0 };
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(
	    pp_catalog_releases(w.catalog, "user", &found, &providers, NULL, NULL), PLUGPKG_OK);
	if (CHECK_INT(found.n, 2)) {
		CHECK_STR(found.at[0]->name, "user");
		CHECK_STR(found.at[0]->version.text, "2.0.0");
		CHECK_INT(found.at[0]->requires.n, 1);
		CHECK_STR(found.at[1]->version.text, "1.0.0");
	}
	CHECK_INT(providers.n, 0);
	CHECK_INT(pp_catalog_releases(w.catalog, "log", &none, &providers, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(none.n, 0);
	if (CHECK_INT(providers.n, 2))
		CHECK_STR(providers.at[0], "syslog");
	CHECK_INT(pp_catalog_releases(w.catalog, "nothing", &none, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(none.n, 0);
	world_fini(&w);
}

static void
rows_are_given_only_with_digest_and_size(void)
{
	PP_AUTO_JSON pp_json *planning = NULL;
	PP_AUTO_JSON pp_json *details = NULL;
	PP_AUTO_JSON pp_json *bad = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(
	    pp_catalog_rows(w.catalog, "user", "2.0.0", &planning, &details, NULL), PLUGPKG_OK);
	CHECK_STR(pp_json_get_str(planning, "version"), "2.0.0");
	CHECK_INT(pp_json_get_int(details, "size", 0), 10);
	CHECK_INT(
	    pp_catalog_rows(w.catalog, "user", "1.0.0", NULL, &bad, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "version 1.0.0 has no valid \"sha256\"");
	CHECK_INT(
	    pp_catalog_rows(w.catalog, "user", "3.0.0", &bad, NULL, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(
	    pp_catalog_rows(w.catalog, "none", "1.0.0", &bad, NULL, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_HAS(plugpkg_error_message(err), "source 'main' has no 'none' 1.0.0");
	CHECK(bad == NULL);
	world_fini(&w);
}

static void
count(const pp_json *line, void *user)
{
	int *n = user;

	CHECK(pp_json_get_str(line, "name") != NULL);
	++*n;
}

static void
names_and_search_lines_come_in_order(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };
	int n = 0;
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(pp_catalog_names(w.catalog, &names, NULL), PLUGPKG_OK);
	if (CHECK_INT(names.n, 2))
		CHECK_STR(names.at[0], "syslog");
	CHECK_INT(pp_catalog_search(w.catalog, count, &n, NULL), PLUGPKG_OK);
	CHECK_INT(n, 2);
	world_fini(&w);
}

static void
a_source_never_updated_says_what_to_do(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };
	struct world w;

	world_init(&w);
	CHECK_INT(pp_catalog_load(w.catalog, false, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_STR(plugpkg_error_message(err), "source 'main' was never updated");
	CHECK_STR(plugpkg_error_hint(err), "run plugpkg update");
	CHECK_INT(pp_catalog_names(w.catalog, &names, &err), PLUGPKG_E_NOT_FOUND);
	world_fini(&w);
}

static void
a_source_without_trust_says_what_to_do(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_catalog *c = NULL;
	struct world w;

	world_init(&w);
	CHECK_INT(pp_rm_rf_at(w.fd, "var/trust"), 0);
	CHECK_INT(pp_catalog_open(&w.ctx, &w.source, w.net, &c, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_HAS(plugpkg_error_message(err), "'main' has no trusted key");
	world_fini(&w);
}

static void
what_was_updated_is_loaded_without_the_repository(void)
{
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(pp_rm_rf_at(w.fd, "repo"), 0);
	reopen(&w);
	CHECK_INT(pp_catalog_load(w.catalog, false, NULL), PLUGPKG_OK);
	CHECK_INT(pp_catalog_releases(w.catalog, "user", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 2);
	world_fini(&w);
}

static void
expired_metadata_is_loaded_only_where_allowed(void)
{
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	w.ctx.now = TUF_NOW + 86400 * 365;
	CHECK_INT(pp_catalog_load(w.catalog, false, NULL), PLUGPKG_E_EXPIRED);
	CHECK_INT(pp_catalog_load(w.catalog, true, NULL), PLUGPKG_OK);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_E_EXPIRED);
	world_fini(&w);
}

static void
a_damaged_cache_is_fetched_again_silently(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	struct world w;

	world_init(&w);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(pp_list_dir(w.fd, "var/cache", &files), 0);
	CHECK_INT(files.n, 4);
	pp_vec_foreach (name, &files) {
		PP_AUTO_FREE char *path = pp_asprintf("var/cache/%s", *name);
		put(&w, path, "damaged", 7);
	}
	reopen(&w);
	CHECK_INT(pp_catalog_load(w.catalog, false, NULL), PLUGPKG_OK);
	CHECK_INT(pp_catalog_releases(w.catalog, "user", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 2);
	world_fini(&w);
}

/* Another digest each time: only the piece that is read tells. */
static void
damaged_blocks_are_fetched_again_silently(void)
{
	PP_AUTO_BUF struct pp_buf lines = PP_BUF_INIT(1 << 20);
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	struct world w;

	world_init(&w);
	for (int i = 0; i < 2000; i++)
		pp_buf_addf(
		    &lines, "{\"name\":\"a%04d\",\"versions\":[{\"version\":\"1.%d.0\"}]}\n", i, i);
	pp_buf_adds(&lines, user_planning);
	publish(&w, lines.s, user_details, 1, 2);
	CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(pp_list_dir(w.fd, "var/cache", &files), 0);
	pp_vec_foreach (name, &files) {
		PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(1 << 20);
		PP_AUTO_FREE char *path = pp_asprintf("var/cache/%s", *name);
		CHECK_INT(pp_read_file_at(w.fd, path, &bytes), 0);
		bytes.s[bytes.n - 1] ^= 1; /* of the last block; the table stays sound */
		put(&w, path, bytes.s, bytes.n);
	}
	reopen(&w);
	CHECK_INT(pp_catalog_load(w.catalog, false, NULL), PLUGPKG_OK);
	CHECK_INT(pp_catalog_releases(w.catalog, "a0000", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 1);
	pp_releases_fini(&found);
	CHECK_INT(pp_catalog_releases(w.catalog, "user", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 2);
	world_fini(&w);
}

static void
shards_of_a_large_index_come_when_asked_for(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { .n = 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	PP_AUTO_JSON pp_json *details = NULL;
	PP_AUTO_JSON pp_json *row = pp_json_object();
	struct world w;

	world_init(&w);
	publish(&w, user_planning, user_details, 16, 2);
	CHECK_INT(refresh(&w, row, NULL), PLUGPKG_OK);
	CHECK(pp_json_get(row, "plugins") == NULL);
	CHECK_INT(pp_list_dir(w.fd, "var/cache", &files), 0);
	CHECK_INT(files.n, 1);
	pp_strs_add(&names, "user");
	pp_strs_add(&names, "other");
	CHECK_INT(pp_catalog_prefetch(w.catalog, &names, NULL), PLUGPKG_OK);
	CHECK_INT(pp_rm_rf_at(w.fd, "repo/targets"), 0);
	CHECK_INT(pp_catalog_rows(w.catalog, "user", "2.0.0", NULL, &details, NULL), PLUGPKG_OK);
	CHECK_INT(
	    pp_catalog_releases(w.catalog, "user", &found, NULL, NULL, NULL), PLUGPKG_E_NETWORK);
	world_fini(&w);
}

static void
what_is_expected_comes_before_anybody_asks(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	PP_AUTO_JSON pp_json *row = pp_json_object();
	struct world w;

	world_init(&w);
	publish(&w, user_planning, user_details, 16, 2);
	CHECK_INT(refresh(&w, row, NULL), PLUGPKG_OK);
	pp_strs_add(&names, "user");
	CHECK_INT(pp_catalog_expect(w.catalog, &names, NULL), PLUGPKG_OK);
	CHECK_INT(pp_list_dir(w.fd, "var/cache", &files), 0);
	CHECK_INT(files.n, 2);
	CHECK_INT(pp_rm_rf_at(w.fd, "repo/targets"), 0);
	CHECK_INT(pp_catalog_releases(w.catalog, "user", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 2);
	world_fini(&w);
}

/* All other shards are empty, and so of one digest: one file. */
static void
what_a_line_leads_to_comes_in_the_next_round(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { .n = 0 };
	PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
	PP_AUTO_JSON pp_json *row = pp_json_object();
	struct pp_reach reach = { 0 };
	struct world w;

	pp_reach_add(&reach, "log");
	CHECK(pp_index_shard_of(16, "log") != pp_index_shard_of(16, "user"));
	PP_AUTO_FREE char *text = pp_reach_text(&reach);
	PP_AUTO_FREE char *line = pp_asprintf(
	    "{\"name\":\"user\",\"versions\":[{\"version\":\"1.0.0\"}],\"reach\":\"%s\"}\n", text);
	world_init(&w);
	publish(&w, line, user_details, 16, 2);
	CHECK_INT(refresh(&w, row, NULL), PLUGPKG_OK);
	pp_strs_add(&names, "user");
	CHECK_INT(pp_catalog_expect(w.catalog, &names, NULL), PLUGPKG_OK);
	CHECK_INT(pp_list_dir(w.fd, "var/cache", &files), 0);
	CHECK_INT(files.n, 3);
	CHECK_INT(pp_rm_rf_at(w.fd, "repo/targets"), 0);
	CHECK_INT(pp_catalog_releases(w.catalog, "log", &found, NULL, NULL, NULL), PLUGPKG_OK);
	CHECK_INT(found.n, 0);
	world_fini(&w);
}

/* Validly signed, and wrong all the same. */
static void
bad_content_is_refused_although_it_is_signed(void)
{
	static const char *const lines[][2] = {
		{ "{\"name\":\"user\",\"versions\":[{\"version\":\"1.0.0\"},"
		  "{\"version\":\"2.0.0\"}]}\n",
		    "stands after an older one" },
		{ "{\"name\":\"user\",\"versions\":[{\"version\":\"1.x\"}]}\n", "1.x" },
		{ "{\"name\":\"user\",\"versions\":[7]}\n", "user" },
		{ "{\"name\":\"user\",\"versions\":[],\"providers\":[\"../x\"]}\n", "providers" },
		{ "{\"name\":\"user\",\"versions\":}\n", "user" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < PP_LEN(lines); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_CLEANUP(pp_releases_fini) struct pp_releases found = { .n = 0 };
		PP_CLEANUP(pp_strs_fini) struct pp_strs providers = { .n = 0 };

		publish(&w, lines[i][0], "", 1, (int)i + 2);
		CHECK_INT(refresh(&w, NULL, NULL), PLUGPKG_OK);
		CHECK_INT(pp_catalog_releases(w.catalog, "user", &found, &providers, NULL, &err),
		    PLUGPKG_E_BAD_METADATA);
		CHECK_HAS(plugpkg_error_message(err), lines[i][1]);
	}
	world_fini(&w);
}

static void
a_bad_index_root_is_refused_although_it_is_signed(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct world w;

	world_init(&w);
	sign_root(&w, "{}", 2);
	CHECK_INT(refresh(&w, NULL, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "index of 'main'");
	sign_root(&w, "", 3);
	CHECK_INT(refresh(&w, NULL, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "lists no 'index/root.json'");
	world_fini(&w);
}

/* S15: the signed size decides, whatever the frame would grow to. */
static void
a_shard_that_unpacks_to_another_size_is_refused(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_index_root root = { .name = (char[]){ "test" } };
	struct world w;

	world_init(&w);
	pp_vec_push(&root.planning, put_shard(&w, PP_LAYER_PLANNING, user_planning));
	pp_vec_push(&root.details, put_shard(&w, PP_LAYER_DETAILS, user_details));
	root.search = put_shard(&w, PP_LAYER_SEARCH, search_lines);
	root.planning.at[0].unpacked--;

	PP_AUTO_FREE char *text = pp_index_root_text(&root);
	sign_root(&w, text, 2);
	CHECK_INT(refresh(&w, NULL, &err), PLUGPKG_E_BAD_METADATA);
	CHECK_HAS(plugpkg_error_message(err), "planning index of 'main' does not unpack to");
	pp_vec_free(&root.planning);
	pp_vec_free(&root.details);
	world_fini(&w);
}

static const struct tap_case cases[] = { CASE(a_refresh_tells_what_came) CASE(
    releases_come_newest_first_with_their_names) CASE(rows_are_given_only_with_digest_and_size)
	    CASE(names_and_search_lines_come_in_order) CASE(a_source_never_updated_says_what_to_do)
		CASE(a_source_without_trust_says_what_to_do)
		    CASE(what_was_updated_is_loaded_without_the_repository)
			CASE(expired_metadata_is_loaded_only_where_allowed)
			    CASE(a_damaged_cache_is_fetched_again_silently)
				CASE(damaged_blocks_are_fetched_again_silently) CASE(
				    shards_of_a_large_index_come_when_asked_for)
				    CASE(what_is_expected_comes_before_anybody_asks) CASE(
					what_a_line_leads_to_comes_in_the_next_round)
					CASE(bad_content_is_refused_although_it_is_signed) CASE(
					    a_bad_index_root_is_refused_although_it_is_signed)
					    CASE(a_shard_that_unpacks_to_another_size_is_refused) };

int
main(void)
{
	return tap_run(cases, PP_LEN(cases));
}
