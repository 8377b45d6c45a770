/* SPDX-License-Identifier: MIT */
/* Archives through the real helper: what the policy refuses, what comes out, what goes in. */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/store.h"
#include "scratch.h"
#include "tap.h"
#include "tarball.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct pp_unpack_limits usual = { .bytes = 1 << 20, .files = 1000 };

/* Nothing but inner/ stands beside the directory that was unpacked into. */
static void
check_nothing_outside(const struct scratch *s)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };

	CHECK_INT(pp_list_dir(s->fd, ".", &names), 0);
	CHECK_INT(names.n, 1);
}

static enum plugpkg_code
unpack_bytes(struct scratch *s, const struct pp_buf *file, const struct pp_unpack_limits *limits,
    struct pp_unpacked *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = tar_file(pp_buf_cstr(file), file->n);

	return pp_unpack_scratch(NULL, fd, s->inner, "photos 1.2.0", limits, out, err);
}

/* Compresses the tar, unpacks it into a fresh directory and wants the refusal. */
static void
check_refused(const struct pp_buf *tar, const struct pp_unpack_limits *limits, const char *why)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_unpacked got;
	struct scratch s;

	scratch_init(&s);
	tar_gzip(&file, pp_buf_cstr(tar), tar->n);
	CHECK_INT(unpack_bytes(&s, &file, limits, &got, &err), PLUGPKG_E_BAD_ARCHIVE);
	CHECK_HAS(plugpkg_error_message(err), "archive of photos 1.2.0: ");
	CHECK_HAS(plugpkg_error_message(err), why);
	check_nothing_outside(&s);
	scratch_fini(&s);
}

static void
check_accepted(const struct pp_buf *tar, const struct pp_unpack_limits *limits)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_unpacked got;
	struct scratch s;

	scratch_init(&s);
	tar_gzip(&file, pp_buf_cstr(tar), tar->n);
	if (!CHECK_INT(unpack_bytes(&s, &file, limits, &got, &err), PLUGPKG_OK))
		tap_value("error", plugpkg_error_message(err));
	scratch_fini(&s);
}

struct hostile {
	struct tar_member members[3];
	const char *why;
};

#define FILE_AT(n)                                                                                 \
	{                                                                                          \
		.name = (n), .text = "x"                                                           \
	}
#define DIR_AT(n)                                                                                  \
	{                                                                                          \
		.name = (n), .type = '5'                                                           \
	}
#define LINK_AT(n, to)                                                                             \
	{                                                                                          \
		.name = (n), .type = '2', .link = (to)                                             \
	}
#define TEN(s) s s s s s s s s s s

