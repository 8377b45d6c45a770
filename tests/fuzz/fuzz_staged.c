/* SPDX-License-Identifier: MIT */
/*
 * A file below staged/: refused with its name, or an entry whose name and version are sound and
 * that reads the same when it is written again.
 */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/name.h"
#include "lib/repo/repo.h"
#include "lib/repo/staged.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRY "staged/entry.json"

static void
check_twin(plugpkg_repo *repo, const struct pp_staged *s)
{
	PP_CLEANUP(pp_staged_list_fini) struct pp_staged_list again = { 0 };

	if (pp_rm_rf_at(repo->dir_fd, ENTRY) < 0 || pp_staged_write(repo, s, NULL) != PLUGPKG_OK ||
	    pp_staged_read(repo, &again, NULL) != PLUGPKG_OK || again.n != 1)
		abort();
	const struct pp_staged *twin = pp_staged_find(&again, s->name, s->version);
	if (twin == NULL || twin->is_removal != s->is_removal ||
	    strcmp(twin->version, s->version) != 0)
		abort();
	if (!s->is_removal && (!pp_json_equal(twin->planning, s->planning) ||
				  !pp_json_equal(twin->details, s->details)))
		abort();
	if (pp_staged_delete_all(repo, &again, NULL) != PLUGPKG_OK)
		abort();
}

static void
read_entry(plugpkg_repo *repo)
{
	PP_CLEANUP(pp_staged_list_fini) struct pp_staged_list list = { 0 };
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (pp_staged_read(repo, &list, &err) != PLUGPKG_OK) {
		if (strstr(plugpkg_error_message(err), "entry.json") == NULL || list.n != 0)
			abort();
		return;
	}
	if (list.n != 1 || !pp_name_valid(pp_str_of(list.at[0].name)))
		abort();
	if (!list.at[0].is_removal && !pp_is_sha256(pp_staged_archive(&list.at[0]).sha256))
		abort();
	check_twin(repo, &list.at[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	PP_AUTO_FREE char *dir = pp_asprintf("%s/plugpkg-XXXXXX", tmp != NULL ? tmp : "/tmp");

	if (mkdtemp(dir) == NULL)
		abort();
	PP_AUTO_FD int dir_fd = pp_opendir_at(AT_FDCWD, dir);
	plugpkg_repo repo = { .dir_fd = dir_fd, .public_fd = -1 };
	if (dir_fd < 0 || mkdirat(dir_fd, "staged", 0755) < 0 ||
	    pp_write_file_at(dir_fd, ENTRY, data, size, 0644) < 0)
		abort();
	read_entry(&repo);
	if (pp_rm_rf_at(AT_FDCWD, dir) < 0)
		abort();
	return 0;
}
