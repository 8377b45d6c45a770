/* SPDX-License-Identifier: MIT */
/* Generations and the one rename that makes them visible. */
#include "lib/store/generation.h"

#include "base/fd.h"
#include "base/json.h"
#include "scratch.h"
#include "tap.h"

static struct plugpkg_context
root_of(struct scratch *s)
{
	return (struct plugpkg_context){ .root = s->path, .root_fd = s->inner };
}

static const struct pp_member members[] = {
	{ .name = "user", .version = "2.1.3" },
	{ .name = "@acme/photos", .version = "1.2.0" },
	{ .name = "dev", .version = "0.1.0", .link_dir = "/home/author/dev" },
};

static void
check_link(int dir_fd, const char *path, const char *want)
{
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(4096);

	CHECK_INT(pp_readlink_at(dir_fd, path, &target), 0);
	CHECK_STR(pp_buf_cstr(&target), want);
}

static void
a_generation_is_links_and_a_list(void)
{
	PP_AUTO_JSON pp_json *info = pp_json_object();
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(10000);
	struct pp_member with_info[PP_LEN(members)];
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	memcpy(with_info, members, sizeof(members));
	pp_json_set_str(info, "source", "main");
	with_info[0].info = info;
	CHECK_INT(pp_generation_make(&ctx, 7, with_info, PP_LEN(with_info), NULL), PLUGPKG_OK);
	check_link(s.inner, "generations/7/user", "../../store/user/2.1.3");
	check_link(s.inner, "generations/7/@acme/photos", "../../../store/@acme/photos/1.2.0");
	check_link(s.inner, "generations/7/dev", "/home/author/dev");
	CHECK_INT(mode_of(s.inner, "generations/7"), 0755);
	CHECK_INT(pp_read_file_at(s.inner, "generations/7/.plugins.json", &text), 0);
	CHECK_STR(pp_buf_cstr(&text), "{\n"
				      "  \"generation\": 7,\n"
				      "  \"plugins\": {\n"
				      "    \"@acme/photos\": {\n"
				      "      \"version\": \"1.2.0\",\n"
				      "      \"path\": \"store/@acme/photos/1.2.0\"\n"
				      "    },\n"
				      "    \"dev\": {\n"
				      "      \"version\": \"0.1.0\",\n"
				      "      \"path\": \"/home/author/dev\",\n"
				      "      \"linked\": true\n"
				      "    },\n"
				      "    \"user\": {\n"
				      "      \"version\": \"2.1.3\",\n"
				      "      \"path\": \"store/user/2.1.3\",\n"
				      "      \"source\": \"main\"\n"
				      "    }\n"
				      "  }\n"
				      "}\n");
	scratch_fini(&s);
}

static void
its_members_are_read_from_its_links(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs got = { 0 };
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_generation_make(&ctx, 1, members, PP_LEN(members), NULL), PLUGPKG_OK);
	CHECK_INT(symlinkat("../../store/other/1.0", s.inner, "generations/1/foreign"), 0);
	CHECK_INT(pp_generation_members(&ctx, 1, &got, NULL), PLUGPKG_OK);
	if (CHECK_INT(got.n, 2)) {
		CHECK_STR(got.at[0], "@acme/photos 1.2.0");
		CHECK_STR(got.at[1], "user 2.1.3");
	}
	CHECK_INT(pp_generation_members(&ctx, 2, &got, NULL), PLUGPKG_E_NOT_FOUND);
	scratch_fini(&s);
}

