/* SPDX-License-Identifier: MIT */
/* The search through delegations: order, patterns, ends, and who verifies what. */
#include "lib/trust/tuf_delegation.h"

#include "base/map.h"
#include "base/vec.h"
#include "lib/trust/tuf.h"
#include "tap.h"
#include "tuf_make.h"

static void
patterns_match_within_one_directory(void)
{
	static const struct {
		const char *pattern, *path;
		bool want;
	} rows[] = {
		{ "*", "a", true },
		{ "*", "", true },
		{ "*", "a/b", false },
		{ "a/*", "a/b", true },
		{ "a/*", "a/", true },
		{ "a/*", "a/b/c", false },
		{ "a/*", "A/b", false },
		{ "*/*", "a/b", true },
		{ "*/*", "a", false },
		{ "*.txt", "a.txt", true },
		{ "*.txt", "a/b.txt", false },
		{ "a*b*c", "axxbyybzc", true },
		{ "a*b*c", "axxbyybz", false },
		{ "a?c", "abc", true },
		{ "a?c", "a/c", false },
		{ "a?c", "ac", false },
		{ "?", "", false },
		{ "", "", true },
		{ "", "a", false },
		{ "a", "", false },
		{ "a**", "abc", true },
		{ "*/b*/c", "a/bb/c", true },
		{ "*/b*/c", "a/b/b/c", false },
		{ "[ab]", "a", false },
		{ "[ab]", "[ab]", true },
		{ "a\\*", "ab", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		if (!CHECK_INT(pp_tuf_glob(rows[i].pattern, rows[i].path), rows[i].want))
			printf("# '%s' '%s'\n", rows[i].pattern, rows[i].path);
	}
}

static void
a_pattern_made_to_be_slow_is_not(void)
{
	char path[4000], pattern[2000];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	memcpy(pattern + sizeof(pattern) - 2, "b", 2);
	CHECK(!pp_tuf_glob(pattern, path));
}

static void
role_names_are_encoded_for_files_and_urls(void)
{
	static const struct {
		const char *role, *want;
	} rows[] = {
		{ "index", "index" },
		{ "A-b_c.d~9", "A-b_c.d~9" },
		{ "?", "%3F" },
		{ "#", "%23" },
		{ "%3F", "%253F" },
		{ "/delegatedrole", "%2Fdelegatedrole" },
		{ "../delegatedrole", "..%2Fdelegatedrole" },
		{ "a b\n", "a%20b%0A" },
		{ "\xc3\xa9", "%C3%A9" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *got = pp_tuf_encode(rows[i].role);
		CHECK_STR(got, rows[i].want);
	}
}

/* ---- a repository in memory: role -> file, and the order in which roles were asked for ---- */

struct repo {
	struct pp_tuf *t;
	pp_json *snapshot;
	struct pp_map files; /* role -> signed file */
	struct pp_buf order;
};

static void
repo_init(struct repo *r)
{
	*r = (struct repo){ .order = PP_BUF_INIT(1000), .snapshot = tuf_snapshot(1, 1) };
	PP_AUTO_FREE char *root = tuf_sign(tuf_root(1), "r");
	CHECK_INT(pp_tuf_new(root, strlen(root), TUF_NOW, &r->t, NULL), PLUGPKG_OK);
}

static void
repo_fini(struct repo *r)
{
	pp_tuf_free(r->t);
	pp_json_free(r->snapshot);
	pp_map_fini(&r->files, free);
	pp_buf_fini(&r->order);
}

/* body moved */
static void
repo_add(struct repo *r, const char *role, pp_json *body, const char *signers)
{
	void **place = pp_map_put(&r->files, role);

	free(*place);
	*place = tuf_sign(body, signers);
	(void)tuf_list(r->snapshot, role, 1);
}

static enum plugpkg_code
load(void *user, const char *role, const struct pp_meta *delegator, plugpkg_error **err)
{
	struct repo *r = user;
	const char *file = pp_map_get(&r->files, role);

	pp_buf_addf(&r->order, "%s%s", r->order.n > 0 ? " " : "", role);
	if (file == NULL)
		file = "";
	return pp_tuf_update_targets(r->t, role, delegator, file, strlen(file), err);
}

/* Timestamp and snapshot are made of what was added by now. */
static void
repo_publish(struct repo *r)
{
	PP_AUTO_FREE char *timestamp = tuf_sign(tuf_timestamp(1, 1), "m");
	PP_AUTO_FREE char *snapshot = tuf_sign(pp_json_copy(r->snapshot), "s");
	bool is_new;

	CHECK_INT(pp_tuf_update_timestamp(
		      r->t, PP_TUF_REMOTE, timestamp, strlen(timestamp), &is_new, NULL),
	    PLUGPKG_OK);
	CHECK_INT(pp_tuf_update_snapshot(r->t, PP_TUF_REMOTE, snapshot, strlen(snapshot), NULL),
	    PLUGPKG_OK);
}

static enum plugpkg_code
repo_find(struct repo *r, const char *path)
{
	struct pp_tuf_target target;

	pp_buf_clear(&r->order);
	return pp_tuf_find(r->t, path, load, r, &target, NULL);
}

/* ---- order ---- */

/*
 * A graph as text: "targets:a,b! a:c" delegates everything; `!` is terminating. Roles are one
 * letter.
 */
static void
repo_graph(struct repo *r, const char *text)
{
	struct pp_str rest = pp_str_of(text), part;

	while (pp_str_cut(&rest, ' ', &part)) {
		struct pp_str role, child;
		pp_json *body = tuf_targets(1);
		pp_str_cut(&part, ':', &role);
		PP_AUTO_FREE char *name = pp_xstrndup(role.p, role.n);
		while (pp_str_cut(&part, ',', &child)) {
			char one[2] = { child.p[0], '\0' };
			pp_json *d = tuf_delegate(body, one, "k", "*");
			pp_json_set_bool(d, "terminating", child.n > 1 && child.p[1] == '!');
			if (pp_map_get(&r->files, one) == NULL)
				repo_add(r, one, tuf_targets(1), "k");
		}
		repo_add(r, name, body, strcmp(name, "targets") == 0 ? "t" : "k");
	}
}

static void
roles_are_visited_in_pre_order_depth_first(void)
{
	static const struct {
		const char *graph, *want;
	} rows[] = {
		{ "targets:a,b", "targets a b" },
		{ "targets:a,b a:c,d b:e", "targets a c d b e" },
		{ "targets:a!,b", "targets a" },
		{ "targets:a,b!,c", "targets a b" },
		{ "targets:a,b a:c!,d", "targets a c" },
		{ "targets:a,b a:c!,d c:e", "targets a c e" },
		/* A terminating branch on a lower level also ends the levels above. */
		{ "targets:a,b,c b:d!", "targets a b d" },
		{ "targets:a a:b b:a", "targets a b" },
		{ "targets:a a:a", "targets a" },
		{ "targets:a,b a:c b:c,d", "targets a c b d" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(repo_fini) struct repo r;
		repo_init(&r);
		repo_graph(&r, rows[i].graph);
		repo_publish(&r);
		CHECK_INT(repo_find(&r, "x"), PLUGPKG_E_NOT_FOUND);
		CHECK_STR(pp_buf_cstr(&r.order), rows[i].want);
	}
}

static void
the_first_role_that_lists_the_target_wins(void)
{
	PP_CLEANUP(repo_fini) struct repo r;
	struct pp_tuf_target target = { 0 };
	char want[65];
	pp_json *targets = tuf_targets(1), *a = tuf_targets(1), *b = tuf_targets(1);

	repo_init(&r);
	(void)tuf_delegate(targets, "a", "a", "dir/*");
	(void)tuf_delegate(targets, "b", "b", "dir/*");
	tuf_add_target(a, "dir/f", "from a");
	tuf_add_target(b, "dir/f", "from b");
	/* What a role lists outside its pattern is never reached. */
	tuf_add_target(a, "other", "from a");
	repo_add(&r, "targets", targets, "t");
	repo_add(&r, "a", a, "a");
	repo_add(&r, "b", b, "b");
	repo_publish(&r);

	CHECK_INT(pp_tuf_find(r.t, "dir/f", load, &r, &target, NULL), PLUGPKG_OK);
	pp_sha256_hex("from a", 6, want);
	CHECK_STR(target.sha256, want);
	CHECK_STR(target.sha512, "");
	CHECK_INT(target.length, 6);
	CHECK_STR(pp_buf_cstr(&r.order), "targets a");
	CHECK_INT(repo_find(&r, "other"), PLUGPKG_E_NOT_FOUND);
}

static void
a_chain_of_forty_ends_after_thirty_two(void)
{
	PP_CLEANUP(repo_fini) struct repo r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_tuf_target target;
	char name[16] = "targets";

	repo_init(&r);
	for (int i = 0; i < 40; i++) {
		char next[16];
		pp_json *body = tuf_targets(1);
		(void)snprintf(next, sizeof(next), "d%d", i);
		(void)tuf_delegate(body, next, "k", "*");
		repo_add(&r, name, body, i == 0 ? "t" : "k");
		memcpy(name, next, sizeof(name));
	}
	pp_json *last = tuf_targets(1);
	tuf_add_target(last, "x", "bytes");
	repo_add(&r, name, last, "k");
	repo_publish(&r);
	CHECK_INT(pp_tuf_find(r.t, "x", load, &r, &target, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_HAS(plugpkg_error_message(err), "first 32 delegated roles");
	CHECK(pp_ends_with(pp_buf_cstr(&r.order), " d31"));
}

/* ---- who verifies what ---- */

static void
a_delegated_role_is_checked_like_any_other(void)
{
	static const struct {
		const char *signers, *expires;
		int64_t version;
		bool is_listed;
		enum plugpkg_code want;
	} rows[] = {
		{ "k", TUF_EXPIRES, 1, true, PLUGPKG_OK },
		{ "t", TUF_EXPIRES, 1, true, PLUGPKG_E_SIGNATURE },
		{ "k", TUF_EXPIRED, 1, true, PLUGPKG_E_EXPIRED },
		{ "k", TUF_EXPIRES, 2, true, PLUGPKG_E_BAD_METADATA },
		{ "k", TUF_EXPIRES, 1, false, PLUGPKG_E_BAD_METADATA },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(repo_fini) struct repo r;
		pp_json *targets = tuf_targets(1), *index = tuf_targets(rows[i].version);
		repo_init(&r);
		(void)tuf_delegate(targets, "index", "k", "index/*");
		tuf_add_target(index, "index/root.json", "{}");
		pp_json_set_str(index, "expires", rows[i].expires);
		repo_add(&r, "targets", targets, "t");
		repo_add(&r, "index", index, rows[i].signers);
		if (!rows[i].is_listed)
			pp_json_del(pp_json_get(r.snapshot, "meta"), "index.json");
		repo_publish(&r);
		CHECK_INT(repo_find(&r, "index/root.json"), rows[i].want);
	}
}

static void
a_role_under_two_delegators_is_verified_for_each(void)
{
	PP_CLEANUP(repo_fini) struct repo r;
	pp_json *targets = tuf_targets(1), *a = tuf_targets(1), *b = tuf_targets(1);
	pp_json *shared = tuf_targets(1);

	repo_init(&r);
	(void)tuf_delegate(targets, "a", "k", "a/*");
	(void)tuf_delegate(targets, "b", "k", "b/*");
	(void)tuf_delegate(a, "shared", "x", "a/*");
	(void)tuf_delegate(b, "shared", "y", "b/*");
	tuf_add_target(shared, "a/f", "good");
	tuf_add_target(shared, "b/f", "evil");
	repo_add(&r, "targets", targets, "t");
	repo_add(&r, "a", a, "k");
	repo_add(&r, "b", b, "k");
	repo_add(&r, "shared", shared, "x");
	repo_publish(&r);
	CHECK_INT(repo_find(&r, "a/f"), PLUGPKG_OK);
	CHECK_INT(repo_find(&r, "b/f"), PLUGPKG_E_SIGNATURE);
	CHECK_STR(pp_buf_cstr(&r.order), "b shared");
	/* What verified stays known. */
	CHECK_INT(repo_find(&r, "a/f"), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&r.order), "");
}

static void
hash_prefixes_delegate_too(void)
{
	static const struct {
		const char *prefix;
		enum plugpkg_code want;
	} rows[] = {
		{ "2d", PLUGPKG_OK }, /* sha256("x") is 2d711642… */
		{ "2d711642", PLUGPKG_OK },
		{ "", PLUGPKG_OK },
		{ "2e", PLUGPKG_E_NOT_FOUND },
		{ "2D", PLUGPKG_E_NOT_FOUND },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(repo_fini) struct repo r;
		pp_json *targets = tuf_targets(1), *bin = tuf_targets(1);
		pp_json *prefixes = pp_json_array();
		repo_init(&r);
		pp_json *d = tuf_delegate(targets, "bin", "k", "*");
		pp_json_del(d, "paths");
		pp_json_push_str(prefixes, rows[i].prefix);
		pp_json_set(d, "path_hash_prefixes", prefixes);
		tuf_add_target(bin, "x", "bytes");
		repo_add(&r, "targets", targets, "t");
		repo_add(&r, "bin", bin, "k");
		repo_publish(&r);
		CHECK_INT(repo_find(&r, "x"), rows[i].want);
	}
}

/* ---- shapes that are refused ---- */

static enum plugpkg_code
find_with(pp_json *targets)
{
	PP_CLEANUP(repo_fini) struct repo r;

	repo_init(&r);
	repo_add(&r, "targets", targets, "t");
	repo_publish(&r);
	return repo_find(&r, "x");
}

static void
names_and_patterns_of_delegations_are_checked(void)
{
	char long_name[202];
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	const char *const names[] = { "", "root", "timestamp", "snapshot", "targets", long_name };

	for (size_t i = 0; i < PP_LEN(names); i++) {
		pp_json *targets = tuf_targets(1);
		(void)tuf_delegate(targets, names[i], "k", "*");
		CHECK_INT(find_with(targets), PLUGPKG_E_BAD_METADATA);
	}

	pp_json *both = tuf_targets(1);
	pp_json_set(tuf_delegate(both, "a", "k", "*"), "path_hash_prefixes", pp_json_array());
	CHECK_INT(find_with(both), PLUGPKG_E_BAD_METADATA);
	pp_json *neither = tuf_targets(1);
	pp_json_del(tuf_delegate(neither, "a", "k", "*"), "paths");
	CHECK_INT(find_with(neither), PLUGPKG_E_BAD_METADATA);
	pp_json *twice = tuf_targets(1);
	(void)tuf_delegate(twice, "a", "k", "*");
	(void)tuf_delegate(twice, "a", "k", "*");
	CHECK_INT(find_with(twice), PLUGPKG_E_BAD_METADATA);
	pp_json *free_for_all = tuf_targets(1);
	pp_json_set_int(tuf_delegate(free_for_all, "a", "k", "*"), "threshold", 0);
	CHECK_INT(find_with(free_for_all), PLUGPKG_E_BAD_METADATA);
}

static void
a_target_needs_a_length_and_a_digest_that_is_known(void)
{
	static const struct {
		const char *algorithm, *hex;
		int64_t length;
		enum plugpkg_code want;
	} rows[] = {
		{ "sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 1,
		    PLUGPKG_OK },
		{ "sha256", "2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881", 1,
		    PLUGPKG_E_BAD_METADATA },
		{ "sha256", "2d711642", 1, PLUGPKG_E_BAD_METADATA },
		{ "sha256", "", 1, PLUGPKG_E_BAD_METADATA },
		{ "sha256", " d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", 1,
		    PLUGPKG_E_BAD_METADATA },
		{ "sha512", "2d", 1, PLUGPKG_E_BAD_METADATA },
		{ "md5", "9dd4e461268c8034f5c8564e155c67a6", 1, PLUGPKG_E_BAD_METADATA },
		{ NULL, NULL, 1, PLUGPKG_E_BAD_METADATA },
		{ "sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", -1,
		    PLUGPKG_E_BAD_METADATA },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		pp_json *targets = tuf_targets(1), *entry = pp_json_object();
		pp_json *hashes = pp_json_object();
		if (rows[i].algorithm != NULL)
			pp_json_set_str(hashes, rows[i].algorithm, rows[i].hex);
		pp_json_set(entry, "hashes", hashes);
		pp_json_set_int(entry, "length", rows[i].length);
		pp_json_set(pp_json_get(targets, "targets"), "x", entry);
		CHECK_INT(find_with(targets), rows[i].want);
	}
}

/* clang-format off */
TAP_MAIN(
	CASE(patterns_match_within_one_directory)
	CASE(a_pattern_made_to_be_slow_is_not)
	CASE(role_names_are_encoded_for_files_and_urls)
	CASE(roles_are_visited_in_pre_order_depth_first)
	CASE(the_first_role_that_lists_the_target_wins)
	CASE(a_chain_of_forty_ends_after_thirty_two)
	CASE(a_delegated_role_is_checked_like_any_other)
	CASE(a_role_under_two_delegators_is_verified_for_each)
	CASE(hash_prefixes_delegate_too)
	CASE(names_and_patterns_of_delegations_are_checked)
	CASE(a_target_needs_a_length_and_a_digest_that_is_known))
/* clang-format on */
