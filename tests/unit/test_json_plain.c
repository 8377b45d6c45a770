/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json_plain.h"
#include "base/mem.h"
#include "tap.h"

static void
check_same(const char *text, bool is_plain)
{
	PP_AUTO_JSON pp_json *plain = pp_json_read_plain(text, strlen(text));
	PP_AUTO_JSON pp_json *any = pp_json_read_any(text, strlen(text), NULL);

	CHECK_INT(plain != NULL, is_plain);
	if (plain == NULL || !CHECK(any != NULL))
		return;
	PP_AUTO_FREE char *a = pp_json_line(plain);
	PP_AUTO_FREE char *b = pp_json_line(any);
	CHECK_STR(a, b);
}

static void
plain_text_is_read_as_the_library_reads_it(void)
{
	static const char *const texts[] = {
		"{}",
		" [ ] \n",
		"{\"name\":\"a\",\"versions\":[{\"version\":\"1.0\",\"requires\":{\"b\":\"^1\"}}]}",
		"{\"z\":1,\"a\":-2,\"\":[true,false,0,-0,999999999999999999]}",
		"[9223372036854775807,-9223372036854775807,1789999999123456789]",
		"\t{ \"a\" : [ 1 , \"x y\" ] }\r\n",
		"[null,{\"a\":null}]",
		"[\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \x7f\"]",
		"{\"k\\ney\":\"long enough \xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x90\x98 it goes on\"}",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++)
		check_same(texts[i], true);
}

static void
anything_unusual_is_left_to_the_library(void)
{
	static const char *const texts[] = {
		"",
		"1",
		"\"a\"",
		"null",
		"[1.5]",
		"[1e3]",
		"[01]",
		"[-]",
		"[1 2]",
		"[1,]",
		"[,1]",
		"[truer]",
		"[nullx]",
		"[nul]",
		"[9223372036854775808]",
		"[-9223372036854775808]",
		"[18446744073709551617]",
		"[10000000000000000000]",
		"[\"\\u0041\"]",
		"[\"\\x\"]",
		"[\"\\\"]",
		"[\"\xc3\"]",
		"[\"\xed\xa0\x80\"]",
		"[\"\x01\"]",
		"[\"\xc3\xa9\x01\"]",
		"{\"a\":1,\"a\":1}",
		"{\"a\"}",
		"{\"a\":1} x",
		"{\"a\":[1}",
		"[\"a",
		"[1",
		"{",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++)
		check_same(texts[i], false);
}

static void
deep_lists_are_left_to_the_library(void)
{
	char deep[80];

	memset(deep, '[', 40);
	memset(deep + 40, ']', 40);
	PP_AUTO_JSON pp_json *plain = pp_json_read_plain(deep, sizeof(deep));
	CHECK(plain == NULL);
	PP_AUTO_JSON pp_json *any = pp_json_parse(deep, sizeof(deep), NULL);
	CHECK(any != NULL);
}

/* {"k0":0,"k1":1,…}, and once more `again`, if there is one. */
static void
add_many(struct pp_buf *text, size_t n, const char *again)
{
	pp_buf_addc(text, '{');
	for (size_t i = 0; i < n; i++)
		pp_buf_addf(text, "%s\"k%zu\":%zu", i > 0 ? "," : "", i, i);
	if (again != NULL)
		pp_buf_addf(text, ",\"%s\":0", again);
	pp_buf_addc(text, '}');
}

static void
members_are_found_however_many_there_are(void)
{
	for (size_t n = 1; n <= 300; n += 13) {
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536), twice = PP_BUF_INIT(65536);
		char key[16];

		add_many(&text, n, NULL);
		PP_AUTO_JSON pp_json *j = pp_json_read_plain(text.s, text.n);
		if (!CHECK(j != NULL))
			return;
		CHECK_INT(pp_json_len(j), (long long)n);
		for (size_t i = 0; i < n; i++) {
			(void)snprintf(key, sizeof(key), "k%zu", i);
			CHECK_INT(pp_json_get_int(j, key, -1), (long long)i);
		}
		CHECK(pp_json_get(j, "k300") == NULL);
		check_same(text.s, true);
		add_many(&twice, n, "k0");
		check_same(twice.s, false);
	}
}

