/* SPDX-License-Identifier: MIT */
/* Names of plugins, applications and sources; near names; targets of commands. */
#include <stdlib.h>

#include "base/mem.h"
#include "lib/model/name.h"
#include "tap.h"

static void
names_are_valid_or_not(void)
{
	static const struct {
		const char *name;
		bool want;
	} rows[] = {
		{ "user", true },
		{ "a", true },
		{ "7zip", true },
		{ "user-group", true },
		{ "user_group.v2", true },
		{ "@acme/animal", true },
		{ "@babel/plugin-syntax-jsx", true },
		{ "ends-", true },
		{ "", false },
		{ "User", false },
		{ "-user", false },
		{ ".user", false },
		{ "_user", false },
		{ "..", false },
		{ "a/b", false },
		{ "@acme", false },
		{ "@acme/", false },
		{ "@/animal", false },
		{ "@acme/.x", false },
		{ "@acme/a/b", false },
		{ "@acme/@b", false },
		{ "@Acme/a", false },
		{ "a b", false },
		{ "a@b", false },
		{ "a\nb", false },
		{ "$(x)", false },
		{ "a;b", false },
		{ "a/../b", false },
		{ "plugin-\xd0\xb0", false },
		{ "host:mishka", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		if (!CHECK_INT(pp_name_valid(pp_str_of(rows[i].name)), rows[i].want))
			printf("#   '%s'\n", rows[i].name);
	}
	CHECK(!pp_name_valid((struct pp_str){ "a\0b", 3 }));
}

static void
names_have_at_most_214_bytes(void)
{
	char name[216];

	memset(name, 'a', sizeof(name));
	CHECK(pp_name_valid((struct pp_str){ name, 214 }));
	CHECK(!pp_name_valid((struct pp_str){ name, 215 }));
}

static void
a_bad_name_is_explained(void)
{
	static const struct {
		const char *name, *message;
	} rows[] = {
		{ "Gallery",
		    "'Gallery' is no plugin name: it does not start with a lower-case letter "
		    "or digit" },
		{ "galLery", "'galLery' is no plugin name: it has an upper-case letter" },
		{ "a b", "'a b' is no plugin name: it has a character that is not allowed" },
		{ "", "'' is no plugin name: it is empty" },
		{ "@acme", "'@acme' is no plugin name: it has a scope but no name after it" },
		{ "@/a", "'@/a' is no plugin name: it has an empty scope" },
		{ "a\x1b[0m",
		    "'a\\x1b[0m' is no plugin name: it has a character that is not allowed" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;

		CHECK_INT(pp_name_check(pp_str_of(rows[i].name), &err), PLUGPKG_E_BAD_NAME);
		CHECK_STR(plugpkg_error_message(err), rows[i].message);
		CHECK_HAS(plugpkg_error_hint(err), "@SCOPE/NAME");
	}
}

static void
applications_and_sources_have_names_of_their_own(void)
{
	CHECK(pp_name_is_host("host:mishka"));
	CHECK(!pp_name_is_host("host:"));
	CHECK(!pp_name_is_host("host:Mishka"));
	CHECK(!pp_name_is_host("mishka"));
	CHECK(pp_source_name_valid(PP_STR("main")));
	CHECK(pp_source_name_valid(PP_STR("2nd-mirror")));
	CHECK(!pp_source_name_valid(PP_STR("")));
	CHECK(!pp_source_name_valid(PP_STR("-x")));
	CHECK(!pp_source_name_valid(PP_STR("a.b")));
	CHECK(!pp_source_name_valid(PP_STR("../x")));
	CHECK(!pp_source_name_valid(PP_STR("Main")));
	CHECK(!pp_source_name_valid(
	    PP_STR("12345678901234567890123456789012345678901234567890123456789012345")));
}

static void
scopes_become_flat_for_file_names(void)
{
	PP_AUTO_FREE char *scoped = pp_name_flat("@acme/animal");
	PP_AUTO_FREE char *plain = pp_name_flat("animal");

	CHECK_STR(scoped, "acme-animal");
	CHECK_STR(plain, "animal");
}

static void
near_names_come_nearest_first(void)
{
	static const char *const known[] = { "animal", "animals", "user", "user-group", "photos",
		"@acme/photos", "zoo" };
	PP_CLEANUP(pp_strs_fini) struct pp_strs all = { 0 };
	const char *out[3] = { NULL, NULL, NULL };

	for (size_t i = 0; i < PP_LEN(known); i++)
		pp_strs_add(&all, known[i]);
	CHECK_INT(pp_name_near("anima", &all, out, 3), 2);
	CHECK_STR(out[0], "animal");
	CHECK_STR(out[1], "animals");
	CHECK_INT(pp_name_near("@acme/user", &all, out, 3), 1);
	CHECK_STR(out[0], "user");
	CHECK_INT(pp_name_near("phtos", &all, out, 1), 1);
	CHECK_STR(out[0], "photos");
	CHECK_INT(pp_name_near("completely-else", &all, out, 3), 0);
}

static void
targets_are_names_with_a_range_or_a_minus(void)
{
	static const struct {
		const char *text, *name, *range;
		bool is_removal;
	} rows[] = {
		{ "animal", "animal", NULL, false },
		{ "animal@^1.2", "animal", "^1.2", false },
		{ "animal@>=1 <2", "animal", ">=1 <2", false },
		{ "@acme/animal", "@acme/animal", NULL, false },
		{ "@acme/animal@1.4.0", "@acme/animal", "1.4.0", false },
		{ "animal-", "animal", NULL, true },
		{ "@acme/animal-", "@acme/animal", NULL, true },
		{ "animal@1.0.0-", "animal", "1.0.0-", false },
		{ "animal@1-", "animal", "1", true },
		{ "@acme/animal@12-", "@acme/animal", "12", true },
		{ "ends-@*", "ends-", "*", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_CLEANUP(pp_target_fini) struct pp_target t = { 0 };

		CHECK_INT(pp_target_parse(rows[i].text, &t, NULL), PLUGPKG_OK);
		CHECK_STR(t.name, rows[i].name);
		CHECK_STR(t.range, rows[i].range);
		CHECK_INT(t.is_removal, rows[i].is_removal);
	}
}

static void
bad_targets_are_refused(void)
{
	static const struct {
		const char *text;
		enum plugpkg_code want;
	} rows[] = {
		{ "", PLUGPKG_E_BAD_NAME },
		{ "-", PLUGPKG_E_BAD_NAME },
		{ "@", PLUGPKG_E_BAD_NAME },
		{ "Gallery@1", PLUGPKG_E_BAD_NAME },
		{ "gallery@", PLUGPKG_E_BAD_RANGE },
		{ "gallery@ ", PLUGPKG_E_BAD_RANGE },
		{ "../x@1", PLUGPKG_E_BAD_NAME },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		struct pp_target t;

		if (!CHECK_INT(pp_target_parse(rows[i].text, &t, NULL), rows[i].want))
			printf("#   '%s'\n", rows[i].text);
		CHECK(t.name == NULL);
	}
}

static void
keys_are_names_that_may_have_a_major(void)
{
	static const struct {
		const char *key, *name;
		bool is_valid, has_major;
	} rows[] = {
		{ "lib", "lib", true, false },
		{ "lib@0", "lib", true, true },
		{ "lib@12", "lib", true, true },
		{ "@acme/kit", "@acme/kit", true, false },
		{ "@acme/kit@2", "@acme/kit", true, true },
		{ "lib@123456789", "lib", true, true },
		{ "lib@1234567890", "lib", false, true },
		{ "lib@01", "lib", false, true },
		{ "lib@", "lib", false, true },
		{ "lib@1.2", "lib", false, true },
		{ "lib@^1", "lib", false, true },
		{ "Lib@1", "Lib", false, true },
		{ "@1", "@1", false, false },
		{ "", "", false, false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *name = pp_key_name(rows[i].key);

		if (!CHECK_INT(pp_key_valid(pp_str_of(rows[i].key)), rows[i].is_valid))
			printf("#   '%s'\n", rows[i].key);
		CHECK_INT(pp_key_has_major(rows[i].key), rows[i].has_major);
		CHECK_STR(name, rows[i].name);
	}
}

TAP_MAIN(CASE(names_are_valid_or_not) CASE(names_have_at_most_214_bytes)
	CASE(a_bad_name_is_explained) CASE(applications_and_sources_have_names_of_their_own)
	    CASE(scopes_become_flat_for_file_names) CASE(near_names_come_nearest_first)
		CASE(targets_are_names_with_a_range_or_a_minus) CASE(bad_targets_are_refused)
		    CASE(keys_are_names_that_may_have_a_major))
