/* SPDX-License-Identifier: MIT */
/* plugpkg-fetch gives up what it needs no more, and goes behind the wall that plugpkg made. */
#include "wall.h"

#include "base/str.h"
#include "base/wall.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024
/* Stacks and arenas of a resolver's thread for each transfer, buffers, certificates. */
#define DATA_MAX_BYTES (4UL << 30)

int
fetch_become(const char *ids)
{
	const char *colon = strchr(ids, ':');
	uint64_t uid, gid;

	if (colon == NULL ||
	    pp_parse_u64((struct pp_str){ ids, (size_t)(colon - ids) }, UINT32_MAX - 1, &uid) < 0 ||
	    pp_parse_u64(pp_str_of(colon + 1), UINT32_MAX - 1, &gid) < 0)
		return -EINVAL;
	if (setgroups(0, NULL) < 0 || setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		return -errno;
	/* The kernel forgets it of whom becomes another. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static int
set_limits(void)
{
	int r = pp_wall_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);

	if (r == 0)
		r = pp_wall_limit(RLIMIT_DATA, DATA_MAX_BYTES);
	return r == 0 ? pp_wall_limit(RLIMIT_FSIZE, 0) : r;
}

int
fetch_wall_enter(int sock)
{
	PP_CLEANUP(pp_wall_fini) struct pp_wall wall = PP_WALL_INIT;
	int r = pp_wall_begin();

	if (r == 0)
		r = pp_wall_receive(sock, &wall);
	if (r < 0 || PP_IS_WATCHED_BUILD)
		return r;
	r = pp_wall_drop_capabilities(-1);
	if (r == 0)
		r = set_limits();
	return r == 0 ? pp_wall_enter(&wall) : r;
}
