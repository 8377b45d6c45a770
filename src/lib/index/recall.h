/* SPDX-License-Identifier: MIT */
/*
 * The planning lines that were looked up before, unpacked, in one file of the cache: the next plan
 * opens one file instead of hundreds of shards. What the file is has been written down beside the
 * trusted metadata: the size and digest of its table, which has the digests of the lines and those
 * of the shards that they are from. What is not as it says is not recalled.
 *
 * The file: the table, then the lines without anything between. The table has a row "NUMBER SHA256"
 * for each shard, and behind it for each name that was looked up there " NAME SIZE SHA256", or
 * " NAME" where the shard has none. Its first row is of the index root that lists these, "SHA256 N
 * N" with the numbers of its planning and details shards.
 */
#ifndef PP_INDEX_RECALL_H
#define PP_INDEX_RECALL_H

#include "lib/index/index.h"

struct pp_recalled_line {
	struct pp_str name;
	struct pp_str sha256; /* empty: the shard has none of that name */
	uint64_t offset;
	size_t size;
};
struct pp_recalled_shard {
	size_t number;
	struct pp_str sha256;
	size_t first, n; /* of its lines */
};

struct pp_recall {
	const struct pp_index_root
	    *root; /* borrowed: what the shards are now; NULL: what they were */
	int fd;
	uint64_t file_size;
	struct pp_buf table; /* of which the slices are views */
	struct pp_str root_sha256;
	size_t n_planning, n_details;
	struct pp_recalled_shards pp_vec(struct pp_recalled_shard) shards;
	struct pp_recalled_lines pp_vec(struct pp_recalled_line) lines;
	struct pp_buf line; /* the one that was read last */
	bool is_damaged;    /* what is there is not what was written */
};

/* Recalls what is sound, be it nothing: then it has no shards. Sets no root. */
void pp_recall_open(struct pp_recall *r, int root_fd, const char *source);
void pp_recall_fini(struct pp_recall *r);
/* Reads the rows of r->table; false, and none of them, when they do not describe the file. */
bool pp_recall_read_table(struct pp_recall *r);
/* Was this shard looked into, as it is now? */
bool pp_recall_has_shard(const struct pp_recall *r, size_t number);
/*
 * True when it knows what this shard says of a name: *out is its line, or empty where there is
 * none. View: until the next question. What is found damaged is recalled no more, and nothing else.
 */
bool pp_recall_line(struct pp_recall *r, size_t number, const char *name, struct pp_str *out);

/* What to recall the next time; all borrowed. */
struct pp_recall_entry {
	size_t number;    /* of the shard */
	const char *name; /* NULL: nothing but the shard */
	const char *line; /* NULL: the shard has none */
};
struct pp_recall_entries pp_vec(struct pp_recall_entry);
/* The index that they are from. */
struct pp_recall_of {
	const struct pp_index_root *root;
	const char *root_sha256;
};
/*
 * Appends table and file, of which the table is the beginning; puts the entries in order. -EFBIG
 * past a limit.
 */
int pp_recall_write(struct pp_recall_entries *entries, const struct pp_recall_of *of,
    struct pp_buf *table, struct pp_buf *file) PP_MUSTUSE;
/* A failure costs the next plan its time. */
void pp_recall_save(struct pp_recall_entries *entries, const struct pp_recall_of *of, int root_fd,
    const char *source);
/* Deletes what is written of the file, so that nothing of it is recalled again. */
void pp_recall_disown(int root_fd, const char *source);

#endif
