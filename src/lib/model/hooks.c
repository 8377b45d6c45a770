/* SPDX-License-Identifier: MIT */
/* The hooks of plugpkg.json: how the application is called while its plugins change. */
#include "lib/model/config.h"

#include "base/mem.h"
#include "base/str.h"
#include "lib/model/field.h"

#include <string.h>

#define ARGS_MAX      100
#define ARG_MAX_BYTES 4096

const char *const pp_hook_names[PP_N_HOOKS] = {
	[PP_HOOK_PRE_TRANSACTION] = "pre-transaction",
	[PP_HOOK_ACTIVATE] = "activate",
	[PP_HOOK_HEALTH] = "health",
	[PP_HOOK_ROLLBACK] = "rollback",
	[PP_HOOK_POST_TRANSACTION] = "post-transaction",
};

static bool
is_url(const char *s)
{
	return pp_starts_with(s, "http://") || pp_starts_with(s, "https://");
}

static bool
is_arg(const char *s)
{
	return s != NULL && *s != '\0' && strlen(s) <= ARG_MAX_BYTES;
}

/* Words between blanks: there is no shell, so nothing in them has a meaning. */
static void
split_words(const char *text, struct pp_strs *out)
{
	struct pp_str rest = pp_str_of(text), word;

	while (pp_str_cut(&rest, ' ', &word))
		if (word.n > 0)
			pp_strs_take(out, pp_xstrndup(word.p, word.n));
}

static enum plugpkg_code
read_run(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_hook *out)
{
	static const char want[] = "a command such as \"bin/reload --now\" or [\"bin/reload\"]";
	const char *text = pp_json_string(j);

	if (text != NULL && is_arg(text)) {
		split_words(text, &out->argv);
		return out->argv.n > 0 ? PLUGPKG_OK : pp_field_kind(f, field, j, want);
	}
	if (!pp_json_is(j, PP_JSON_ARRAY) || pp_json_len(j) == 0 || pp_json_len(j) > ARGS_MAX)
		return pp_field_kind(f, field, j, want);
	for (size_t i = 0; i < pp_json_len(j); i++) {
		const char *arg = pp_json_string(pp_json_at(j, i));
		if (!is_arg(arg))
			return pp_field_kind(f, field, pp_json_at(j, i), want);
		pp_strs_add(&out->argv, arg);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_url(const struct pp_fields *f, const char *field, const pp_json *j, struct pp_hook *out)
{
	const char *text = pp_json_string(j);

	if (text == NULL || !is_url(text) || !is_arg(text) || strchr(text, ' ') != NULL)
		return pp_field_kind(f, field, j, "a URL that begins with http:// or https://");
	out->url = pp_xstrdup(text);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_number(const struct pp_fields *f, const char *hook, const pp_json *j, const char *key,
    uint32_t max, uint32_t *out)
{
	const pp_json *value = pp_json_get(j, key);
	PP_AUTO_FREE char *field = pp_asprintf("hooks.%s.%s", hook, key);
	PP_AUTO_FREE char *want = pp_asprintf("a number from 0 to %u", max);
	int64_t n = pp_json_integer(value, -1);

	if (value == NULL)
		return PLUGPKG_OK;
	if (n < 0 || n > max)
		return pp_field_kind(f, field, value, want);
	*out = (uint32_t)n;
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_object(const struct pp_fields *f, const char *name, const pp_json *j, struct pp_hook *out)
{
	PP_AUTO_FREE char *field = pp_asprintf("hooks.%s", name);
	PP_AUTO_FREE char *run_field = pp_asprintf("hooks.%s.run", name);
	PP_AUTO_FREE char *url_field = pp_asprintf("hooks.%s.url", name);
	const pp_json *run = pp_json_get(j, "run"), *url = pp_json_get(j, "url");

	if ((run == NULL) == (url == NULL))
		return pp_field_kind(f, field, j, "an object with either \"run\" or \"url\"");
	enum plugpkg_code rc =
	    run != NULL ? read_run(f, run_field, run, out) : read_url(f, url_field, url, out);
	if (rc == PLUGPKG_OK)
		rc = read_number(f, name, j, "timeout", PP_HOOK_TIMEOUT_MAX_S, &out->timeout_s);
	if (rc == PLUGPKG_OK)
		rc = read_number(f, name, j, "retries", PP_HOOK_RETRIES_MAX, &out->retries);
	if (rc == PLUGPKG_OK)
		rc = read_number(f, name, j, "wait", PP_HOOK_WAIT_MAX_MS, &out->wait_ms);
	return rc;
}

static enum plugpkg_code
read_hook(const struct pp_fields *f, const char *name, const pp_json *j, struct pp_hook *out)
{
	PP_AUTO_FREE char *field = pp_asprintf("hooks.%s", name);
	const char *text = pp_json_string(j);

	/* An application that was just told to reload may need a moment until it is well. */
	out->timeout_s = PP_HOOK_TIMEOUT_DEFAULT_S;
	out->retries = strcmp(name, pp_hook_names[PP_HOOK_HEALTH]) == 0 ? 3 : 0;
	out->wait_ms = 1000;
	if (pp_json_is(j, PP_JSON_OBJECT))
		return read_object(f, name, j, out);
	return text != NULL && is_url(text) ? read_url(f, field, j, out)
					    : read_run(f, field, j, out);
}

/* One that is misspelt would never be called, and nobody would know. */
static enum plugpkg_code
check_names(const struct pp_fields *f, const pp_json *hooks)
{
	PP_AUTO_BUF struct pp_buf known = PP_BUF_INIT(ARG_MAX_BYTES);

	for (size_t i = 0; i < PP_N_HOOKS; i++)
		pp_buf_addf(&known, "%s%s", i > 0 ? ", " : "", pp_hook_names[i]);
	for (void *it = pp_json_iter(hooks); it != NULL; it = pp_json_next(hooks, it)) {
		const char *name = pp_json_iter_key(it);
		PP_AUTO_FREE char *field = pp_asprintf("hooks.%s", name);
		size_t i = 0;
		while (i < PP_N_HOOKS && strcmp(pp_hook_names[i], name) != 0)
			i++;
		if (i == PP_N_HOOKS)
			return pp_field_fail(
			    f, field, "there is no such hook; hooks are %s", pp_buf_cstr(&known));
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_hooks_read(const struct pp_fields *f, struct pp_hook out[PP_N_HOOKS])
{
	const pp_json *hooks = pp_json_get(f->json, "hooks");

	if (hooks == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(hooks, PP_JSON_OBJECT))
		return pp_field_kind(f, "hooks", hooks, "an object of hooks");
	enum plugpkg_code rc = check_names(f, hooks);
	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_N_HOOKS; i++) {
		const pp_json *j = pp_json_get(hooks, pp_hook_names[i]);
		if (j != NULL)
			rc = read_hook(f, pp_hook_names[i], j, &out[i]);
	}
	return rc;
}

void
pp_hooks_fini(struct pp_hook hooks[PP_N_HOOKS])
{
	for (size_t i = 0; i < PP_N_HOOKS; i++) {
		pp_strs_fini(&hooks[i].argv);
		free(hooks[i].url);
	}
}
