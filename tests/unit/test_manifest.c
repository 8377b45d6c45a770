/* SPDX-License-Identifier: MIT */
/* plugin.json: a full one is understood, a wrong field is named with its value and the cure. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lib/model/manifest.h"
#include "tap.h"

static const char full[] =
    "{ \"name\": \"@acme/animal\", \"version\": \"1.4.0\", \"summary\": \"Animals\",\n"
    "  \"description\": \"Two\\nlines\", \"license\": \"MIT\", \"homepage\": "
    "\"https://acme.example/\",\n"
    "  \"authors\": [\"A\", \"B\"], \"keywords\": [\"zoo\"], \"type\": \"theme\",\n"
    "  \"requires\": {\"user\": \"^2.1\", \"host:mishka\": \">=0.1 <0.3\"},\n"
    "  \"recommends\": {\"@acme/photos\": \"*\"}, \"suggests\": {}, \"conflicts\": {\"zoo\": "
    "\"*\"},\n"
    "  \"provides\": {\"species-list\": \"1.0\", \"thing\": \"\"}, \"replaces\": {\"animal\": "
    "\"<1.4\"},\n"
    "  \"os\": [\"linux\"], \"arch\": [\"any\"], \"min-client\": \"0.1\",\n"
    "  \"scripts\": { \"install\": \"scripts/install.sh\", \"uninstall\": "
    "\"scripts/uninstall.sh\",\n"
    "    \"post-install\": [{\"level\": 2, \"run\": \"c\"}, {\"level\": 0, \"run\": \"a\"},\n"
    "                     {\"level\": 2, \"run\": \"d\"}, {\"level\": 1, \"run\": \"b\"}] },\n"
    "  \"on\": {\"uninstall-before\": \"scripts/leave.sh\"}, \"data\": {\"tables\": "
    "[\"animal\"]},\n"
    "  \"timeout\": 20, \"extra\": {\"x\": [1.5]}, \"unknown\": null }\n";

static void
a_full_manifest_is_understood(void)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (!CHECK_INT(pp_manifest_parse(pp_str_of(full), "plugin.json", &m, &err), PLUGPKG_OK)) {
		printf("# %s\n", plugpkg_error_message(err));
		return;
	}
	CHECK_STR(m->release->name, "@acme/animal");
	CHECK_STR(m->release->version.text, "1.4.0");
	CHECK_STR(m->summary, "Animals");
	CHECK_STR(m->type, "theme");
	CHECK_INT(m->release->requires.n, 2);
	CHECK_STR(m->release->requires.at[1].name, "host:mishka");
	CHECK_STR(m->release->requires.at[0].text, "^2.1");
	CHECK_STR(m->release->provides.at[0].version.text, "1.0");
	CHECK(m->release->provides.at[1].version.text == NULL);
	CHECK_STR(m->scripts[PP_SCRIPT_INSTALL], "scripts/install.sh");
	CHECK(m->scripts[PP_SCRIPT_VERIFY] == NULL);
	CHECK_INT(m->post_install.n, 4);
	CHECK_STR(m->post_install.at[0].run, "a");
	CHECK_STR(m->post_install.at[2].run, "c");
	CHECK_STR(m->post_install.at[3].run, "d");
	CHECK_INT(m->timeout_s, 20);
	CHECK(pp_json_get(m->json, "unknown") != NULL);
	CHECK(pp_release_fits_here(m->release, NULL));
}

static void
name_and_version_are_enough(void)
{
	PP_AUTO(manifest) struct pp_manifest *m = NULL;

	CHECK_INT(pp_manifest_parse(PP_STR("{\"name\":\"a\",\"version\":\"1.2\"}"), "x", &m, NULL),
	    PLUGPKG_OK);
	CHECK_STR(m->type, "plugin");
	CHECK_INT(m->timeout_s, PP_TIMEOUT_DEFAULT_S);
	CHECK(m->summary == NULL);
}

/* members: what stands after a good name and version. */
static const struct {
	const char *members, *message;
} mistakes[] = {
	{ "\"name\": \"Animal\"", "plugin.json: no valid JSON: " }, /* twice */
	{ "\"summary\": 7", "field 'summary': expected a line of text, found the number 7" },
	{ "\"summary\": \"a\\nb\"", "field 'summary': 'a\\x0ab' holds a control character" },
	{ "\"description\": []", "field 'description': expected a text, found a list" },
	{ "\"description\": \"\\u001b[31m\"", "field 'description': '\\x1b[31m' holds a control" },
	{ "\"license\": {}", "field 'license': expected a line of text, found an object" },
	{ "\"homepage\": \"acme.example\"",
	    "field 'homepage': 'acme.example' is no web address: expected https://" },
	{ "\"homepage\": \"javascript:x\"", "field 'homepage': 'javascript:x' is no web address" },
	{ "\"authors\": \"me\"", "field 'authors': expected a list of texts, found 'me'" },
	{ "\"authors\": [1]", "field 'authors[0]': expected a line of text, found the number 1" },
	{ "\"keywords\": {\"a\": 1}",
	    "field 'keywords': expected a list of texts, found an object" },
	{ "\"type\": \"Plug In\"", "field 'type': 'Plug In' is no type: expected a word" },
	{ "\"type\": null", "field 'type': expected a word such as \"plugin\", found null" },
	{ "\"requires\": [\"user\"]",
	    "field 'requires': expected an object of names, found a list" },
	{ "\"requires\": {\"User\": \"*\"}",
	    "field 'requires': 'User' is no plugin name: it does not start with a lower-case" },
	{ "\"requires\": {\"user\": \"^^2\"}",
	    "plugin.json: line 1, column 49: field 'requires.user': '^^2' is no "
	    "range: expected a version after '^' at "
	    "position 2" },
	{ "\"requires\": {\"user\": 2}", "field 'requires.user': expected a range such as \"^1.2\" "
					 "or \"*\", found the number 2" },
	{ "\"requires\": {\"me\": \"*\"}", "field 'requires': 'me' is the plugin itself" },
	{ "\"requires\": {\"host:\": \"*\"}",
	    "field 'requires': 'host:' is no name of an application: expected host:NAME" },
	{ "\"recommends\": {\"host:x\": \"*\"}",
	    "field 'recommends': a host: name may stand in 'requires' and 'conflicts' only" },
	{ "\"recommends\": {\"x\": \"latest\"}", "field 'recommends.x': 'latest' is no range" },
	{ "\"suggests\": \"x\"", "field 'suggests': expected an object of names, found 'x'" },
	{ "\"conflicts\": {\"x\": \"<\"}", "field 'conflicts.x': '<' is no range" },
	{ "\"provides\": {\"x\": \"^1\"}", "field 'provides.x': '^1' is no version" },
	{ "\"provides\": {\"x\": null}", "field 'provides.x': expected a version such as \"1.0\", "
					 "or \"\" for none, found null" },
	{ "\"provides\": {\"host:x\": \"1\"}", "field 'provides': a host: name may stand" },
	{ "\"replaces\": {\"me\": \"*\"}", "field 'replaces': 'me' is the plugin itself" },
	{ "\"os\": \"linux\"", "field 'os': expected a list of names, found 'linux'" },
	{ "\"os\": [\"Linux!\"]", "field 'os': 'Linux!' is no name of a platform" },
	{ "\"arch\": [64]", "field 'arch': expected names such as \"x86_64\", or \"any\", found" },
	{ "\"min-client\": \"new\"", "field 'min-client': 'new' is no version" },
	{ "\"min-client\": 1", "field 'min-client': expected a version of plugpkg" },
	{ "\"scripts\": []", "field 'scripts': expected an object of scripts, found a list" },
	{ "\"scripts\": {\"install\": \"../x\"}",
	    "field 'scripts.install': '../x' is no path inside the plugin" },
	{ "\"scripts\": {\"verify\": \"/bin/sh\"}",
	    "field 'scripts.verify': '/bin/sh' is no path inside the plugin" },
	{ "\"scripts\": {\"upgrade\": true}",
	    "field 'scripts.upgrade': expected a path inside the plugin, found" },
	{ "\"scripts\": {\"uninstall\": \"\"}", "field 'scripts.uninstall': '' is no path inside" },
	{ "\"scripts\": {\"post-install\": {}}",
	    "field 'scripts.post-install': expected a list of" },
	{ "\"scripts\": {\"post-install\": [{\"run\": \"x\"}]}",
	    "field 'scripts.post-install[0].level' is missing" },
	{ "\"scripts\": {\"post-install\": [{\"level\": -1, \"run\": \"x\"}]}",
	    "field 'scripts.post-install[0].level': expected a number from 0 to 1000, found the "
	    "number -1" },
	{ "\"scripts\": {\"post-uninstall\": [{\"level\": 0}]}",
	    "field 'scripts.post-uninstall[0].run' is missing" },
	{ "\"scripts\": {\"post-uninstall\": [{\"level\": 0, \"run\": \"a/../b\"}]}",
	    "field 'scripts.post-uninstall[0].run': 'a/../b' is no path inside the plugin" },
	{ "\"on\": {\"uninstall-before\": 1}",
	    "field 'on.uninstall-before': expected a path inside the plugin, found the number 1" },
	{ "\"on\": {\"Before!\": \"x\"}", "field 'on': 'Before!' is no event" },
	{ "\"on\": []", "field 'on': expected an object of events and scripts" },
	{ "\"data\": {\"tables\": \"animal\"}", "field 'data.tables': expected a list of texts" },
	{ "\"data\": 1", "field 'data': expected an object such as" },
	{ "\"timeout\": 0",
	    "field 'timeout': expected seconds from 1 to 86400, found the number 0" },
	{ "\"timeout\": 86401", "field 'timeout': expected seconds from 1 to 86400, found" },
	{ "\"timeout\": \"5m\"", "field 'timeout': expected seconds from 1 to 86400, found '5m'" },
	{ "\"network\": 1", "field 'network': expected true or false, found the number 1" },
	{ "\"data\": {\"snapshot\": 1}", "field 'data.snapshot': expected true or false" },
	{ "\"extra\": 1", "field 'extra': expected an object, found the number 1" },
};

