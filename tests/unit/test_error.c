/* SPDX-License-Identifier: MIT */
/* The error object, the table of codes, and events and rows of the context. */
#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "lib/model/context.h"
#include "lib/model/error.h"
#include "tap.h"

static void
every_code_has_a_name_and_an_exit_status(void)
{
	for (int i = 0; i < PLUGPKG_N_CODES; i++) {
		const char *name = plugpkg_code_name((enum plugpkg_code)i);

		CHECK(name != NULL && strcmp(name, "unknown") != 0);
		CHECK((plugpkg_code_exit_status((enum plugpkg_code)i) == 0) == (i == 0));
		for (int k = 0; k < i; k++)
			CHECK(strcmp(name, plugpkg_code_name((enum plugpkg_code)k)) != 0);
	}
	CHECK_STR(plugpkg_code_name((enum plugpkg_code)999), "unknown");
	CHECK_INT(plugpkg_code_exit_status((enum plugpkg_code)999), 1);
}

static void
exit_statuses_are_those_of_the_manual(void)
{
	static const struct {
		enum plugpkg_code code;
		const char *name;
		int status;
	} rows[] = {
		{ PLUGPKG_E_USAGE, "usage", 2 },
		{ PLUGPKG_E_NO_SOLUTION, "no-solution", 3 },
		{ PLUGPKG_E_NOT_FOUND, "not-found", 4 },
		{ PLUGPKG_E_NETWORK, "network", 5 },
		{ PLUGPKG_E_SIGNATURE, "signature-invalid", 6 },
		{ PLUGPKG_E_SCRIPT, "script-failed", 7 },
		{ PLUGPKG_E_UNHEALTHY, "unhealthy", 7 },
		{ PLUGPKG_E_OWNER, "owner-key", 6 },
		{ PLUGPKG_E_LOCKED, "locked", 8 },
		{ PLUGPKG_E_REFUSED, "refused", 9 },
		{ PLUGPKG_E_CONFIRM, "needs-confirmation", 11 },
		{ PLUGPKG_E_INTERRUPTED, "interrupted", 130 },
		{ PLUGPKG_E_BAD_LOCK, "bad-lock", 1 },
		{ PLUGPKG_E_LOCK_MISMATCH, "lock-mismatch", 3 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		CHECK_STR(plugpkg_code_name(rows[i].code), rows[i].name);
		CHECK_INT(plugpkg_code_exit_status(rows[i].code), rows[i].status);
	}
}

static void
an_error_says_what_and_where_and_why(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(pp_fail(&err, PLUGPKG_E_IO, ENOENT, "cannot open '%s'", "x"), PLUGPKG_E_IO);
	CHECK_INT(plugpkg_error_code(err), PLUGPKG_E_IO);
	CHECK_INT(plugpkg_error_errno(err), ENOENT);
	CHECK_STR(plugpkg_error_message(err), "cannot open 'x': no such file or directory");
	CHECK_HAS(plugpkg_error_where(err), "test_error.c:");
	CHECK(plugpkg_error_hint(err) == NULL);
	CHECK(plugpkg_error_subject(err) == NULL);
}

static void
errors_are_prefixed_and_given_advice_on_the_way_up(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	enum plugpkg_code rc = pp_fail(&err, PLUGPKG_E_NOT_FOUND, 0, "no version fits");

	CHECK_INT(pp_hint(&err, rc, "try %d", 1), rc);
	CHECK_INT(pp_hint(&err, rc, "try 2"), rc);
	CHECK_INT(pp_wrap(&err, rc, "plugin '%s'", "user"), rc);
	CHECK_INT(pp_subject(&err, rc, "user"), rc);
	CHECK_STR(plugpkg_error_message(err), "plugin 'user': no version fits");
	CHECK_STR(plugpkg_error_hint(err), "try 1");
	CHECK_STR(plugpkg_error_subject(err), "user");
	CHECK_INT(pp_recode(&err, PLUGPKG_E_BAD_CONFIG), PLUGPKG_E_BAD_CONFIG);
	CHECK_INT(plugpkg_error_code(err), PLUGPKG_E_BAD_CONFIG);
	CHECK(!pp_error_is_retryable(err));
	CHECK_INT(pp_retryable(&err, rc), rc);
	CHECK(pp_error_is_retryable(err));
}

static void
io_becomes_no_space_or_permission_where_errno_says_so(void)
{
	static const struct {
		int errnum;
		enum plugpkg_code want;
	} rows[] = {
		{ ENOSPC, PLUGPKG_E_NO_SPACE },
		{ EDQUOT, PLUGPKG_E_NO_SPACE },
		{ EACCES, PLUGPKG_E_PERMISSION },
		{ EROFS, PLUGPKG_E_PERMISSION },
		{ EPERM, PLUGPKG_E_PERMISSION },
		{ EIO, PLUGPKG_E_IO },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		CHECK_INT(pp_fail(NULL, PLUGPKG_E_IO, rows[i].errnum, "x"), rows[i].want);
		CHECK_INT(pp_fail(NULL, PLUGPKG_E_NETWORK, rows[i].errnum, "x"), PLUGPKG_E_NETWORK);
	}
}

static void
nobody_has_to_want_the_error(void)
{
	enum plugpkg_code rc = pp_fail(NULL, PLUGPKG_E_FAILED, 0, "x");
	plugpkg_error *none = NULL;

	CHECK_INT(pp_wrap(NULL, rc, "y"), rc);
	CHECK_INT(pp_hint(&none, rc, "y"), rc);
	CHECK_INT(pp_subject(NULL, rc, "y"), rc);
	CHECK(none == NULL);
	plugpkg_error_free(NULL);
	CHECK_STR(plugpkg_error_message(NULL), "");
}

static void
a_later_failure_replaces_an_earlier_one(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	(void)pp_fail(&err, PLUGPKG_E_NETWORK, 0, "first");
	(void)pp_fail(&err, PLUGPKG_E_DIGEST, 0, "second");
	CHECK_STR(plugpkg_error_message(err), "second");
	CHECK_INT(plugpkg_error_code(err), PLUGPKG_E_DIGEST);
}

static void
foreign_text_is_shown_without_tricks(void)
{
	PP_AUTO_FREE char *escape = pp_shown("a\x1b[31mb", 7);
	PP_AUTO_FREE char *line = pp_shown("a\nb", 3);
	char many[200];

	CHECK_STR(escape, "a\\x1b[31mb");
	CHECK(strchr(line, '\n') == NULL);
	memset(many, 'x', sizeof(many));

	PP_AUTO_FREE char *cut = pp_shown(many, sizeof(many));

	CHECK(strlen(cut) < 100);
	CHECK_HAS(cut, "…");
}

static void
collect(const char *json, void *user)
{
	struct pp_strs *rows = user;

	pp_strs_add(rows, json);
}

static void
rows_start_with_their_version_and_type(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs rows = { 0 };
	pp_json *row = pp_row_new("plugin");

	pp_json_set_str(row, "name", "user");
	pp_row(collect, &rows, row);
	CHECK_STR(rows.at[0], "{\"v\":1,\"type\":\"plugin\",\"name\":\"user\"}");
	pp_row(NULL, NULL, pp_row_new("unheard"));
}

static void
hear(const struct plugpkg_event *ev, void *user)
{
	pp_strs_add(user, ev->text);
	CHECK_INT(ev->type, PLUGPKG_EVENT_WARNING);
	CHECK_STR(ev->plugin, "user");
}

static void
events_and_questions_go_to_whom_listens(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs heard = { 0 };
	plugpkg_context ctx = { .event_fn = hear, .event_user = &heard };
	struct plugpkg_question q = { .type = PLUGPKG_ASK_CONTINUE };

	pp_warn(&ctx, "user", "%s is odd", "it");
	pp_warn(NULL, "user", "nobody hears");
	CHECK_INT(heard.n, 1);
	CHECK_STR(heard.at[0], "it is odd");
	CHECK_INT(pp_ask(&ctx, &q), PLUGPKG_ANSWER_NOBODY);
}

static void
cancelling_is_seen(void)
{
	plugpkg_context ctx = { .cancelled = 0 };

	CHECK_INT(pp_check_cancel(&ctx, NULL), PLUGPKG_OK);
	CHECK_INT(pp_check_cancel(NULL, NULL), PLUGPKG_OK);
	atomic_store(&ctx.cancelled, 1);
	CHECK_INT(pp_check_cancel(&ctx, NULL), PLUGPKG_E_INTERRUPTED);
}

TAP_MAIN(CASE(every_code_has_a_name_and_an_exit_status) CASE(exit_statuses_are_those_of_the_manual)
	CASE(an_error_says_what_and_where_and_why)
	    CASE(errors_are_prefixed_and_given_advice_on_the_way_up)
		CASE(io_becomes_no_space_or_permission_where_errno_says_so)
		    CASE(nobody_has_to_want_the_error) CASE(a_later_failure_replaces_an_earlier_one)
			CASE(foreign_text_is_shown_without_tricks)
			    CASE(rows_start_with_their_version_and_type) CASE(
				events_and_questions_go_to_whom_listens) CASE(cancelling_is_seen))
