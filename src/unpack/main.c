/* SPDX-License-Identifier: MIT */
/*
 * plugpkg-unpack: reads and writes archives for plugpkg, in a process that holds only the
 * descriptors it was given. Talks JSON over the socket at descriptor 3 and is started by plugpkg
 * only.
 */
#include "base/fd.h"
#include "base/msg.h"
#include "unpack/extract.h"
#include "unpack/pack.h"
#include "unpack/wall.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_FD           3
#define KEPT_MAX_BYTES      (32 << 20)
#define KEPT_GROWTH_BYTES   (1 << 20)
#define EXIT_BAD_INVOCATION 2
/* Of an entry: header, extended header with two long paths, padding. */
#define PP_ENTRY_OVERHEAD_BYTES 8192u
/* Of processor time for one archive. The slowest machine is many times as fast. */
#define PATIENCE_SECONDS        120
#define PATIENCE_BYTES_A_SECOND (1u << 20)

/* Names are UTF-8 whatever the caller's locale is; without such a locale only ASCII names pass. */
static void
set_locale(void)
{
	static const char *const names[] = { "C.UTF-8", "C.utf8", "en_US.UTF-8" };

	for (size_t i = 0; i < PP_LEN(names); i++)
		if (setlocale(LC_CTYPE, names[i]) != NULL)
			return;
}

/*
 * What one archive needed, its window above all, is there for the next one. Given back to the
 * system it would come again page by page, each of them to be cleared first.
 */
static void
keep_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_MAX_BYTES); /* without it: slower, no worse */
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX_BYTES);
	(void)mallopt(M_TOP_PAD, KEPT_GROWTH_BYTES);
#endif
}

static int
read_limits(const pp_json *request, struct pp_limits *out)
{
	int64_t bytes = pp_json_get_int(request, "max_bytes", -1);
	int64_t files = pp_json_get_int(request, "max_files", -1);

	if (bytes < 0 || files < 0)
		return -EBADMSG;
	*out = (struct pp_limits){ .bytes = (uint64_t)bytes,
		.files = (uint64_t)files,
		.exact = pp_json_get_bool(request, "exact") };
	return 0;
}

/*
 * The first request says what the process may do from then on: below the directory, or below the
 * one that came as a third descriptor, which holds the directories of all requests. digest: NULL,
 * or may be taken; who may take one may do so from the first request on.
 */
static int
wall_in(const int *fds, bool packs, struct pp_digest *digest)
{
	static bool is_in, may_digest;
	int within = fds[2] >= 0 ? fds[2] : fds[packs ? 0 : 1];

	if (is_in)
		return digest == NULL || may_digest ? 0 : -EBADMSG;
	is_in = true;
	may_digest = digest != NULL;
	if (may_digest)
		pp_digest_load(digest);
	return pp_unpack_wall_enter(packs ? PP_WALL_PACK : PP_WALL_UNPACK, within);
}

/* No file can become larger than all of them together, or, packed, than they could be as a tar. */
static int
limit_files(const struct pp_limits *limits)
{
	struct rlimit r;
	rlim_t most = (rlim_t)limits->bytes + (rlim_t)limits->files * PP_ENTRY_OVERHEAD_BYTES;

	if (getrlimit(RLIMIT_FSIZE, &r) < 0)
		return -errno;
	r.rlim_cur = most < r.rlim_max ? most : r.rlim_max;
	return setrlimit(RLIMIT_FSIZE, &r) < 0 ? -errno : 0;
}

/*
 * An archive whose reading finds no end, because of a mistake in one of the libraries, ends this
 * process instead of keeping plugpkg and its lock for ever.
 */
