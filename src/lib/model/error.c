/* SPDX-License-Identifier: MIT */
/*
 * The error object, and the one table that says what each code is called and how the programs
 * leave.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_text.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "lib/model/error.h"

#define MESSAGE_MAX_BYTES 65536
#define SHOWN_MAX_BYTES   80

struct plugpkg_error {
	enum plugpkg_code code;
	int errnum;
	bool retryable;
	char *message, *hint, *subject, *where, *details;
};

static const struct {
	const char *name;
	int exit_status;
} codes[PLUGPKG_N_CODES] = {
	[PLUGPKG_OK] = { "ok", 0 },
	[PLUGPKG_E_FAILED] = { "failed", 1 },
	[PLUGPKG_E_USAGE] = { "usage", 2 },
	[PLUGPKG_E_BAD_NAME] = { "bad-name", 2 },
	[PLUGPKG_E_BAD_VERSION] = { "bad-version", 2 },
	[PLUGPKG_E_BAD_RANGE] = { "bad-range", 2 },
	[PLUGPKG_E_BAD_MANIFEST] = { "bad-manifest", 1 },
	[PLUGPKG_E_BAD_CONFIG] = { "bad-config", 1 },
	[PLUGPKG_E_BAD_ARCHIVE] = { "bad-archive", 6 },
	[PLUGPKG_E_BAD_METADATA] = { "bad-metadata", 6 },
	[PLUGPKG_E_BAD_STATE] = { "bad-state", 1 },
	[PLUGPKG_E_NO_ROOT] = { "no-root", 1 },
	[PLUGPKG_E_NEWER_ROOT] = { "newer-root", 1 },
	[PLUGPKG_E_EXISTS] = { "exists", 1 },
	[PLUGPKG_E_NOT_FOUND] = { "not-found", 4 },
	[PLUGPKG_E_NOT_INSTALLED] = { "not-installed", 4 },
	[PLUGPKG_E_NO_SOLUTION] = { "no-solution", 3 },
	[PLUGPKG_E_NETWORK] = { "network", 5 },
	[PLUGPKG_E_SIGNATURE] = { "signature-invalid", 6 },
	[PLUGPKG_E_KEY] = { "wrong-key", 6 },
	[PLUGPKG_E_EXPIRED] = { "metadata-expired", 6 },
	[PLUGPKG_E_ROLLBACK] = { "metadata-older", 6 },
	[PLUGPKG_E_DIGEST] = { "digest-mismatch", 6 },
	[PLUGPKG_E_SCRIPT] = { "script-failed", 7 },
	[PLUGPKG_E_LOCKED] = { "locked", 8 },
	[PLUGPKG_E_REFUSED] = { "refused", 9 },
	[PLUGPKG_E_CONFIRM] = { "needs-confirmation", 11 },
	[PLUGPKG_E_DECLINED] = { "declined", 1 },
	[PLUGPKG_E_IO] = { "io", 1 },
	[PLUGPKG_E_NO_SPACE] = { "no-space", 1 },
	[PLUGPKG_E_PERMISSION] = { "permission", 1 },
	[PLUGPKG_E_INTERRUPTED] = { "interrupted", 130 },
	[PLUGPKG_E_HOST] = { "host-versions", 1 },
	[PLUGPKG_E_BAD_LOCK] = { "bad-lock", 1 },
	[PLUGPKG_E_LOCK_MISMATCH] = { "lock-mismatch", 3 },
	[PLUGPKG_E_UNHEALTHY] = { "unhealthy", 7 },
	[PLUGPKG_E_OWNER] = { "owner-key", 6 },
};

const char *
plugpkg_code_name(enum plugpkg_code code)
{
	if ((unsigned)code >= PLUGPKG_N_CODES)
		return "unknown";
	return codes[code].name;
}

int
plugpkg_code_exit_status(enum plugpkg_code code)
{
	if ((unsigned)code >= PLUGPKG_N_CODES)
		return 1;
	return codes[code].exit_status;
}

enum plugpkg_code
plugpkg_error_code(const plugpkg_error *err)
{
	return err != NULL ? err->code : PLUGPKG_OK;
}

const char *
plugpkg_error_message(const plugpkg_error *err)
{
	return err != NULL ? err->message : "";
}

const char *
plugpkg_error_hint(const plugpkg_error *err)
{
	return err != NULL ? err->hint : NULL;
}

const char *
plugpkg_error_subject(const plugpkg_error *err)
{
	return err != NULL ? err->subject : NULL;
}

const char *
plugpkg_error_details(const plugpkg_error *err)
{
	return err != NULL ? err->details : NULL;
}

int
plugpkg_error_errno(const plugpkg_error *err)
{
	return err != NULL ? err->errnum : 0;
}

const char *
plugpkg_error_where(const plugpkg_error *err)
{
	return err != NULL ? err->where : "";
}

void
plugpkg_error_free(plugpkg_error *err)
{
	if (err == NULL)
		return;
	free(err->message);
	free(err->hint);
	free(err->subject);
	free(err->where);
	free(err->details);
	free(err);
}

void
pp_auto_error(plugpkg_error **err)
{
	int keep = errno;

	plugpkg_error_free(*err);
	errno = keep;
}

static enum plugpkg_code
code_of(enum plugpkg_code code, int errnum)
{
	if (code != PLUGPKG_E_IO)
		return code;
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return PLUGPKG_E_NO_SPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return PLUGPKG_E_PERMISSION;
	default:
		return code;
	}
}

enum plugpkg_code
pp_fail_at(plugpkg_error **err, enum plugpkg_code code, int errnum, const char *file, int line,
    const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MESSAGE_MAX_BYTES);
	va_list ap;

	code = code_of(code, errnum);
	if (err == NULL)
		return code;
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (errnum != 0)
		pp_buf_addf(&text, ": %s", pp_errno_text(errnum));

	plugpkg_error *e = pp_xcalloc(1, sizeof(*e));

	e->code = code;
	e->errnum = errnum;
	e->message = pp_buf_steal(&text);
	e->where = pp_asprintf("%s:%d", file, line);
	/*
	 * A later failure replaces an earlier one that nobody wanted, as when a second mirror is
	 * tried.
	 */
	plugpkg_error_free(*err);
	*err = e;
	return code;
}

