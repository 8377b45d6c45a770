/* SPDX-License-Identifier: MIT */
/* Looks into archives through the real helper: what of them is told, and what is written. */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "base/path.h"
#include "scratch.h"
#include "tap.h"
#include "tarball.h"

#include <stdlib.h>

static const struct pp_unpack_limits usual = { .bytes = 1 << 20, .files = 1000 };

/* What became of a look: names of what was written, with blanks between; "" for no directory. */
struct looked {
	enum plugpkg_code rc;
	char *manifest;
	struct pp_buf files, written; /* written: as plugin.json */
	struct pp_unpacked result;
};

static void
looked_fini(struct looked *l)
{
	free(l->manifest);
	pp_buf_fini(&l->files);
	pp_buf_fini(&l->written);
}

struct looking {
	struct pp_unpack_job job;
	struct looked *out;
	int beyond_fd;
	bool is_given;
};

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err PP_UNUSED)
{
	struct looking *l = user;

	*out = l->is_given ? NULL : &l->job;
	l->is_given = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
job_done(void *user, struct pp_unpack_job *job, plugpkg_error **err PP_UNUSED)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct looking *l = user;

	l->out->manifest = job->manifest;
	l->out->result = job->result;
	CHECK_INT(pp_exists_at(l->beyond_fd, "7"), job->manifest == NULL);
	CHECK_INT(job->dir_fd >= 0, job->manifest == NULL);
	if (job->dir_fd < 0)
		return PLUGPKG_OK;
	CHECK_INT(pp_list_dir(job->dir_fd, ".", &names), 0);
	pp_strs_sort(&names);
	pp_vec_foreach (name, &names)
		pp_buf_addf(&l->out->files, "%s%s", l->out->files.n > 0 ? " " : "", *name);
	CHECK_INT(pp_read_file_at(job->dir_fd, "plugin.json", &l->out->written), 0);
	pp_auto_fd(&job->dir_fd);
	return PLUGPKG_OK;
}

/* manifest: plugin.json as it stands in the archive; more: members after it. */
static void
look(const struct tar_member *manifest, const struct tar_member *more, struct looked *out)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	struct scratch s;

	*out = (struct looked){
		.files = PP_BUF_INIT(TARBALL_MAX),
		.written = PP_BUF_INIT(TARBALL_MAX),
	};
	scratch_init(&s);
	tar_add(&tar, manifest);
	for (; more != NULL && more->name != NULL; more++)
		tar_add(&tar, more);
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	PP_AUTO_FD int fd = tar_file(file.s, file.n);
	struct looking l = {
		.job = {
			.archive_fd = fd,
			.dir_fd = -1,
			.what = "photos 1.2.0",
			.name = "7",
			.limits = usual,
			.is_look = true,
		},
		.out = out,
		.beyond_fd = s.fd,
	};
	const struct pp_unpack_queue queue = { next_job, job_done, &l, s.inner, s.fd };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	out->rc = pp_unpack_queue(NULL, &queue, &err);
	if (err != NULL)
		tap_value("error", plugpkg_error_message(err));
	scratch_fini(&s);
}

static void
a_manifest_that_is_all_there_is_to_see_is_told(void)
{
	static const char *const texts[] = { "{}", "", "{\"a\": \"\xc3\xa4\\u0000\\n\"}\n", "{" };
	static const struct tar_member others[] = {
		{ .name = "lib", .type = '5' },
		{ .name = "lib/x", .text = "contents" },
		{ .name = NULL },
	};

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		const struct tar_member manifest = { .name = "plugin.json", .text = texts[i] };
		PP_CLEANUP(looked_fini) struct looked l;

		look(&manifest, others, &l);
		CHECK_INT(l.rc, PLUGPKG_OK);
		CHECK_STR(l.manifest, texts[i]);
		CHECK_INT(l.result.files, 3);
		CHECK_INT(l.result.bytes, strlen(texts[i]) + strlen("contents"));
	}
}

static void
what_else_is_to_be_seen_is_written_beside_the_manifest(void)
{
	static const struct {
		const char *manifest;
		struct tar_member other;
		const char *files;
	} rows[] = {
		{ "{\"x\": \"a.sh\"}", { .name = "a.sh", .text = "x" }, "a.sh plugin.json" },
		{ "{}", { .name = "run", .text = "x", .mode = 0755 }, "plugin.json run" },
		{ "{}", { .name = "bin/run", .text = "x", .mode = 0755 }, "bin plugin.json" },
		{ "{}", { .name = "l", .type = '2', .link = "plugin.json" }, "l plugin.json" },
		/* Of itself it may say what only its file answers. */
		{ "{\"x\": \"plugin.json\"}", { .name = "y", .text = "" }, "plugin.json" },
		/* What is no text cannot be told. */
		{ "{\"x\": \"\xff\"}", { .name = "y", .text = "" }, "plugin.json" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		const struct tar_member manifest = { .name = "plugin.json",
			.text = rows[i].manifest };
		const struct tar_member others[] = { rows[i].other, { .name = NULL } };
		PP_CLEANUP(looked_fini) struct looked l;

		look(&manifest, others, &l);
		CHECK_INT(l.rc, PLUGPKG_OK);
		CHECK(l.manifest == NULL);
		CHECK_STR(pp_buf_cstr(&l.files), rows[i].files);
		CHECK_STR(pp_buf_cstr(&l.written), rows[i].manifest);
	}
}

/* Of control characters each takes six in an answer, which has an end. */
static void
a_manifest_is_told_or_written_whatever_its_size(void)
{
	static const struct {
		size_t n;
		unsigned mode;
		bool is_told;
	} rows[] = {
		{ 8192, 0644, true },
		{ 8193, 0644, false },
		{ 1 << 20, 0644, false },
		{ 10, 0755, false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *text = pp_xcalloc(rows[i].n + 1, 1);
		const struct tar_member manifest = {
			.name = "plugin.json", .text = text, .mode = rows[i].mode
		};
		PP_CLEANUP(looked_fini) struct looked l;

		memset(text, 1, rows[i].n);
		look(&manifest, NULL, &l);
		CHECK_INT(l.rc, PLUGPKG_OK);
		CHECK_INT(l.manifest != NULL, rows[i].is_told);
		CHECK_STR(rows[i].is_told ? l.manifest : pp_buf_cstr(&l.written), text);
	}
}

/* clang-format off */
TAP_MAIN(
	CASE(a_manifest_that_is_all_there_is_to_see_is_told)
	CASE(what_else_is_to_be_seen_is_written_beside_the_manifest)
	CASE(a_manifest_is_told_or_written_whatever_its_size))