static void
each_field_can_be_wrong_and_is_named(void)
{
	for (size_t i = 0; i < PP_LEN(mistakes); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO_FREE char *text = pp_asprintf(
		    "{\"name\": \"me\", \"version\": \"1.0.0\", %s}", mistakes[i].members);
		struct pp_manifest *m = NULL;

		CHECK_INT(pp_manifest_parse(pp_str_of(text), "plugin.json", &m, &err),
		    PLUGPKG_E_BAD_MANIFEST);
		CHECK(m == NULL);
		CHECK_HAS(plugpkg_error_message(err), mistakes[i].message);
		CHECK(pp_starts_with(plugpkg_error_message(err), "plugin.json: "));
	}
}

static void
name_and_version_are_needed(void)
{
	static const struct {
		const char *text, *message, *field;
	} rows[] = {
		{ "{}", "plugin.json: line 1, column 1: field 'name' is missing", "name" },
		{ "{\"name\": \"a\"}", "plugin.json: line 1, column 1: field 'version' is missing",
		    "version" },
		{ "{\"name\": 1, \"version\": \"1\"}",
		    "plugin.json: line 1, column 2: field 'name': expected a string, found the "
		    "number 1",
		    "name" },
		{ "{\"name\": \"A\", \"version\": \"1\"}",
		    "plugin.json: line 1, column 2: field 'name': 'A' is no plugin name: it does "
		    "not start with a "
		    "lower-case letter or digit",
		    "name" },
		{ "{\"name\": \"a\", \"version\": 1}",
		    "plugin.json: line 1, column 15: field 'version': expected a string such as "
		    "\"1.2.0\", found the "
		    "number 1",
		    "version" },
		{ "{\"name\": \"a\", \"version\": \"1.x\"}",
		    "plugin.json: line 1, column 15: field 'version': '1.x' is no version: "
		    "expected "
		    "a number at "
		    "position 3",
		    "version" },
		{ "[]", "plugin.json: expected an object, found a list", NULL },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_manifest *m = NULL;

		CHECK_INT(pp_manifest_parse(pp_str_of(rows[i].text), "plugin.json", &m, &err),
		    PLUGPKG_E_BAD_MANIFEST);
		CHECK_STR(plugpkg_error_message(err), rows[i].message);
		CHECK_STR(plugpkg_error_subject(err), rows[i].field);
	}
}