static void
each_major_has_a_link_and_the_highest_has_the_name(void)
{
	static const struct pp_member majors[] = {
		{ .name = "lib", .version = "2.1.0", .key = "lib@2" },
		{ .name = "lib", .version = "10.0.0", .key = "lib@10" },
		{ .name = "@acme/kit", .version = "1.0.0", .key = "@acme/kit@1" },
	};
	PP_CLEANUP(pp_strs_fini) struct pp_strs got = { 0 };
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_generation_make(&ctx, 1, majors, PP_LEN(majors), NULL), PLUGPKG_OK);
	check_link(s.inner, "generations/1/lib", "../../store/lib/10.0.0");
	check_link(s.inner, "generations/1/lib@10", "../../store/lib/10.0.0");
	check_link(s.inner, "generations/1/lib@2", "../../store/lib/2.1.0");
	check_link(s.inner, "generations/1/@acme/kit", "../../../store/@acme/kit/1.0.0");
	check_link(s.inner, "generations/1/@acme/kit@1", "../../../store/@acme/kit/1.0.0");
	CHECK_INT(pp_generation_members(&ctx, 1, &got, NULL), PLUGPKG_OK);
	if (CHECK_INT(got.n, 3)) {
		CHECK_STR(got.at[0], "@acme/kit 1.0.0");
		CHECK_STR(got.at[1], "lib 10.0.0");
		CHECK_STR(got.at[2], "lib 2.1.0");
	}
	scratch_fini(&s);
}

static void
an_empty_generation_is_one_too(void)
{
	int64_t n = -1;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_generation_make(&ctx, 0, NULL, 0, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_switch(&ctx, 0, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_current(&ctx, &n, NULL), PLUGPKG_OK);
	CHECK_INT(n, 0);
	scratch_fini(&s);
}

static void
an_unfinished_generation_is_made_anew_but_not_the_one_in_use(void)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_mkdirs_at(s.inner, "generations/3/rest", 0755), 0);
	CHECK_INT(pp_generation_make(&ctx, 3, members, 1, NULL), PLUGPKG_OK);
	CHECK_INT(pp_exists_at(s.inner, "generations/3/rest"), 0);
	CHECK_INT(pp_generation_switch(&ctx, 3, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_make(&ctx, 3, members, 2, &err), PLUGPKG_E_BAD_STATE);
	CHECK_HAS(plugpkg_error_message(err), "generation 3 of ");
	CHECK_INT(pp_generation_remove(&ctx, 3, NULL), PLUGPKG_E_BAD_STATE);
	CHECK_INT(pp_exists_at(s.inner, "generations/3/user"), 0 + 1);
	scratch_fini(&s);
}

