/* SPDX-License-Identifier: MIT */
/* plugpkg.json: reading, messages, and edits that leave everything else as it was. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/model/config.h"
#include "tap.h"

PP_DEFINE_AUTO(config, struct pp_config, pp_config_free);

static const char full[] =
    "{\n"
    "  \"mine\": [1.5, null],\n"
    "  \"name\": \"demo\",\n"
    "  \"provides\": {\"host:demo-cms\": \"1.2.0\"},\n"
    "  \"plugins\": {\"user\": \"*\", \"@acme/animal\": \"^1.2\"},\n"
    "  \"sources\": [{\"name\": \"main\", \"urls\": [\"https://a.example/r\", \"file:///srv/r\"],\n"
    "    \"priority\": 700, \"note\": \"kept\"}, {\"name\": \"other\", \"urls\": "
    "[\"http://b.example\"]}],\n"
    "  \"settings\": {\"DATABASE\": \"demo.db\"}\n"
    "}\n";

static struct pp_config *
config(const char *text)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_config *c = NULL;

	if (pp_config_parse(pp_str_of(text), "plugpkg.json", &c, &err) != PLUGPKG_OK)
		printf("# %s\n", plugpkg_error_message(err));
	return c;
}

static void
a_full_file_is_understood(void)
{
	PP_AUTO(config) struct pp_config *c = config(full);

	if (!CHECK(c != NULL))
		return;
	CHECK_STR(c->name, "demo");
	CHECK_STR(c->provides.at[0].version.text, "1.2.0");
	CHECK_INT(c->plugins.n, 2);
	CHECK_STR(c->plugins.at[1].range->text, "^1.2");
	CHECK_INT(c->sources.n, 2);
	CHECK_INT(c->sources.at[0].urls.n, 2);
	CHECK_INT(pp_config_source(c, "main")->priority, 700);
	CHECK_INT(pp_config_source(c, "other")->priority, 500);
	CHECK(pp_config_source(c, "none") == NULL);
}

static void
an_empty_object_is_enough(void)
{
	PP_AUTO(config) struct pp_config *c = config("{}");

	if (!CHECK(c != NULL))
		return;
	CHECK(c->name != NULL);
	pp_config_want(c, "user", "*");

	PP_AUTO_FREE char *text = pp_config_text(c);

	CHECK_STR(text, "{\n  \"plugins\": {\n    \"user\": \"*\"\n  }\n}\n");
}

static void
edits_keep_order_and_unknown_members(void)
{
	PP_AUTO(config) struct pp_config *c = config(full);
	PP_CLEANUP(pp_strs_fini) struct pp_strs gone = { 0 };
	struct pp_source more = { .priority = 10 };

	if (!CHECK(c != NULL))
		return;
	pp_config_want(c, "user", "^2");
	pp_config_want(c, "photos", "*");
	pp_strs_add(&gone, "never-there");
	CHECK(!pp_config_unwant(c, &gone));
	pp_strs_add(&gone, "@acme/animal");
	CHECK(pp_config_unwant(c, &gone));
	more.name = pp_xstrdup("more");
	pp_strs_add(&more.urls, "file:///more");
	pp_config_add_source(c, &more);
	CHECK(pp_config_remove_source(c, "other"));
	CHECK(!pp_config_remove_source(c, "other"));
	free(more.name);
	pp_strs_fini(&more.urls);

	PP_AUTO_FREE char *line = pp_json_line(c->json);
	PP_AUTO_FREE char *text = pp_config_text(c);

	CHECK_STR(line,
	    "{\"mine\":[1.5,null],\"name\":\"demo\",\"provides\":{\"host:demo-cms\":\"1.2.0\"},"
	    "\"plugins\":{\"user\":\"^2\",\"photos\":\"*\"},"
	    "\"sources\":[{\"name\":\"main\",\"urls\":[\"https://a.example/r\",\"file:///srv/r\"],"
	    "\"priority\":700,\"note\":\"kept\"},"
	    "{\"name\":\"more\",\"urls\":[\"file:///more\"],\"priority\":10}],"
	    "\"settings\":{\"DATABASE\":\"demo.db\"}}");
	CHECK_INT(c->plugins.n, 2);
	CHECK_STR(c->plugins.at[0].range->text, "^2");
	CHECK_INT(c->sources.n, 2);
	CHECK_STR(c->sources.at[1].name, "more");

	/* What was written reads as what is held. */
	PP_AUTO(config) struct pp_config *again = config(text);

	if (!CHECK(again != NULL))
		return;
	CHECK(pp_json_equal(again->json, c->json));
	CHECK_INT(again->sources.n, 2);
}

