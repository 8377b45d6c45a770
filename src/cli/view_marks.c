/* SPDX-License-Identifier: MIT */
/* Holds and marks as they are now, and the chains that say why something is installed. */
#include "cli/view.h"

#include "base/mem.h"
#include "base/time.h"

#include <string.h>

char *
view_held(const pp_json *row)
{
	int64_t until = pp_json_get_int(row, "hold_until", 0);
	char text[PP_TIME_TEXT];

	if (!pp_json_get_bool(row, "hold"))
		return NULL;
	if (until == 0)
		return pp_xstrdup("held");
	pp_time_format(until, text);
	return pp_asprintf("held until %s", text);
}

void
view_holds(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "hold", &i)) != NULL;) {
		PP_AUTO_FREE char *held = view_held(row);

		if (held != NULL)
			cli_say(cli, "%s %s is %s.", view_str(row, "name"),
			    view_str(row, "version"), held);
		else
			cli_say(cli, "%s %s is not held.", view_str(row, "name"),
			    view_str(row, "version"));
	}
}

void
view_marks(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "mark", &i)) != NULL;)
		cli_say(cli, "%s %s is %s.", view_str(row, "name"), view_str(row, "version"),
		    view_str(row, "reason"));
}

/* ---- why ---- */

static const struct {
	const char *reason, *before, *after; /* around the first plugin of a chain */
} starts[] = {
	{ "held", "", " is held" },
	{ "linked", "", " is linked" },
	{ "manual", "you asked for ", "" },
};

/* "animal 1.0.0 requires species-list * (species-eu 1.0.0)" */
static void
print_edge(struct cli *cli, const pp_json *from, const pp_json *to)
{
	const char *as = pp_json_get_str(to, "as");

	out_text(&cli->out, "%s %s %s %s %s", view_str(from, "name"), view_str(from, "version"),
	    view_str(to, "kind"), as != NULL ? as : view_str(to, "name"), view_str(to, "range"));
	if (as != NULL)
		out_text(&cli->out, " (provided by %s %s)", view_str(to, "name"),
		    view_str(to, "version"));
	out_end(&cli->out);
}

/* "mid 1.0.0 is blocked: it needs base", of a plugin that is not in use. */
static void
print_state(struct cli *cli, const pp_json *link)
{
	PP_AUTO_FREE char *blockers = view_blockers(link, ": it needs ", "");

	if (pp_json_get(link, "state") != NULL)
		out_line(&cli->out, "%s %s is %s%s", view_str(link, "name"),
		    view_str(link, "version"), view_str(link, "state"),
		    blockers != NULL ? blockers : "");
}

static void
print_chain(struct cli *cli, const pp_json *row)
{
	const pp_json *chain = pp_json_get(row, "chain");
	const pp_json *first = pp_json_at(chain, 0);

	for (size_t i = 0; i < PP_LEN(starts); i++)
		if (strcmp(starts[i].reason, view_str(row, "reason")) == 0)
			out_line(&cli->out, "%s%s %s%s", starts[i].before, view_str(first, "name"),
			    view_str(first, "version"), starts[i].after);
	for (size_t i = 1; i < pp_json_len(chain); i++)
		print_edge(cli, pp_json_at(chain, i - 1), pp_json_at(chain, i));
	for (size_t i = 0; i < pp_json_len(chain); i++)
		print_state(cli, pp_json_at(chain, i));
}

void
view_why(struct cli *cli)
{
	const pp_json *row;
	bool is_first = true, has_more = false;

	for (size_t i = 0; (row = view_next(cli, "why", &i)) != NULL; is_first = false) {
		if (!is_first)
			out_end(&cli->out);
		if (pp_json_len(pp_json_get(row, "chain")) == 0)
			out_line(&cli->out,
			    "nobody asks for %s %s; plugpkg autoremove would remove it",
			    view_str(row, "name"), view_str(row, "version"));
		print_chain(cli, row);
		has_more = pp_json_get_bool(row, "more");
	}
	if (has_more)
		cli_say(cli, "There are more chains of this length.");
}

void
view_denied(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "mark", &i)) != NULL;)
		out_line(&cli->out,
		    "%s %s counts as not installed; plugpkg repair %s installs it again.",
		    view_str(row, "name"), view_str(row, "version"), view_str(row, "name"));
}

/* "user 2.1.3 is installed." */
void
view_installed(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "installed", &i)) != NULL;) {
		const char *version = view_str(row, "version"), *text = view_str(row, "text");
		bool is_here = pp_json_get_bool(row, "installed");

		if (is_here)
			out_line(&cli->out, "%s: %s is installed%s.", view_str(row, "name"),
			    version, *text != '\0' ? ", as far as the state knows" : "");
		else
			out_line(&cli->out, "%s is not installed.%s%s", view_str(row, "name"),
			    *text != '\0' ? " " : "", text);
	}
}

void
view_repaired(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "repaired", &i)) != NULL;) {
		const char *name = pp_json_get_str(row, "name");

		out_line(&cli->out, "%s%s%s", name != NULL ? name : "", name != NULL ? ": " : "",
		    view_str(row, "text"));
	}
}

void
view_materialized(struct cli *cli)
{
	size_t i = 0;
	const pp_json *row = view_next(cli, "materialized", &i);
	char size[OUT_SIZE_TEXT];

	out_line(&cli->out, "'%s' holds generation %lld: %lld plugins, %lld files, %s.",
	    view_str(row, "dir"), (long long)pp_json_get_int(row, "generation", 0),
	    (long long)pp_json_get_int(row, "plugins", 0),
	    (long long)pp_json_get_int(row, "files", 0), out_size(view_bytes(row, "bytes"), size));
}
