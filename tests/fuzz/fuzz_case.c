/* SPDX-License-Identifier: MIT */
/* Scenarios: no world, however odd, makes the walk, the solver or the explanations misbehave. */
#include "case.h"

#define MAX_BYTES 4096
#define MAX_LINES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs lines = { 0 };
	PP_AUTO_FREE char *why = NULL;
	struct pp_str rest = { (const char *)data, size }, line;

	if (size > MAX_BYTES || !pp_is_utf8((const char *)data, size))
		return 0;
	while (lines.n < MAX_LINES && pp_str_cut(&rest, '\n', &line))
		if (line.n > 0 && line.p[0] != '#')
			pp_strs_take(&lines, pp_xstrndup(line.p, line.n));
	struct scenario *c = scenario_parse("fuzz", &lines, &why);
	if (c == NULL)
		return 0;
	scenario_decide_here(c);
	scenario_free(c);
	return 0;
}
