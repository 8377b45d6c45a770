/* SPDX-License-Identifier: MIT */
/* What one metadata file has to be, whatever role it has: shape, versions, signatures. */
#include "lib/trust/tuf.h"

#include "base/vec.h"
#include "tap.h"
#include "tuf_make.h"

static enum plugpkg_code
start(pp_json *root, const char *keys, struct pp_tuf **out)
{
	PP_AUTO_FREE char *file = tuf_sign(root, keys);

	return pp_tuf_new(file, strlen(file), TUF_NOW, out, NULL);
}

static void
a_first_root_has_to_be_signed_by_itself(void)
{
	static const struct {
		const char *keys, *signers;
		int64_t threshold;
		enum plugpkg_code want;
	} rows[] = {
		{ "r", "r", 1, PLUGPKG_OK },
		{ "r", "", 1, PLUGPKG_E_SIGNATURE },
		{ "r", "x", 1, PLUGPKG_E_SIGNATURE },
		{ "r", "xr", 1, PLUGPKG_OK },
		{ "ab", "a", 2, PLUGPKG_E_SIGNATURE },
		{ "ab", "ab", 2, PLUGPKG_OK },
		{ "abc", "ca", 2, PLUGPKG_OK },
		{ "a", "a", 2, PLUGPKG_E_SIGNATURE },
		/* A key listed often counts once. */
		{ "aaaaaaaaa", "a", 2, PLUGPKG_E_SIGNATURE },
		{ "aab", "ab", 2, PLUGPKG_OK },
		{ "r", "r", 0, PLUGPKG_E_BAD_METADATA },
		{ "r", "r", -1, PLUGPKG_E_BAD_METADATA },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = NULL;
		pp_json *root = tuf_with_role(tuf_root(1), "root", rows[i].keys, rows[i].threshold);
		CHECK_INT(start(root, rows[i].signers, &t), rows[i].want);
	}
}

static void
members_of_a_wrong_kind_are_refused_by_name(void)
{
	static const struct {
		const char *member, *json, *says;
	} rows[] = {
		{ "_type", "\"timestamp\"", "'_type' is 'timestamp', 'root' is due" },
		{ "_type", "5", "'_type'" },
		{ "spec_version", "\"2.0.0\"", "specification version '2.0.0'" },
		{ "spec_version", "\"1\"", "specification version" },
		{ "spec_version", "\"1.x\"", "specification version" },
		{ "spec_version", "1", "'spec_version'" },
		{ "version", "0", "'version' is 0, at least 1 is due" },
		{ "version", "-3", "'version'" },
		{ "version", "\"1\"", "'version'" },
		{ "version", "1.0", "" },
		{ "expires", "\"tomorrow\"", "'expires'" },
		{ "expires", "\"1893456000\"", "'expires'" },
		{ "expires", "\"2030-02-31T00:00:00Z\"", "'expires'" },
		{ "expires", "1893456000", "'expires'" },
		{ "keys", "[]", "'keys'" },
		{ "keys", "{\"a\":\"b\"}", "'keys'" },
		{ "roles", "{}", "'root' is nothing" },
		{ "roles", "null", "'roles'" },
		{ "consistent_snapshot", "\"yes\"", "'consistent_snapshot'" },
		{ "x-unknown", "[1.5]", "canonical" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = NULL;
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO_FREE char *wrapped = pp_asprintf("[%s]", rows[i].json);
		PP_AUTO_JSON pp_json *value = pp_json_parse(wrapped, strlen(wrapped), NULL);
		pp_json *root = tuf_root(1);
		pp_json_set(root, rows[i].member, pp_json_ref(pp_json_at(value, 0)));
		PP_AUTO_FREE char *file = tuf_sign(root, "r");
		CHECK_INT(
		    pp_tuf_new(file, strlen(file), TUF_NOW, &t, &err), PLUGPKG_E_BAD_METADATA);
		if (err != NULL)
			CHECK_HAS(plugpkg_error_message(err), rows[i].says);
	}
}

static void
specification_versions_with_one_dot_are_known(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = NULL;
	PP_AUTO(tuf) struct pp_tuf *u = NULL;

	CHECK_INT(start(tuf_with_str(tuf_root(1), "spec_version", "1.0"), "r", &t), PLUGPKG_OK);
	CHECK_INT(start(tuf_with_str(tuf_root(1), "spec_version", "1.99.3"), "r", &u), PLUGPKG_OK);
}

static void
text_that_is_no_metadata_is_refused(void)
{
	static const char *const rows[] = { "", "{", "[]", "{}", "null", "{\"signed\":{}}",
		"{\"signed\":{},\"signatures\":[]}", "{\"signed\":[],\"signatures\":[]}",
		"{\"signed\":{},\"signatures\":[{}]}",
		"{\"signed\":{},\"signatures\":[{\"keyid\":1,\"sig\":\"\"}]}",
		"{\"signed\":{},\"signed\":{},\"signatures\":[]}" };

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = NULL;
		CHECK_INT(pp_tuf_new(rows[i], strlen(rows[i]), TUF_NOW, &t, NULL),
		    PLUGPKG_E_BAD_METADATA);
	}
}

