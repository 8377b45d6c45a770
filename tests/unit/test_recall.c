/* SPDX-License-Identifier: MIT */
/* Lines that are recalled: there and back, and what is not as it was written. */
#include "lib/index/recall.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/trust/crypto.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_SHARDS 4
#define SHA      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE_A   "{\"name\":\"a\",\"versions\":[]}"
#define LINE_B   "{\"name\":\"bc\",\"versions\":[{\"version\":\"1.0.0\"}]}"

struct world {
	char dir[40];
	int fd;
	struct pp_index_root *root;
};

/* An index of four planning shards whose digests are those of these texts. */
static struct pp_index_root *
root_of(const char *const texts[N_SHARDS])
{
	PP_AUTO_BUF struct pp_buf json = PP_BUF_INIT(4096);
	struct pp_index_root *root = NULL;
	char hex[65];

	pp_buf_adds(&json, "{\"_type\":\"plugpkg-index\",\"format\":1,\"name\":\"main\"");
	for (int layer = 0; layer < 2; layer++) {
		pp_buf_addf(&json, ",\"%s\":\"", layer == 0 ? "planning" : "details");
		for (size_t i = 0; i < N_SHARDS; i++) {
			pp_sha256_hex(texts[i], strlen(texts[i]), hex);
			pp_buf_addf(&json, "%s%s 10 20", i > 0 ? "," : "", hex);
		}
		pp_buf_adds(&json, "\"");
	}
	pp_buf_addf(&json, ",\"search\":\"%s 10 20\"}", hex);
	CHECK_INT(pp_index_root_open((struct pp_str){ json.s, json.n }, "index", &root, NULL),
	    PLUGPKG_OK);
	return root;
}

static void
world_init(struct world *w)
{
	strcpy(w->dir, "/tmp/plugpkg-test-XXXXXX");
	CHECK(mkdtemp(w->dir) != NULL);
	w->fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(pp_mkdirs_at(w->fd, "var/trust/main", 0755), 0);
	CHECK_INT(pp_mkdirs_at(w->fd, "var/cache", 0755), 0);
	w->root = root_of((const char *const[]){ "one", "two", "three", "four" });
}

static void
world_fini(struct world *w)
{
	pp_index_root_free(w->root);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, w->dir), 0);
	(void)close(w->fd);
}

/* "a" and "bc" in shard 2, of "none" nothing in shard 0, and shard 3 without any name. */
static void
save(const struct world *w)
{
	static const struct pp_recall_entry rows[] = {
		{ 2, "bc", LINE_B },
		{ 3, NULL, NULL },
		{ 0, "none", NULL },
		{ 2, "a", LINE_A },
	};
	const struct pp_recall_of of = { w->root, SHA };
	struct pp_recall_entries entries = { 0 };

	for (size_t i = 0; i < PP_LEN(rows); i++)
		pp_vec_push(&entries, rows[i]);
	pp_recall_save(&entries, &of, w->fd, "main");
	pp_vec_free(&entries);
}

static void
recall(struct pp_recall *r, const struct pp_index_root *root, const struct world *w)
{
	pp_recall_open(r, w->fd, "main");
	r->root = root;
}

static bool
knows(struct pp_recall *r, size_t number, const char *name, const char *line)
{
	struct pp_str got;

	return pp_recall_line(r, number, name, &got) &&
	       (line != NULL ? pp_str_eq(got, line) : got.p == NULL);
}

static void
what_was_looked_up_is_recalled(void)
{
	struct pp_recall r;
	struct world w;

	world_init(&w);
	save(&w);
	recall(&r, w.root, &w);
	CHECK(!r.is_damaged);
	CHECK(knows(&r, 2, "a", LINE_A));
	CHECK(knows(&r, 2, "bc", LINE_B));
	CHECK(knows(&r, 0, "none", NULL));
	CHECK(pp_recall_has_shard(&r, 3));
	CHECK(!pp_recall_has_shard(&r, 1));
	CHECK(!pp_recall_has_shard(&r, N_SHARDS));
	CHECK(pp_str_eq(r.root_sha256, SHA));
	CHECK_INT(r.n_planning, N_SHARDS);
	CHECK_INT(r.n_details, N_SHARDS);
	r.root = NULL; /* of which it is known that it is the same */
	CHECK(knows(&r, 2, "a", LINE_A));
	CHECK(!pp_recall_has_shard(&r, 1));
	CHECK(!knows(&r, 2, "b", LINE_B));
	CHECK(!knows(&r, 0, "a", LINE_A));
	pp_recall_fini(&r);
	world_fini(&w);
}

static void
nothing_is_recalled_where_nothing_was_kept(void)
{
	struct pp_recall r;
	struct world w;

	world_init(&w);
	recall(&r, w.root, &w);
	CHECK(!r.is_damaged);
	CHECK(!pp_recall_has_shard(&r, 2));
	pp_recall_fini(&r);
	world_fini(&w);
}

