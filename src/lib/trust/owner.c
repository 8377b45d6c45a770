/* SPDX-License-Identifier: MIT */
/*
 * Statements of owners: strict reading, since whoever can write to a mirror can hand one in, and
 * one form of each statement, so that the same words give the same file everywhere.
 */
#include "lib/trust/owner.h"

#include "base/mem.h"
#include "lib/model/name.h"

#include <string.h>

#define STATEMENT_TYPE "plugpkg-signature"
#define ARCHIVE_TYPE   "plugpkg-archive"
#define ROTATION_TYPE  "plugpkg-rotation"
#define SIG_DIGITS     128
#define VERSION_MAX    255

/* ---- keys ---- */

/* Just an Ed25519 key and nothing beside it: so a key has one id. */
static bool
is_key(const pp_json *key, char out_id[65])
{
	const char *public = pp_json_get_str(pp_json_get(key, "keyval"), "public");

	if (!pp_is_sha256(public)) /* 64 digits as well */
		return false;
	PP_AUTO_JSON pp_json *keyval = pp_json_object();
	pp_json_set_str(keyval, "public", public);
	PP_AUTO_JSON pp_json *plain = pp_json_object();
	pp_json_set_str(plain, "keytype", "ed25519");
	pp_json_set_str(plain, "scheme", "ed25519");
	pp_json_set(plain, "keyval", pp_steal(&keyval));
	return pp_json_equal(plain, key) && pp_key_id(plain, out_id) == 0;
}

/* ---- reading a statement ---- */

void
pp_sig_free(struct pp_sig *s)
{
	if (s == NULL)
		return;
	pp_json_free(s->json);
	free(s);
}

static enum plugpkg_code
bad(const char *where, const char *what, plugpkg_error **err)
{
	return pp_fail(err, PLUGPKG_E_OWNER, 0, "%s: %s", where, what);
}

static bool
has_only(const pp_json *j, const char *const *members, size_t n)
{
	if (!pp_json_is(j, PP_JSON_OBJECT) || pp_json_len(j) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pp_json_get(j, members[i]) == NULL)
			return false;
	return true;
}

static enum plugpkg_code
read_archive(struct pp_sig *s, const pp_json *body, const char *where, plugpkg_error **err)
{
	static const char *const members[] = { "_type", "name", "version", "sha256", "size" };
	const char *version = pp_json_get_str(body, "version");
	int64_t size = pp_json_get_int(body, "size", -1);

	s->type = PP_SIG_ARCHIVE;
	if (!has_only(body, members, PP_LEN(members)))
		return bad(
		    where, "\"signed\" has not just _type, name, version, sha256 and size", err);
	if (version == NULL || *version == '\0' || strlen(version) > VERSION_MAX)
		return bad(where, "\"version\" is no version", err);
	if (!pp_is_sha256(pp_json_get_str(body, "sha256")))
		return bad(where, "\"sha256\" is no 64 lower-case hex digits", err);
	if (size < 1)
		return bad(where, "\"size\" is no number of bytes", err);
	s->archive = (struct pp_signed_archive){
		.name = s->name,
		.version = version,
		.sha256 = pp_json_get_str(body, "sha256"),
		.size = (uint64_t)size,
	};
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_rotation(struct pp_sig *s, const pp_json *body, const char *where, plugpkg_error **err)
{
	static const char *const members[] = { "_type", "name", "key" };

	s->type = PP_SIG_ROTATION;
	s->next_key = pp_json_get(body, "key");
	if (!has_only(body, members, PP_LEN(members)))
		return bad(where, "\"signed\" has not just _type, name and key", err);
	if (!is_key(s->next_key, s->next_id))
		return bad(where, "the new \"key\" is no Ed25519 key", err);
	if (strcmp(s->next_id, s->id) == 0)
		return bad(where, "the new key is the old one", err);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_body(struct pp_sig *s, const pp_json *body, const char *where, plugpkg_error **err)
{
	const char *type = pp_json_get_str(body, "_type");

	s->name = pp_json_get_str(body, "name");
	if (s->name == NULL || !pp_name_valid(pp_str_of(s->name)))
		return bad(where, "\"name\" is no name of a plugin", err);
	if (type != NULL && strcmp(type, ARCHIVE_TYPE) == 0)
		return read_archive(s, body, where, err);
	if (type != NULL && strcmp(type, ROTATION_TYPE) == 0)
		return read_rotation(s, body, where, err);
	return bad(where, "\"_type\" of what is signed is not known", err);
}

static enum plugpkg_code
check_signature(const struct pp_sig *s, const pp_json *body, const char *where, plugpkg_error **err)
{
	const char *hex = pp_json_get_str(s->json, "signature");
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);

	if (hex == NULL || strlen(hex) != SIG_DIGITS)
		return bad(where, "\"signature\" is no 128 hex digits", err);
	if (pp_json_canonical(body, &text) < 0 || text.overflow ||
	    !pp_key_verify(s->key, pp_buf_cstr(&text), text.n, hex))
		return bad(where, "the signature is not by the key that it names", err);
	return PLUGPKG_OK;
}

/* json moved. */
static enum plugpkg_code
from_json(pp_json *json, const char *where, struct pp_sig **out, plugpkg_error **err)
{
	static const char *const members[] = { "_type", "key", "signature", "signed" };
	PP_AUTO(sig) struct pp_sig *s = pp_xcalloc(1, sizeof(*s));
	const char *type = pp_json_get_str(json, "_type");
	const pp_json *body = pp_json_get(json, "signed");

	s->json = json;
	s->key = pp_json_get(json, "key");
	if (type == NULL || strcmp(type, STATEMENT_TYPE) != 0 ||
	    !has_only(json, members, PP_LEN(members)))
		return bad(where, "this is no signature that plugpkg sign makes", err);
	if (!is_key(s->key, s->id))
		return bad(where, "\"key\" is no Ed25519 key", err);
	enum plugpkg_code rc = read_body(s, body, where, err);
	if (rc == PLUGPKG_OK)
		rc = check_signature(s, body, where, err);
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&s);
	return rc;
}

