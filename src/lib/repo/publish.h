/* SPDX-License-Identifier: MIT */
/* Publishing: staged changes into the book, the book into shards, signatures over it all. */
#ifndef PP_REPO_PUBLISH_H
#define PP_REPO_PUBLISH_H

#include "lib/repo/keys.h"

/* First publication of a new repository: an empty index, signed. */
enum plugpkg_code pp_publish_empty(
    plugpkg_repo *repo, const struct pp_signer *online, plugpkg_error **err);

#endif
