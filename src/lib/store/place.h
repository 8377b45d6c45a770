/* SPDX-License-Identifier: MIT */
/* Where plugins lie below a root, and opening those places without following a link. */
#ifndef PP_STORE_PLACE_H
#define PP_STORE_PLACE_H

#include "lib/model/context.h"

#define PP_STORE_DIR       "store"
#define PP_GENERATIONS_DIR "generations"
#define PP_STAGING_DIR     "var/staging"
#define PP_CURRENT         "current"

/*
 * Opens a directory of the root, no link followed. Errors: BAD_STATE when it is something else,
 * NOT_FOUND when it is missing, IO.
 */
enum plugpkg_code pp_place_open(
    plugpkg_context *ctx, const char *path, int *out_fd, plugpkg_error **err);
/* The same, made first where it is missing (mode 0755; 0700 for PP_STAGING_DIR). */
enum plugpkg_code pp_place_make(
    plugpkg_context *ctx, const char *path, int *out_fd, plugpkg_error **err);
/*
 * An overlay cannot rename a directory that came with a lower layer: EXDEV, of an exchange as well.
 * It is deleted where it is, durable; to be called again when that was cut off. bytes: NULL, or
 * adds up the sizes of its files.
 */
int pp_place_remove_here(int dir_fd, const char *name, uint64_t *bytes) PP_MUSTUSE;
/* Was that cut off? Then it is half of what it was. */
bool pp_place_is_leaving(int dir_fd, const char *name);
/*
 * Renames a directory, 0 or -errno. Who may not write it cannot give it another parent; where it is
 * our own it is let be written for that moment.
 */
int pp_place_rename(int from_fd, const char *from, int to_fd, const char *to) PP_MUSTUSE;
/*
 * Deletes the directory NAME of dir_fd: first it leaves its place by one rename into var/staging,
 * so that half of it is never seen (but see above). A link there is not followed, but refused:
 * BAD_STATE. A missing one is OK.
 */
enum plugpkg_code pp_place_remove(
    plugpkg_context *ctx, int dir_fd, const char *name, const char *what, plugpkg_error **err);
/*
 * Only that rename, of which out_aside is the path from the root (owned); NULL: it is missing. What
 * cannot be renamed is gone already.
 */
enum plugpkg_code pp_place_aside(plugpkg_context *ctx, int dir_fd, const char *name,
    const char *what, char **out_aside, plugpkg_error **err);
/* May it be renamed away? Is it there at all? Errors: BAD_STATE for what is no directory, IO. */
enum plugpkg_code pp_place_may_leave(
    int dir_fd, const char *name, const char *what, bool *out_is_there, plugpkg_error **err);
/*
 * Several that leave together: each by a rename into one directory of var/staging, where its name
 * is a number; one sync makes all renames durable, and only then they are deleted.
 */
struct pp_leaving {
	char *path; /* from the root, owned; NULL: none has left yet */
	int fd;
	int64_t n;      /* that have left */
	uint64_t bytes; /* of those that could not be renamed, and are gone */
};
/* As pp_place_aside(); of a missing one n does not rise. */
enum plugpkg_code pp_leaving_add(plugpkg_context *ctx, struct pp_leaving *l, int dir_fd,
    const char *name, const char *what, plugpkg_error **err);
/*
 * Whatever has left goes; adds up the sizes of its files. from_fd: the directory that all of them
 * were in, -1: there were several. To be called also after a failure.
 */
enum plugpkg_code pp_leaving_end(
    plugpkg_context *ctx, struct pp_leaving *l, int from_fd, uint64_t *bytes, plugpkg_error **err);
/*
 * "../" as often as it takes from a directory NAME/ (or @SCOPE/NAME/) up to two levels above:
 * owned.
 */
char *pp_place_up(const char *name);

#endif
