/* SPDX-License-Identifier: MIT */
/* The plan: dangerous groups first, then what comes, what stays back and why, counts and bytes. */
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "cli/view.h"
#include "term/table.h"

#include <string.h>

static const struct {
	const char *action, *heading;
	enum out_style style;
} groups[] = {
	{ "remove", "The following plugins will be REMOVED:", OUT_BAD },
	{ "downgrade", "The following plugins will be DOWNGRADED:", OUT_BAD },
	{ "disable", "The following plugins will be DISABLED:", OUT_BAD },
	{ "block", "The following plugins will be BLOCKED:", OUT_BAD },
	{ "install", "The following NEW plugins will be installed:", OUT_BOLD },
	{ "upgrade", "The following plugins will be upgraded:", OUT_BOLD },
	{ "reinstall", "The following plugins will be installed again:", OUT_BOLD },
	{ "enable", "The following plugins will be enabled:", OUT_BOLD },
	{ "unblock", "The following plugins come back into use:", OUT_BOLD },
};

static const struct {
	const char *why, *with, *without; /* with: goes before the name of the other plugin */
} reasons[] = {
	{ "broken", "needs %s, which goes", "what it needs goes" },
	{ "conflict", "conflicts with %s", "conflicts" },
	{ "locked", "with %s, as plugpkg.lock says", "as plugpkg.lock says" },
	{ "recommended", "recommended by %s", "recommended" },
	{ "replaced", "replaced by %s", "replaced" },
	{ "required", "required by %s", "required" },
	{ "unneeded", "no longer needed by %s", "no longer needed" },
};

/* Why it is in the plan; "" for what was asked for. Owned. */
static char *
reason(const pp_json *step)
{
	const char *because = pp_json_get_str(step, "because"), *why = view_str(step, "why");

	for (size_t i = 0; i < PP_LEN(reasons); i++) {
		if (strcmp(reasons[i].why, why) != 0)
			continue;
		if (because == NULL)
			return pp_xstrdup(reasons[i].without);
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
		struct pp_str rest = pp_str_of(reasons[i].with), before;
		(void)pp_str_cut(&rest, '%', &before); /* each has its %s */
		pp_buf_add(&text, before.p, before.n);
		pp_buf_addf(&text, "%s%.*s", because, (int)rest.n - 1, rest.p + 1);
		return pp_buf_steal(&text);
	}
	return pp_xstrdup("");
}

/* Of plugins that stay as they are and are switched, by whomever. NULL: of others. Owned. */
static char *
switch_reason(const pp_json *step)
{
	const char *action = view_str(step, "action");
	bool is_back = strcmp(action, "unblock") == 0, is_on = strcmp(action, "enable") == 0;
	char *text = view_blockers(step,
	    is_back ? "was blocked by "
	    : is_on ? "stays blocked: needs "
		    : "needs ",
	    "");

	return text != NULL || pp_json_get(step, "blocked_by") == NULL ? text : pp_xstrdup("");
}

static void
add_step(struct table *t, const pp_json *step)
{
	const char *old = pp_json_get_str(step, "old_version"),
		   *version = view_str(step, "version");
	bool is_change = old != NULL && strcmp(old, version) != 0;
	PP_AUTO_FREE char *versions =
	    is_change ? pp_asprintf("%s -> %s", old, version) : pp_xstrdup(version);
	PP_AUTO_FREE char *switched = switch_reason(step);
	int64_t data_from = pp_json_get_int(step, "data_from", 0);
	PP_AUTO_FREE char *why =
	    switched != NULL ? pp_xstrdup(switched)
	    : data_from > 0  ? pp_asprintf("with its data of generation %lld", (long long)data_from)
			     : reason(step);
	const char *file = pp_json_get_str(step, "file");
	bool is_link = strcmp(view_str(step, "source"), "link") == 0;

	table_add(t, view_key(step));
	table_add(t, versions);
	if (file != NULL)
		table_add(t,
		    pp_json_get_bool(step, "unsigned") ? "local file, not signed" : "local file");
	else
		table_add(t, is_link && *why == '\0' ? "used in place" : why);
}

/* PP_LEN(groups): of none. */
static size_t
group_of(const pp_json *step)
{
	const char *action = view_str(step, "action");
	size_t group = 0;

	while (group < PP_LEN(groups) && strcmp(groups[group].action, action) != 0)
		group++;
	return group;
}

