/* SPDX-License-Identifier: MIT */
/*
 * The near side of the unpack helper: hands it descriptors and limits, believes nothing that comes
 * back before it has looked at the tree itself, and makes the tree durable.
 */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/store/tree.h"
#include "lib/store/unpacker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#define MOST_AT_ONCE 2 /* more helpers wait for the disk, not for each other */
#define ERRNO_MAX    4095
#define RECORD_FILES 1000000 /* no signed record may state more: the helper remembers each name */

struct pool {
	struct pp_unpacker helpers[MOST_AT_ONCE];
	size_t n_helpers;
	struct pp_unpack_job *jobs; /* borrowed */
	size_t n_jobs, next, done;
};

static void
pool_fini(struct pool *p)
{
	for (size_t i = 0; i < p->n_helpers; i++)
		pp_unpacker_fini(&p->helpers[i]);
}

/*
 * A text of the helper's answer, which may come from an archive: sanitised, owned; NULL when
 * missing.
 */
static char *
shown_member(const pp_json *answer, const char *key)
{
	const char *s = pp_json_get_str(answer, key);

	return s == NULL ? NULL : pp_shown(s, strlen(s));
}

/* Turns the helper's "failed" into an error. whole: "archive of photos 1.2.0". */
static enum plugpkg_code
fail_as_told(const pp_json *answer, const char *whole, plugpkg_error **err)
{
	PP_AUTO_FREE char *entry = shown_member(answer, "entry");
	PP_AUTO_FREE char *text = shown_member(answer, "text");
	PP_AUTO_FREE char *quoted = entry != NULL ? pp_asprintf("'%s'", entry) : NULL;
	const char *kind = pp_json_get_str(answer, "kind");
	int64_t errnum = pp_json_get_int(answer, "errno", EIO);

	if (text == NULL)
		return pp_fail(
		    err, PLUGPKG_E_FAILED, 0, "%s: the archive helper gave no reason", whole);
	if (kind != NULL && strcmp(kind, "archive") == 0)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0, "%s: %s %s", whole,
		    quoted != NULL ? quoted : "it", text);
	if (errnum <= 0 || errnum > ERRNO_MAX)
		errnum = EIO;
	return pp_fail(err, PLUGPKG_E_IO, (int)errnum, "%s: %s%s%s", whole, text,
	    quoted != NULL ? " " : "", quoted != NULL ? quoted : "");
}

static enum plugpkg_code
read_totals(const pp_json *answer, struct pp_unpacked *out, plugpkg_error **err)
{
	int64_t bytes = pp_json_get_int(answer, "bytes", -1);
	int64_t files = pp_json_get_int(answer, "files", -1);

	if (bytes < 0 || files < 0)
		return pp_fail(err, PLUGPKG_E_FAILED, 0, "the archive helper gave no totals");
	*out = (struct pp_unpacked){ .bytes = (uint64_t)bytes, .files = (uint64_t)files };
	return PLUGPKG_OK;
}

/* The totals that the helper reports, those of the tree, and the limits have to agree. */
static enum plugpkg_code
check_job(struct pp_unpack_job *job, const pp_json *answer, plugpkg_error **err)
{
	const struct pp_unpack_limits *most = &job->limits;
	struct pp_unpacked told = { 0 }, seen = { 0 };
	enum plugpkg_code rc = read_totals(answer, &told, err);

	if (rc == PLUGPKG_OK)
		rc = pp_tree_check(job->dir_fd, &seen, err);
	if (rc == PLUGPKG_E_BAD_STATE)
		rc = pp_recode(err, PLUGPKG_E_BAD_ARCHIVE);
	if (rc != PLUGPKG_OK)
		return rc;
	bool fits = most->exact ? seen.bytes == most->bytes && seen.files == most->files
				: seen.bytes <= most->bytes && seen.files <= most->files;

	if (!fits || told.bytes != seen.bytes || told.files != seen.files)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
		    "%" PRIu64 " bytes in %" PRIu64 " files came out, not what was reported",
		    seen.bytes, seen.files);
	job->result = seen;
	return PLUGPKG_OK;
}

static pp_json *
request_of(const char *type, const struct pp_unpack_limits *limits)
{
	pp_json *j = pp_json_object();

	pp_json_set_str(j, "type", type);
	pp_json_set_int(
	    j, "max_bytes", limits->bytes > INT64_MAX ? INT64_MAX : (int64_t)limits->bytes);
	pp_json_set_int(j, "max_files", (int64_t)limits->files);
	pp_json_set_bool(j, "exact", limits->exact);
	return j;
}

static enum plugpkg_code
give_job(struct pool *p, struct pp_unpacker *helper, plugpkg_error **err)
{
	const struct pp_unpack_job *job = &p->jobs[p->next];
	const int fds[2] = { job->archive_fd, job->dir_fd };

	helper->job = p->next++;
	return pp_unpacker_ask(helper, request_of("unpack", &job->limits), fds, err);
}

