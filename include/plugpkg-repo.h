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

struct plugpkg_repo_init_spec {
	const char *name; /* repository name, [a-z0-9-] */
	int encrypt;      /* 1 = keys are encrypted with the passphrase that `passphrase` gives */
	plugpkg_passphrase_fn passphrase;
	void *user;
	int64_t now; /* Unix seconds */
	/*
	 * How many root keys have to agree, 2 to 9; 0 = 2. One more is made: it may be lost.
	 */
	unsigned root_threshold;
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
/** A handle without a directory, for what works without one: time, passphrase, cancelling. */
PLUGPKG_API plugpkg_repo *plugpkg_repo_new(void);
PLUGPKG_API void plugpkg_repo_close(plugpkg_repo *repo);
PLUGPKG_API void plugpkg_repo_set_time(plugpkg_repo *repo, int64_t now);
PLUGPKG_API void plugpkg_repo_set_passphrase_fn(
    plugpkg_repo *repo, plugpkg_passphrase_fn fn, void *user);
/** LOCK_WAIT of whoever finds its directory locked, and what a mirror tells of its downloads. */
PLUGPKG_API void plugpkg_repo_set_event_fn(plugpkg_repo *repo, plugpkg_event_fn fn, void *user);

struct plugpkg_repo_add_spec {
	const char *const *archives; /* a signature is what lies at ARCHIVE.sig */
	size_t n_archives;
	const char *rotation; /* statement by which an owner passes on his key, or NULL */
	int accept_owner;     /* 1 = take another key than the owner's without a statement */
};
/**
 * From now on publish and refresh go on from what public/ holds, older or newer than what was
 * signed here last.
 */
PLUGPKG_API void plugpkg_repo_accept_public(plugpkg_repo *repo);
/**
 * Ends what runs on repo at its next safe point with INTERRUPTED, and what is begun on it later; to
 * go on, open it anew. What is being shown already is finished. A signal handler may call it.
 */
PLUGPKG_API void plugpkg_repo_cancel(plugpkg_repo *repo);

/* ---- keys ---- */

enum plugpkg_repo_key_action {
	PLUGPKG_REPO_KEY_NEW,      /* one more key for a role */
	PLUGPKG_REPO_KEY_ROTATE,   /* another key instead of `name` */
	PLUGPKG_REPO_KEY_REVOKE,   /* `name` no longer counts */
	PLUGPKG_REPO_KEY_THRESHOLD /* how many keys of `role` have to agree */
};
struct plugpkg_repo_key_change {
	enum plugpkg_repo_key_action action;
	const char *name;   /* of the key; to ROTATE or REVOKE: the one that leaves */
	const char *role;   /* NEW, THRESHOLD: "root", "targets" */
	unsigned threshold; /* of the role from now on; 0 = as it is */
	const char *as;     /* ROTATE: name of the new key; NULL = the next number */
	/* NEW, ROTATE: the public half, a PEM file or a key file; NULL = make an Ed25519 key. */
	const char *public_file;
	const char *signer; /* command that signs with it on this machine, or NULL */
	int encrypt;        /* a key that is made is encrypted with the passphrase */
};
/**
 * Change which keys count. The change waits as a new root (and targets) for the signatures of
 * offline keys; publish shows it. Rows: "key" of a new key, "signing" of what waits. Errors: EXISTS
 * NOT_FOUND USAGE KEY IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_key_change(plugpkg_repo *repo,
    const struct plugpkg_repo_key_change *change, plugpkg_row_fn row, void *user,
    plugpkg_error **err);
/** Rows of type "key": every key that ever was, its roles, and where its private half is. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_key_list(
    plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Make a key file on a machine that has no publisher's directory: PATH, and PATH.pub to be carried
 * to it. repo needs no directory. Row: "key". Errors: EXISTS IO KEY.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_key_make(plugpkg_repo *repo,
    const char *path, int encrypt, plugpkg_row_fn row, void *user, plugpkg_error **err);

struct plugpkg_repo_sign_spec {
	const char *const *keys; /* names; with a file: paths. None = all that are here */
	size_t n_keys;
	/* Signs for the one of `keys`, which then is a name; with a file: a public key's path. */
	const char *signer;
	const char
	    *renew; /* "root" or "targets": sign it for another year; NULL = only what waits */
};
/** Sign what waits with the keys of this directory. Rows: "signing". Errors: NOT_FOUND KEY. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_sign(plugpkg_repo *repo,
    const struct plugpkg_repo_sign_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Write what waits to a file that is carried to offline keys. Rows: "signing". */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_sign_export(
    plugpkg_repo *repo, const char *path, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Take over the signatures of such a file. Rows: "signing". Errors: DIGEST SIGNATURE. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_sign_import(
    plugpkg_repo *repo, const char *path, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Sign in such a file, where the offline keys are; without keys only tells what it holds. repo
 * needs no directory.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_sign_file(plugpkg_repo *repo,
    const char *path, const struct plugpkg_repo_sign_spec *spec, plugpkg_row_fn row, void *user,
    plugpkg_error **err);

/**
 * When does each role expire? Rows of type "expiry", with the command that renews it. within_days:
 * what expires earlier is due; -1 = a third of its life, at most 30 days. *out_due counts them.
 * Errors: EXPIRED when one has.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_expiry(plugpkg_repo *repo,
    int64_t within_days, size_t *out_due, plugpkg_row_fn row, void *user, plugpkg_error **err);

/* ---- content ---- */

/**
 * Stage archives for the next publish. Row: "staged" each. Refuses what fails lint (BAD_MANIFEST,
 * BAD_ARCHIVE), other content under a published version (EXISTS), and what the owner of the plugin
 * did not sign (OWNER); the same content again is OK.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_add(plugpkg_repo *repo,
    const struct plugpkg_repo_add_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err);
/** Stage the removal of NAME@VERSION (or a staged add's withdrawal). Errors: NOT_FOUND. */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_remove(
    plugpkg_repo *repo, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Merge what is staged into the index and sign; show a new root or targets that has its signatures.
 * Row: "published"; "signing" of what still waits. Refuses what nobody could install because
 * scripts wait for each other (NO_SOLUTION), and to go on from another state than the one signed
 * here last (ROLLBACK, BAD_STATE).
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
 * Check every byte of a served directory against its signatures, both layers of its index against
 * each other, and what is in each archive against what the index says: rows of type "problem", then
 * one "verified". public_dir: the directory with metadata/ and targets/. key: as in
 * plugpkg_source_spec, or NULL to trust its own 1.root.json. repo needs no directory.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_verify(plugpkg_repo *repo,
    const char *public_dir, const char *key, size_t *out_problems, plugpkg_row_fn row, void *user,
    plugpkg_error **err);
/**
 * Copy the repository at URL into DIR, verified, needing no key of one's own: archives first,
 * timestamp last; what is there already is not fetched again. repo needs no directory. Row:
 * "mirrored". Errors, besides those of an update: EXISTS (DIR is a root, or a publisher's
 * directory).
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_repo_mirror(plugpkg_repo *repo,
    const char *url, const char *dir, const char *key, plugpkg_row_fn row, void *user,
    plugpkg_error **err);

#ifdef __cplusplus
}
#endif
#endif