static void
the_command_that_says_versions_is_read(void)
{
	PP_AUTO(config)
	struct pp_config *c = config(
	    "{\"provides-from\": [\"scripts/v.sh\", \"--json\", \"\"], \"provides-timeout\": 300}");
	PP_AUTO(config) struct pp_config *plain = config("{\"provides-from\": \"a/b\"}");
	PP_AUTO(config) struct pp_config *none = config("{}");

	if (!CHECK(c != NULL && plain != NULL && none != NULL))
		return;
	CHECK_INT(c->provides_from.n, 3);
	CHECK_STR(c->provides_from.at[0], "scripts/v.sh");
	CHECK_STR(c->provides_from.at[2], "");
	CHECK_INT(c->provides_timeout_s, 300);
	CHECK_INT(plain->provides_from.n, 1);
	CHECK_INT(plain->provides_timeout_s, PP_PROVIDES_TIMEOUT_DEFAULT_S);
	CHECK_INT(none->provides_from.n, 0);
}

static void
a_mistake_is_found_again_by_its_line(void)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{\n  \"plugins\": {\n    \"user\": \"*\",\n    \"a.b\": \">=1 <\"\n  }\n}\n",
		    "plugpkg.json: line 4, column 5: field 'plugins.a.b': '>=1 <' is no range: "
		    "expected "
		    "a version after '<' at position 6" },
		{ "{\n\"plugins\": {\"user\": \"*\",\n\t\"User\": \"*\"}}",
		    "plugpkg.json: line 3, column 2: field 'plugins.User': 'User' is no plugin "
		    "name" },
		{ "{\"sources\": [\n  {\"name\": \"a\",\n   \"urls\": [\"http://a\",\n  \"x\"]}]}",
		    "plugpkg.json: line 4, column 3: field 'sources[0].urls[1]': expected a URL" },
		{ "{\"sources\": [\n  {\"name\": \"a\"}]}",
		    "plugpkg.json: line 2, column 3: field 'sources[0].urls' is missing" },
		{ "{\"name\": \"x\",\n\n \"settings\": {\"A\": \"\", \"\\u001b[1m\": \"\"}}",
		    "plugpkg.json: line 3, column 24: field 'settings.\\x1b[1m': '\\x1b[1m' is no "
		    "name" },
		{ "{\n \"provides\":\n  {\"host:a\":\n \"x\"}}",
		    "plugpkg.json: line 3, column 4: field 'provides.host:a': 'x' is no version" },
		{ "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
		    "plugpkg.json: no valid JSON: line 3, column " },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_config *c = NULL;

		CHECK_INT(pp_config_parse(pp_str_of(rows[i].text), "plugpkg.json", &c, &err),
		    PLUGPKG_E_BAD_CONFIG);
		CHECK_HAS(plugpkg_error_message(err), rows[i].message);
	}
}