static const struct hostile hostiles[] = {
	/* S29, S33: paths */
	{ { FILE_AT("/etc/evil") }, "'/etc/evil' has an absolute path" },
	{ { FILE_AT("../evil") }, "'../evil' has a '.' or '..' component" },
	{ { FILE_AT("a/../../evil") }, "'.' or '..'" },
	{ { FILE_AT("a/..") }, "'.' or '..'" },
	{ { DIR_AT("..") }, "'.' or '..'" },
	{ { DIR_AT("./") }, "'.' or '..'" },
	{ { FILE_AT("./a") }, "'.' or '..'" },
	{ { FILE_AT("a//b") }, "empty component" },
	{ { FILE_AT("../../other/1.0/x") }, "'.' or '..'" },
	/* S30: through links, in either order */
	{ { LINK_AT("d", "../.."), FILE_AT("d/evil") }, "leaves the plugin" },
	{ { DIR_AT("e"), LINK_AT("d", "e"), FILE_AT("d/f") }, "lies below 'd', which is no dir" },
	{ { FILE_AT("d/f"), LINK_AT("d", "e") }, "'d' stands in the archive twice" },
	{ { LINK_AT("l", "/etc/passwd") }, "absolute target" },
	{ { LINK_AT("l", "..") }, "leaves the plugin" },
	{ { LINK_AT("a/l", "../..") }, "leaves the plugin" },
	{ { LINK_AT("a/l", "./../..") }, "leaves the plugin" },
	{ { LINK_AT("a/b/l", "../.."), LINK_AT("m", "a/b/l/..") }, "'..' after a name" },
	{ { LINK_AT("l", "a/../../b") }, "'..' after a name" },
	{ { LINK_AT("l", "") }, "link to nothing" },
	{ { LINK_AT("l", "a\nb") }, "target is no valid path" },
	/* S31, S36: kinds */
	{ { { .name = "h", .type = '1', .link = "/etc/passwd" } }, "'h' is a hard link" },
	{ { { .name = "h", .type = '1', .link = "plugin.json" } }, "'h' is a hard link" },
	{ { { .name = "n", .type = '3' } }, "is a device" },
	{ { { .name = "n", .type = '4' } }, "is a device" },
	{ { { .name = "n", .type = '6' } }, "is a FIFO" },
	{ { { .name = "n", .type = '7', .text = "x" } }, "header of another kind" },
	/* S32, S39: twice, and one in place of another */
	{ { FILE_AT("a"), FILE_AT("a") }, "'a' stands in the archive twice" },
	{ { DIR_AT("a"), DIR_AT("a") }, "twice" },
	{ { DIR_AT("a/"), DIR_AT("a") }, "twice" },
	{ { LINK_AT("a", "b"), DIR_AT("a") }, "twice" },
	{ { DIR_AT("a"), LINK_AT("a", "b") }, "twice" },
	{ { FILE_AT("a"), FILE_AT("a/b") }, "lies below 'a', which is no directory" },
	{ { FILE_AT("plugin.json") }, "'plugin.json' stands in the archive twice" },
	/* S35: modes */
	{ { { .name = "s", .text = "x", .mode = 04755 } }, "setuid, setgid, sticky" },
	{ { { .name = "s", .text = "x", .mode = 02755 } }, "setuid, setgid, sticky" },
	{ { { .name = "s", .text = "x", .mode = 01644 } }, "setuid, setgid, sticky" },
	{ { { .name = "s", .text = "x", .mode = 0666 } }, "writable by everybody" },
	{ { { .name = "s", .type = '5', .mode = 01777 } }, "writable by everybody" },
	/* S40: names that some file system takes for one */
	{ { FILE_AT("File"), FILE_AT("file") }, "differs from 'File' only in case" },
	{ { FILE_AT("Dir/a"), FILE_AT("dir/b") }, "differs from 'Dir' only in case" },
	{ { FILE_AT("\xc3\x89"), FILE_AT("\xc3\xa9") }, "only in case" },
	{ { FILE_AT("Plugin.json") }, "differs from 'plugin.json' only in case" },
	{ { FILE_AT("e\xcc\x81") }, "combining character" },
	{ { FILE_AT("\xe2\x84\xab") }, "combining character" },
	/* S34, S50 to S52: names that mean something to others */
	{ { FILE_AT("a\nb") }, "control" },
	{ { FILE_AT("a\x1b[2J") }, "control" },
	{ { FILE_AT("a\x7f") }, "control" },
	{ { FILE_AT("a\xc2\x9b") }, "control" },
	{ { FILE_AT("a\xe2\x80\xae") }, "control" },
	{ { FILE_AT("\xff\xfe") }, "no UTF-8" },
	{ { FILE_AT("\xc0\xaf") }, "no UTF-8" },
	{ { FILE_AT("\xed\xa0\x80") }, "no UTF-8" },
	{ { FILE_AT("-rf") }, "could be taken for an option" },
	{ { FILE_AT(" ") }, "starts or ends with a blank" },
	{ { FILE_AT("a ") }, "starts or ends with a blank" },
	/* S37, S41: sparse files and sizes that contradict */
	{ { { .name = "s", .type = 'S', .text = "x" } }, "sparse" },
};

