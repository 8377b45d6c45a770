/* SPDX-License-Identifier: MIT */
/* Reads, checks and digests directory trees. */
#include "lib/store/tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/store/store.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define PATH_MAX_BYTES   1024 /* of the archive policy */
#define DIGEST_HEX_BYTES 65

static enum plugpkg_code
add_node(
    struct pp_tree *t, int parent_fd, const char *name, char *path /* moved */, plugpkg_error **err)
{
	PP_AUTO_FREE char *own = path;
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(PATH_MAX_BYTES);
	struct stat st;

	if (strlen(path) > PATH_MAX_BYTES)
		return pp_fail(
		    err, PLUGPKG_E_BAD_STATE, 0, "a path has more than %d bytes", PATH_MAX_BYTES);
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot examine '%s'", path);
	if (S_ISLNK(st.st_mode)) {
		int r = pp_readlink_at(parent_fd, name, &target);

		if (r < 0)
			return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read link '%s'", path);
	}
	struct pp_tree_node *node = pp_vec_new(&t->nodes);

	node->path = pp_steal(&own);
	node->target = S_ISLNK(st.st_mode) ? pp_buf_steal(&target) : NULL;
	node->mode = st.st_mode;
	node->links = st.st_nlink;
	node->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return PLUGPKG_OK;
}

/* dir: path of a directory below dir_fd, "" for dir_fd itself. */
static enum plugpkg_code
add_directory(struct pp_tree *t, int dir_fd, const char *dir, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = pp_open_beneath(dir_fd, dir[0] == '\0' ? "." : dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open directory '%s'", dir);
	int r = pp_list_new_fd(fd, &names);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list directory '%s'", dir);
	pp_vec_foreach (name, &names) {
		char *path = dir[0] == '\0' ? pp_xstrdup(*name) : pp_asprintf("%s/%s", dir, *name);
		enum plugpkg_code rc = add_node(t, fd, *name, path, err);

		if (rc != PLUGPKG_OK)
			return rc;
	}
	return PLUGPKG_OK;
}

static int
by_path(const void *a, const void *b)
{
	const struct pp_tree_node *x = a, *y = b;

	return strcmp(x->path, y->path);
}

enum plugpkg_code
pp_tree_read(int dir_fd, struct pp_tree *out, plugpkg_error **err)
{
	enum plugpkg_code rc = add_directory(out, dir_fd, "", err);

	/* The list is its own queue. */
	for (size_t i = 0; rc == PLUGPKG_OK && i < out->nodes.n; i++) {
		if (S_ISDIR(out->nodes.at[i].mode))
			rc = add_directory(out, dir_fd, out->nodes.at[i].path, err);
	}
	pp_vec_sort(&out->nodes, by_path);
	return rc;
}

void
pp_tree_fini(struct pp_tree *t)
{
	pp_vec_foreach (node, &t->nodes) {
		free(node->path);
		free(node->target);
	}
	pp_vec_free(&t->nodes);
}

/*
 * By the text alone, as the policy has it: `..` only in front, and no more of them than
 * directories.
 */
static bool
stays_inside(const struct pp_tree_node *node)
{
	struct pp_str rest = pp_str_of(node->target), part;
	size_t depth = 0;
	bool named = false;

	if (node->target[0] == '/' || node->target[0] == '\0')
		return false;
	for (const char *p = node->path; *p != '\0'; p++)
		depth += *p == '/';
	while (pp_str_cut(&rest, '/', &part)) {
		if (pp_str_eq(part, "..") && (named || depth-- == 0))
			return false;
		named = named || (!pp_str_eq(part, "..") && !pp_str_eq(part, "."));
	}
	return true;
}

static const char *
flaw_of(const struct pp_tree_node *node)
{
	mode_t mode = node->mode & 07777;

	if (S_ISREG(node->mode)) {
		if (node->links != 1)
			return "has a second name";
		return mode == 0444 || mode == 0555 ? NULL : "is a file of another mode";
	}
	if (S_ISDIR(node->mode))
		return (mode & 05777) == 0755 ? NULL : "is a directory of another mode";
	if (S_ISLNK(node->mode))
		return stays_inside(node) ? NULL : "is a link that leaves the plugin";
	return "is neither a file, a directory nor a symbolic link";
}

static enum plugpkg_code
digest_node(
    struct pp_sha256 *hash, int dir_fd, const struct pp_tree_node *node, plugpkg_error **err)
{
	char hex[DIGEST_HEX_BYTES];
	uint64_t bytes = 0;
	PP_AUTO_FREE char *line = NULL;

	if (S_ISLNK(node->mode)) {
		line = pp_asprintf("l %s %s\n", node->target, node->path);
	} else if (S_ISREG(node->mode)) {
		PP_AUTO_FD int fd = pp_open_beneath(dir_fd, node->path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, PP_NO_SYMLINKS);
		int r = fd < 0 ? fd : pp_sha256_first(fd, node->size, hex, &bytes);

		if (r < 0)
			return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", node->path);
		line = pp_asprintf("%04o %" PRIu64 " %s %s\n", (unsigned)node->mode & 07777, bytes,
		    hex, node->path);
	} else if (!S_ISDIR(node->mode)) {
		line = pp_asprintf("? %s\n", node->path);
	}
	if (line != NULL)
		pp_sha256_add(hash, line, strlen(line));
	return PLUGPKG_OK;
}

static enum plugpkg_code
digest_tree(int dir_fd, const struct pp_tree *tree, char out[65], plugpkg_error **err)
{
	struct pp_sha256 *hash = pp_sha256_new();
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < tree->nodes.n; i++)
		rc = digest_node(hash, dir_fd, &tree->nodes.at[i], err);
	pp_sha256_end(hash, out);
	return rc;
}

enum plugpkg_code
pp_tree_check(int dir_fd, struct pp_unpacked *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	enum plugpkg_code rc = pp_tree_read(dir_fd, &tree, err);

	*out = (struct pp_unpacked){ 0 };
	if (rc != PLUGPKG_OK)
		return rc;
	pp_vec_foreach (node, &tree.nodes) {
		const char *flaw = flaw_of(node);

		if (flaw != NULL) {
			PP_AUTO_FREE char *shown = pp_shown(node->path, strlen(node->path));

			return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s' %s", shown, flaw);
		}
		out->bytes += node->size;
		out->files++;
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_store_tree_digest(int dir_fd, char out[65], plugpkg_error **err)
{
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	enum plugpkg_code rc = pp_tree_read(dir_fd, &tree, err);

	return rc == PLUGPKG_OK ? digest_tree(dir_fd, &tree, out, err) : rc;
}
