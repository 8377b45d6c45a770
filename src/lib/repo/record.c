/* SPDX-License-Identifier: MIT */
/* Reads and writes signed.json. */
#include "lib/repo/record.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

#define RECORD_FILE      "signed.json"
#define RECORD_TYPE      "plugpkg-signed"
#define RECORD_MAX_BYTES 65536

bool
pp_meta_file_read(const pp_json *j, struct pp_meta_file *out)
{
	const char *sha256 = pp_json_get_str(j, "sha256");
	int64_t length = pp_json_get_int(j, "length", 0);

	*out = (struct pp_meta_file){ .version = pp_json_get_int(j, "version", 0) };
	if (!pp_is_sha256(sha256) || length < 1 || out->version < 1 ||
	    out->version > PP_VERSION_MAX)
		return false;
	out->length = (uint64_t)length;
	memcpy(out->sha256, sha256, sizeof(out->sha256));
	return true;
}

bool
pp_meta_file_same(const struct pp_meta_file *a, const struct pp_meta_file *b)
{
	return a->version == b->version && a->length == b->length &&
	       strcmp(a->sha256, b->sha256) == 0;
}

static bool
read_roles(const pp_json *j, struct pp_meta_file out[PP_N_ROLES])
{
	for (int role = 0; role < PP_N_ROLES; role++)
		if (!pp_meta_file_read(pp_json_get(j, pp_role_names[role]), &out[role]))
			return false;
	return true;
}

static pp_json *
roles_to_json(const struct pp_meta_file roles[PP_N_ROLES])
{
	pp_json *j = pp_json_object();

	for (int role = 0; role < PP_N_ROLES; role++) {
		pp_json *entry = pp_json_object();
		pp_json_set_int(entry, "version", roles[role].version);
		pp_json_set_int(entry, "length", (int64_t)roles[role].length);
		pp_json_set_str(entry, "sha256", roles[role].sha256);
		pp_json_set(j, pp_role_names[role], entry);
	}
	return j;
}

enum plugpkg_code
pp_record_read(plugpkg_repo *repo, struct pp_record *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(RECORD_MAX_BYTES);
	struct pp_json_error why = { .text = "it does not say what was signed" };

	*out = (struct pp_record){ 0 };
	int r = pp_read_file_at(repo->dir_fd, RECORD_FILE, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '" RECORD_FILE "'");
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	const char *type = pp_json_get_str(file, "_type");
	const pp_json *before = pp_json_get(file, "before");
	if (type != NULL && strcmp(type, RECORD_TYPE) == 0 &&
	    read_roles(pp_json_get(file, "now"), out->now) &&
	    (before == NULL || read_roles(before, out->before))) {
		out->is_known = true;
		return PLUGPKG_OK;
	}
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'" RECORD_FILE "' is damaged: %s", why.text);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "bring it back from a backup; without it delete it, after plugpkg-repo verify: then "
	    "what public/ holds now counts as signed");
}

enum plugpkg_code
pp_record_write(plugpkg_repo *repo, const struct pp_record *record, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = pp_json_object();

	pp_json_set_str(file, "_type", RECORD_TYPE);
	pp_json_set(file, "now", roles_to_json(record->now));
	if (record->before[PP_ROLE_TIMESTAMP].version > 0)
		pp_json_set(file, "before", roles_to_json(record->before));
	PP_AUTO_FREE char *text = pp_json_pretty(file);
	int r = pp_write_file_at(repo->dir_fd, RECORD_FILE, text, strlen(text), 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '" RECORD_FILE "'");
	return PLUGPKG_OK;
}