static void
hostile_entries_are_refused(void)
{
	for (size_t i = 0; i < PP_LEN(hostiles); i++) {
		PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

		tar_begin(&tar);
		for (size_t k = 0; k < 3 && hostiles[i].members[k].name != NULL; k++)
			tar_add(&tar, &hostiles[i].members[k]);
		tar_end(&tar);
		check_refused(&tar, &usual, hostiles[i].why);
	}
}

static void
hostile_entries_are_refused_without_openat2(void)
{
	setenv("PLUGPKG_NO_OPENAT2", "1", 1);
	hostile_entries_are_refused();
	unsetenv("PLUGPKG_NO_OPENAT2");
}

static void
harmless_oddities_are_accepted(void)
{
	static const struct tar_member odd[] = {
		DIR_AT("lib/"),
		FILE_AT("lib/-rf"),
		FILE_AT("lib/a b"),
		FILE_AT("lib/_foo.js"),
		FILE_AT(".npmignore"),
		FILE_AT("lib/\xc3\xa9t\xc3\xa9"),
		FILE_AT("\xe6\x97\xa5\xe6\x9c\xac"),
		FILE_AT("new/dir/file"),
		DIR_AT("new"),
		LINK_AT("lib/up", "../plugin.json"),
		LINK_AT("lib/same", "./a b"),
		LINK_AT("nowhere", "not/there"),
		LINK_AT("top", "."),
		FILE_AT(".plugins.json"),
		FILE_AT("current"),
		FILE_AT("back\\slash"),
		{ .name = "group", .text = "x", .mode = 0664 },
		{ .name = "none", .type = '5', .mode = 01 },
		{ .name = "old", .text = "x", .magic = "ustar  \0" },
	};
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	for (size_t i = 0; i < PP_LEN(odd); i++)
		tar_add(&tar, &odd[i]);
	tar_end(&tar);
	check_accepted(&tar, &usual);
}

