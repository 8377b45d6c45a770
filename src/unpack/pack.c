/* SPDX-License-Identifier: MIT */
/*
 * Writes archives. Nothing of the machine gets in: no owner, no times but the given one, two modes,
 * one order. What the policy would refuse when unpacking is refused here already. All is read
 * twice: the digest of the tree stands at its beginning.
 */
#include "unpack/pack.h"

#include "base/fd.h"
#include "base/path.h"
#include "unpack/tree.h"

#include <archive.h>
#include <archive_entry.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST    "plugin.json"
#define BLOCK_BYTES 65536
/*
 * Part of the format of an archive's bytes: another level is another archive. To clear the tables
 * of the high one takes six times as long as all else that is done for a small directory.
 */
#define ZSTD_LEVEL       "12"
#define ZSTD_LEVEL_SMALL "8"
#define SMALL_MAX_BYTES  (1U << 20)

struct pack {
	struct archive *out;
	struct archive_entry *entry;
	struct pp_policy policy;
	struct pp_report *report; /* borrowed */
	struct pp_digest *digest; /* borrowed */
	char tree_sha256[PP_DIGEST_HEX_BYTES];
	int dir_fd;
	int64_t mtime;
};

static void
pack_fini(struct pack *p)
{
	if (p->entry != NULL)
		archive_entry_free(p->entry);
	if (p->out != NULL)
		archive_write_free(p->out);
	pp_policy_fini(&p->policy);
}

static int
fail_libarchive(struct pack *p, const char *path)
{
	int errnum = archive_errno(p->out);
	const char *text = archive_error_string(p->out);

	return pp_report_io(p->report, path, errnum > 0 ? errnum : EIO,
	    text != NULL ? text : "cannot write the archive");
}

/* The form that the item has in the archive. */
static struct pp_entry
entry_of(const struct pp_tree_item *item)
{
	struct pp_entry e = {
		.path = item->path, .target = item->target, .kind = item->kind, .size = item->size
	};

	if (item->kind == PP_ENTRY_FILE)
		e.mode = (item->mode & 0100) != 0 ? 0755 : 0644;
	else
		e.mode = item->kind == PP_ENTRY_LINK ? 0777 : 0755;
	return e;
}

static int
write_header(struct pack *p, const struct pp_entry *e)
{
	static const unsigned types[] = {
		[PP_ENTRY_FILE] = AE_IFREG,
		[PP_ENTRY_DIR] = AE_IFDIR,
		[PP_ENTRY_LINK] = AE_IFLNK,
	};

	archive_entry_clear(p->entry);
	archive_entry_set_pathname(p->entry, e->path);
	archive_entry_set_filetype(p->entry, types[e->kind]);
	archive_entry_set_perm(p->entry, e->mode);
	archive_entry_set_size(p->entry, (la_int64_t)e->size);
	archive_entry_set_mtime(p->entry, p->mtime, 0);
	if (e->kind == PP_ENTRY_LINK)
		archive_entry_set_symlink(p->entry, e->target);
	if (strcmp(e->path, MANIFEST) == 0)
		archive_entry_xattr_add_entry(
		    p->entry, PP_DIGEST_XATTR, p->tree_sha256, strlen(p->tree_sha256));
	if (archive_write_header(p->out, p->entry) != ARCHIVE_OK)
		return fail_libarchive(p, e->path);
	return 0;
}

static int
write_block(struct pack *p, const struct pp_entry *e, const char *block, size_t n)
{
	la_ssize_t w = archive_write_data(p->out, block, n);

	if (w < 0 || (size_t)w != n)
		return fail_libarchive(p, e->path);
	return 0;
}

/* For the digest, and where is_written into the archive as well. */
static int
pass_contents(struct pack *p, const struct pp_entry *e, bool is_written)
{
	char block[BLOCK_BYTES];
	uint64_t done = 0;
	struct stat st;
	PP_AUTO_FD int fd = pp_open_beneath(
	    p->dir_fd, e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, PP_NO_SYMLINKS);

	if (fd < 0 || fstat(fd, &st) < 0)
		return pp_report_io(p->report, e->path, fd < 0 ? -fd : errno, "cannot open");
	pp_digest_begin(p->digest);
	while (S_ISREG(st.st_mode)) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pp_report_io(p->report, e->path, errno, "cannot read");
		if (n == 0 || (uint64_t)n > e->size - done)
			break;
		pp_digest_add(p->digest, block, (size_t)n);
		if (is_written && write_block(p, e, block, (size_t)n) < 0)
			return -1;
		done += (uint64_t)n;
	}
	if (done != e->size || (uint64_t)st.st_size != e->size)
		return pp_report_bad(p->report, e->path, "changed while it was being packed");
	pp_digest_file(p->digest, e->path, (e->mode & 0100) != 0 ? 0555 : 0444, e->size);
	return 0;
}

