/* SPDX-License-Identifier: MIT */
/* plugpkg.lock: what is read is written in one form only, and that form reads the same. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/lockfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str text = { (const char *)data, size };
	PP_AUTO(lockfile) struct pp_lockfile *first = NULL;
	PP_AUTO(lockfile) struct pp_lockfile *again = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (pp_lockfile_parse(text, "plugpkg.lock", &first, &err) != PLUGPKG_OK)
		return 0;
	PP_AUTO_FREE char *written = pp_lockfile_text(first);
	if (pp_lockfile_parse(pp_str_of(written), "plugpkg.lock", &again, &err) != PLUGPKG_OK)
		abort();
	PP_AUTO_FREE char *rewritten = pp_lockfile_text(again);
	if (strcmp(written, rewritten) != 0)
		abort();
	pp_vec_foreach (p, &first->plugins)
		if (pp_lockfile_get(again, p->key) == NULL)
			abort();
	return 0;
}
