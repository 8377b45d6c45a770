/* SPDX-License-Identifier: MIT */
/*
 * Small signed TUF metadata, made in memory. Keys are named by one letter each ("a" … "z"), a
 * role's keys by a word ("ab"). Every file expires on 2026-12-01 and the tests' clock stands at
 * 2026-11-21.
 */
#ifndef TUF_MAKE_H
#define TUF_MAKE_H

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "lib/trust/crypto.h"

#include <stdlib.h>
#include <string.h>

#define TUF_NOW     1795219200 /* 2026-11-21T00:00:00Z */
#define TUF_EXPIRES "2026-12-01T00:00:00Z"
#define TUF_EXPIRED "2026-11-20T10:00:00Z"

static inline pp_json *
tuf_key(char name)
{
	uint8_t seed[PP_ED25519_SEED_BYTES] = { (uint8_t)name };

	return pp_ed25519_public(seed);
}

static inline void
tuf_keyid(char name, char out[65])
{
	PP_AUTO_JSON pp_json *key = tuf_key(name);

	if (pp_key_id(key, out) < 0)
		abort();
}

static inline pp_json *
tuf_keyids(const char *names)
{
	pp_json *ids = pp_json_array();

	for (; *names != '\0'; names++) {
		char id[65];
		tuf_keyid(*names, id);
		pp_json_push_str(ids, id);
	}
	return ids;
}

/*
 * Gives obj (a root's "roles", or one delegation) its keyids and threshold; adds the keys to
 * `keys`.
 */
static inline void
tuf_grant(pp_json *keys, pp_json *role, const char *names, int64_t threshold)
{
	pp_json_set(role, "keyids", tuf_keyids(names));
	pp_json_set_int(role, "threshold", threshold);
	for (; *names != '\0'; names++) {
		char id[65];
		tuf_keyid(*names, id);
		pp_json_set(keys, id, tuf_key(*names));
	}
}

static inline pp_json *
tuf_body(const char *type, int64_t version)
{
	pp_json *body = pp_json_object();

	pp_json_set_str(body, "_type", type);
	pp_json_set_str(body, "spec_version", "1.0.31");
	pp_json_set_int(body, "version", version);
	pp_json_set_str(body, "expires", TUF_EXPIRES);
	return body;
}

static inline void
tuf_root_role(pp_json *root, const char *role, const char *names, int64_t threshold)
{
	pp_json *obj = pp_json_object();

	tuf_grant(pp_json_get(root, "keys"), obj, names, threshold);
	pp_json_set(pp_json_get(root, "roles"), role, obj);
}

/* Roles root, targets, snapshot, timestamp with the keys r, t, s, m. */
static inline pp_json *
tuf_root(int64_t version)
{
	pp_json *root = tuf_body("root", version);

	pp_json_set_bool(root, "consistent_snapshot", true);
	pp_json_set(root, "keys", pp_json_object());
	pp_json_set(root, "roles", pp_json_object());
	tuf_root_role(root, "root", "r", 1);
	tuf_root_role(root, "targets", "t", 1);
	tuf_root_role(root, "snapshot", "s", 1);
	tuf_root_role(root, "timestamp", "m", 1);
	return root;
}

/* Sets body.meta["ROLE.json"].version; gives the entry, borrowed. */
static inline pp_json *
tuf_list(pp_json *body, const char *role, int64_t version)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s.json", role);

	if (pp_json_get(body, "meta") == NULL)
		pp_json_set(body, "meta", pp_json_object());
	pp_json_set(pp_json_get(body, "meta"), file, pp_json_object());
	pp_json *entry = pp_json_get(pp_json_get(body, "meta"), file);
	pp_json_set_int(entry, "version", version);
	return entry;
}

static inline pp_json *
tuf_with_str(pp_json *body, const char *member, const char *value)
{
	pp_json_set_str(body, member, value);
	return body;
}

static inline pp_json *
tuf_with_role(pp_json *root, const char *role, const char *keys, int64_t threshold)
{
	tuf_root_role(root, role, keys, threshold);
	return root;
}

