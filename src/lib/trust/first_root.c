/* SPDX-License-Identifier: MIT */
/* What people hand over of a repository's keys. */
#include "lib/trust/first_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/trust/crypto.h"

void
pp_root_fingerprint(const void *p, size_t n, char out[72])
{
	char hex[65];

	pp_sha256_hex(p, n, hex);
	(void)snprintf(out, 72, "sha256:%s", hex);
}

enum plugpkg_code
pp_root_read_key_file(const char *path, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : pp_fd_read_all(fd, out);

	if (r == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_fail(err, r == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, -r,
	    "cannot read key file '%s'", path);
	return pp_is_sha256(path) ? pp_hint(err, rc, "did you mean 'sha256:%s'?", path) : rc;
}
