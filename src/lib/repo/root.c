/* SPDX-License-Identifier: MIT */
/* Roots as published, and the names of keys. */
#include "lib/repo/root.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/trust/tuf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KEYRING_FILE      "keyring.json"
#define KEYRING_TYPE      "plugpkg-keyring"
#define KEYRING_MAX_BYTES (1024 * 1024)

void
pp_root_fini(struct pp_root *root)
{
	pp_json_free(root->file);
	*root = (struct pp_root){ 0 };
}

/* NOT_FOUND when there is none of that version. */
static enum plugpkg_code
read_bytes(plugpkg_repo *repo, int64_t version, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("metadata/%" PRId64 ".root.json", version);

	pp_buf_clear(out);
	int r = pp_read_file_at(repo->public_fd, path, out);
	if (r == 0)
		return PLUGPKG_OK;
	pp_fail(err, r == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, -r,
	    "cannot read 'public/%s'", path);
	return pp_hint(err, r == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO,
	    "copy public/ back from a mirror");
}

static void
describe(const struct pp_buf *text, int64_t version, struct pp_meta_file *out)
{
	*out = (struct pp_meta_file){ .version = version, .length = text->n };
	pp_sha256_hex(pp_buf_cstr(text), text->n, out->sha256);
}

/* Leaves the last good one in *text. What follows and does not verify is no root. */
static enum plugpkg_code
walk(plugpkg_repo *repo, const struct pp_record *record, struct pp_buf *text,
    struct pp_meta_file *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf next = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	PP_AUTO(tuf) struct pp_tuf *t = NULL;

	enum plugpkg_code rc = read_bytes(repo, 1, text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = pp_tuf_new(text->s, text->n, repo->now, &t, err);
	if (rc != PLUGPKG_OK) {
		(void)pp_wrap(err, rc, "'public/metadata/1.root.json' is damaged");
		return pp_hint(err, rc, "copy it back from a mirror");
	}
	for (int64_t version = 2;; version++) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		describe(text, version - 1, out);
		rc = read_bytes(repo, version, &next, &why);
		if (rc == PLUGPKG_E_NOT_FOUND)
			return PLUGPKG_OK;
		if (rc == PLUGPKG_OK)
			rc = pp_tuf_update_root(t, next.s, next.n, &why);
		if (rc != PLUGPKG_OK && record->is_known &&
		    out->version >= record->now[PP_ROLE_ROOT].version)
			return PLUGPKG_OK;
		if (rc != PLUGPKG_OK)
			return pp_fail(
			    err, rc, 0, "public/metadata: %s", plugpkg_error_message(why));
		pp_buf_clear(text);
		pp_buf_add(text, next.s, next.n);
	}
}

static enum plugpkg_code
check_record(const struct pp_record *record, const struct pp_meta_file *found, plugpkg_error **err)
{
	const struct pp_meta_file *now = &record->now[PP_ROLE_ROOT];

	if (!record->is_known || pp_meta_file_same(found, now) ||
	    pp_meta_file_same(found, &record->before[PP_ROLE_ROOT]))
		return PLUGPKG_OK;
	if (found->version < now->version) {
		pp_fail(err, PLUGPKG_E_ROLLBACK, 0,
		    "public/ is older than what was signed here: its newest root is %" PRId64
		    ", published was %" PRId64,
		    found->version, now->version);
		return pp_hint(err, PLUGPKG_E_ROLLBACK,
		    "copy public/metadata/%" PRId64 ".root.json back from a mirror", now->version);
	}
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "public/metadata/%" PRId64 ".root.json was not published from here", found->version);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "if this directory came back from a backup, bring a newer one; else somebody has root "
	    "keys of yours");
}

void
pp_root_forget(plugpkg_repo *repo)
{
	if (repo->root != NULL)
		pp_root_fini(repo->root);
	free(repo->root);
	repo->root = NULL;
}

static void
copy_root(struct pp_root *to, const struct pp_root *from)
{
	*to = *from;
	to->file = pp_json_ref(from->file);
}

