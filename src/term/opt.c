/* SPDX-License-Identifier: MIT */
/* Reads a command line against tables of options. It knows no command and prints nothing. */
#include "term/opt.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

#define MAX_TYPING_ERRORS 2

static const struct opt *
find_long(const struct opt *table, struct pp_str name)
{
	for (const struct opt *t = table; t != NULL && t->name != NULL; t++)
		if (pp_str_eq(name, t->name))
			return t;
	return NULL;
}

static const struct opt *
find_letter(const struct opt *table, char letter)
{
	for (const struct opt *t = table; t != NULL && t->name != NULL; t++)
		if (t->letter == letter)
			return t;
	return NULL;
}

const struct opt *
opts_find(const struct opts *o, struct pp_str name)
{
	const struct opt *t = find_long(o->own, name);

	return t != NULL ? t : find_long(o->common, name);
}

static void
near_option(const struct opt *table, const char *name, const char **best, size_t *distance)
{
	for (const struct opt *t = table; t != NULL && t->name != NULL; t++) {
		size_t d = pp_distance(name, t->name, MAX_TYPING_ERRORS);

		if (d < *distance) {
			*distance = d;
			*best = t->name;
		}
	}
}

static int
unknown_long(struct opts *o, struct pp_str name)
{
	PP_AUTO_FREE char *text = pp_xstrndup(name.p, name.n);
	const char *best = NULL;
	size_t distance = MAX_TYPING_ERRORS + 1;

	near_option(o->own, text, &best, &distance);
	near_option(o->common, text, &best, &distance);
	o->error = pp_asprintf("unknown option '--%s'", text);
	if (best != NULL)
		o->hint = pp_asprintf("did you mean '--%s'?", best);
	return -1;
}

static void
add(struct opts *o, const struct opt *opt, const char *value)
{
	*pp_vec_new(&o->values) = (struct opt_value){ .opt = opt, .value = value };
}

/* `--name`, `--name=value`, `--name value`. Gives the number of words used, or -1. */
static int
parse_long(struct opts *o, const char *const *word)
{
	struct pp_str rest = pp_str_of(*word + 2), name = rest;
	const char *equals = strchr(*word, '=');

	if (equals != NULL)
		(void)pp_str_cut(&rest, '=', &name); /* there is one, so the cut succeeds */
	const struct opt *opt = opts_find(o, name);
	if (opt == NULL)
		return unknown_long(o, name);
	if (opt->arg == NULL) {
		if (equals != NULL) {
			o->error = pp_asprintf("option '--%s' takes no value", opt->name);
			return -1;
		}
		add(o, opt, NULL);
		return 1;
	}
	if (equals == NULL && word[1] == NULL) {
		o->error = pp_asprintf("option '--%s' needs a value: %s", opt->name, opt->arg);
		return -1;
	}
	add(o, opt, equals != NULL ? equals + 1 : word[1]);
	return equals != NULL ? 1 : 2;
}

/* `-yq`, `-oDIR`, `-o DIR`. Gives the number of words used, or -1. */
static int
parse_letters(struct opts *o, const char *const *word)
{
	for (const char *c = *word + 1; *c != '\0'; c++) {
		const struct opt *opt = find_letter(o->own, *c);

		if (opt == NULL)
			opt = find_letter(o->common, *c);
		if (opt == NULL) {
			o->error = pp_asprintf("unknown option '-%c'", *c);
			return -1;
		}
		if (opt->arg == NULL) {
			add(o, opt, NULL);
			continue;
		}
		if (c[1] == '\0' && word[1] == NULL) {
			o->error = pp_asprintf("option '-%c' needs a value: %s", *c, opt->arg);
			return -1;
		}
		add(o, opt, c[1] != '\0' ? c + 1 : word[1]);
		return c[1] != '\0' ? 1 : 2;
	}
	return 1;
}

int
opts_parse(struct opts *o, const char *const *argv, int from, enum opts_stop stop)
{
	int i = from;

	while (argv[i] != NULL) {
		const char *word = argv[i];
		bool is_option = !o->is_ended && word[0] == '-' && word[1] != '\0';
		int used = 1;

		if (is_option && strcmp(word, "--") == 0)
			o->is_ended = true;
		else if (is_option)
			used =
			    word[1] == '-' ? parse_long(o, argv + i) : parse_letters(o, argv + i);
		else if (stop == OPTS_FIRST_OPERAND)
			return i;
		else
			pp_vec_push(&o->operands, word);
		if (used < 0)
			return -1;
		i += used;
	}
	return i;
}

void
opts_fini(struct opts *o)
{
	pp_vec_free(&o->values);
	pp_vec_free(&o->operands);
	free(o->error);
	free(o->hint);
	o->error = o->hint = NULL;
}

unsigned
opts_count(const struct opts *o, const char *name)
{
	const struct opt *opt = opts_find(o, pp_str_of(name));
	unsigned n = 0;

	assert(opt != NULL);
	pp_vec_foreach (v, &o->values)
		if (v->opt == opt)
			n++;
	return n;
}

bool
opts_has(const struct opts *o, const char *name)
{
	return opts_count(o, name) > 0;
}

const char *
opts_value(const struct opts *o, const char *name)
{
	const struct opt *opt = opts_find(o, pp_str_of(name));
	const char *value = NULL;

	assert(opt != NULL && opt->arg != NULL);
	pp_vec_foreach (v, &o->values)
		if (v->opt == opt)
			value = v->value;
	return value;
}

bool
opts_number(struct opts *o, const char *name, struct opt_range range, uint64_t other, uint64_t *out)
{
	const char *text = opts_value(o, name);

	*out = other;
	if (text == NULL)
		return true;
	if (pp_parse_u64(pp_str_of(text), range.max, out) == 0 && *out >= range.min)
		return true;
	free(o->error);
	o->error = pp_asprintf("option '--%s' is '%s', which is no number from %llu to %llu", name,
	    text, (unsigned long long)range.min, (unsigned long long)range.max);
	return false;
}
