/* SPDX-License-Identifier: MIT */
/*
 * The search file, and lines of the other layers: what a line starts with is what it says as a
 * whole, and a row cut out of one is the row that is in it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/index/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_rows(struct pp_str text, const char *name, const pp_json *line)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++) {
		const char *version = pp_json_get_str(pp_json_at(rows, i), "version");
		PP_AUTO_JSON pp_json *row = NULL;

		if (version == NULL)
			continue;
		if (pp_shard_row(text, name, version, &row, NULL) != PLUGPKG_OK || row == NULL ||
		    strcmp(pp_json_get_str(row, "version"), version) != 0)
			abort();
	}
}

static void
check_line(const struct pp_shard *s, struct pp_str text)
{
	PP_AUTO_FREE char *name = pp_shard_line_name(text);
	const struct pp_str *found = pp_shard_find(s, name);
	PP_AUTO_JSON pp_json *line = NULL;

	if (found == NULL || found->p != text.p)
		abort();
	if (pp_shard_parse(text, name, &line, NULL) != PLUGPKG_OK)
		return;
	const char *said = pp_json_get_str(line, "name");
	if (said == NULL || strcmp(said, name) != 0)
		abort();
	check_rows(text, name, line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_shard s;

	if (pp_shard_open((struct pp_str){ (const char *)data, size }, "search", &s, NULL) !=
	    PLUGPKG_OK)
		return 0;
	pp_vec_foreach (line, &s.lines)
		check_line(&s, *line);
	if (pp_shard_find(&s, "no such name") != NULL)
		abort();
	pp_shard_fini(&s);
	return 0;
}
