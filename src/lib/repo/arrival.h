/* SPDX-License-Identifier: MIT */
/*
 * Archives that are handed in: copied, digested on the way, and looked into by the helper, several
 * at a time; judged by their taker one after the other.
 */
#ifndef PP_REPO_ARRIVAL_H
#define PP_REPO_ARRIVAL_H

#include "lib/repo/pool.h"
#include "lib/store/archive.h"

struct pp_arrival {
	struct pp_unpack_job job; /* result: what it unpacks to */
	const char *path;         /* borrowed */
	size_t number;
	uint64_t size;
	char sha256[65];
	bool is_tried, is_read;
	bool is_kept; /* the taker gave the copy another name */
};

struct pp_arrivals {
	plugpkg_repo *repo;
	const char *const *paths; /* borrowed */
	size_t n;
	/*
	 * Called in the order of paths. The job's directory holds plugin.json and the scripts that
	 * it names, unless its manifest is all there is.
	 */
	enum plugpkg_code (*take)(void *user, struct pp_arrival *a, plugpkg_error **err);
	void *user;
};

/*
 * The helpers start at once. arrivals is borrowed. Of what the caller does before it reads, nothing
 * has to wait for them.
 */
struct pp_reading *pp_reading_new(const struct pp_arrivals *arrivals);
void pp_reading_free(struct pp_reading *r);
PP_DEFINE_AUTO(reading, struct pp_reading, pp_reading_free);
/*
 * Between pp_ready_begin() and pp_ready_commit(). The first archive in the order of paths that is
 * refused ends it; those before it were taken. Errors: NOT_FOUND BAD_ARCHIVE IO INTERRUPTED.
 */
enum plugpkg_code pp_reading_run(struct pp_reading *r, plugpkg_error **err);
/* Waits for the end of the helpers, which all of them were told to. Errors: FAILED. */
enum plugpkg_code pp_reading_end(struct pp_reading *r, plugpkg_error **err);
/* The copy: all that follows reads it, so what was digested is what is served. Owned. */
char *pp_arrival_copy_path(const struct pp_arrival *a);

#endif
