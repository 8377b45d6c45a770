/* SPDX-License-Identifier: MIT */
/*
 * The current generation as plain files, for who cannot follow links. It is built beside its place
 * and changes places with what was there, so that a reader sees the one or the other, whole.
 */
#include "lib/api/api.h"

#include "base/errno_text.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/store/copy.h"
#include "lib/store/generation.h"
#include "lib/store/place.h"
#include "lib/txn/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INFO_FILE "/.plugins.json"

struct making {
	plugpkg_context *ctx;
	bool may_link;
	/* Owned; in parent. aside: where it is built; old: where one waits to be replaced. */
	char *parent, *name, *aside, *old;
	int parent_fd;
	int64_t generation, plugins;
	struct pp_copied copied;
};

static void
making_fini(struct making *m)
{
	int r = m->parent_fd >= 0 && m->aside != NULL ? pp_rm_rf_at(m->parent_fd, m->aside) : 0;

	if (r < 0)
		pp_warn(m->ctx, NULL, "cannot delete '%s/%s': %s; the next materialize tries again",
		    m->parent, m->aside, pp_errno_text(-r));
	pp_auto_fd(&m->parent_fd);
	free(m->parent);
	free(m->name);
	free(m->aside);
	free(m->old);
}

/* Below the root, only a new name beside what is ours. */
static bool
is_ours(const struct making *m)
{
	static const char *const ours[] = { "current", "data", "generations", "plugpkg.json",
		"plugpkg.lock", "store", "var" };
	size_t n = strlen(m->ctx->root);

	if (strcmp(m->parent, m->ctx->root) == 0) {
		for (size_t i = 0; i < PP_LEN(ours); i++)
			if (strcmp(m->name, ours[i]) == 0)
				return true;
		return false;
	}
	return strncmp(m->parent, m->ctx->root, n) == 0 && m->parent[n] == '/';
}

