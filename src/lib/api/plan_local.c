/* SPDX-License-Identifier: MIT */
/*
 * Archives and directories that a request names by their paths. Each is copied into the cache
 * under its digest before anybody looks into it: what was planned is what will be unpacked. To the
 * solver they are a source of their own, above all others.
 */
#include "lib/api/making.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/net/cache.h"
#include "lib/repo/lint.h"
#include "lib/trust/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ARCHIVE_BYTES PP_UNPACK_MAX_BYTES

void
pp_locals_fini(struct pp_locals *locals)
{
	pp_vec_foreach (l, locals) {
		free(l->path);
		pp_manifest_free(l->manifest);
	}
	pp_vec_free(locals);
}

bool
pp_local_is_path(const char *text)
{
	return *text == '/' || *text == '.' || *text == '~' || pp_ends_with(text, ".plug");
}

/* ---- a directory becomes an archive ---- */

static enum plugpkg_code
check_directory(int dir_fd, const char *path, plugpkg_error **err)
{
	PP_CLEANUP(pp_lint_outcome_fini) struct pp_lint_outcome found = { 0 };
	enum plugpkg_code rc = pp_lint_dir(dir_fd, path, &found, NULL, NULL, err);

	if (rc != PLUGPKG_OK || found.errors == 0)
		return rc;
	rc = pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0, "'%s' fails lint with %zu error%s", path,
	    found.errors, found.errors == 1 ? "" : "s");
	return pp_hint(err, rc, "see them with: plugpkg lint %s", path);
}

static enum plugpkg_code
pack_directory(int dir_fd, const char *path, int *out_fd, plugpkg_error **err)
{
	struct pp_unpacked packed;
	enum plugpkg_code rc = check_directory(dir_fd, path, err);
	if (rc != PLUGPKG_OK)
		return rc;

	*out_fd = memfd_create("plugpkg", MFD_CLOEXEC);
	if (*out_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot make an archive of '%s'", path);
	return pp_pack(dir_fd, path, 0, *out_fd, &packed, err);
}

/* *out_fd: the archive, of a directory one that was made now. */
static enum plugpkg_code
open_local(const char *path, int *out_fd, plugpkg_error **err)
{
	struct stat st;
	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		enum plugpkg_code rc =
		    pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
			"cannot open '%s'", path);
		return pp_hint(err, rc, "what begins with . / or ~, or ends in .plug, is a path");
	}
	if (fstat(fd, &st) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return pack_directory(fd, path, out_fd, err);
	if (!S_ISREG(st.st_mode))
		return pp_fail(
		    err, PLUGPKG_E_BAD_ARCHIVE, 0, "'%s' is neither a file nor a directory", path);
	if ((uint64_t)st.st_size > MAX_ARCHIVE_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_ARCHIVE, 0,
		    "'%s' is larger than the largest archive, %llu bytes", path,
		    (unsigned long long)MAX_ARCHIVE_BYTES);
	*out_fd = pp_fd_steal(&fd);
	return PLUGPKG_OK;
}

/* ---- into the cache ---- */

static int
copy_to_part(int cache_fd, int from, struct pp_local *l)
{
	struct pp_part part = PP_PART_INIT;
	int r = pp_part_open(cache_fd, l->sha256, l->size, &part);

	if (r < 0)
		return r;
	r = pp_part_copy(&part, from);
	if (r == 0)
		r = pp_part_finish(cache_fd, &part, l->sha256, NULL);
	pp_part_close(cache_fd, &part, false);
	return r;
}

/* *out_fd: the cached copy; its bytes are those of the digest, whatever happens to the file. */
static enum plugpkg_code
keep(int cache_fd, int from, struct pp_local *l, int *out_fd, plugpkg_error **err)
{
	const struct pp_cache cache = { .fd = cache_fd };
	int r = lseek(from, 0, SEEK_SET) < 0 ? -errno : pp_sha256_fd(from, l->sha256, &l->size);

	if (r == 0)
		*out_fd = pp_cache_open(cache, l->sha256, l->size, NULL);
	if (r == 0 && *out_fd == -ENOENT) {
		r = copy_to_part(cache_fd, from, l);
		if (r == 0)
			*out_fd = pp_cache_open(cache, l->sha256, l->size, NULL);
	}
	if (r == 0 && *out_fd < 0)
		r = *out_fd;
	if (r == -EBADMSG)
		return pp_fail(err, PLUGPKG_E_IO, 0, "'%s' changed while it was read", l->path);
	if (r == -ENOSPC)
		return pp_fail(err, PLUGPKG_E_NO_SPACE, 0, "no space to copy '%s'", l->path);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot copy '%s'", l->path) : PLUGPKG_OK;
}

