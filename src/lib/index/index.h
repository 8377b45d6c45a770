/* SPDX-License-Identifier: MIT */
/*
 * The index of a repository (repo-format/index.md): the root that lists shards, and shards as JSON
 * Lines sorted by name, in which a line is found by bisection without parsing the others. Pure:
 * bytes in, values out.
 */
#ifndef PP_INDEX_INDEX_H
#define PP_INDEX_INDEX_H

#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"
#include "lib/model/error.h"

#define PP_INDEX_FORMAT          1
#define PP_INDEX_MAX_SHARDS      4096 /* of one layer */
#define PP_INDEX_MAX_ROOT_BYTES  (4 * 1024 * 1024)
#define PP_INDEX_MAX_SHARD_BYTES (256u * 1024 * 1024)
#define PP_INDEX_MAX_VERSIONS    1000 /* of one plugin */

enum pp_layer {
	PP_LAYER_PLANNING,
	PP_LAYER_DETAILS,
	PP_LAYER_SEARCH
};

struct pp_shard_ref {
	char sha256[65];
	uint64_t size, unpacked;
	/* The file's beginning, which lists its blocks; size 0: it is one plain frame. */
	struct {
		char sha256[65];
		uint64_t size;
	} table;
};
/* A layer that is one long text, of which only those shards are read that are asked for. */
struct pp_layer_text {
	const char *text; /* NULL: all of the layer was read */
	uint32_t *starts; /* where in it each shard's words begin, as long as they were not read */
};
struct pp_index_root {
	char *name;
	/* Each a power of two of shards, 1 while the layer is small; the layers grow apart. */
	struct pp_shard_refs pp_vec(struct pp_shard_ref) planning, details;
	struct pp_shard_ref search;
	struct {
		pp_json *json; /* what the texts are in */
		struct pp_layer_text planning, details;
	} unread;
};
/* Of the bytes as they are served: JSON, or one zstd frame of it. Errors: BAD_METADATA. */
enum plugpkg_code pp_index_root_parse(
    struct pp_str bytes, const char *where, struct pp_index_root **out, plugpkg_error **err);
/*
 * The same, but of thousands of shards only the number is checked: pp_index_root_look() comes
 * before a reference to one of several.
 */
enum plugpkg_code pp_index_root_open(
    struct pp_str bytes, const char *where, struct pp_index_root **out, plugpkg_error **err);
/* Reads the reference of one shard. Errors: BAD_METADATA. */
enum plugpkg_code pp_index_root_look(
    struct pp_index_root *r, enum pp_layer layer, size_t i, const char *where, plugpkg_error **err);
/* Digest of a planning shard as it is written, whether its reference was read or not. View. */
struct pp_str pp_index_root_sha256(const struct pp_index_root *r, size_t i);
/* Is that the digest of planning shard i, if there is one? */
bool pp_index_root_lists(const struct pp_index_root *r, size_t i, struct pp_str sha256);
char *pp_index_root_text(const struct pp_index_root *r); /* owned, canonical */
/* Appends the bytes to be served: packed when they list many shards. -EFBIG past the limits. */
int pp_index_root_write(const struct pp_index_root *r, struct pp_buf *out) PP_MUSTUSE;
void pp_index_root_free(struct pp_index_root *r);
/* Which of n shards (a power of two) holds a name: the leading bits of sha256(name). */
size_t pp_index_shard_of(size_t n_shards, const char *name);
/* "index/HEX.planning.zst" relative to targets/; owned. */
char *pp_index_shard_path(enum pp_layer layer, const struct pp_shard_ref *ref);
/*
 * "pool/NAME/VERSION/HEX.plug" relative to targets/, percent-encoded where an URL needs it ("+" of
 * versions; "@" and "/" stay); owned.
 */
char *pp_index_archive_path(const char *name, const char *version, const char *sha256);
/*
 * "pool/NAME/VERSION/HEX.KEYID.sig": what the key of an owner signed of that archive. The same key
 * always signs it with the same bytes, so that this name keeps its content too. Owned.
 */
char *pp_index_signature_path(
    const char *name, const char *version, const char *sha256, const char *key_id);

/*
 * A decompressed shard. text borrowed and must outlive it. Checks order and form of line starts
 * once.
 */
struct pp_shard {
	struct pp_str text;
	struct pp_lines pp_vec(struct pp_str) lines;
};
enum plugpkg_code pp_shard_open(
    struct pp_str text, const char *where, struct pp_shard *out, plugpkg_error **err);
void pp_shard_fini(struct pp_shard *s);
/*
 * The line of NAME as a JSON object (owned), or *out == NULL when it has none. Errors:
 * BAD_METADATA.
 */
enum plugpkg_code pp_shard_line(
    const struct pp_shard *s, const char *name, pp_json **out, plugpkg_error **err);
/* View of the line of NAME, or NULL. */
const struct pp_str *pp_shard_find(const struct pp_shard *s, const char *name);
/* A line as an object (owned). Errors: BAD_METADATA. */
enum plugpkg_code pp_shard_parse(
    struct pp_str line, const char *name, pp_json **out, plugpkg_error **err);
/* The row of a version in "versions" of a line (owned), or *out == NULL. Errors: BAD_METADATA. */
enum plugpkg_code pp_shard_row(
    struct pp_str line, const char *name, const char *version, pp_json **out, plugpkg_error **err);
char *pp_shard_line_name(struct pp_str line); /* owned */
/* Serialises lines (objects with "name" first, in any order) into sorted text; borrowed objects. */
void pp_shard_write(const pp_json *const *lines, size_t n, struct pp_buf *out);

#endif
