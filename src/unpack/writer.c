/* SPDX-License-Identifier: MIT */
/*
 * The only code that turns names from archives into files. Every path is resolved by the kernel
 * below the directory with no link followed, each time anew: a directory that somebody exchanges
 * for a link between two entries leads nowhere.
 */
#include "unpack/writer.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The descriptors of one archive follow each other: many are closed by one call. */
static void
close_files(struct pp_writer *w)
{
	size_t n = w->n_files;
	bool is_row = n > 0 && (size_t)(w->files[n - 1] - w->files[0]) == n - 1;

	w->n_files = 0;
	if (is_row && pp_fd_close_row(w->files[0], w->files[n - 1]) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		pp_auto_fd(&w->files[i]);
}

void
pp_writer_fini(struct pp_writer *w)
{
	close_files(w);
	pp_vec_foreach (link, &w->links) {
		free(link->path);
		free(link->target);
	}
	pp_vec_free(&w->links);
}

/* Opens the directory that holds `path` and gives the last component. */
static int
open_parent(struct pp_writer *w, const char *path, const char **out_name)
{
	const char *slash = strrchr(path, '/');
	PP_AUTO_FREE char *parent =
	    slash == NULL ? pp_xstrdup(".") : pp_xstrndup(path, (size_t)(slash - path));

	*out_name = slash == NULL ? path : slash + 1;
	return pp_open_beneath(
	    w->dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
}

static int
make_dir(struct pp_writer *w, const char *path)
{
	const char *name = path;
	PP_AUTO_FD int held = -1;
	int parent = w->dir_fd;

	if (strchr(path, '/') != NULL)
		parent = held = open_parent(w, path, &name);
	if (parent < 0)
		return parent;
	return pp_mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int
make_parents(struct pp_writer *w, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		PP_AUTO_FREE char *parent = pp_xstrndup(path, (size_t)(slash - path));
		int r = make_dir(w, parent);

		if (r < 0)
			return r;
	}
	return 0;
}

int
pp_writer_dir(struct pp_writer *w, const char *path)
{
	int r = make_dir(w, path);

	if (r != -ENOENT)
		return r;
	r = make_parents(w, path);
	return r < 0 ? r : make_dir(w, path);
}

int
pp_writer_file(struct pp_writer *w, const char *path, unsigned mode)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	if (w->n_files == PP_WRITER_OPEN_MAX)
		close_files(w);
	int fd = pp_open_beneath(w->dir_fd, path, flags, mode, PP_NO_SYMLINKS);

	if (fd == -ENOENT) {
		int r = make_parents(w, path);

		fd = r < 0 ? r : pp_open_beneath(w->dir_fd, path, flags, mode, PP_NO_SYMLINKS);
	}
	if (fd >= 0)
		w->files[w->n_files++] = fd;
	return fd;
}

void
pp_writer_link(struct pp_writer *w, const char *path, const char *target)
{
	struct pp_writer_link *link = pp_vec_new(&w->links);

	link->path = pp_xstrdup(path);
	link->target = pp_xstrdup(target);
}

static int
make_link(struct pp_writer *w, const struct pp_writer_link *link)
{
	const char *name;
	int r = make_parents(w, link->path);

	if (r < 0)
		return r;
	PP_AUTO_FD int parent = open_parent(w, link->path, &name);

	if (parent < 0)
		return parent;
	return pp_symlinkat(link->target, parent, name) < 0 ? -errno : 0;
}

int
pp_writer_end(struct pp_writer *w, const char **out_path)
{
	pp_vec_foreach (link, &w->links) {
		int r = make_link(w, link);

		*out_path = link->path;
		if (r < 0)
			return r;
	}
	return 0;
}
