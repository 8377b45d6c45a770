/* SPDX-License-Identifier: MIT */
/* --help and `help`, printed from the tables that the parser uses; looking commands up in them. */
#include "term/help.h"
#include "term/program.h"

#include "base/mem.h"
#include "term/render.h"

#include <string.h>

#define MAX_TYPING_ERRORS 2

const struct cmd *
cmd_find(const char *name)
{
	for (const struct cmd_entry *e = program.table; e->heading != NULL || e->cmd != NULL; e++)
		if (e->cmd != NULL && strcmp(e->cmd->name, name) == 0)
			return e->cmd;
	return NULL;
}

const struct cmd *
cmd_find_sub(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; cmd->subs[i] != NULL; i++)
		if (strcmp(cmd->subs[i]->name, name) == 0)
			return cmd->subs[i];
	return NULL;
}

enum plugpkg_code
cli_usage(struct cli *cli, const char *fmt, ...)
{
	const struct cmd *cmd = cli->group != NULL ? cli->group : cli->cmd;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536);
	PP_AUTO_FREE char *hint = NULL;
	va_list ap;

	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (cmd != NULL)
		hint = pp_asprintf("%s %s --help tells how to use it", program.name, cmd->name);
	else
		hint = pp_asprintf("%s --help lists the commands", program.name);
	return cli_fail(cli, PLUGPKG_E_USAGE, hint, "%s", pp_buf_cstr(&text));
}

/* Keeps the nearest names, several when they are equally near. */
static void
consider(const char *typed, const char *name, struct pp_strs *nearest, size_t *distance)
{
	size_t d = pp_distance(typed, name, MAX_TYPING_ERRORS);

	if (strlen(typed) > 1 && pp_starts_with(name, typed))
		d = 1;
	if (d > MAX_TYPING_ERRORS || d > *distance)
		return;
	if (d < *distance)
		pp_strs_fini(nearest);
	*distance = d;
	pp_strs_add(nearest, name);
}

/* Near it there may be the opposite. */
static void
find_synonym(const char *typed, const struct cmd *group, struct pp_strs *out)
{
	for (const struct synonym *s = program.synonyms; s->word != NULL; s++)
		if (strcmp(s->word, typed) == 0 &&
		    (group == NULL || cmd_find_sub(group, s->command) != NULL))
			pp_strs_add(out, s->command);
}

static void
find_near(const char *typed, const struct cmd *group, struct pp_strs *out)
{
	size_t distance = MAX_TYPING_ERRORS;

	for (size_t i = 0; group != NULL && group->subs[i] != NULL; i++)
		consider(typed, group->subs[i]->name, out, &distance);
	for (const struct cmd_entry *e = program.table;
	     group == NULL && (e->heading != NULL || e->cmd != NULL); e++)
		if (e->cmd != NULL && (e->cmd->flags & CMD_HIDDEN) == 0)
			consider(typed, e->cmd->name, out, &distance);
}

enum plugpkg_code
cli_unknown_command(struct cli *cli, const struct cmd *group, const char *name)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs nearest = { 0 };
	PP_AUTO_BUF struct pp_buf hint = PP_BUF_INIT(4096);

	find_synonym(name, group, &nearest);
	if (nearest.n == 0)
		find_near(name, group, &nearest);
	const char *prefix = group != NULL ? group->name : "";
	const char *blank = group != NULL ? " " : "";
	if (nearest.n == 0 && group != NULL)
		return cli_usage(cli, "unknown command '%s%s%s'", prefix, blank, name);
	if (nearest.n == 0)
		pp_buf_addf(&hint, "%s --help lists the commands", program.name);
	else
		pp_buf_adds(&hint, "did you mean ");
	for (size_t i = 0; i < nearest.n; i++)
		pp_buf_addf(&hint, "%s'%s'%s", i == 0 ? "" : " or ", nearest.at[i],
		    i + 1 == nearest.n ? "?" : "");
	return cli_fail(cli, PLUGPKG_E_USAGE, pp_buf_cstr(&hint), "unknown command '%s%s%s'",
	    prefix, blank, name);
}

static void
print_options(struct out *o, const char *heading, const struct opt *table)
{
	if (table == NULL || table->name == NULL)
		return;
	out_end(o);
	out_line(o, "%s:", heading);
	for (const struct opt *t = table; t->name != NULL; t++) {
		PP_AUTO_BUF struct pp_buf form = PP_BUF_INIT(256);

		if (t->letter != 0)
			pp_buf_addf(&form, "-%c, ", t->letter);
		else
			pp_buf_adds(&form, "    ");
		pp_buf_addf(&form, "--%s", t->name);
		if (t->arg != NULL)
			pp_buf_addf(&form, " %s", t->arg);
		out_line(o, "  %-25s %s", pp_buf_cstr(&form), t->text);
	}
}

static void
help_command(struct out *o, const struct cmd *group, const struct cmd *cmd)
{
	out_line(o, "Usage: %s %s%s%s [OPTIONS]%s%s", program.name,
	    group != NULL ? group->name : "", group != NULL ? " " : "", cmd->name,
	    cmd->args != NULL ? " " : "", cmd->args != NULL ? cmd->args : "");
	out_end(o);
	out_line(o, "%s.", cmd->summary);
	if (cmd->subs != NULL) {
		out_end(o);
		out_line(o, "Commands:");
	}
	for (size_t i = 0; cmd->subs != NULL && cmd->subs[i] != NULL; i++) {
		const struct cmd *sub = cmd->subs[i];
		PP_AUTO_FREE char *form = pp_asprintf("%s %s%s%s", cmd->name, sub->name,
		    sub->args != NULL ? " " : "", sub->args != NULL ? sub->args : "");

		out_line(o, "  %-25s %s", form, sub->summary);
	}
	for (size_t i = 0; cmd->subs != NULL && cmd->subs[i] != NULL; i++) {
		PP_AUTO_FREE char *heading = pp_asprintf("Options of %s", cmd->subs[i]->name);

		print_options(o, heading, cmd->subs[i]->opts);
	}
	print_options(o, "Options", cmd->opts);
	print_options(o, "Common options", program.common);
	out_end(o);
	if (program.has_one_page)
		out_line(o, "Manual: %s(1)", program.name);
	else
		out_line(
		    o, "Manual: %s-%s(1)", program.name, group != NULL ? group->name : cmd->name);
}

static void
help_program(struct out *o)
{
	out_line(o, "%s %s: %s", program.name, plugpkg_version(), program.summary);
	out_end(o);
	out_line(o, "Usage: %s COMMAND [OPTIONS] [OPERANDS]", program.name);
	for (const struct cmd_entry *e = program.table; e->heading != NULL || e->cmd != NULL; e++) {
		if (e->heading != NULL) {
			out_end(o);
			out_line(o, "%s:", e->heading);
		} else if ((e->cmd->flags & CMD_HIDDEN) == 0) {
			out_line(o, "  %-13s %s", e->cmd->name, e->cmd->summary);
		}
	}
	print_options(o, "Options of every command", program.common);
	out_end(o);
	out_line(o, "%s COMMAND --help tells more, and so does %s(1).", program.name, program.name);
}

void
help_show(struct cli *cli, const struct cmd *group, const struct cmd *cmd)
{
	struct out *o =
	    cli->is_json ? &cli->talk : &cli->out; /* the answer is the result row then */

	cli->renderer->quieten(cli);
	if (cmd != NULL)
		help_command(o, group, cmd);
	else
		help_program(o);
}
