/* SPDX-License-Identifier: MIT */
/*
 * Follows a served repository from its root key to the last archive: what verify and mirror share.
 */
#ifndef PP_REPO_WALK_H
#define PP_REPO_WALK_H

#include "base/map.h"
#include "base/vec.h"
#include "lib/index/index.h"
#include "lib/trust/owner.h"
#include "lib/trust/updater.h"

/* One file below targets/, as signed. */
struct pp_walk_file {
	char *path; /* as it lies on disk, relative to targets/ */
	char *url;  /* the same percent-encoded */
	char *what; /* for messages: "photos 1.2.0" */
	char sha256[65];
	uint64_t size;
	uint64_t unpacked, n_files; /* of an archive: what comes out */
	/* Of an archive that its owner signed; path NULL: of no other file. */
	struct {
		char *path, *url;
		char key_id[65];
		struct pp_signed_archive archive; /* strings owned, but for the digest */
	} sig;
};
struct pp_walk_files pp_vec(struct pp_walk_file);
void pp_walk_files_fini(struct pp_walk_files *v);

/*
 * The metadata half: 1.root.json compared with a key, the TUF workflow, and every file it accepted.
 */
struct pp_walk {
	int work_fd; /* private directory for trusted metadata while it is checked */
	struct pp_updater *updater;
	struct pp_map received; /* path below metadata/ -> struct pp_buf *, as received */
	struct pp_walk_file index_root;
	char fingerprint[72]; /* of 1.root.json */
	pp_tuf_get_fn get;
	void *user;
};
struct pp_walk_spec {
	int work_fd; /* borrowed, empty */
	pp_tuf_get_fn get;
	void *user;
	const char *key; /* "sha256:HEX", path of a root.json, or NULL: whatever 1.root.json is */
	const char *label;
	int64_t now;
};
/* Errors as pp_updater_refresh(); KEY when 1.root.json is not the one of the key. */
enum plugpkg_code pp_walk_metadata(
    struct pp_walk *w, const struct pp_walk_spec *spec, plugpkg_error **err);
void pp_walk_fini(struct pp_walk *w);

/* Is this the signature that file->sig stands for? Errors: OWNER. */
enum plugpkg_code pp_walk_check_signature(
    const struct pp_walk_file *file, struct pp_str text, plugpkg_error **err);

/* The shards that an index root lists, appended. */
void pp_walk_shards(const struct pp_index_root *root, struct pp_walk_files *out);
/*
 * The archives that a packed details shard lists, appended; bytes were compared with the digest
 * before.
 */
enum plugpkg_code pp_walk_archives(const struct pp_buf *packed, uint64_t unpacked,
    const char *where, struct pp_walk_files *out, plugpkg_error **err);
/* Those of one line of it, one for each of "versions". */
enum plugpkg_code pp_walk_line(const char *name, const pp_json *line, const char *where,
    struct pp_walk_files *out, plugpkg_error **err);

#endif