enum plugpkg_code
pp_sig_parse(struct pp_str text, const char *where, struct pp_sig **out, plugpkg_error **err)
{
	struct pp_json_error why;

	if (text.n > PP_SIG_MAX_BYTES)
		return pp_fail(err, PLUGPKG_E_OWNER, 0, "%s: a signature has at most %d bytes",
		    where, PP_SIG_MAX_BYTES);
	pp_json *json = pp_json_parse(text.p, text.n, &why);
	if (json == NULL)
		return bad(where, why.text, err);
	return from_json(json, where, out, err);
}

char *
pp_sig_text(const struct pp_sig *s)
{
	PP_AUTO_FREE char *line = pp_json_sorted(s->json);

	return pp_asprintf("%s\n", line);
}

enum plugpkg_code
pp_sig_check_archive(const struct pp_sig *s, const struct pp_signed_archive *want, const char *id,
    const char *where, plugpkg_error **err)
{
	const struct pp_signed_archive *is = &s->archive;

	if (s->type != PP_SIG_ARCHIVE)
		return bad(where, "it signs a new key, no archive", err);
	if (strcmp(is->name, want->name) != 0 || strcmp(is->version, want->version) != 0)
		return pp_fail(err, PLUGPKG_E_OWNER, 0, "%s: it signs %s %s, not %s %s", where,
		    is->name, is->version, want->name, want->version);
	if (strcmp(is->sha256, want->sha256) != 0 || is->size != want->size)
		return pp_fail(err, PLUGPKG_E_OWNER, 0,
		    "%s: it signs other content of %s %s (sha256 %.*s, here %.*s)", where,
		    want->name, want->version, PP_KEY_ID_SHOWN, is->sha256, PP_KEY_ID_SHOWN,
		    want->sha256);
	if (strcmp(s->id, id) != 0)
		return pp_fail(err, PLUGPKG_E_OWNER, 0,
		    "%s: %s %s is signed by key %.*s, not by its owner's key %.*s", where,
		    want->name, want->version, PP_KEY_ID_SHOWN, s->id, PP_KEY_ID_SHOWN, id);
	return PLUGPKG_OK;
}

/* ---- signing ---- */

/* body moved. */
static enum plugpkg_code
sign(const struct pp_sig_by *by, pp_json *body, char **out_text, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *statement = pp_json_object();
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);
	char hex[SIG_DIGITS + 1];

	pp_json_set(statement, "signed", body);
	if (pp_json_canonical(body, &text) < 0 || text.overflow)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "this cannot be signed");
	enum plugpkg_code rc = by->sign(by->user, pp_buf_cstr(&text), text.n, hex, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json_set_str(statement, "_type", STATEMENT_TYPE);
	pp_json_set(statement, "key", pp_json_copy(by->key));
	pp_json_set_str(statement, "signature", hex);
	PP_AUTO_FREE char *line = pp_json_sorted(statement);
	PP_AUTO_FREE char *made = pp_asprintf("%s\n", line);
	PP_AUTO(sig) struct pp_sig *read = NULL;
	/* Read as everybody will: nobody keeps a statement that is none. */
	rc = pp_sig_parse(pp_str_of(made), "the new signature", &read, err);
	if (rc == PLUGPKG_OK)
		*out_text = pp_steal(&made);
	return rc;
}

enum plugpkg_code
pp_sig_sign_archive(const struct pp_sig_by *by, const struct pp_signed_archive *archive,
    char **out_text, plugpkg_error **err)
{
	pp_json *body = pp_json_object();

	pp_json_set_str(body, "_type", ARCHIVE_TYPE);
	pp_json_set_str(body, "name", archive->name);
	pp_json_set_str(body, "version", archive->version);
	pp_json_set_str(body, "sha256", archive->sha256);
	pp_json_set_int(body, "size", (int64_t)archive->size);
	return sign(by, body, out_text, err);
}