static void
of_a_shard_that_changed_nothing_is_recalled(void)
{
	struct pp_index_root *other =
	    root_of((const char *const[]){ "one", "two", "changed", "four" });
	struct pp_recall r;
	struct world w;

	world_init(&w);
	save(&w);
	recall(&r, other, &w);
	CHECK(!r.is_damaged);
	CHECK(!pp_recall_has_shard(&r, 2));
	CHECK(!knows(&r, 2, "a", LINE_A));
	CHECK(knows(&r, 0, "none", NULL));
	CHECK(pp_recall_has_shard(&r, 3));
	pp_recall_fini(&r);
	pp_index_root_free(other);
	world_fini(&w);
}

/* Whatever byte of both files is another: what is recalled is what was written, or nothing. */
static void
no_byte_can_be_changed_unnoticed(void)
{
	static const char *const files[] = { "var/cache/main.lines", "var/trust/main/lines" };
	struct world w;

	world_init(&w);
	for (size_t f = 0; f < PP_LEN(files); f++) {
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
		save(&w);
		CHECK_INT(pp_read_file_at(w.fd, files[f], &text), 0);
		for (size_t i = 0; i < text.n; i++) {
			struct pp_recall r;
			text.s[i] ^= 1;
			CHECK_INT(
			    pp_write_file_unsynced_at(w.fd, files[f], text.s, text.n, 0644), 0);
			text.s[i] ^= 1;
			recall(&r, w.root, &w);
			bool has_a = knows(&r, 2, "a", LINE_A), has_b = knows(&r, 2, "bc", LINE_B);
			CHECK(r.is_damaged);
			CHECK(!(has_a && has_b));
			CHECK(!pp_recall_has_shard(&r, 3));
			pp_recall_fini(&r);
		}
	}
	world_fini(&w);
}

static void
a_file_of_another_length_is_not_recalled(void)
{
	static const char file[] = "var/cache/main.lines";
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(4096);
	struct world w;

	world_init(&w);
	save(&w);
	CHECK_INT(pp_read_file_at(w.fd, file, &text), 0);
	size_t n = text.n;
	pp_buf_addc(&text, 'x');
	for (size_t i = 0; i <= n + 1; i++) {
		struct pp_recall r;
		if (i == n)
			continue;
		CHECK_INT(pp_write_file_unsynced_at(w.fd, file, text.s, i, 0644), 0);
		recall(&r, w.root, &w);
		CHECK(r.is_damaged);
		CHECK(!pp_recall_has_shard(&r, 2));
		pp_recall_fini(&r);
	}
	world_fini(&w);
}

static bool
reads(const char *table, uint64_t file_size)
{
	struct pp_recall r = { .fd = -1, .file_size = file_size, .table = PP_BUF_INIT(4096) };

	pp_buf_adds(&r.table, table);
	bool is_read = pp_recall_read_table(&r);
	CHECK_INT(r.is_damaged, !is_read);
	pp_recall_fini(&r);
	return is_read;
}

#define ROOT SHA " 4 4"

static void
a_table_of_another_form_is_none(void)
{
	static const char *const wrong[] = {
		"",
		ROOT,
		"\n",
		SHA "\n",
		SHA " 4\n",
		SHA " 4 \n",
		SHA " 1 4\n",
		SHA " 4 0\n",
		SHA " 4097 4\n",
		SHA " 4 4097\n",
		"abc 4 4\n",
		ROOT "\n1 " SHA,
		ROOT "\n\n",
		ROOT "\n1\n",
		ROOT "\n1 abc\n",
		ROOT "\nx " SHA "\n",
		ROOT "\n4 " SHA "\n",
		ROOT "\n2 " SHA "\n1 " SHA "\n",
		ROOT "\n1 " SHA "\n1 " SHA "\n",
		ROOT "\n a\n",
		ROOT "\n1 " SHA "\n \n",
		ROOT "\n1 " SHA "\n a 5\n",
		ROOT "\n1 " SHA "\n a 0 " SHA "\n",
		ROOT "\n1 " SHA "\n a -5 " SHA "\n",
		ROOT "\n1 " SHA "\n a 5 abc\n",
		ROOT "\n1 " SHA "\n a 18446744073709551615 " SHA "\n",
	};
	static const char right[] = ROOT "\n1 " SHA "\n a 5 " SHA "\n b\n2 " SHA "\n";
	size_t n = strlen(right);

	for (size_t i = 0; i < PP_LEN(wrong); i++)
		for (size_t size = 0; size < 300; size++)
			if (!CHECK(!reads(wrong[i], size)))
				break;
	CHECK(reads(right, n + 5));
	CHECK(!reads(right, n + 4));
	CHECK(!reads(right, n + 6));
}

TAP_MAIN(CASE(what_was_looked_up_is_recalled) CASE(nothing_is_recalled_where_nothing_was_kept)
	CASE(of_a_shard_that_changed_nothing_is_recalled) CASE(no_byte_can_be_changed_unnoticed)
	    CASE(a_file_of_another_length_is_not_recalled) CASE(a_table_of_another_form_is_none))
