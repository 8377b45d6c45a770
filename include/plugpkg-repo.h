/* SPDX-License-Identifier: MIT */
/*
 * libplugpkg for publishers: signed static repositories (plugpkg-repo-format(5)).
 *
 * A publisher directory holds repository.json, keys/, staged/ and public/; only public/ is served.
 * Conventions of ownership, errors and rows as in plugpkg.h.
 */
#ifndef PLUGPKG_REPO_H
#define PLUGPKG_REPO_H

#include <plugpkg.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plugpkg_repo plugpkg_repo;

/**
 * Gives the passphrase of an encrypted key: fills buf (size bytes, terminated), 1; 0 = nobody
 * knows.
 */
typedef int (*plugpkg_passphrase_fn)(const char *key, char *buf, size_t size, void *user);

struct plugpkg_repo_init_spec {
	const char *name; /* repository name, [a-z0-9-] */
	int encrypt;      /* 1 = keys are encrypted with the passphrase that `passphrase` gives */
	plugpkg_passphrase_fn passphrase;
	void *user;
	int64_t now; /* Unix seconds */
};
/**
 * Make DIR a publisher directory with new Ed25519 keys (files 0600) and publish an empty
 * repository.
 * Row: "initialised" with the root fingerprint and the files to keep offline. Errors: EXISTS IO
 * BAD_NAME.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_init(const char *dir,
    const struct plugpkg_repo_init_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * dir NULL = the nearest directory upwards with a repository.json. Errors: NO_ROOT BAD_CONFIG IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_open(
    const char *dir, plugpkg_repo **out_repo, plugpkg_error **err);
PLUGPKG_API void plugpkg_repo_close(plugpkg_repo *repo);
PLUGPKG_API void plugpkg_repo_set_time(plugpkg_repo *repo, int64_t now);
PLUGPKG_API void plugpkg_repo_set_passphrase_fn(
    plugpkg_repo *repo, plugpkg_passphrase_fn fn, void *user);

/**
 * Stage archives for the next publish. Row: "staged" each. Refuses what fails lint (BAD_MANIFEST,
 * BAD_ARCHIVE) and other content under a published version (EXISTS); the same content again is OK.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_add(plugpkg_repo *repo,
    const char *const *archives, size_t n_archives, plugpkg_row_fn row, void *user,
    plugpkg_error **err);
/** Stage the removal of NAME@VERSION (or a staged add's withdrawal). Errors: NOT_FOUND. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_remove(
    plugpkg_repo *repo, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Merge what is staged into the index and sign. Row: "published". Refuses what nobody could install
 * because scripts wait for each other (NO_SOLUTION).
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_publish(
    plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Renew snapshot and timestamp (and the index role when due) without new content. Row: "refreshed".
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_refresh(
    plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Rows of type "version": published and staged, sorted by name, newest first. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_list(
    plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Can every version be installed into an empty root, from this repository alone, as the next
 * publish leaves it? Rows of type "uninstallable", then one "checked". The host's versions and the
 * platform count as fitting. Starts child processes.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_check(
    plugpkg_repo *repo, size_t *out_findings, plugpkg_row_fn row, void *user, plugpkg_error **err);

/**
 * Check every byte of a served directory against its signatures: rows of type "problem", then one
 * "verified". public_dir: the directory with metadata/ and targets/. key: as in
 * plugpkg_source_spec, or NULL to trust its own 1.root.json.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_verify(const char *public_dir,
    const char *key, int64_t now, size_t *out_problems, plugpkg_row_fn row, void *user,
    plugpkg_error **err);
/**
 * Copy the repository at URL into DIR, verified, needing no key of one's own: archives first,
 * timestamp last; what is there already is not fetched again. Row: "mirrored".
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_mirror(const char *url, const char *dir,
    const char *key, int64_t now, plugpkg_row_fn row, void *user, plugpkg_error **err);

#ifdef __cplusplus
}
#endif
#endif
