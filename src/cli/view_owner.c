/* SPDX-License-Identifier: MIT */
/* Keys of owners: what was signed, and which keys a root expects. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"
#include "term/table.h"

#include <string.h>

#define ID_SHOWN 16 /* digits; JSON rows and `owner show` have them all */

void
view_signed(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "owner-key", &i)) != NULL;) {
		out_line(
		    &cli->out, "Key %s is in %s.", view_str(row, "key"), view_str(row, "file"));
		cli_say(cli, "Keep a copy of the file elsewhere: nothing else can sign for you.");
	}
	for (size_t i = 0; (row = view_next(cli, "signed", &i)) != NULL;)
		if (!cli->is_quiet)
			out_line(&cli->out, "%s", view_str(row, "path"));
	for (size_t i = 0; (row = view_next(cli, "rotation", &i)) != NULL;) {
		out_line(&cli->out, "%s", view_str(row, "path"));
		cli_say(cli,
		    "%s: key %s takes the place of %s. Hand this file to the publisher along with "
		    "the next version; sign older versions that shall stay with the new key too.",
		    view_str(row, "name"), view_str(row, "next_key"), view_str(row, "key"));
	}
}

void
view_owners(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 4 };
	const pp_json *row;
	char since[PP_TIME_TEXT];

	for (size_t i = 0; (row = view_next(cli, "owner", &i)) != NULL;) {
		PP_AUTO_FREE char *id = pp_xstrndup(view_str(row, "key"), ID_SHOWN);
		pp_time_format(pp_json_get_int(row, "since", 0), since);
		table_add(&t, view_str(row, "name"));
		table_add(&t, id);
		table_add(&t, since);
		table_add(&t, view_str(row, "how"));
	}
	table_print(&t, &cli->out);
}

static const struct {
	const char *state, *text;
} states[] = {
	{ "none", "none" },
	{ "new", "known to the source, not to this root yet" },
	{ "unchanged", "the same in the source" },
	{ "rotated", "passed on to another key, as the old one signed" },
	{ "changed", "ANOTHER in the source" },
	{ "unsigned", "NONE in the source any more" },
	{ "unknown", "no source knows the plugin" },
};

void
view_owner(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "owner", &i)) != NULL;) {
		const char *key = pp_json_get_str(row, "key");
		const char *offered = pp_json_get_str(row, "offered");
		out_line(&cli->out, "Name:      %s", view_str(row, "name"));
		out_line(&cli->out, "Expected:  %s", key != NULL ? key : "none");
		if (offered != NULL && (key == NULL || strcmp(key, offered) != 0))
			out_line(&cli->out, "Source:    %s", offered);
		for (size_t k = 0; k < PP_LEN(states); k++)
			if (strcmp(states[k].state, view_str(row, "state")) == 0)
				out_line(&cli->out, "Owner key: %s", states[k].text);
	}
}
