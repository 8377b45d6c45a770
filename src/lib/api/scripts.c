/* SPDX-License-Identifier: MIT */
/* The scripts of a plugin as text, to be read before they run: each once, with its occasions. */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/index/index.h"
#include "lib/model/manifest.h"
#include "lib/net/fetch.h"
#include "lib/store/archive.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX_BYTES (1u << 20)

struct reading {
	const struct pp_manifest *manifest;
	int dir_fd;          /* what the paths lie below */
	struct pp_strs done; /* paths that have a row */
	plugpkg_row_fn row;
	void *user;
};

/* ---- when ---- */

static void
add_levels(pp_json *when, const struct pp_levels *levels, const char *kind, const char *path)
{
	pp_vec_foreach (l, levels) {
		PP_AUTO_FREE char *text = pp_asprintf("%s %u", kind, l->level);
		if (strcmp(l->run, path) == 0 && pp_json_find_str(when, text) < 0)
			pp_json_push_str(when, text);
	}
}

static pp_json *
occasions(const struct pp_manifest *m, const char *path)
{
	pp_json *when = pp_json_array();

	for (size_t i = 0; i < PP_N_SCRIPTS; i++)
		if (m->scripts[i] != NULL && strcmp(m->scripts[i], path) == 0)
			pp_json_push_str(when, pp_script_names[i]);
	add_levels(when, &m->post_install, "post-install", path);
	add_levels(when, &m->post_uninstall, "post-uninstall", path);
	for (size_t i = 0; i < PP_N_ON; i++)
		if (m->on[i] != NULL && strcmp(m->on[i], path) == 0)
			pp_json_push_str(when, pp_on_names[i]);
	return when;
}

/* ---- rows ---- */

/* A program is not for reading: of what is no text, or too long, there is no "text". */
static enum plugpkg_code
add_text(const struct reading *r, const char *path, pp_json *row, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);
	PP_AUTO_FD int fd = pp_open_beneath(r->dir_fd, path, O_RDONLY, 0, PP_FOLLOW_INSIDE);
	int got = fd < 0 ? fd : pp_fd_read_all(fd, &text);

	if (got == 0 && !text.overflow && pp_is_utf8(pp_buf_cstr(&text), text.n) &&
	    memchr(pp_buf_cstr(&text), '\0', text.n) == NULL)
		pp_json_set_str(row, "text", pp_buf_cstr(&text));
	if (got < 0 && !text.overflow)
		return pp_fail(err, PLUGPKG_E_IO, -got, "cannot read script '%s' of %s %s", path,
		    r->manifest->release->name, r->manifest->release->version.text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
show_one(struct reading *r, const char *path, plugpkg_error **err)
{
	const struct pp_release *release = r->manifest->release;

	if (path == NULL || pp_strs_has(&r->done, path))
		return PLUGPKG_OK;
	PP_AUTO_JSON pp_json *row = pp_row_new("script");
	pp_strs_add(&r->done, path);
	pp_json_set_str(row, "name", release->name);
	pp_json_set_str(row, "version", release->version.text);
	pp_json_set_str(row, "path", path);
	pp_json_set(row, "when", occasions(r->manifest, path));
	enum plugpkg_code rc = add_text(r, path, row, err);
	if (rc == PLUGPKG_OK)
		pp_row(r->row, r->user, pp_steal(&row));
	return rc;
}

static enum plugpkg_code
show_levels(struct reading *r, const struct pp_levels *levels, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < levels->n; i++)
		rc = show_one(r, levels->at[i].run, err);
	return rc;
}

static enum plugpkg_code
show_all(struct reading *r, plugpkg_error **err)
{
	const struct pp_manifest *m = r->manifest;
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_N_SCRIPTS; i++)
		rc = show_one(r, m->scripts[i], err);
	if (rc == PLUGPKG_OK)
		rc = show_levels(r, &m->post_install, err);
	if (rc == PLUGPKG_OK)
		rc = show_levels(r, &m->post_uninstall, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_N_ON; i++)
		rc = show_one(r, m->on[i], err);
	pp_strs_fini(&r->done);
	return rc;
}

/* ---- of what is installed ---- */

