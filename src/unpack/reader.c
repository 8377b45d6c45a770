/* SPDX-License-Identifier: MIT */
/*
 * Two readers of libarchive in a row. The outer one knows one filter and no format, the inner one
 * the tar format and no filter, so that nothing is stacked or guessed, and the bytes of the tar
 * pass through our hands: where it ends, and what each header block says itself.
 */
#include "unpack/reader.h"

#include "base/compiler.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#include <archive.h>
#include <archive_entry.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BLOCK (256u << 10) /* read at once of the compressed file */
/*
 * What an entry may need beside its contents: header, extended header with two long paths, padding.
 */
#define ENTRY_OVERHEAD   8192u
#define PADDING_OVERHEAD (1u << 20)

static int
fail_libarchive(struct pp_reader *r, struct archive *a, const char *entry)
{
	const char *text = archive_error_string(a);

	return pp_report_bad(
	    r->report, entry, "is damaged: %s", text != NULL ? text : "the archive cannot be read");
}

static void
note_last_byte(struct pp_reader *r, const uint8_t *block, size_t n)
{
	while (n > 0 && block[n - 1] == 0)
		n--;
	if (n > 0)
		r->last_byte = r->tar_bytes + n;
}

/* The block goes with the next call; a header may have begun in it. */
static void
keep_end(struct pp_reader *r)
{
	size_t n = r->block_n < PP_TAR_BLOCK ? r->block_n : PP_TAR_BLOCK;
	size_t kept = r->before_n < PP_TAR_BLOCK - n ? r->before_n : PP_TAR_BLOCK - n;

	memmove(r->before, r->before + r->before_n - kept, kept);
	if (n > 0)
		memcpy(r->before + kept, r->block + r->block_n - n, n);
	r->before_n = kept + n;
	r->block_n = 0;
}

/* The inner reader's source of bytes. */
static la_ssize_t
feed(struct archive *inner PP_UNUSED, void *user, const void **out)
{
	struct pp_reader *r = user;
	la_int64_t offset;
	size_t n = 0;

	keep_end(r);
	int rc = archive_read_data_block(r->outer, out, &n, &offset);

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK)
		return fail_libarchive(r, r->outer, NULL);
	note_last_byte(r, *out, n);
	r->block = *out;
	r->block_n = n;
	r->tar_bytes += n;
	if (r->tar_bytes > r->tar_max_bytes)
		return pp_report_bad(
		    r->report, NULL, "unpacks to more bytes than the archive may hold");
	return (la_ssize_t)n;
}

/* The filter that the file's first bytes announce, ARCHIVE_FILTER_NONE: none of ours; -errno. */
static int
filter_of(int fd)
{
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd }, gzip[] = { 0x1f, 0x8b, 0x08 };
	uint8_t magic[4] = { 0 };
	ssize_t n;

	while ((n = pread(fd, magic, sizeof(magic), 0)) < 0)
		if (errno != EINTR)
			return -errno;
	if (n == (ssize_t)sizeof(magic) && memcmp(magic, zstd, sizeof(zstd)) == 0)
		return ARCHIVE_FILTER_ZSTD;
	if (n == (ssize_t)sizeof(magic) && memcmp(magic, gzip, sizeof(gzip)) == 0)
		return ARCHIVE_FILTER_GZIP;
	return ARCHIVE_FILTER_NONE;
}

static uint64_t
tar_max_bytes(const struct pp_limits *limits)
{
	uint64_t most = UINT64_MAX / 4;

	if (limits->bytes > most || limits->files > most / ENTRY_OVERHEAD)
		return UINT64_MAX;
	return limits->bytes + limits->files * ENTRY_OVERHEAD + PADDING_OVERHEAD;
}

/* What the disk does not give back is told here: libarchive takes it for a truncated archive. */
static la_ssize_t
read_file(struct archive *outer, void *user, const void **out)
{
	struct pp_reader *r = user;
	ssize_t n;

	(void)outer;
	while ((n = read(r->fd, r->chunk, FILE_BLOCK)) < 0)
		if (errno != EINTR)
			return pp_report_io(r->report, NULL, errno, "cannot read the archive");
	*out = r->chunk;
	return n;
}

