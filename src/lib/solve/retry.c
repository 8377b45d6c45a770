/* SPDX-License-Identifier: MIT */
/* Writes commands that can be pasted into a shell, and their words for programs. */
#include "lib/solve/retry.h"

#include <string.h>

#define COMMAND_MAX 16384
#define PLAIN       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_^~"

static const struct {
	unsigned flag;
	const char *option;
} options[] = {
	{ PLUGPKG_NO_RECOMMENDS, "--no-recommends" },
	{ PLUGPKG_PRE, "--pre" },
	{ PLUGPKG_REINSTALL, "--reinstall" },
	{ PLUGPKG_ONLY_UPGRADE, "--only-upgrade" },
	{ PLUGPKG_DOWNGRADE, "--downgrade" },
	{ PLUGPKG_ALLOW_ORIGIN_CHANGE, "--allow-origin-change" },
	{ PLUGPKG_ALLOW_REMOVE, "--allow-remove" },
};

char *
pp_retry_word(const struct pp_ask *ask)
{
	bool has_range = ask->dep.range != NULL && !pp_range_is_any(ask->dep.range);

	return pp_asprintf("%s%s%s%s%s%s", ask->dep.name, has_range ? "@" : "",
	    has_range ? ask->dep.text : "", ask->source != NULL ? "/" : "",
	    ask->source != NULL ? ask->source : "", ask->is_removal ? "-" : "");
}

void
pp_retry_init(struct pp_retry *r, const struct pp_load *load)
{
	*r = (struct pp_retry){ .load = load, .flags = load->request->flags };
	pp_vec_foreach (ask, &load->asks)
		pp_strs_take(&r->targets, pp_retry_word(ask));
}

void
pp_retry_fini(struct pp_retry *r)
{
	pp_strs_fini(&r->targets);
}

static bool
is_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 &&
	       (word[n] == '\0' || word[n] == '@' || word[n] == '/' ||
		   (word[n] == '-' && word[n + 1] == '\0'));
}

void
pp_retry_drop(struct pp_retry *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->targets.n; i++) {
		if (is_of(r->targets.at[i], name))
			free(r->targets.at[i]);
		else
			r->targets.at[n++] = r->targets.at[i];
	}
	r->targets.n = n;
}

void
pp_retry_drop_word(struct pp_retry *r, const char *word)
{
	for (size_t i = 0; i < r->targets.n; i++) {
		if (strcmp(r->targets.at[i], word) != 0)
			continue;
		free(r->targets.at[i]);
		memmove(&r->targets.at[i], &r->targets.at[i + 1],
		    (--r->targets.n - i) * sizeof(*r->targets.at));
		return;
	}
}

void
pp_retry_take(struct pp_retry *r, const char *name, char *word)
{
	pp_retry_drop(r, name);
	pp_strs_take(&r->targets, word);
}

/* ---- in writing ---- */

/* A word as a shell has to read it. */
static void
add_quoted(struct pp_buf *b, const char *word)
{
	if (*word != '\0' && word[strspn(word, PLAIN)] == '\0' && *word != '~') {
		pp_buf_adds(b, word);
		return;
	}
	pp_buf_addc(b, '\'');
	for (const char *p = word; *p != '\0'; p++) {
		if (*p == '\'')
			pp_buf_adds(b, "'\\''");
		else
			pp_buf_addc(b, *p);
	}
	pp_buf_addc(b, '\'');
}

static char *
command_of(const struct pp_strs *words)
{
	PP_AUTO_BUF struct pp_buf command = PP_BUF_INIT(COMMAND_MAX);

	pp_vec_foreach (word, words) {
		pp_buf_adds(&command, word == words->at ? "" : " ");
		add_quoted(&command, *word);
	}
	return pp_buf_steal(&command);
}

static pp_json *
way_of(const char *text, const struct pp_strs *words)
{
	PP_AUTO_FREE char *command = command_of(words);
	pp_json *way = pp_json_object(), *argv = pp_json_array();

	pp_vec_foreach (word, words)
		pp_json_push_str(argv, *word);
	pp_json_set_str(way, "text", text);
	pp_json_set_str(way, "command", command);
	pp_json_set(way, "argv", argv);
	return way;
}

pp_json *
pp_retry_way_of(const char *text, const char *const *words)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs list = { 0 };

	for (; *words != NULL; words++)
		pp_strs_add(&list, *words);
	return way_of(text, &list);
}

static void
add_age(const struct pp_solve_request *request, struct pp_strs *words)
{
	if (request->min_age_words == NULL)
		return;
	pp_vec_foreach (word, request->min_age_words)
		pp_strs_add(words, *word);
}

void
pp_retry_add_options(const struct pp_retry *r, struct pp_buf *b)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };

	for (size_t i = 0; i < PP_LEN(options); i++)
		if ((r->flags & options[i].flag) != 0)
			pp_strs_add(&words, options[i].option);
	add_age(r->load->request, &words);
	pp_vec_foreach (word, &words)
		pp_buf_addf(b, " %s", *word);
}

static void
add_words(const struct pp_retry *r, const char *verb, struct pp_strs *words)
{
	pp_strs_add(words, "plugpkg");
	pp_strs_add(words, verb);
	for (size_t i = 0; i < PP_LEN(options); i++)
		if ((r->flags & options[i].flag) != 0)
			pp_strs_add(words, options[i].option);
	add_age(r->load->request, words);
	pp_vec_foreach (target, &r->targets)
		pp_strs_add(words, *target);
}

char *
pp_retry_command(const struct pp_retry *r, const char *verb)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };

	add_words(r, verb, &words);
	return command_of(&words);
}

pp_json *
pp_retry_way(const struct pp_retry *r, const char *text)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };
	bool is_upgrade = r->load->request->verb == PLUGPKG_UPGRADE;

	if (r->targets.n == 0 || r->load->request->link != NULL) {
		pp_json *way = pp_json_object();
		pp_json_set_str(way, "text", text);
		return way;
	}
	add_words(r, is_upgrade ? "upgrade" : "install", &words);
	return way_of(text, &words);
}
