/* SPDX-License-Identifier: MIT */
/* What a transaction lets in: a manifest that is the signed one, in its bytes and its meaning. */
#include "lib/txn/steps.h"

#include "tap.h"

#define MANIFEST                                                                                   \
	"{\"name\":\"user\",\"version\":\"2.1.0\",\"summary\":\"s\",\"requires\":{\"base\":\"^"    \
	"1\"},"                                                                                    \
	"\"conflicts\":{\"zoo\":\"*\"}}"
#define ROW                                                                                        \
	"{\"version\":\"2.1.0\",\"requires\":{\"base\":\"^1\"},\"conflicts\":{\"zoo\":\"*\"},"     \
	"\"published\":1000}"

static struct pp_step
step_of(const char *row)
{
	return (struct pp_step){
		.action = PP_INSTALL,
		.name = pp_xstrdup("user"),
		.version = pp_xstrdup("2.1.0"),
		.source = pp_xstrdup("main"),
		.row = pp_json_parse(row, strlen(row), NULL),
	};
}

static void
step_free(struct pp_step *s)
{
	free(s->name);
	free(s->version);
	free(s->source);
	free(s->link_dir);
	pp_json_free(s->row);
}

/* The code for a manifest inside the archive; the index says `row` of it. */
static enum plugpkg_code
check(const char *row, const char *inside, const char *wanted_text)
{
	struct pp_step s = step_of(row);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);

	pp_buf_adds(&text, inside);
	enum plugpkg_code rc = pp_txn_check_manifest(&s, &text, &m, &err);
	CHECK((rc == PLUGPKG_OK) == (m != NULL));
	if (wanted_text != NULL)
		CHECK_HAS(plugpkg_error_message(err), wanted_text);
	step_free(&s);
	return rc;
}

static void
the_signed_manifest_is_let_in(void)
{
	CHECK_INT(check(ROW, MANIFEST, NULL), PLUGPKG_OK);
}

static void
another_name_or_version_inside_is_refused(void)
{
	static const char name[] = "{\"name\":\"usser\",\"version\":\"2.1.0\",\"summary\":\"s\"}";
	static const char version[] = "{\"name\":\"user\",\"version\":\"1.0.0\",\"summary\":\"s\"}";

	CHECK_INT(check(ROW, name, "it holds usser 2.1.0"), PLUGPKG_E_BAD_ARCHIVE);
	CHECK_INT(check(ROW, version, "it holds user 1.0.0"), PLUGPKG_E_BAD_ARCHIVE);
}

static void
other_relations_than_the_signed_row_are_refused(void)
{
	static const char *const rows[] = {
		"{\"version\":\"2.1.0\",\"requires\":{\"base\":\"^1\"}}",
		"{\"version\":\"2.1.0\",\"requires\":{\"base\":\"^2\"},\"conflicts\":{\"zoo\":\"*"
		"\"}}",
		"{\"version\":\"2.1.0\",\"requires\":{\"base\":\"^1\",\"more\":\"*\"},"
		"\"conflicts\":{\"zoo\":\"*\"}}",
		"{\"version\":\"2.1.0\",\"requires\":{\"base\":\"^1\"},\"conflicts\":{\"zoo\":\"*"
		"\"},"
		"\"provides\":{\"x\":\"1\"}}",
		"{\"version\":\"2.1.0\"}",
	};

	for (size_t i = 0; i < PP_LEN(rows); i++)
		CHECK_INT(check(rows[i], MANIFEST, "asks for other things"), PLUGPKG_E_BAD_ARCHIVE);
}

static void
a_linked_directory_has_no_signed_row_but_its_name_counts(void)
{
	struct pp_step s = step_of(ROW);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);

	s.link_dir = pp_xstrdup("/src/user");
	pp_buf_adds(&text, MANIFEST);
	CHECK_INT(pp_txn_check_manifest(&s, &text, &m, NULL), PLUGPKG_OK);
	free(s.version);
	s.version = pp_xstrdup("3.0.0");
	pp_manifest_free(m);
	m = NULL;
	CHECK_INT(pp_txn_check_manifest(&s, &text, &m, NULL), PLUGPKG_E_BAD_ARCHIVE);
	step_free(&s);
}

TAP_MAIN(CASE(the_signed_manifest_is_let_in) CASE(another_name_or_version_inside_is_refused)
	CASE(other_relations_than_the_signed_row_are_refused)
	    CASE(a_linked_directory_has_no_signed_row_but_its_name_counts))