static int
open_outer(struct pp_reader *r, int fd)
{
	struct archive_entry *entry = NULL;
	int filter = filter_of(fd);

	if (filter < 0)
		return pp_report_io(r->report, NULL, -filter, "cannot read the archive");
	if (filter == ARCHIVE_FILTER_NONE)
		return pp_report_bad(r->report, NULL, "is no tar compressed with zstd or gzip");
	r->fd = fd;
	r->chunk = pp_xmalloc(FILE_BLOCK);
	r->outer = archive_read_new();
	if (archive_read_support_format_raw(r->outer) != ARCHIVE_OK ||
	    archive_read_append_filter(r->outer, filter) != ARCHIVE_OK ||
	    archive_read_open(r->outer, r, NULL, read_file, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(r->outer, &entry) != ARCHIVE_OK)
		return pp_report_bad(
		    r->report, NULL, "is damaged or truncated: it cannot be decompressed");
	if (archive_filter_count(r->outer) != 2 || archive_filter_code(r->outer, 0) != filter ||
	    archive_filter_code(r->outer, 1) != ARCHIVE_FILTER_NONE)
		return pp_report_bad(r->report, NULL, "is not compressed once with zstd or gzip");
	return 0;
}

int
pp_reader_open(
    struct pp_reader *r, int fd, const struct pp_limits *limits, struct pp_report *report)
{
	struct stat st;

	*r = (struct pp_reader){ .report = report, .tar_max_bytes = tar_max_bytes(limits) };
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return pp_report_io(report, NULL, errno, "cannot read the archive");
	if (!S_ISREG(st.st_mode))
		return pp_report_bad(report, NULL, "is no regular file");
	r->file_bytes = (uint64_t)st.st_size;
	if (open_outer(r, fd) < 0)
		return -1;
	r->inner = archive_read_new();
	if (archive_read_support_format_tar(r->inner) != ARCHIVE_OK ||
	    archive_read_set_callback_data(r->inner, r) != ARCHIVE_OK ||
	    archive_read_set_read_callback(r->inner, feed) != ARCHIVE_OK)
		return fail_libarchive(r, r->inner, NULL);
	if (archive_read_open1(r->inner) != ARCHIVE_OK)
		return pp_report_bad(report, NULL, "holds no tar");
	return 0;
}

/*
 * The end, in this order: two blocks of zeros directly behind the last entry, nothing but zeros to
 * a block boundary, and no byte of the file left over.
 */
static int
check_end(struct pp_reader *r)
{
	uint64_t end = (uint64_t)archive_read_header_position(r->inner);
	const void *block;
	la_ssize_t n;

	do
		n = feed(r->inner, r, &block);
	while (n > 0);
	if (n < 0)
		return -1;
	if (r->last_byte > end)
		return pp_report_bad(r->report, NULL, "has data after its end");
	if (r->tar_bytes < end + 2 * PP_TAR_BLOCK || r->tar_bytes % PP_TAR_BLOCK != 0)
		return pp_report_bad(r->report, NULL, "is truncated: its end is missing");
	if ((uint64_t)archive_filter_bytes(r->outer, -1) != r->file_bytes)
		return pp_report_bad(r->report, NULL, "has bytes after the compressed data");
	return 0;
}

/* A view of the header block that ends at the reader's position, or NULL when it is gone. */
static const uint8_t *
header_block(struct pp_reader *r)
{
	uint64_t end = (uint64_t)archive_filter_bytes(r->inner, 0);
	uint64_t block_at = r->tar_bytes - r->block_n;

	if (end < PP_TAR_BLOCK || end > r->tar_bytes)
		return NULL;
	uint64_t at = end - PP_TAR_BLOCK;

	if (at >= block_at)
		return r->block + (at - block_at);
	size_t n = (size_t)(block_at - at);

	if (block_at - at > r->before_n)
		return NULL;
	memcpy(r->header, r->before + r->before_n - n, n);
	if (n < PP_TAR_BLOCK)
		memcpy(r->header + n, r->block, PP_TAR_BLOCK - n);
	return r->header;
}

/* Octal digits between blanks, ended by a blank, a NUL or the end of the field. */
static bool
octal(const uint8_t *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	*out = v;
	return i == n || p[i] == ' ' || p[i] == '\0';
}

/*
 * The header block itself says the same as what libarchive made of it and of the extended headers
 * before it: otherwise another program would see other files in this archive.
 */
static int
check_header(struct pp_reader *r, const struct pp_entry *e)
{
	static const char *const types[] = {
		[PP_ENTRY_FILE] = "0",
		[PP_ENTRY_DIR] = "5",
		[PP_ENTRY_LINK] = "2",
	};
	const uint8_t *h = header_block(r);
	uint64_t size;

	if (e->kind > PP_ENTRY_LINK)
		return 0; /* the policy has a better word for it */
	if (h == NULL || archive_entry_sparse_count(r->entry) > 0)
		return pp_report_bad(r->report, e->path, "is a sparse file");
	int type = h[156] == '\0' ? '0' : h[156];

	if (type == 'S')
		return pp_report_bad(r->report, e->path, "is a sparse file");
	if (type != types[e->kind][0])
		return pp_report_bad(r->report, e->path, "has a header of another kind");
	if (!octal(h + 124, 12, &size) || size != e->size)
		return pp_report_bad(
		    r->report, e->path, "has two sizes: its headers contradict each other");
	return 0;
}

static enum pp_entry_kind
kind_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL)
		return PP_ENTRY_HARDLINK;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return PP_ENTRY_FILE;
	case AE_IFDIR:
		return PP_ENTRY_DIR;
	case AE_IFLNK:
		return PP_ENTRY_LINK;
	case AE_IFCHR:
	case AE_IFBLK:
		return PP_ENTRY_DEVICE;
	case AE_IFIFO:
		return PP_ENTRY_FIFO;
	case AE_IFSOCK:
		return PP_ENTRY_SOCKET;
	default:
		return PP_ENTRY_UNKNOWN;
	}
}

