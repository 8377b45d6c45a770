/* SPDX-License-Identifier: MIT */
/*
 * One TUF metadata file: checked shape, signatures, digests. Knows nothing of other files or of
 * what is trusted; lib/trust/tuf.c decides that. Private to lib/trust and its tests.
 */
#ifndef PP_TRUST_TUF_META_H
#define PP_TRUST_TUF_META_H

#include "base/json.h"
#include "base/map.h"
#include "base/str.h"
#include "lib/model/error.h"

enum pp_meta_type {
	PP_META_ROOT,
	PP_META_TIMESTAMP,
	PP_META_SNAPSHOT,
	PP_META_TARGETS,
};

/* What a parent file can say about the bytes of another. */
struct pp_digests {
	struct pp_str bytes; /* a view; few parents ask for their sha512 */
	char sha256[65];
};

struct pp_meta {
	enum pp_meta_type type;
	char *role;         /* as delegated: "timestamp", "targets", "index" */
	char *title;        /* for messages: "timestamp", "role 'index'" */
	char *id;           /* tells apart one role under two delegators; set by lib/trust/tuf.c */
	pp_json *doc;       /* the whole file */
	pp_json *body;      /* its "signed"; borrowed from doc */
	struct pp_map sigs; /* keyid -> signature object, borrowed from doc */
	int64_t version, expires;
	char *text;                /* the file as received */
	struct pp_digests digests; /* of it */
};

/*
 * Reads and checks everything that one file alone can tell: shape, type, specification version,
 * positive versions and thresholds, no keyid twice among the signatures. Nothing is verified yet.
 * BAD_METADATA.
 */
enum plugpkg_code pp_meta_parse(const char *role, enum pp_meta_type type, const void *p, size_t n,
    struct pp_meta **out, plugpkg_error **err);
void pp_meta_free(struct pp_meta *m);
PP_DEFINE_AUTO(meta, struct pp_meta, pp_meta_free);

/*
 * Do enough distinct keys of `role` ({"keyids","threshold"}) from `keys` verify? An unknown type, a
 * wrong signature, or a key whose id is not the digest of the key does not count. SIGNATURE, and
 * BAD_METADATA for what has no canonical form to sign.
 */
enum plugpkg_code pp_meta_verify(const struct pp_meta *m, const pp_json *keys, const pp_json *role,
    const char *demanded_by, plugpkg_error **err);

void pp_digests_of(const void *p, size_t n, struct pp_digests *out);
/* Compares with "length" and "hashes" of a signed entry, as far as it has them. DIGEST. */
enum plugpkg_code pp_digests_check(
    const struct pp_digests *d, const pp_json *entry, const char *title, plugpkg_error **err);

#endif
