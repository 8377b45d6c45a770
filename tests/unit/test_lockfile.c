/* SPDX-License-Identifier: MIT */
/* plugpkg.lock: one form of bytes, and every mistake named with its place. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/model/lockfile.h"
#include "tap.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct pp_lockfile *
example(void)
{
	struct pp_lockfile *l = pp_lockfile_new();

	pp_lockfile_add_host(l, "host:demo-cms", "1.2.0");
	pp_lockfile_add(
	    l, &(struct pp_locked_texts){ "user", "2.1.3", "main", SHA, NULL, SHA, NULL });
	pp_lockfile_add(
	    l, &(struct pp_locked_texts){ "auth@2", "2.0", "main", SHA, "", NULL, NULL });
	pp_lockfile_add(
	    l, &(struct pp_locked_texts){ "mine", "0.1", "link", "", "/home/mine", NULL, NULL });
	return l;
}

static void
the_same_content_gives_the_same_bytes(void)
{
	PP_AUTO(lockfile) struct pp_lockfile *a = example();
	PP_AUTO(lockfile) struct pp_lockfile *b = NULL;
	PP_AUTO_FREE char *text = pp_lockfile_text(a);

	CHECK_STR(text, "{\n"
			"  \"format\": 1,\n"
			"  \"host\": {\n"
			"    \"host:demo-cms\": \"1.2.0\"\n"
			"  },\n"
			"  \"plugins\": {\n"
			"    \"auth@2\": {\n"
			"      \"version\": \"2.0\",\n"
			"      \"source\": \"main\",\n"
			"      \"sha256\": \"" SHA "\"\n"
			"    },\n"
			"    \"mine\": {\n"
			"      \"version\": \"0.1\",\n"
			"      \"link\": \"/home/mine\"\n"
			"    },\n"
			"    \"user\": {\n"
			"      \"version\": \"2.1.3\",\n"
			"      \"source\": \"main\",\n"
			"      \"sha256\": \"" SHA "\",\n"
			"      \"owner\": \"" SHA "\"\n"
			"    }\n"
			"  }\n"
			"}\n");
	if (!CHECK_INT(pp_lockfile_parse(pp_str_of(text), "f", &b, NULL), PLUGPKG_OK))
		return;
	PP_AUTO_FREE char *again = pp_lockfile_text(b);
	CHECK_STR(again, text);
	CHECK_STR(pp_lockfile_get(b, "auth@2")->name, "auth");
	CHECK_STR(pp_lockfile_get(b, "mine")->link_dir, "/home/mine");
	CHECK(pp_lockfile_get(b, "auth") == NULL);
	CHECK(pp_lockfile_get(b, "zoo") == NULL);
}

#define WITH(plugins) "{\"format\": 1, \"host\": {}, \"plugins\": " plugins "}"
#define ROW(members)  WITH("{\"user\": {" members "}}")

static void
mistakes_are_named_with_their_place(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "no valid JSON" },
		{ "[]", "expected an object, found a list" },
		{ "{\"format\": 1,\n\"host\": {},\n\"host\": {}, \"plugins\": {}}", "line 3" },
		{ "{}", "field 'format' is missing" },
		{ "{\"format\": \"1\"}", "field 'format': expected 1, found '1'" },
		{ "{\"format\": 0}", "field 'format': expected 1, found the number 0" },
		{ "{\"format\": 2}", "field 'format': format 2 is of a newer plugpkg" },
		{ "{\"format\": 1}", "field 'host' is missing" },
		{ "{\"format\": 1, \"host\": {}}", "field 'plugins' is missing" },
		{ "{\"format\": 1, \"host\": {}, \"plugins\": {}, \"plugin\": {}}",
		    "field 'plugin': there is no such field" },
		{ "{\"format\": 1, \"host\": [], \"plugins\": {}}", "field 'host'" },
		{ "{\"format\": 1, \"host\": {\"cms\": \"1\"}, \"plugins\": {}}",
		    "field 'host.cms': only names that begin with host:" },
		{ "{\"format\": 1, \"host\": {\"host:cms\": \"one\"}, \"plugins\": {}}",
		    "field 'host.host:cms'" },
		{ WITH("[]"), "field 'plugins': expected an object" },
		{ WITH("{\"Gallery\": {}}"), "line 1, column 39: field 'plugins.Gallery'" },
		{ WITH("{\"../x\": {}}"), "field 'plugins.../x'" },
		{ WITH("{\"user\": \"1.0\"}"), "field 'plugins.user': expected an object" },
		{ ROW(""), "field 'plugins.user.version' is missing" },
		{ ROW("\"version\": 1"), "field 'plugins.user.version': expected a version" },
		{ ROW("\"version\": \"^1\""), "field 'plugins.user.version'" },
		{ ROW("\"version\": \"1\""), "field 'plugins.user.source' is missing" },
		{ ROW("\"version\": \"1\", \"source\": \"A b\""), "field 'plugins.user.source'" },
		{ ROW("\"version\": \"1\", \"source\": \"a\""),
		    "field 'plugins.user.sha256' is missing" },
		{ ROW("\"version\": \"1\", \"source\": \"a\", \"sha256\": \"12\""),
		    "field 'plugins.user.sha256': expected 64 lower-case hexadecimal digits" },
		{ ROW("\"version\": \"1\", \"link\": \"relative\""), "field 'plugins.user.link'" },
		{ ROW("\"version\": \"1\", \"link\": \"/x\", \"sha256\": \"" SHA "\""),
		    "field 'plugins.user.sha256': there is no such field" },
		{ ROW("\"version\": \"1\", \"detached\": \"a\""),
		    "field 'plugins.user.detached': expected an array of names of plugins" },
		{ ROW("\"version\": \"1\", \"detached\": [1]"),
		    "field 'plugins.user.detached': expected the name of a plugin" },
		{ ROW("\"version\": \"1\", \"detached\": [\"A\"]"),
		    "field 'plugins.user.detached': 'A' is no plugin name" },
		{ WITH("{\"auth@2\": {\"version\": \"3.0\"}}"),
		    "version 3.0 does not belong under 'auth@2'" },
		{ WITH("{\"auth@2@3\": {\"version\": \"2.0\"}}"), "does not belong under" },
		{ "{\n<<<<<<< ours\n", "line 2: two versions of the file were merged" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO(lockfile) struct pp_lockfile *l = NULL;
		CHECK_INT(pp_lockfile_parse(pp_str_of(rows[i].text), "plugpkg.lock", &l, &err),
		    PLUGPKG_E_BAD_LOCK);
		const char *message = err != NULL ? plugpkg_error_message(err) : "";
		if (!CHECK(strstr(message, rows[i].want) != NULL))
			printf("# %s\n# %s\n", rows[i].text, message);
		CHECK(strncmp(message, "plugpkg.lock: ", 14) == 0);
		CHECK(l == NULL);
	}
}

/* A version of a million digits, a million plugins' depth: refused, and soon. */
static void
hostile_sizes_are_refused(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT((size_t)PP_LOCKFILE_MAX_BYTES * 2);
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_lockfile *l = NULL;

	pp_buf_adds(&text, "{\"format\": 1, \"host\": {}, \"plugins\": {\"a\": {\"version\": \"");
	for (size_t i = 0; i < 1000000; i++)
		pp_buf_addc(&text, '1');
	pp_buf_adds(&text, "\", \"source\": \"a\", \"sha256\": \"" SHA "\"}}}");
	struct pp_str long_version = { text.s, text.n };
	CHECK_INT(pp_lockfile_parse(long_version, "f", &l, &err), PLUGPKG_E_BAD_LOCK);
	CHECK(strlen(plugpkg_error_message(err)) < 500);

	while (text.n <= PP_LOCKFILE_MAX_BYTES)
		pp_buf_adds(&text, "                                                        ");
	struct pp_str huge = { text.s, text.n };
	CHECK_INT(pp_lockfile_parse(huge, "f", &l, NULL), PLUGPKG_E_BAD_LOCK);
}

TAP_MAIN(CASE(the_same_content_gives_the_same_bytes) CASE(mistakes_are_named_with_their_place)
	CASE(hostile_sizes_are_refused))
