/* SPDX-License-Identifier: MIT */
/* Mirrors on our own disk: read here, because the helper may open nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define CHUNK_BYTES ((size_t)1 << 20)

static void
answer_failed(struct pp_answer *a, enum pp_fault fault, int errnum, const char *text)
{
	a->type = PP_ANSWER_FAILED;
	a->fault = fault;
	a->errnum = errnum;
	a->status = fault == PP_FAULT_HTTP ? 404 : 0;
	snprintf(a->text, sizeof(a->text), "%s", text);
}

/* A regular file of a size that can be right; false when the answer tells why not. */
static bool
check_source(int fd, const struct pp_ask *ask, struct pp_answer *a)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		answer_failed(a, PP_FAULT_NETWORK, errno, "cannot be read");
	else if (!S_ISREG(st.st_mode))
		answer_failed(a, PP_FAULT_NETWORK, 0, "is no regular file");
	else if (ask->is_exact && (uint64_t)st.st_size != ask->max)
		answer_failed(a, PP_FAULT_SIZE, 0, "has another size");
	else if ((uint64_t)st.st_size > ask->max)
		answer_failed(a, PP_FAULT_LIMIT, 0, "is larger than it may be");
	else
		return true;
	return false;
}

/* One chunk on; false at the end or when the answer tells what failed. */
static bool
copy_chunk(int from, const struct pp_ask *ask, char *chunk, struct pp_answer *a)
{
	ssize_t n = read(from, chunk, CHUNK_BYTES);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0) {
		answer_failed(a, PP_FAULT_NETWORK, errno, "cannot be read");
		return false;
	}
	if (n == 0)
		return false;
	if ((size_t)n > ask->max - a->bytes) {
		answer_failed(a, PP_FAULT_LIMIT, 0, "grows while it is read");
		return false;
	}
	int r = pp_failpoint() < 0 ? -errno : ask->sink.add(ask->sink.user, chunk, (size_t)n);
	if (r < 0) {
		answer_failed(a, PP_FAULT_LOCAL, -r, "cannot write");
		return false;
	}
	a->bytes += (uint64_t)n;
	return true;
}

enum plugpkg_code
pp_file_fetch(plugpkg_context *ctx, const char *base_url, const char *path,
    const struct pp_ask *ask, struct pp_answer *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_url_file(base_url, path);
	PP_AUTO_FD int from = -1;

	*out = (struct pp_answer){ .id = ask->id, .type = PP_ANSWER_DONE, .status = 200 };
	errno = ENOENT;
	if (file != NULL)
		from = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (from < 0) {
		bool is_missing = errno == ENOENT || errno == ENOTDIR;

		answer_failed(out, is_missing ? PP_FAULT_HTTP : PP_FAULT_NETWORK, errno, "");
		return PLUGPKG_OK;
	}
	if (!check_source(from, ask, out))
		return PLUGPKG_OK;

	int r = ask->sink.begin(ask->sink.user, 0);
	if (r < 0) {
		answer_failed(out, PP_FAULT_LOCAL, -r, "cannot write");
		return PLUGPKG_OK;
	}

	PP_AUTO_FREE char *chunk = pp_xmalloc(CHUNK_BYTES);
	enum plugpkg_code rc;

	while ((rc = pp_check_cancel(ctx, err)) == PLUGPKG_OK)
		if (!copy_chunk(from, ask, chunk, out))
			break;
	return rc;
}
