/* SPDX-License-Identifier: MIT */
/* plugpkg.json: what is read can be edited, written and read again. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
edit(struct pp_config *c)
{
	PP_AUTO_FREE char *first =
	    c->sources.n > 0 ? pp_xstrdup(c->sources.at[0].name) : pp_xstrdup("none");

	pp_config_want(c, "fuzz-wanted", "^1.2");
	if (c->plugins.n > 1) {
		PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };

		pp_strs_add(&gone, c->plugins.at[0].name);
		if (!pp_config_unwant(c, &gone))
			abort();
	}
	(void)pp_config_remove_source(c, first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str text = { (const char *)data, size };
	struct pp_config *c = NULL, *again = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (pp_config_parse(text, "plugpkg.json", &c, &err) != PLUGPKG_OK)
		return 0;
	edit(c);

	PP_AUTO_FREE char *written = pp_config_text(c);

	if (pp_config_parse(pp_str_of(written), "plugpkg.json", &again, &err) != PLUGPKG_OK ||
	    again->plugins.n != c->plugins.n || again->sources.n != c->sources.n)
		abort();
	pp_config_free(c);
	pp_config_free(again);
	return 0;
}