static inline pp_json *
tuf_timestamp(int64_t version, int64_t snapshot)
{
	pp_json *body = tuf_body("timestamp", version);

	(void)tuf_list(body, "snapshot", snapshot);
	return body;
}

static inline pp_json *
tuf_snapshot(int64_t version, int64_t targets)
{
	pp_json *body = tuf_body("snapshot", version);

	(void)tuf_list(body, "targets", targets);
	return body;
}

static inline pp_json *
tuf_targets(int64_t version)
{
	pp_json *body = tuf_body("targets", version);

	pp_json_set(body, "targets", pp_json_object());
	return body;
}

/* Adds a target with the length and sha256 of its bytes. */
static inline void
tuf_add_target(pp_json *targets, const char *path, const char *bytes)
{
	pp_json *entry = pp_json_object();
	pp_json *hashes = pp_json_object();
	char hex[65];

	pp_sha256_hex(bytes, strlen(bytes), hex);
	pp_json_set_str(hashes, "sha256", hex);
	pp_json_set_int(entry, "length", (int64_t)strlen(bytes));
	pp_json_set(entry, "hashes", hashes);
	pp_json_set(pp_json_get(targets, "targets"), path, entry);
}

/* Adds a delegation for one glob; gives it, borrowed. */
static inline pp_json *
tuf_delegate(pp_json *targets, const char *role, const char *names, const char *glob)
{
	pp_json *delegation = pp_json_object();
	pp_json *paths = pp_json_array();

	if (pp_json_get(targets, "delegations") == NULL) {
		pp_json *delegations = pp_json_object();
		pp_json_set(delegations, "keys", pp_json_object());
		pp_json_set(delegations, "roles", pp_json_array());
		pp_json_set(targets, "delegations", delegations);
	}
	pp_json *delegations = pp_json_get(targets, "delegations");
	pp_json_set_str(delegation, "name", role);
	pp_json_set_bool(delegation, "terminating", false);
	tuf_grant(pp_json_get(delegations, "keys"), delegation, names, 1);
	pp_json_push_str(paths, glob);
	pp_json_set(delegation, "paths", paths);
	pp_json_push(pp_json_get(delegations, "roles"), delegation);
	return delegation;
}

/* The file: body (moved) and one signature by each named key. Owned. */
static inline char *
tuf_sign(pp_json *body, const char *names)
{
	PP_AUTO_JSON pp_json *doc = pp_json_object();
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);

	/* What cannot be signed may still be sent. */
	if (pp_json_canonical(body, &text) < 0)
		pp_buf_clear(&text);
	pp_json_set(doc, "signed", body);
	pp_json_set(doc, "signatures", pp_json_array());
	for (; *names != '\0'; names++) {
		uint8_t seed[PP_ED25519_SEED_BYTES] = { (uint8_t)*names };
		char id[65], hex[129];
		pp_json *sig = pp_json_object();
		tuf_keyid(*names, id);
		if (pp_ed25519_sign(seed, pp_buf_cstr(&text), text.n, hex, NULL) != PLUGPKG_OK)
			abort();
		pp_json_set_str(sig, "keyid", id);
		pp_json_set_str(sig, "sig", hex);
		pp_json_push(pp_json_get(doc, "signatures"), sig);
	}
	return pp_json_pretty(doc);
}

/* Length and digests of a file go into the entry that names it. */
static inline void
tuf_pin(pp_json *entry, const char *file)
{
	pp_json *hashes = pp_json_object();
	char sha256[65], sha512[129];

	pp_sha256_hex(file, strlen(file), sha256);
	pp_sha512_hex(file, strlen(file), sha512);
	pp_json_set_str(hashes, "sha256", sha256);
	pp_json_set_str(hashes, "sha512", sha512);
	pp_json_set(entry, "hashes", hashes);
	pp_json_set_int(entry, "length", (int64_t)strlen(file));
}

#endif