static void
an_object_grows_and_shrinks_and_keeps_its_order(void)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	char key[16];

	for (int i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		pp_json_set_int(j, key, i);
	}
	for (int i = 0; i < 40; i += 2) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		pp_json_del(j, key);
		CHECK(pp_json_get(j, key) == NULL);
	}
	pp_json_set_str(j, "k1", "other");
	CHECK_INT(pp_json_len(j), 20);
	void *it = pp_json_iter(j);
	for (int i = 1; i < 40; i += 2, it = pp_json_next(j, it)) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		CHECK_STR(pp_json_iter_key(it), key);
	}
	CHECK(it == NULL);
	CHECK_STR(pp_json_get_str(j, "k1"), "other");
}

static void
a_member_may_come_while_one_looks_at_all(void)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	size_t n = 0;

	for (int i = 0; i < 4; i++)
		pp_json_set_int(j, (const char *[]){ "a", "b", "c", "d" }[i], i);
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it))
		if (n++ == 1)
			pp_json_set_int(j, "e", 4);
	CHECK_INT(n, 5);
}

/* Each value lives as long as anybody has it, wherever it was put meanwhile. */
static void
values_go_from_one_tree_to_another(void)
{
	PP_AUTO_JSON pp_json *from = pp_json_parse("{\"a\":{\"b\":[1,\"two\"]}}", 21, NULL);
	PP_AUTO_JSON pp_json *to = pp_json_object();
	if (!CHECK(from != NULL))
		return;
	pp_json *list = pp_json_array(), *outer = pp_json_object();
	PP_AUTO_JSON pp_json *kept = pp_json_ref(pp_json_get(pp_json_get(from, "a"), "b"));

	pp_json_push(list, pp_json_ref(pp_json_get(from, "a")));
	pp_json_set(outer, "list", list);
	pp_json_set(to, "outer", outer);
	pp_json_set(to, "again", pp_json_ref(outer));
	pp_json_set(from, "to", pp_json_ref(kept));
	pp_json_free(pp_steal(&from));
	PP_AUTO_FREE char *text = pp_json_line(to);
	CHECK_STR(text, "{\"outer\":{\"list\":[{\"b\":[1,\"two\"]}]},"
			"\"again\":{\"list\":[{\"b\":[1,\"two\"]}]}}");
	pp_json_free(pp_steal(&to));
	CHECK_STR(pp_json_string(pp_json_at(kept, 1)), "two");
}

/* As an edit does: what is made of parts of a file takes the place of a part of it. */
static void
what_is_made_of_a_tree_may_go_into_it(void)
{
	PP_AUTO_JSON pp_json *file = pp_json_parse("{\"a\":{\"x\":1.5,\"y\":[]}}", 22, NULL);
	if (!CHECK(file != NULL))
		return;
	pp_json *anew = pp_json_object();

	pp_json_set(anew, "y", pp_json_ref(pp_json_get(pp_json_get(file, "a"), "y")));
	pp_json_set(anew, "x", pp_json_ref(pp_json_get(pp_json_get(file, "a"), "x")));
	pp_json_set(file, "a", anew);
	PP_AUTO_JSON pp_json *copy = pp_json_copy(file);
	CHECK(pp_json_equal(file, copy));
	pp_json_free(pp_steal(&file));
	PP_AUTO_FREE char *text = pp_json_line(copy);
	CHECK_STR(text, "{\"a\":{\"y\":[],\"x\":1.5}}");
}

