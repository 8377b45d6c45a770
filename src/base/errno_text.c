/* SPDX-License-Identifier: MIT */
/* Errors of the system in words: the same ones with every C library, in every locale. */
#include "base/errno_text.h"

#include "base/compiler.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	int errnum;
	const char *text;
} errno_texts[] = {
	{ EPERM, "operation not permitted" },
	{ ENOENT, "no such file or directory" },
	{ ESRCH, "no such process" },
	{ EINTR, "interrupted" },
	{ EIO, "input or output error" },
	{ ENXIO, "no such device or address" },
	{ E2BIG, "argument list too long" },
	{ ENOEXEC, "not an executable format" },
	{ EBADF, "bad file descriptor" },
	{ ECHILD, "no child process" },
	{ EAGAIN, "resource temporarily unavailable" },
	{ ENOMEM, "out of memory" },
	{ EACCES, "permission denied" },
	{ EFAULT, "bad address" },
	{ EBUSY, "busy" },
	{ EEXIST, "exists already" },
	{ EXDEV, "leads to another file system or out of the directory" },
	{ ENODEV, "no such device" },
	{ ENOTDIR, "not a directory" },
	{ EISDIR, "is a directory" },
	{ EINVAL, "invalid argument" },
	{ ENFILE, "too many open files in the system" },
	{ EMFILE, "too many open files" },
	{ ENOTTY, "not a terminal" },
	{ ETXTBSY, "the program is running" },
	{ EFBIG, "file too large" },
	{ ENOSPC, "no space left on the device" },
	{ ESPIPE, "cannot seek" },
	{ EROFS, "read-only file system" },
	{ EMLINK, "too many links" },
	{ EPIPE, "the other side is gone" },
	{ ERANGE, "out of range" },
	{ EDEADLK, "would deadlock" },
	{ ENAMETOOLONG, "name too long" },
	{ ENOLCK, "no locks available" },
	{ ENOSYS, "not supported by this kernel" },
	{ ENOTEMPTY, "directory not empty" },
	{ ELOOP, "a symbolic link where none may be, or too many of them" },
	{ ENODATA, "no data" },
	{ EMEDIUMTYPE, "not a regular file" },
	{ EPROTO, "protocol error" },
	{ EBADMSG, "malformed message" },
	{ EOVERFLOW, "value too large" },
	{ EILSEQ, "malformed text" },
	{ ENOTSOCK, "not a socket" },
	{ EMSGSIZE, "message too long" },
	{ EOPNOTSUPP, "not supported here" },
	{ EAFNOSUPPORT, "no network of that kind" },
	{ EADDRINUSE, "address in use" },
	{ EADDRNOTAVAIL, "address not available" },
	{ ENETDOWN, "network down" },
	{ ENETUNREACH, "network unreachable" },
	{ ECONNABORTED, "connection aborted" },
	{ ECONNRESET, "connection reset" },
	{ ENOBUFS, "no buffer space available" },
	{ ETOOMANYREFS, "too many descriptors under way" },
	{ ETIMEDOUT, "timed out" },
	{ ECONNREFUSED, "connection refused" },
	{ EHOSTUNREACH, "host unreachable" },
	{ ESTALE, "stale file handle" },
	{ EUCLEAN, "the file system is damaged" },
	{ EREMOTEIO, "remote input or output error" },
	{ EDQUOT, "disk quota exceeded" },
	{ ECANCELED, "cancelled" },
};

const char *
pp_errno_text(int errnum)
{
	for (size_t i = 0; i < PP_LEN(errno_texts); i++) {
		if (errno_texts[i].errnum == errnum)
			return errno_texts[i].text;
	}
	return "unknown system error";
}
