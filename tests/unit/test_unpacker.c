/* SPDX-License-Identifier: MIT */
/*
 * An archive helper that was taken over, behind its real wall: this program plays it when it is
 * started under that name. What it does beside its work, the first byte of the archive says.
 */
#include "scratch.h"
#include "tap.h"

#include "base/fd.h"
#include "base/msg.h"
#include "lib/store/archive.h"
/* The wall itself, whose tables are the helper's own. */
#include "unpack/wall.c"

#include <poll.h>

#define HELPER   "plugpkg-unpack"
#define SOCKET   3
#define MANIFEST "{}"
#define WAITS    10000 /* of a millisecond each */

enum archive {
	ARCHIVE, /* it does nothing else */
	GOES_ON, /* when "go" is there, it creates a program of root's for everybody */
	SWAPS,   /* it puts a link into the place of the directory */
	AT_ITS_END,
};

static bool
waits_for(int dir_fd, const char *name)
{
	for (int i = 0; i < WAITS; i++) {
		if (pp_exists_at(dir_fd, name) == 1)
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static void
create(int dir_fd, const char *name, mode_t mode)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, mode);

	if (fd >= 0 && write(fd, MANIFEST, strlen(MANIFEST)) < 0)
		_exit(2);
	pp_auto_fd(&fd);
}

static void
answer(const pp_json *request)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_str(j, "type", "done");
	pp_json_set_int(j, "id", pp_json_get_int(request, "id", 0));
	pp_json_set_int(j, "bytes", (int64_t)strlen(MANIFEST));
	pp_json_set_int(j, "files", 1);
	if (pp_msg_send(SOCKET, j, NULL, 0) < 0)
		_exit(2);
}

static int
play_helper(void)
{
	PP_AUTO_JSON pp_json *request = NULL, *none = NULL;
	int fds[PP_MSG_MAX_FDS], more[PP_MSG_MAX_FDS];
	char kind = ARCHIVE;

	(void)umask(022);
	if (pp_msg_recv(SOCKET, &request, fds) < 0 || read(fds[0], &kind, 1) != 1)
		return 2;
	/* Without the filter of calls it could rename: what its directory is, is no promise. */
	if (kind != SWAPS && (pp_unpack_wall_begin() < 0 || pp_unpack_wall_enter(PP_WALL_UNPACK,
								fds[2] >= 0 ? fds[2] : fds[1]) < 0))
		return 2;
	int within = fds[2] >= 0 ? fds[2] : fds[1], dir = fds[1];
	const char *made = pp_json_get_str(request, "dir");
	if (made != NULL && (mkdirat(within, made, 0700) < 0 ||
				(dir = openat(within, made, O_PATH | O_DIRECTORY)) < 0))
		return 2;
	create(dir, "plugin.json", 0444);
	if (kind == SWAPS &&
	    (renameat(fds[2], "job", fds[2], "away") < 0 || symlinkat("/", fds[2], "job") < 0))
		return 2;
	answer(request);
	if (kind == GOES_ON && waits_for(within, "go")) {
		create(dir, "evil", 04755);
		create(within, "tried", 0444);
	}
	int r = pp_msg_recv(SOCKET, &none, more);
	if (kind == AT_ITS_END)
		create(fds[1], "evil", 04755);
	return r == -EPIPE ? 0 : 2;
}

struct work {
	struct scratch s;
	struct pp_unpack_job job;
	struct pp_unpack_queue queue;
	bool is_given, is_done;
};

static enum plugpkg_code
next_job(void *user, struct pp_unpack_job **out, plugpkg_error **err PP_UNUSED)
{
	struct work *w = user;

	*out = w->is_given ? NULL : &w->job;
	w->is_given = true;
	return PLUGPKG_OK;
}

