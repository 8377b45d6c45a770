/* SPDX-License-Identifier: MIT */
/*
 * The near side of the unpack helper: hands it descriptors and limits, believes nothing that comes
 * back and could do harm before it has looked at the tree itself, and makes the tree durable.
 */
#include "lib/store/archive.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/store/tree.h"
#include "lib/store/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MOST_AT_ONCE 2 /* more helpers wait for the disk, not for each other */
#define MOST_WAITING 4 /* jobs of one helper, with the one that it works at */
#define ERRNO_MAX    4095
#define RECORD_FILES 1000000 /* no signed record may state more: the helper remembers each name */

/* One helper, what it works at and what it finds next without waiting for us. */
struct worker {
	struct pp_unpack_job *jobs[MOST_WAITING]; /* the oldest first; borrowed */
	size_t n_jobs;
};

struct pp_unpack_pool {
	struct pp_unpacker helpers[MOST_AT_ONCE];
	struct worker workers[MOST_AT_ONCE]; /* of the helpers */
	const struct pp_unpack_queue *queue; /* borrowed */
};

enum plugpkg_code
pp_archive_open(const char *path, int *out_fd, plugpkg_error **err)
{
	struct stat st;

	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open '%s'", path);
	if (fstat(fd, &st) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0, "'%s' is no regular file", path);
	*out_fd = pp_fd_steal(&fd);
	return PLUGPKG_OK;
}

struct pp_unpack_pool *
pp_unpack_pool_new(const struct pp_unpack_queue *queue)
{
	struct pp_unpack_pool *p = pp_xcalloc(1, sizeof(*p));

	p->queue = queue;
	for (size_t i = 0; i < MOST_AT_ONCE; i++)
		p->helpers[i] = (struct pp_unpacker)PP_UNPACKER_INIT;
	return p;
}

void
pp_unpack_pool_warm(struct pp_unpack_pool *p, size_t n)
{
	for (size_t i = 0; i < n && i < MOST_AT_ONCE; i++)
		(void)pp_unpacker_start(
		    &p->helpers[i], false, NULL); /* else its first job says why */
}

