/* SPDX-License-Identifier: MIT */
/*
 * `completion SHELL` prints a small script; the script asks `completion words -- …`
 * for the words that fit. So the shells know what the tables of commands and options say, and
 * nothing else.
 */
#include "term/help.h"
#include "term/program.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 4096

/* ~ stands for the name of the program. */
static const struct script {
	const char *shell, *text;
} scripts[] = {
	{ "bash",
	    "# bash completion for ~: the words come from the program itself.\n"
	    "_~()\n"
	    "{\n"
	    "\tlocal line=${COMP_LINE:0:COMP_POINT} words=() cur prefix word text\n"
	    "\tread -ra words <<<\"$line\"\n"
	    "\t[[ $line == *[[:blank:]] ]] && words+=(\"\")\n"
	    "\tcur=${words[${#words[@]} - 1]}\n"
	    "\t# Readline replaces what stands after the last = or :, or from the last @ on.\n"
	    "\tprefix=${cur%\"${cur##*[=:]}\"}\n"
	    "\tcur=${cur#\"$prefix\"}\n"
	    "\t[[ $cur == *@* ]] && prefix+=${cur%@*}\n"
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
	    "complete -F _~ ~\n" },
	{ "zsh", "#compdef ~\n"
		 "# zsh completion for ~: the words come from the program itself.\n"
		 "_~()\n"
		 "{\n"
		 "\tlocal -a found\n"
		 "\tlocal word text\n"
		 "\twhile IFS=$'\\t' read -r word text; do\n"
		 "\t\tcase $word in\n"
		 "\t\t:dirs) compset -P '--*='; _files -/ ;;\n"
		 "\t\t:files) compset -P '--*='; _files ;;\n"
		 "\t\t*) found+=(\"${word//:/\\\\:}:$text\") ;;\n"
		 "\t\tesac\n"
		 "\tdone < <(\"${words[1]}\" completion words -- \"${(@)words[2,CURRENT]}\" "
		 "2>/dev/null)\n"
		 "\t(( $#found )) && _describe ~ found\n"
		 "}\n"
		 "if [[ ${funcstack[1]} == _~ ]]; then\n"
		 "\t_~ \"$@\"\n"
		 "else\n"
		 "\tcompdef _~ ~\n"
		 "fi\n" },
	{ "fish",
	    "# fish completion for ~: the words come from the program itself.\n"
	    "function __~_words\n"
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
	    "complete -c ~ -f -a '(__~_words)'\n" },
};

struct offers {
	struct out *out;
	const char *typed;
	enum cmd_operand kind;
	char *last; /* name that was offered by a row; owned */
};

void
offer(const struct offers *offers, const char *word, const char *text)
{
	if (pp_starts_with(word, offers->typed))
		out_line(offers->out, "%s\t%s", word, text);
}

void
offer_row(const char *json, void *user)
{
	struct offers *offers = user;
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *row = pp_json_parse(json, strlen(json), &why);
	const char *name = pp_json_get_str(row, "name"), *key = pp_json_get_str(row, "key");
	bool is_again = name == NULL || (offers->last != NULL && strcmp(offers->last, name) == 0);

	/* Majors of one name come one after the other. */
	if (key != NULL && offers->kind != CMD_OPERAND_INSTALLED_NAME)
		offer(offers, key, view_str(row, "summary"));
	else if (!is_again)
		offer(offers, name, view_str(row, "summary"));
	free(offers->last);
	offers->last = pp_xstrdup(name);
}

static void
offer_options(const struct offers *offers, const struct opt *table)
{
	for (const struct opt *t = table; t != NULL && t->name != NULL; t++) {
		PP_AUTO_FREE char *word = pp_asprintf("--%s", t->name);

		offer(offers, word, t->text);
	}
}

static void
offer_commands(const struct offers *offers, const struct cmd *group)
{
	for (size_t i = 0; group != NULL && group->subs[i] != NULL; i++)
		offer(offers, group->subs[i]->name, group->subs[i]->summary);
	for (const struct cmd_entry *e = program.table;
	     group == NULL && (e->heading != NULL || e->cmd != NULL); e++)
		if (e->cmd != NULL && (e->cmd->flags & CMD_HIDDEN) == 0)
			offer(offers, e->cmd->name, e->cmd->summary);
}