static void
generations_are_listed_by_number_and_removed(void)
{
	static const int64_t numbers[] = { 10, 9, 2 };
	PP_AUTO_FREE int64_t *got = NULL;
	size_t n = 0;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	for (size_t i = 0; i < PP_LEN(numbers); i++)
		CHECK_INT(pp_generation_make(&ctx, numbers[i], members, 1, NULL), PLUGPKG_OK);
	CHECK_INT(symlinkat("2", s.inner, "generations/4"), 0);
	CHECK_INT(mkdirat(s.inner, "generations/x", 0755), 0);
	CHECK_INT(pp_generation_remove(&ctx, 9, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_remove(&ctx, 9, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_list(&ctx, &got, &n, NULL), PLUGPKG_OK);
	if (CHECK_INT(n, 2)) {
		CHECK_INT(got[0], 2);
		CHECK_INT(got[1], 10);
	}
	scratch_fini(&s);
}

static void
many_generations_leave_together_up_to_what_may_not(void)
{
	static const int64_t numbers[] = { 9, 7, 5, 3, 2 };
	struct scratch s;
	int64_t n = 0;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	for (size_t i = 1; i < PP_LEN(numbers); i++)
		CHECK_INT(pp_generation_make(&ctx, numbers[i], members, 1, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_switch(&ctx, 3, NULL), PLUGPKG_OK);
	CHECK_INT(
	    pp_generation_drop(&ctx, numbers, PP_LEN(numbers), &n, NULL), PLUGPKG_E_BAD_STATE);
	CHECK_INT(n, 2); /* there was no 9 */
	CHECK_INT(pp_exists_at(s.inner, "generations/7"), 0);
	CHECK_INT(pp_exists_at(s.inner, "generations/5"), 0);
	CHECK_INT(pp_exists_at(s.inner, "generations/3/user"), 1);
	CHECK_INT(pp_exists_at(s.inner, "generations/2/user"), 1);
	PP_CLEANUP(pp_strs_fini) struct pp_strs staged = { 0 };
	CHECK_INT(pp_list_dir(s.inner, "var/staging", &staged), 0);
	CHECK_INT(staged.n, 0);
	CHECK_INT(pp_generation_drop(&ctx, numbers, 0, &n, NULL), PLUGPKG_OK);
	CHECK_INT(n, 2);
	scratch_fini(&s);
}

static void
the_pointer_moves_by_one_rename(void)
{
	int64_t n = -1;
	struct scratch s;

	scratch_init(&s);
	struct plugpkg_context ctx = root_of(&s);

	CHECK_INT(pp_generation_make(&ctx, 1, members, 1, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_make(&ctx, 2, members, 2, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_current(&ctx, &n, NULL), PLUGPKG_E_BAD_STATE);
	CHECK_INT(pp_generation_switch(&ctx, 1, NULL), PLUGPKG_OK);
	CHECK_INT(pp_generation_switch(&ctx, 2, NULL), PLUGPKG_OK);
	check_link(s.inner, "current", "generations/2");
	CHECK_INT(pp_generation_switch(&ctx, 3, NULL), PLUGPKG_E_NOT_FOUND);
	check_link(s.inner, "current", "generations/2");
	scratch_fini(&s);
}

/* S45 */
static void
what_is_no_pointer_is_told_and_only_a_link_is_replaced(void)
{
	static const struct {
		const char *target; /* NULL = a directory */
		const char *why;
	} rows[] = {
		{ NULL, "is no link" },
		{ "../elsewhere", "leads elsewhere" },
		{ "/etc", "leads elsewhere" },
		{ "generations/1/..", "leads elsewhere" },
		{ "generations/-1", "leads elsewhere" },
		{ "generations/", "leads elsewhere" },
		{ "generations/99999999999999999999", "leads elsewhere" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		struct scratch s;
		int64_t n;

		scratch_init(&s);
		struct plugpkg_context ctx = root_of(&s);

		CHECK_INT(pp_generation_make(&ctx, 1, members, 1, NULL), PLUGPKG_OK);
		if (rows[i].target == NULL)
			CHECK_INT(mkdirat(s.inner, "current", 0755), 0);
		else
			CHECK_INT(symlinkat(rows[i].target, s.inner, "current"), 0);
		CHECK_INT(pp_generation_check_switch(&ctx, &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err), rows[i].why);
		CHECK_HAS(plugpkg_error_message(err), "/current' ");
		CHECK(plugpkg_error_hint(err) != NULL);
		CHECK_INT(pp_generation_current(&ctx, &n, NULL), PLUGPKG_E_BAD_STATE);
		if (rows[i].target != NULL) {
			check_link(s.inner, "current", rows[i].target);
			CHECK_INT(pp_generation_switch(&ctx, 1, NULL), PLUGPKG_OK);
			check_link(s.inner, "current", "generations/1");
		} else {
			CHECK_INT(pp_generation_switch(&ctx, 1, NULL), PLUGPKG_E_BAD_STATE);
		}
		scratch_fini(&s);
	}
}

/* clang-format off */
TAP_MAIN(
	CASE(a_generation_is_links_and_a_list)
	CASE(its_members_are_read_from_its_links)
	CASE(each_major_has_a_link_and_the_highest_has_the_name)
    CASE(an_empty_generation_is_one_too)
	CASE(an_unfinished_generation_is_made_anew_but_not_the_one_in_use)
	CASE(generations_are_listed_by_number_and_removed)
	CASE(many_generations_leave_together_up_to_what_may_not)
	CASE(the_pointer_moves_by_one_rename)
	CASE(what_is_no_pointer_is_told_and_only_a_link_is_replaced))
