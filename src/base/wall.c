/* SPDX-License-Identifier: MIT */
/* Landlock, the filter, limits and capabilities: giving them up, in the right order. */
#include "base/wall.h"

#include "base/fd.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void
pp_wall_fini(struct pp_wall *w)
{
	pp_auto_fd(&w->landlock_fd);
	w->landlock_fd = -1;
	pp_filter_free(w->filter);
	w->filter = NULL;
}

int
pp_wall_enter(const struct pp_wall *w)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	int r = w->landlock_fd >= 0 ? pp_landlock_enter(w->landlock_fd) : 0;
	/* Last: it may take away the calls above. */
	return r == 0 && w->filter != NULL ? pp_filter_enter(w->filter) : r;
}

int
pp_wall_begin(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	return pp_wall_limit(RLIMIT_CORE, 0);
}

int
pp_wall_limit(int resource, uint64_t most)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return -errno;
	/* Somebody outside may have set a lower one already. */
	rlim_t least = now.rlim_max < most ? now.rlim_max : (rlim_t)most;
	const struct rlimit r = { .rlim_cur = least, .rlim_max = least };

	return setrlimit((__rlimit_resource_t)resource, &r) < 0 ? -errno : 0;
}

int
pp_wall_drop_capabilities(int but)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, now) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = but >= 0 && but / 32 == i ? 1U << (but % 32) : 0;

		now[i].permitted &= kept;
		now[i].effective &= kept;
		now[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, now) < 0 ? -errno : 0;
}