void
pp_unpack_pool_free(struct pp_unpack_pool *p)
{
	for (size_t i = 0; p != NULL && i < MOST_AT_ONCE; i++)
		pp_unpacker_fini(&p->helpers[i]);
	free(p);
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

static enum plugpkg_code
read_digest(const pp_json *answer, bool is_wanted, char out[65], plugpkg_error **err)
{
	const char *told = pp_json_get_str(answer, "tree_sha256");

	out[0] = '\0';
	if (told == NULL && !is_wanted)
		return PLUGPKG_OK;
	if (told == NULL || !pp_is_sha256(told))
		return pp_fail(err, PLUGPKG_E_FAILED, 0, "the archive helper gave no digest");
	memcpy(out, told, strlen(told) + 1);
	return PLUGPKG_OK;
}

/*
 * The totals that the helper reports, those of the tree, and the limits have to agree.
 *
 * What would be of effect beyond the plugin's own contents is looked at here, outside of the
 * helper: kinds, modes, links, names, sums. The digest is believed, whether the archive states it
 * or the helper took it. Every byte that it covers was written by the helper: one that a hostile
 * archive took over could as well have written others, and a digest read from the disk a moment
 * later would be that of those. A false one is a tree that `check` calls damaged from the first day
 * on, which lets nobody in. Who takes another tree for this one because of it reads both.
 */
static enum plugpkg_code
check_job(struct pp_unpack_job *job, const pp_json *answer, plugpkg_error **err)
{
	const struct pp_unpack_limits *most = &job->limits;
	struct pp_unpacked told = { 0 }, seen = { 0 };
	enum plugpkg_code rc = read_totals(answer, &told, err);

	if (rc == PLUGPKG_OK && job->manifest == NULL)
		rc = pp_tree_check(job->dir_fd, &seen, err);
	if (rc == PLUGPKG_E_BAD_STATE)
		rc = pp_recode(err, PLUGPKG_E_BAD_ARCHIVE);
	if (rc != PLUGPKG_OK)
		return rc;
	if (job->is_look && told.bytes >= seen.bytes && told.files >= seen.files)
		seen = told;
	bool fits = most->exact ? seen.bytes == most->bytes && seen.files == most->files
				: seen.bytes <= most->bytes && seen.files <= most->files;

	if (!fits || told.bytes != seen.bytes || told.files != seen.files)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
		    "%" PRIu64 " bytes in %" PRIu64 " files came out, not what was reported",
		    seen.bytes, seen.files);
	job->result = seen;
	return read_digest(answer, job->is_digested, job->tree_sha256, err);
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

/* For most looks none is needed: the helper makes it for the others, in the one of all. */
static bool
makes_dir(const struct pp_unpack_queue *queue, const struct pp_unpack_job *job)
{
	return job->is_look && queue->within_fd >= 0;
}

/* Refused before a byte is written: what cannot fit, and records that state nonsense. */
static enum plugpkg_code
check_room(const struct pp_unpack_job *job, plugpkg_error **err)
{
	struct statvfs fs;
	uint64_t need = job->limits.exact && job->dir_fd >= 0 ? job->limits.bytes : 0;

	if (job->limits.files > RECORD_FILES)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
		    "archive of %s: its record states %" PRIu64 " files; %d are the most",
		    job->what, job->limits.files, RECORD_FILES);
	if (need == 0)
		return PLUGPKG_OK;
	if (fstatvfs(job->dir_fd, &fs) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot ask for the free space");
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;

	if (need > room)
		return pp_fail(err, PLUGPKG_E_IO, ENOSPC,
		    "%" PRIu64 " bytes are to be unpacked, %" PRIu64 " are free", need, room);
	return PLUGPKG_OK;
}

static enum plugpkg_code
send_job(struct pp_unpack_pool *p, size_t i, const struct pp_unpack_job *job, plugpkg_error **err)
{
	struct pp_unpacker *helper = &p->helpers[i];
	bool makes = makes_dir(p->queue, job);
	int within_fd = p->queue->within_fd;
	enum plugpkg_code rc = check_room(job, err);

	if (rc == PLUGPKG_OK && helper->sock < 0)
		rc = pp_unpacker_start(helper, job->is_digested, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const int fds[3] = { job->archive_fd, makes ? within_fd : job->dir_fd,
		makes ? -1 : within_fd };
	pp_json *request = request_of(job->is_look ? "look" : "unpack", &job->limits);

	pp_json_set_bool(request, "digest", job->is_digested);
	pp_json_set_bool(request, "compare", job->is_compared);
	pp_json_set_str(request, "dir", makes ? job->name : NULL);
	return pp_unpacker_ask(helper, request, fds, err);
}

static bool
has_room(const struct worker *w)
{
	return w->n_jobs == 0 || (w->n_jobs < MOST_WAITING && w->jobs[w->n_jobs - 1]->is_short);
}

/* Who has the least to do and could have more; MOST_AT_ONCE: nobody. */
static size_t
next_worker(const struct pp_unpack_pool *p)
{
	size_t best = MOST_AT_ONCE;

	for (size_t i = 0; i < MOST_AT_ONCE; i++)
		if (has_room(&p->workers[i]) &&
		    (best == MOST_AT_ONCE || p->workers[i].n_jobs < p->workers[best].n_jobs))
			best = i;
	return best;
}

/*
 * A helper that an archive took over may go on after its answer, and create files of any mode. So
 * nothing is checked that it can still reach. Its wall asks, each time it makes something, where
 * the directory stands, whatever descriptors it holds: what was moved is closed to it, and what it
 * was about to make just then is there before the directory can be listed, because both take the
 * directory's lock. What it holds open of the files is their contents, which were its own to
 * choose. Where there is no other directory to move to, it is at its end before.
 */
static enum plugpkg_code
take_from_helper(
    struct pp_unpack_pool *p, size_t i, const struct pp_unpack_job *job, plugpkg_error **err)
{
	const struct pp_unpack_queue *queue = p->queue;
	struct stat given, taken;

	if (queue->within_fd < 0)
		return pp_unpacker_end(&p->helpers[i], err);
	if (pp_renameat(queue->within_fd, job->name, queue->beyond_fd, job->name) < 0 ||
	    fstatat(queue->beyond_fd, job->name, &taken, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(job->dir_fd, &given) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot move what was unpacked");
	if (taken.st_dev != given.st_dev || taken.st_ino != given.st_ino)
		return pp_fail(err, PLUGPKG_E_FAILED, 0,
		    "the archive helper put another directory in its place");
	return PLUGPKG_OK;
}

/* The same of a look: what it made, if it made anything. */
static enum plugpkg_code
take_look(const struct pp_unpack_queue *queue, struct pp_unpack_job *job, const pp_json *answer,
    plugpkg_error **err)
{
	const char *manifest = pp_json_get_str(answer, "manifest");

	if (manifest != NULL) {
		job->manifest = pp_xstrdup(manifest);
		return PLUGPKG_OK;
	}
	if (pp_renameat(queue->within_fd, job->name, queue->beyond_fd, job->name) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot move what was unpacked");
	int r = job->dir_fd = pp_opendir_at(queue->beyond_fd, job->name);
	return r < 0 ? pp_fail(err, PLUGPKG_E_FAILED, -r, "the archive helper made no directory")
		     : PLUGPKG_OK;
}

static enum plugpkg_code
take_answer(struct pp_unpack_pool *p, size_t i, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *answer = NULL;
	struct worker *w = &p->workers[i];
	struct pp_unpack_job *job = w->jobs[0];
	PP_AUTO_FREE char *whole = pp_asprintf("archive of %s", job->what);
	enum plugpkg_code rc = pp_unpacker_answer(&p->helpers[i], &answer, err);

	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", whole);
	if (strcmp(pp_json_get_str(answer, "type"), "failed") == 0)
		return fail_as_told(answer, whole, err);
	rc = makes_dir(p->queue, job) ? take_look(p->queue, job, answer, err)
				      : take_from_helper(p, i, job, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", whole);
	memmove(w->jobs, w->jobs + 1, --w->n_jobs * sizeof(*w->jobs));
	/* It goes on with the next one while this one is checked. */
	rc = pp_unpack_pool_feed(p, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = check_job(job, answer, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "%s", whole);
	return p->queue->done(p->queue->user, job, err);
}

static bool
is_working(const struct pp_unpack_pool *p)
{
	for (size_t i = 0; i < MOST_AT_ONCE; i++)
		if (p->workers[i].n_jobs > 0)
			return true;
	return false;
}

enum plugpkg_code
pp_unpack_pool_start(struct pp_unpack_pool *p, size_t n, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < MOST_AT_ONCE && i < n; i++)
		if (p->helpers[i].sock < 0)
			rc = pp_unpacker_start(&p->helpers[i], true, err);
	return rc;
}

enum plugpkg_code
pp_unpack_pool_feed(struct pp_unpack_pool *p, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i; rc == PLUGPKG_OK && (i = next_worker(p)) < MOST_AT_ONCE;) {
		struct worker *w = &p->workers[i];
		struct pp_unpack_job *job = NULL;

		rc = p->queue->next(p->queue->user, &job, err);
		if (rc != PLUGPKG_OK || job == NULL)
			return rc;
		w->jobs[w->n_jobs++] = job;
		rc = send_job(p, i, job, err);
	}
	return rc;
}

size_t
pp_unpack_pool_fds(const struct pp_unpack_pool *p, int *out)
{
	size_t n = 0;

	for (size_t i = 0; i < MOST_AT_ONCE; i++)
		if (p->workers[i].n_jobs > 0)
			out[n++] = p->helpers[i].sock;
	return n;
}

enum plugpkg_code
pp_unpack_pool_turn(struct pp_unpack_pool *p, plugpkg_error **err)
{
	size_t which = pp_unpacker_ready(p->helpers, MOST_AT_ONCE);

	return which < MOST_AT_ONCE ? take_answer(p, which, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_unpack_pool_finish(plugpkg_context *ctx, struct pp_unpack_pool *p, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_unpack_pool_feed(p, err);

	while (rc == PLUGPKG_OK && is_working(p)) {
		size_t which = 0;

		rc = pp_unpacker_wait(ctx, p->helpers, MOST_AT_ONCE, &which, err);
		if (rc == PLUGPKG_OK)
			rc = take_answer(p, which, err);
		if (rc == PLUGPKG_OK) /* that one is done may be what others waited for */
			rc = pp_unpack_pool_feed(p, err);
	}
	for (size_t i = 0; rc == PLUGPKG_OK && i < MOST_AT_ONCE; i++)
		pp_unpacker_dismiss(&p->helpers[i]);
	return rc;
}

enum plugpkg_code
pp_unpack_pool_end(struct pp_unpack_pool *p, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < MOST_AT_ONCE; i++)
		rc = pp_unpacker_end(&p->helpers[i], err);
	return rc;
}

enum plugpkg_code
pp_unpack_queue(plugpkg_context *ctx, const struct pp_unpack_queue *queue, plugpkg_error **err)
{
	PP_AUTO(unpack_pool) struct pp_unpack_pool *pool = pp_unpack_pool_new(queue);

	enum plugpkg_code rc = pp_unpack_pool_finish(ctx, pool, err);

	return rc == PLUGPKG_OK ? pp_unpack_pool_end(pool, err) : rc;
}

static enum plugpkg_code
next_of_one(void *user, struct pp_unpack_job **out, plugpkg_error **err PP_UNUSED)
{
	struct pp_unpack_job **job = user;

	*out = pp_steal(job);
	return PLUGPKG_OK;
}

/* The caller has it. */
static enum plugpkg_code
done_of_one(
    void *user PP_UNUSED, struct pp_unpack_job *job PP_UNUSED, plugpkg_error **err PP_UNUSED)
{
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_unpack_one(plugpkg_context *ctx, struct pp_unpack_job *job, plugpkg_error **err)
{
	struct pp_unpack_job *next = job;
	const struct pp_unpack_queue queue = { next_of_one, done_of_one, &next, -1, -1 };

	return pp_unpack_queue(ctx, &queue, err);
}

enum plugpkg_code
pp_unpack_scratch(plugpkg_context *ctx, int archive_fd, int dir_fd, const char *what,
    const struct pp_unpack_limits *limits, struct pp_unpacked *out, plugpkg_error **err)
{
	struct pp_unpack_job job = {
		.archive_fd = archive_fd,
		.dir_fd = dir_fd,
		.what = what,
		.limits = *limits,
		.is_digested = true,
		.is_compared = true,
	};
	enum plugpkg_code rc = pp_unpack_one(ctx, &job, err);

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
	const int fds[3] = { dir_fd, out_fd, -1 };
	enum plugpkg_code rc = pp_unpacker_start(&helper, true, err);

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
