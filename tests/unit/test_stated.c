/* SPDX-License-Identifier: MIT */
/* Archives that state the digest of their tree, through the real helper. */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "lib/store/store.h"
#include "scratch.h"
#include "tap.h"
#include "tarball.h"

static const struct pp_unpack_limits usual = { .bytes = 1 << 20, .files = 1000 };

#define XATTR       "SCHILY.xattr.user.plugpkg.tree"
#define HEX64_TAIL  "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX64       "0" HEX64_TAIL
#define OTHER_HEX64 "1" HEX64_TAIL

/* An archive of plugin.json and one file; each value stands in an extended header of the first. */
static enum plugpkg_code
unpack_stating(
    const char *const *values, struct pp_unpack_job *job, char out_tree[65], plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf header = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	struct scratch s;

	scratch_init(&s);
	for (; *values != NULL; values++)
		tar_pax_record(&header, XATTR, *values);
	if (header.n > 0)
		tar_add(
		    &tar, &(struct tar_member){
			      .name = "PaxHeader/x", .type = 'x', .text = pp_buf_cstr(&header) });
	tar_begin(&tar);
	tar_add(&tar, &(struct tar_member){ .name = "a", .text = "contents" });
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	PP_AUTO_FD int fd = tar_file(file.s, file.n);

	job->archive_fd = fd;
	job->dir_fd = s.inner;
	job->what = "photos 1.2.0";
	job->limits = usual;
	enum plugpkg_code rc = pp_unpack_one(NULL, job, err);
	CHECK_INT(pp_store_tree_digest(s.inner, out_tree, NULL), PLUGPKG_OK);
	scratch_fini(&s);
	return rc;
}

static void
a_stated_digest_is_believed_or_compared(void)
{
	static const char *const none[] = { NULL }, *const false_one[] = { HEX64, NULL };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_unpack_job wanted = { .is_digested = true };
	struct pp_unpack_job unwanted = { .is_digested = false };
	struct pp_unpack_job compared = { .is_digested = true, .is_compared = true };
	char tree[65], other[65];

	CHECK_INT(unpack_stating(none, &unwanted, tree, NULL), PLUGPKG_OK);
	CHECK_STR(unwanted.tree_sha256, "");
	CHECK_INT(unpack_stating(none, &compared, tree, NULL), PLUGPKG_OK);
	CHECK_STR(compared.tree_sha256, tree);
	CHECK_INT(unpack_stating(false_one, &unwanted, other, NULL), PLUGPKG_OK);
	CHECK_STR(unwanted.tree_sha256, HEX64);
	CHECK_INT(unpack_stating(false_one, &wanted, other, NULL), PLUGPKG_OK);
	CHECK_STR(wanted.tree_sha256, HEX64);
	const char *const twice[] = { HEX64, HEX64, NULL };
	CHECK_INT(unpack_stating(twice, &wanted, other, NULL), PLUGPKG_OK);
	CHECK_STR(wanted.tree_sha256, HEX64);
	CHECK_INT(unpack_stating(false_one, &compared, other, &err), PLUGPKG_E_BAD_ARCHIVE);
	CHECK_HAS(plugpkg_error_message(err),
	    "archive of photos 1.2.0: it states another digest of its tree than its contents have");

	const char *const true_one[] = { tree, NULL };
	CHECK_INT(unpack_stating(true_one, &compared, other, NULL), PLUGPKG_OK);
	CHECK_STR(compared.tree_sha256, tree);
	CHECK_STR(other, tree);
	compared.is_look = true;
	CHECK_INT(unpack_stating(true_one, &compared, other, NULL), PLUGPKG_OK);
	CHECK_STR(compared.tree_sha256, tree);
	CHECK(strcmp(other, tree) != 0); /* not all of it was written */
}

static void
a_digest_that_is_none_is_refused(void)
{
	static const struct {
		const char *values[3], *why;
	} rows[] = {
		{ { "" }, "of 0 bytes, not of 64" },
		{ { "0123" }, "of 4 bytes, not of 64" },
		{ { HEX64 "0" }, "of 65 bytes, not of 64" },
		{ { HEX64 "\n" }, "of 65 bytes, not of 64" },
		{ { "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" },
		    "not 64 lower-case hex digits" },
		{ { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg" },
		    "not 64 lower-case hex digits" },
		{ { HEX64, OTHER_HEX64 }, "states two digests of its tree" },
	};

	for (size_t i = 0; i < PP_LEN(rows) * 2; i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_unpack_job job = { .is_look = i >= PP_LEN(rows) };
		char tree[65];

		CHECK_INT(unpack_stating(rows[i % PP_LEN(rows)].values, &job, tree, &err),
		    PLUGPKG_E_BAD_ARCHIVE);
		CHECK_HAS(plugpkg_error_message(err), "archive of photos 1.2.0: it ");
		CHECK_HAS(plugpkg_error_message(err), rows[i % PP_LEN(rows)].why);
	}
}

/* Other attributes, other files' and those of a global header state nothing. */
static void
only_plugin_json_states_a_digest(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	struct pp_unpack_job job = { .what = "photos 1.2.0", .limits = usual };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct scratch s;

	scratch_init(&s);
	tar_add(&tar, &(struct tar_member){
			  .name = "PaxHeader/g", .type = 'g', .text = "99 " XATTR "=" HEX64 "\n" });
	tar_begin(&tar);
	tar_add_pax(&tar, "SCHILY.xattr.user.plugpkg.tree2", HEX64);
	tar_add(&tar, &(struct tar_member){ .name = "b", .text = "contents" });
	tar_add_pax(&tar, XATTR, HEX64);
	tar_add(&tar, &(struct tar_member){ .name = "a", .text = "contents" });
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	PP_AUTO_FD int fd = tar_file(file.s, file.n);

	job.archive_fd = fd;
	job.dir_fd = s.inner;
	CHECK_INT(pp_unpack_one(NULL, &job, &err), PLUGPKG_OK);
	CHECK_STR(err != NULL ? plugpkg_error_message(err) : "", "");
	CHECK_STR(job.tree_sha256, "");
	scratch_fini(&s);
}

/* clang-format off */
TAP_MAIN(
	CASE(a_stated_digest_is_believed_or_compared)
	CASE(a_digest_that_is_none_is_refused)
	CASE(only_plugin_json_states_a_digest))
