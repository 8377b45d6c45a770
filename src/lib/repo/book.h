/* SPDX-License-Identifier: MIT */
/*
 * The published index opened for editing: the public files are the database. Shards load when a
 * line of theirs is asked for, keep unchanged lines as text, and are written again only when a line
 * changed.
 */
#ifndef PP_REPO_BOOK_H
#define PP_REPO_BOOK_H

#include "base/map.h"
#include "lib/index/index.h"
#include "lib/repo/metadata.h"

struct pp_book_shard {
	bool loaded;
	struct pp_buf text;
	struct pp_buf packed; /* what the text was unpacked from */
	struct pp_shard lines;
	struct pp_map changed; /* name -> text of its line, owned; NULL = the line goes */
};

struct pp_book {
	plugpkg_repo *repo;
	struct pp_index_root *root;
	struct pp_book_shard *shards[PP_LAYER_SEARCH + 1]; /* one array a layer */
};

/* published: from pp_published_read(); NULL = nothing is, an empty book. */
enum plugpkg_code pp_book_open(plugpkg_repo *repo, const struct pp_published *published,
    struct pp_book **out, plugpkg_error **err);
void pp_book_free(struct pp_book *b);
PP_DEFINE_AUTO(book, struct pp_book, pp_book_free);

/* The line of a name with all changes so far (owned), or *out == NULL. */
enum plugpkg_code pp_book_line(
    struct pp_book *b, enum pp_layer layer, const char *name, pp_json **out, plugpkg_error **err);
/*
 * Replaces it (line moved), or takes it out (NULL). The line's shard must have been loaded by
 * pp_book_line().
 */
void pp_book_set(struct pp_book *b, enum pp_layer layer, const char *name, pp_json *line);
/* Every published name of a layer, sorted; changes do not count. */
enum plugpkg_code pp_book_names(
    struct pp_book *b, enum pp_layer layer, struct pp_strs *out, plugpkg_error **err);
/* Names whose lines were set, unsorted; appended. */
void pp_book_changed(const struct pp_book *b, enum pp_layer layer, struct pp_strs *out);
/*
 * Writes changed shards and the index root, and cuts a layer finer that has grown; gives the
 * root's size and digest. Nothing is synced: pp_metadata_seal() does that.
 */
enum plugpkg_code pp_book_save(
    struct pp_book *b, uint64_t *out_length, char out_sha256[65], plugpkg_error **err);

#endif