/* Parses a signed file, appends a signature object, and tries it as the first root. */
static enum plugpkg_code
start_with_extra_signature(char key, const char *sig)
{
	PP_AUTO_FREE char *file = tuf_sign(tuf_root(1), "r");
	PP_AUTO_JSON pp_json *doc = pp_json_parse(file, strlen(file), NULL);
	PP_AUTO(tuf) struct pp_tuf *t = NULL;
	pp_json *extra = pp_json_object();
	char id[65];

	tuf_keyid(key, id);
	pp_json_set_str(extra, "keyid", id);
	pp_json_set_str(extra, "sig", sig);
	pp_json_push(pp_json_get(doc, "signatures"), extra);
	PP_AUTO_FREE char *text = pp_json_line(doc);
	return pp_tuf_new(text, strlen(text), TUF_NOW, &t, NULL);
}

static void
an_extra_signature_does_no_harm_unless_its_key_is_there_twice(void)
{
	CHECK_INT(start_with_extra_signature('x', ""), PLUGPKG_OK);
	CHECK_INT(start_with_extra_signature('x', "no hex"), PLUGPKG_OK);
	CHECK_INT(start_with_extra_signature('t', "00"), PLUGPKG_OK);
	CHECK_INT(start_with_extra_signature('r', "00"), PLUGPKG_E_BAD_METADATA);
}

static void
unknown_members_are_part_of_what_is_signed(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = NULL;
	pp_json *root = tuf_with_str(tuf_root(1), "x-note", "h\xc3\xa9llo \"\\\" \n");
	PP_AUTO_FREE char *file = tuf_sign(root, "r");
	PP_AUTO(tuf) struct pp_tuf *u = NULL;

	CHECK_INT(pp_tuf_new(file, strlen(file), TUF_NOW, &t, NULL), PLUGPKG_OK);
	char *at = strstr(file, "x-note");
	if (CHECK(at != NULL))
		at[2] = 'N';
	CHECK_INT(pp_tuf_new(file, strlen(file), TUF_NOW, &u, NULL), PLUGPKG_E_SIGNATURE);
}

static void
a_key_under_a_second_id_or_of_unknown_type_does_not_count(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = NULL;
	PP_AUTO(tuf) struct pp_tuf *u = NULL;
	pp_json *root = tuf_with_role(tuf_root(1), "root", "ab", 2);
	char a[65], b[65];

	/* Under b's id stands a's key, and what a signed: its holder would count twice. */
	tuf_keyid('a', a);
	tuf_keyid('b', b);
	pp_json_set(pp_json_get(root, "keys"), b, tuf_key('a'));
	PP_AUTO_FREE char *file = tuf_sign(root, "ab");
	PP_AUTO_JSON pp_json *doc = pp_json_parse(file, strlen(file), NULL);
	pp_json *sigs = pp_json_get(doc, "signatures");
	pp_json_set_str(pp_json_at(sigs, 1), "sig", pp_json_get_str(pp_json_at(sigs, 0), "sig"));
	PP_AUTO_FREE char *text = pp_json_line(doc);
	CHECK_INT(pp_tuf_new(text, strlen(text), TUF_NOW, &t, NULL), PLUGPKG_E_SIGNATURE);

	root = tuf_with_role(tuf_root(1), "root", "ab", 1);
	pp_json_set_str(pp_json_get(pp_json_get(root, "keys"), b), "keytype", "new");
	CHECK_INT(start(root, "a", &u), PLUGPKG_OK);
}

/* clang-format off */
TAP_MAIN(
	CASE(a_first_root_has_to_be_signed_by_itself)
	CASE(members_of_a_wrong_kind_are_refused_by_name)
	CASE(specification_versions_with_one_dot_are_known)
	CASE(text_that_is_no_metadata_is_refused)
	CASE(an_extra_signature_does_no_harm_unless_its_key_is_there_twice)
	CASE(unknown_members_are_part_of_what_is_signed)
	CASE(a_key_under_a_second_id_or_of_unknown_type_does_not_count))
/* clang-format on */
