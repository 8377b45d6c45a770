/* SPDX-License-Identifier: MIT */
/* Work below a directory descriptor. */
#include "base/path.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES_BYTES (32 * 1024)

/*
 * Opens component by component without following any link: stricter than openat2 with
 * PP_FOLLOW_INSIDE.
 */
static int
open_by_walk(int dirfd, const char *path, int flags, mode_t mode)
{
	PP_AUTO_FD int held = -1;
	struct pp_str rest = pp_str_of(path), part;
	int at = dirfd;

	if (rest.n == 0 || rest.p[0] == '/')
		return -EXDEV;
	while (pp_str_cut(&rest, '/', &part)) {
		char name[NAME_MAX + 1];
		if (part.n > NAME_MAX)
			return -ENAMETOOLONG;
		if (pp_str_eq(part, ".."))
			return -EXDEV;
		memcpy(name, part.p, part.n);
		name[part.n] = '\0';
		if (part.n == 0)
			continue;
		bool is_last = rest.p == NULL;
		int how = is_last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW;
		int fd = openat(at, name, how | O_CLOEXEC, is_last ? mode : 0);
		if (fd < 0)
			return -errno;
		if (is_last)
			return fd;
		pp_auto_fd(&held);
		held = at = fd;
	}
	return -EINVAL;
}

int
pp_open_beneath(int dirfd, const char *path, int flags, mode_t mode, enum pp_beneath how)
{
	struct open_how oh = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   (how == PP_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0),
	};

	if ((flags & O_CREAT) != 0 && pp_failpoint() < 0)
		return -errno;
	if (secure_getenv("PLUGPKG_NO_OPENAT2") == NULL) {
		long fd = syscall(SYS_openat2, dirfd, path, &oh, sizeof(oh));
		if (fd >= 0)
			return (int)fd;
		if (errno != ENOSYS && errno != EPERM)
			return -errno;
	}
	return open_by_walk(dirfd, path, flags, mode);
}

int
pp_mkdirs_at(int dirfd, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');

	/* Mostly all but the last are there. */
	if (pp_mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || slash == NULL || slash == path)
		return -errno;
	PP_AUTO_FREE char *parent = pp_xstrndup(path, (size_t)(slash - path));
	int r = pp_mkdirs_at(dirfd, parent, mode);
	if (r == 0 && pp_mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		r = -errno;
	return r;
}

int
pp_opendir_at(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* As getdents64(2) has it; readdir() makes twice as many system calls of a directory. */
struct entry {
	uint64_t ino;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

static int
scan_entries(const char *at, size_t n, pp_entry_fn fn, void *user)
{
	const struct entry *e;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i += e->size) {
		e = (const struct entry *)(const void *)(at + i);
		if (strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0)
			r = fn(user, e->name, e->type);
	}
	return r;
}

int
pp_scan_new_fd(int fd, pp_entry_fn fn, void *user)
{
	_Alignas(struct entry) char entries[ENTRIES_BYTES];
	long n;
	int r = 0;

	while (r == 0 && (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) != 0)
		r = n < 0 ? -errno : scan_entries(entries, (size_t)n, fn, user);
	return r;
}

static int
add_name(void *user, const char *name, unsigned char kind PP_UNUSED)
{
	pp_strs_add(user, name);
	return 0;
}

int
pp_list_new_fd(int fd, struct pp_strs *out)
{
	int r = pp_scan_new_fd(fd, add_name, out);

	pp_strs_sort(out);
	return r;
}

int
pp_list_fd(int fd, struct pp_strs *out)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : pp_list_new_fd(fd, out);
}

int
pp_list_dir(int dirfd, const char *path, struct pp_strs *out)
{
	PP_AUTO_FD int fd = pp_opendir_at(dirfd, path);

	return fd < 0 ? fd : pp_list_new_fd(fd, out);
}

static int remove_dir(int dirfd, const char *name, uint64_t *bytes);

struct content {
	struct pp_strs dirs, others;
};

static void
content_fini(struct content *c)
{
	pp_strs_fini(&c->dirs);
	pp_strs_fini(&c->others);
}

static int
add_content(void *user, const char *name, unsigned char kind)
{
	struct content *c = user;

	pp_strs_add(kind == DT_DIR ? &c->dirs : &c->others, name);
	return 0;
}

/* bytes NULL: nobody asks. */
static int
remove_entry(int dirfd, const char *name, uint64_t *bytes)
{
	struct stat st = { 0 };
	bool is_counted = bytes != NULL && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			  S_ISREG(st.st_mode);

	if (pp_unlinkat(dirfd, name, 0) == 0 || errno == ENOENT) {
		if (is_counted)
			*bytes += (uint64_t)st.st_size;
		return 0;
	}
	return errno == EISDIR || errno == EPERM ? remove_dir(dirfd, name, bytes) : -errno;
}

static bool
is_closed_to_owner(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & S_IRWXU) != S_IRWXU;
}

