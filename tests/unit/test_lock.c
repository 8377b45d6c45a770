/* SPDX-License-Identifier: MIT */
/*
 * The lock of a root: one holder, named to who waits, released by its death, refused to its own
 * scripts.
 */
#include "lib/txn/lock.h"

#include "base/fd.h"
#include "lib/state/journal.h"
#include "root_make.h"
#include "tap.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* Another process that holds the lock until the pipe closes; its pid. */
static pid_t
hold_elsewhere(const struct root *r, const char *what, int *out_release_fd)
{
	int ready[2], release[2];
	char byte;

	if (pipe(ready) < 0 || pipe(release) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		plugpkg_context *ctx = NULL;
		close(release[1]);
		if (plugpkg_open(r->path, &ctx, NULL) != PLUGPKG_OK ||
		    pp_lock(ctx, what, NULL) != PLUGPKG_OK || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(release[0], &byte, 1) == 0 ? 0 : 2); /* dies with the lock held */
	}
	close(release[0]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	*out_release_fd = release[1];
	return pid;
}

static void
let_go(pid_t pid, int release_fd)
{
	int status = -1;

	close(release_fd);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void
a_free_lock_is_taken_and_given_back(void)
{
	struct root r;

	if (root_init(&r)) {
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
		CHECK(r.ctx->lock_fd >= 0);
		pp_unlock(r.ctx);
		CHECK_INT(r.ctx->lock_fd, -1);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
	}
	root_fini(&r);
}

static void
who_does_not_wait_is_told_the_holder(void)
{
	struct root r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "install photos", &release);
		PP_AUTO_FREE char *who =
		    pp_asprintf("process %d (plugpkg install photos, since ", (int)pid);
		plugpkg_set_lock_wait(r.ctx, 0);
		CHECK_INT(pp_lock(r.ctx, "update", &err), PLUGPKG_E_LOCKED);
		CHECK_HAS(plugpkg_error_message(err), who);
		CHECK_INT(r.ctx->lock_fd, -1);
		let_go(pid, release);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
	}
	root_fini(&r);
}

static void
waiting_names_the_holder_once_and_ends_with_it(void)
{
	struct root r;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "install photos", &release);
		pid_t helper = fork();
		if (helper == 0) {
			struct timespec pause = { .tv_nsec = 300000000 };
			(void)nanosleep(&pause, NULL);
			(void)kill(pid, SIGKILL);
			_exit(0);
		}
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
		CHECK_HAS(pp_buf_cstr(&r.events), "waiting for process ");
		CHECK_HAS(pp_buf_cstr(&r.events), "(plugpkg install photos, since ");
		CHECK(strstr(strstr(pp_buf_cstr(&r.events), "waiting") + 1, "waiting") == NULL);
		CHECK_INT(waitpid(helper, NULL, 0), helper);
		CHECK_INT(waitpid(pid, NULL, 0), pid);
		close(release);
	}
	root_fini(&r);
}

static void
waiting_has_a_limit(void)
{
	struct root r;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "update", &release);
		plugpkg_set_lock_wait(r.ctx, 200);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_E_LOCKED);
		CHECK_HAS(pp_buf_cstr(&r.events), "waiting for process ");
		let_go(pid, release);
	}
	root_fini(&r);
}

static void
waiting_can_be_cancelled(void)
{
	struct root r;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "update", &release);
		plugpkg_cancel(r.ctx);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_E_INTERRUPTED);
		let_go(pid, release);
	}
	root_fini(&r);
}

static void
a_script_of_this_root_is_refused_at_once(void)
{
	struct root r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "install photos", &release);
		setenv("PLUGPKG_TRANSACTION", "12", 1);
		setenv("PLUGPKG_ROOT", r.path, 1);
		CHECK_INT(pp_lock(r.ctx, "update", &err), PLUGPKG_E_REFUSED);
		CHECK_HAS(plugpkg_error_message(err),
		    "called from a script of transaction 12 on this root");
		let_go(pid, release);
		/* Free, it is no script of a running transaction, whatever the environment says. */
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
		unsetenv("PLUGPKG_TRANSACTION");
		unsetenv("PLUGPKG_ROOT");
	}
	root_fini(&r);
}

static void
a_script_of_another_root_may_wait(void)
{
	struct root r;
	int release = -1;

	if (root_init(&r)) {
		pid_t pid = hold_elsewhere(&r, "update", &release);
		setenv("PLUGPKG_TRANSACTION", "12", 1);
		setenv("PLUGPKG_ROOT", r.scratch.path, 1);
		plugpkg_set_lock_wait(r.ctx, 0);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_E_LOCKED);
		unsetenv("PLUGPKG_TRANSACTION");
		unsetenv("PLUGPKG_ROOT");
		let_go(pid, release);
	}
	root_fini(&r);
}

static void
a_transaction_that_was_cut_off_is_told(void)
{
	struct root r;
	struct pp_state *state = NULL;
	int64_t txn = 0;
	PP_AUTO_JSON pp_json *intent = pp_json_object();

	pp_json_set_int(intent, "from", 0);
	pp_json_set_int(intent, "to", 1);
	if (root_init(&r)) {
		CHECK_INT(pp_state_get(r.ctx, &state, NULL), PLUGPKG_OK);
		CHECK_INT(
		    pp_journal_begin(state, "install user", intent, 5, &txn, NULL), PLUGPKG_OK);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
		CHECK_HAS(pp_buf_cstr(&r.events),
		    "transaction 1 (install user) was cut off: it was undone");
	}
	root_fini(&r);
}

static void
the_configuration_is_read_again_under_the_lock(void)
{
	struct root r;
	static const char other[] = "{\"name\":\"other\"}";

	if (root_init(&r)) {
		CHECK_INT(
		    pp_write_file_at(r.ctx->root_fd, "plugpkg.json", other, strlen(other), 0644),
		    0);
		CHECK_INT(pp_lock(r.ctx, "update", NULL), PLUGPKG_OK);
		CHECK_STR(r.ctx->config->name, "other");
	}
	root_fini(&r);
}

TAP_MAIN(CASE(a_free_lock_is_taken_and_given_back) CASE(who_does_not_wait_is_told_the_holder)
	CASE(waiting_names_the_holder_once_and_ends_with_it) CASE(waiting_has_a_limit)
	    CASE(waiting_can_be_cancelled) CASE(a_script_of_this_root_is_refused_at_once)
		CASE(a_script_of_another_root_may_wait) CASE(a_transaction_that_was_cut_off_is_told)
		    CASE(the_configuration_is_read_again_under_the_lock))
