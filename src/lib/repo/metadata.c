/* SPDX-License-Identifier: MIT */
/* TUF roles of a publisher (TUF 1.0 section 4): bodies, signatures, and files in their order. */
#include "lib/repo/metadata.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/repo/root.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SPEC_VERSION "1.0.31"

/* _type of a delegated role is "targets". */
void
pp_body_complete(plugpkg_repo *repo, enum pp_role role, int64_t version, pp_json *body)
{
	char expires[PP_TIME_TEXT];

	pp_time_format(pp_repo_expiry(repo, role), expires);
	pp_json_set_str(body, "_type", role == PP_ROLE_INDEX ? "targets" : pp_role_names[role]);
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
		PP_AUTO_FREE char *path = pp_role_path(how->role, *out);
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

/* Canonical text is no JSON where a key in PEM has its line ends: what is served escapes them. */
enum plugpkg_code
pp_metadata_text(const pp_json *file, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_json_sorted(file);

	pp_buf_adds(out, text);
	pp_buf_addc(out, '\n');
	if (out->overflow)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "it would be too large");
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
	for (size_t i = 0; rc == PLUGPKG_OK && i < how->n_signers; i++) {
		pp_json *signature = NULL;
		rc = pp_signer_sign(&how->signers[i], out->s, out->n, &signature, err);
		if (rc == PLUGPKG_OK)
			pp_json_push(signatures, signature);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	pp_buf_clear(out);
	return pp_metadata_text(file, out, err);
}

/* The signed text of a role with the version that is free; nothing is written yet. */
static enum plugpkg_code
sign_role(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body, struct pp_buf *text,
    struct pp_meta_file *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *owned = body;
	int64_t version;

	enum plugpkg_code rc = free_version(repo, how, &version, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_body_complete(repo, how->role, version, owned);
	rc = sign_body(how, owned, text, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "cannot sign %s", pp_role_names[how->role]);
	*out = (struct pp_meta_file){ .version = version, .length = text->n };
	pp_sha256_hex(text->s, text->n, out->sha256);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_role_write(plugpkg_repo *repo, enum pp_role role, int64_t version, const struct pp_buf *text,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_role_path(role, version);

	/* What only a timestamp makes count becomes durable before that is written, all at once. */
	bool waits = role == PP_ROLE_INDEX || role == PP_ROLE_SNAPSHOT;
	int r = waits ? pp_write_file_unsynced_at(repo->public_fd, path, text->s, text->n, 0644)
		      : pp_write_file_at(repo->public_fd, path, text->s, text->n, 0644);
	if (role == PP_ROLE_ROOT)
		pp_root_forget(repo);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write 'public/%s'", path);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_metadata_write(plugpkg_repo *repo, const struct pp_signing *how, pp_json *body,
    struct pp_meta_file *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);

	enum plugpkg_code rc = sign_role(repo, how, body, &text, out, err);
	return rc == PLUGPKG_OK ? pp_role_write(repo, how->role, out->version, &text, err) : rc;
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

static enum plugpkg_code
root_text(
    const pp_json *file, struct pp_buf *out, struct pp_meta_file *out_meta, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_metadata_text(file, out, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "new root");
	*out_meta = (struct pp_meta_file){
		.version = pp_json_get_int(pp_json_get(file, "signed"), "version", 0),
		.length = out->n,
	};
	pp_sha256_hex(out->s, out->n, out_meta->sha256);
	return PLUGPKG_OK;
}

/*
 * The two files that clients see change, one after the other. Before them the record of what they
 * will be, beside what they were: whichever of both a crash leaves is known as ours. A client that
 * comes between refuses a timestamp by a new key, stores nothing, and goes on with what it has;
 * with the new root, and the old timestamp, it would have nothing that holds.
 */
static enum plugpkg_code
show(plugpkg_repo *repo, const struct pp_published *was, const struct pp_buf *timestamp,
    struct pp_record *record, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	enum plugpkg_code rc = PLUGPKG_OK;

	/* What they lead to is durable before them, down to the directories of the archives. */
	int r = pp_sync_tree_at(repo->public_fd, ".");
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make 'public' durable");
	memcpy(record->before, was->file, sizeof(record->before));
	if (was->new_root != NULL)
		rc = root_text(was->new_root, &root, &record->now[PP_ROLE_ROOT], err);
	if (rc == PLUGPKG_OK)
		rc = pp_record_write(repo, record, err);
	if (rc == PLUGPKG_OK)
		rc = pp_role_write(repo, PP_ROLE_TIMESTAMP, 0, timestamp, err);
	if (rc == PLUGPKG_OK && was->new_root != NULL)
		rc = pp_role_write(
		    repo, PP_ROLE_ROOT, record->now[PP_ROLE_ROOT].version, &root, err);
	memset(record->before, 0, sizeof(record->before));
	return rc == PLUGPKG_OK ? pp_record_write(repo, record, err) : rc;
}

enum plugpkg_code
pp_metadata_seal(plugpkg_repo *repo, const struct pp_published *was,
    const struct pp_meta_file *targets, const struct pp_meta_file *index,
    const struct pp_signer *online, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	struct pp_record record = { .is_known = true };
	struct pp_meta_file *now = record.now;
	struct pp_signing how = {
		.role = PP_ROLE_SNAPSHOT,
		.version = was->last[PP_ROLE_SNAPSHOT] + 1,
		.signers = online,
		.n_signers = 1,
	};

	now[PP_ROLE_ROOT] = was->file[PP_ROLE_ROOT];
	now[PP_ROLE_TARGETS] = *targets;
	now[PP_ROLE_INDEX] = *index;
	enum plugpkg_code rc = pp_metadata_write(
	    repo, &how, pp_body_snapshot(targets, index), &now[PP_ROLE_SNAPSHOT], err);
	if (rc != PLUGPKG_OK)
		return rc;
	how.role = PP_ROLE_TIMESTAMP;
	how.version = was->last[PP_ROLE_TIMESTAMP] + 1;
	rc = sign_role(repo, &how, pp_body_timestamp(&now[PP_ROLE_SNAPSHOT]), &text,
	    &now[PP_ROLE_TIMESTAMP], err);
	return rc == PLUGPKG_OK ? show(repo, was, &text, &record, err) : rc;
}