enum plugpkg_code
pp_wrap(plugpkg_error **err, enum plugpkg_code rc, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MESSAGE_MAX_BYTES);
	va_list ap;

	if (err == NULL || *err == NULL)
		return rc;
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pp_buf_addf(&text, ": %s", (*err)->message);
	free((*err)->message);
	(*err)->message = pp_buf_steal(&text);
	return rc;
}

enum plugpkg_code
pp_hint(plugpkg_error **err, enum plugpkg_code rc, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MESSAGE_MAX_BYTES);
	va_list ap;

	if (err == NULL || *err == NULL || (*err)->hint != NULL)
		return rc;
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	(*err)->hint = pp_buf_steal(&text);
	return rc;
}

enum plugpkg_code
pp_details(plugpkg_error **err, enum plugpkg_code rc, struct pp_json *details)
{
	PP_AUTO_JSON pp_json *j = details;

	if (err == NULL || *err == NULL)
		return rc;
	free((*err)->details);
	(*err)->details = pp_json_line(j);
	return rc;
}

enum plugpkg_code
pp_subject(plugpkg_error **err, enum plugpkg_code rc, const char *subject)
{
	if (err == NULL || *err == NULL)
		return rc;

	char *copy = pp_xstrdup(subject);

	free((*err)->subject);
	(*err)->subject = copy;
	return rc;
}

void
pp_error_replace(plugpkg_error **to, plugpkg_error **from)
{
	if (to == NULL)
		return;
	plugpkg_error_free(*to);
	*to = pp_steal(from);
}

enum plugpkg_code
pp_recode(plugpkg_error **err, enum plugpkg_code code)
{
	if (err != NULL && *err != NULL)
		(*err)->code = code;
	return code;
}

enum plugpkg_code
pp_code_of_read(int error, enum plugpkg_code its_own)
{
	static const int own[] = { ENOENT, ENOTDIR, EISDIR, ELOOP, EMEDIUMTYPE, EFBIG };

	for (size_t i = 0; i < PP_LEN(own); i++)
		if (error == -own[i])
			return its_own;
	return PLUGPKG_E_IO;
}

enum plugpkg_code
pp_retryable(plugpkg_error **err, enum plugpkg_code rc)
{
	if (err != NULL && *err != NULL)
		(*err)->retryable = true;
	return rc;
}

bool
pp_error_is_retryable(const plugpkg_error *err)
{
	return err != NULL && err->retryable;
}

char *
pp_shown(const char *s, size_t n)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(8 * SHOWN_MAX_BYTES);
	size_t shown = n;

	if (n > SHOWN_MAX_BYTES) {
		shown = SHOWN_MAX_BYTES;
		/* Never in the middle of a UTF-8 sequence. */
		while (shown > 0 && ((unsigned char)s[shown] & 0xc0) == 0x80)
			shown--;
	}
	pp_sanitize(&text, s, shown);
	if (shown < n)
		pp_buf_adds(&text, "…");
	return pp_buf_steal(&text);
}