static void
what_is_no_json_is_shown_by_line_and_column(void)
{
	static const char *const texts[] = { "", "{", "{\"name\": \"a\",}", "{} x", "\xff",
		"{'a': 1}", "{\"name\":\"a\",\"name\":\"a\"}" };

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_manifest *m = NULL;

		CHECK_INT(pp_manifest_parse(pp_str_of(texts[i]), "plugin.json", &m, &err),
		    PLUGPKG_E_BAD_MANIFEST);
		CHECK_HAS(plugpkg_error_message(err), "plugin.json: no valid JSON: line ");
	}
}

static void
a_manifest_is_bounded(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_manifest *m = NULL;

	pp_buf_adds(&text, "{\"name\":\"a\",\"version\":\"1\",\"requires\":{\"b0\":\"1\"");
	for (int i = 1; i <= 1000; i++)
		pp_buf_addf(&text, ",\"b%d\":\"1\"", i);
	pp_buf_adds(&text, "}}");
	CHECK_INT(pp_manifest_parse((struct pp_str){ text.s, text.n }, "plugin.json", &m, &err),
	    PLUGPKG_E_BAD_MANIFEST);
	CHECK_HAS(plugpkg_error_message(err), "field 'requires': 1001 entries are too many");
	while (text.n <= PP_MANIFEST_MAX_BYTES)
		pp_buf_adds(&text, "                                        ");
	CHECK_INT(pp_manifest_parse((struct pp_str){ text.s, text.n }, "plugin.json", &m, &err),
	    PLUGPKG_E_BAD_MANIFEST);
	CHECK_HAS(plugpkg_error_message(err), "bytes are too many: 262144 is the most");
}

