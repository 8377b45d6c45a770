/* SPDX-License-Identifier: MIT */
/*
 * libplugpkg: authors who sign. The half of an author: his key, his signatures. The half of a root:
 * which key it expects of the owner of each plugin. Part of plugpkg.h, which says who owns what.
 */
#ifndef PLUGPKG_OWNER_H
#define PLUGPKG_OWNER_H

#include <plugpkg.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the passphrase of an encrypted key: fills buf (size bytes, terminated), 1; 0 = nobody
 * knows.
 */
typedef int (*plugpkg_passphrase_fn)(const char *key, char *buf, size_t size, void *user);

/** A key file on disk. All borrowed. */
struct plugpkg_key_file {
	const char *path;
	plugpkg_passphrase_fn passphrase; /* NULL: nobody knows it */
	void *user;
};
/**
 * Make a new Ed25519 key in a file of mode 0600; encrypt: 1 = with the passphrase that is asked
 * for. Row: "owner-key". Errors: EXISTS IO KEY.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_owner_new(const struct plugpkg_key_file *key,
    int encrypt, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Sign an archive: writes ARCHIVE.sig beside it. Row: "signed". Starts child processes. Errors:
 * NOT_FOUND BAD_ARCHIVE BAD_MANIFEST KEY PERMISSION IO.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_sign(const char *archive,
    const struct plugpkg_key_file *key, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Write the statement that key `next` takes the place of key `old` as that of plugin NAME's owner.
 * next: its passphrase is not needed. Row: "rotation". Errors: BAD_NAME OWNER as plugpkg_sign().
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_owner_rotate(const char *name,
    const struct plugpkg_key_file *old, const char *next, const char *out_file, plugpkg_row_fn row,
    void *user, plugpkg_error **err);

/**
 * Rows of type "owner", sorted by name: the keys that this root expects. name: only of that plugin,
 * with what its source says of it; NULL = all. Errors: BAD_NAME NOT_FOUND.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_owner_list(
    plugpkg_context *ctx, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * From now on expect the owner key that the plugin's source names. key: id of the key that it has
 * to be (64 hex digits; then no source needs to know the plugin), or NULL = ask
 * (PLUGPKG_ASK_TRUST_KEY). Row: "owner". Errors: BAD_NAME NOT_FOUND OWNER CONFIRM DECLINED. Lock:
 * exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_owner_accept(plugpkg_context *ctx,
    const char *name, const char *key, plugpkg_row_fn row, void *user, plugpkg_error **err);
/**
 * Expect no key of the plugin's owner any more; the next one that comes is expected from then on.
 * Errors: BAD_NAME NOT_FOUND. Lock: exclusive.
 */
PLUGPKG_API PLUGPKG_MUSTUSE enum plugpkg_code plugpkg_owner_forget(
    plugpkg_context *ctx, const char *name, plugpkg_error **err);

#ifdef __cplusplus
}
#endif
#endif