int
pp_reader_next(struct pp_reader *r, struct pp_entry *out)
{
	int rc = archive_read_next_header(r->inner, &r->entry);

	if (rc == ARCHIVE_EOF)
		return check_end(r) < 0 ? -1 : 0;
	if (rc != ARCHIVE_OK)
		return fail_libarchive(r, r->inner, NULL);
	la_int64_t size = archive_entry_size(r->entry);

	*out = (struct pp_entry){
		.path = archive_entry_pathname(r->entry),
		.target = archive_entry_symlink(r->entry),
		.kind = kind_of(r->entry),
		.mode = (unsigned)archive_entry_perm(r->entry) & 07777,
		.size = size < 0 ? 0 : (uint64_t)size,
	};
	if (out->path == NULL || size < 0)
		return pp_report_bad(r->report, out->path, "has no readable name or size");
	if ((archive_format(r->inner) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR)
		return pp_report_bad(r->report, NULL, "is no tar");
	if (out->kind != PP_ENTRY_FILE && out->kind <= PP_ENTRY_LINK && out->size != 0)
		return pp_report_bad(r->report, out->path, "is no file, but has contents");
	return check_header(r, out) < 0 ? -1 : 1;
}

/* bsdtar writes each attribute twice, by its own name for it and by SCHILY's. */
int
pp_reader_stated(struct pp_reader *r, char out[PP_DIGEST_HEX_BYTES])
{
	const char *name = NULL;
	const void *value = NULL;
	size_t n = 0;

	out[0] = '\0';
	(void)archive_entry_xattr_reset(r->entry); /* gives their number */
	while (archive_entry_xattr_next(r->entry, &name, &value, &n) == ARCHIVE_OK) {
		if (strcmp(name, PP_DIGEST_XATTR) != 0)
			continue;
		if (out[0] != '\0' && (n != PP_DIGEST_HEX_BYTES - 1 || memcmp(out, value, n) != 0))
			return pp_report_bad(r->report, NULL, "states two digests of its tree");
		if (n != PP_DIGEST_HEX_BYTES - 1)
			return pp_report_bad(r->report, NULL,
			    "states a digest of its tree of %zu bytes, not of 64", n);
		memcpy(out, value, n);
		out[n] = '\0';
		if (!pp_is_sha256(out))
			return pp_report_bad(r->report, NULL,
			    "states a digest of its tree that is not 64 lower-case hex digits");
	}
	return 0;
}

int
pp_reader_copy(struct pp_reader *r, const struct pp_entry *e, int fd, struct pp_digest *digest)
{
	uint64_t done = 0;

	if (digest != NULL)
		pp_digest_begin(digest);

	for (;;) {
		const void *block = NULL;
		size_t n = 0;
		la_int64_t offset = 0;
		int rc = archive_read_data_block(r->inner, &block, &n, &offset);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return fail_libarchive(r, r->inner, e->path);
		if ((uint64_t)offset != done || n > e->size - done)
			return pp_report_bad(r->report, e->path, "is a sparse file");
		if (digest != NULL)
			pp_digest_add(digest, block, n);
		if (r->kept != NULL)
			pp_buf_add(r->kept, block, n);
		int w = fd < 0 ? 0 : pp_fd_write_all(fd, block, n);

		if (w < 0)
			return pp_report_io(r->report, e->path, -w, "cannot write");
		done += n;
	}
	if (done != e->size)
		return pp_report_bad(r->report, e->path,
		    "has %" PRIu64 " bytes, not the %" PRIu64 " of its header", done, e->size);
	return 0;
}

void
pp_reader_close(struct pp_reader *r)
{
	if (r->inner != NULL)
		archive_read_free(r->inner);
	if (r->outer != NULL)
		archive_read_free(r->outer);
	free(r->chunk);
	*r = (struct pp_reader){ 0 };
}
