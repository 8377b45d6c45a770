/* SPDX-License-Identifier: MIT */
/* The near side of the unpack helper: archives into private staging directories and back. */
#ifndef PP_STORE_ARCHIVE_H
#define PP_STORE_ARCHIVE_H

#include "base/vec.h"
#include "lib/model/context.h"

struct pp_unpack_limits {
	uint64_t bytes; /* all regular files together; exact when `exact` */
	uint64_t files; /* entries; exact when `exact` */
	bool exact;     /* limits come from a signed record and must be met exactly */
};
#define PP_UNPACK_MAX_BYTES (4ull << 30) /* for archives without a signed record */
#define PP_UNPACK_MAX_FILES 100000ull

#define PP_UNPACK_SHORT_BYTES (1u << 20) /* an archive of no more is a short job */

struct pp_unpacked {
	uint64_t bytes, files; /* regular files' bytes; entries including directories and links */
};
/*
 * Unpacks the archive (descriptor at offset 0) into an empty directory by the policy of repo-
 * format/archive.md, for a look inside: the tree is not durable. what: "photos 1.2.0" for messages.
 * Errors: BAD_ARCHIVE (names the entry and the rule; also for one that states another digest of its
 * tree than it has), NO_SPACE, IO, INTERRUPTED.
 */
enum plugpkg_code pp_unpack_scratch(plugpkg_context *ctx, int archive_fd, int dir_fd,
    const char *what, const struct pp_unpack_limits *limits, struct pp_unpacked *out,
    plugpkg_error **err);
/*
 * Several archives, two at a time, in the order in which next gives them; while one is checked and
 * handed to done the others go on. The first failure ends it. The trees are not durable: before
 * anything leads to them the caller syncs the file system, once for all of them.
 */
struct pp_unpack_job {
	/* Borrowed. Of a look in within_fd dir_fd is -1, until done gets it to close. */
	int archive_fd, dir_fd;
	const char *what;
	/* Of dir_fd: in within_fd before it is done, in beyond_fd after that. */
	const char *name;
	/*
	 * Of a look in within_fd: what plugin.json says, for done to free, where there was no more
	 * to be seen. Then there is no directory.
	 */
	char *manifest;
	struct pp_unpack_limits limits;
	/*
	 * tree_sha256 is wanted: where the archive states none the helper takes it of what it
	 * writes. Of all jobs of a queue or of none: the helper loads what it needs for that before
	 * its first.
	 */
	bool is_digested;
	bool is_compared; /* of those: taken in any case; an archive that states another is bad */
	/*
	 * Only a look: all of it is read and judged, but written are no other files than
	 * plugin.json, those that it names, and programs; the totals are the helper's word.
	 */
	bool is_look;
	/* Done so soon that others may wait for its end, where the helper finds them without us. */
	bool is_short;
	struct pp_unpacked result;
	/*
	 * As pp_store_tree_digest() gives it, by the word of the archive, or else of the helper; ""
	 * where neither gave one.
	 */
	char tree_sha256[65];
};
struct pp_unpack_queue {
	/* A job that stays in its place until done has it; NULL in *out: there is none now. */
	enum plugpkg_code (*next)(void *user, struct pp_unpack_job **out, plugpkg_error **err);
	enum plugpkg_code (*done)(void *user, struct pp_unpack_job *job, plugpkg_error **err);
	void *user;
	/*
	 * The directory that those of all jobs are in, which is as far as helpers reach, and the
	 * private one that they are moved into before they are checked, out of that reach. -1 and
	 * -1: there is one job only, and its helper ends before the check.
	 */
	int within_fd, beyond_fd;
};
struct pp_unpack_pool;
struct pp_unpack_pool *pp_unpack_pool_new(const struct pp_unpack_queue *queue /* borrowed */);
/*
 * Starts helpers for n jobs that will come and take no digests, as far as it can: their start goes
 * on beside what the caller does first.
 */
void pp_unpack_pool_warm(struct pp_unpack_pool *p, size_t n);
void pp_unpack_pool_free(struct pp_unpack_pool *p); /* kills helpers that still work */
PP_DEFINE_AUTO(unpack_pool, struct pp_unpack_pool, pp_unpack_pool_free);
/* Starts the helpers that n jobs to come will need, for digests too, before the jobs are there. */
enum plugpkg_code pp_unpack_pool_start(struct pp_unpack_pool *p, size_t n, plugpkg_error **err);
/* Helpers get what there is, those that rest first. Does not wait, nor do the next two. */
enum plugpkg_code pp_unpack_pool_feed(struct pp_unpack_pool *p, plugpkg_error **err);
/* What can be read when it is time for a turn: two at most. */
size_t pp_unpack_pool_fds(const struct pp_unpack_pool *p, int *out);
/* Takes one answer that is there. */
enum plugpkg_code pp_unpack_pool_turn(struct pp_unpack_pool *p, plugpkg_error **err);
/*
 * All the jobs that there still are, to their end. Then the helpers are told to end, which they do
 * beside what the caller does next. Errors: those of the jobs, and INTERRUPTED.
 */
enum plugpkg_code pp_unpack_pool_finish(
    plugpkg_context *ctx, struct pp_unpack_pool *p, plugpkg_error **err);
/* Waits for the end of the helpers. Errors: FAILED when one ended badly. */
enum plugpkg_code pp_unpack_pool_end(struct pp_unpack_pool *p, plugpkg_error **err);
/* The same with a pool of its own, for those whose jobs are all there. */
enum plugpkg_code pp_unpack_queue(
    plugpkg_context *ctx, const struct pp_unpack_queue *queue, plugpkg_error **err);
/* The same of a single one. */
enum plugpkg_code pp_unpack_one(
    plugpkg_context *ctx, struct pp_unpack_job *job, plugpkg_error **err);

/* A regular file that somebody names. Errors: NOT_FOUND BAD_ARCHIVE IO. */
enum plugpkg_code pp_archive_open(const char *path, int *out_fd, plugpkg_error **err);
/*
 * Packs a directory: plugin.json first, then the rest sorted by bytes, owner 0, modes 0644/0755,
 * the given mtime, one fixed zstd level. Files matched by .plugignore (one shell pattern a line)
 * and dot directories of version control stay out. Errors: BAD_ARCHIVE for what the policy would
 * refuse.
 */
enum plugpkg_code pp_pack(int dir_fd, const char *what, int64_t mtime, int out_fd,
    struct pp_unpacked *out, plugpkg_error **err);

#endif
