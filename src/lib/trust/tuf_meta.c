/* SPDX-License-Identifier: MIT */
/* One TUF metadata file: shape, signatures, digests (TUF specification sections 4 and 4.2). */
#include "lib/trust/tuf_meta.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "lib/trust/crypto.h"
#include "lib/trust/tuf.h"

static const char *const type_names[] = { "root", "timestamp", "snapshot", "targets" };

/* ---- small checks that name the member ---- */

static enum plugpkg_code
bad(const struct pp_meta *m, const char *member, const pp_json *got, const char *due,
    plugpkg_error **err)
{
	return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s: '%s' is %s, %s is due", m->title,
	    member, pp_json_kind_name(got), due);
}

static enum plugpkg_code
need(const struct pp_meta *m, const pp_json *obj, const char *member, enum pp_json_kind kind,
    plugpkg_error **err)
{
	static const char *const due[] = { "null", "true or false", "a whole number", "a number",
		"a string", "an array", "an object" };
	const pp_json *got = pp_json_get(obj, member);

	return pp_json_is(got, kind) ? PLUGPKG_OK : bad(m, member, got, due[kind], err);
}

static enum plugpkg_code
need_at_least(const struct pp_meta *m, const pp_json *obj, const char *member, int64_t least,
    plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, obj, member, PP_JSON_INT, err);

	if (rc == PLUGPKG_OK && pp_json_integer(pp_json_get(obj, member), least - 1) < least)
		rc = pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: '%s' is %lld, at least %lld is due", m->title, member,
		    (long long)pp_json_integer(pp_json_get(obj, member), 0), (long long)least);
	return rc;
}

static enum plugpkg_code
need_strings(const struct pp_meta *m, const pp_json *obj, const char *member, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, obj, member, PP_JSON_ARRAY, err);
	const pp_json *list = pp_json_get(obj, member);

	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(list); i++) {
		if (!pp_json_is(pp_json_at(list, i), PP_JSON_STRING))
			rc = bad(m, member, pp_json_at(list, i), "a list of strings", err);
	}
	return rc;
}

/* {"sha256": HEX, …}, not empty; algorithms unknown here may hold any text. */
static enum plugpkg_code
check_hashes(const struct pp_meta *m, const pp_json *entry, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, entry, "hashes", PP_JSON_OBJECT, err);
	const pp_json *hashes = pp_json_get(entry, "hashes");

	if (rc == PLUGPKG_OK && pp_json_len(hashes) == 0)
		rc = bad(m, "hashes", hashes, "at least one digest", err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (void *it = pp_json_iter(hashes); it != NULL; it = pp_json_next(hashes, it)) {
		const char *hex = pp_json_string(pp_json_iter_value(it));
		if (hex == NULL)
			return bad(
			    m, pp_json_iter_key(it), pp_json_iter_value(it), "a string", err);
		if (strcmp(pp_json_iter_key(it), "sha256") == 0 && !pp_is_sha256(hex))
			return bad(m, "sha256", pp_json_iter_value(it),
			    "64 lower-case hexadecimal digits", err);
	}
	return PLUGPKG_OK;
}

/* An entry of "meta" in timestamp and snapshot: length and hashes are optional there. */
static enum plugpkg_code
check_meta_entry(const struct pp_meta *m, const pp_json *entry, plugpkg_error **err)
{
	enum plugpkg_code rc = need_at_least(m, entry, "version", 1, err);

	if (rc == PLUGPKG_OK && pp_json_get(entry, "length") != NULL)
		rc = need_at_least(m, entry, "length", 0, err);
	if (rc == PLUGPKG_OK && pp_json_get(entry, "hashes") != NULL)
		rc = check_hashes(m, entry, err);
	return rc;
}

/* ---- the four types ---- */