static enum plugpkg_code
take_answer(struct pool *p, struct pp_unpacker *helper, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *answer = NULL;
	struct pp_unpack_job *job = &p->jobs[helper->job];
	PP_AUTO_FREE char *whole = pp_asprintf("archive of %s", job->what);
	enum plugpkg_code rc = pp_unpacker_answer(helper, &answer, err);

	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", whole);
	if (strcmp(pp_json_get_str(answer, "type"), "failed") == 0)
		return fail_as_told(answer, whole, err);
	/* It goes on with the next one while this one is checked. */
	if (p->next < p->n_jobs)
		rc = give_job(p, helper, err);
	if (rc == PLUGPKG_OK)
		rc = check_job(job, answer, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", whole);
	p->done++;
	return PLUGPKG_OK;
}

static enum plugpkg_code
run_pool(plugpkg_context *ctx, struct pool *p, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < p->n_helpers; i++) {
		rc = pp_unpacker_start(&p->helpers[i], err);
		if (rc == PLUGPKG_OK)
			rc = give_job(p, &p->helpers[i], err);
	}
	while (rc == PLUGPKG_OK && p->done < p->n_jobs) {
		size_t which = 0;

		rc = pp_unpacker_wait(ctx, p->helpers, p->n_helpers, &which, err);
		if (rc == PLUGPKG_OK)
			rc = take_answer(p, &p->helpers[which], err);
	}
	for (size_t i = 0; rc == PLUGPKG_OK && i < p->n_helpers; i++)
		rc = pp_unpacker_end(&p->helpers[i], err);
	return rc;
}

/* Refused before a byte is written: what cannot fit, and records that state nonsense. */
static enum plugpkg_code
check_room(const struct pp_unpack_job *jobs, size_t n, plugpkg_error **err)
{
	struct statvfs fs;
	uint64_t need = 0;

	for (size_t i = 0; i < n; i++) {
		if (jobs[i].limits.files > RECORD_FILES)
			return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
			    "archive of %s: its record states %" PRIu64 " files; %d are the most",
			    jobs[i].what, jobs[i].limits.files, RECORD_FILES);
		if (jobs[i].limits.exact &&
		    __builtin_add_overflow(need, jobs[i].limits.bytes, &need))
			need = UINT64_MAX;
	}
	if (fstatvfs(jobs[0].dir_fd, &fs) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot ask for the free space");
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;

	if (need > room)
		return pp_fail(err, PLUGPKG_E_IO, ENOSPC,
		    "%" PRIu64 " bytes are to be unpacked, %" PRIu64 " are free", need, room);
	return PLUGPKG_OK;
}

static enum plugpkg_code
unpack_jobs(plugpkg_context *ctx, struct pp_unpack_job *jobs, size_t n, plugpkg_error **err)
{
	PP_CLEANUP(pool_fini)
	struct pool p = { .helpers = { PP_UNPACKER_INIT, PP_UNPACKER_INIT },
		.n_helpers = n < MOST_AT_ONCE ? n : MOST_AT_ONCE,
		.jobs = jobs,
		.n_jobs = n };
	enum plugpkg_code rc = check_room(jobs, n, err);

	return rc == PLUGPKG_OK ? run_pool(ctx, &p, err) : rc;
}

enum plugpkg_code
pp_unpack_many(plugpkg_context *ctx, struct pp_unpack_job *jobs, size_t n, plugpkg_error **err)
{
	if (n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = unpack_jobs(ctx, jobs, n, err);

	if (rc != PLUGPKG_OK)
		return rc;
	/* One sync of the file system that all the directories lie on. */
	int r = pp_sync_tree_at(jobs[0].dir_fd, ".");

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make what was unpacked durable")
		     : PLUGPKG_OK;
}

enum plugpkg_code
pp_unpack(plugpkg_context *ctx, int archive_fd, int dir_fd, const char *what,
    const struct pp_unpack_limits *limits, struct pp_unpacked *out, plugpkg_error **err)
{
	struct pp_unpack_job job = { archive_fd, dir_fd, what, *limits, { 0 } };
	enum plugpkg_code rc = pp_unpack_many(ctx, &job, 1, err);

	*out = job.result;
	return rc;
}

enum plugpkg_code
pp_unpack_scratch(plugpkg_context *ctx, int archive_fd, int dir_fd, const char *what,
    const struct pp_unpack_limits *limits, struct pp_unpacked *out, plugpkg_error **err)
{
	struct pp_unpack_job job = { archive_fd, dir_fd, what, *limits, { 0 } };
	enum plugpkg_code rc = unpack_jobs(ctx, &job, 1, err);

	*out = job.result;
	return rc;
}

enum plugpkg_code
pp_pack(int dir_fd, const char *what, int64_t mtime, int out_fd, struct pp_unpacked *out,
    plugpkg_error **err)
{
	static const struct pp_unpack_limits limits = { .bytes = PP_UNPACK_MAX_BYTES,
		.files = PP_UNPACK_MAX_FILES };
	PP_CLEANUP(pp_unpacker_fini) struct pp_unpacker helper = PP_UNPACKER_INIT;
	PP_AUTO_JSON pp_json *answer = NULL;
	const int fds[2] = { dir_fd, out_fd };
	enum plugpkg_code rc = pp_unpacker_start(&helper, err);

	if (rc == PLUGPKG_OK) {
		pp_json *request = request_of("pack", &limits);

		pp_json_set_int(request, "mtime", mtime);
		rc = pp_unpacker_ask(&helper, request, fds, err);
	}
	if (rc == PLUGPKG_OK)
		rc = pp_unpacker_answer(&helper, &answer, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot pack %s", what);
	if (strcmp(pp_json_get_str(answer, "type"), "failed") == 0) {
		PP_AUTO_FREE char *whole = pp_asprintf("cannot pack %s", what);

		return fail_as_told(answer, whole, err);
	}
	rc = read_totals(answer, out, err);
	return rc == PLUGPKG_OK ? pp_unpacker_end(&helper, err) : rc;
}
