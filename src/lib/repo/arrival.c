/* SPDX-License-Identifier: MIT */
/* Feeds archives to the helper while it looks into others, and brings its answers into order. */
#include "lib/repo/arrival.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/repo/ready.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK_BYTES (256 * 1024)

struct pp_reading {
	const struct pp_arrivals *all;
	struct pp_arrival *at;
	struct pp_arrival *ready; /* copied while the helpers work: who rests has it at once */
	char *chunk;              /* of CHUNK_BYTES */
	size_t limit;             /* those before it are wanted */
	size_t next;              /* to be copied */
	size_t n_taken;           /* judged, in order */
	bool is_refused;          /* by the taker: nobody else failed */
	bool is_in_order;         /* each waits until those before it are judged */
	struct pp_unpack_queue queue;
	struct pp_unpack_pool *pool; /* NULL: it failed, and there may be another try */
};

static void
close_fds(struct pp_arrival *a)
{
	pp_auto_fd(&a->job.archive_fd);
	pp_auto_fd(&a->job.dir_fd);
}

static void
forget_look(struct pp_arrival *a)
{
	free(a->job.manifest);
	a->job.manifest = NULL;
}

void
pp_reading_free(struct pp_reading *r)
{
	if (r == NULL)
		return;
	pp_unpack_pool_free(r->pool);
	for (size_t i = 0; i < r->all->n; i++) {
		close_fds(&r->at[i]);
		forget_look(&r->at[i]);
		free((char *)(uintptr_t)r->at[i].job.name);
	}
	free(r->at);
	free(r->chunk);
	free(r);
}

char *
pp_arrival_copy_path(const struct pp_arrival *a)
{
	return pp_asprintf(PP_ARRIVING "/%zu.plug", a->number);
}

/* Of what was unpacked: while the helper works on it, and from when it answered. */
static char *
look_path(const struct pp_arrival *a)
{
	return pp_asprintf(PP_LOOKS "/%s", a->job.name);
}

static char *
looked_path(const struct pp_arrival *a)
{
	return pp_asprintf(PP_ARRIVING "/%s", a->job.name);
}

