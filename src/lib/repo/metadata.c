/* SPDX-License-Identifier: MIT */
/* TUF roles of a publisher (TUF 1.0 section 4): reading what is published, signing what follows. */
#include "lib/repo/metadata.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/time.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SPEC_VERSION       "1.0.31"
#define METADATA_MAX_BYTES (8 * 1024 * 1024)
#define VERSION_MAX        (INT64_MAX / 2) /* room to count on */

/* public/metadata/N.role.json; timestamp.json alone has no version in its name. Owned. */
static char *
role_path(enum pp_role role, int64_t version)
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
parse_file(const char *path, const struct pp_buf *text, pp_json **out, const pp_json **out_signed,
    plugpkg_error **err)
{
	struct pp_json_error why = { .text = "no 'signed' object" };
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(text), text->n, &why);

	*out_signed = pp_json_get(file, "signed");
	if (!pp_json_is(*out_signed, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "public/%s: %s", path, why.text);
	*out = pp_steal(&file);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_published_load(plugpkg_repo *repo, const struct pp_published *published, enum pp_role role,
    pp_json **out, const pp_json **out_signed, plugpkg_error **err)
{
	const struct pp_meta_file *f = &published->file[role];
	PP_AUTO_FREE char *path = role_path(role, f->version);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
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
	const char *sha256 = pp_json_get_str(pp_json_get(entry, "hashes"), "sha256");
	int64_t length = pp_json_get_int(entry, "length", 0);

	*out = (struct pp_meta_file){ .version = pp_json_get_int(entry, "version", 0) };
	if (!pp_is_sha256(sha256) || length < 1 || out->version < 1 || out->version > VERSION_MAX)
		return false;
	out->length = (uint64_t)length;
	memcpy(out->sha256, sha256, sizeof(out->sha256));
	return true;
}

static bool
is_signed_by(const pp_json *file, const struct pp_signer *signer)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
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
	PP_AUTO_FREE char *path = role_path(PP_ROLE_TIMESTAMP, 0);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
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
	    version > VERSION_MAX ||
	    !read_entry(body, "snapshot.json", &out->file[PP_ROLE_SNAPSHOT]))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'public/%s' is no timestamp", path);
	out->file[PP_ROLE_TIMESTAMP].version = version;
	if (signer == NULL || is_signed_by(file, signer))
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_SIGNATURE, 0, "'public/%s' is not signed by 'keys/%s.key'", path,
	    signer->name);
	return pp_hint(err, PLUGPKG_E_SIGNATURE,
	    "either the key is another repository's, or somebody changed public/: compare it with "
	    "a "
	    "mirror that verifies");
}

enum plugpkg_code
pp_published_read(plugpkg_repo *repo, const struct pp_signer *signer, struct pp_published *out,
    plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *snapshot = NULL;
	const pp_json *body;

	*out = (struct pp_published){ 0 };
	enum plugpkg_code rc = read_timestamp(repo, signer, out, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_load(repo, out, PP_ROLE_SNAPSHOT, &snapshot, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!read_entry(body, "targets.json", &out->file[PP_ROLE_TARGETS]) ||
	    !read_entry(body, "index.json", &out->file[PP_ROLE_INDEX]))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "the published snapshot lists no 'targets.json' or no 'index.json'");
	return PLUGPKG_OK;
}