/* ---- a look inside ---- */

static enum plugpkg_code
read_manifest(int dir_fd, struct pp_local *l, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	PP_AUTO_FREE char *where = pp_asprintf("%s: plugin.json", l->path);
	int r = pp_read_file_at(dir_fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(
		    err, pp_code_of_read(r, PLUGPKG_E_BAD_ARCHIVE), -r, "cannot read '%s'", where);

	return pp_manifest_parse(
	    (struct pp_str){ pp_buf_cstr(&text), text.n }, where, &l->manifest, err);
}

/* By the same helper and the same policy as what a repository sends. */
static enum plugpkg_code
look_inside(
    plugpkg_context *ctx, int cache_fd, int archive_fd, struct pp_local *l, plugpkg_error **err)
{
	const struct pp_unpack_limits limits = { PP_UNPACK_MAX_BYTES, PP_UNPACK_MAX_FILES, false };
	PP_AUTO_FREE char *name = pp_asprintf("look-%d", (int)getpid());
	int r = pp_rm_rf_at(cache_fd, name);
	if (r == 0)
		r = pp_mkdirat(cache_fd, name, 0700) < 0 ? -errno : 0;
	PP_AUTO_FD int dir_fd = r < 0 ? r : pp_opendir_at(cache_fd, name);
	if (dir_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -dir_fd, "cannot make the directory '%s'", name);

	enum plugpkg_code rc =
	    pp_unpack_scratch(ctx, archive_fd, dir_fd, l->path, &limits, &l->unpacked, err);
	if (rc == PLUGPKG_OK)
		rc = read_manifest(dir_fd, l, err);
	r = pp_rm_rf_at(cache_fd, name);
	if (rc == PLUGPKG_OK && r < 0)
		rc = pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove 'var/cache/%s'", name);
	return rc;
}

/* A dry run leaves the cache as it is. */
static enum plugpkg_code
open_cache(plugpkg_context *ctx, int *out_fd, plugpkg_error **err)
{
	int r = 0;

	if (ctx->is_dry_run)
		r = *out_fd = pp_opendir_at(ctx->scratch_fd, ".");
	else if ((r = pp_mkdirs_at(ctx->root_fd, "var/cache", 0755)) == 0)
		r = *out_fd = pp_opendir_at(ctx->root_fd, "var/cache");
	if (r >= 0)
		return PLUGPKG_OK;
	*out_fd = -1;
	return pp_fail(err, PLUGPKG_E_IO, -r, "cannot open '%s'",
	    ctx->is_dry_run ? ctx->scratch : "var/cache");
}

/*
 * Beside the archive lies what `plugpkg sign` wrote, or nothing. One that is there has to be right:
 * a wrong one is worse than none.
 */
static enum plugpkg_code
read_signature(struct pp_local *l, plugpkg_error **err)
{
	const struct pp_release *r = l->manifest->release;
	const struct pp_signed_archive archive = { r->name, r->version.text, l->sha256, l->size };
	PP_AUTO_FREE char *file = pp_asprintf("%s.sig", l->path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);
	PP_AUTO(sig) struct pp_sig *sig = NULL;

	int got = pp_read_file_at(AT_FDCWD, file, &text);
	if (got == -ENOENT)
		return PLUGPKG_OK;
	if (got < 0)
		return pp_fail(err, pp_code_of_read(got, PLUGPKG_E_OWNER), -got,
		    "cannot read signature '%s'", file);
	enum plugpkg_code rc =
	    pp_sig_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, file, &sig, err);
	if (rc == PLUGPKG_OK)
		rc = pp_sig_check_archive(sig, &archive, sig->id, file, err);
	if (rc != PLUGPKG_OK)
		return pp_hint(err, rc, "sign it anew, or take the .sig away to use it unsigned");
	memcpy(l->owner_id, sig->id, sizeof(l->owner_id));
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_once(const struct pp_making *m, const struct pp_local *l, plugpkg_error **err)
{
	pp_vec_foreach (other, &m->locals) {
		if (other == l)
			break;
		if (strcmp(pp_release_key(other->manifest->release),
			pp_release_key(l->manifest->release)) == 0)
			return pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' and '%s' both hold '%s'",
			    other->path, l->path, l->manifest->release->name);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_making_local(struct pp_making *m, const char *path, struct pp_target *out, plugpkg_error **err)
{
	PP_AUTO_FD int cache_fd = -1;
	PP_AUTO_FD int from = -1;
	PP_AUTO_FD int archive_fd = -1;
	struct pp_local *l = pp_vec_new(&m->locals);
	l->path = pp_xstrdup(path);
	enum plugpkg_code rc = open_cache(m->ctx, &cache_fd, err);
	if (rc == PLUGPKG_OK)
		rc = open_local(path, &from, err);
	if (rc == PLUGPKG_OK)
		rc = keep(cache_fd, from, l, &archive_fd, err);
	if (rc == PLUGPKG_OK)
		rc = look_inside(m->ctx, cache_fd, archive_fd, l, err);
	if (rc == PLUGPKG_OK)
		rc = read_signature(l, err);
	if (rc == PLUGPKG_OK)
		rc = check_once(m, l, err);
	if (rc != PLUGPKG_OK)
		return rc;
	out->name = pp_xstrdup(l->manifest->release->name);
	out->range = pp_asprintf("=%s", l->manifest->release->version.text);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_making_check_locals(const struct pp_making *m, plugpkg_error **err)
{
	pp_vec_foreach (l, &m->locals) {
		const struct pp_release *r = l->manifest->release;
		const struct pp_installed *p = pp_installeds_get(&m->inv.set, pp_release_key(r));
		if (p == NULL || *p->sha256 == '\0' ||
		    pp_version_cmp_text(p->version, r->version.text) != 0 ||
		    strcmp(p->sha256, l->sha256) == 0)
			continue;
		enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_EXISTS, 0,
		    "%s %s is installed with other content than '%s'", p->name, p->version,
		    l->path);
		return pp_hint(
		    err, rc, "give the new one another version, or remove %s first", p->name);
	}
	return PLUGPKG_OK;
}

/* ---- the source of them ---- */

enum plugpkg_code
pp_making_local_releases(const struct pp_making *m, const char *name, struct pp_releases *out,
    struct pp_strs *out_providers, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (l, &m->locals) {
		const struct pp_release *r = l->manifest->release;
		struct pp_release *copy = NULL;
		if (pp_deps_get(&r->provides, name) != NULL ||
		    pp_deps_get(&r->replaces, name) != NULL)
			pp_strs_add(out_providers, r->name);
		if (rc != PLUGPKG_OK || strcmp(r->name, name) != 0)
			continue;
		rc = pp_release_parse(
		    l->manifest->json, r->name, l->path, PLUGPKG_E_BAD_MANIFEST, &copy, err);
		if (rc == PLUGPKG_OK)
			pp_vec_push(out, copy);
	}
	return rc;
}

void
pp_making_local_names(const struct pp_making *m, struct pp_strs *out)
{
	pp_vec_foreach (l, &m->locals)
		pp_strs_add(out, l->manifest->release->name);
}

const struct pp_local *
pp_making_fill_local(const struct pp_making *m, struct pp_step *step)
{
	pp_vec_foreach (l, &m->locals) {
		if (strcmp(pp_release_key(l->manifest->release), step->key) != 0)
			continue;
		memcpy(step->sha256, l->sha256, sizeof(step->sha256));
		step->size_bytes = l->size;
		step->unpacked_bytes = l->unpacked.bytes;
		step->files = l->unpacked.files;
		step->file = pp_xstrdup(l->path);
		pp_json_free(step->row);
		step->row = pp_release_row(l->manifest->json);
		return l;
	}
	return NULL;
}
