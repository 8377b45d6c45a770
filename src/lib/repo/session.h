/* SPDX-License-Identifier: MIT */
/* What a signing command starts from: the online key, what is published, and what is renewed. */
#ifndef PP_REPO_SESSION_H
#define PP_REPO_SESSION_H

#include "lib/repo/renewal.h"

struct pp_session {
	struct pp_renewal renewal;
	struct pp_signer online;
	struct pp_published was; /* its targets, and new root, are already the renewed ones */
	bool is_renewing;        /* what waited has its signatures and is shown with this run */
	bool is_online_new;      /* the index needs a signature by the new online key */
};
/*
 * Takes what waits along once it has its signatures (renews), else leaves it. Without `signs` and
 * with nothing to renew, no key is loaded.
 */
enum plugpkg_code pp_session_open(
    plugpkg_repo *repo, bool signs, bool renews, struct pp_session *out, plugpkg_error **err);
void pp_session_fini(struct pp_session *s);

#endif
