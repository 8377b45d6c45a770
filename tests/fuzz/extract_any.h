/* SPDX-License-Identifier: MIT */
/*
 * Archives into a directory of their own: whatever they hold, nothing is written beside it, and a
 * tree that passes is one of the archive policy.
 */
#ifndef EXTRACT_ANY_H
#define EXTRACT_ANY_H

#include "base/fd.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/str.h"
#include "tarball.h"
#include "unpack/extract.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAX_BYTES (1u << 20)
#define MAX_FILES 200u

static inline void
check_modes(int dir_fd, const char *name)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
	if (S_ISREG(st.st_mode) && (st.st_mode & 07777) != 0444 && (st.st_mode & 07777) != 0555)
		abort();
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		abort();
	if (!S_ISDIR(st.st_mode))
		return;
	PP_AUTO_FD int fd = pp_opendir_at(dir_fd, name);

	if (fd < 0 || pp_list_dir(fd, ".", &names) < 0)
		abort();
	pp_vec_foreach (child, &names)
		check_modes(fd, *child);
}

/* Beside the directory stands nothing else. */
static inline void
check_outside(int dir_fd)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };

	if (pp_list_dir(dir_fd, ".", &names) < 0 || names.n != 1)
		abort();
}

static inline void
extract(int archive_fd, int dir_fd, bool is_compared, struct pp_report *report)
{
	static struct pp_digest digest;
	PP_AUTO_FD int inner = -1;

	if (mkdirat(dir_fd, "inner", 0700) < 0)
		abort();
	pp_digest_load(&digest);
	inner = pp_opendir_at(dir_fd, "inner");
	const struct pp_extraction what = {
		.archive_fd = archive_fd,
		.dir_fd = inner,
		.limits = { .bytes = MAX_BYTES, .files = MAX_FILES },
		.digest = &digest,
		.is_compared = is_compared,
	};
	pp_extract(&what, report);
	pp_digest_clear(&digest);
	check_outside(dir_fd);
	check_modes(dir_fd, "inner");
	if (report->bytes > MAX_BYTES || report->files > MAX_FILES)
		abort();
	if (report->failure == PP_NO_FAILURE && !pp_is_sha256(report->tree_sha256))
		abort();
	if (pp_rm_rf_at(dir_fd, "inner") < 0)
		abort();
}

/* What can be unpacked can be looked into: the manifest is told, or a directory made for it. */
static inline void
look(int archive_fd, int dir_fd)
{
	PP_CLEANUP(pp_report_fini) struct pp_report report = { 0 };

	if (mkdirat(dir_fd, "inner", 0700) < 0)
		abort();
	PP_AUTO_FD int inner = pp_opendir_at(dir_fd, "inner");
	const struct pp_extraction what = {
		.archive_fd = archive_fd,
		.dir_fd = inner,
		.dir = "look",
		.limits = { .bytes = MAX_BYTES, .files = MAX_FILES },
		.is_look = true,
	};
	pp_extract(&what, &report);
	check_outside(dir_fd);
	check_modes(dir_fd, "inner");
	if (report.failure != PP_NO_FAILURE)
		abort();
	if ((pp_exists_at(inner, "look/plugin.json") == 1) != (report.manifest == NULL))
		abort();
	PP_AUTO_JSON pp_json *answer = pp_report_answer(&report, INT64_MAX);
	PP_AUTO_FREE char *text = pp_json_line(answer);
	if (strlen(text) > PP_MSG_MAX_BYTES || pp_rm_rf_at(dir_fd, "inner") < 0)
		abort();
}

/* Who compares refuses no more than those that state another digest, and gets the same one. */
static inline void
extract_twice(int archive_fd, int dir_fd)
{
	PP_CLEANUP(pp_report_fini) struct pp_report first = { 0 };
	PP_CLEANUP(pp_report_fini) struct pp_report second = { 0 };

	extract(archive_fd, dir_fd, false, &first);
	if (first.failure != PP_NO_FAILURE)
		return;
	look(archive_fd, dir_fd);
	extract(archive_fd, dir_fd, true, &second);
	if (second.failure == PP_NO_FAILURE
		? strcmp(first.tree_sha256, second.tree_sha256) != 0
		: strstr(second.text, "another digest of its tree") == NULL)
		abort();
}

/* Unpacks the bytes below TMPDIR, looks at what is there, and leaves nothing. */
static inline void
extract_any(struct pp_buf *file)
{
	const char *tmp = getenv("TMPDIR");
	PP_AUTO_FREE char *dir = pp_asprintf("%s/plugpkg-XXXXXX", tmp != NULL ? tmp : "/tmp");

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL || mkdtemp(dir) == NULL)
		abort();
	PP_AUTO_FD int archive_fd = tar_file(pp_buf_cstr(file), file->n);
	PP_AUTO_FD int dir_fd = pp_opendir_at(AT_FDCWD, dir);

	if (archive_fd < 0 || dir_fd < 0)
		abort();
	extract_twice(archive_fd, dir_fd);
	if (pp_rm_rf_at(AT_FDCWD, dir) < 0)
		abort();
}

#endif