static int
limit_time(const struct pp_limits *limits)
{
	struct timespec used;
	struct rlimit r;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0 || getrlimit(RLIMIT_CPU, &r) < 0)
		return -errno;
	rlim_t most = (rlim_t)used.tv_sec + PATIENCE_SECONDS +
		      (rlim_t)(limits->bytes / PATIENCE_BYTES_A_SECOND);

	r.rlim_cur = most < r.rlim_max ? most : r.rlim_max;
	return setrlimit(RLIMIT_CPU, &r) < 0 ? -errno : 0;
}

/* fds: [archive, directory]. digest: NULL, or to be taken where the archive states none. */
static void
extract(const pp_json *request, const int *fds, const struct pp_limits *limits,
    struct pp_digest *digest, struct pp_report *report)
{
	bool is_look = strcmp(pp_json_get_str(request, "type"), "look") == 0;
	const struct pp_extraction what = {
		.archive_fd = fds[0],
		.dir_fd = fds[1],
		.dir = is_look ? pp_json_get_str(request, "dir") : NULL,
		.limits = *limits,
		.digest = digest,
		.is_compared = digest != NULL && pp_json_get_bool(request, "compare"),
		.is_look = is_look,
	};

	pp_extract(&what, report);
}

/* fds: those of extract(), or [directory, output] to pack; [2]: see wall_in(). */
static int
serve(const pp_json *request, const int *fds, struct pp_digest *digest, pp_json **out_answer)
{
	PP_CLEANUP(pp_report_fini) struct pp_report report = { 0 };
	const char *type = pp_json_get_str(request, "type");
	struct pp_limits limits;

	if (type == NULL || read_limits(request, &limits) < 0 || fds[0] < 0 || fds[1] < 0)
		return -EBADMSG;
	bool packs = strcmp(type, "pack") == 0;
	struct pp_digest *wanted = packs || pp_json_get_bool(request, "digest") ? digest : NULL;

	if (!packs && strcmp(type, "unpack") != 0 && strcmp(type, "look") != 0)
		return -EBADMSG;
	int r = wall_in(fds, packs, wanted);
	if (r == 0)
		r = limit_files(&limits);
	if (r == 0)
		r = limit_time(&limits);
	if (r < 0)
		return r;
	if (packs)
		pp_pack_dir(
		    fds[0], fds[1], pp_json_get_int(request, "mtime", 0), &limits, wanted, &report);
	else
		extract(request, fds, &limits, wanted, &report);
	pp_digest_clear(digest);
	*out_answer = pp_report_answer(&report, pp_json_get_int(request, "id", 0));
	return 0;
}

static int
serve_next(struct pp_digest *digest)
{
	PP_AUTO_JSON pp_json *request = NULL, *answer = NULL;
	int fds[PP_MSG_MAX_FDS];
	int r = pp_msg_recv(SOCKET_FD, &request, fds);

	if (r < 0)
		return r;
	r = serve(request, fds, digest, &answer);
	for (size_t i = 0; i < PP_LEN(fds); i++)
		pp_auto_fd(&fds[i]);
	return r < 0 ? r : pp_msg_send(SOCKET_FD, answer, NULL, 0);
}

static bool
is_waited_for(void)
{
	struct pollfd p = { .fd = SOCKET_FD, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int
main(int argc, char **argv PP_UNUSED)
{
	PP_CLEANUP(pp_digest_fini) struct pp_digest digest = { 0 };
	struct stat st;
	int r;

	if (fstat(SOCKET_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fputs("plugpkg-unpack is started by plugpkg, not by hand\n", stderr);
		return EXIT_BAD_INVOCATION;
	}
	(void)umask(022); /* gives the old mask, and cannot fail */
	set_locale();
	keep_memory();
	/* While nobody waits there is time for what will be needed: an argument says so. */
	if (argc > 1 && !is_waited_for())
		pp_digest_load(&digest);
	if (pp_unpack_wall_begin() < 0)
		return EXIT_BAD_INVOCATION;
	do
		r = serve_next(&digest);
	while (r == 0);
	return r == -EPIPE ? 0 : EXIT_BAD_INVOCATION;
}