static enum plugpkg_code
read_root(plugpkg_repo *repo, struct pp_root *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	struct pp_record record;

	enum plugpkg_code rc = pp_record_read(repo, &record, err);
	if (rc == PLUGPKG_OK)
		rc = walk(repo, &record, &text, &out->meta, err);
	if (rc == PLUGPKG_OK && !repo->accepts_public)
		rc = check_record(&record, &out->meta, err);
	if (rc != PLUGPKG_OK)
		return rc;
	out->file = pp_json_parse(text.s, text.n, NULL); /* was parsed a moment ago */
	out->body = pp_json_get(out->file, "signed");
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_root_read(plugpkg_repo *repo, struct pp_root *out, plugpkg_error **err)
{
	if (repo->root != NULL) {
		copy_root(out, repo->root);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = read_root(repo, out, err);
	if (rc == PLUGPKG_OK && repo->locked_by != 0) {
		repo->root = pp_xcalloc(1, sizeof(*repo->root));
		copy_root(repo->root, out);
	}
	return rc;
}

/* ---- names of keys ---- */

enum plugpkg_code
pp_keyring_read(plugpkg_repo *repo, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(KEYRING_MAX_BYTES);
	struct pp_json_error why = { .text = "it lists no keys" };

	int r = pp_read_file_at(repo->dir_fd, KEYRING_FILE, &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '" KEYRING_FILE "'");
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	const char *type = pp_json_get_str(file, "_type");
	const pp_json *keys = pp_json_get(file, "keys");
	if (type == NULL || strcmp(type, KEYRING_TYPE) != 0 || !pp_json_is(keys, PP_JSON_OBJECT))
		return pp_fail(
		    err, PLUGPKG_E_BAD_STATE, 0, "'" KEYRING_FILE "' is damaged: %s", why.text);
	*out = pp_json_ref(keys);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_keyring_write(plugpkg_repo *repo, const pp_json *keys, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = pp_json_object();

	pp_json_set_str(file, "_type", KEYRING_TYPE);
	pp_json_set(file, "keys", pp_json_ref(keys));
	PP_AUTO_FREE char *text = pp_json_pretty(file);
	int r = pp_write_file_at(repo->dir_fd, KEYRING_FILE, text, strlen(text), 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '" KEYRING_FILE "'");
	return PLUGPKG_OK;
}

void
pp_keyring_add(pp_json *keys, const struct pp_signer *signer, int64_t now)
{
	pp_json *key = pp_json_object();
	char created[PP_TIME_TEXT];

	pp_time_format(now, created);
	pp_json_set_str(key, "id", signer->id);
	pp_json_set(key, "public", pp_json_ref(signer->public));
	pp_json_set_str(key, "created", created);
	pp_json_set(keys, signer->name, key);
}

const char *
pp_keyring_name_of(const pp_json *keys, const char *id)
{
	for (void *it = pp_json_iter(keys); it != NULL; it = pp_json_next(keys, it)) {
		const char *here = pp_json_get_str(pp_json_iter_value(it), "id");
		if (here != NULL && id != NULL && strcmp(here, id) == 0)
			return pp_json_iter_key(it);
	}
	return NULL;
}

/* The first of the role's keys whose file is here; else the first that has a name. */
static const char *
choose(plugpkg_repo *repo, const pp_json *keys, const pp_json *ids, const char **out_id)
{
	const char *chosen = NULL;

	for (size_t i = 0; i < pp_json_len(ids); i++) {
		const char *id = pp_json_string(pp_json_at(ids, i));
		const char *name = pp_keyring_name_of(keys, id);
		bool is_here = name != NULL && pp_key_is_here(repo, name);
		if (chosen == NULL || is_here) {
			chosen = name;
			*out_id = id;
		}
		if (is_here)
			break;
	}
	return chosen;
}

enum plugpkg_code
pp_online_load(
    plugpkg_repo *repo, const pp_json *root_body, struct pp_signer *out, plugpkg_error **err)
{
	const pp_json *role = pp_json_get(pp_json_get(root_body, "roles"), "timestamp");
	PP_AUTO_JSON pp_json *keys = NULL;
	const char *id = NULL;

	enum plugpkg_code rc = pp_keyring_read(repo, &keys, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *name = choose(repo, keys, pp_json_get(role, "keyids"), &id);
	if (name == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "the root names an online key that '" KEYRING_FILE "' does not know");
	rc = pp_key_load(repo, name, out, err);
	if (rc != PLUGPKG_OK || strcmp(out->id, id) == 0)
		return rc;
	pp_fail(
	    err, PLUGPKG_E_SIGNATURE, 0, "'keys/%s.key' is not the key that the root names", name);
	return pp_hint(err, PLUGPKG_E_SIGNATURE,
	    "it is another repository's: bring the right one back from where it is kept");
}