static enum plugpkg_code
check_keys(const struct pp_meta *m, const pp_json *obj, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, obj, "keys", PP_JSON_OBJECT, err);
	const pp_json *keys = pp_json_get(obj, "keys");

	if (rc != PLUGPKG_OK)
		return rc;
	for (void *it = pp_json_iter(keys); it != NULL; it = pp_json_next(keys, it)) {
		if (!pp_json_is(pp_json_iter_value(it), PP_JSON_OBJECT))
			return bad(
			    m, "keys", pp_json_iter_value(it), "a map from ids to keys", err);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_key_role(const struct pp_meta *m, const pp_json *role, plugpkg_error **err)
{
	enum plugpkg_code rc = need_strings(m, role, "keyids", err);

	/* A threshold of nothing would accept unsigned files. */
	if (rc == PLUGPKG_OK)
		rc = need_at_least(m, role, "threshold", 1, err);
	return rc;
}

static enum plugpkg_code
check_root(const struct pp_meta *m, plugpkg_error **err)
{
	const pp_json *consistent = pp_json_get(m->body, "consistent_snapshot");
	enum plugpkg_code rc = check_keys(m, m->body, err);

	if (rc == PLUGPKG_OK && consistent != NULL && !pp_json_is(consistent, PP_JSON_BOOL))
		rc = bad(m, "consistent_snapshot", consistent, "true or false", err);
	if (rc == PLUGPKG_OK)
		rc = need(m, m->body, "roles", PP_JSON_OBJECT, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(type_names); i++) {
		const pp_json *roles = pp_json_get(m->body, "roles");
		rc = need(m, roles, type_names[i], PP_JSON_OBJECT, err);
		if (rc == PLUGPKG_OK)
			rc = check_key_role(m, pp_json_get(roles, type_names[i]), err);
		if (rc != PLUGPKG_OK)
			return pp_wrap(err, rc, "roles");
	}
	return rc;
}

static enum plugpkg_code
check_meta_map(const struct pp_meta *m, const char *needed, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, m->body, "meta", PP_JSON_OBJECT, err);
	const pp_json *map = pp_json_get(m->body, "meta");

	if (rc == PLUGPKG_OK)
		rc = need(m, map, needed, PP_JSON_OBJECT, err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (void *it = pp_json_iter(map); it != NULL; it = pp_json_next(map, it)) {
		rc = check_meta_entry(m, pp_json_iter_value(it), err);
		if (rc != PLUGPKG_OK)
			return pp_wrap(err, rc, "'%s'", pp_json_iter_key(it));
	}
	return PLUGPKG_OK;
}

static bool
is_top_level(const char *role)
{
	for (size_t i = 0; i < PP_LEN(type_names); i++) {
		if (strcmp(role, type_names[i]) == 0)
			return true;
	}
	return false;
}

static enum plugpkg_code
check_delegation(const struct pp_meta *m, const pp_json *role, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, role, "name", PP_JSON_STRING, err);
	const char *name = pp_json_get_str(role, "name");
	const pp_json *terminating = pp_json_get(role, "terminating");
	bool has_paths = pp_json_get(role, "paths") != NULL;

	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *encoded = pp_tuf_encode(name);
	/* A delegated role named as a top-level one would share its file. */
	if (name[0] == '\0' || strlen(encoded) > PP_TUF_MAX_ROLE_BYTES || is_top_level(name))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: '%.80s' cannot be the name of a delegated role", m->title, name);
	rc = check_key_role(m, role, err);
	if (rc == PLUGPKG_OK && terminating != NULL && !pp_json_is(terminating, PP_JSON_BOOL))
		rc = bad(m, "terminating", terminating, "true or false", err);
	if (rc == PLUGPKG_OK && has_paths == (pp_json_get(role, "path_hash_prefixes") != NULL))
		rc = pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: delegation '%s' needs either 'paths' or 'path_hash_prefixes'", m->title,
		    name);
	if (rc == PLUGPKG_OK)
		rc = need_strings(m, role, has_paths ? "paths" : "path_hash_prefixes", err);
	return rc;
}

static enum plugpkg_code
check_delegations(const struct pp_meta *m, const pp_json *delegations, plugpkg_error **err)
{
	if (!pp_json_is(delegations, PP_JSON_OBJECT))
		return bad(m, "delegations", delegations, "an object", err);

	enum plugpkg_code rc = check_keys(m, delegations, err);
	if (rc == PLUGPKG_OK)
		rc = need(m, delegations, "roles", PP_JSON_ARRAY, err);

	const pp_json *roles = pp_json_get(delegations, "roles");
	struct pp_map seen = { 0 };
	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(roles); i++) {
		const pp_json *role = pp_json_at(roles, i);
		rc = check_delegation(m, role, err);
		if (rc != PLUGPKG_OK)
			continue;
		const char *name = pp_json_get_str(role, "name");
		if (pp_map_has(&seen, name))
			rc = pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
			    "%s: role '%s' is delegated twice", m->title, name);
		(void)pp_map_put(&seen, name);
	}
	pp_map_fini(&seen, NULL);
	return rc;
}

