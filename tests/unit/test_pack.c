/* SPDX-License-Identifier: MIT */
/*
 * Directories into archives through the real helper: what goes in, what stays out, the same bytes.
 */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "lib/store/store.h"
#include "lib/store/tree.h"
#include "scratch.h"
#include "tap.h"
#include "tarball.h"

static const struct pp_unpack_limits usual = { .bytes = 1 << 20, .files = 1000 };

static enum plugpkg_code
unpack_bytes(struct scratch *s, const struct pp_buf *file, const struct pp_unpack_limits *limits,
    struct pp_unpacked *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = tar_file(pp_buf_cstr(file), file->n);

	return pp_unpack_scratch(NULL, fd, s->inner, "photos 1.2.0", limits, out, err);
}

static void
put(const struct scratch *s, const char *path, const char *text, mode_t mode)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL) {
		PP_AUTO_FREE char *parent = pp_xstrndup(path, (size_t)(slash - path));

		CHECK_INT(pp_mkdirs_at(s->inner, parent, 0755), 0);
	}
	PP_AUTO_FD int fd = openat(s->inner, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	CHECK_INT(fchmod(fd, mode), 0);
}

static enum plugpkg_code
pack_into(const struct scratch *s, struct pp_buf *out, struct pp_unpacked *got, plugpkg_error **err)
{
	PP_AUTO_FD int fd = tar_file("", 0);
	enum plugpkg_code rc = pp_pack(s->inner, "photos 1.2.0", 5, fd, got, err);

	pp_buf_clear(out);
	lseek(fd, 0, SEEK_SET);
	CHECK_INT(pp_fd_read_all(fd, out), 0);
	return rc;
}

static void
what_is_packed_is_unpacked_again(void)
{
	static const char *const want[] = { ".hidden", "a", "a-b", "a/b", "empty", "lib",
		"lib/link", "plugin.json", "run.sh" };
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	PP_AUTO_BUF struct pp_buf first = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf second = PP_BUF_INIT(TARBALL_MAX);
	struct pp_unpacked packed, unpacked;
	struct scratch from, to;

	scratch_init(&from);
	scratch_init(&to);
	put(&from, "run.sh", "#!/bin/sh\n", 0766);
	put(&from, "plugin.json", "{}", 0600);
	put(&from, ".hidden", "", 0644);
	put(&from, "a/b", "b", 0444);
	put(&from, "a-b", "ab", 0664);
	put(&from, ".git/config", "x", 0644);
	put(&from, "lib/.git", "gitdir: x", 0644);
	put(&from, "photos-1.1.0.plug", "old", 0644);
	CHECK_INT(mkdirat(from.inner, "empty", 0700), 0);
	CHECK_INT(symlinkat("../a/b", from.inner, "lib/link"), 0);
	CHECK_INT(pack_into(&from, &first, &packed, NULL), PLUGPKG_OK);
	/* Other times, other order in the directory: the same bytes. */
	put(&from, "zzz", "", 0644);
	CHECK_INT(unlinkat(from.inner, "zzz", 0), 0);
	put(&from, "plugin.json", "{}", 0644);
	CHECK_INT(pack_into(&from, &second, &packed, NULL), PLUGPKG_OK);
	CHECK(first.n == second.n && memcmp(first.s, second.s, first.n) == 0);
	CHECK_INT(
	    unpack_bytes(&to, &first,
		&(struct pp_unpack_limits){ packed.bytes, packed.files, true }, &unpacked, NULL),
	    PLUGPKG_OK);
	CHECK_INT(pp_tree_read(to.inner, &tree, NULL), PLUGPKG_OK);
	CHECK_INT(tree.nodes.n, PP_LEN(want));
	for (size_t i = 0; i < tree.nodes.n && i < PP_LEN(want); i++)
		CHECK_STR(tree.nodes.at[i].path, want[i]);
	CHECK_INT(mode_of(to.inner, "run.sh"), 0555);
	CHECK_INT(mode_of(to.inner, "a-b"), 0444);
	scratch_fini(&from);
	scratch_fini(&to);
}