static void
offer_operands(struct cli *typed, struct offers *offers, enum cmd_operand kind)
{
	offers->kind = kind;
	switch (kind) {
	case CMD_OPERAND_INSTALLED:
	case CMD_OPERAND_INSTALLED_NAME:
	case CMD_OPERAND_AVAILABLE:
	case CMD_OPERAND_SOURCE:
		/* What cannot be opened has no names to offer; its failure has its own commands. */
		if (program.complete != NULL)
			PP_IGNORE(program.complete(typed, kind, offers));
		pp_auto_free(&offers->last);
		break;
	case CMD_OPERAND_DIR:
		out_line(offers->out, ":dirs");
		break;
	case CMD_OPERAND_COMMAND:
		offer_commands(offers, NULL);
		break;
	case CMD_OPERAND_SHELL:
		for (size_t i = 0; i < PP_LEN(scripts); i++)
			offer(offers, scripts[i].shell, "print its completion script");
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
	PP_CLEANUP(cli_fini) struct cli probe = { .opts.common = program.common };
	const char *typed = argv[last], *empty = "";
	const struct opt *opt = NULL;

	argv[last] = empty;
	(void)cli_read(&probe, argv); /* an unfinished line is what we came for */
	if (probe.opts.values.n > 0 && probe.opts.values.at[probe.opts.values.n - 1].value == empty)
		opt = probe.opts.values.at[probe.opts.values.n - 1].opt;
	argv[last] = typed;
	return opt;
}

static void
offer_value(const struct offers *offers, const struct opt *opt)
{
	if (opt->arg != NULL && strcmp(opt->arg, "DIR") == 0)
		out_line(offers->out, ":dirs");
	else if (opt->arg != NULL && strcmp(opt->arg, "KEY") == 0)
		out_line(offers->out, ":files");
}

/* The option of `--name=value`, or NULL. */
static const struct opt *
option_in_word(const struct cli *typed, const char *word)
{
	struct pp_str rest = pp_str_of(word), name;

	if (!pp_starts_with(word, "--") || strchr(word, '=') == NULL)
		return NULL;
	(void)pp_str_cut(&rest, '=', &name); /* there is one, so the cut succeeds */
	return opts_find(&typed->opts, (struct pp_str){ name.p + 2, name.n - 2 });
}

/* argv: the line being typed, argv[last] the word to complete. */
static void
offer_words(struct cli *cli, const char **argv, size_t last)
{
	PP_CLEANUP(cli_fini) struct cli typed = { .opts.common = program.common };
	struct offers offers = { .out = &cli->out, .typed = argv[last] };
	const struct opt *opt = option_at_end(argv, last);

	argv[last] = NULL;
	if (opt == NULL && cli_read(&typed, argv) != PLUGPKG_OK)
		return;
	if (opt == NULL && !typed.opts.is_ended)
		opt = option_in_word(&typed, offers.typed);
	if (opt != NULL) {
		offer_value(&offers, opt);
	} else if (offers.typed[0] == '-' && !typed.opts.is_ended) {
		offer_options(&offers, typed.cmd != NULL ? typed.cmd->opts : NULL);
		offer_options(&offers, program.common);
	} else if (typed.cmd == NULL || typed.cmd->subs != NULL) {
		offer_commands(&offers, typed.cmd);
	} else {
		offer_operands(&typed, &offers, typed.cmd->operand);
	}
}

static enum plugpkg_code
complete_words(struct cli *cli)
{
	size_t n = cli->opts.operands.n;
	struct pp_vec(const char *) argv = { 0 };

	if (n < 2 || n > MAX_WORDS)
		return PLUGPKG_OK;
	pp_vec_push(&argv, program.name);
	for (size_t i = 1; i < n; i++)
		pp_vec_push(&argv, cli->opts.operands.at[i]);
	pp_vec_push(&argv, NULL);
	offer_words(cli, argv.at, n - 1);
	pp_vec_free(&argv);
	return PLUGPKG_OK;
}

static void
print_script(struct cli *cli, const struct script *script)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(OUT_MAX_BYTES);
	struct pp_str rest = pp_str_of(script->text), part;

	while (pp_str_cut(&rest, '~', &part)) {
		pp_buf_add(&text, part.p, part.n);
		if (rest.p != NULL)
			pp_buf_adds(&text, program.name);
	}
	if (!cli->is_json) {
		out_raw(&cli->out, pp_buf_cstr(&text));
		return;
	}
	PP_AUTO_JSON pp_json *row = pp_json_object();
	pp_json_set_int(row, "v", 1);
	pp_json_set_str(row, "type", "completion");
	pp_json_set_str(row, "shell", script->shell);
	pp_json_set_str(row, "text", pp_buf_cstr(&text));
	PP_AUTO_FREE char *line = pp_json_line(row);
	cli_row(line, cli);
}

static enum plugpkg_code
completion_run(struct cli *cli)
{
	const char *shell = cli_operand(cli, 0);

	if (strcmp(shell, "words") == 0)
		return complete_words(cli);
	for (size_t i = 0; i < PP_LEN(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0) {
			print_script(cli, &scripts[i]);
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
