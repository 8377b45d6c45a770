/* SPDX-License-Identifier: MIT */
/* TUF roles of a publisher (TUF 1.0 section 4): reading what is published, signing what follows. */
#include "lib/repo/metadata.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/time.h"
#include "base/vec.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SPEC_VERSION       "1.0.31"
#define METADATA_MAX_BYTES (8 * 1024 * 1024)

/* public/metadata/N.role.json; timestamp.json alone has no version in its name. Owned. */
static char *
role_path(enum pp_role role, int64_t version)
{
	if (role == PP_ROLE_TIMESTAMP)
		return pp_xstrdup("metadata/timestamp.json");
	return pp_asprintf("metadata/%" PRId64 ".%s.json", version, pp_role_names[role]);
}

static enum plugpkg_code
read_role(plugpkg_repo *repo, const char *path, struct pp_buf *out, plugpkg_error **err)
{
	int r = pp_read_file_at(repo->public_fd, path, out);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/%s'", path);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_published_load(plugpkg_repo *repo, enum pp_role role, int64_t version, pp_json **out,
    const pp_json **out_signed, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = role_path(role, version);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
	struct pp_json_error why = { .text = "no 'signed' object" };

	enum plugpkg_code rc = read_role(repo, path, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	const pp_json *body = pp_json_get(file, "signed");
	if (!pp_json_is(body, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "public/%s: %s", path, why.text);
	*out_signed = body;
	*out = pp_steal(&file);
	return PLUGPKG_OK;
}

/* The highest N of metadata/N.root.json. */
static enum plugpkg_code
newest_root(plugpkg_repo *repo, int64_t *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };

	int r = pp_list_dir(repo->public_fd, "metadata", &names);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/metadata'");
	for (size_t i = 0; i < names.n; i++) {
		struct pp_str rest = pp_str_of(names.at[i]), part;
		uint64_t n;
		if (pp_ends_with(names.at[i], ".root.json") && pp_str_cut(&rest, '.', &part) &&
		    pp_parse_u64(part, INT64_MAX, &n) == 0 && (int64_t)n > *out)
			*out = (int64_t)n;
	}
	return PLUGPKG_OK;
}

static int64_t
listed_version(const pp_json *body, const char *file)
{
	return pp_json_get_int(pp_json_get(pp_json_get(body, "meta"), file), "version", 0);
}

enum plugpkg_code
pp_published_read(plugpkg_repo *repo, struct pp_published *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *timestamp = NULL;
	PP_AUTO_JSON pp_json *snapshot = NULL;
	const pp_json *body;

	*out = (struct pp_published){ 0 };
	enum plugpkg_code rc = newest_root(repo, &out->version[PP_ROLE_ROOT], err);
	if (rc != PLUGPKG_OK || pp_exists_at(repo->public_fd, "metadata/timestamp.json") == 0)
		return rc;
	rc = pp_published_load(repo, PP_ROLE_TIMESTAMP, 0, &timestamp, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	out->version[PP_ROLE_TIMESTAMP] = pp_json_get_int(body, "version", 0);
	out->version[PP_ROLE_SNAPSHOT] = listed_version(body, "snapshot.json");
	rc = pp_published_load(
	    repo, PP_ROLE_SNAPSHOT, out->version[PP_ROLE_SNAPSHOT], &snapshot, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	out->version[PP_ROLE_TARGETS] = listed_version(body, "targets.json");
	out->version[PP_ROLE_INDEX] = listed_version(body, "index.json");
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_meta_file_of(plugpkg_repo *repo, enum pp_role role, int64_t version, struct pp_meta_file *out,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = role_path(role, version);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);

	enum plugpkg_code rc = read_role(repo, path, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out = (struct pp_meta_file){ .version = version, .length = text.n };
	pp_sha256_hex(text.s, text.n, out->sha256);
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
complete_body(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body)
{
	char expires[PP_TIME_TEXT];

	pp_time_format(pp_repo_expiry(repo, how->role), expires);
	pp_json_set_str(
	    body, "_type", how->role == PP_ROLE_INDEX ? "targets" : pp_role_names[how->role]);
	pp_json_set_str(body, "spec_version", SPEC_VERSION);
	pp_json_set_int(body, "version", how->version);
	pp_json_set_str(body, "expires", expires);
}

enum plugpkg_code
pp_metadata_write(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body,
    struct pp_meta_file *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = pp_json_object();
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(METADATA_MAX_BYTES);
	PP_AUTO_FREE char *path = role_path(how->role, how->version);
	pp_json *signatures = pp_json_array();

	complete_body(repo, how, body);
	pp_json_set(file, "signatures", signatures);
	pp_json_set(file, "signed", body);
	if (pp_json_canonical(body, &text) < 0 || text.overflow)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'%s' would be too large", path);
	for (size_t i = 0; i < how->n_signers; i++) {
		enum plugpkg_code rc = add_signature(signatures, &text, &how->signers[i], err);
		if (rc != PLUGPKG_OK)
			return pp_wrap(err, rc, "cannot sign '%s'", path);
	}
	pp_buf_clear(&text);
	if (pp_json_canonical(file, &text) < 0 || text.overflow)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'%s' would be too large", path);
	pp_buf_addc(&text, '\n');
	*out = (struct pp_meta_file){ .version = how->version, .length = text.n };
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
		.version = was->version[PP_ROLE_SNAPSHOT] + 1,
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
	how.version = was->version[PP_ROLE_TIMESTAMP] + 1;
	return pp_metadata_write(repo, &how, pp_body_timestamp(&snapshot), &timestamp, err);
}