static enum plugpkg_code
check_targets(const struct pp_meta *m, plugpkg_error **err)
{
	enum plugpkg_code rc = need(m, m->body, "targets", PP_JSON_OBJECT, err);
	const pp_json *map = pp_json_get(m->body, "targets");
	const pp_json *delegations = pp_json_get(m->body, "delegations");

	if (rc != PLUGPKG_OK)
		return rc;
	for (void *it = pp_json_iter(map); it != NULL; it = pp_json_next(map, it)) {
		rc = need_at_least(m, pp_json_iter_value(it), "length", 0, err);
		if (rc == PLUGPKG_OK)
			rc = check_hashes(m, pp_json_iter_value(it), err);
		if (rc != PLUGPKG_OK)
			return pp_wrap(err, rc, "target '%s'", pp_json_iter_key(it));
	}
	return delegations == NULL ? PLUGPKG_OK : check_delegations(m, delegations, err);
}

/* ---- what all types share ---- */

/* "1.0.31" and, in the wild, "1.0": another major number may mean other rules. */
static bool
is_known_spec(const char *version)
{
	struct pp_str rest = pp_str_of(version), part;
	size_t n = 0;
	uint64_t number;

	while (pp_str_cut(&rest, '.', &part)) {
		if (pp_parse_u64(part, UINT32_MAX, &number) < 0 || (n == 0 && number != 1))
			return false;
		n++;
	}
	return n == 2 || n == 3;
}

