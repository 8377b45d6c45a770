/* SPDX-License-Identifier: MIT */
/* `build`: what lint accepts is packed beside its final name and appears there by one rename. */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/repo/lint.h"
#include "lib/store/archive.h"
#include "lib/trust/crypto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MTIME_MAX 077777777777LL /* eleven octal digits, what a tar header holds */

struct built {
	char sha256[65];
	uint64_t size;
	struct pp_unpacked unpacked;
};

static enum plugpkg_code
open_directory(const char *path, int *out_fd, plugpkg_error **err)
{
	*out_fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out_fd >= 0)
		return PLUGPKG_OK;
	return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
	    "cannot open directory '%s'", path);
}

/* Findings go out as rows; errors among them end it. */
static enum plugpkg_code
lint(int dir_fd, const char *where, plugpkg_row_fn row, void *user,
    struct pp_manifest **out_manifest, plugpkg_error **err)
{
	PP_CLEANUP(pp_lint_outcome_fini) struct pp_lint_outcome found = { 0 };
	enum plugpkg_code rc = pp_lint_dir(dir_fd, where, &found, row, user, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (found.errors > 0 || found.manifest == NULL) {
		rc = pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0, "'%s' fails lint with %zu error%s",
		    where, found.errors, found.errors == 1 ? "" : "s");
		return pp_hint(err, rc, "see them with: plugpkg lint %s", where);
	}
	*out_manifest = pp_steal(&found.manifest);
	return PLUGPKG_OK;
}

static enum plugpkg_code
pack(int dir_fd, const struct pp_manifest *manifest, int64_t mtime, int out_fd, struct built *out,
    plugpkg_error **err)
{
	const struct pp_release *release = manifest->release;
	PP_AUTO_FREE char *what = pp_asprintf("%s %s", release->name, release->version.text);
	enum plugpkg_code rc = pp_pack(dir_fd, what, mtime, out_fd, &out->unpacked, err);

	if (rc != PLUGPKG_OK)
		return rc;
	int r = lseek(out_fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (r == 0)
		r = pp_sha256_fd(out_fd, out->sha256, &out->size);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot read the archive of %s", what)
		     : PLUGPKG_OK;
}

/* Packs into a temporary name of out_dir; the archive is durable before it gets its own. */
static enum plugpkg_code
pack_as(int dir_fd, const struct pp_manifest *m, int64_t mtime, int out_dir_fd, const char *name,
    struct built *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *temporary = pp_asprintf(".%s.new", name);

	if (pp_unlinkat(out_dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot replace '%s'", temporary);
	PP_AUTO_FD int fd =
	    pp_openat_create(out_dir_fd, temporary, O_RDWR | O_EXCL | O_NOFOLLOW, 0644);

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot create '%s'", name);
	enum plugpkg_code rc = pack(dir_fd, m, mtime, fd, out, err);

	if (rc == PLUGPKG_OK) {
		int r = pp_fd_commit(&fd);

		if (r == 0 && pp_renameat(out_dir_fd, temporary, out_dir_fd, name) < 0)
			r = -errno;
		if (r == 0 && pp_fsync(out_dir_fd) < 0)
			r = -errno;
		if (r == 0)
			return PLUGPKG_OK;
		rc = pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", name);
	}
	PP_IGNORE(
	    pp_unlinkat(out_dir_fd, temporary, 0)); /* the first failure is what is reported */
	return rc;
}

static void
send_row(const struct pp_manifest *m, const char *path, const struct built *built,
    plugpkg_row_fn row, void *user)
{
	pp_json *j = pp_row_new("built");

	pp_json_set_str(j, "name", m->release->name);
	pp_json_set_str(j, "version", m->release->version.text);
	pp_json_set_str(j, "path", path);
	pp_json_set_int(j, "size", (int64_t)built->size);
	pp_json_set_str(j, "sha256", built->sha256);
	pp_json_set_int(j, "files", (int64_t)built->unpacked.files);
	pp_json_set_int(j, "unpacked", (int64_t)built->unpacked.bytes);
	pp_row(row, user, j);
}

static char *
join(const char *dir, const char *name)
{
	if (strcmp(dir, ".") == 0)
		return pp_xstrdup(name);
	return pp_asprintf("%s%s%s", dir, pp_ends_with(dir, "/") ? "" : "/", name);
}

enum plugpkg_code
plugpkg_build(const char *dir, const char *out_dir, int64_t mtime, plugpkg_row_fn row, void *user,
    plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *manifest = NULL;
	PP_AUTO_FD int dir_fd = -1;
	PP_AUTO_FD int out_dir_fd = -1;
	struct built built = { .size = 0 };

	if (mtime < 0 || mtime > MTIME_MAX)
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "the time of an archive's files is between 0 and %lld seconds", MTIME_MAX);
	enum plugpkg_code rc = open_directory(dir, &dir_fd, err);

	if (rc == PLUGPKG_OK)
		rc = open_directory(out_dir, &out_dir_fd, err);
	if (rc == PLUGPKG_OK)
		rc = lint(dir_fd, dir, row, user, &manifest, err);
	if (rc != PLUGPKG_OK)
		return rc;
	assert(manifest != NULL); /* lint gives one with every OK */
	PP_AUTO_FREE char *flat = pp_name_flat(manifest->release->name);
	PP_AUTO_FREE char *name = pp_asprintf("%s-%s.plug", flat, manifest->release->version.text);
	PP_AUTO_FREE char *path = join(out_dir, name);

	rc = pack_as(dir_fd, manifest, mtime, out_dir_fd, name, &built, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot build '%s'", path);
	send_row(manifest, path, &built, row, user);
	return PLUGPKG_OK;
}