static enum plugpkg_code
add_signature(pp_json *signatures, const struct pp_buf *text, const struct pp_signer *signer,
    plugpkg_error **err)
{
	char hex[129];

	enum plugpkg_code rc = pp_ed25519_sign(signer->seed, text->s, text->n, hex, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *signature = pp_json_object();
	pp_json_set_str(signature, "keyid", signer->id);
	pp_json_set_str(signature, "sig", hex);
	pp_json_push(signatures, signature);
	return PLUGPKG_OK;
}

/* The members that every role has, TUF section 4.3; _type of a delegated role is "targets". */
static void
complete_body(plugpkg_repo *repo, const struct pp_signing *how, int64_t version, pp_json *body)
{
	char expires[PP_TIME_TEXT];

	pp_time_format(pp_repo_expiry(repo, how->role), expires);
	pp_json_set_str(
	    body, "_type", how->role == PP_ROLE_INDEX ? "targets" : pp_role_names[how->role]);
	pp_json_set_str(body, "spec_version", SPEC_VERSION);
	pp_json_set_int(body, "version", version);
	pp_json_set_str(body, "expires", expires);
}

/* The first number from how->version on under which nothing lies yet. */
static enum plugpkg_code
free_version(plugpkg_repo *repo, const struct pp_signing *how, int64_t *out, plugpkg_error **err)
{
	int there = how->role == PP_ROLE_TIMESTAMP ? 0 : 1;

	for (*out = how->version; there == 1; *out += there) {
		PP_AUTO_FREE char *path = role_path(how->role, *out);
		there = pp_exists_at(repo->public_fd, path);
		if (there < 0)
			return pp_fail(
			    err, PLUGPKG_E_IO, -there, "cannot look at 'public/%s'", path);
		/* A root follows the one before it without a gap. */
		if (there == 1 && how->role == PP_ROLE_ROOT)
			return pp_fail(
			    err, PLUGPKG_E_EXISTS, 0, "'public/%s' is there already", path);
	}
	return PLUGPKG_OK;
}

/* {"signatures":[…],"signed":body} and a newline, appended. Body borrowed. */
static enum plugpkg_code
sign_body(const struct pp_signing *how, pp_json *body, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = pp_json_object();
	pp_json *signatures = pp_json_array();

	pp_json_set(file, "signatures", signatures);
	pp_json_set(file, "signed", pp_json_ref(body));
	enum plugpkg_code rc = PLUGPKG_OK;
	if (pp_json_canonical(body, out) < 0 || out->overflow)
		rc = pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "it would be too large");
	for (size_t i = 0; rc == PLUGPKG_OK && i < how->n_signers; i++)
		rc = add_signature(signatures, out, &how->signers[i], err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_buf_clear(out);
	if (pp_json_canonical(file, out) < 0 || out->overflow)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "it would be too large");
	pp_buf_addc(out, '\n');
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_metadata_write(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body,
    struct pp_meta_file *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *owned = body;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
	int64_t version;

	enum plugpkg_code rc = free_version(repo, how, &version, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *path = role_path(how->role, version);
	complete_body(repo, how, version, owned);
	rc = sign_body(how, owned, &text, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot sign '%s'", path);
	*out = (struct pp_meta_file){ .version = version, .length = text.n };
	pp_sha256_hex(text.s, text.n, out->sha256);
	int r = pp_write_file_at(repo->public_fd, path, text.s, text.n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write 'public/%s'", path);
	return PLUGPKG_OK;
}

static pp_json *
role_of(const struct pp_signer *keys, size_t n, unsigned threshold)
{
	pp_json *role = pp_json_object();
	pp_json *ids = pp_json_array();

	for (size_t i = 0; i < n; i++)
		pp_json_push_str(ids, keys[i].id);
	pp_json_set(role, "keyids", ids);
	pp_json_set_int(role, "threshold", threshold);
	return role;
}

static void
add_keys(pp_json *to, const struct pp_signer *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pp_json_set(to, keys[i].id, pp_json_ref(keys[i].public));
}

pp_json *
pp_body_root(const struct pp_signer *root_keys, size_t n_root_keys, unsigned threshold,
    const struct pp_signer *targets_key, const struct pp_signer *online_key)
{
	pp_json *body = pp_json_object(), *keys = pp_json_object(), *roles = pp_json_object();

	add_keys(keys, root_keys, n_root_keys);
	add_keys(keys, targets_key, 1);
	add_keys(keys, online_key, 1);
	pp_json_set(roles, "root", role_of(root_keys, n_root_keys, threshold));
	pp_json_set(roles, "targets", role_of(targets_key, 1, 1));
	pp_json_set(roles, "snapshot", role_of(online_key, 1, 1));
	pp_json_set(roles, "timestamp", role_of(online_key, 1, 1));
	pp_json_set_bool(body, "consistent_snapshot", true);
	pp_json_set(body, "keys", keys);
	pp_json_set(body, "roles", roles);
	return body;
}

pp_json *
pp_body_targets(const struct pp_signer *index_key)
{
	pp_json *body = pp_json_object(), *delegations = pp_json_object();
	pp_json *keys = pp_json_object(), *roles = pp_json_array();
	pp_json *role = role_of(index_key, 1, 1), *paths = pp_json_array();

	pp_json_push_str(paths, "index/*");
	pp_json_set_str(role, "name", pp_role_names[PP_ROLE_INDEX]);
	pp_json_set(role, "paths", paths);
	pp_json_set_bool(role, "terminating", true);
	pp_json_push(roles, role);
	add_keys(keys, index_key, 1);
	pp_json_set(delegations, "keys", keys);
	pp_json_set(delegations, "roles", roles);
	pp_json_set(body, "targets", pp_json_object());
	pp_json_set(body, "delegations", delegations);
	return body;
}

static pp_json *
file_entry(int64_t version, uint64_t length, const char *sha256)
{
	pp_json *entry = pp_json_object(), *hashes = pp_json_object();

	pp_json_set_str(hashes, "sha256", sha256);
	pp_json_set(entry, "hashes", hashes);
	pp_json_set_int(entry, "length", (int64_t)length);
	if (version > 0)
		pp_json_set_int(entry, "version", version);
	return entry;
}

pp_json *
pp_body_index(uint64_t length, const char *sha256)
{
	pp_json *body = pp_json_object(), *targets = pp_json_object();

	pp_json_set(targets, PP_INDEX_TARGET, file_entry(0, length, sha256));
	pp_json_set(body, "targets", targets);
	return body;
}

static pp_json *
meta_entry(const struct pp_meta_file *f)
{
	return file_entry(f->version, f->length, f->sha256);
}

pp_json *
pp_body_snapshot(const struct pp_meta_file *targets, const struct pp_meta_file *index)
{
	pp_json *body = pp_json_object(), *meta = pp_json_object();

	pp_json_set(meta, "index.json", meta_entry(index));
	pp_json_set(meta, "targets.json", meta_entry(targets));
	pp_json_set(body, "meta", meta);
	return body;
}

pp_json *
pp_body_timestamp(const struct pp_meta_file *snapshot)
{
	pp_json *body = pp_json_object(), *meta = pp_json_object();

	pp_json_set(meta, "snapshot.json", meta_entry(snapshot));
	pp_json_set(body, "meta", meta);
	return body;
}

enum plugpkg_code
pp_metadata_seal(plugpkg_repo *repo, const struct pp_published *was,
    const struct pp_meta_file *targets, const struct pp_meta_file *index,
    const struct pp_signer *online, plugpkg_error **err)
{
	struct pp_meta_file snapshot, timestamp;
	struct pp_signing how = {
		.role = PP_ROLE_SNAPSHOT,
		.version = was->file[PP_ROLE_SNAPSHOT].version + 1,
		.signers = online,
		.n_signers = 1,
	};

	enum plugpkg_code rc =
	    pp_metadata_write(repo, &how, pp_body_snapshot(targets, index), &snapshot, err);
	if (rc != PLUGPKG_OK)
		return rc;
	/*
	 * The only file that changes under its name, and so the last: until now nobody saw anything
	 * new.
	 */
	how.role = PP_ROLE_TIMESTAMP;
	how.version = was->file[PP_ROLE_TIMESTAMP].version + 1;
	return pp_metadata_write(repo, &how, pp_body_timestamp(&snapshot), &timestamp, err);
}
