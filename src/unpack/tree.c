/* SPDX-License-Identifier: MIT */
/* Walks a source directory without following links. */
#include "unpack/tree.h"

#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	struct pp_tree *tree;
	const struct pp_ignore *ignore;
	struct pp_report *report;
	uint64_t max_items;
};

static enum pp_entry_kind
kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return PP_ENTRY_FILE;
	case S_IFDIR:
		return PP_ENTRY_DIR;
	case S_IFLNK:
		return PP_ENTRY_LINK;
	case S_IFCHR:
	case S_IFBLK:
		return PP_ENTRY_DEVICE;
	case S_IFIFO:
		return PP_ENTRY_FIFO;
	case S_IFSOCK:
		return PP_ENTRY_SOCKET;
	default:
		return PP_ENTRY_UNKNOWN;
	}
}

static int
add_item(struct walk *w, int parent_fd, const char *name, char *path /* moved */)
{
	PP_AUTO_FREE char *own = path;
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(PP_PATH_MAX_BYTES + 1);
	struct stat st;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pp_report_io(w->report, path, errno, "cannot examine");
	if (pp_ignore_match(w->ignore, path, S_ISDIR(st.st_mode)))
		return 0;
	if (w->tree->items.n == w->max_items)
		return pp_report_bad(w->report, path,
		    "is one more than the %" PRIu64 " files that an archive may hold",
		    w->max_items);
	if (S_ISLNK(st.st_mode)) {
		int r = pp_readlink_at(parent_fd, name, &target);

		if (r < 0)
			return pp_report_io(w->report, path, -r, "cannot read link");
	}
	struct pp_tree_item *item = pp_vec_new(&w->tree->items);

	item->path = pp_steal(&own);
	item->kind = kind_of(st.st_mode);
	item->mode = st.st_mode & 07777;
	item->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	item->target = S_ISLNK(st.st_mode) ? pp_buf_steal(&target) : NULL;
	return 0;
}

/* dir: path of a directory below dir_fd, "" for dir_fd itself. */
static int
add_directory(struct walk *w, int dir_fd, const char *dir)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = pp_open_beneath(dir_fd, dir[0] == '\0' ? "." : dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);

	if (fd < 0)
		return pp_report_io(w->report, dir, -fd, "cannot open directory");
	int r = pp_list_dir(fd, ".", &names);

	if (r < 0)
		return pp_report_io(w->report, dir, -r, "cannot list directory");
	pp_vec_foreach (name, &names) {
		char *path = dir[0] == '\0' ? pp_xstrdup(*name) : pp_asprintf("%s/%s", dir, *name);

		if (add_item(w, fd, *name, path) < 0)
			return -1;
	}
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct pp_tree_item *x = a, *y = b;
	bool x_first = strcmp(x->path, "plugin.json") == 0;
	bool y_first = strcmp(y->path, "plugin.json") == 0;

	return x_first != y_first ? (int)y_first - (int)x_first : strcmp(x->path, y->path);
}

int
pp_tree_read(struct pp_tree *t, int dir_fd, const struct pp_ignore *ig, uint64_t max_items,
    struct pp_report *report)
{
	struct walk w = { .tree = t, .ignore = ig, .report = report, .max_items = max_items };

	if (add_directory(&w, dir_fd, "") < 0)
		return -1;
	/* The list is its own queue. Paths too deep for an archive are not looked into. */
	for (size_t i = 0; i < t->items.n; i++) {
		const struct pp_tree_item *item = &t->items.at[i];

		if (item->kind != PP_ENTRY_DIR || strlen(item->path) > PP_PATH_MAX_BYTES)
			continue;
		if (add_directory(&w, dir_fd, item->path) < 0)
			return -1;
	}
	pp_vec_sort(&t->items, by_path);
	return 0;
}

void
pp_tree_fini(struct pp_tree *t)
{
	pp_vec_foreach (item, &t->items) {
		free(item->path);
		free(item->target);
	}
	pp_vec_free(&t->items);
}