static void
each_field_can_be_wrong_and_is_named(void)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{", "no valid JSON: line " },
		{ "[]", "expected an object, found a list" },
		{ "{\"name\": 1}",
		    "field 'name': expected the application's name, found the number 1" },
		{ "{\"name\": \"\"}", "field 'name': expected the application's name, found ''" },
		{ "{\"provides\": []}", "field 'provides': expected an object of host: names" },
		{ "{\"provides\": {\"cms\": \"1\"}}",
		    "field 'provides.cms': 'cms' is no name that an application provides" },
		{ "{\"provides\": {\"host:cms\": \"^1\"}}",
		    "field 'provides.host:cms': '^1' is no version" },
		{ "{\"provides\": {\"host:cms\": 1}}",
		    "field 'provides.host:cms': expected a version such as \"1.2.0\", found" },
		{ "{\"provides-from\": {}}",
		    "field 'provides-from': expected a command: its path, or a list" },
		{ "{\"provides-from\": [\"a/../b\"]}",
		    "field 'provides-from[0]': expected a path below this file" },
		{ "{\"provides-from\": \"a//b\"}", "expected a path below this file" },
		{ "{\"provides-from\": \"a/\"}", "expected a path below this file" },
		{ "{\"provides-from\": \"..\"}", "expected a path below this file" },
		{ "{\"provides-timeout\": 301}", "field 'provides-timeout': expected 1 to 300" },
		{ "{\"plugins\": [\"user\"]}", "field 'plugins': expected an object of names and" },
		{ "{\"plugins\": {\"User\": \"*\"}}",
		    "field 'plugins.User': 'User' is no plugin name" },
		{ "{\"plugins\": {\"user\": \"^^2\"}}",
		    "field 'plugins.user': '^^2' is no range: expected a version after '^'" },
		{ "{\"plugins\": {\"user\": true}}",
		    "field 'plugins.user': expected a range such as" },
		{ "{\"sources\": {}}", "field 'sources': expected a list of sources" },
		{ "{\"sources\": [1]}", "field 'sources[0]': expected an object with" },
		{ "{\"sources\": [{}]}", "field 'sources[0].name' is missing" },
		{ "{\"sources\": [{\"name\": \"../x\"}]}",
		    "field 'sources[0].name': expected 1 to 64 characters of a-z 0-9 -, found "
		    "'../x'" },
		{ "{\"sources\": [{\"name\": \"link\", \"urls\": [\"http://a\"]}]}",
		    "field 'sources[0].name': expected another name: this one stands for" },
		{ "{\"sources\": [{\"name\": \"a\"}]}", "field 'sources[0].urls' is missing" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": []}]}",
		    "field 'sources[0].urls': expected a list of one URL or more" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"ftp://x\"]}]}",
		    "field 'sources[0].urls[0]': expected a URL that begins with https://, http:// "
		    "or "
		    "file:///, found 'ftp://x'" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a b\"]}]}",
		    "field 'sources[0].urls[0]'" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://\u00e4\"]}]}",
		    "field 'sources[0].urls[0]'" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": \"http://a\"}]}",
		    "field 'sources[0].urls': expected a list of one URL or more" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"], \"priority\": "
		  "1000001}]}",
		    "field 'sources[0].priority': expected a number such as 500" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"], \"priority\": "
		  "-1000001}]}",
		    "field 'sources[0].priority': expected a number such as 500" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"], \"priority\": "
		  "\"x\"}]}",
		    "field 'sources[0].priority': expected a number such as 500, found 'x'" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"], \"root\": "
		  "\"sha256:12\"}]}",
		    "field 'sources[0].root': expected \"sha256:\" and 64 lower-case hexadecimal "
		    "digits, found 'sha256:12'" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"], \"root\": "
		  "\"root.json\"}]}",
		    "field 'sources[0].root': expected \"sha256:\" and 64" },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"]}, "
		  "{\"name\": \"a\", \"urls\": [\"http://a\"]}]}",
		    "field 'sources[1]': there is a source 'a' already" },
		{ "{\"settings\": []}", "field 'settings': expected an object of texts" },
		{ "{\"hooks\": []}", "field 'hooks': expected an object of hooks" },
		{ "{\"hooks\": {\n\"heatlh\": \"true\"}}",
		    "line 2, column 1: field 'hooks.heatlh': there is no such hook; hooks are "
		    "pre-transaction, activate" },
		{ "{\"hooks\": {\"health\": 1}}", "field 'hooks.health': expected a command" },
		{ "{\"hooks\": {\"health\": {}}}",
		    "field 'hooks.health': expected an object with either" },
		{ "{\"hooks\": {\"health\": {\"url\": \"ftp://x\"}}}",
		    "field 'hooks.health.url': expected a URL" },
		{ "{\"hooks\": {\"health\": {\"run\": [\"x\", 1]}}}",
		    "field 'hooks.health.run': expected a command" },
		{ "{\"hooks\": {\"health\": {\"run\": \"x\", \"timeout\": -1}}}",
		    "field 'hooks.health.timeout': expected a number from 0 to 3600" },
		{ "{\"settings\": {\"a-b\": \"x\"}}",
		    "field 'settings.a-b': 'a-b' is no name of a setting: expected A-Z 0-9 _" },
		{ "{\"min-age\": {\"days\": 3, \"except\": \"a\"}}",
		    "field 'min-age.except': expected a list of names" },
		{ "{\"min-age\": {\"days\": 3, \"except\": [\"a\", 1]}}",
		    "field 'min-age.except': expected a name, perhaps with a *" },
		{ "{\"network\": []}", "field 'network': expected an object" },
		{ "{\"cache\": []}", "field 'cache': expected an object" },
		{ "{\"sandbox\": {\"writable\": [\"\"]}}",
		    "field 'sandbox.writable': expected a path such as" },
		{ "{\"settings\": {\"A\": 1}}",
		    "field 'settings.A': expected a text, found the number 1" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_config *c = NULL;

		CHECK_INT(pp_config_parse(pp_str_of(rows[i].text), "plugpkg.json", &c, &err),
		    PLUGPKG_E_BAD_CONFIG);
		CHECK(c == NULL);
		CHECK_HAS(plugpkg_error_message(err), rows[i].message);
		CHECK(pp_starts_with(plugpkg_error_message(err), "plugpkg.json: "));
	}
}

