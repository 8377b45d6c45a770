/* SPDX-License-Identifier: MIT */
/* Reading and writing what waits to be published. */
#include "lib/repo/staged.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/name.h"
#include "lib/model/release.h"
#include "lib/model/semver.h"
#include "lib/repo/ready.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX_BYTES (2 * 1024 * 1024) /* a manifest twice, as rows */
#define FILE_MAX_BYTES  200               /* leaves room for what a temporary name adds */
#define SUFFIX          ".json"

/*
 * "@acme%2Fanimal@1.4.0.json": a name has no '%', so two entries never share a file. What would be
 * too long for a file's name is called by its digest.
 */
static char *
file_name(const char *name, const char *version)
{
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1024);
	char sha256[65];

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/')
			pp_buf_adds(&out, "%2F");
		else
			pp_buf_addc(&out, *p);
	}
	pp_buf_addf(&out, "@%s" SUFFIX, version);
	if (out.n <= FILE_MAX_BYTES)
		return pp_buf_steal(&out);
	pp_sha256_hex(pp_buf_cstr(&out), out.n, sha256);
	return pp_asprintf("%s" SUFFIX, sha256);
}

static void
staged_fini(struct pp_staged *s)
{
	free(s->file);
	free(s->name);
	free(s->version);
	pp_json_free(s->planning);
	pp_json_free(s->details);
}

void
pp_staged_list_fini(struct pp_staged_list *v)
{
	pp_vec_foreach (s, v)
		staged_fini(s);
	pp_vec_free(v);
}

/*
 * The rows become lines of the index, where a wrong one would spoil the whole shard: nothing is
 * believed only because it lies in staged/.
 */
static enum plugpkg_code
check_rows(const struct pp_staged *s, const char *path, plugpkg_error **err)
{
	PP_AUTO(release) struct pp_release *release = NULL;
	const char *version = pp_json_get_str(s->details, "version");

	if (!pp_json_is(s->planning, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s': 'planning' is %s, not an object",
		    path, pp_json_kind_name(s->planning));
	enum plugpkg_code rc =
	    pp_release_parse(s->planning, s->name, path, PLUGPKG_E_BAD_STATE, &release, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (strcmp(release->name, s->name) != 0 || strcmp(release->version.text, s->version) != 0 ||
	    version == NULL || strcmp(version, s->version) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s': its rows are not of %s %s", path,
		    s->name, s->version);
	if (!pp_is_sha256(pp_json_get_str(s->details, "sha256")) ||
	    pp_json_get_int(s->details, "size", -1) < 0)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "'%s': 'details' has no 'sha256' or no 'size'", path);
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_entry(const struct pp_staged *s, const char *path, plugpkg_error **err)
{
	PP_CLEANUP(pp_version_fini) struct pp_version version = { 0 };

	enum plugpkg_code rc = pp_name_check(pp_str_of(s->name), err);
	if (rc == PLUGPKG_OK)
		rc = pp_version_parse(pp_str_of(s->version), &version, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, PLUGPKG_E_BAD_STATE, "'%s'", path);
	return s->is_removal ? PLUGPKG_OK : check_rows(s, path, err);
}

static struct pp_pool_copy
read_copy(const pp_json *j)
{
	return (struct pp_pool_copy){
		.inode = pp_json_get_int(j, "inode", 0),
		.changed_ns = pp_json_get_int(j, "changed_ns", 0),
	};
}

static pp_json *
copy_to_json(const struct pp_pool_copy *copy)
{
	pp_json *j = pp_json_object();

	pp_json_set_int(j, "inode", copy->inode);
	pp_json_set_int(j, "changed_ns", copy->changed_ns);
	return j;
}

static enum plugpkg_code
parse_entry(const char *file, const char *path, const struct pp_buf *text, struct pp_staged *out,
    plugpkg_error **err)
{
	struct pp_json_error why = { .text = "not an entry of plugpkg-repo add or remove" };
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(text), text->n, &why);
	const char *action = pp_json_get_str(j, "action");
	const char *name = pp_json_get_str(j, "name");
	const char *version = pp_json_get_str(j, "version");
	bool is_removal = action != NULL && strcmp(action, "remove") == 0;
	bool is_addition = action != NULL && strcmp(action, "add") == 0;

	if (name == NULL || version == NULL || (!is_removal && !is_addition))
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s': %s", path, why.text);
	*out = (struct pp_staged){
		.file = pp_xstrdup(file),
		.name = pp_xstrdup(name),
		.version = pp_xstrdup(version),
		.is_removal = is_removal,
	};
	if (is_addition) {
		out->planning = pp_json_ref(pp_json_get(j, "planning"));
		out->details = pp_json_ref(pp_json_get(j, "details"));
		out->copy = read_copy(pp_json_get(j, "copy"));
	}
	enum plugpkg_code rc = check_entry(out, path, err);
	if (rc != PLUGPKG_OK)
		staged_fini(out);
	return rc;
}

/* Reads one entry into out; one that is gone meanwhile is no mistake: `list` takes no lock. */
static enum plugpkg_code
read_entry(plugpkg_repo *repo, const char *file, struct pp_staged_list *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", file);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(ENTRY_MAX_BYTES);
	struct pp_staged entry;

	int r = pp_read_file_at(repo->dir_fd, path, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	enum plugpkg_code rc = parse_entry(file, path, &text, &entry, err);
	if (rc == PLUGPKG_OK)
		pp_vec_push(out, entry);
	return rc == PLUGPKG_OK
		   ? rc
		   : pp_hint(err, rc, "delete the file and add or remove the version once more");
}

enum plugpkg_code
pp_staged_read(plugpkg_repo *repo, struct pp_staged_list *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	int r = pp_list_dir(repo->dir_fd, "staged", &files);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'staged'");
	/* A name that starts with a dot is work of an add that was cut off. */
	for (size_t i = 0; rc == PLUGPKG_OK && i < files.n; i++)
		if (files.at[i][0] != '.' && pp_ends_with(files.at[i], SUFFIX))
			rc = read_entry(repo, files.at[i], out, err);
	return rc;
}

/* The text of an entry's file; owned. */
static char *
entry_text(const struct pp_staged *s)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_str(j, "action", s->is_removal ? "remove" : "add");
	pp_json_set_str(j, "name", s->name);
	pp_json_set_str(j, "version", s->version);
	if (!s->is_removal) {
		pp_json_set(j, "planning", pp_json_ref(s->planning));
		pp_json_set(j, "details", pp_json_ref(s->details));
		pp_json_set(j, "copy", copy_to_json(&s->copy));
	}
	return pp_json_pretty(j);
}

enum plugpkg_code
pp_staged_prepare(plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = file_name(s->name, s->version);
	PP_AUTO_FREE char *text = entry_text(s);

	return pp_ready_write(repo, file, text, err);
}

enum plugpkg_code
pp_staged_write(plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = file_name(s->name, s->version);
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", file);
	PP_AUTO_FREE char *text = entry_text(s);
	int r = pp_write_file_at(repo->dir_fd, path, text, strlen(text), 0644);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path) : PLUGPKG_OK;
}