static void
long_and_deep_names_have_limits(void)
{
	static const struct {
		const char *part;
		unsigned times, tail;
		const char *why; /* NULL = fine */
	} rows[] = {
		{ "", 0, 255, NULL },
		{ "", 0, 256, "more than 255 bytes" },
		{ "a/", 63, 1, NULL },
		{ "a/", 64, 1, "more than 64 levels" },
		{ TEN("0123456789") "/", 10, 14, NULL },
		{ TEN("0123456789") "/", 10, 15, "more than 1024 bytes" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
		PP_AUTO_BUF struct pp_buf path = PP_BUF_INIT(4096);

		for (unsigned k = 0; k < rows[i].times; k++)
			pp_buf_adds(&path, rows[i].part);
		for (unsigned k = 0; k < rows[i].tail; k++)
			pp_buf_addc(&path, 'z');
		tar_begin(&tar);
		tar_add_pax(&tar, "path", pp_buf_cstr(&path));
		tar_add(&tar, &(struct tar_member){ .name = "short", .text = "x" });
		tar_end(&tar);
		if (rows[i].why == NULL)
			check_accepted(&tar, &usual);
		else
			check_refused(&tar, &usual, rows[i].why);
	}
}

static void
plugin_json_comes_first_and_is_a_file(void)
{
	static const struct hostile rows[] = {
		{ { { .name = NULL } }, "holds no 'plugin.json'" },
		{ { FILE_AT("a"), FILE_AT("plugin.json") }, "'a' is the first entry" },
		{ { LINK_AT("plugin.json", "x") }, "'plugin.json' is the first entry" },
		{ { DIR_AT("plugin.json") }, "'plugin.json' is the first entry" },
		{ { FILE_AT("x/plugin.json") }, "is the first entry" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

		for (size_t k = 0; k < 3 && rows[i].members[k].name != NULL; k++)
			tar_add(&tar, &rows[i].members[k]);
		tar_end(&tar);
		check_refused(&tar, &usual, rows[i].why);
	}
}

static void
headers_that_contradict_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	tar_add_pax(&tar, "size", "3");
	tar_add(&tar, &(struct tar_member){ .name = "a", .text = "x" });
	tar_end(&tar);
	check_refused(&tar, &usual, "'a' has two sizes");

	pp_buf_clear(&tar);
	tar_begin(&tar);
	tar_add_pax(&tar, "GNU.sparse.major", "1");
	tar_add_pax(&tar, "GNU.sparse.realsize", "1000000000000");
	tar_add(&tar, &(struct tar_member){ .name = "a", .text = "1\n0\n1\n" });
	tar_end(&tar);
	check_refused(&tar, &usual, "");

	pp_buf_clear(&tar);
	tar_begin(&tar);
	tar_add(&tar, &(struct tar_member){ .name = "a", .type = '5', .text = "x" });
	tar_end(&tar);
	check_refused(&tar, &usual, "");
}

static void
totals_are_limits_and_with_a_record_exact(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	tar_add(&tar, &(struct tar_member){ .name = "d/file", .text = "12345678" });
	tar_end(&tar);
	/* 10 bytes; plugin.json, d and d/file */
	check_accepted(&tar, &(struct pp_unpack_limits){ 10, 3, true });
	check_accepted(&tar, &(struct pp_unpack_limits){ 10, 3, false });
	check_refused(&tar, &(struct pp_unpack_limits){ 9, 3, false },
	    "'d/file' brings the contents above the 9 bytes");
	check_refused(&tar, &(struct pp_unpack_limits){ 10, 2, false },
	    "'d/file' is one more than the 2 files");
	check_refused(&tar, &(struct pp_unpack_limits){ 11, 3, true },
	    "holds 10 bytes in 3 files, not the 11 bytes in 3 files");
	check_refused(&tar, &(struct pp_unpack_limits){ 10, 4, true }, "not the 10 bytes in 4");
	check_refused(&tar, &(struct pp_unpack_limits){ 10, 2000000, true }, "are the most");
}

static void
a_small_file_that_unpacks_to_much_is_stopped(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_FREE char *zeros = pp_xcalloc(1, 6u << 20);

	memset(zeros, '0', (6u << 20) - 1);
	tar_begin(&tar);
	tar_add(&tar, &(struct tar_member){ .name = "big", .text = zeros });
	tar_end(&tar);
	check_refused(&tar, &usual, "above the 1048576 bytes");

	/* Hidden from the sum of sizes: padding after the end. */
	pp_buf_clear(&tar);
	tar_begin(&tar);
	tar_end(&tar);
	memset(zeros, 0, 6u << 20);
	pp_buf_add(&tar, zeros, 6u << 20);
	check_refused(&tar, &(struct pp_unpack_limits){ 10, 10, false }, "unpacks to more bytes");
}

static void
every_cut_of_the_tar_is_refused(void)
{
	PP_AUTO_BUF struct pp_buf whole = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_FREE char *text = pp_xcalloc(1, 2000);

	memset(text, 'x', 1999);
	tar_begin(&whole);
	tar_add(&whole, &(struct tar_member){ .name = "d", .type = '5' });
	tar_add(&whole, &(struct tar_member){ .name = "d/file", .text = text });
	tar_add(&whole, &(struct tar_member){ .name = "l", .type = '2', .link = "d" });
	tar_end(&whole);
	check_accepted(&whole, &usual);
	for (size_t n = 0; n < whole.n; n += 256) {
		PP_AUTO_BUF struct pp_buf cut = PP_BUF_INIT(TARBALL_MAX);

		pp_buf_add(&cut, whole.s, n);
		check_refused(&cut, &usual, "");
	}
}

static void
the_end_is_where_it_has_to_be(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	tar_end(&tar);
	tar_end(&tar); /* more zeros are padding */
	check_accepted(&tar, &usual);
	tar_add(&tar, &(struct tar_member){ .name = "after", .text = "x" });
	tar_end(&tar);
	check_refused(&tar, &usual, "has data after its end");
}

static void
other_formats_are_refused(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *why;
	} rows[] = {
		{ "", 0, "no tar compressed with zstd or gzip" },
		{ "PK\003\004", 4, "no tar compressed" },
		{ "Rar!\x1a\007\001\0", 8, "no tar compressed" },
		{ "070701000000", 12, "no tar compressed" },
		{ "!<arch>\n", 8, "no tar compressed" },
		{ "7z\xbc\xaf\x27\x1c", 6, "no tar compressed" },
		{ "\xfd"
		  "7zXZ\0",
		    6, "no tar compressed" },
		{ "BZh91AY&SY", 10, "no tar compressed" },
		{ "#mtree\n", 7, "no tar compressed" },
		{ "\x28\xb5\x2f\xfd", 4, "is damaged" },
		{ "\x28\xb5\x2f\xfd garbage garbage", 20, "is damaged" },
		{ "\x1f\x8b\x08\0", 4, "is damaged" },
		{ "\x50\x2a\x4d\x18\0\0\0\0", 8, "no tar compressed" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
		PP_AUTO_BUF struct pp_buf inside = PP_BUF_INIT(TARBALL_MAX);
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_unpacked got;
		struct scratch s;

		scratch_init(&s);
		pp_buf_add(&file, rows[i].bytes, rows[i].n);
		CHECK_INT(unpack_bytes(&s, &file, &usual, &got, &err), PLUGPKG_E_BAD_ARCHIVE);
		CHECK_HAS(plugpkg_error_message(err), rows[i].why);
		scratch_fini(&s);
		/* The same inside a proper compression. */
		pp_buf_add(&inside, rows[i].bytes, rows[i].n);
		pp_buf_add(&inside, (char[600]){ 1 }, 600);
		check_refused(&inside, &usual, "");
	}
}

static void
one_compression_is_enough(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf once = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	tar_end(&tar);
	tar_gzip(&once, tar.s, tar.n);
	check_refused(&once, &usual, "holds no tar");
}

static void
bytes_after_the_compressed_data_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_unpacked got;
	struct scratch s;

	scratch_init(&s);
	tar_begin(&tar);
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	pp_buf_adds(&file, "and more");
	CHECK_INT(unpack_bytes(&s, &file, &usual, &got, &err), PLUGPKG_E_BAD_ARCHIVE);
	CHECK_HAS(plugpkg_error_message(err), "bytes after the compressed data");
	scratch_fini(&s);
}