enum plugpkg_code
pp_sig_sign_rotation(const struct pp_sig_by *by, const char *name, const pp_json *next_key,
    char **out_text, plugpkg_error **err)
{
	pp_json *body = pp_json_object();

	pp_json_set_str(body, "_type", ROTATION_TYPE);
	pp_json_set_str(body, "name", name);
	pp_json_set(body, "key", pp_json_copy(next_key));
	return sign(by, body, out_text, err);
}

/* ---- owners ---- */

void
pp_owner_free(struct pp_owner *o)
{
	if (o == NULL)
		return;
	pp_json_free(o->key);
	pp_vec_foreach (s, &o->rotations)
		pp_sig_free(*s);
	pp_vec_free(&o->rotations);
	free(o);
}

struct pp_owner *
pp_owner_new(const pp_json *key)
{
	struct pp_owner *o = pp_xcalloc(1, sizeof(*o));

	o->key = pp_json_copy(key);
	PP_IGNORE(pp_key_id(key, o->id)); /* it was read as a key */
	return o;
}

static const char *
last_id(const struct pp_owner *o)
{
	return o->rotations.n > 0 ? o->rotations.at[o->rotations.n - 1]->next_id : NULL;
}

static enum plugpkg_code
add_rotation(
    struct pp_owner *o, const pp_json *j, const char *name, const char *where, plugpkg_error **err)
{
	const char *before = last_id(o);
	struct pp_sig *s = NULL;
	enum plugpkg_code rc = from_json(pp_json_copy(j), where, &s, err);

	if (rc != PLUGPKG_OK)
		return pp_recode(err, PLUGPKG_E_BAD_METADATA);
	pp_vec_push(&o->rotations, s);
	if (s->type != PP_SIG_ROTATION || strcmp(s->name, name) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: a rotation of '%s' is none of its owner", where, name);
	if (before != NULL && strcmp(before, s->id) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: rotations of '%s' do not follow each other", where, name);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_owner_parse(const pp_json *j, const char *name, const char *where, struct pp_owner **out,
    plugpkg_error **err)
{
	const pp_json *key = pp_json_get(j, "key"), *rotations = pp_json_get(j, "rotations");
	char id[65];

	if (!is_key(key, id))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: the owner of '%s' has no Ed25519 key", where, name);
	if (pp_json_len(rotations) > PP_OWNER_MAX_ROTATIONS)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: '%s' has %zu rotations; %d are allowed", where, name,
		    pp_json_len(rotations), PP_OWNER_MAX_ROTATIONS);
	PP_AUTO(owner) struct pp_owner *o = pp_owner_new(key);
	enum plugpkg_code rc = PLUGPKG_OK;
	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(rotations); i++)
		rc = add_rotation(o, pp_json_at(rotations, i), name, where, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (last_id(o) != NULL && strcmp(last_id(o), o->id) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: rotations of '%s' do not lead to its owner's key", where, name);
	*out = pp_steal(&o);
	return PLUGPKG_OK;
}

pp_json *
pp_owner_json(const struct pp_owner *o)
{
	pp_json *j = pp_json_object(), *rotations = pp_json_array();

	pp_json_set(j, "key", pp_json_copy(o->key));
	pp_vec_foreach (s, &o->rotations)
		pp_json_push(rotations, pp_json_copy((*s)->json));
	if (pp_json_len(rotations) > 0)
		pp_json_set(j, "rotations", rotations);
	else
		pp_json_free(rotations);
	return j;
}

bool
pp_owner_follows(const struct pp_owner *o, const char *id)
{
	if (strcmp(o->id, id) == 0)
		return true;
	pp_vec_foreach (s, &o->rotations)
		if (strcmp((*s)->id, id) == 0)
			return true;
	return false;
}

enum plugpkg_code
pp_owner_rotate(struct pp_owner *o, const char *name, struct pp_sig *rotation, plugpkg_error **err)
{
	PP_AUTO(sig) struct pp_sig *s = rotation;

	if (s->type != PP_SIG_ROTATION || strcmp(s->name, name) != 0)
		return pp_fail(
		    err, PLUGPKG_E_OWNER, 0, "the statement gives '%s' no new owner key", name);
	if (strcmp(s->id, o->id) != 0)
		return pp_fail(err, PLUGPKG_E_OWNER, 0,
		    "the statement is signed by key %.*s; the owner key of '%s' is %.*s",
		    PP_KEY_ID_SHOWN, s->id, name, PP_KEY_ID_SHOWN, o->id);
	/* A key that was given up once does not come back: its next statement is known already. */
	if (o->rotations.n == PP_OWNER_MAX_ROTATIONS || pp_owner_follows(o, s->next_id))
		return pp_fail(err, PLUGPKG_E_OWNER, 0,
		    "'%s' had the key before, or changed its key %d times already", name,
		    PP_OWNER_MAX_ROTATIONS);
	pp_json_free(o->key);
	o->key = pp_json_copy(s->next_key);
	memcpy(o->id, s->next_id, sizeof(o->id));
	pp_vec_push(&o->rotations, s);
	s = NULL;
	return PLUGPKG_OK;
}
