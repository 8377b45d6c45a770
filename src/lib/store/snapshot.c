/* SPDX-License-Identifier: MIT */
/* Snapshots of the data of plugins: taken aside, put in their place by one rename, deleted. */
#include "lib/store/snapshot.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/name.h"
#include "lib/store/place.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_DIR "data"

static char *
path_of(const char *key, int64_t generation)
{
	return pp_asprintf(PP_SNAPSHOTS_DIR "/%s/%" PRId64, key, generation);
}

/* "@scope" of "@scope/name", so that the directory can be synced; "" of others. Owned. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return pp_xstrndup(path, (size_t)(slash - path));
}

static enum plugpkg_code
cannot(plugpkg_context *ctx, int r, const char *what, const char *path, plugpkg_error **err)
{
	enum plugpkg_code rc = r == -ENOSPC || r == -EDQUOT ? PLUGPKG_E_NO_SPACE : PLUGPKG_E_IO;

	return pp_fail(err, rc, -r, "cannot %s '%s/%s'", what, ctx->root, path);
}

/* A copy of a directory of the root in a staging directory, durable. out_staging: owned path. */
static enum plugpkg_code
copy_aside(plugpkg_context *ctx, const char *path, char **out_staging, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = NULL;
	PP_AUTO_FREE char *where = NULL;
	PP_AUTO_FD int to = -1;
	PP_AUTO_FD int from = pp_opendir_at(ctx->root_fd, path);
	if (from < 0)
		return cannot(ctx, from, "open", path, err);
	enum plugpkg_code rc = pp_staging_new(ctx, "snapshot", &name, &to, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_staging = pp_asprintf(PP_STAGING_DIR "/%s", name);
	int r = pp_data_copy(ctx, from, to, &where);
	PP_AUTO_FREE char *full = pp_asprintf("%s/%s", path, where);
	if (r == 0)
		r = pp_sync_tree_at(to, ".");
	return r < 0 ? cannot(ctx, r, "copy", full, err) : PLUGPKG_OK;
}

/* Moves a directory of the root to a place whose parent may be missing; durable. */
static enum plugpkg_code
put(plugpkg_context *ctx, const char *from, const char *to, mode_t mode, plugpkg_error **err)
{
	PP_AUTO_FREE char *parent = parent_of(to);
	int r = pp_mkdirs_at(ctx->root_fd, parent, mode);

	if (r == 0)
		r = pp_place_rename(ctx->root_fd, from, ctx->root_fd, to);
	if (r == 0)
		r = pp_sync_dir_at(ctx->root_fd, parent);
	return r < 0 ? cannot(ctx, r, "make", to, err) : PLUGPKG_OK;
}

static enum plugpkg_code
take_away(plugpkg_context *ctx, const char *path, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("'%s/%s'", ctx->root, path);

	return pp_place_remove(ctx, ctx->root_fd, path, what, err);
}

/* The directory of a key holds snapshots of other generations, or has no use any more. */
static void
remove_if_empty(plugpkg_context *ctx, const char *dir)
{
	PP_IGNORE(pp_unlinkat(ctx->root_fd, dir, AT_REMOVEDIR)); /* nobody misses what it frees */
}

enum plugpkg_code
pp_snapshot_take(plugpkg_context *ctx, const char *data_key, const char *key, int64_t generation,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *from = pp_asprintf(DATA_DIR "/%s", data_key);
	PP_AUTO_FREE char *to = path_of(key, generation);
	PP_AUTO_FREE char *parent = parent_of(to);
	PP_AUTO_FREE char *staging = NULL;

	/* Before the copy, whose sync makes it durable too. */
	int r = pp_mkdirs_at(ctx->root_fd, parent, 0700);
	if (r < 0)
		return cannot(ctx, r, "make", parent, err);
	enum plugpkg_code rc = copy_aside(ctx, from, &staging, err);
	if (rc == PLUGPKG_OK)
		rc = take_away(ctx, to, err);
	return rc == PLUGPKG_OK ? put(ctx, staging, to, 0700, err) : rc;
}

/* EACCES: one of them is read-only. */
static bool
is_no_exchange(int errnum)
{
	return errnum == EINVAL || errnum == ENOSYS || errnum == EXDEV || errnum == EACCES;
}

/* 0 or -errno; 1: the place is not empty, or its parent is missing. */
static int
move_to_empty(plugpkg_context *ctx, const char *from, const char *to)
{
	PP_AUTO_FREE char *parent = parent_of(to);

	int r = pp_place_rename(ctx->root_fd, from, ctx->root_fd, to);
	bool may_be_made = r == -ENOTEMPTY || r == -EEXIST || r == -ENOTDIR || r == -ENOENT;

	if (r == 0)
		return pp_sync_dir_at(ctx->root_fd, parent);
	return may_be_made ? 1 : r;
}

/*
 * Where two names cannot be exchanged there is nothing between one rename and the next. The other
 * one leaves only when FROM is known to be able to take its place: what came with a lower layer of
 * an overlay is not, but its copy is.
 */
static enum plugpkg_code
put_instead(plugpkg_context *ctx, const char *from, const char *to, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("'%s/%s'", ctx->root, to);
	PP_AUTO_FREE char *copy = NULL;
	PP_AUTO_FREE char *aside = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;
	int r = move_to_empty(ctx, from, to);

	if (r == -EXDEV) {
		rc = copy_aside(ctx, from, &copy, err);
		r = rc == PLUGPKG_OK ? move_to_empty(ctx, copy, to) : 0;
	}
	if (rc != PLUGPKG_OK || r <= 0)
		return r < 0 ? cannot(ctx, r, "put back", to, err) : rc;
	rc = pp_place_aside(ctx, ctx->root_fd, to, what, &aside, err);
	if (rc == PLUGPKG_OK)
		rc = put(ctx, copy != NULL ? copy : from, to, 0755, err);
	if (rc != PLUGPKG_OK || aside == NULL)
		return rc;
	r = pp_rm_rf_at(ctx->root_fd, aside);
	return r < 0 ? cannot(ctx, r, "remove", aside, err) : rc;
}

enum plugpkg_code
pp_snapshot_restore(plugpkg_context *ctx, const char *key, int64_t generation, const char *data_key,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *from = path_of(key, generation);
	PP_AUTO_FREE char *to = pp_asprintf(DATA_DIR "/%s", data_key);
	PP_AUTO_FREE char *parent = parent_of(to);
	PP_AUTO_FREE char *staging = NULL;
	enum plugpkg_code rc = copy_aside(ctx, from, &staging, err);

	if (rc != PLUGPKG_OK)
		return rc;
	/* The application may look while they change places; then it finds one of the two. */
	if (pp_rename_exchange(ctx->root_fd, staging, ctx->root_fd, to) < 0) {
		if (errno != ENOENT && !is_no_exchange(errno))
			return cannot(ctx, -errno, "put back", to, err);
		return put_instead(ctx, staging, to, err);
	}
	int r = pp_sync_dir_at(ctx->root_fd, parent);
	if (r == 0)
		r = pp_rm_rf_at(ctx->root_fd, staging);
	return r < 0 ? cannot(ctx, r, "put back", to, err) : PLUGPKG_OK;
}

/*
 * What is given up for a snapshot carries this name, so that whoever comes after a crash knows
 * which of the two it is. It has the number of the snapshot's generation: no other holds it.
 */
#define LEFT_MARK ".plugpkg-left-%" PRId64

/* 1: they have changed places; 0: that cannot be done here. */
static int
exchange_marked(plugpkg_context *ctx, const char *from, const char *to, int64_t generation)
{
	PP_AUTO_FREE char *mark = pp_asprintf(LEFT_MARK, generation);
	PP_AUTO_FREE char *parent = parent_of(to);
	PP_AUTO_FD int dir = pp_opendir_at(ctx->root_fd, to);
	if (dir < 0)
		return 0;
	PP_AUTO_FD int fd = pp_openat_create(dir, mark, O_WRONLY | O_EXCL, 0600);

	/* Durable before it is needed; a full disk may have no room for it. */
	if ((fd < 0 && errno != EEXIST) || pp_fsync(dir) < 0)
		return 0;
	if (pp_rename_exchange(ctx->root_fd, from, ctx->root_fd, to) < 0)
		return is_no_exchange(errno) ? 0 : -errno;
	int r = pp_sync_dir_at(ctx->root_fd, parent);
	return r < 0 ? r : 1;
}

/* What is being deleted where it is, or was given up for it. */
static bool
is_left(plugpkg_context *ctx, const char *path, int64_t generation)
{
	PP_AUTO_FREE char *mark = pp_asprintf("%s/" LEFT_MARK, path, generation);

	return pp_exists_at(ctx->root_fd, mark) != 0 || pp_place_is_leaving(ctx->root_fd, path);
}

/* The application may look at any moment, and finds one of the two. */
static enum plugpkg_code
change_places(
    plugpkg_context *ctx, const char *from, const char *to, int64_t generation, plugpkg_error **err)
{
	int r = exchange_marked(ctx, from, to, generation);

	if (r == 0)
		return put_instead(ctx, from, to, err);
	return r < 0 ? cannot(ctx, r, "put back", to, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_snapshot_return(plugpkg_context *ctx, const char *key, int64_t generation, const char *data_key,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *from = path_of(key, generation);
	PP_AUTO_FREE char *to = pp_asprintf(DATA_DIR "/%s", data_key);

	PP_AUTO_FREE char *parent = parent_of(from);
	if (pp_exists_at(ctx->root_fd, from) == 0) {
		remove_if_empty(ctx, parent);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = PLUGPKG_OK;

	if (!is_left(ctx, from, generation))
		rc = change_places(ctx, from, to, generation, err);
	if (rc == PLUGPKG_OK)
		rc = take_away(ctx, from, err); /* what the data was, or nothing any more */
	if (rc != PLUGPKG_OK)
		return rc;
	/* Gone there, or else it would come back after a power failure. */
	int r = pp_sync_dir_at(ctx->root_fd, parent);
	remove_if_empty(ctx, parent);
	return r < 0 ? cannot(ctx, r, "put back", to, err) : rc;
}

/* ---- which there are ---- */

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Also those that are being deleted. */
static enum plugpkg_code
list_all(plugpkg_context *ctx, const char *key, int64_t **out, size_t *out_n, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FREE char *dir = pp_asprintf(PP_SNAPSHOTS_DIR "/%s", key);
	int r = pp_exists_at(ctx->root_fd, dir);
	if (r == 1)
		r = pp_list_dir(ctx->root_fd, dir, &names);
	if (r < 0)
		return cannot(ctx, r, "list", dir, err);
	*out = pp_xcalloc(names.n + 1, sizeof(**out));
	*out_n = 0;
	pp_vec_foreach (name, &names) {
		uint64_t n = 0;
		if (pp_parse_u64(pp_str_of(*name), INT64_MAX, &n) == 0)
			(*out)[(*out_n)++] = (int64_t)n;
	}
	qsort(*out, *out_n, sizeof(**out), by_number);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_snapshot_list(
    plugpkg_context *ctx, const char *key, int64_t **out, size_t *out_n, plugpkg_error **err)
{
	enum plugpkg_code rc = list_all(ctx, key, out, out_n, err);
	size_t n = 0;

	for (size_t i = 0; rc == PLUGPKG_OK && i < *out_n; i++) {
		PP_AUTO_FREE char *path = path_of(key, (*out)[i]);
		if (!is_left(ctx, path, (*out)[i]))
			(*out)[n++] = (*out)[i];
	}
	*out_n = n;
	return rc;
}

enum plugpkg_code
pp_snapshots_drop(plugpkg_context *ctx, const char *key, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf(PP_SNAPSHOTS_DIR "/%s", key);
	int r = pp_rm_rf_at(ctx->root_fd, dir);

	return r < 0 ? cannot(ctx, r, "delete", dir, err) : PLUGPKG_OK;
}

static enum plugpkg_code
clean_key(plugpkg_context *ctx, const char *key, const int64_t *kept, size_t n, uint64_t *deleted,
    plugpkg_error **err)
{
	PP_AUTO_FREE int64_t *all = NULL;
	PP_AUTO_FREE char *dir = pp_asprintf(PP_SNAPSHOTS_DIR "/%s", key);
	size_t n_all = 0;
	enum plugpkg_code rc = list_all(ctx, key, &all, &n_all, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < n_all; i++) {
		PP_AUTO_FREE char *path = path_of(key, all[i]);
		if (bsearch(&all[i], kept, n, sizeof(*kept), by_number) != NULL)
			continue;
		rc = take_away(ctx, path, err);
		*deleted += rc == PLUGPKG_OK;
	}
	remove_if_empty(ctx, dir);
	return rc;
}

/* scope: "" for the top. */
static enum plugpkg_code
clean_below(plugpkg_context *ctx, const char *scope, const int64_t *kept, size_t n,
    uint64_t *deleted, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FREE char *dir = pp_asprintf(PP_SNAPSHOTS_DIR "%s%s", *scope ? "/" : "", scope);
	enum plugpkg_code rc = PLUGPKG_OK;
	int r = pp_exists_at(ctx->root_fd, dir);

	if (r == 1)
		r = pp_list_dir(ctx->root_fd, dir, &names);
	if (r < 0)
		return cannot(ctx, r, "list", dir, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		PP_AUTO_FREE char *key =
		    pp_asprintf("%s%s%s", scope, *scope ? "/" : "", names.at[i]);
		if (*scope == '\0' && names.at[i][0] == '@')
			rc = clean_below(ctx, names.at[i], kept, n, deleted, err);
		else if (pp_key_valid(pp_str_of(key)))
			rc = clean_key(ctx, key, kept, n, deleted, err);
	}
	return rc;
}

enum plugpkg_code
pp_snapshots_clean(
    plugpkg_context *ctx, const int64_t *kept, size_t n, uint64_t *out_deleted, plugpkg_error **err)
{
	*out_deleted = 0;
	return clean_below(ctx, "", kept, n, out_deleted, err);
}

/* ---- room ---- */

/* Can files of the root share blocks? Tried with one byte. */
static bool
can_clone(plugpkg_context *ctx)
{
	PP_AUTO_FREE char *name = NULL;
	PP_AUTO_FD int dir = -1;

	if (pp_staging_new(ctx, "clone", &name, &dir, NULL) != PLUGPKG_OK)
		return false;
	PP_AUTO_FD int a = pp_openat_create(dir, "a", O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	PP_AUTO_FD int b = pp_openat_create(dir, "b", O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	bool can = a >= 0 && b >= 0 && pp_fd_write_all(a, "a", 1) == 0 && ioctl(b, FICLONE, a) == 0;
	PP_AUTO_FREE char *path = pp_asprintf(PP_STAGING_DIR "/%s", name);
	PP_IGNORE(pp_rm_rf_at(ctx->root_fd, path)); /* staging is cleared at the next start */
	return can;
}

static enum plugpkg_code
not_possible(plugpkg_context *ctx, int r, const char *path, plugpkg_error **err)
{
	if (r == -EXDEV)
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "something is mounted at or in '%s/%s', of which a snapshot is wanted",
		    ctx->root, path);
	else
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "'%s/%s' is no directory, and a snapshot of it is wanted", ctx->root, path);
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "a snapshot is put back by one rename, so links and mounts cannot be part of it; the "
	    "root as a whole can lie elsewhere");
}

/* Of a directory of our own pp_place_rename() sees to it. */
static bool
may_be_moved(plugpkg_context *ctx, int fd, const char *path)
{
	struct stat st;

	return faccessat(ctx->root_fd, path, W_OK, AT_EACCESS) == 0 || errno != EACCES ||
	       (fstat(fd, &st) == 0 && st.st_uid == geteuid());
}

/* out: NULL, or bytes of a copy. */
static enum plugpkg_code
look_at(plugpkg_context *ctx, const char *path, uint64_t *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = pp_opendir_at(ctx->root_fd, path);
	int r = fd < 0 ? fd : pp_data_bytes(fd, ctx->root_fd, out);

	if (fd == -ENOTDIR || fd == -ELOOP || r == -EXDEV)
		return not_possible(ctx, r, path, err);
	if (r == 0 && !may_be_moved(ctx, fd, path)) {
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "'%s/%s' is another user's and may not be written, and a snapshot of it is "
		    "wanted",
		    ctx->root, path);
		return pp_hint(err, PLUGPKG_E_REFUSED,
		    "who may not write a directory cannot put its snapshot back: give it to the "
		    "user who runs plugpkg, or run plugpkg as root");
	}
	return r < 0 ? cannot(ctx, r, "read", path, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_snapshot_cost(plugpkg_context *ctx, const char *path, uint64_t *out, plugpkg_error **err)
{
	enum plugpkg_code rc = look_at(ctx, path, out, err);

	if (rc == PLUGPKG_OK && *out > 0 && can_clone(ctx))
		*out = 0;
	return rc;
}

enum plugpkg_code
pp_snapshot_check(plugpkg_context *ctx, const char *path, plugpkg_error **err)
{
	return look_at(ctx, path, NULL, err);
}
