/* SPDX-License-Identifier: MIT */
/* An index root of any bytes: refused with a message, or written again as the same root. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/index/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

PP_DEFINE_AUTO(root, struct pp_index_root, pp_index_root_free);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO(root) struct pp_index_root *r = NULL;
	PP_AUTO(root) struct pp_index_root *again = NULL;
	struct pp_str text = { (const char *)data, size };

	if (pp_index_root_parse(text, "root", &r, &err) != PLUGPKG_OK) {
		if (err == NULL || r != NULL)
			abort();
		return 0;
	}

	PP_AUTO_FREE char *written = pp_index_root_text(r);
	if (pp_index_root_parse(pp_str_of(written), "root", &again, NULL) != PLUGPKG_OK)
		abort();
	PP_AUTO_FREE char *twice = pp_index_root_text(again);
	if (strcmp(written, twice) != 0)
		abort();
	return 0;
}