/* A list of N + 1 times the same, or a text of N and more bytes. */
static void
lists_and_texts_are_bounded(void)
{
	static const struct {
		const char *before, *again, *after, *message;
		size_t n;
	} rows[] = {
		{ "\"summary\": \"", "x", "\"", "field 'summary': 2049 bytes are too many", 2049 },
		{ "\"os\": [\"any\"", ", \"any\"", "]", "field 'os': 33 entries are too many", 32 },
		{ "\"keywords\": [\"a\"", ", \"a\"", "]",
		    "field 'keywords': 201 entries are too many", 200 },
		{ "\"scripts\": {\"post-install\": [{}", ", {}", "]}",
		    "field 'scripts.post-install': 201 entries are too many", 200 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct pp_manifest *m = NULL;

		pp_buf_addf(&text, "{\"name\":\"a\",\"version\":\"1\",%s", rows[i].before);
		for (size_t k = 0; k < rows[i].n; k++)
			pp_buf_adds(&text, rows[i].again);
		pp_buf_addf(&text, "%s}", rows[i].after);
		CHECK_INT(
		    pp_manifest_parse((struct pp_str){ text.s, text.n }, "plugin.json", &m, &err),
		    PLUGPKG_E_BAD_MANIFEST);
		CHECK_HAS(plugpkg_error_message(err), rows[i].message);
	}
}

static void
count_fault(const plugpkg_error *fault, void *user)
{
	pp_strs_add(user, plugpkg_error_subject(fault));
}

static void
lint_hears_of_every_wrong_field(void)
{
	static const char text[] =
	    "{\"name\": \"A\", \"version\": 1, \"summary\": 2, \"requires\": {\"b\": \"!\"}, "
	    "\"timeout\": -1}";
	PP_CLEANUP(pp_strs_fini) struct pp_strs faults = { 0 };
	PP_AUTO(manifest)
	struct pp_manifest *m =
	    pp_manifest_check(pp_str_of(text), "plugin.json", count_fault, &faults);

	CHECK(m != NULL);
	if (!CHECK_INT(faults.n, 5))
		return;
	CHECK_STR(faults.at[0], "name");
	CHECK_STR(faults.at[1], "version");
	CHECK_STR(faults.at[2], "summary");
	CHECK_STR(faults.at[3], "requires.b");
	CHECK_STR(faults.at[4], "timeout");
}

static void
inner_paths_stay_inside(void)
{
	static const struct {
		const char *path;
		bool want;
	} rows[] = {
		{ "a", true },
		{ "scripts/install.sh", true },
		{ "a b/c", true },
		{ "...", true },
		{ "", false },
		{ "/a", false },
		{ "a/", false },
		{ "a//b", false },
		{ ".", false },
		{ "./a", false },
		{ "..", false },
		{ "a/..", false },
		{ "a/../b", false },
		{ "a\\b", false },
		{ "a\nb", false },
		{ "-x", false },
	};
	char deep[200];

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		if (!CHECK_INT(pp_inner_path_valid(pp_str_of(rows[i].path)), rows[i].want))
			printf("#   '%s'\n", rows[i].path);
	}
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 == 0 ? 'a' : '/';
	CHECK(pp_inner_path_valid((struct pp_str){ deep, 127 }));
	CHECK(!pp_inner_path_valid((struct pp_str){ deep, 129 }));
}

TAP_MAIN(CASE(a_full_manifest_is_understood) CASE(name_and_version_are_enough)
	CASE(each_field_can_be_wrong_and_is_named) CASE(name_and_version_are_needed)
	    CASE(what_is_no_json_is_shown_by_line_and_column) CASE(a_manifest_is_bounded)
		CASE(lists_and_texts_are_bounded) CASE(lint_hears_of_every_wrong_field)
		    CASE(inner_paths_stay_inside))
