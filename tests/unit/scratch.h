/* SPDX-License-Identifier: MIT */
/* A directory of a test case's own, with a second one inside. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "base/path.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A fresh directory below TMPDIR; its name is kept to remove it. */
struct scratch {
	char path[256];
	int fd, inner; /* inner/ is where archives go, so that ../ is ours too */
};

static inline void
scratch_init(struct scratch *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->path, sizeof(s->path), "%s/plugpkg-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(s->path) == NULL)
		abort();
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(s->fd, "inner", 0700) < 0)
		abort();
	s->inner = pp_opendir_at(s->fd, "inner");
}

static inline void
scratch_fini(struct scratch *s)
{
	close(s->inner);
	close(s->fd);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, s->path), 0);
}

static inline unsigned
mode_of(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode & 07777;
}

#endif