static void
hooks_are_commands_or_urls_with_limits(void)
{
	static const char text[] =
	    "{\"hooks\": {\"activate\": \"bin/reload  --now\", \"health\": "
	    "\"http://127.0.0.1:8/x\", \"rollback\": {\"run\": [\"a b\"], \"timeout\": 7, "
	    "\"retries\": 2, \"wait\": 5}}}";
	struct pp_config *c = NULL;

	CHECK_INT(pp_config_parse(pp_str_of(text), "plugpkg.json", &c, NULL), PLUGPKG_OK);
	if (c == NULL)
		return;
	CHECK(!pp_hook_is_set(&c->hooks[PP_HOOK_PRE_TRANSACTION]));
	CHECK_INT(c->hooks[PP_HOOK_ACTIVATE].argv.n, 2);
	CHECK_STR(c->hooks[PP_HOOK_ACTIVATE].argv.at[1], "--now");
	CHECK_INT(c->hooks[PP_HOOK_ACTIVATE].retries, 0);
	CHECK_STR(c->hooks[PP_HOOK_HEALTH].url, "http://127.0.0.1:8/x");
	CHECK_INT(c->hooks[PP_HOOK_HEALTH].retries, 3);
	CHECK_STR(c->hooks[PP_HOOK_ROLLBACK].argv.at[0], "a b");
	CHECK_INT(c->hooks[PP_HOOK_ROLLBACK].timeout_s, 7);
	CHECK_INT(c->hooks[PP_HOOK_ROLLBACK].wait_ms, 5);
	pp_config_free(c);
}

/* N times the same between two texts: a list or an object that is one too long. */
static void
what_is_too_much_is_told_with_its_limit(void)
{
	static const struct {
		const char *before, *again, *after, *message;
		size_t n;
	} rows[] = {
		{ "{\"sources\": [1", ", 1", "]}",
		    "field 'sources': 101 entries are too many: 100 is the most", 100 },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a\"", ", \"http://a\"",
		    "]}]}", "field 'sources[0].urls': 101 entries are too many: 100 is the most",
		    100 },
		{ "{\"sources\": [{\"name\": \"a\", \"urls\": [\"http://a/", "x", "\"]}]}",
		    "field 'sources[0].urls[0]': expected a URL", 2040 },
		{ "{\"provides-from\": [\"x\"", ", \"x\"", "]}",
		    "field 'provides-from': 65 arguments are too many: 64 is the most", 64 },
		{ "{\"provides-from\": [\"x\", \"", "x", "\"]}", "field 'provides-from[1]'", 4097 },
		{ "{", " ", "}", "plugpkg.json: 4194305 bytes are too many: 4194304 is the most",
		    4194303 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_buf text = PP_BUF_INIT(SIZE_MAX);
		struct pp_config *c = NULL;

		pp_buf_adds(&text, rows[i].before);
		for (size_t k = 0; k < rows[i].n; k++)
			pp_buf_adds(&text, rows[i].again);
		pp_buf_adds(&text, rows[i].after);
		CHECK_INT(
		    pp_config_parse((struct pp_str){ text.s, text.n }, "plugpkg.json", &c, &err),
		    PLUGPKG_E_BAD_CONFIG);
		CHECK(c == NULL);
		CHECK_HAS(plugpkg_error_message(err), rows[i].message);
		pp_buf_fini(&text);
	}
}

static void
the_host_provides_a_thousand_versions_at_most(void)
{
	struct pp_buf text = PP_BUF_INIT(SIZE_MAX);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_config *c = NULL;

	pp_buf_adds(&text, "{\"provides\": {");
	for (int i = 0; i <= 1000; i++)
		pp_buf_addf(&text, "%s\"host:a%d\": \"1.0.0\"", i > 0 ? ", " : "", i);
	pp_buf_adds(&text, "}}");
	CHECK_INT(pp_config_parse((struct pp_str){ text.s, text.n }, "plugpkg.json", &c, &err),
	    PLUGPKG_E_BAD_CONFIG);
	CHECK_HAS(plugpkg_error_message(err),
	    "field 'provides': 1001 entries are too many: 1000 is the most");
	pp_buf_fini(&text);
}

TAP_MAIN(CASE(hooks_are_commands_or_urls_with_limits) CASE(a_full_file_is_understood)
	CASE(an_empty_object_is_enough) CASE(edits_keep_order_and_unknown_members)
	    CASE(each_field_can_be_wrong_and_is_named) CASE(a_mistake_is_found_again_by_its_line)
		CASE(the_command_that_says_versions_is_read)
		    CASE(what_is_too_much_is_told_with_its_limit)
			CASE(the_host_provides_a_thousand_versions_at_most))