enum plugpkg_code
pp_staged_sweep(plugpkg_repo *repo, const struct pp_staged_list *v, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };
	struct pp_map wanted = { 0 };

	for (size_t i = 0; i < v->n; i++)
		if (!v->at[i].is_removal)
			*pp_map_put(&wanted, pp_json_get_str(v->at[i].details, "sha256")) =
			    &v->at[i];
	int r = pp_list_dir(repo->dir_fd, "staged", &files);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		PP_AUTO_FREE char *path = pp_asprintf("staged/%s", files.at[i]);
		PP_AUTO_FREE char *sha256 = pp_xstrndup(files.at[i], strcspn(files.at[i], "."));
		if (pp_is_sha256(sha256) && pp_ends_with(files.at[i], ".plug") &&
		    !pp_map_has(&wanted, sha256))
			r = pp_rm_rf_at(repo->dir_fd, path);
	}
	pp_map_fini(&wanted, NULL);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot tidy 'staged'") : PLUGPKG_OK;
}

/* Of these archives: "SHA256.KEYID.sig", by whatever key, and "SHA256.plug". */
static int
delete_files(plugpkg_repo *repo, const struct pp_strs *files, const struct pp_map *archives,
    const char *suffix)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++) {
		PP_AUTO_FREE char *path = pp_asprintf("staged/%s", files->at[i]);
		PP_AUTO_FREE char *sha256 = pp_xstrndup(files->at[i], strcspn(files->at[i], "."));
		if (pp_ends_with(files->at[i], suffix) && pp_map_has(archives, sha256))
			r = pp_rm_rf_at(repo->dir_fd, path);
	}
	return r;
}

/*
 * An archive goes after its entry, which could not be published without it; what else there is of
 * it goes before, and again where this was cut off, since the entry is still found.
 */
static int
delete_all(plugpkg_repo *repo, const struct pp_staged_list *v, const struct pp_map *archives)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };
	int r = archives->n > 0 ? pp_list_dir(repo->dir_fd, "staged", &files) : 0;

	if (r == 0)
		r = delete_files(repo, &files, archives, ".sig");
	for (size_t i = 0; r == 0 && i < v->n; i++) {
		PP_AUTO_FREE char *path = pp_asprintf("staged/%s", v->at[i].file);
		r = pp_rm_rf_at(repo->dir_fd, path);
	}
	return r == 0 ? delete_files(repo, &files, archives, ".plug") : r;
}

enum plugpkg_code
pp_staged_delete_all(plugpkg_repo *repo, const struct pp_staged_list *v, plugpkg_error **err)
{
	struct pp_map archives = { 0 };

	for (size_t i = 0; i < v->n; i++)
		if (!v->at[i].is_removal)
			*pp_map_put(&archives, pp_json_get_str(v->at[i].details, "sha256")) =
			    &v->at[i];
	int r = delete_all(repo, v, &archives);
	pp_map_fini(&archives, NULL);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot clear 'staged'") : PLUGPKG_OK;
}

enum plugpkg_code
pp_staged_delete(plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err)
{
	struct pp_staged entry = *s;

	return pp_staged_delete_all(
	    repo, &(struct pp_staged_list){ .at = &entry, .n = 1, .cap = 1 }, err);
}

struct pp_pool_file
pp_staged_archive(const struct pp_staged *s)
{
	return (struct pp_pool_file){
		.name = s->name,
		.version = s->version,
		.sha256 = pp_json_get_str(s->details, "sha256"),
		.size = (uint64_t)pp_json_get_int(s->details, "size", 0),
		.copy = s->copy,
	};
}

const struct pp_staged *
pp_staged_find(const struct pp_staged_list *v, const char *name, const char *version)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->at[i].name, name) == 0 &&
		    pp_version_cmp_text(v->at[i].version, version) == 0)
			return &v->at[i];
	return NULL;
}

ptrdiff_t
pp_rows_find(const pp_json *line, const char *version)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++) {
		const char *here = pp_json_get_str(pp_json_at(rows, i), "version");
		if (here != NULL && pp_version_cmp_text(here, version) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}
