/* SPDX-License-Identifier: MIT */
/*
 * The planning and the details layer of a served index side by side: a block is those shards of
 * both that hold the same names.
 */
#ifndef PP_REPO_LAYERS_H
#define PP_REPO_LAYERS_H

#include "base/json.h"
#include "lib/index/index.h"

struct pp_layer_shard {
	struct pp_buf text;
	struct pp_shard lines;
};
struct pp_layer_part {
	size_t n_all, first, n; /* n of all shards of the layer, from the first */
	struct pp_layer_shard *shards;
};
struct pp_layer_block {
	struct pp_layer_part planning, details;
};

size_t pp_layer_n_blocks(const struct pp_index_root *root);
/* A shard as it is served, its bytes being the signed ones. */
typedef enum plugpkg_code (*pp_layer_read_fn)(
    void *user, const char *path, struct pp_buf *out, plugpkg_error **err);
/* Errors: BAD_METADATA, and those of read. */
enum plugpkg_code pp_layer_block_open(const struct pp_index_root *root, size_t i,
    pp_layer_read_fn read, void *user, struct pp_layer_block *out, plugpkg_error **err);
void pp_layer_block_fini(struct pp_layer_block *b);

/* The line of a name (owned), or *out == NULL when it is not where clients look for it. */
enum plugpkg_code pp_layer_line(
    const struct pp_layer_part *part, const char *name, pp_json **out, plugpkg_error **err);

/*
 * Does a planning row tell of the archive what the details row does? One that tells nothing of it
 * does.
 */
bool pp_layer_rows_agree(const pp_json *planned, const pp_json *detailed);

#endif
