/* SPDX-License-Identifier: MIT */
/* How a root differs from its files, and what became of plugpkg.lock. */
#include "cli/view.h"

void
view_differences(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "difference", &i)) != NULL;)
		out_line(&cli->out, "%s", view_str(row, "text"));
}

void
view_lock(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "lock", &i)) != NULL;)
		cli_say(cli,
		    pp_json_get_bool(row, "changed") ? "'%s' was written."
						     : "'%s' says that already.",
		    view_str(row, "file"));
}