static int
pass_item(struct pack *p, const struct pp_tree_item *item, bool is_written)
{
	struct pp_entry e = entry_of(item);

	if (is_written && write_header(p, &e) < 0)
		return -1;
	if (e.kind == PP_ENTRY_FILE)
		return pass_contents(p, &e, is_written);
	if (e.kind == PP_ENTRY_LINK)
		pp_digest_link(p->digest, e.path, e.target);
	return 0;
}

static int
pass_tree(struct pack *p, const struct pp_tree *tree, bool is_written,
    char out_sha256[PP_DIGEST_HEX_BYTES])
{
	pp_digest_clear(p->digest);
	pp_vec_foreach (item, &tree->items) {
		if (pass_item(p, item, is_written) < 0)
			return -1;
	}
	pp_digest_end(p->digest, out_sha256);
	return 0;
}

static int
admit_tree(struct pack *p, const struct pp_tree *tree)
{
	char path[PP_PATH_MAX_BYTES + 1];

	if (tree->items.n == 0 || strcmp(tree->items.at[0].path, MANIFEST) != 0)
		return pp_report_bad(p->report, NULL, "holds no 'plugin.json'");
	pp_vec_foreach (item, &tree->items) {
		struct pp_entry e = entry_of(item);

		if (item->kind == PP_ENTRY_FILE && (item->mode & (S_ISUID | S_ISGID)) != 0)
			return pp_report_bad(p->report, item->path, "is setuid or setgid");
		if (pp_policy_admit(&p->policy, &e, path) < 0)
			return -1;
	}
	return pp_policy_end(&p->policy);
}

static const char *
level_of(const struct pp_tree *tree)
{
	uint64_t total = 0;

	pp_vec_foreach (item, &tree->items) {
		if (item->size > SMALL_MAX_BYTES - total)
			return ZSTD_LEVEL;
		total += item->size;
	}
	return ZSTD_LEVEL_SMALL;
}

static int
open_archive(struct pack *p, const char *level, int out_fd)
{
	p->out = archive_write_new();
	p->entry = archive_entry_new();
	if (archive_write_set_format_pax_restricted(p->out) != ARCHIVE_OK ||
	    archive_write_set_format_option(p->out, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(p->out) != ARCHIVE_OK ||
	    archive_write_set_filter_option(p->out, "zstd", "compression-level", level) !=
		ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(p->out, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(p->out, out_fd) != ARCHIVE_OK)
		return fail_libarchive(p, NULL);
	return 0;
}

static int
pack_tree(struct pack *p, const struct pp_tree *tree, int out_fd)
{
	char packed[PP_DIGEST_HEX_BYTES];

	if (admit_tree(p, tree) < 0 || pass_tree(p, tree, false, p->tree_sha256) < 0 ||
	    open_archive(p, level_of(tree), out_fd) < 0 || pass_tree(p, tree, true, packed) < 0)
		return -1;
	if (strcmp(packed, p->tree_sha256) != 0)
		return pp_report_bad(p->report, NULL, "changed while it was being packed");
	return archive_write_close(p->out) != ARCHIVE_OK ? fail_libarchive(p, NULL) : 0;
}

void
pp_pack_dir(int dir_fd, int out_fd, int64_t mtime, const struct pp_limits *limits,
    struct pp_digest *digest, struct pp_report *report)
{
	PP_CLEANUP(pp_ignore_fini) struct pp_ignore ignore = { 0 };
	PP_CLEANUP(pp_tree_fini) struct pp_tree tree = { 0 };
	PP_CLEANUP(pack_fini)
	struct pack p = { .report = report, .digest = digest, .dir_fd = dir_fd, .mtime = mtime };

	pp_policy_init(&p.policy, limits, report);
	if (pp_ignore_read(&ignore, dir_fd, report) == 0 &&
	    pp_tree_read(&tree, dir_fd, &ignore, limits->files, report) == 0)
		(void)pack_tree(&p, &tree, out_fd); /* the report has it */
}
