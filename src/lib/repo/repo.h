/* SPDX-License-Identifier: MIT */
/* A publisher directory: repository.json, keys/, staged/, public/. Only public/ is served. */
#ifndef PP_REPO_REPO_H
#define PP_REPO_REPO_H

#include <plugpkg-repo.h>

#include "base/json.h"
#include "lib/model/context.h"

/* Roles in the order in which their files are written: what lists another file comes after it. */
enum pp_role {
	PP_ROLE_ROOT,
	PP_ROLE_TARGETS,
	PP_ROLE_INDEX,
	PP_ROLE_SNAPSHOT,
	PP_ROLE_TIMESTAMP,
	PP_N_ROLES
};
extern const char *const pp_role_names[PP_N_ROLES]; /* "root", "targets", "index", … */

struct plugpkg_repo {
	plugpkg_context ctx; /* no root: only carries the wish to stop */
	int dir_fd, public_fd;
	pp_json *config; /* repository.json */
	int64_t now;
	pid_t locked_by; /* 0: nobody. A child that was forked has a copy, and must not unlock */
	struct pp_root *root; /* as root.c found it under the lock; NULL: not yet. Owned */
	bool accepts_public;  /* goes on from public/, older or newer than what was signed here */
	plugpkg_passphrase_fn passphrase;
	void *passphrase_user;
};

const char *pp_repo_name(const plugpkg_repo *repo);
/* When metadata of a role that is signed now shall expire. */
int64_t pp_repo_expiry(const plugpkg_repo *repo, enum pp_role role);
/* Makes every directory of the publisher's that is missing. */
enum plugpkg_code pp_repo_make_dirs(plugpkg_repo *repo, plugpkg_error **err);
/* Of these; so that the next try finds nothing in its way, where not even a key was made. */
void pp_repo_drop_empty_dirs(const plugpkg_repo *repo);

/* One plugpkg-repo at a time changes a publisher's directory; waits. Released by closing repo. */
enum plugpkg_code pp_repo_lock(plugpkg_repo *repo, plugpkg_error **err);
/* The same of another directory, for messages `what`. */
enum plugpkg_code pp_repo_lock_dir(
    plugpkg_repo *repo, int dir_fd, const char *what, plugpkg_error **err);

#define PP_INDEX_TARGET "index/root.json"

#endif