/* Of what comes out, with the modes that it has there. */
static void
an_archive_states_the_digest_of_its_tree(void)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf large = PP_BUF_INIT(TARBALL_MAX);
	struct pp_unpacked packed;
	struct scratch from, to;
	char sha256[65] = "";

	for (int i = 0; i < 100000; i++)
		pp_buf_addf(&large, "%d\n", i);
	scratch_init(&from);
	scratch_init(&to);
	put(&from, "plugin.json", "{}", 0600);
	put(&from, "run.sh", "#!/bin/sh\n", 0700);
	put(&from, "a/b", "", 0644);
	put(&from, "a-b", pp_buf_cstr(&large), 0664);
	put(&from, "left-out.plug", "x", 0644);
	CHECK_INT(mkdirat(from.inner, "empty", 0700), 0);
	CHECK_INT(symlinkat("../a/b", from.inner, "empty/link"), 0);
	CHECK_INT(pack_into(&from, &file, &packed, NULL), PLUGPKG_OK);
	PP_AUTO_FD int fd = tar_file(file.s, file.n);
	struct pp_unpack_job job = {
		.archive_fd = fd,
		.dir_fd = to.inner,
		.what = "photos 1.2.0",
		.limits = { 1 << 20, 100, false },
	};

	CHECK_INT(pp_unpack_one(NULL, &job, NULL), PLUGPKG_OK);
	CHECK_INT(pp_store_tree_digest(to.inner, sha256, NULL), PLUGPKG_OK);
	CHECK_STR(job.tree_sha256, sha256);
	scratch_fini(&from);
	scratch_fini(&to);
}

static void
plugignore_leaves_files_out(void)
{
	static const char *const want[] = { "b", "b/c", "b/c/build", "d", "d/x.js", "plugin.json" };
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	struct pp_unpacked packed, unpacked;
	struct scratch from, to;

	scratch_init(&from);
	scratch_init(&to);
	put(&from, ".plugignore", "# a comment\n\n*.o\r\n/build\nd/*.ts\nnode_modules/\n*.json\n",
	    0644);
	put(&from, "plugin.json", "{}", 0644);
	put(&from, "other.json", "{}", 0644);
	put(&from, "a.o", "", 0644);
	put(&from, "b/c/e.o", "", 0644);
	put(&from, "build/x", "", 0644);
	put(&from, "b/c/build", "", 0644);
	put(&from, "d/x.ts", "", 0644);
	put(&from, "d/x.js", "", 0644);
	put(&from, "node_modules/x/index.js", "", 0644);
	CHECK_INT(pack_into(&from, &file, &packed, NULL), PLUGPKG_OK);
	CHECK_INT(unpack_bytes(&to, &file, &usual, &unpacked, NULL), PLUGPKG_OK);
	CHECK_INT(pp_tree_read(to.inner, &tree, NULL), PLUGPKG_OK);
	CHECK_INT(tree.nodes.n, PP_LEN(want));
	for (size_t i = 0; i < tree.nodes.n && i < PP_LEN(want); i++)
		CHECK_STR(tree.nodes.at[i].path, want[i]);
	scratch_fini(&from);
	scratch_fini(&to);
}

static void
what_would_be_refused_is_not_packed(void)
{
	static const struct {
		const char *name, *target;
		mode_t kind;
		const char *why;
	} rows[] = {
		{ "pipe", NULL, S_IFIFO | 0644, "'pipe' is a FIFO" },
		{ "sock", NULL, S_IFSOCK | 0644, "'sock' is a socket" },
		{ "root", NULL, S_IFREG | 04755, "'root' is setuid or setgid" },
		{ "PLUGIN.json", NULL, S_IFREG | 0644, "only in case" },
		{ "-rf", NULL, S_IFREG | 0644, "option" },
		{ "a\nb", NULL, S_IFREG | 0644, "control" },
		{ "out", "../../x", 0, "leaves the plugin" },
		{ "abs", "/etc", 0, "absolute" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_unpacked packed;
		struct scratch s;

		scratch_init(&s);
		put(&s, "plugin.json", "{}", 0644);
		if (rows[i].target != NULL) {
			CHECK_INT(symlinkat(rows[i].target, s.inner, rows[i].name), 0);
		} else {
			CHECK_INT(mknodat(s.inner, rows[i].name, rows[i].kind, 0), 0);
			CHECK_INT(fchmodat(s.inner, rows[i].name, rows[i].kind & 07777, 0), 0);
		}
		CHECK_INT(pack_into(&s, &file, &packed, &err), PLUGPKG_E_BAD_ARCHIVE);
		CHECK_HAS(plugpkg_error_message(err), "cannot pack photos 1.2.0: ");
		CHECK_HAS(plugpkg_error_message(err), rows[i].why);
		scratch_fini(&s);
	}
}

/* clang-format off */
TAP_MAIN(
	CASE(what_is_packed_is_unpacked_again)
	CASE(an_archive_states_the_digest_of_its_tree)
	CASE(plugignore_leaves_files_out)
	CASE(what_would_be_refused_is_not_packed))
