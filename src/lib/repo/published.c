/* SPDX-License-Identifier: MIT */
/* Reads public/metadata, from the timestamp down, and compares it with what was signed here. */
#include "lib/repo/published.h"

#include "base/mem.h"
#include "base/path.h"
#include "lib/repo/root.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

char *
pp_role_path(enum pp_role role, int64_t version)
{
	if (role == PP_ROLE_TIMESTAMP)
		return pp_xstrdup("metadata/timestamp.json");
	return pp_asprintf("metadata/%" PRId64 ".%s.json", version, pp_role_names[role]);
}

static enum plugpkg_code
read_file(plugpkg_repo *repo, const char *path, struct pp_buf *out, plugpkg_error **err)
{
	int r = pp_read_file_at(repo->public_fd, path, out);

	if (r == 0)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/%s'", path);
	return r == -ENOENT ? pp_hint(err, PLUGPKG_E_IO, "copy public/ back from a mirror")
			    : PLUGPKG_E_IO;
}

static enum plugpkg_code
damaged(const char *path, const char *why, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'public/%s' is damaged: %s", path, why);
	return pp_hint(err, PLUGPKG_E_BAD_METADATA, "copy it back from a mirror");
}

static enum plugpkg_code
parse_file(const char *path, const struct pp_buf *text, pp_json **out, const pp_json **out_signed,
    plugpkg_error **err)
{
	struct pp_json_error why = { .text = "no 'signed' object" };
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(text), text->n, &why);

	*out_signed = pp_json_get(file, "signed");
	if (!pp_json_is(*out_signed, PP_JSON_OBJECT))
		return damaged(path, why.text, err);
	*out = pp_steal(&file);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_published_load(plugpkg_repo *repo, const struct pp_published *published, enum pp_role role,
    pp_json **out, const pp_json **out_signed, plugpkg_error **err)
{
	const struct pp_meta_file *f = &published->file[role];
	PP_AUTO_FREE char *path = pp_role_path(role, f->version);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	char sha256[65];

	enum plugpkg_code rc = read_file(repo, path, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_sha256_hex(pp_buf_cstr(&text), text.n, sha256);
	if (text.n != f->length || strcmp(sha256, f->sha256) != 0) {
		pp_fail(err, PLUGPKG_E_DIGEST, 0, "'public/%s' is not what was signed", path);
		return pp_hint(err, PLUGPKG_E_DIGEST,
		    "copy it back from a mirror; plugpkg-repo verify lists all damage");
	}
	return parse_file(path, &text, out, out_signed, err);
}

/* The entry of a file in a snapshot or timestamp; false when it is no whole one. */
static bool
read_entry(const pp_json *body, const char *name, struct pp_meta_file *out)
{
	const pp_json *entry = pp_json_get(pp_json_get(body, "meta"), name);
	PP_AUTO_JSON pp_json *flat = pp_json_object();

	pp_json_set_int(flat, "version", pp_json_get_int(entry, "version", 0));
	pp_json_set_int(flat, "length", pp_json_get_int(entry, "length", 0));
	pp_json_set_str(flat, "sha256", pp_json_get_str(pp_json_get(entry, "hashes"), "sha256"));
	return pp_meta_file_read(flat, out);
}

static bool
is_signed_by(const pp_json *file, const struct pp_signer *signer)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	const pp_json *list = pp_json_get(file, "signatures");

	if (pp_json_canonical(pp_json_get(file, "signed"), &text) < 0 || text.overflow)
		return false;
	for (size_t i = 0; i < pp_json_len(list); i++) {
		const char *id = pp_json_get_str(pp_json_at(list, i), "keyid");
		const char *sig = pp_json_get_str(pp_json_at(list, i), "sig");
		if (id != NULL && strcmp(id, signer->id) == 0 &&
		    pp_key_verify(signer->public, text.s, text.n, sig))
			return true;
	}
	return false;
}

/* The one file that no other lists: its signature stands for all that follows. */
static enum plugpkg_code
read_timestamp(plugpkg_repo *repo, const struct pp_signer *signer, struct pp_published *out,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_role_path(PP_ROLE_TIMESTAMP, 0);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	PP_AUTO_JSON pp_json *file = NULL;
	const pp_json *body;

	enum plugpkg_code rc = read_file(repo, path, &text, err);
	if (rc == PLUGPKG_OK)
		rc = parse_file(path, &text, &file, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *type = pp_json_get_str(body, "_type");
	int64_t version = pp_json_get_int(body, "version", 0);
	if (type == NULL || strcmp(type, "timestamp") != 0 || version < 1 ||
	    version > PP_VERSION_MAX ||
	    !read_entry(body, "snapshot.json", &out->file[PP_ROLE_SNAPSHOT]))
		return damaged(path, "it is no timestamp", err);
	out->file[PP_ROLE_TIMESTAMP] =
	    (struct pp_meta_file){ .version = version, .length = text.n };
	pp_sha256_hex(text.s, text.n, out->file[PP_ROLE_TIMESTAMP].sha256);
	if (signer == NULL || is_signed_by(file, signer))
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_SIGNATURE, 0, "'public/%s' is not signed by 'keys/%s.key'", path,
	    signer->name);
	return pp_hint(err, PLUGPKG_E_SIGNATURE,
	    "either the key is another repository's, or somebody changed public/: compare it with "
	    "a "
	    "mirror that verifies");
}