/* Checked, and not yet in the store. */
static enum plugpkg_code
job_done(void *user, struct pp_unpack_job *job, plugpkg_error **err PP_UNUSED)
{
	struct work *w = user;

	create(w->queue.within_fd, "go", 0644);
	CHECK(waits_for(w->queue.within_fd, "tried"));
	CHECK_INT(pp_exists_at(job->dir_fd, "plugin.json"), 1);
	CHECK_INT(pp_exists_at(job->dir_fd, "evil"), 0);
	w->is_done = true;
	return PLUGPKG_OK;
}

static void
work_init(struct work *w, enum archive kind, bool is_look)
{
	const char byte = (char)kind;
	PP_AUTO_BUF struct pp_buf exe = PP_BUF_INIT(4096);

	*w = (struct work){ .is_given = false };
	scratch_init(&w->s);
	CHECK_INT(pp_readlink_at(AT_FDCWD, "/proc/self/exe", &exe), 0);
	CHECK_INT(symlinkat(pp_buf_cstr(&exe), w->s.fd, HELPER), 0);
	CHECK_INT(pp_write_file_at(w->s.fd, "archive", &byte, 1, 0644), 0);
	w->job = (struct pp_unpack_job){
		.archive_fd = openat(w->s.fd, "archive", O_RDONLY | O_CLOEXEC),
		.dir_fd = -1,
		.is_look = is_look,
		.what = "photos 1.2.0",
		.name = "job",
		.limits = { strlen(MANIFEST), 1, true },
	};
	if (!is_look) {
		CHECK_INT(mkdirat(w->s.inner, "job", 0700), 0);
		w->job.dir_fd = pp_opendir_at(w->s.inner, "job");
	}
	w->queue = (struct pp_unpack_queue){ next_job, job_done, w, w->s.inner, w->s.fd };
	setenv("PLUGPKG_LIBEXEC", w->s.path, 1);
}

static void
work_fini(struct work *w)
{
	pp_auto_fd(&w->job.archive_fd);
	pp_auto_fd(&w->job.dir_fd);
	scratch_fini(&w->s);
}

static bool
has_walls(void)
{
	return !PP_IS_WATCHED_BUILD && pp_filter_is_there() && pp_landlock_abi() > 0;
}

static void
a_helper_creates_nothing_in_what_was_checked(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct work w;

	if (!has_walls())
		SKIP("needs Landlock, libseccomp and a build without sanitizers");
	for (int is_look = 0; is_look < 2; is_look++) {
		work_init(&w, GOES_ON, is_look == 1);
		if (!CHECK_INT(pp_unpack_queue(NULL, &w.queue, &err), PLUGPKG_OK))
			tap_value("error", plugpkg_error_message(err));
		CHECK(w.is_done);
		work_fini(&w);
	}
}

static void
a_helper_that_exchanges_the_directory_is_found_out(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct work w;

	work_init(&w, SWAPS, false);
	CHECK_INT(pp_unpack_queue(NULL, &w.queue, &err), PLUGPKG_E_FAILED);
	CHECK_HAS(plugpkg_error_message(err), "photos 1.2.0");
	CHECK_HAS(plugpkg_error_message(err), "another directory");
	CHECK(!w.is_done);
	work_fini(&w);
}

static void
what_a_helper_creates_at_its_end_is_seen(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct work w;

	work_init(&w, ARCHIVE, false);
	CHECK_INT(pp_unpack_one(NULL, &w.job, &err), PLUGPKG_OK);
	work_fini(&w);
	work_init(&w, AT_ITS_END, false);
	CHECK_INT(pp_unpack_one(NULL, &w.job, &err), PLUGPKG_E_BAD_ARCHIVE);
	CHECK_HAS(plugpkg_error_message(err), "'evil' is a file of another mode");
	work_fini(&w);
}

int
main(void)
{
	static const struct tap_case cases[] = { CASE(a_helper_creates_nothing_in_what_was_checked)
		    CASE(a_helper_that_exchanges_the_directory_is_found_out)
			CASE(what_a_helper_creates_at_its_end_is_seen) };

	if (strcmp(program_invocation_short_name, HELPER) == 0)
		return play_helper();
	return tap_run(cases, PP_LEN(cases));
}
