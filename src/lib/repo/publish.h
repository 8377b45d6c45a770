/* SPDX-License-Identifier: MIT */
/* Publishing: staged changes into the book, the book into shards, signatures over it all. */
#ifndef PP_REPO_PUBLISH_H
#define PP_REPO_PUBLISH_H

#include "lib/repo/metadata.h"

/* First publication of a new repository: an empty index, signed; targets is published. */
enum plugpkg_code pp_publish_empty(plugpkg_repo *repo, const struct pp_meta_file *targets,
    const struct pp_signer *online, plugpkg_error **err);

#endif
