/* SPDX-License-Identifier: MIT */
/*
 * Names and targets: only harmless characters get through, and parts of a target are names
 * themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(struct pp_str name)
{
	PP_AUTO_FREE char *text = pp_xstrndup(name.p, name.n);
	PP_AUTO_FREE char *flat = pp_name_flat(text);

	if (strlen(text) != name.n || name.n > PP_NAME_MAX_BYTES || strstr(text, "..") == text ||
	    strstr(text, "/.") != NULL || strchr(flat, '/') != NULL || flat[0] == '.')
		abort();
	if (strspn(text, "@/abcdefghijklmnopqrstuvwxyz0123456789._-") != name.n)
		abort();
}

static void
check_path(struct pp_str path)
{
	PP_AUTO_FREE char *text = pp_xstrndup(path.p, path.n);

	if (strlen(text) != path.n || text[0] == '/' || strstr(text, "/../") != NULL ||
	    pp_starts_with(text, "../"))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str text = { (const char *)data, size };
	PP_AUTO_FREE char *terminated = pp_xstrndup(text.p != NULL ? text.p : "", size);
	PP_CLEANUP(pp_target_fini) struct pp_target target = { 0 };
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	bool valid = pp_name_valid(text);

	if (valid != (pp_name_check(text, &err) == PLUGPKG_OK))
		abort();
	if (valid)
		check_name(text);
	if (pp_inner_path_valid(text))
		check_path(text);
	(void)pp_source_name_valid(text);
	(void)pp_name_is_host(terminated);
	if (pp_target_parse(terminated, &target, NULL) == PLUGPKG_OK)
		check_name(pp_str_of(target.name));
	return 0;
}
