/* SPDX-License-Identifier: MIT */
/*
 * Reader, policy and writer in a row: what the policy admits is written, the first refusal ends it.
 */
#include "unpack/extract.h"

#include "base/fd.h"
#include "unpack/reader.h"
#include "unpack/writer.h"

static int
extract_file(struct pp_reader *r, struct pp_writer *w, const struct pp_entry *e, const char *path)
{
	PP_AUTO_FD int fd = pp_writer_file(w, path, (e->mode & 0100) != 0);

	if (fd < 0)
		return pp_report_io(r->report, path, -fd, "cannot create");
	return pp_reader_copy(r, e, fd);
}

static int
extract_entry(struct pp_reader *r, struct pp_writer *w, const struct pp_entry *e, const char *path)
{
	if (e->kind == PP_ENTRY_FILE)
		return extract_file(r, w, e, path);
	if (e->kind == PP_ENTRY_LINK) {
		pp_writer_link(w, path, e->target);
		return 0;
	}
	int err = pp_writer_dir(w, path);

	return err < 0 ? pp_report_io(r->report, path, -err, "cannot create directory") : 0;
}

static int
extract_all(struct pp_reader *r, struct pp_policy *p, struct pp_writer *w)
{
	char path[PP_PATH_MAX_BYTES + 1];
	const char *failed = NULL;
	struct pp_entry e;
	int more;

	while ((more = pp_reader_next(r, &e)) > 0) {
		if (pp_policy_admit(p, &e, path) < 0 || extract_entry(r, w, &e, path) < 0)
			return -1;
	}
	if (more < 0 || pp_policy_end(p) < 0)
		return -1;
	int err = pp_writer_end(w, &failed);

	return err < 0 ? pp_report_io(r->report, failed, -err, "cannot create link") : 0;
}

void
pp_extract(int archive_fd, int dir_fd, const struct pp_limits *limits, struct pp_report *report)
{
	PP_CLEANUP(pp_reader_close) struct pp_reader reader = { 0 };
	PP_CLEANUP(pp_policy_fini) struct pp_policy policy = { 0 };
	PP_CLEANUP(pp_writer_fini) struct pp_writer writer = { .dir_fd = dir_fd };

	pp_policy_init(&policy, limits, report);
	if (pp_reader_open(&reader, archive_fd, limits, report) == 0)
		(void)extract_all(&reader, &policy, &writer); /* the report has it */
}
