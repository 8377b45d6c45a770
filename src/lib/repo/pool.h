/* SPDX-License-Identifier: MIT */
/*
 * Archives on their way: staged/SHA256.plug while they wait, public/targets/pool/NAME/VERSION/ once
 * they are published. What is in the pool was published at some time, and stays.
 */
#ifndef PP_REPO_POOL_H
#define PP_REPO_POOL_H

#include "lib/repo/repo.h"

#include <sys/stat.h>

/*
 * Which file it was whose bytes were digested, and when it had its name: every later change moves
 * that time on, and nobody can set it back as he can the time of the last write. 0: not known.
 */
struct pp_pool_copy {
	int64_t inode, changed_ns;
};
struct pp_pool_file {
	const char *name, *version, *sha256; /* borrowed */
	uint64_t size;
	struct pp_pool_copy copy; /* of the archive below staged/ */
};

struct pp_pool_copy pp_pool_copy_of(const struct stat *st);

/* "staged/SHA256.plug"; owned. */
char *pp_pool_staged_path(const char *sha256);
/* Is the archive in the pool, as far as its size tells? */
bool pp_pool_has(plugpkg_repo *repo, const struct pp_pool_file *f);
/* Is it there with its own bytes? All of them are read. */
bool pp_pool_is_sound(plugpkg_repo *repo, const struct pp_pool_file *f);
/* Does the pool hold other content under the name and version? */
enum plugpkg_code pp_pool_has_other(
    plugpkg_repo *repo, const struct pp_pool_file *f, bool *out, plugpkg_error **err);
/*
 * Moves the staged archive into the pool unless it is there. It is digested again unless it is the
 * copy that f tells of, untouched. Errors: BAD_STATE when it is neither here nor there, or not what
 * was staged.
 */
enum plugpkg_code pp_pool_place(
    plugpkg_repo *repo, const struct pp_pool_file *f, plugpkg_error **err);
/* The same, whatever lies in the pool under its name. */
enum plugpkg_code pp_pool_replace(
    plugpkg_repo *repo, const struct pp_pool_file *f, plugpkg_error **err);

#endif
