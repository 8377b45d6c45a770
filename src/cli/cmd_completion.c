/* SPDX-License-Identifier: MIT */
/*
 * `plugpkg completion SHELL` prints a small script; the script asks `plugpkg completion words -- …`
 * for the words that fit. So the shells know what the tables of commands and options say, and
 * nothing else.
 */
#include "cli/help.h"
#include "cli/view.h"

#include <string.h>

#define MAX_WORDS 4096

static const struct script {
	const char *shell, *text;
} scripts[] = {
	{ "bash", "# bash completion for plugpkg: the words come from the program itself.\n"
		  "_plugpkg()\n"
		  "{\n"
		  "\tlocal line=${COMP_LINE:0:COMP_POINT} words=() cur prefix word text\n"
		  "\tread -ra words <<<\"$line\"\n"
		  "\t[[ $line == *[[:blank:]] ]] && words+=(\"\")\n"
		  "\tcur=${words[${#words[@]} - 1]}\n"
		  "\t# Readline replaces only what stands after the last of these.\n"
		  "\tprefix=${cur%\"${cur##*[@=:]}\"}\n"
		  "\tCOMPREPLY=()\n"
		  "\twhile IFS=$'\\t' read -r word text; do\n"
		  "\t\tcase $word in\n"
		  "\t\t:dirs)\n"
		  "\t\t\tcompopt -o filenames\n"
		  "\t\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
		  "\t\t:files)\n"
		  "\t\t\tcompopt -o filenames\n"
		  "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
		  "\t\t*) COMPREPLY+=(\"${word#\"$prefix\"}\") ;;\n"
		  "\t\tesac\n"
		  "\tdone < <(\"${words[0]}\" completion words -- \"${words[@]:1}\" 2>/dev/null)\n"
		  "}\n"
		  "complete -F _plugpkg plugpkg\n" },
	{ "zsh", "#compdef plugpkg\n"
		 "# zsh completion for plugpkg: the words come from the program itself.\n"
		 "_plugpkg()\n"
		 "{\n"
		 "\tlocal -a found\n"
		 "\tlocal word text\n"
		 "\twhile IFS=$'\\t' read -r word text; do\n"
		 "\t\tcase $word in\n"
		 "\t\t:dirs) _files -/ ;;\n"
		 "\t\t:files) _files ;;\n"
		 "\t\t*) found+=(\"${word//:/\\\\:}:$text\") ;;\n"
		 "\t\tesac\n"
		 "\tdone < <(\"${words[1]}\" completion words -- \"${(@)words[2,CURRENT]}\" "
		 "2>/dev/null)\n"
		 "\t(( $#found )) && _describe plugpkg found\n"
		 "}\n"
		 "if [[ ${funcstack[1]} == _plugpkg ]]; then\n"
		 "\t_plugpkg \"$@\"\n"
		 "else\n"
		 "\tcompdef _plugpkg plugpkg\n"
		 "fi\n" },
	{ "fish",
	    "# fish completion for plugpkg: the words come from the program itself.\n"
	    "function __plugpkg_words\n"
	    "\tset -l before (commandline -opc)\n"
	    "\tset -l cur (commandline -ct)\n"
	    "\tfor found in ($before[1] completion words -- $before[2..-1] $cur 2>/dev/null)\n"
	    "\t\tswitch $found\n"
	    "\t\t\tcase :dirs\n"
	    "\t\t\t\t__fish_complete_directories $cur\n"
	    "\t\t\tcase :files\n"
	    "\t\t\t\t__fish_complete_path $cur\n"
	    "\t\t\tcase '*'\n"
	    "\t\t\t\techo $found\n"
	    "\t\tend\n"
	    "\tend\n"
	    "end\n"
	    "complete -c plugpkg -f -a '(__plugpkg_words)'\n" },
};

/* Where candidates go: words that start with what was typed, each with a tab and what it means. */
struct found {
	struct out *out;
	const char *typed;
};

static void
offer(const struct found *found, const char *word, const char *text)
{
	if (pp_starts_with(word, found->typed))
		out_line(found->out, "%s\t%s", word, text);
}

static void
offer_options(const struct found *found, const struct opt *table)
{
	for (const struct opt *t = table; t != NULL && t->name != NULL; t++) {
		PP_AUTO_FREE char *word = pp_asprintf("--%s", t->name);

		offer(found, word, t->text);
	}
}

static void
offer_commands(const struct found *found, const struct cmd *group)
{
	for (size_t i = 0; group != NULL && group->subs[i] != NULL; i++)
		offer(found, group->subs[i]->name, group->subs[i]->summary);
	for (const struct cmd_entry *e = cmd_table;
	     group == NULL && (e->heading != NULL || e->cmd != NULL); e++)
		if (e->cmd != NULL && (e->cmd->flags & CMD_HIDDEN) == 0)
			offer(found, e->cmd->name, e->cmd->summary);
}

