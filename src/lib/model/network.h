/* SPDX-License-Identifier: MIT */
/*
 * "network" and "cache" of plugpkg.json: how much at once, how often, who logs in where, how much
 * is kept.
 */
#ifndef PP_MODEL_NETWORK_H
#define PP_MODEL_NETWORK_H

#include "base/vec.h"
#include "lib/model/field.h"

/* Either user and password, or a token; what ends in _file names a file whose first line it is. */
struct pp_network_login {
	char *origin;
	char *user, *password, *password_file;
	char *token, *token_file;
};

struct pp_network_rules {
	unsigned jobs;       /* downloads at once */
	unsigned per_mirror; /* of these, at one mirror */
	unsigned retries;    /* rounds over all mirrors after the first */
	char *user; /* whom the download helper becomes where plugpkg is root; NULL: nobody */
	uint64_t cache_bytes;
	struct pp_vec(struct pp_network_login) logins;
};
#define PP_NETWORK_JOBS_USUAL        8
#define PP_NETWORK_JOBS_MAX          32
#define PP_NETWORK_PER_MIRROR_USUAL  6
#define PP_NETWORK_RETRIES_USUAL     2
#define PP_NETWORK_CACHE_BYTES_USUAL (1000ULL * 1000 * 1000)

/* Reads the members "network" and "cache", which may be missing. */
enum plugpkg_code pp_network_rules_read(const struct pp_fields *f, struct pp_network_rules *out);
void pp_network_rules_fini(struct pp_network_rules *r);

#endif