/* Is that the timestamp which was signed here last? One file that others may put in its place. */
static enum plugpkg_code
check_record(const struct pp_record *record, const struct pp_meta_file *found, plugpkg_error **err)
{
	const struct pp_meta_file *now = &record->now[PP_ROLE_TIMESTAMP];

	if (!record->is_known || pp_meta_file_same(found, now) ||
	    pp_meta_file_same(found, &record->before[PP_ROLE_TIMESTAMP]))
		return PLUGPKG_OK;
	if (found->version < now->version) {
		pp_fail(err, PLUGPKG_E_ROLLBACK, 0,
		    "public/ is older than what was signed here: its timestamp has version %" PRId64
		    ", the last one had %" PRId64,
		    found->version, now->version);
		return pp_hint(err, PLUGPKG_E_ROLLBACK,
		    "copy the newer public/ back from a mirror; or go on from this one with "
		    "--accept-public, and add again what came after it");
	}
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "public/ has timestamp version %" PRId64
	    ", signed with the right key but not from here (the last one was %" PRId64 ")",
	    found->version, now->version);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "if you publish from another directory too, or put this one back from a backup: "
	    "--accept-public; if not, the online key is stolen: plugpkg-repo key rotate");
}

static enum plugpkg_code
read_snapshot(plugpkg_repo *repo, struct pp_published *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *snapshot = NULL;
	const pp_json *body = NULL;

	enum plugpkg_code rc =
	    pp_published_load(repo, out, PP_ROLE_SNAPSHOT, &snapshot, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!read_entry(body, "targets.json", &out->file[PP_ROLE_TARGETS]) ||
	    !read_entry(body, "index.json", &out->file[PP_ROLE_INDEX]))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "the published snapshot lists no 'targets.json' or no 'index.json'");
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_root(plugpkg_repo *repo, struct pp_published *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_root_fini) struct pp_root root = { 0 };

	enum plugpkg_code rc = pp_root_read(repo, &root, err);
	out->file[PP_ROLE_ROOT] = root.meta;
	return rc;
}

enum plugpkg_code
pp_published_read(plugpkg_repo *repo, const struct pp_signer *signer, struct pp_published *out,
    plugpkg_error **err)
{
	struct pp_record record;

	*out = (struct pp_published){ 0 };
	enum plugpkg_code rc = pp_record_read(repo, &record, err);
	if (rc == PLUGPKG_OK)
		rc = read_timestamp(repo, signer, out, err);
	if (rc == PLUGPKG_OK && signer != NULL && !repo->accepts_public)
		rc = check_record(&record, &out->file[PP_ROLE_TIMESTAMP], err);
	if (rc == PLUGPKG_OK)
		rc = read_snapshot(repo, out, err);
	if (rc == PLUGPKG_OK && signer != NULL)
		rc = read_root(repo, out, err);
	/* What only offline keys can sign does not go back. */
	if (record.now[PP_ROLE_TARGETS].version > out->file[PP_ROLE_TARGETS].version)
		out->file[PP_ROLE_TARGETS] = record.now[PP_ROLE_TARGETS];
	for (int role = 0; role < PP_N_ROLES; role++) {
		int64_t here = out->file[role].version, last = record.now[role].version;
		out->last[role] = here > last ? here : last;
	}
	return rc;
}

enum plugpkg_code
pp_published_recorded(plugpkg_repo *repo, struct pp_published *out, plugpkg_error **err)
{
	struct pp_record record;

	enum plugpkg_code rc = pp_record_read(repo, &record, err);
	if (rc == PLUGPKG_OK && !record.is_known)
		return pp_published_read(repo, NULL, out, err);
	*out = (struct pp_published){ 0 };
	if (rc != PLUGPKG_OK)
		return rc;
	memcpy(out->file, record.now, sizeof(out->file));
	for (int role = 0; role < PP_N_ROLES; role++)
		out->last[role] = record.now[role].version;
	return read_root(repo, out, err);
}