static void
modes_do_not_depend_on_archive_or_umask(void)
{
	static const mode_t masks[] = { 0, 022, 077 };

	for (size_t i = 0; i < PP_LEN(masks); i++) {
		PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
		PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
		mode_t before = umask(masks[i]);
		struct pp_unpacked got;
		struct scratch s;

		scratch_init(&s);
		tar_begin(&tar);
		tar_add(&tar, &(struct tar_member){ .name = "run", .text = "x", .mode = 0700 });
		tar_add(&tar, &(struct tar_member){ .name = "d/e/f", .text = "x", .mode = 0400 });
		tar_add(&tar, &(struct tar_member){ .name = "g", .type = '5', .mode = 0100 });
		tar_end(&tar);
		tar_gzip(&file, tar.s, tar.n);
		CHECK_INT(unpack_bytes(&s, &file, &usual, &got, NULL), PLUGPKG_OK);
		CHECK_INT(got.bytes, 4);
		CHECK_INT(got.files, 6);
		CHECK_INT(mode_of(s.inner, "plugin.json"), 0444);
		CHECK_INT(mode_of(s.inner, "run"), 0555);
		CHECK_INT(mode_of(s.inner, "d"), 0755);
		CHECK_INT(mode_of(s.inner, "d/e/f"), 0444);
		CHECK_INT(mode_of(s.inner, "g"), 0755);
		umask(before);
		scratch_fini(&s);
	}
}

