/* SPDX-License-Identifier: MIT */
/*
 * signed.json: what this publisher signed last, by version, length and digest. With it an older
 * public/ (a backup put back) and one that somebody else signed are told from the right one, and
 * the right one is found again behind what a thief of the online key put over it.
 */
#ifndef PP_REPO_RECORD_H
#define PP_REPO_RECORD_H

#include "lib/repo/repo.h"

/* A metadata file as its parent lists it. */
struct pp_meta_file {
	int64_t version;
	uint64_t length;
	char sha256[65];
};

struct pp_record {
	bool is_known; /* false: nothing was signed here yet */
	struct pp_meta_file now[PP_N_ROLES];
	/* While timestamp.json is being replaced, it may still be this one; version 0 = cannot. */
	struct pp_meta_file before[PP_N_ROLES];
};
/* Errors: BAD_STATE IO. */
enum plugpkg_code pp_record_read(plugpkg_repo *repo, struct pp_record *out, plugpkg_error **err);
enum plugpkg_code pp_record_write(
    plugpkg_repo *repo, const struct pp_record *record, plugpkg_error **err);

/* {"version","length","sha256"} */
bool pp_meta_file_read(const pp_json *j, struct pp_meta_file *out);
bool pp_meta_file_same(const struct pp_meta_file *a, const struct pp_meta_file *b);

#define PP_VERSION_MAX (INT64_MAX / 2) /* of metadata; room to count on */

#endif
