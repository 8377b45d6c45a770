/* SPDX-License-Identifier: MIT */
/* Manifests: parsing and lint's reading agree, and a planning row of a good one reads back. */
#include <stdlib.h>

#include "lib/model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(const plugpkg_error *fault, void *user)
{
	size_t *faults = user;

	if (plugpkg_error_message(fault)[0] == '\0')
		abort();
	(*faults)++;
}

static void
check_row(const struct pp_manifest *m)
{
	PP_AUTO_JSON pp_json *row = pp_release_row(m->json);
	PP_AUTO(release) struct pp_release *r = NULL;

	if (pp_release_parse(row, m->release->name, "row", PLUGPKG_E_BAD_METADATA, &r, NULL) !=
	    PLUGPKG_OK)
		abort();
	if (r->requires.n != m->release->requires.n ||
	    pp_version_cmp(&r->version, &m->release->version) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str text = { (const char *)data, size };
	PP_AUTO(manifest) struct pp_manifest *parsed = NULL;
	PP_AUTO(manifest) struct pp_manifest *checked = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	size_t faults = 0;

	enum plugpkg_code rc = pp_manifest_parse(text, "plugin.json", &parsed, &err);

	checked = pp_manifest_check(text, "plugin.json", count, &faults);
	if ((rc == PLUGPKG_OK) != (faults == 0) || (rc == PLUGPKG_OK) != (parsed != NULL))
		abort();
	if (parsed != NULL)
		check_row(parsed);
	return 0;
}