/* A directory of our own whose mode lets not even us read it. */
static int
open_closed(int dirfd, const char *name)
{
	char link[32];
	PP_AUTO_FD int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* fchmod() takes no O_PATH */
	if (!is_closed_to_owner(fd) || pp_fchmodat(AT_FDCWD, link, S_IRWXU) < 0)
		return -EACCES;
	return pp_opendir_at(dirfd, name);
}

static int
remove_content(int fd, const struct content *in, uint64_t *bytes)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->others.n; i++)
		r = remove_entry(fd, in->others.at[i], bytes);
	for (size_t i = 0; r == 0 && i < in->dirs.n; i++)
		r = remove_dir(fd, in->dirs.at[i], bytes);
	return r;
}

/*
 * What calls itself a directory is one call cheaper, and gets no more trust: it is opened with no
 * link followed. Depth is bounded by the archive policy (64 levels). Not everything comes from
 * archives: caches of build tools make directories read-only.
 */
static int
remove_dir(int dirfd, const char *name, uint64_t *bytes)
{
	PP_CLEANUP(content_fini) struct content in = { 0 };
	PP_AUTO_FD int fd = pp_opendir_at(dirfd, name);
	if (fd == -EACCES)
		fd = open_closed(dirfd, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int r = pp_scan_new_fd(fd, add_content, &in);
	if (r == 0)
		r = remove_content(fd, &in, bytes);
	if (r == -EACCES && is_closed_to_owner(fd) && pp_fchmod(fd, S_IRWXU) == 0)
		r = remove_content(fd, &in, bytes);
	if (r < 0)
		return r;
	return pp_unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int
pp_rm_rf_at(int dirfd, const char *name)
{
	return remove_entry(dirfd, name, NULL);
}

int
pp_rm_dir_at(int dirfd, const char *name)
{
	return remove_dir(dirfd, name, NULL);
}

int
pp_rm_rf_count_at(int dirfd, const char *name, uint64_t *bytes)
{
	return remove_entry(dirfd, name, bytes);
}

int
pp_symlink_replace(int dirfd, const char *name, const char *target)
{
	PP_AUTO_BUF struct pp_buf tmp = PP_BUF_INIT(NAME_MAX);

	pp_buf_addf(&tmp, ".%s" PP_TEMP_SUFFIX, name);
	if (tmp.overflow)
		return -ENAMETOOLONG;
	if (pp_unlinkat(dirfd, tmp.s, 0) < 0 && errno != ENOENT)
		return -errno;
	if (pp_symlinkat(target, dirfd, tmp.s) < 0)
		return -errno;
	if (pp_renameat(dirfd, tmp.s, dirfd, name) < 0) {
		int r = -errno;
		PP_IGNORE(pp_unlinkat(dirfd, tmp.s, 0)); /* the first failure is reported */
		return r;
	}
	return pp_fsync(dirfd) < 0 ? -errno : 0;
}

int
pp_readlink_at(int dirfd, const char *name, struct pp_buf *out)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	pp_buf_add(out, target, (size_t)n);
	return out->overflow ? -ENAMETOOLONG : 0;
}

/* Opens the directory of `path` below dirfd; *out_base is its last component, a view into path. */
static int
open_parent(int dirfd, const char *path, const char **out_base)
{
	const char *slash = strrchr(path, '/');

	*out_base = slash != NULL ? slash + 1 : path;
	/* What a person names may lie anywhere. */
	if (dirfd == AT_FDCWD) {
		const char *end = slash == path ? path + 1 : slash;
		PP_AUTO_FREE char *named =
		    slash == NULL ? pp_xstrdup(".") : pp_xstrndup(path, (size_t)(end - path));
		int fd = openat(AT_FDCWD, named, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (slash == NULL) {
		int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	PP_AUTO_FREE char *parent = pp_xstrndup(path, (size_t)(slash - path));
	return pp_open_beneath(dirfd, parent, O_RDONLY | O_DIRECTORY, 0, PP_FOLLOW_INSIDE);
}

/* What somebody left there who was killed goes. */
static int
create_anew(int dirfd, const char *name, mode_t mode)
{
	const int flags = O_WRONLY | O_EXCL | O_NOFOLLOW;
	int fd = pp_openat_create(dirfd, name, flags, mode);

	if (fd < 0 && errno == EEXIST && pp_unlinkat(dirfd, name, 0) == 0)
		fd = pp_openat_create(dirfd, name, flags, mode);
	return fd;
}

/* Who may read it does not depend on the umask of the program around us. */
static int
set_access(int parent, const char *name, int fd, const struct stat *as)
{
	/* What root writes for an application stays the application's, where root is obeyed. */
	if (as->st_uid != geteuid() && geteuid() == 0)
		PP_IGNORE(pp_fchownat(parent, name, as->st_uid, as->st_gid, AT_SYMLINK_NOFOLLOW));
	return pp_fchmod(fd, as->st_mode) < 0 ? -errno : 0;
}

static int
write_file(int dirfd, const char *path, struct pp_str bytes, const struct stat *as, bool is_durable)
{
	PP_AUTO_BUF struct pp_buf tmp = PP_BUF_INIT(NAME_MAX);
	const char *base;
	PP_AUTO_FD int parent = open_parent(dirfd, path, &base);

	if (parent < 0)
		return parent;
	pp_buf_addf(&tmp, ".%s" PP_TEMP_SUFFIX, base);
	if (tmp.overflow)
		return -ENAMETOOLONG;
	PP_AUTO_FD int fd = create_anew(parent, tmp.s, as->st_mode);
	if (fd < 0)
		return -errno;
	/* Contents durable, then the name, then the directory that holds the name. */
	int r = pp_fd_write_all(fd, bytes.p, bytes.n);
	if (r == 0)
		r = set_access(parent, tmp.s, fd, as);
	if (r == 0 && is_durable)
		r = pp_fd_commit(&fd);
	if (r == 0 && pp_renameat(parent, tmp.s, parent, base) < 0)
		r = -errno;
	if (r < 0) {
		PP_IGNORE(
		    pp_unlinkat(parent, tmp.s, 0)); /* the first failure is what is reported */
		return r;
	}
	return is_durable && pp_fsync(parent) < 0 ? -errno : 0;
}

int
pp_write_file_at(int dirfd, const char *path, const void *p, size_t n, mode_t mode)
{
	const struct stat as = { .st_mode = mode, .st_uid = geteuid() };

	return write_file(dirfd, path, (struct pp_str){ p, n }, &as, true);
}

int
pp_rewrite_file_at(int dirfd, const char *path, const void *p, size_t n)
{
	struct stat as;

	if (fstatat(dirfd, path, &as, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(as.st_mode))
		return pp_write_file_at(dirfd, path, p, n, 0644);
	as.st_mode &= 0777;
	return write_file(dirfd, path, (struct pp_str){ p, n }, &as, true);
}

int
pp_write_file_unsynced_at(int dirfd, const char *path, const void *p, size_t n, mode_t mode)
{
	const struct stat as = { .st_mode = mode, .st_uid = geteuid() };

	return write_file(dirfd, path, (struct pp_str){ p, n }, &as, false);
}

int
pp_write_path(const char *path, const void *p, size_t n, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	PP_AUTO_FREE char *dir =
	    slash == NULL ? pp_xstrdup(".") : pp_xstrndup(path, (size_t)(slash - path) + 1);
	PP_AUTO_FD int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return pp_write_file_at(fd, slash != NULL ? slash + 1 : path, p, n, mode);
}

int
pp_read_file_known_at(int dirfd, const char *path, struct pp_buf *out, struct stat *out_known)
{
	PP_AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || fstat(fd, out_known) < 0)
		return -errno;
	if (!S_ISREG(out_known->st_mode))
		return S_ISDIR(out_known->st_mode) ? -EISDIR : -EMEDIUMTYPE;
	return pp_fd_read_file(fd, out->n == 0 ? (uint64_t)out_known->st_size : 0, out);
}

int
pp_read_file_at(int dirfd, const char *path, struct pp_buf *out)
{
	struct stat known;

	return pp_read_file_known_at(dirfd, path, out, &known);
}

int
pp_exists_at(int dirfd, const char *path)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int
pp_sync_dir_at(int dirfd, const char *path)
{
	PP_AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || pp_fsync(fd) < 0)
		return -errno;
	return 0;
}

/* One syncfs() costs about as much as a few fsync()s and makes the whole tree durable at once. */
int
pp_sync_tree_at(int dirfd, const char *path)
{
	PP_AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || pp_syncfs(fd) < 0)
		return -errno;
	return 0;
}
