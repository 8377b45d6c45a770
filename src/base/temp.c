/* SPDX-License-Identifier: MIT */
/* Names nobody can guess, in places that are tried one after the other. */
#include "base/temp.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static int
make_dir(char *path, void *user)
{
	(void)user;
	return pp_mkdirat(AT_FDCWD, path, 0700) < 0 ? -errno : 0;
}

static bool
is_no_place(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENAMETOOLONG || r == -EACCES ||
	       r == -EPERM || r == -EROFS || r == -ENOSPC || r == -EDQUOT || r == -EMLINK;
}

int
pp_temp_make(const char *prefix, pp_temp_fn make, void *user, char **out)
{
	const char *asked = secure_getenv("TMPDIR");
	const char *const dirs[] = {
		asked != NULL && *asked == '/' ? asked : "/tmp",
		"/tmp",
		"/var/tmp",
	};
	PP_AUTO_BUF struct pp_buf tried = PP_BUF_INIT(4L * PATH_MAX);
	uint64_t chance = 0;
	int r = -ENOENT;

	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		r = -errno;
	for (size_t i = 0; i < PP_LEN(dirs) && is_no_place(r); i++) {
		if (i > 0 && strcmp(dirs[i], dirs[i - 1]) == 0)
			continue;
		PP_AUTO_FREE char *path =
		    pp_asprintf("%s/%s%0*" PRIx64, dirs[i], prefix, PP_TEMP_DIGITS, chance);
		r = make != NULL ? make(path, user) : make_dir(path, user);
		if (r == 0) {
			*out = pp_steal(&path);
			return 0;
		}
		pp_buf_addf(&tried, "%s%s", tried.n > 0 ? ", " : "", dirs[i]);
	}
	*out = pp_xstrdup(pp_buf_cstr(&tried));
	return r;
}
