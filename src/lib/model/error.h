/* SPDX-License-Identifier: MIT */
/* The error object: made where the name of the thing is known, prefixed on the way up. */
#ifndef PP_MODEL_ERROR_H
#define PP_MODEL_ERROR_H

#include <plugpkg.h>

#include "base/compiler.h"

/*
 * Each returns the code, so that failing is one line. errnum != 0 appends ": <text of errnum>", and
 * turns PLUGPKG_E_IO into NO_SPACE or PERMISSION where errnum says so. err may be NULL.
 */
#ifndef __clang_analyzer__
#define pp_fail(err, code, errnum, ...)                                                            \
	pp_fail_at(err, code, errnum, __FILE__, __LINE__, __VA_ARGS__)
#else /* which does not see that a failure is never OK */
#define pp_fail(err, code, errnum, ...)                                                            \
	((void)pp_fail_at(err, code, errnum, __FILE__, __LINE__, __VA_ARGS__), (code))
#endif
enum plugpkg_code pp_fail_at(plugpkg_error **err, enum plugpkg_code code, int errnum,
    const char *file, int line, const char *fmt, ...) PP_PRINTF(6, 7);
/* Puts "<text>: " before the message of *err. Returns rc. */
enum plugpkg_code pp_wrap(plugpkg_error **err, enum plugpkg_code rc, const char *fmt, ...)
    PP_PRINTF(3, 4);
/* Sets the advice, unless there is one. Returns rc. */
enum plugpkg_code pp_hint(plugpkg_error **err, enum plugpkg_code rc, const char *fmt, ...)
    PP_PRINTF(3, 4);
/* What programs can read of it: an object, moved. Returns rc. */
struct pp_json;
enum plugpkg_code pp_details(plugpkg_error **err, enum plugpkg_code rc, struct pp_json *details);
enum plugpkg_code pp_subject(plugpkg_error **err, enum plugpkg_code rc, const char *subject);
/* May another mirror help? For the network layer. */
enum plugpkg_code pp_retryable(plugpkg_error **err, enum plugpkg_code rc);
bool pp_error_is_retryable(const plugpkg_error *err);
void pp_auto_error(plugpkg_error **err);
/*
 * Counts the failure as another one: a bad range inside a manifest is a bad manifest. Returns code.
 */
enum plugpkg_code pp_recode(plugpkg_error **err, enum plugpkg_code code);
/*
 * The code for a file that could not be read, with -errno: `its_own` when the fault is the file's,
 * which is missing, of another kind or too large; IO when it is the system's.
 */
enum plugpkg_code pp_code_of_read(int error, enum plugpkg_code its_own);
/* What happened instead of what was told before. from: moved; to: may be NULL. */
void pp_error_replace(plugpkg_error **to, plugpkg_error **from);
/* Foreign text as a message may quote it: sanitised, cut after some 80 bytes. Owned. */
char *pp_shown(const char *s, size_t n);

#endif