static ssize_t
read_chunk(int fd, char *chunk)
{
	ssize_t n;

	do
		n = read(fd, chunk, CHUNK_BYTES);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* What is digested are the bytes that are written, whoever changes the file meanwhile. */
static int
copy_digested(int from, int to, char *chunk, struct pp_arrival *a)
{
	if (ioctl(to, FICLONE, from) == 0) /* shares the blocks */
		return pp_sha256_fd(to, a->sha256, &a->size);
	struct pp_sha256 *digest = pp_sha256_new();
	ssize_t n;
	int r = 0;

	a->size = 0;
	while (r == 0 && (n = read_chunk(from, chunk)) != 0) {
		if (n < 0) {
			r = (int)n;
			break;
		}
		a->size += (uint64_t)n;
		pp_sha256_add(digest, chunk, (size_t)n);
		r = pp_fd_write_all(to, chunk, (size_t)n);
	}
	pp_sha256_end(digest, a->sha256);
	return r;
}

static enum plugpkg_code
copy_archive(struct pp_reading *r, struct pp_arrival *a, plugpkg_error **err)
{
	plugpkg_repo *repo = r->all->repo;
	PP_AUTO_FREE char *path = pp_arrival_copy_path(a);
	PP_AUTO_FD int from = -1;

	enum plugpkg_code rc = pp_archive_open(a->path, &from, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FD int to = pp_openat_create(repo->dir_fd, path, O_RDWR | O_EXCL, 0644);
	int e = to < 0 ? -errno : copy_digested(from, to, r->chunk, a);
	/* The helper reads what was digested, and cannot write it. */
	if (e == 0)
		e = a->job.archive_fd =
		    pp_open_beneath(repo->dir_fd, path, O_RDONLY, 0, PP_NO_SYMLINKS);
	return e < 0 ? pp_fail(err, PLUGPKG_E_IO, -e, "cannot copy '%s'", a->path) : PLUGPKG_OK;
}

/* ---- the helper's queue ---- */

/* What was copied for a try that failed. */
static enum plugpkg_code
forget_copy(plugpkg_repo *repo, struct pp_arrival *a, plugpkg_error **err)
{
	PP_AUTO_FREE char *copy = pp_arrival_copy_path(a);
	PP_AUTO_FREE char *look = look_path(a);
	PP_AUTO_FREE char *looked = looked_path(a);

	close_fds(a);
	forget_look(a);
	int r = pp_rm_rf_at(repo->dir_fd, copy);
	if (r == 0)
		r = pp_rm_rf_at(repo->dir_fd, look);
	if (r == 0)
		r = pp_rm_rf_at(repo->dir_fd, looked);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s'", copy) : PLUGPKG_OK;
}

/* Copies the next archive, if there is one, unless one is ready. */
static enum plugpkg_code
prepare(struct pp_reading *r, plugpkg_error **err)
{
	plugpkg_repo *repo = r->all->repo;

	if (r->ready != NULL)
		return PLUGPKG_OK;
	while (r->next < r->limit && r->at[r->next].is_read)
		r->next++;
	enum plugpkg_code rc = pp_check_cancel(&repo->ctx, err);
	if (rc != PLUGPKG_OK || r->next == r->limit || (r->is_in_order && r->next > r->n_taken))
		return rc;
	struct pp_arrival *a = &r->at[r->next++];
	if (a->is_tried)
		rc = forget_copy(repo, a, err);
	a->is_tried = true;
	if (rc == PLUGPKG_OK)
		rc = copy_archive(r, a, err);
	a->job.is_short = a->size <= PP_UNPACK_SHORT_BYTES;
	r->ready = a;
	return rc;
}

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err)
{
	struct pp_reading *r = user;

	enum plugpkg_code rc = prepare(r, err);
	struct pp_arrival *a = pp_steal(&r->ready);
	*out = a != NULL ? &a->job : NULL;
	return rc;
}

static enum plugpkg_code
take(struct pp_reading *r, struct pp_arrival *a, plugpkg_error **err)
{
	plugpkg_repo *repo = r->all->repo;
	PP_AUTO_FREE char *path = looked_path(a);
	PP_AUTO_FREE char *copy = pp_arrival_copy_path(a);
	bool has_dir = a->job.manifest == NULL;

	enum plugpkg_code rc = PLUGPKG_OK;
	if (has_dir && a->job.dir_fd < 0)
		a->job.dir_fd = pp_opendir_at(repo->dir_fd, path);
	if (has_dir && a->job.dir_fd < 0)
		rc = pp_fail(err, PLUGPKG_E_IO, -a->job.dir_fd, "cannot open '%s'", path);
	if (rc == PLUGPKG_OK)
		rc = r->all->take(r->all->user, a, err);
	r->is_refused = rc != PLUGPKG_OK;
	close_fds(a);
	forget_look(a);
	int e = has_dir ? pp_rm_dir_at(repo->dir_fd, path) : 0;
	if (e == 0 && !a->is_kept)
		e = pp_rm_rf_at(repo->dir_fd, copy);
	if (rc == PLUGPKG_OK && e < 0)
		rc = pp_fail(err, PLUGPKG_E_IO, -e, "cannot remove '%s'", path);
	return rc;
}

/* Answers come in any order; the taker sees the archives in theirs. */
static enum plugpkg_code
job_done(void *user, struct pp_unpack_job *job, plugpkg_error **err)
{
	struct pp_reading *r = user;
	struct pp_arrival *done = (struct pp_arrival *)job; /* its first member */
	enum plugpkg_code rc = PLUGPKG_OK;

	done->is_read = true;
	pp_auto_fd(&job->archive_fd);
	if (done->number != r->n_taken)
		close_fds(done); /* of a thousand that wait not all are open */
	while (rc == PLUGPKG_OK && r->n_taken < r->all->n && r->at[r->n_taken].is_read)
		rc = take(r, &r->at[r->n_taken++], err);
	return rc == PLUGPKG_OK ? prepare(r, err) : rc;
}

static enum plugpkg_code
read_up_to(struct pp_reading *r, size_t limit, plugpkg_error **err)
{
	if (r->pool == NULL)
		r->pool = pp_unpack_pool_new(&r->queue);
	r->limit = limit;
	r->next = r->n_taken;
	r->ready = NULL;
	enum plugpkg_code rc = pp_unpack_pool_finish(&r->all->repo->ctx, r->pool, err);
	if (rc != PLUGPKG_OK) /* no helper works on when its directory goes */
		pp_unpack_pool_free(pp_steal(&r->pool));
	return rc;
}

/*
 * Of archives that are read at once a later one may fail first. Then they are read again one after
 * the other: which archive is refused does not depend on who was quicker.
 */
static enum plugpkg_code
read_all(struct pp_reading *r, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = read_up_to(r, r->all->n, &why);

	if (rc == PLUGPKG_OK)
		return rc;
	if (!r->is_refused && rc != PLUGPKG_E_INTERRUPTED && r->next > r->n_taken + 1) {
		r->is_in_order = true;
		enum plugpkg_code first = read_up_to(r, r->next, err);
		if (first != PLUGPKG_OK)
			return first;
	}
	if (err != NULL)
		*err = pp_steal(&why);
	return rc;
}

struct pp_reading *
pp_reading_new(const struct pp_arrivals *arrivals)
{
	static const struct pp_unpack_limits most = { PP_UNPACK_MAX_BYTES, PP_UNPACK_MAX_FILES,
		false };
	struct pp_reading *r = pp_xcalloc(1, sizeof(*r));

	r->all = arrivals;
	r->at = pp_xcalloc(arrivals->n, sizeof(*r->at));
	r->chunk = pp_xmalloc(CHUNK_BYTES);
	for (size_t i = 0; i < arrivals->n; i++)
		r->at[i] = (struct pp_arrival){
			.job = {
				.archive_fd = -1,
				.dir_fd = -1,
				.what = arrivals->paths[i],
				.name = pp_asprintf("%zu", i),
				.limits = most,
				.is_look = true,
			},
			.path = arrivals->paths[i],
			.number = i,
		};
	r->queue = (struct pp_unpack_queue){
		.next = next_job,
		.done = job_done,
		.user = r,
		.within_fd = -1,
		.beyond_fd = -1,
	};
	r->pool = pp_unpack_pool_new(&r->queue);
	pp_unpack_pool_warm(r->pool, arrivals->n);
	return r;
}

enum plugpkg_code
pp_reading_run(struct pp_reading *r, plugpkg_error **err)
{
	PP_AUTO_FD int within_fd = pp_opendir_at(r->all->repo->dir_fd, PP_LOOKS);
	PP_AUTO_FD int beyond_fd = pp_opendir_at(r->all->repo->dir_fd, PP_ARRIVING);

	if (within_fd < 0 || beyond_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, within_fd < 0 ? -within_fd : -beyond_fd,
		    "cannot open '" PP_LOOKS "'");
	r->queue.within_fd = within_fd;
	r->queue.beyond_fd = beyond_fd;
	return read_all(r, err);
}

enum plugpkg_code
pp_reading_end(struct pp_reading *r, plugpkg_error **err)
{
	return pp_unpack_pool_end(r->pool, err);
}
