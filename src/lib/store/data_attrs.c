/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes of what is copied, and with them access control lists. Who runs plugpkg may
 * set those of the user; of others (security, trusted) that cannot be set a word is said.
 */
#include "lib/store/data_attrs.h"

#include "base/errno_text.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/model/error.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

struct pp_data_attrs {
	char from[XATTR_LIST_MAX], to[XATTR_LIST_MAX]; /* names, each with its NUL */
	char value[XATTR_SIZE_MAX];
	char *lost; /* "'security.ima' of 'deep/file'", the first; or NULL */
	int why;    /* an errno */
	uint64_t n_lost;
};

struct pp_data_attrs *
pp_data_attrs_new(void)
{
	return pp_xcalloc(1, sizeof(struct pp_data_attrs));
}

void
pp_data_attrs_free(struct pp_data_attrs *a)
{
	free(a->lost);
	free(a);
}

/* 0 bytes where the file system knows no attributes. */
static ssize_t
list(int fd, char *names)
{
	ssize_t n = flistxattr(fd, names, XATTR_LIST_MAX);

	return n < 0 && errno != ENOTSUP ? -errno : n < 0 ? 0 : n;
}

static bool
has(const char *names, ssize_t n, const char *name)
{
	for (const char *at = names; at < names + n; at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

/* The lists decide who may read and write: these and those of the user are part of the data. */
static bool
may_be_lost(const char *name)
{
	return !pp_starts_with(name, "user.") && !pp_starts_with(name, "system.posix_acl_");
}

static int
copy_one(struct pp_data_attrs *a, int from, int to, const char *name, const char *path)
{
	ssize_t n = fgetxattr(from, name, a->value, sizeof(a->value));

	if (n >= 0 && pp_fsetxattr(to, name, a->value, (size_t)n) == 0)
		return 0;
	if (n < 0 && errno == ENODATA)
		return 0; /* gone meanwhile */
	int why = errno;
	if (!may_be_lost(name))
		return -why;
	if (a->n_lost++ == 0) {
		a->lost = pp_asprintf("'%s' of '%s'", name, *path != '\0' ? path : ".");
		a->why = why;
	}
	return 0;
}

int
pp_data_attrs_copy(struct pp_data_attrs *a, int from, int to, const char *path)
{
	ssize_t n = list(from, a->from), n_to = n < 0 ? n : list(to, a->to);
	int r = n_to < 0 ? (int)n_to : 0;

	/* A list that it got from the directory that it was made in. */
	for (const char *name = a->to; r == 0 && name < a->to + n_to; name += strlen(name) + 1)
		if (pp_starts_with(name, "system.posix_acl_") && !has(a->from, n, name) &&
		    pp_fremovexattr(to, name) < 0 && errno != ENODATA)
			r = -errno;
	for (const char *name = a->from; r == 0 && name < a->from + n; name += strlen(name) + 1)
		r = copy_one(a, from, to, name, path);
	return r;
}

void
pp_data_attrs_tell(const struct pp_data_attrs *a, plugpkg_context *ctx)
{
	PP_AUTO_FREE char *others = a->n_lost > 1
					? pp_asprintf(", nor are %" PRIu64 " others", a->n_lost - 1)
					: pp_xstrdup("");

	if (a->n_lost > 0)
		pp_warn(ctx, NULL, "the attribute %s is not part of the copy%s: %s", a->lost,
		    others, pp_errno_text(a->why));
}
