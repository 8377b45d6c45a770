/* SPDX-License-Identifier: MIT */
/* Staging, putting into the store, removal that follows no link. */
#include "lib/store/store.h"

#include "base/fd.h"
#include "scratch.h"
#include "tap.h"

/* A root is just a directory here: the store asks for no more. */
static struct plugpkg_context
root_of(struct scratch *s)
{
	return (struct plugpkg_context){ .root = s->path, .root_fd = s->inner };
}

static void
put_file(int dir_fd, const char *name, const char *text)
{
	PP_AUTO_FD int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0444);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Puts a version with one file into the store. */
static enum plugpkg_code
put_version(plugpkg_context *ctx, const char *name, const char *version, plugpkg_error **err)
{
	PP_AUTO_FREE char *staging = NULL;
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_staging_new(ctx, name, &staging, &fd, err);

	if (rc != PLUGPKG_OK)
		return rc;
	put_file(fd, "plugin.json", version);
	return pp_store_put(ctx, staging, name, version, err);
}

static void
check_link(int dir_fd, const char *path, const char *want)
{
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(4096);

	CHECK_INT(pp_readlink_at(dir_fd, path, &target), 0);
	CHECK_STR(pp_buf_cstr(&target), want);
}

static void
check_list(plugpkg_context *ctx, const char *const *want, size_t n)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs got = { 0 }, bare = { 0 };

	CHECK_INT(pp_store_list(ctx, &got, &bare, NULL), PLUGPKG_OK);
	CHECK_INT(got.n, n);
	for (size_t i = 0; i < got.n && i < n; i++)
		CHECK_STR(got.at[i], want[i]);
	CHECK_INT(bare.n, 0);
}

static void
staging_directories_are_private_and_new(void)
{
	PP_AUTO_FREE char *first = NULL, *second = NULL, *odd = NULL;
	PP_AUTO_FD int a = -1, b = -1, c = -1;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_staging_new(&ctx, "@acme/photos 1.2.0", &first, &a, NULL), PLUGPKG_OK);
	CHECK_INT(pp_staging_new(&ctx, "@acme/photos 1.2.0", &second, &b, NULL), PLUGPKG_OK);
	CHECK_INT(pp_staging_new(&ctx, "../../etc", &odd, &c, NULL), PLUGPKG_OK);
	CHECK_STR(first, "acme-photos-1.2.0-0");
	CHECK_STR(second, "acme-photos-1.2.0-1");
	CHECK_STR(odd, "etc-0");
	CHECK_INT(mode_of(s.inner, "var/staging"), 0700);
	CHECK_INT(mode_of(s.inner, "var/staging/etc-0"), 0700);
	CHECK_INT(pp_staging_clear(&ctx, NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.inner, "var/staging/etc-0"), 0);
	CHECK_INT(pp_staging_clear(&ctx, NULL), PLUGPKG_OK);
	scratch_fini(&s);
}