static void
print_groups(struct cli *cli)
{
	struct table tables[PP_LEN(groups)];
	const pp_json *step;

	for (size_t k = 0; k < PP_LEN(groups); k++)
		tables[k] = (struct table){ .n_columns = 3, .indent = 2, .is_whole = true };
	for (size_t i = 0; (step = view_next(cli, "step", &i)) != NULL;) {
		size_t group = group_of(step);
		if (group < PP_LEN(groups))
			add_step(&tables[group], step);
	}
	for (size_t k = 0; k < PP_LEN(groups); k++) {
		if (tables[k].cells.n > 0) {
			out_styled(&cli->out, groups[k].style, "%s", groups[k].heading);
			out_end(&cli->out);
			table_print(&tables[k], &cli->out);
		}
		table_fini(&tables[k]);
	}
}

static const struct {
	const char *state, *text;
	enum out_style style;
} owners[] = {
	{ "new", "new", OUT_PLAIN },
	{ "unchanged", "unchanged", OUT_PLAIN },
	{ "rotated", "passed on by the owner", OUT_PLAIN },
	{ "changed", "CHANGED", OUT_BAD },
	{ "unsigned", "MISSING: not signed", OUT_BAD },
};

/* One line for all that is as it should be, then one for each that is not. */
static void
print_owners(struct cli *cli)
{
	size_t n[PP_LEN(owners)] = { 0 };
	const pp_json *step;
	bool is_first = true;

	for (size_t i = 0; (step = view_next(cli, "step", &i)) != NULL;) {
		const char *owner = view_str(step, "owner");
		for (size_t k = 0; k < PP_LEN(owners); k++)
			n[k] += strcmp(owners[k].state, owner) == 0;
	}
	for (size_t k = 0; k < PP_LEN(owners); k++) {
		if (n[k] == 0)
			continue;
		out_text(&cli->out, "%s", is_first ? "Owner keys: " : ", ");
		out_styled(&cli->out, owners[k].style, "%zu %s", n[k], owners[k].text);
		is_first = false;
	}
	if (!is_first)
		out_line(&cli->out, ".");
	for (size_t i = 0; (step = view_next(cli, "step", &i)) != NULL;)
		if (pp_json_get(step, "owner_expected") != NULL)
			out_line(&cli->out, "  %s: expected %.16s, here %.16s",
			    view_str(step, "name"), view_str(step, "owner_expected"),
			    *view_str(step, "owner_key") != '\0' ? view_str(step, "owner_key")
								 : "none");
}

static void
print_kept(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3, .indent = 2, .is_whole = true };
	const pp_json *kept;

	for (size_t i = 0; (kept = view_next(cli, "kept", &i)) != NULL;) {
		const char *candidate = pp_json_get_str(kept, "candidate");
		PP_AUTO_FREE char *versions = pp_asprintf("%s%s%s", view_str(kept, "version"),
		    candidate != NULL ? ", not " : "", candidate != NULL ? candidate : "");

		table_add(&t, view_str(kept, "name"));
		table_add(&t, versions);
		table_add(&t, view_str(kept, "reason"));
	}
	if (t.cells.n == 0)
		return;
	out_line(&cli->out, "Kept back:");
	table_print(&t, &cli->out);
}

/* They stay as they are and lack something; nobody asked about them, or nothing can be done. */
static void
print_broken(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3, .indent = 2, .is_whole = true };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "broken", &i)) != NULL;) {
		table_add(&t, view_str(row, "name"));
		table_add(&t, view_str(row, "version"));
		table_add(&t, view_str(row, "reason"));
	}
	if (t.cells.n == 0)
		return;
	out_styled(&cli->out, OUT_WARN, "These plugins stay BROKEN:");
	out_end(&cli->out);
	table_print(&t, &cli->out);
}