enum plugpkg_code
pp_scripts_of_installed(plugpkg_context *ctx, const struct pp_installed *p, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", p->name, p->version);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_manifest_of(p->manifest, file, &m, err);

	if (rc == PLUGPKG_OK && p->link_dir == NULL)
		rc = pp_store_open(ctx, p->name, p->version, &fd, err);
	if (rc == PLUGPKG_OK && p->link_dir != NULL) {
		fd = openat(AT_FDCWD, p->link_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			rc = pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", p->link_dir);
	}
	struct reading r = { .manifest = m, .dir_fd = fd, .row = row, .user = user };
	return rc == PLUGPKG_OK ? show_all(&r, err) : rc;
}

/* ---- of what a source offers ---- */

static enum plugpkg_code
fetch(struct pp_sources_open *open, const struct pp_scripts_offer *o, const char *sha256,
    uint64_t size, int *out_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_index_archive_path(o->name, o->version, sha256);
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	PP_AUTO_FREE char *label = pp_asprintf("%s %s", o->name, o->version);
	struct pp_want want = {
		.mirrors = &pp_catalog_source(o->catalog)->urls,
		.path = full,
		.label = label,
		.sha256 = sha256,
		.size = size,
	};
	enum plugpkg_code rc = pp_net_fetch(open->net, &want, 1, err);

	return rc == PLUGPKG_OK ? pp_net_open_cached(open->net, sha256, size, out_fd, err) : rc;
}

static enum plugpkg_code
read_manifest(
    int dir_fd, const struct pp_scripts_offer *o, struct pp_manifest **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", o->name, o->version);
	int r = pp_read_file_at(dir_fd, "plugin.json", &text);

	if (r < 0)
		return pp_fail(
		    err, pp_code_of_read(r, PLUGPKG_E_BAD_ARCHIVE), -r, "cannot read '%s'", file);
	return pp_manifest_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, file, out, err);
}

static enum plugpkg_code
look(plugpkg_context *ctx, const struct pp_scripts_offer *o, struct pp_unpack_job *job,
    struct reading *r, plugpkg_error **err)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc = pp_unpack_one(ctx, job, err);

	if (rc == PLUGPKG_OK)
		rc = read_manifest(job->dir_fd, o, &m, err);
	r->manifest = m;
	r->dir_fd = job->dir_fd;
	return rc == PLUGPKG_OK && m != NULL ? show_all(r, err) : rc;
}

/* The archive stays in the cache, for who installs it then; what was unpacked of it goes. */
enum plugpkg_code
pp_scripts_of_offer(plugpkg_context *ctx, struct pp_sources_open *open,
    const struct pp_scripts_offer *o, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_FREE char *what = pp_asprintf("%s %s", o->name, o->version);
	PP_AUTO_FREE char *dir = pp_asprintf("look-%d", (int)getpid());
	PP_AUTO_JSON pp_json *details = NULL;
	PP_AUTO_FD int archive_fd = -1;
	enum plugpkg_code rc =
	    pp_catalog_rows(o->catalog, o->name, o->version, NULL, &details, err);
	if (rc == PLUGPKG_OK)
		rc = fetch(open, o, pp_json_get_str(details, "sha256"),
		    (uint64_t)pp_json_get_int(details, "size", 0), &archive_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int made = pp_rm_rf_at(open->cache_fd, dir);
	if (made == 0)
		made = pp_mkdirat(open->cache_fd, dir, 0700) < 0 ? -errno : 0;
	PP_AUTO_FD int dir_fd = made < 0 ? made : pp_opendir_at(open->cache_fd, dir);
	if (dir_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -dir_fd, "cannot make 'var/cache/%s'", dir);
	struct pp_unpack_job job = {
		.archive_fd = archive_fd,
		.dir_fd = dir_fd,
		.what = what,
		.limits = { (uint64_t)pp_json_get_int(details, "unpacked", 0),
		    (uint64_t)pp_json_get_int(details, "files", 0), true },
		.is_look = true,
	};
	struct reading r = { .row = row, .user = user };
	rc = look(ctx, o, &job, &r, err);
	PP_IGNORE(pp_rm_rf_at(open->cache_fd, dir)); /* `clean` takes what is left */
	return rc;
}