static void
what_is_written_is_read_as_the_same(void)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[],{},[[]],{\"a\":{}}]",
		"{\"z\":1,\"a\":-9223372036854775808,\"\":[true,false,null,9223372036854775807]}",
		"[\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0001 \\u001f \\u007f\"]",
		"{\"\\u0009k\\\"\":\"\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x90\x98\"}",
		"[0.5,-1e300,1.0]",
	};

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		PP_AUTO_JSON pp_json *j = pp_json_read_any(texts[i], strlen(texts[i]), NULL);
		if (!CHECK(j != NULL))
			continue;
		PP_AUTO_FREE char *line = pp_json_line(j), *pretty = pp_json_pretty(j);
		PP_AUTO_FREE char *sorted = pp_json_sorted(j);
		PP_AUTO_JSON pp_json *a = pp_json_read_any(line, strlen(line), NULL);
		PP_AUTO_JSON pp_json *b = pp_json_read_any(pretty, strlen(pretty), NULL);
		PP_AUTO_JSON pp_json *c = pp_json_read_any(sorted, strlen(sorted), NULL);
		CHECK(pp_json_equal(j, a));
		CHECK(pp_json_equal(j, b));
		CHECK(pp_json_equal(j, c));
	}
}

static void
texts_have_one_form_each(void)
{
	static const char text[] = "{\"b\":[\"\\u0001\",{\"x\":0.50}],\"a\":{}}";
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), NULL);
	if (!CHECK(j != NULL))
		return;
	PP_AUTO_FREE char *line = pp_json_line(j), *pretty = pp_json_pretty(j);
	PP_AUTO_FREE char *sorted = pp_json_sorted(j);

	CHECK_STR(line, "{\"b\":[\"\\u0001\",{\"x\":0.5}],\"a\":{}}");
	CHECK_STR(sorted, "{\"a\":{},\"b\":[\"\\u0001\",{\"x\":0.5}]}");
	CHECK_STR(pretty, "{\n  \"b\": [\n    \"\\u0001\",\n    {\n      \"x\": 0.5\n    }\n  ],\n"
			  "  \"a\": {}\n}\n");
}

static long
most_memory_kb(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : -1;
}

static void
members_that_leave_take_no_memory(void)
{
	enum {
		MANY = 8000,
		MOST_KB = 64 << 10
	};
	PP_AUTO_JSON pp_json *j = pp_json_object();
	char key[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		pp_json_set_int(j, key, i);
	}
	long before = most_memory_kb();
	for (int i = 0; i < MANY; i += 2) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		pp_json_del(j, key);
		CHECK(i % 64 != 0 || pp_json_get(j, key) == NULL);
	}
	CHECK(most_memory_kb() - before < MOST_KB);
	CHECK_INT(pp_json_len(j), MANY / 2);
	CHECK_INT(pp_json_get_int(j, "k7999", 0), 7999);
	pp_json_set_int(j, "k0", 1);
	CHECK_INT(pp_json_get_int(j, "k0", 0), 1);
	CHECK(pp_json_get(j, "k2") == NULL);
}

static void
what_is_no_utf8_is_replaced(void)
{
	PP_AUTO_JSON pp_json *j = pp_json_str("a\xff\xc3\xa9\xc3");

	CHECK_STR(pp_json_string(j), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
}

TAP_MAIN(
    CASE(plain_text_is_read_as_the_library_reads_it) CASE(anything_unusual_is_left_to_the_library)
	CASE(deep_lists_are_left_to_the_library) CASE(members_are_found_however_many_there_are)
	    CASE(an_object_grows_and_shrinks_and_keeps_its_order) CASE(
		a_member_may_come_while_one_looks_at_all) CASE(values_go_from_one_tree_to_another)
		CASE(what_is_made_of_a_tree_may_go_into_it)
		    CASE(what_is_written_is_read_as_the_same) CASE(texts_have_one_form_each)
			CASE(members_that_leave_take_no_memory) CASE(what_is_no_utf8_is_replaced))