static enum plugpkg_code
find_place(struct making *m, const char *dir, plugpkg_error **err)
{
	PP_AUTO_FREE char *path =
	    dir != NULL ? pp_xstrdup(dir) : pp_asprintf("%s/plain", m->ctx->root);
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';)
		path[--n] = '\0';
	char *slash = strrchr(path, '/');
	m->name = pp_xstrdup(slash != NULL ? slash + 1 : path);
	if (slash != NULL)
		slash[slash == path ? 1 : 0] = '\0';
	if (*m->name == '\0' || strcmp(m->name, ".") == 0 || strcmp(m->name, "..") == 0)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' names no new directory", dir);
	m->parent = realpath(slash != NULL ? path : ".", NULL);
	if (m->parent == NULL)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", path);
	m->parent_fd = openat(AT_FDCWD, m->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->parent_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", m->parent);
	if (is_ours(m))
		return pp_fail(err, PLUGPKG_E_REFUSED, 0, "'%s/%s' belongs to the root itself",
		    m->parent, m->name);
	if (strcmp(m->parent, "/") == 0)
		m->parent[0] = '\0'; /* messages put the slash */
	return PLUGPKG_OK;
}

/* Somebody was cut off between one rename and the next. */
static int
end_replacing(const struct making *m)
{
	if (pp_exists_at(m->parent_fd, m->old) == 0)
		return 0;
	if (pp_exists_at(m->parent_fd, m->name) == 1)
		return pp_rm_rf_at(m->parent_fd, m->old);
	if (pp_renameat(m->parent_fd, m->old, m->parent_fd, m->name) == 0)
		return 0;
	return errno == EXDEV ? pp_place_remove_here(m->parent_fd, m->old, NULL) : -errno;
}

/* What is there already must be an earlier one of these. */
static enum plugpkg_code
check_place(struct making *m, bool *out_is_there, plugpkg_error **err)
{
	m->old = pp_asprintf(".%s.plugpkg-old", m->name);
	int r = end_replacing(m);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot put '%s/%s' away", m->parent, m->old);
	PP_AUTO_FREE char *mark = pp_asprintf("%s" INFO_FILE, m->name);
	struct stat st;

	*out_is_there = fstatat(m->parent_fd, m->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*out_is_there)
		return PLUGPKG_OK;
	if (S_ISDIR(st.st_mode) &&
	    (pp_exists_at(m->parent_fd, mark) == 1 || pp_place_is_leaving(m->parent_fd, m->name)))
		return PLUGPKG_OK;
	(void)pp_fail(
	    err, PLUGPKG_E_EXISTS, 0, "'%s/%s' is there, and is no generation", m->parent, m->name);
	return pp_hint(err, PLUGPKG_E_EXISTS, "choose a new directory, or move it away");
}

/* One link of the generation. */
static enum plugpkg_code
copy_entry(struct making *m, int gen_fd, const char *name, plugpkg_error **err)
{
	struct stat st;

	if (fstatat(gen_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot read '%s'", name);
	if (!S_ISLNK(st.st_mode))
		return PLUGPKG_OK;
	PP_AUTO_FREE char *to = pp_asprintf("%s/%s", m->aside, name);
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(4096);
	PP_AUTO_FD int fd = openat(gen_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pp_fail(
		    err, PLUGPKG_E_BAD_STATE, errno, "cannot open '%s' of the generation", name);
	/* A linked plugin is somebody's working directory: its files will change. */
	bool is_stored =
	    pp_readlink_at(gen_fd, name, &target) == 0 && pp_buf_cstr(&target)[0] != '/';
	m->plugins++;
	return pp_copy_tree(fd, m->parent_fd, to, m->may_link && is_stored, &m->copied, err);
}

static enum plugpkg_code
copy_scope(struct making *m, int gen_fd, const char *scope, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	int r = pp_list_dir(gen_fd, scope, &names);
	enum plugpkg_code rc =
	    r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s' of a generation", scope)
		  : PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("%s/%s", scope, names.at[i]);
		rc = copy_entry(m, gen_fd, name, err);
	}
	return rc;
}

static enum plugpkg_code
copy_generation(struct making *m, int gen_fd, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	int r = pp_list_dir(gen_fd, ".", &names);
	enum plugpkg_code rc =
	    r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot read a generation") : PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		rc = pp_check_cancel(m->ctx, err);
		if (rc == PLUGPKG_OK)
			rc = names.at[i][0] == '@' ? copy_scope(m, gen_fd, names.at[i], err)
						   : copy_entry(m, gen_fd, names.at[i], err);
	}
	return rc;
}

/* Last, because it is also the mark of a whole one. */
static enum plugpkg_code
copy_info(struct making *m, int gen_fd, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(64 * 1024 * 1024);
	PP_AUTO_FREE char *to = pp_asprintf("%s" INFO_FILE, m->aside);
	int r = pp_read_file_at(gen_fd, ".plugins.json", &text);

	if (r == 0)
		r = pp_write_file_at(m->parent_fd, to, pp_buf_cstr(&text), text.n, 0444);
	if (r == 0)
		r = pp_sync_tree_at(m->parent_fd, m->aside);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/%s'", m->parent, to)
		     : PLUGPKG_OK;
}

static enum plugpkg_code
build(struct making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_generation_current(m->ctx, &m->generation, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *path = pp_asprintf("generations/%lld", (long long)m->generation);
	PP_AUTO_FD int gen_fd = pp_opendir_at(m->ctx->root_fd, path);
	if (gen_fd < 0)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, -gen_fd, "cannot open '%s'", path);
	m->aside = pp_asprintf(".%s.plugpkg-new", m->name);
	int r = pp_rm_rf_at(m->parent_fd, m->aside);
	if (r < 0 || pp_mkdirat(m->parent_fd, m->aside, 0755) < 0)
		return pp_fail(err, PLUGPKG_E_IO, r < 0 ? -r : errno, "cannot make '%s/%s'",
		    m->parent, m->aside);
	rc = copy_generation(m, gen_fd, err);
	return rc == PLUGPKG_OK ? copy_info(m, gen_fd, err) : rc;
}

/* On a file system that cannot exchange them there is nothing between one rename and the next. */
static int
replace(struct making *m)
{
	char *new = m->aside;
	int r = 0;
	if (pp_renameat(m->parent_fd, m->name, m->parent_fd, m->old) < 0)
		r = errno == EXDEV ? pp_place_remove_here(m->parent_fd, m->name, NULL) : -errno;
	if (r < 0)
		return r;
	if (pp_renameat(m->parent_fd, new, m->parent_fd, m->name) < 0) {
		r = -errno;
		/* If that fails, too, the next one does it. */
		PP_IGNORE(pp_renameat(m->parent_fd, m->old, m->parent_fd, m->name));
		return r;
	}
	m->aside = m->old;
	m->old = new;
	return 0;
}

static int
change_places(struct making *m, bool is_there)
{
	if (!is_there)
		return pp_renameat(m->parent_fd, m->aside, m->parent_fd, m->name) < 0 ? -errno : 0;
	if (pp_rename_exchange(m->parent_fd, m->aside, m->parent_fd, m->name) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS || errno == EXDEV ? replace(m) : -errno;
}

static enum plugpkg_code
put(struct making *m, bool is_there, plugpkg_error **err)
{
	int r = change_places(m, is_there);

	if (r == 0 && pp_fsync(m->parent_fd) < 0)
		r = -errno;
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot put '%s/%s' in its place", m->parent, m->name);
	return PLUGPKG_OK; /* what was there before is aside now, and goes with m */
}

enum plugpkg_code
plugpkg_materialize(plugpkg_context *ctx, const struct plugpkg_materialize_spec *spec,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(making_fini)
	struct making m = { .ctx = ctx, .may_link = spec->copy == 0, .parent_fd = -1 };
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	bool is_there = false;
	enum plugpkg_code rc = find_place(&m, spec->dir, err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock(ctx, "materialize", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = check_place(&m, &is_there, err);
	if (rc == PLUGPKG_OK)
		rc = build(&m, err);
	if (rc == PLUGPKG_OK)
		rc = put(&m, is_there, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *dir = pp_asprintf("%s/%s", m.parent, m.name);
	pp_json *one = pp_row_new("materialized");
	pp_json_set_str(one, "dir", dir);
	pp_json_set_int(one, "generation", m.generation);
	pp_json_set_int(one, "plugins", m.plugins);
	pp_json_set_int(one, "files", (int64_t)m.copied.files);
	pp_json_set_int(one, "bytes", (int64_t)m.copied.bytes);
	pp_json_set_int(one, "linked", (int64_t)m.copied.linked);
	pp_json_set_int(one, "cloned", (int64_t)m.copied.cloned);
	pp_row(row, user, one);
	return PLUGPKG_OK;
}