static enum plugpkg_code
check_common(struct pp_meta *m, plugpkg_error **err)
{
	const char *due = type_names[m->type];
	const char *type = pp_json_get_str(m->body, "_type");
	const char *spec = pp_json_get_str(m->body, "spec_version");
	const char *expires = pp_json_get_str(m->body, "expires");

	if (type == NULL)
		return bad(m, "_type", pp_json_get(m->body, "_type"), "a string", err);
	if (strcmp(type, due) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: '_type' is '%.40s', '%s' is due", m->title, type, due);
	if (spec == NULL)
		return bad(
		    m, "spec_version", pp_json_get(m->body, "spec_version"), "a string", err);
	if (!is_known_spec(spec))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: specification version '%.40s' is not known, 1.x is due", m->title, spec);
	enum plugpkg_code rc = need_at_least(m, m->body, "version", 1, err);
	if (rc != PLUGPKG_OK)
		return rc;
	m->version = pp_json_get_int(m->body, "version", 0);
	if (expires == NULL || !pp_ends_with(expires, "Z") ||
	    pp_time_parse(pp_str_of(expires), &m->expires) < 0)
		return bad(m, "expires", pp_json_get(m->body, "expires"),
		    "a time such as 2030-01-31T12:00:00Z", err);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_signatures(struct pp_meta *m, plugpkg_error **err)
{
	const pp_json *list = pp_json_get(m->doc, "signatures");

	if (!pp_json_is(list, PP_JSON_ARRAY))
		return bad(m, "signatures", list, "an array", err);
	for (size_t i = 0; i < pp_json_len(list); i++) {
		pp_json *sig = pp_json_at(list, i);
		const char *keyid = pp_json_get_str(sig, "keyid");
		if (keyid == NULL || pp_json_get_str(sig, "sig") == NULL)
			return bad(m, "signatures", sig, "a list of {keyid, sig}", err);
		if (pp_map_has(&m->sigs, keyid))
			return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
			    "%s: two signatures name the key %.64s", m->title, keyid);
		*pp_map_put(&m->sigs, keyid) = sig;
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_parts(struct pp_meta *m, plugpkg_error **err)
{
	m->body = pp_json_get(m->doc, "signed");
	if (!pp_json_is(m->body, PP_JSON_OBJECT))
		return bad(m, "signed", m->body, "an object", err);

	enum plugpkg_code rc = read_signatures(m, err);
	if (rc == PLUGPKG_OK)
		rc = check_common(m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	switch (m->type) {
	case PP_META_ROOT:
		return check_root(m, err);
	case PP_META_TIMESTAMP:
		return check_meta_map(m, "snapshot.json", err);
	case PP_META_SNAPSHOT:
		return check_meta_map(m, "targets.json", err);
	case PP_META_TARGETS:
		return check_targets(m, err);
	}
	return PLUGPKG_E_BAD_METADATA;
}

enum plugpkg_code
pp_meta_parse(const char *role, enum pp_meta_type type, const void *p, size_t n,
    struct pp_meta **out, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = pp_xcalloc(1, sizeof(*m));
	struct pp_json_error why;

	m->type = type;
	m->role = pp_xstrdup(role);
	m->title = is_top_level(role) ? pp_xstrdup(role) : pp_asprintf("role '%s'", role);
	m->doc = pp_json_parse(p, n, &why);
	if (m->doc == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s: %s", m->title, why.text);

	enum plugpkg_code rc = read_parts(m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	m->text = pp_xstrndup(p, n);
	pp_digests_of(m->text, n, &m->digests);
	*out = pp_steal(&m);
	return PLUGPKG_OK;
}

void
pp_meta_free(struct pp_meta *m)
{
	if (m == NULL)
		return;
	pp_map_fini(&m->sigs, NULL);
	pp_json_free(m->doc);
	free(m->role);
	free(m->title);
	free(m->id);
	free(m->text);
	free(m);
}

/* ---- signatures and digests ---- */

static bool
is_signed_by(
    const struct pp_meta *m, const struct pp_buf *text, const char *keyid, const pp_json *keys)
{
	const pp_json *sig = pp_map_get(&m->sigs, keyid);
	const pp_json *key = pp_json_get(keys, keyid);
	char id[65];

	/* One key under two ids would count twice: an id is good only as the digest of its key. */
	return sig != NULL && key != NULL && pp_key_id(key, id) == 0 && strcmp(id, keyid) == 0 &&
	       pp_key_verify(key, pp_buf_cstr(text), text->n, pp_json_get_str(sig, "sig"));
}

enum plugpkg_code
pp_meta_verify(const struct pp_meta *m, const pp_json *keys, const pp_json *role,
    const char *demanded_by, plugpkg_error **err)
{
	/* What is signed is never longer than the text it was parsed from. */
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(m->digests.bytes.n + 1);
	if (pp_json_canonical(m->body, &text) < 0 || text.overflow)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: the signed part has no canonical form (only whole numbers are allowed)",
		    m->title);
	const pp_json *keyids = pp_json_get(role, "keyids");
	int64_t threshold = pp_json_get_int(role, "threshold", 0);
	int64_t good = 0;
	struct pp_map seen = { 0 };

	for (size_t i = 0; i < pp_json_len(keyids) && good < threshold; i++) {
		const char *keyid = pp_json_string(pp_json_at(keyids, i));
		if (keyid == NULL || pp_map_has(&seen, keyid))
			continue;
		(void)pp_map_put(&seen, keyid);
		if (is_signed_by(m, &text, keyid, keys))
			good++;
	}
	pp_map_fini(&seen, NULL);
	if (threshold >= 1 && good >= threshold)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_SIGNATURE, 0,
	    "%s has %lld valid signatures of the %lld that %s demands", m->title, (long long)good,
	    (long long)threshold, demanded_by);
	return pp_hint(err, PLUGPKG_E_SIGNATURE,
	    "the file is damaged or forged; another mirror or the repository's operator can help");
}

void
pp_digests_of(const void *p, size_t n, struct pp_digests *out)
{
	out->bytes = (struct pp_str){ p, n };
	pp_sha256_hex(p, n, out->sha256);
}

static bool
has_sha512(struct pp_str bytes, const char *due)
{
	char hex[129];

	pp_sha512_hex(bytes.p, bytes.n, hex);
	return strcmp(due, hex) == 0;
}

enum plugpkg_code
pp_digests_check(
    const struct pp_digests *d, const pp_json *entry, const char *title, plugpkg_error **err)
{
	const pp_json *hashes = pp_json_get(entry, "hashes");
	const char *sha256 = pp_json_get_str(hashes, "sha256");
	const char *sha512 = pp_json_get_str(hashes, "sha512");
	int64_t length = pp_json_get_int(entry, "length", -1);

	if (length >= 0 && (uint64_t)length != d->bytes.n)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "%s has %llu bytes, the signed length is %lld", title,
		    (unsigned long long)d->bytes.n, (long long)length);
	if (hashes != NULL && sha256 == NULL && sha512 == NULL)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "%s is signed with digests that are not known here, sha256 or sha512 is due",
		    title);
	if (sha256 != NULL && strcmp(sha256, d->sha256) != 0)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "%s has sha256 %s, the signed one is %s",
		    title, d->sha256, sha256);
	if (sha512 != NULL && !has_sha512(d->bytes, sha512))
		return pp_fail(
		    err, PLUGPKG_E_DIGEST, 0, "%s has another sha512 than the signed one", title);
	return PLUGPKG_OK;
}