/* Exchanges a directory and a link to the outside as fast as it can, until it is killed. */
static pid_t
start_racer(const struct scratch *s)
{
	CHECK_INT(mkdirat(s->inner, "trap", 0755), 0);
	CHECK_INT(unlinkat(s->inner, "trap", AT_REMOVEDIR), 0);
	CHECK_INT(symlinkat("../outside", s->inner, "trap"), 0);
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			(void)renameat2(s->inner, "trap", s->inner, "d", RENAME_EXCHANGE);
	}
	return pid;
}

static void
a_racer_gets_nothing_outside(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);

	tar_begin(&tar);
	tar_add(&tar, &(struct tar_member){ .name = "d", .type = '5' });
	for (int i = 0; i < 500; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/%s%d", i % 5 == 0 ? "sub/" : "", i);
		tar_add(&tar, &(struct tar_member){ .name = name, .text = "x" });
	}
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	for (int round = 0; round < 40; round++) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs outside = { 0 };
		struct pp_unpacked got;
		struct scratch s;

		scratch_init(&s);
		CHECK_INT(mkdirat(s.fd, "outside", 0755), 0);
		pid_t racer = start_racer(&s);

		(void)unpack_bytes(&s, &file, &usual, &got, NULL);
		kill(racer, SIGKILL);
		CHECK_INT(waitpid(racer, NULL, 0), racer);
		CHECK_INT(pp_list_dir(s.fd, "outside", &outside), 0);
		CHECK_INT(outside.n, 0);
		scratch_fini(&s);
	}
}

struct list {
	struct pp_unpack_job *jobs;
	size_t n, next;
};

static enum plugpkg_code
next_of_list(void *user, struct pp_unpack_job **out, plugpkg_error **err PP_UNUSED)
{
	struct list *list = user;

	*out = list->next < list->n ? &list->jobs[list->next++] : NULL;
	return PLUGPKG_OK;
}

static enum plugpkg_code
done_of_list(
    void *user PP_UNUSED, struct pp_unpack_job *job PP_UNUSED, plugpkg_error **err PP_UNUSED)
{
	return PLUGPKG_OK;
}

static void
many_archives_go_through_together(void)
{
	struct pp_unpack_job jobs[7] = { 0 };
	char names[PP_LEN(jobs)][16];
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct scratch s;

	scratch_init(&s);
	for (int bad = 0; bad < 2; bad++) {
		for (size_t i = 0; i < PP_LEN(jobs); i++) {
			PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
			PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
			char name[16];

			tar_begin(&tar);
			for (size_t k = 0; k <= i; k++) {
				snprintf(name, sizeof(name), "file%zu", k);
				tar_add(&tar, &(struct tar_member){ .name = name, .text = "x" });
			}
			if (bad == 1 && i == 4)
				tar_add(&tar, &(struct tar_member){ .name = "../x", .text = "x" });
			tar_end(&tar);
			tar_gzip(&file, tar.s, tar.n);
			snprintf(names[i], sizeof(names[i]), "%d-%zu", bad, i);
			CHECK_INT(mkdirat(s.inner, names[i], 0700), 0);
			jobs[i] = (struct pp_unpack_job){
				.archive_fd = tar_file(file.s, file.n),
				.dir_fd = pp_opendir_at(s.inner, names[i]),
				.name = names[i],
				.what = bad == 1 && i == 4 ? "evil 1.0" : "good 1.0",
				.limits = { i + 3, i + 2, true },
				.is_digested = true,
				.is_short = i != 2, /* nobody waits behind that one */
			};
		}
		struct list list = { jobs, PP_LEN(jobs), 0 };
		const struct pp_unpack_queue queue = { next_of_list, done_of_list, &list, s.inner,
			s.fd };

		CHECK_INT(pp_unpack_queue(NULL, &queue, &err),
		    bad == 1 ? PLUGPKG_E_BAD_ARCHIVE : PLUGPKG_OK);
		for (size_t i = 0; i < PP_LEN(jobs); i++) {
			if (bad == 0)
				CHECK_INT(jobs[i].result.files, i + 2);
			pp_auto_fd(&jobs[i].archive_fd);
			pp_auto_fd(&jobs[i].dir_fd);
		}
	}
	CHECK_HAS(plugpkg_error_message(err), "archive of evil 1.0: '../x'");
	scratch_fini(&s);
}