/* What a dependent said, as the rest of the line that begins with its name. Owned. */
static char *
said(const pp_json *vote)
{
	const char *answer = view_str(vote, "answer"), *plugin = view_str(vote, "plugin");
	const char *forced = pp_json_get_bool(vote, "forced") ? ", overridden" : "";
	char until[PP_TIME_TEXT];

	if (strcmp(answer, "veto") == 0)
		return pp_asprintf("does not let %s go%s", plugin, forced);
	if (strcmp(answer, "stay") == 0 && *forced != '\0')
		return pp_asprintf("does not let %s go%s: stays without it", plugin, forced);
	if (strcmp(answer, "stay") == 0)
		return pp_asprintf("stays without %s", plugin);
	if (strcmp(answer, "none") == 0)
		return pp_asprintf("goes with %s; it has no handler to ask", plugin);
	if (strcmp(answer, "delay") == 0) {
		pp_time_format(pp_json_get_int(vote, "until", 0), until);
		return pp_asprintf("delays %s until %s%s", plugin, until, forced);
	}
	if (strcmp(view_str(vote, "event"), "upgrade-before") == 0)
		return pp_asprintf("is ready for the new %s", plugin);
	return pp_asprintf("goes with %s", plugin);
}

static bool
was_asked(const struct cli *cli)
{
	const pp_json *vote;

	for (size_t i = 0; (vote = view_next(cli, "vote", &i)) != NULL;)
		if (strcmp(view_str(vote, "answer"), "none") != 0)
			return true;
	return false;
}

static void
print_votes(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 3, .indent = 2, .is_whole = true };
	const pp_json *vote;

	if (!was_asked(cli))
		return;
	for (size_t i = 0; (vote = view_next(cli, "vote", &i)) != NULL;) {
		PP_AUTO_FREE char *text = said(vote);
		table_add(&t, view_str(vote, "name"));
		table_add(&t, text);
		table_add(&t, view_str(vote, "text"));
	}
	out_line(&cli->out, "Dependents were asked:");
	table_print(&t, &cli->out);
}

static void
print_suggested(struct cli *cli)
{
	const pp_json *row;
	bool is_first = true;

	for (size_t i = 0; (row = view_next(cli, "suggested", &i)) != NULL; is_first = false) {
		if (is_first)
			out_line(&cli->out, "Suggested, not installed:");
		out_line(&cli->out, "  %s", view_str(row, "text"));
	}
}

static void
print_skipped(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "skipped", &i)) != NULL;)
		out_line(&cli->out, "Skipped: %s is not installed.", view_str(row, "name"));
}

static void
fini_keys(struct pp_map *keys)
{
	pp_map_fini(keys, NULL);
}

/* Keys of the steps, to ask for each row of a type; no keys where there is no such row. */
static void
find_steps(const struct cli *cli, const char *type, struct pp_map *out)
{
	const pp_json *step;
	size_t first = 0;

	if (view_next(cli, type, &first) == NULL)
		return;
	for (size_t i = 0; (step = view_next(cli, "step", &i)) != NULL;)
		(void)pp_map_put(out, view_key(step));
}

/* What is there already and only changes from automatic to manual, or in its range. */
static void
print_wanted(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 2, .indent = 2, .is_whole = true };
	PP_CLEANUP(fini_keys) struct pp_map steps = { 0 };
	const pp_json *row;

	find_steps(cli, "wanted", &steps);
	for (size_t i = 0; (row = view_next(cli, "wanted", &i)) != NULL;) {
		if (pp_map_has(&steps, view_str(row, "name")))
			continue;
		table_add(&t, view_str(row, "name"));
		table_add(&t, view_str(row, "range"));
	}
	if (t.cells.n == 0)
		return;
	out_line(&cli->out, "Installed already, and asked for from now on:");
	table_print(&t, &cli->out);
}

/* What stays installed as long as others need it. */
static void
print_unwanted(struct cli *cli)
{
	PP_CLEANUP(fini_keys) struct pp_map steps = { 0 };
	const pp_json *row;

	find_steps(cli, "unwanted", &steps);
	for (size_t i = 0; (row = view_next(cli, "unwanted", &i)) != NULL;)
		if (!pp_map_has(&steps, view_str(row, "name")))
			out_line(&cli->out, "%s is no longer asked for.", view_str(row, "name"));
}

/* What plugpkg.json says otherwise than the state: `sync` brings it in line. */
static void
print_marks(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "mark", &i)) != NULL;)
		out_line(&cli->out, "%s counts as %s from now on.", view_str(row, "name"),
		    pp_json_get_bool(row, "manual") ? "asked for" : "come along");
}

