/* SPDX-License-Identifier: MIT */
/* Publishing: staged changes into the book, the book into shards, signatures over it all. */
#ifndef PP_REPO_PUBLISH_H
#define PP_REPO_PUBLISH_H

#include "lib/repo/book.h"
#include "lib/repo/staged.h"

/* First publication of a new repository: an empty index, signed; root and targets are there. */
enum plugpkg_code pp_publish_empty(plugpkg_repo *repo, const struct pp_published *offline,
    const struct pp_signer *online, plugpkg_error **err);
/* The book as the next publish makes it; nothing is written. Errors: EXISTS FAILED. */
enum plugpkg_code pp_publish_merge(
    struct pp_book *b, const struct pp_staged_list *staged, plugpkg_error **err);

#endif
