/* SPDX-License-Identifier: MIT */
/* Copies of trees: blocks are shared where the file system can, else files, else bytes are read. */
#include "lib/store/copy.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0 or -errno. */
static int
copy_bytes(int from, int to_fd, const struct pp_tree_node *node, struct pp_copied *out)
{
	PP_AUTO_FD int to =
	    pp_openat_create(to_fd, node->path, O_WRONLY | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint64_t bytes = 0;

	if (to < 0)
		return -errno;
	if (ioctl(to, FICLONE, from) == 0) {
		out->cloned++;
	} else {
		int r = pp_fd_copy(from, to, &bytes);
		if (r < 0)
			return r;
	}
	return pp_fchmod(to, node->mode & 0777) < 0 ? -errno : 0;
}

static int
copy_file(
    int from_fd, int to_fd, const struct pp_tree_node *node, bool may_link, struct pp_copied *out)
{
	out->files++;
	out->bytes += node->size;
	if (may_link && pp_linkat(from_fd, node->path, to_fd, node->path) == 0) {
		out->linked++;
		return 0;
	}
	PP_AUTO_FD int from =
	    pp_open_beneath(from_fd, node->path, O_RDONLY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
	return from < 0 ? from : copy_bytes(from, to_fd, node, out);
}

static int
copy_node(
    int from_fd, int to_fd, const struct pp_tree_node *node, bool may_link, struct pp_copied *out)
{
	if (S_ISDIR(node->mode))
		return pp_mkdirat(to_fd, node->path, 0755) < 0 ? -errno : 0;
	if (S_ISLNK(node->mode))
		return pp_symlinkat(node->target, to_fd, node->path) < 0 ? -errno : 0;
	if (S_ISREG(node->mode))
		return copy_file(from_fd, to_fd, node, may_link, out);
	return -EINVAL;
}

enum plugpkg_code
pp_copy_tree(int from_fd, int to_fd, const char *path, bool may_link, struct pp_copied *out,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	enum plugpkg_code rc = pp_tree_read(from_fd, &tree, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_mkdirs_at(to_fd, path, 0755);
	PP_AUTO_FD int dir = r < 0 ? r : pp_opendir_at(to_fd, path);
	if (dir < 0)
		return pp_fail(err, PLUGPKG_E_IO, -dir, "cannot make '%s'", path);
	pp_vec_foreach (node, &tree.nodes) {
		r = copy_node(from_fd, dir, node, may_link, out);
		if (r < 0)
			return pp_fail(
			    err, PLUGPKG_E_IO, -r, "cannot copy '%s/%s'", path, node->path);
	}
	return PLUGPKG_OK;
}