static void
print_left(struct cli *cli, const char *what, const char *heading)
{
	const pp_json *row;
	bool is_first = true;

	for (size_t i = 0; (row = view_next(cli, "purge", &i)) != NULL;) {
		if (strcmp(view_str(row, "what"), what) != 0)
			continue;
		if (is_first) {
			out_styled(&cli->out, OUT_BAD, "%s", heading);
			out_end(&cli->out);
		}
		is_first = false;
		out_line(&cli->out, "  %s", view_str(row, "name"));
	}
}

/* Of plugins that left before and are not there any more. */
static void
print_left_data(struct cli *cli)
{
	print_left(cli, "data", "The data of these plugins, removed before, will be DELETED:");
	print_left(cli, "owner-key",
	    "The expected owner keys of these plugins, removed before, will be FORGOTTEN:");
}

/* "2 disabled, 1 blocked." */
static void
print_switches(struct out *o, const pp_json *row)
{
	static const struct {
		const char *key, *text;
	} counts[] = {
		{ "disable", "disabled" },
		{ "block", "blocked" },
		{ "enable", "enabled" },
		{ "unblock", "back in use" },
	};
	bool is_first = true;

	for (size_t i = 0; i < PP_LEN(counts); i++) {
		long long n = (long long)pp_json_get_int(row, counts[i].key, 0);
		if (n == 0)
			continue;
		out_text(o, "%s%lld %s", is_first ? "" : ", ", n, counts[i].text);
		is_first = false;
	}
	if (!is_first)
		out_line(o, ".");
}

/* Nothing but that: the counts of steps would only say so five times. */
static bool
is_switch(const pp_json *row)
{
	static const char *const steps[] = { "install", "upgrade", "downgrade", "reinstall",
		"remove" };
	uint64_t n = 0;

	for (size_t i = 0; i < PP_LEN(steps); i++)
		n += view_bytes(row, steps[i]);
	return n == 0 && view_bytes(row, "disable") + view_bytes(row, "enable") > 0;
}

static void
print_summary(struct cli *cli, const pp_json *row)
{
	char download[OUT_SIZE_TEXT], unpacked[OUT_SIZE_TEXT];
	struct out *o = &cli->out;

	print_switches(o, row);
	if (is_switch(row))
		return;
	out_text(o, "%lld new, %lld upgraded, ", (long long)pp_json_get_int(row, "install", 0),
	    (long long)pp_json_get_int(row, "upgrade", 0));
	if (pp_json_get_int(row, "reinstall", 0) > 0)
		out_text(o, "%lld again, ", (long long)pp_json_get_int(row, "reinstall", 0));
	if (pp_json_get_int(row, "downgrade", 0) > 0)
		out_text(o, "%lld downgraded, ", (long long)pp_json_get_int(row, "downgrade", 0));
	out_line(o, "%lld removed, %lld kept back.", (long long)pp_json_get_int(row, "remove", 0),
	    (long long)pp_json_get_int(row, "kept", 0));
	if (pp_json_get_bool(row, "no_scripts"))
		out_line(o, "Scripts of what comes do not run; plugpkg repair runs them later.");
	if (view_bytes(row, "download_bytes") > 0 || view_bytes(row, "unpacked_bytes") > 0)
		out_line(o, "To fetch: %s at most. On disk: %s.",
		    out_size(view_bytes(row, "download_bytes"), download),
		    out_size(view_bytes(row, "unpacked_bytes"), unpacked));
}

void
view_plan(struct cli *cli)
{
	const pp_json *row;
	size_t i = 0;

	print_groups(cli);
	print_owners(cli);
	print_left_data(cli);
	print_votes(cli);
	print_wanted(cli);
	print_unwanted(cli);
	print_marks(cli);
	print_kept(cli);
	print_broken(cli);
	print_skipped(cli);
	print_suggested(cli);
	row = view_next(cli, "summary", &i);
	if (row != NULL)
		print_summary(cli, row);
}

void
view_transaction(struct cli *cli)
{
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "transaction", &i)) != NULL;)
		if (!cli->is_quiet)
			out_line(&cli->out, "Done: generation %lld is current.",
			    (long long)pp_json_get_int(row, "generation", 0));
}