static void
offer_row(const char *json, void *user)
{
	const struct found *found = user;
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *row = pp_json_parse(json, strlen(json), &why);

	if (pp_json_get_str(row, "name") != NULL)
		offer(found, view_str(row, "name"), view_str(row, "summary"));
}

static enum plugpkg_code
offer_names(struct cli *typed, struct found *found, enum cmd_operand kind)
{
	enum plugpkg_code rc = plugpkg_open(cli_root(typed), &typed->ctx, &typed->err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (kind == CMD_OPERAND_SOURCE)
		return plugpkg_source_list(typed->ctx, offer_row, found, &typed->err);
	unsigned flags = kind == CMD_OPERAND_AVAILABLE ? PLUGPKG_LIST_AVAILABLE : 0;
	return plugpkg_list(typed->ctx, flags, NULL, offer_row, found, &typed->err);
}

static void
offer_operands(struct cli *typed, struct found *found, enum cmd_operand kind)
{
	switch (kind) {
	case CMD_OPERAND_INSTALLED:
	case CMD_OPERAND_AVAILABLE:
	case CMD_OPERAND_SOURCE:
		/*
		 * A root that cannot be read has no names to offer; its failure has its own
		 * commands.
		 */
		(void)offer_names(typed, found, kind);
		break;
	case CMD_OPERAND_DIR:
		out_line(found->out, ":dirs");
		break;
	case CMD_OPERAND_COMMAND:
		offer_commands(found, NULL);
		break;
	case CMD_OPERAND_SHELL:
		for (size_t i = 0; i < PP_LEN(scripts); i++)
			offer(found, scripts[i].shell, "print its completion script");
		break;
	case CMD_OPERAND_OTHER:
		break;
	}
}

/*
 * The option whose value the last word of argv is, or NULL: read once more with that word emptied.
 */
static const struct opt *
option_at_end(const char **argv, size_t last)
{
	PP_CLEANUP(cli_fini) struct cli probe = { .opts.common = cli_common_opts };
	const char *typed = argv[last], *empty = "";
	const struct opt *opt = NULL;

	argv[last] = empty;
	(void)cli_read(&probe, argv); /* an unfinished line is what we came for */
	if (probe.opts.values.n > 0 && probe.opts.values.at[probe.opts.values.n - 1].value == empty)
		opt = probe.opts.values.at[probe.opts.values.n - 1].opt;
	argv[last] = typed;
	return opt;
}

/* argv: the line being typed, argv[last] the word to complete. */
static void
offer_words(struct cli *cli, const char **argv, size_t last)
{
	PP_CLEANUP(cli_fini) struct cli typed = { .opts.common = cli_common_opts };
	struct found found = { .out = &cli->out, .typed = argv[last] };
	const struct opt *opt = option_at_end(argv, last);

	if (opt != NULL && strcmp(opt->arg, "DIR") == 0)
		out_line(&cli->out, ":dirs");
	else if (opt != NULL && strcmp(opt->arg, "KEY") == 0)
		out_line(&cli->out, ":files");
	argv[last] = NULL;
	if (opt != NULL || cli_read(&typed, argv) != PLUGPKG_OK)
		return;
	if (found.typed[0] == '-' && !typed.opts.is_ended) {
		offer_options(&found, typed.cmd != NULL ? typed.cmd->opts : NULL);
		offer_options(&found, cli_common_opts);
	} else if (typed.cmd == NULL || typed.cmd->subs != NULL) {
		offer_commands(&found, typed.cmd);
	} else {
		offer_operands(&typed, &found, typed.cmd->operand);
	}
}

static enum plugpkg_code
complete_words(struct cli *cli)
{
	size_t n = cli->opts.operands.n;
	struct pp_vec(const char *) argv = { 0 };

	if (n < 2 || n > MAX_WORDS)
		return PLUGPKG_OK;
	pp_vec_push(&argv, "plugpkg");
	for (size_t i = 1; i < n; i++)
		pp_vec_push(&argv, cli->opts.operands.at[i]);
	pp_vec_push(&argv, NULL);
	offer_words(cli, argv.at, n - 1);
	pp_vec_free(&argv);
	return PLUGPKG_OK;
}

static enum plugpkg_code
completion_run(struct cli *cli)
{
	const char *shell = cli_operand(cli, 0);

	if (strcmp(shell, "words") == 0)
		return complete_words(cli);
	for (size_t i = 0; i < PP_LEN(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0) {
			out_raw(&cli->out, scripts[i].text);
			return PLUGPKG_OK;
		}
	}
	return cli_usage(cli, "no completion for '%s': it is one of bash, zsh, fish", shell);
}

const struct cmd cmd_completion = {
	.name = "completion",
	.args = "bash | zsh | fish",
	.summary = "print the completion script of a shell",
	.flags = CMD_NO_ROOT | CMD_HIDDEN,
	.min_operands = 1,
	.max_operands = CMD_MANY,
	.operand = CMD_OPERAND_SHELL,
	.run = completion_run,
};
