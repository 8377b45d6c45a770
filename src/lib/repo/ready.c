/* SPDX-License-Identifier: MIT */
/* From staged/.arriving/ready to staged/. */
#include "lib/repo/ready.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define ENTRY_SUFFIX ".json"
#define HALF         PP_ARRIVING "/half"

bool
pp_ready_was_cut_off(plugpkg_repo *repo)
{
	return pp_exists_at(repo->dir_fd, PP_ARRIVING) == 1;
}

enum plugpkg_code
pp_ready_begin(plugpkg_repo *repo, plugpkg_error **err)
{
	int r = pp_rm_rf_at(repo->dir_fd, PP_ARRIVING);

	if (r == 0 && (pp_mkdirat(repo->dir_fd, PP_ARRIVING, 0700) < 0 ||
			  pp_mkdirat(repo->dir_fd, PP_READY, 0700) < 0 ||
			  pp_mkdirat(repo->dir_fd, PP_LOOKS, 0700) < 0))
		r = -errno;
	if (r == 0)
		return PLUGPKG_OK;
	PP_IGNORE(pp_rm_rf_at(repo->dir_fd, PP_ARRIVING)); /* the first failure is what counts */
	return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '" PP_ARRIVING "'");
}

/* Whole or not at all: what is in ready/ when an archive is refused becomes staged all the same. */
static int
write_at(int dir_fd, const char *path, const char *text)
{
	PP_AUTO_FD int fd = pp_openat_create(dir_fd, HALF, O_WRONLY | O_TRUNC | O_NOFOLLOW, 0644);
	int r = fd < 0 ? -errno : pp_fd_write_all(fd, text, strlen(text));

	return r == 0 && pp_renameat(dir_fd, HALF, dir_fd, path) < 0 ? -errno : r;
}

enum plugpkg_code
pp_ready_write(plugpkg_repo *repo, const char *file, const char *text, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_READY "/%s", file);
	int r = write_at(repo->dir_fd, path, text);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path) : PLUGPKG_OK;
}

/* Moves the entries, or all but the entries, and makes their new names durable. */
static int
move(plugpkg_repo *repo, const struct pp_strs *files, bool entries)
{
	for (size_t i = 0; i < files->n; i++) {
		PP_AUTO_FREE char *from = pp_asprintf(PP_READY "/%s", files->at[i]);
		PP_AUTO_FREE char *to = pp_asprintf("staged/%s", files->at[i]);

		if (pp_ends_with(files->at[i], ENTRY_SUFFIX) == entries &&
		    pp_renameat(repo->dir_fd, from, repo->dir_fd, to) < 0)
			return -errno;
	}
	return pp_sync_dir_at(repo->dir_fd, "staged");
}

/*
 * Contents and the names of archives first, then those of signatures and owners, then those of the
 * entries that lead to them: an entry without its archive could not be published.
 */
static int
commit(plugpkg_repo *repo)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };

	int r = pp_list_dir(repo->dir_fd, PP_READY, &files);
	if (r == 0 && files.n > 0) {
		r = pp_sync_tree_at(repo->dir_fd, "staged");
		if (r == 0)
			r = move(repo, &files, false);
		if (r == 0)
			r = move(repo, &files, true);
	}
	return r;
}

enum plugpkg_code
pp_ready_commit(plugpkg_repo *repo, plugpkg_error **err)
{
	int r = commit(repo), kept = pp_rm_rf_at(repo->dir_fd, PP_ARRIVING);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot stage what was added");
	if (kept == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_IO, -kept, "cannot delete '" PP_ARRIVING "'");
	return pp_hint(err, rc, "what was added is staged; the next add deletes it");
}
