/* SPDX-License-Identifier: MIT */
/* Work below a directory descriptor: opening without leaving it, trees, atomic replacement. */
#ifndef PP_BASE_PATH_H
#define PP_BASE_PATH_H

#include "base/buf.h"
#include "base/vec.h"

#include <sys/stat.h>
#include <sys/types.h>

/*
 * Opens `path` below dirfd; never leaves it by `..`, an absolute path or a magic link. With
 * PP_NO_SYMLINKS no link at all is followed on the way. openat2(2), or a walk of the components
 * where that is missing (ENOSYS, EPERM) or PLUGPKG_NO_OPENAT2 is set. -errno.
 */
enum pp_beneath {
	PP_FOLLOW_INSIDE,
	PP_NO_SYMLINKS
};
int pp_open_beneath(int dirfd, const char *path, int flags, mode_t mode, enum pp_beneath how);

int pp_mkdirs_at(int dirfd, const char *path, mode_t mode) PP_MUSTUSE; /* like mkdir -p */
int pp_opendir_at(int dirfd, const char *path); /* O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC, or -errno */
/*
 * Removes a tree without ever following a link; a missing one is 0. Directories of our own may be
 * read-only, or closed.
 */
int pp_rm_rf_at(int dirfd, const char *name) PP_MUSTUSE;
/* The same of a directory, which others are not asked for: one call less. */
int pp_rm_dir_at(int dirfd, const char *name) PP_MUSTUSE;
/* The same, and adds up the sizes of what it deletes. */
int pp_rm_rf_count_at(int dirfd, const char *name, uint64_t *bytes) PP_MUSTUSE;
/* Names in a directory, sorted by bytes, without . and .. */
int pp_list_dir(int dirfd, const char *path, struct pp_strs *out) PP_MUSTUSE;
int pp_list_fd(int fd, struct pp_strs *out); /* the same of an open directory */
/* The same of one that was just opened: its offset is at the start, and is moved. */
int pp_list_new_fd(int fd, struct pp_strs *out) PP_MUSTUSE;
/* Each of them as it comes, with its kind: DT_UNKNOWN where the file system keeps none. */
typedef int (*pp_entry_fn)(void *user, const char *name, unsigned char kind);
/* Of one that was just opened. 0, -errno, or what fn gave that was not 0, which ends it. */
int pp_scan_new_fd(int fd, pp_entry_fn fn, void *user) PP_MUSTUSE;

int pp_symlink_replace(int dirfd, const char *name, const char *target) PP_MUSTUSE; /* durable */
int pp_readlink_at(int dirfd, const char *name, struct pp_buf *out) PP_MUSTUSE;
#define PP_TEMP_SUFFIX ".new" /* of the temporary name: ".NAME.new", replaced by the next one */
/*
 * Whole file: temporary name, fsync, rename, fsync of the directory. path may have directories; of
 * AT_FDCWD it may be any path.
 */
int pp_write_file_at(int dirfd, const char *path, const void *p, size_t n, mode_t mode) PP_MUSTUSE;
/* The same with the mode of what is there, and its owner where root writes; a new one has 0644. */
int pp_rewrite_file_at(int dirfd, const char *path, const void *p, size_t n) PP_MUSTUSE;
/* The same for a path as a user gave it, wherever that leads. */
int pp_write_path(const char *path, const void *p, size_t n, mode_t mode) PP_MUSTUSE;
/* The same without fsync, for many files of which none counts before a pp_syncfs(). */
int pp_write_file_unsynced_at(
    int dirfd, const char *path, const void *p, size_t n, mode_t mode) PP_MUSTUSE;
/* A regular file: -EISDIR for a directory, -EMEDIUMTYPE for what else there is. */
int pp_read_file_at(int dirfd, const char *path, struct pp_buf *out) PP_MUSTUSE;
/* And what it was before that. */
int pp_read_file_known_at(
    int dirfd, const char *path, struct pp_buf *out, struct stat *out_known) PP_MUSTUSE;
int pp_exists_at(int dirfd, const char *path); /* 1, 0 or -errno; does not follow the last link */
/* Makes a tree durable: one syncfs() of its file system. */
int pp_sync_tree_at(int dirfd, const char *path) PP_MUSTUSE;
int pp_sync_dir_at(int dirfd, const char *path) PP_MUSTUSE;

#endif
