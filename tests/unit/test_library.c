/* SPDX-License-Identifier: MIT */
/* Libraries that are loaded at their first call. */
#include "base/library.h"
#include "base/wall.h"
#include "lib/state/state_db.h"
#include "tap.h"

#include <dlfcn.h>

static int n_calls;

/* Of another SQLite, which this application has inside and shows to all that it loads. */
__attribute__((visibility("default"))) int
sqlite3_initialize(void)
{
	n_calls++;
	return SQLITE_ERROR;
}

static void
a_library_calls_itself_and_not_another_copy_in_the_application(void)
{
#ifdef RTLD_DEEPBIND
	sqlite3 *db = NULL;

	if (PP_IS_WATCHED_BUILD)
		SKIP("sanitizers let every library see their functions first");
	CHECK_INT(
	    sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
	    SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_close(db), SQLITE_OK);
	CHECK_INT(n_calls, 0);
#else
	SKIP("this system has no RTLD_DEEPBIND");
#endif
}

static void
what_is_missing_is_named(void)
{
	void *table[1] = { NULL };
	const struct pp_library_call known = { "strlen", 0 }, unknown = { "no_such_call", 0 };

	CHECK(!pp_library_load("libnot-there.so.7", &known, 1, table));
	CHECK_HAS(pp_library_error(), "libnot-there.so.7");
	CHECK(!pp_library_load("libc.so.6", &unknown, 1, table));
	CHECK_HAS(pp_library_error(), "no_such_call");
	CHECK(pp_library_load("libc.so.6", &known, 1, table));
	CHECK(table[0] != NULL);
}

TAP_MAIN(CASE(a_library_calls_itself_and_not_another_copy_in_the_application)
	CASE(what_is_missing_is_named))