static void
a_version_appears_complete_and_beside_it_a_stable_name(void)
{
	static const char *const want[] = { "@acme/photos 1.2.0", "user 2.0.0", "user 2.1.3" };
	PP_AUTO_FD int fd = -1;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "user", "2.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "@acme/photos", "1.2.0", NULL), PLUGPKG_OK);
	check_link(s.inner, "store/user/current", "../../current/user");
	check_link(s.inner, "store/@acme/photos/current", "../../../current/@acme/photos");
	CHECK_INT(mode_of(s.inner, "store/user/2.1.3"), 0755);
	CHECK_INT(mode_of(s.inner, "store/user/2.1.3/plugin.json"), 0444);
	CHECK_INT(pp_store_has(&ctx, "user", "2.1.3"), 1);
	CHECK_INT(pp_store_has(&ctx, "user", "2.1.4"), 0);
	CHECK_INT(pp_store_has(&ctx, "nobody", "1.0.0"), 0);
	CHECK_INT(pp_store_open(&ctx, "user", "2.0.0", &fd, NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(fd, "plugin.json"), 1);
	check_list(&ctx, want, PP_LEN(want));
	scratch_fini(&s);
}

static void
what_is_stored_already_stays_as_it_is(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(100);
	PP_AUTO_FREE char *staging = NULL;
	PP_AUTO_FD int fd = -1;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(pp_staging_new(&ctx, "user", &staging, &fd, NULL), PLUGPKG_OK);
	put_file(fd, "plugin.json", "other");
	CHECK_INT(pp_store_put(&ctx, staging, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(pp_read_file_at(s.inner, "store/user/2.1.3/plugin.json", &text), 0);
	CHECK_STR(pp_buf_cstr(&text), "2.1.3");
	CHECK_INT(pp_exists_at(s.inner, "var/staging/user-0"), 0);
	scratch_fini(&s);
}

static void
removal_takes_the_emptied_directories_along(void)
{
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "user", "2.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "@acme/photos", "1.2.0", NULL), PLUGPKG_OK);
	CHECK_INT(pp_store_remove(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.inner, "store/user/2.1.3"), 0);
	CHECK_INT(pp_exists_at(s.inner, "store/user/2.0.0"), 1);
	CHECK_INT(pp_store_remove(&ctx, "user", "2.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.inner, "store/user"), 0);
	CHECK_INT(pp_store_remove(&ctx, "@acme/photos", "1.2.0", NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.inner, "store/@acme"), 0);
	CHECK_INT(pp_exists_at(s.inner, "store"), 1);
	CHECK_INT(pp_store_remove(&ctx, "user", "2.0.0", NULL), PLUGPKG_OK);
	check_list(&ctx, NULL, 0);
	scratch_fini(&s);
}

/* S47 */
static void
removal_follows_no_link_and_leaves_the_store_to_nobody(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "zoo", "1.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(mkdirat(s.fd, "precious", 0755), 0);
	CHECK_INT(mkdirat(s.fd, "precious/data", 0755), 0);
	/* A version that replaced itself by a link to another's, and to the outside. */
	CHECK_INT(pp_rm_rf_at(s.inner, "store/zoo/1.0.0"), 0);
	CHECK_INT(symlinkat("../user/2.1.3", s.inner, "store/zoo/1.0.0"), 0);
	CHECK_INT(pp_store_remove(&ctx, "zoo", "1.0.0", &err), PLUGPKG_E_BAD_STATE);
	CHECK_HAS(plugpkg_error_message(err), "store/zoo/1.0.0' is no directory");
	CHECK_INT(pp_exists_at(s.inner, "store/user/2.1.3/plugin.json"), 1);
	/* The plugin's whole directory as a link. */
	CHECK_INT(pp_rm_rf_at(s.inner, "store/zoo"), 0);
	CHECK_INT(symlinkat("../../precious", s.inner, "store/zoo"), 0);
	CHECK_INT(pp_store_remove(&ctx, "zoo", "1.0.0", NULL), PLUGPKG_E_BAD_STATE);
	/* A link inside a version goes, what it leads to stays. */
	CHECK_INT(symlinkat("../../../../precious", s.inner, "store/user/2.1.3/link"), 0);
	CHECK_INT(pp_store_remove(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.fd, "precious/data"), 1);
	scratch_fini(&s);
}

/* Says how many versions and bytes went. */
static enum plugpkg_code
drop(plugpkg_context *ctx, const char *const *members, int64_t *versions, uint64_t *bytes,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

	*versions = 0;
	*bytes = 0;
	for (; *members != NULL; members++)
		pp_strs_add(&gone, *members);
	return pp_store_drop(ctx, &gone, versions, bytes, err);
}

static void
many_versions_go_at_once_and_are_counted(void)
{
	static const char *const first[] = { "@acme/photos 1.2.0", "user 2.0.0", "zoo 9.9.9",
		NULL };
	static const char *const left[] = { "user 2.1.3", "zoo 1.0.0" };
	static const char *const none[] = { NULL };
	int64_t versions = -1;
	uint64_t bytes = 0;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(put_version(&ctx, "user", "2.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "zoo", "1.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(put_version(&ctx, "@acme/photos", "1.2.0", NULL), PLUGPKG_OK);
	CHECK_INT(drop(&ctx, none, &versions, &bytes, NULL), PLUGPKG_OK);
	CHECK_INT(versions, 0);
	CHECK_INT(drop(&ctx, first, &versions, &bytes, NULL), PLUGPKG_OK);
	CHECK_INT(versions, 2); /* one was not there */
	CHECK_INT(bytes, 10);   /* five in each file */
	check_list(&ctx, left, PP_LEN(left));
	CHECK_INT(pp_exists_at(s.inner, "store/@acme"), 0);
	CHECK_INT(pp_exists_at(s.inner, "var/staging/removed-0"), 0);
	scratch_fini(&s);
}

static void
one_version_that_cannot_go_stops_the_rest_and_keeps_what_it_leads_to(void)
{
	static const char *const members[] = { "a 1.0.0", "m 1.0.0", "z 1.0.0", NULL };
	static const char *const left[] = { "z 1.0.0" };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	int64_t versions = -1;
	uint64_t bytes = 0;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	for (size_t i = 0; members[i] != NULL; i++)
		CHECK_INT(
		    put_version(&ctx, (char[]){ members[i][0], '\0' }, "1.0.0", NULL), PLUGPKG_OK);
	CHECK_INT(pp_rm_rf_at(s.inner, "store/m"), 0);
	CHECK_INT(mkdirat(s.fd, "precious", 0755), 0);
	CHECK_INT(mkdirat(s.fd, "precious/1.0.0", 0755), 0);
	CHECK_INT(symlinkat("../../precious", s.inner, "store/m"), 0);
	CHECK_INT(drop(&ctx, members, &versions, &bytes, &err), PLUGPKG_E_BAD_STATE);
	CHECK_HAS(plugpkg_error_message(err), "store/m' is no directory of this root");
	CHECK_INT(versions, 1);
	CHECK_INT(pp_exists_at(s.fd, "precious/1.0.0"), 1);
	CHECK_INT(pp_exists_at(s.inner, "var/staging/removed-0"), 0);
	check_list(&ctx, left, PP_LEN(left));
	scratch_fini(&s);
}

static void
the_stores_own_directories_are_no_links(void)
{
	static const char *const places[] = { "store", "var" };

	for (size_t i = 0; i < PP_LEN(places); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct scratch s;

		scratch_init(&s);
		struct plugpkg_context ctx = root_of(&s);

		CHECK_INT(mkdirat(s.fd, "elsewhere", 0755), 0);
		CHECK_INT(mkdirat(s.fd, "elsewhere/staging", 0755), 0);
		CHECK_INT(symlinkat("../elsewhere", s.inner, places[i]), 0);
		CHECK_INT(put_version(&ctx, "user", "2.1.3", &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err), "is no directory of this root");
		CHECK_INT(pp_exists_at(s.fd, "elsewhere/user"), 0);
		scratch_fini(&s);
	}
}

static void
names_that_are_no_names_never_become_paths(void)
{
	static const struct {
		const char *name, *version;
	} rows[] = {
		{ "../user", "1.0.0" },
		{ "user/..", "1.0.0" },
		{ "", "1.0.0" },
		{ "user", ".." },
		{ "user", "1.0.0/../../x" },
		{ "user", "current" },
		{ "user", "v1.0.0" },
		{ "user", "" },
	};
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		int fd = -1;

		CHECK(pp_store_put(&ctx, "x", rows[i].name, rows[i].version, NULL) != PLUGPKG_OK);
		CHECK(pp_store_remove(&ctx, rows[i].name, rows[i].version, NULL) != PLUGPKG_OK);
		CHECK(pp_store_open(&ctx, rows[i].name, rows[i].version, &fd, NULL) != PLUGPKG_OK);
		CHECK(pp_store_has(&ctx, rows[i].name, rows[i].version) < 0);
	}
	CHECK_INT(pp_exists_at(s.inner, "store"), 0);
	scratch_fini(&s);
}

static void
foreign_things_in_the_store_are_passed_over(void)
{
	static const char *const want[] = { "user 2.1.3" };
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	check_list(&ctx, NULL, 0);
	CHECK_INT(put_version(&ctx, "user", "2.1.3", NULL), PLUGPKG_OK);
	CHECK_INT(mkdirat(s.inner, "store/user/notes", 0755), 0);
	CHECK_INT(mkdirat(s.inner, "store/UPPER", 0755), 0);
	CHECK_INT(symlinkat("2.1.3", s.inner, "store/user/9.9.9"), 0);
	put_file(s.inner, "store/file", "x");
	check_list(&ctx, want, PP_LEN(want));
	scratch_fini(&s);
}

static void
the_digest_of_a_tree_sees_every_change(void)
{
	char before[65], after[65];
	struct scratch s;

	scratch_init(&s);
	put_file(s.inner, "b", "x");
	put_file(s.inner, "a", "y");
	CHECK_INT(mkdirat(s.inner, "d", 0755), 0);
	CHECK_INT(symlinkat("../a", s.inner, "d/l"), 0);
	CHECK_INT(pp_store_tree_digest(s.inner, before, NULL), PLUGPKG_OK);
	CHECK_INT(pp_store_tree_digest(s.inner, after, NULL), PLUGPKG_OK);
	CHECK_STR(after, before);
	CHECK_INT(fchmodat(s.inner, "a", 0555, 0), 0);
	CHECK_INT(pp_store_tree_digest(s.inner, after, NULL), PLUGPKG_OK);
	CHECK(strcmp(before, after) != 0);
	CHECK_INT(fchmodat(s.inner, "a", 0444, 0), 0);
	CHECK_INT(unlinkat(s.inner, "d/l", 0), 0);
	CHECK_INT(symlinkat("../b", s.inner, "d/l"), 0);
	CHECK_INT(pp_store_tree_digest(s.inner, after, NULL), PLUGPKG_OK);
	CHECK(strcmp(before, after) != 0);
	CHECK_INT(unlinkat(s.inner, "d/l", 0), 0);
	CHECK_INT(symlinkat("../a", s.inner, "d/l"), 0);
	CHECK_INT(pp_store_tree_digest(s.inner, after, NULL), PLUGPKG_OK);
	CHECK_STR(after, before);
	scratch_fini(&s);
}

/* clang-format off */
TAP_MAIN(
	CASE(staging_directories_are_private_and_new)
	CASE(a_version_appears_complete_and_beside_it_a_stable_name)
	CASE(what_is_stored_already_stays_as_it_is)
	CASE(removal_takes_the_emptied_directories_along)
	CASE(removal_follows_no_link_and_leaves_the_store_to_nobody)
	CASE(many_versions_go_at_once_and_are_counted)
	CASE(one_version_that_cannot_go_stops_the_rest_and_keeps_what_it_leads_to)
	CASE(the_stores_own_directories_are_no_links)
	CASE(names_that_are_no_names_never_become_paths)
	CASE(foreign_things_in_the_store_are_passed_over)
	CASE(the_digest_of_a_tree_sees_every_change))
