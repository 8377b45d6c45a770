/* SPDX-License-Identifier: MIT */
/* Landlock, the filter, limits and capabilities: giving them up, in the right order. */
#include "base/wall.h"

#include "base/fd.h"
#include "base/msg.h"

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
pp_wall_send(int sock, int landlock_fd, int filter_fd)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	int fds[2];
	size_t n = 0;

	pp_json_set_bool(j, "landlock", landlock_fd >= 0);
	pp_json_set_bool(j, "filter", filter_fd >= 0);
	if (landlock_fd >= 0)
		fds[n++] = landlock_fd;
	if (filter_fd >= 0)
		fds[n++] = filter_fd;
	return pp_msg_send(sock, j, fds, n);
}

/* As many descriptors as it speaks of, and no less: without them there would be no wall. */
static int
take_parts(const pp_json *j, int fds[PP_MSG_MAX_FDS], struct pp_wall *out)
{
	const pp_json *landlock = pp_json_get(j, "landlock");
	const pp_json *filter = pp_json_get(j, "filter");
	size_t n = 0;

	if (!pp_json_is(landlock, PP_JSON_BOOL) || !pp_json_is(filter, PP_JSON_BOOL))
		return -EBADMSG;
	if (pp_json_get_bool(j, "landlock")) {
		if (fds[n] < 0)
			return -EBADMSG;
		out->landlock_fd = pp_fd_steal(&fds[n++]);
	}
	if (!pp_json_get_bool(j, "filter"))
		return 0;
	return fds[n] < 0 ? -EBADMSG : pp_filter_import(fds[n], &out->filter);
}

int
pp_wall_receive(int sock, struct pp_wall *out)
{
	PP_AUTO_JSON pp_json *j = NULL;
	int fds[PP_MSG_MAX_FDS];
	int r = pp_msg_recv(sock, &j, fds);

	if (r < 0)
		return r;
	r = take_parts(j, fds, out);
	for (size_t i = 0; i < PP_LEN(fds); i++)
		pp_auto_fd(&fds[i]);
	return r;
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
