/* SPDX-License-Identifier: MIT */
/*
 * Ownership is only looked at. To give things back by themselves would be dangerous: who owns the
 * root could make root give him what is not his.
 */
#include "lib/txn/keeper.h"

#include "base/path.h"
#include "base/str.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_MAX_BYTES 16384

struct looking {
	int root_fd;
	uid_t keeper;
	char *first; /* owned; the first place that is not his, or NULL */
	uid_t other; /* whose it is */
};

/* Root for a root that is nobody's: he can change all of it. */
static uid_t
keeper_of(const plugpkg_context *ctx)
{
	struct stat st;

	return fstatat(ctx->root_fd, "var/state.db", &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_uid : 0;
}

/* Owned; a user without a name is a number after what sign the reader wants. */
static char *
user_name(uid_t uid, const char *sign)
{
	PP_AUTO_FREE char *buf = pp_xmalloc(PASSWD_MAX_BYTES);
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, buf, PASSWD_MAX_BYTES, &found) == 0 && found != NULL)
		return pp_xstrdup(found->pw_name);
	return pp_asprintf("%s%ju", sign, (uintmax_t)uid);
}

void
pp_keeper_warn(plugpkg_context *ctx)
{
	uid_t keeper = geteuid() == 0 && !ctx->is_keeper_told ? keeper_of(ctx) : 0;

	ctx->is_keeper_told = true;
	if (keeper == 0)
		return;
	PP_AUTO_FREE char *name = user_name(keeper, "#");
	pp_warn(ctx, NULL,
	    "'%s' is kept by user %s, who cannot change what root makes in it: run plugpkg as "
	    "that user (sudo -u '%s')",
	    ctx->root, name, name);
}

static void
look_at(struct looking *l, const char *path, int depth)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct stat st;

	if (l->first != NULL || fstatat(l->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(depth < 0 ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode)))
		return;
	if (st.st_uid != l->keeper) {
		l->first = pp_xstrdup(path);
		l->other = st.st_uid;
		return;
	}
	if (depth <= 0)
		return;
	PP_IGNORE(pp_list_dir(l->root_fd, path, &names)); /* what cannot be read is his */
	pp_vec_foreach (name, &names) {
		PP_AUTO_FREE char *inner = pp_asprintf("%s/%s", path, *name);
		look_at(l, inner, (*name)[0] == '@' ? depth : depth - 1);
	}
}

char *
pp_keeper_complaint(const plugpkg_context *ctx)
{
	/*
	 * Directories, down to what is made in one piece, and files that are written where they
	 * are. Data is its plugin's, whoever owns it.
	 */
	static const struct {
		const char *path;
		int depth; /* -1: a file */
	} places[] = {
		{ "store", 2 },
		{ "generations", 1 },
		{ "var", 1 },
		{ "var/trust", 2 },
		{ "var/lock", -1 },
		{ "var/log.db", -1 },
	};
	struct looking l = { .root_fd = ctx->root_fd, .keeper = keeper_of(ctx) };

	for (size_t i = 0; l.keeper != 0 && i < PP_LEN(places); i++)
		look_at(&l, places[i].path, places[i].depth);
	if (l.first == NULL)
		return NULL;
	PP_AUTO_FREE char *first = l.first;
	PP_AUTO_FREE char *keeper = user_name(l.keeper, "");
	PP_AUTO_FREE char *other = user_name(l.other, "");
	return pp_asprintf("%s belongs to %s, and %s, who keeps this root, cannot change it; in "
			   "'%s', sudo chown -R '%s' store generations var gives all of it back",
	    first, other, keeper, ctx->root, keeper);
}

enum plugpkg_code
pp_keeper_hint(const plugpkg_context *ctx, enum plugpkg_code rc, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = rc == PLUGPKG_E_PERMISSION ? pp_keeper_complaint(ctx) : NULL;

	return text != NULL ? pp_hint(err, rc, "%s", text) : rc;
}
