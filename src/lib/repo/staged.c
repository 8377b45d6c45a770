/* SPDX-License-Identifier: MIT */
/* Reading and writing what waits to be published. */
#include "lib/repo/staged.h"

#include "base/mem.h"
#include "base/path.h"
#include "lib/model/name.h"
#include "lib/model/semver.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX_BYTES (1024 * 1024)

/* "@acme%2Fanimal@1.4.0.json": a name has no '%', so two entries never share a file. */
static char *
file_name(const char *name, const char *version)
{
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1024);

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/')
			pp_buf_adds(&out, "%2F");
		else
			pp_buf_addc(&out, *p);
	}
	pp_buf_addf(&out, "@%s.json", version);
	return pp_buf_steal(&out);
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

static enum plugpkg_code
read_entry(plugpkg_repo *repo, const char *file, struct pp_staged *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", file);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(ENTRY_MAX_BYTES);
	struct pp_json_error why = { .text = "not an entry of plugpkg-repo add or remove" };

	int r = pp_read_file_at(repo->dir_fd, path, &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	const char *action = pp_json_get_str(j, "action");
	const char *name = pp_json_get_str(j, "name");
	const char *version = pp_json_get_str(j, "version");
	const pp_json *planning = pp_json_get(j, "planning"), *details = pp_json_get(j, "details");
	bool is_removal = action != NULL && strcmp(action, "remove") == 0;
	if (action == NULL || name == NULL || version == NULL ||
	    (!is_removal && (planning == NULL || details == NULL)))
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s': %s", path, why.text);
	*out = (struct pp_staged){
		.file = pp_xstrdup(file),
		.name = pp_xstrdup(name),
		.version = pp_xstrdup(version),
		.is_removal = is_removal,
		.planning = is_removal ? NULL : pp_json_ref(planning),
		.details = is_removal ? NULL : pp_json_ref(details),
	};
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_staged_read(plugpkg_repo *repo, struct pp_staged_list *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };

	int r = pp_list_dir(repo->dir_fd, "staged", &files);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'staged'");
	for (size_t i = 0; i < files.n; i++) {
		struct pp_staged entry;
		/* A name that starts with a dot is work of an add that was cut off. */
		if (files.at[i][0] == '.')
			continue;
		enum plugpkg_code rc = read_entry(repo, files.at[i], &entry, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_vec_push(out, entry);
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_staged_write(plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = file_name(s->name, s->version);
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", file);
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_str(j, "action", s->is_removal ? "remove" : "add");
	pp_json_set_str(j, "name", s->name);
	pp_json_set_str(j, "version", s->version);
	if (!s->is_removal) {
		pp_json_set(j, "planning", pp_json_ref(s->planning));
		pp_json_set(j, "details", pp_json_ref(s->details));
	}
	PP_AUTO_FREE char *text = pp_json_pretty(j);
	int r = pp_write_file_at(repo->dir_fd, path, text, strlen(text), 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_staged_delete(plugpkg_repo *repo, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", s->file);

	int r = pp_rm_rf_at(repo->dir_fd, path);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s'", path);
	return PLUGPKG_OK;
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

char *
pp_pool_dir(const char *name, const char *version)
{
	return pp_asprintf("targets/pool/%s/%s", name, version);
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
