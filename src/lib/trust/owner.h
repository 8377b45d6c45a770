/* SPDX-License-Identifier: MIT */
/*
 * What owners of plugins sign (repo-format/owner.md): the identity of an archive, and that another
 * key takes the place of theirs. Pure: bytes in, values out.
 */
#ifndef PP_TRUST_OWNER_H
#define PP_TRUST_OWNER_H

#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"
#include "lib/model/error.h"
#include "lib/trust/crypto.h"

#define PP_SIG_MAX_BYTES       4096
#define PP_OWNER_MAX_ROTATIONS 16
#define PP_KEY_ID_SHOWN        16 /* digits of a key id that people compare in messages */

/* Which archive is meant; borrowed. */
struct pp_signed_archive {
	const char *name, *version, *sha256;
	uint64_t size;
};

enum pp_sig_type {
	PP_SIG_ARCHIVE,
	PP_SIG_ROTATION
};

/* A statement whose signature holds: one that does not is never a value of this type. */
struct pp_sig {
	enum pp_sig_type type;
	pp_json *json;      /* all of it */
	const pp_json *key; /* that signed; view into json */
	char id[65];
	const char *name;                 /* of the plugin; view */
	struct pp_signed_archive archive; /* PP_SIG_ARCHIVE; views */
	const pp_json *next_key;          /* PP_SIG_ROTATION: the owner's from now on; view */
	char next_id[65];
};
/* `where` names the file in messages. Errors: OWNER. */
enum plugpkg_code pp_sig_parse(
    struct pp_str text, const char *where, struct pp_sig **out, plugpkg_error **err);
void pp_sig_free(struct pp_sig *s);
PP_DEFINE_AUTO(sig, struct pp_sig, pp_sig_free);
/* The bytes that everybody has of it: the same statement gives the same bytes. Owned. */
char *pp_sig_text(const struct pp_sig *s);
/* Is it about this archive, and by the key `id`? Errors: OWNER. */
enum plugpkg_code pp_sig_check_archive(const struct pp_sig *s, const struct pp_signed_archive *want,
    const char *id, const char *where, plugpkg_error **err);

/* ---- signing ---- */

/* A key that signs: 128 hex digits over the bytes. All borrowed. */
struct pp_sig_by {
	const pp_json *key; /* its public half */
	enum plugpkg_code (*sign)(
	    const void *user, const void *p, size_t n, char out_hex[129], plugpkg_error **err);
	const void *user;
};
/* Text of the statement, as pp_sig_text(); owned. Errors: KEY, and OWNER when it would be none. */
enum plugpkg_code pp_sig_sign_archive(const struct pp_sig_by *by,
    const struct pp_signed_archive *archive, char **out_text, plugpkg_error **err);
enum plugpkg_code pp_sig_sign_rotation(const struct pp_sig_by *by, const char *name,
    const pp_json *next_key, char **out_text, plugpkg_error **err);

/* ---- the owner of a plugin, as an index names it ---- */

struct pp_owner {
	pp_json *key;
	char id[65];
	/* Oldest first: each signed by the key that the one before names, the last names `key`. */
	struct pp_sigs pp_vec(struct pp_sig *) rotations;
};
/* {"key":…,"rotations":[…]}. Errors: BAD_METADATA. */
enum plugpkg_code pp_owner_parse(const pp_json *j, const char *name, const char *where,
    struct pp_owner **out, plugpkg_error **err);
void pp_owner_free(struct pp_owner *o);
PP_DEFINE_AUTO(owner, struct pp_owner, pp_owner_free);
/* A new one without a past; key borrowed. */
struct pp_owner *pp_owner_new(const pp_json *key);
pp_json *pp_owner_json(const struct pp_owner *o);
/* Is it the owner's key, or did the key `id` sign that it passes on to it? */
bool pp_owner_follows(const struct pp_owner *o, const char *id);
/*
 * The owner after this rotation (moved). OWNER when it is of another plugin or key, or there were
 * too many of them.
 */
enum plugpkg_code pp_owner_rotate(
    struct pp_owner *o, const char *name, struct pp_sig *rotation, plugpkg_error **err);

#endif
