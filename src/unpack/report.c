/* SPDX-License-Identifier: MIT */
/* Collects the outcome of one job and turns it into an answer for plugpkg. */
#include "unpack/report.h"

#include "base/mem.h"
#include "unpack/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES 2048

/* Of a name that no archive may have, enough to know it by: the answer has to fit a packet. */
static char *
copy_of(const char *entry)
{
	return entry != NULL ? pp_xstrndup(entry, strnlen(entry, PP_PATH_MAX_BYTES)) : NULL;
}

int
pp_report_bad(struct pp_report *r, const char *entry, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX_BYTES);
	va_list ap;

	if (r->failure != PP_NO_FAILURE)
		return -1;
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	r->failure = PP_BAD_ARCHIVE;
	r->entry = copy_of(entry);
	r->text = pp_buf_steal(&text);
	return -1;
}

int
pp_report_io(struct pp_report *r, const char *entry, int errnum, const char *what)
{
	if (r->failure != PP_NO_FAILURE)
		return -1;
	r->failure = errnum == ENOSPC || errnum == EDQUOT ? PP_NO_SPACE : PP_IO_ERROR;
	r->errnum = errnum;
	r->entry = copy_of(entry);
	r->text = pp_xstrdup(what);
	return -1;
}

pp_json *
pp_report_answer(const struct pp_report *r, int64_t id)
{
	static const char *const kinds[] = {
		[PP_NO_FAILURE] = NULL,
		[PP_BAD_ARCHIVE] = "archive",
		[PP_NO_SPACE] = "space",
		[PP_IO_ERROR] = "io",
	};
	pp_json *j = pp_json_object();

	pp_json_set_str(j, "type", r->failure == PP_NO_FAILURE ? "done" : "failed");
	pp_json_set_int(j, "id", id);
	if (r->failure == PP_NO_FAILURE) {
		pp_json_set_int(j, "bytes", (int64_t)r->bytes);
		pp_json_set_int(j, "files", (int64_t)r->files);
		if (r->tree_sha256[0] != '\0')
			pp_json_set_str(j, "tree_sha256", r->tree_sha256);
		pp_json_set_str(j, "manifest", r->manifest);
		return j;
	}
	pp_json_set_str(j, "kind", kinds[r->failure]);
	if (r->errnum != 0)
		pp_json_set_int(j, "errno", r->errnum);
	pp_json_set_str(j, "entry", r->entry);
	pp_json_set_str(j, "text", r->text);
	return j;
}

void
pp_report_fini(struct pp_report *r)
{
	free(r->entry);
	free(r->text);
	free(r->manifest);
	*r = (struct pp_report){ 0 };
}
