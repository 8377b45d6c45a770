/* SPDX-License-Identifier: MIT */
/*
 * Reader, policy and writer in a row: what the policy admits is written, the first refusal ends it.
 */
#include "unpack/extract.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "unpack/reader.h"
#include "unpack/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MANIFEST           "plugin.json"
#define MANIFEST_MAX_BYTES (1024 * 1024) /* a larger one is refused by who reads it */
#define TOLD_MAX_BYTES     8192          /* six times as many fit into an answer */

struct extract {
	const struct pp_extraction *what;
	struct pp_reader reader;
	struct pp_policy policy;
	struct pp_writer writer;
	struct pp_digest *digest; /* NULL: none is taken */
	char stated[PP_DIGEST_HEX_BYTES];
	bool is_compared, is_look;
	struct pp_buf manifest; /* of a look */
	bool is_aside;          /* the manifest: it may not have to be written */
	int made_fd;            /* the directory that was made for this */
};

/* A look needs what the manifest may mean by its texts, and what may be a program. */
static bool
is_written(const struct extract *x, const struct pp_entry *e, const char *path)
{
	if (!x->is_look || strcmp(path, MANIFEST) == 0)
		return !x->is_aside;
	return (e->mode & 0100) != 0 || strstr(pp_buf_cstr(&x->manifest), path) != NULL;
}

/* The directory is there, or made now. */
static int
open_dir(struct extract *x, const char *path)
{
	const struct pp_extraction *what = x->what;

	if (x->writer.dir_fd >= 0)
		return 0;
	int r = pp_mkdirat(what->dir_fd, what->dir, 0700) < 0 ? -errno : 0;
	if (r == 0)
		r = x->made_fd = pp_open_beneath(
		    what->dir_fd, what->dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, PP_NO_SYMLINKS);
	x->writer.dir_fd = x->made_fd;
	return r < 0 ? pp_report_io(x->reader.report, path, -r, "cannot make a directory for") : 0;
}

/* A descriptor, or -1 reported. */
static int
create(struct extract *x, const char *path, unsigned mode)
{
	if (open_dir(x, path) < 0)
		return -1;
	int fd = pp_writer_file(&x->writer, path, mode);

	return fd < 0 ? pp_report_io(x->reader.report, path, -fd, "cannot create") : fd;
}

/* The first entry, as the policy wants it. What does not fit into the text names nothing. */
static int
begin_manifest(struct extract *x, const struct pp_entry *e)
{
	x->is_aside = x->what->dir != NULL && e->size <= TOLD_MAX_BYTES && (e->mode & 0100) == 0;
	x->reader.kept = x->is_look ? &x->manifest : NULL;
	if (pp_reader_stated(&x->reader, x->stated) < 0)
		return -1;
	if (x->stated[0] != '\0' && !x->is_compared)
		x->digest = NULL;
	return 0;
}

static int
extract_file(struct extract *x, const struct pp_entry *e, const char *path)
{
	unsigned mode = (e->mode & 0100) != 0 ? 0555 : 0444;
	int fd = -1;

	x->reader.kept = NULL;
	if (strcmp(path, MANIFEST) == 0 && begin_manifest(x, e) < 0)
		return -1;
	if (is_written(x, e, path)) {
		fd = create(x, path, mode);
		if (fd < 0)
			return -1;
	}
	if (pp_reader_copy(&x->reader, e, fd, x->digest) < 0)
		return -1;
	if (x->digest != NULL)
		pp_digest_file(x->digest, path, mode, e->size);
	return 0;
}

static int
extract_entry(struct extract *x, const struct pp_entry *e, const char *path)
{
	if (e->kind == PP_ENTRY_FILE)
		return extract_file(x, e, path);
	if (e->kind == PP_ENTRY_LINK) {
		pp_writer_link(&x->writer, path, e->target);
		if (x->digest != NULL)
			pp_digest_link(x->digest, path, e->target);
		return 0;
	}
	if (x->is_look)
		return 0;
	int err = pp_writer_dir(&x->writer, path);

	return err < 0 ? pp_report_io(x->reader.report, path, -err, "cannot create directory") : 0;
}

/* It says all that is to be seen, and can be said. */
static bool
is_all(const struct extract *x, const char *manifest)
{
	size_t n = x->manifest.n;

	return x->writer.dir_fd < 0 && x->writer.links.n == 0 && pp_is_utf8(manifest, n) &&
	       strlen(manifest) == n && strstr(manifest, MANIFEST) == NULL;
}

static int
settle_manifest(struct extract *x)
{
	const char *text = pp_buf_cstr(&x->manifest);

	if (!x->is_aside)
		return 0;
	if (is_all(x, text)) {
		x->reader.report->manifest = pp_buf_steal(&x->manifest);
		return 0;
	}
	int fd = create(x, MANIFEST, 0444);
	if (fd < 0)
		return -1;
	int r = pp_fd_write_all(fd, text, x->manifest.n);
	return r < 0 ? pp_report_io(x->reader.report, MANIFEST, -r, "cannot write") : 0;
}

static int
extract_all(struct extract *x)
{
	struct pp_reader *r = &x->reader;
	char path[PP_PATH_MAX_BYTES + 1];
	const char *failed = NULL;
	struct pp_entry e;
	int more;

	while ((more = pp_reader_next(r, &e)) > 0) {
		if (pp_policy_admit(&x->policy, &e, path) < 0 || extract_entry(x, &e, path) < 0)
			return -1;
	}
	if (more < 0 || pp_policy_end(&x->policy) < 0 || settle_manifest(x) < 0)
		return -1;
	int err = pp_writer_end(&x->writer, &failed);

	return err < 0 ? pp_report_io(r->report, failed, -err, "cannot create link") : 0;
}

static void
extract_fini(struct extract *x)
{
	pp_reader_close(&x->reader);
	pp_policy_fini(&x->policy);
	pp_writer_fini(&x->writer);
	pp_buf_fini(&x->manifest);
	pp_auto_fd(&x->made_fd);
}

static int
settle_digest(struct extract *x, struct pp_report *report)
{
	char taken[PP_DIGEST_HEX_BYTES];

	memcpy(report->tree_sha256, x->stated, sizeof(x->stated));
	if (x->digest == NULL)
		return 0;
	pp_digest_end(x->digest, taken);
	if (x->stated[0] != '\0' && strcmp(taken, x->stated) != 0)
		return pp_report_bad(
		    report, NULL, "states another digest of its tree than its contents have");
	memcpy(report->tree_sha256, taken, sizeof(taken));
	return 0;
}

void
pp_extract(const struct pp_extraction *what, struct pp_report *report)
{
	PP_CLEANUP(extract_fini)
	struct extract x = {
		.what = what,
		.writer = { .dir_fd = what->dir == NULL ? what->dir_fd : -1 },
		.digest = what->digest,
		.is_compared = what->is_compared,
		.is_look = what->is_look,
		.manifest = PP_BUF_INIT(MANIFEST_MAX_BYTES),
		.made_fd = -1,
	};

	pp_policy_init(&x.policy, &what->limits, report);
	if (pp_reader_open(&x.reader, what->archive_fd, &what->limits, report) == 0 &&
	    extract_all(&x) == 0)
		(void)settle_digest(&x, report); /* the report has it */
}
