/* SPDX-License-Identifier: MIT */
/*
 * Two at a time by the unpack helper, which writes next to nothing of them, while the digests of
 * those that come next are compared. Where one is refused they are read again one by one, so that
 * each is told of.
 */
#include "lib/repo/inside.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/model/manifest.h"
#include "lib/store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define WITHIN "looks"
#define BEYOND "looked"

struct item {
	struct pp_unpack_job job;
	char name[24];
	bool is_sound;
	bool is_begun; /* there is something of it that has to go */
	bool is_judged;
};

struct inside {
	const struct pp_inside *what;
	const struct pp_walk_files *files;
	struct item *items; /* of the files */
	size_t n_asked;     /* whether they are sound */
	size_t next, end;
	struct pp_unpack_queue queue;
};

static void
close_item(struct item *item)
{
	pp_auto_fd(&item->job.archive_fd);
	pp_auto_fd(&item->job.dir_fd);
	item->job.archive_fd = item->job.dir_fd = -1;
	free(item->job.manifest);
	item->job.manifest = NULL;
}

static enum plugpkg_code
ask_up_to(struct inside *in, size_t end, plugpkg_error **err)
{
	for (; in->n_asked < end; in->n_asked++) {
		enum plugpkg_code rc = pp_check_cancel(in->what->ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
		in->items[in->n_asked].is_sound =
		    in->what->is_sound(in->what->user, &in->files->at[in->n_asked]);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err)
{
	struct inside *in = user;

	for (; in->next < in->end; in->next++) {
		enum plugpkg_code rc = ask_up_to(in, in->next + 1, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (in->items[in->next].is_sound)
			break;
	}
	if (in->next == in->end)
		return PLUGPKG_OK;
	const struct pp_walk_file *file = &in->files->at[in->next];
	struct item *item = &in->items[in->next++];
	item->job = (struct pp_unpack_job){
		.archive_fd = openat(in->what->targets_fd, file->path, O_RDONLY | O_CLOEXEC),
		.dir_fd = -1,
		.what = file->what,
		.name = item->name,
		.limits = { file->unpacked, file->n_files, .exact = true },
		.is_digested = true,
		.is_compared = true,
		.is_look = true,
		.is_short = file->size <= PP_UNPACK_SHORT_BYTES,
	};
	item->is_begun = true;
	if (item->job.archive_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open 'targets/%s'", file->path);
	*out = &item->job;
	return PLUGPKG_OK;
}

static enum plugpkg_code
judge(struct inside *in, struct item *item, plugpkg_error **err)
{
	const struct pp_walk_file *file = &in->files->at[item - in->items];
	struct pp_str manifest = pp_str_of(item->job.manifest);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);

	if (item->job.manifest == NULL) {
		int r = pp_read_file_at(item->job.dir_fd, "plugin.json", &text);
		if (r < 0)
			return pp_fail(err, pp_code_of_read(r, PLUGPKG_E_BAD_ARCHIVE), -r,
			    "cannot read plugin.json of %s", file->what);
		manifest = (struct pp_str){ pp_buf_cstr(&text), text.n };
	}
	if (!item->is_judged)
		in->what->judge(in->what->user, file, manifest);
	item->is_judged = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
job_done(void *user, struct pp_unpack_job *job, plugpkg_error **err)
{
	struct inside *in = user;
	struct item *item = (struct item *)job; /* its first member */
	enum plugpkg_code rc = judge(in, item, err);
	int r = job->dir_fd >= 0 ? pp_rm_dir_at(in->queue.beyond_fd, item->name) : 0;

	item->is_begun = r < 0;
	close_item(item);
	if (rc == PLUGPKG_OK && r < 0)
		rc = pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove what was looked at");
	return rc;
}

/* Where the queue comes to an early end, what it had begun goes as well. */
static enum plugpkg_code
read_some(struct inside *in, size_t from, size_t end, plugpkg_error **err)
{
	in->next = from;
	in->end = end;
	enum plugpkg_code rc = pp_unpack_queue(in->what->ctx, &in->queue, err);
	for (size_t i = from; i < in->next; i++) {
		if (!in->items[i].is_begun)
			continue;
		close_item(&in->items[i]);
		PP_IGNORE(pp_rm_rf_at(in->queue.within_fd, in->items[i].name));
		PP_IGNORE(pp_rm_rf_at(in->queue.beyond_fd, in->items[i].name));
	}
	return rc;
}

static enum plugpkg_code
read_one(struct inside *in, size_t i, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = read_some(in, i, i + 1, &why);

	if (rc == PLUGPKG_E_BAD_ARCHIVE) {
		in->what->problem(in->what->user, &in->files->at[i], plugpkg_error_message(why));
		return PLUGPKG_OK;
	}
	if (rc != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&why);
	return rc;
}

static enum plugpkg_code
read_all(struct inside *in, plugpkg_error **err)
{
	size_t n = in->files->n;
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = read_some(in, 0, n, &why);
	bool is_refused = rc == PLUGPKG_E_BAD_ARCHIVE;

	if (is_refused)
		rc = ask_up_to(in, n, err);
	for (size_t i = 0; is_refused && rc == PLUGPKG_OK && i < n; i++)
		rc = read_one(in, i, err);
	if (why != NULL && !is_refused && err != NULL)
		*err = pp_steal(&why);
	return rc;
}

static int
open_place(int work_fd, const char *name)
{
	if (pp_mkdirat(work_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return pp_opendir_at(work_fd, name);
}

enum plugpkg_code
pp_inside_check(
    const struct pp_inside *inside, const struct pp_walk_files *files, plugpkg_error **err)
{
	size_t n = files->n;
	PP_AUTO_FD int within_fd = open_place(inside->work_fd, WITHIN);
	PP_AUTO_FD int beyond_fd = open_place(inside->work_fd, BEYOND);

	if (n == 0)
		return PLUGPKG_OK;
	if (within_fd < 0 || beyond_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, within_fd < 0 ? -within_fd : -beyond_fd,
		    "cannot make a directory to look into archives");
	struct inside in = {
		.what = inside,
		.files = files,
		.items = pp_xcalloc(n, sizeof(*in.items)),
		.queue = { next_job, job_done, &in, within_fd, beyond_fd },
	};
	for (size_t i = 0; i < n; i++)
		(void)snprintf(in.items[i].name, sizeof(in.items[i].name), "%zu", i);
	enum plugpkg_code rc = read_all(&in, err);
	free(in.items);
	return rc;
}