/* What the helper tells of what it wrote is what `check` will find. */
static void
the_digest_is_that_of_the_tree(void)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf large = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	char sha256[65] = "";
	struct scratch s;

	for (int i = 0; i < 100000; i++)
		pp_buf_addf(&large, "%d\n", i);
	scratch_init(&s);
	tar_begin(&tar);
	/* Sorted by whole paths "a-b" stands before "a/b", and "a" before both. */
	tar_add(&tar, &(struct tar_member){ .name = "b/run", .text = "x", .mode = 0755 });
	tar_add(&tar, &(struct tar_member){ .name = "a/b", .text = "" });
	tar_add(&tar, &(struct tar_member){ .name = "a-b", .text = pp_buf_cstr(&large) });
	tar_add(&tar, &(struct tar_member){ .name = "empty", .type = '5' });
	tar_add(&tar, &(struct tar_member){ .name = "link", .type = '2', .link = "a/b" });
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	PP_AUTO_FD int fd = tar_file(file.s, file.n);
	struct pp_unpack_job job = {
		.archive_fd = fd,
		.dir_fd = s.inner,
		.what = "good 1.0",
		.limits = usual,
		.is_digested = true,
	};

	CHECK_INT(pp_unpack_one(NULL, &job, &err), PLUGPKG_OK);
	CHECK_INT(pp_store_tree_digest(s.inner, sha256, &err), PLUGPKG_OK);
	CHECK_STR(job.tree_sha256, sha256);
	scratch_fini(&s);
}

static void
a_missing_helper_and_a_wish_to_stop_are_said(void)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_FREE char *libexec = pp_xstrdup(getenv("PLUGPKG_LIBEXEC"));
	struct plugpkg_context ctx = { .cancelled = 1 };
	struct pp_unpacked got;
	struct scratch s;

	scratch_init(&s);
	PP_AUTO_FD int fd = tar_file("", 0);

	CHECK_INT(
	    pp_unpack_scratch(&ctx, fd, s.inner, "x 1", &usual, &got, &err), PLUGPKG_E_INTERRUPTED);
	setenv("PLUGPKG_LIBEXEC", "/nonexistent", 1);
	CHECK_INT(unpack_bytes(&s, &file, &usual, &got, &err), PLUGPKG_E_IO);
	CHECK_HAS(plugpkg_error_message(err), "/nonexistent/plugpkg-unpack");
	CHECK_HAS(plugpkg_error_hint(err), "incomplete");
	if (libexec != NULL)
		setenv("PLUGPKG_LIBEXEC", libexec, 1);
	else
		unsetenv("PLUGPKG_LIBEXEC");
	scratch_fini(&s);
}

/* clang-format off */
TAP_MAIN(
	CASE(hostile_entries_are_refused)
	CASE(hostile_entries_are_refused_without_openat2)
	CASE(harmless_oddities_are_accepted)
	CASE(long_and_deep_names_have_limits)
	CASE(plugin_json_comes_first_and_is_a_file)
	CASE(headers_that_contradict_are_refused)
	CASE(totals_are_limits_and_with_a_record_exact)
	CASE(a_small_file_that_unpacks_to_much_is_stopped)
	CASE(every_cut_of_the_tar_is_refused)
	CASE(the_end_is_where_it_has_to_be)
	CASE(other_formats_are_refused)
	CASE(one_compression_is_enough)
	CASE(bytes_after_the_compressed_data_are_refused)
	CASE(modes_do_not_depend_on_archive_or_umask)
	CASE(a_racer_gets_nothing_outside)
	CASE(many_archives_go_through_together)
	CASE(the_digest_is_that_of_the_tree)
	CASE(a_missing_helper_and_a_wish_to_stop_are_said))
