/* SPDX-License-Identifier: MIT */
/* Reads, checks and digests directory trees. */
#include "lib/store/tree.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/tree_line.h"
#include "lib/store/store.h"
#include "lib/trust/crypto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PATH_MAX_BYTES   1024 /* of the archive policy */
#define DIGEST_HEX_BYTES 65

/* A directory below dir_fd that is being read; its path is "" for dir_fd itself. */
struct place {
	int fd;
	const char *path; /* borrowed */
};

static enum plugpkg_code
open_place(int dir_fd, const char *path, struct place *out, plugpkg_error **err)
{
	out->path = path;
	out->fd = pp_open_beneath(dir_fd, path[0] == '\0' ? "." : path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
	if (out->fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -out->fd, "cannot open directory '%s'", path);
	return PLUGPKG_OK;
}

static void
close_place(struct place *p)
{
	pp_auto_fd(&p->fd);
}

static char *
path_in(const struct place *p, const char *name)
{
	return p->path[0] == '\0' ? pp_xstrdup(name) : pp_asprintf("%s/%s", p->path, name);
}

/* All of the node but its path. */
static enum plugpkg_code
examine(const struct place *p, const char *name, struct pp_tree_node *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(PATH_MAX_BYTES);
	struct stat st;

	if (strlen(p->path) + 1 + strlen(name) > PATH_MAX_BYTES)
		return pp_fail(
		    err, PLUGPKG_E_BAD_STATE, 0, "a path has more than %d bytes", PATH_MAX_BYTES);
	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, errno, "cannot examine '%s' in '%s'", name, p->path);
	if (S_ISLNK(st.st_mode)) {
		int r = pp_readlink_at(p->fd, name, &target);

		if (r < 0)
			return pp_fail(
			    err, PLUGPKG_E_IO, -r, "cannot read link '%s' in '%s'", name, p->path);
	}
	*out = (struct pp_tree_node){
		.target = S_ISLNK(st.st_mode) ? pp_buf_steal(&target) : NULL,
		.mode = st.st_mode,
		.links = st.st_nlink,
		.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
	};
	return PLUGPKG_OK;
}

static enum plugpkg_code
add_directory(struct pp_tree *t, int dir_fd, const char *dir, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_CLEANUP(close_place) struct place place = { .fd = -1 };
	enum plugpkg_code rc = open_place(dir_fd, dir, &place, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_list_new_fd(place.fd, &names);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list directory '%s'", dir);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		struct pp_tree_node node = { 0 };

		rc = examine(&place, names.at[i], &node, err);
		node.path = path_in(&place, names.at[i]);
		pp_vec_push(&t->nodes, node);
	}
	return rc;
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

	assert(node->target != NULL); /* of a link it was read */
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
		line = pp_tree_line_link(node->target, node->path);
	} else if (S_ISREG(node->mode)) {
		PP_AUTO_FD int fd = pp_open_beneath(dir_fd, node->path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, PP_NO_SYMLINKS);
		int r = fd < 0 ? fd : pp_sha256_first(fd, node->size, hex, &bytes);

		if (r < 0)
			return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", node->path);
		line = pp_tree_line_file((unsigned)node->mode & 07777, bytes, hex, node->path);
	} else if (!S_ISDIR(node->mode)) {
		line = pp_asprintf("? %s", node->path);
	}
	if (line != NULL) {
		pp_sha256_add(hash, line, strlen(line));
		pp_sha256_add(hash, "\n", 1);
	}
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

/* A tree that is looked at and not remembered. */
struct survey {
	struct place place;  /* that is being listed */
	struct pp_strs dirs; /* all that were found, as a queue */
	struct pp_unpacked sum;
	enum plugpkg_code rc;
	plugpkg_error **err;
};

static void
survey_fini(struct survey *s)
{
	close_place(&s->place);
	pp_strs_fini(&s->dirs);
}

static int
survey_node(void *user, const char *name, unsigned char kind PP_UNUSED)
{
	struct survey *s = user;
	struct pp_tree_node node = { 0 };

	s->rc = examine(&s->place, name, &node, s->err);
	if (s->rc != PLUGPKG_OK)
		return 1;
	if (!S_ISREG(node.mode))
		node.path = path_in(&s->place, name);
	const char *flaw = flaw_of(&node);

	if (flaw != NULL) {
		PP_AUTO_FREE char *path = path_in(&s->place, name);
		PP_AUTO_FREE char *shown = pp_shown(path, strlen(path));

		s->rc = pp_fail(s->err, PLUGPKG_E_BAD_STATE, 0, "'%s' %s", shown, flaw);
	}
	s->sum.bytes += node.size;
	s->sum.files++;
	if (S_ISDIR(node.mode))
		pp_strs_take(&s->dirs, pp_steal(&node.path));
	free(node.path);
	free(node.target);
	return s->rc == PLUGPKG_OK ? 0 : 1;
}

static enum plugpkg_code
survey_dir(struct survey *s, int dir_fd, const char *dir)
{
	s->rc = open_place(dir_fd, dir, &s->place, s->err);
	if (s->rc != PLUGPKG_OK)
		return s->rc;
	int r = pp_scan_new_fd(s->place.fd, survey_node, s);

	close_place(&s->place);
	return r < 0 ? pp_fail(s->err, PLUGPKG_E_IO, -r, "cannot list directory '%s'", dir) : s->rc;
}

enum plugpkg_code
pp_tree_check(int dir_fd, struct pp_unpacked *out, plugpkg_error **err)
{
	PP_CLEANUP(survey_fini) struct survey s = { .place.fd = -1, .err = err };
	enum plugpkg_code rc = survey_dir(&s, dir_fd, "");

	for (size_t i = 0; rc == PLUGPKG_OK && i < s.dirs.n; i++)
		rc = survey_dir(&s, dir_fd, s.dirs.at[i]);
	*out = s.sum;
	return rc;
}

enum plugpkg_code
pp_store_tree_digest(int dir_fd, char out[65], plugpkg_error **err)
{
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	enum plugpkg_code rc = pp_tree_read(dir_fd, &tree, err);

	return rc == PLUGPKG_OK ? digest_tree(dir_fd, &tree, out, err) : rc;
}
