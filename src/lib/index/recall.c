/* SPDX-License-Identifier: MIT */
/* Lines that were looked up before, and their file. */
#include "lib/index/recall.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/net/cache.h"
#include "lib/trust/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_BYTES   128 /* "SIZE SHA256" of a table */
#define SHA256_CHARS 64
#define MAX_TABLE    ((size_t)1024 * 1024)
#define MAX_FILE     ((size_t)4 * 1024 * 1024)

/* What the file is is trusted for where it lies; the file itself for its digests only. */
static char *
path_of_note(const char *source)
{
	return pp_asprintf("var/trust/%s/lines", source);
}

static char *
path_of_file(const char *source)
{
	return pp_asprintf("var/cache/%s.lines", source);
}

/* ---- the table ---- */

static bool
read_shard(struct pp_str row, struct pp_recall *r)
{
	const struct pp_recalled_shard *last =
	    r->shards.n > 0 ? &r->shards.at[r->shards.n - 1] : NULL;
	struct pp_str number;
	uint64_t n;

	if (!pp_str_cut(&row, ' ', &number) || row.p == NULL || row.n != SHA256_CHARS ||
	    pp_parse_u64(number, r->n_planning - 1, &n) < 0 || (last != NULL && n <= last->number))
		return false;
	pp_vec_push(&r->shards,
	    ((struct pp_recalled_shard){ (size_t)n, row, .first = r->lines.n, .n = 0 }));
	return true;
}

/* "NAME SIZE SHA256", or "NAME" */
static bool
read_line(struct pp_str row, uint64_t *offset, struct pp_recall *r)
{
	struct pp_recalled_line line = { .offset = *offset };
	struct pp_str size;
	uint64_t n = 0;

	if (r->shards.n == 0 || !pp_str_cut(&row, ' ', &line.name) || line.name.n == 0)
		return false;
	if (row.p != NULL &&
	    (!pp_str_cut(&row, ' ', &size) || row.p == NULL || row.n != SHA256_CHARS ||
		pp_parse_u64(size, MAX_FILE, &n) < 0 || n == 0))
		return false;
	line.size = (size_t)n;
	line.sha256 = row;
	*offset += n;
	pp_vec_push(&r->lines, line);
	r->shards.at[r->shards.n - 1].n++;
	return true;
}

/* "SHA256 N N" */
static bool
read_root(struct pp_str row, struct pp_recall *r)
{
	struct pp_str planning;
	uint64_t n_planning, n_details;

	if (!pp_str_cut(&row, ' ', &r->root_sha256) || r->root_sha256.n != SHA256_CHARS ||
	    !pp_str_cut(&row, ' ', &planning) || row.p == NULL ||
	    pp_parse_u64(planning, PP_INDEX_MAX_SHARDS, &n_planning) < 0 ||
	    pp_parse_u64(row, PP_INDEX_MAX_SHARDS, &n_details) < 0 || n_planning < 2 ||
	    n_details == 0)
		return false;
	r->n_planning = (size_t)n_planning;
	r->n_details = (size_t)n_details;
	return true;
}

static bool
read_rows(struct pp_recall *r, uint64_t *offset)
{
	struct pp_str rest = { r->table.s, r->table.n }, row;

	if (rest.n == 0 || rest.p[rest.n - 1] != '\n')
		return false;
	rest.n--;
	if (!pp_str_cut(&rest, '\n', &row) || !read_root(row, r))
		return false;
	while (pp_str_cut(&rest, '\n', &row)) {
		bool is_line = row.n > 0 && row.p[0] == ' ';
		if (is_line ? !read_line((struct pp_str){ row.p + 1, row.n - 1 }, offset, r)
			    : !read_shard(row, r))
			return false;
	}
	return true;
}

static void
free_rows(struct pp_recall *r)
{
	pp_vec_free(&r->shards);
	pp_vec_free(&r->lines);
}

/* Its rows are no longer believed. */
static void
forget(struct pp_recall *r)
{
	free_rows(r);
	r->is_damaged = true;
}

bool
pp_recall_read_table(struct pp_recall *r)
{
	uint64_t offset = r->table.n;

	if (read_rows(r, &offset) && offset == r->file_size)
		return true;
	forget(r);
	return false;
}

/* ---- reading ---- */

static bool
is_its_digest(struct pp_str sha256, const struct pp_buf *bytes)
{
	char hex[SHA256_CHARS + 1];

	pp_sha256_hex(bytes->s, bytes->n, hex);
	return pp_str_eq(sha256, hex);
}

/* The table, if it is what is written of it. */
static bool
read_table(struct pp_recall *r, struct pp_str note)
{
	struct pp_str size;
	struct stat st;
	uint64_t n;

	if (!pp_str_cut(&note, ' ', &size) || note.p == NULL ||
	    pp_parse_u64(size, MAX_TABLE, &n) < 0 || fstat(r->fd, &st) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_size < 0)
		return false;
	r->file_size = (uint64_t)st.st_size;
	r->table.limit = MAX_TABLE;
	return pp_cache_read_piece(r->fd, 0, (size_t)n, &r->table) == 0 &&
	       is_its_digest(note, &r->table) && pp_recall_read_table(r);
}

void
pp_recall_open(struct pp_recall *r, int root_fd, const char *source)
{
	PP_AUTO_FREE char *note_path = path_of_note(source);
	PP_AUTO_FREE char *path = path_of_file(source);
	PP_AUTO_BUF struct pp_buf note = PP_BUF_INIT(NOTE_BYTES);

	*r = (struct pp_recall){ .fd = -1 };
	if (pp_read_file_at(root_fd, note_path, &note) < 0)
		return;
	r->fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	r->is_damaged = r->fd < 0 || !read_table(r, (struct pp_str){ pp_buf_cstr(&note), note.n });
}

void
pp_recall_fini(struct pp_recall *r)
{
	free_rows(r);
	pp_buf_fini(&r->table);
	pp_buf_fini(&r->line);
	pp_auto_fd(&r->fd);
}

static const struct pp_recalled_shard *
find_shard(const struct pp_recall *r, size_t number)
{
	size_t low = 0, high = r->shards.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct pp_recalled_shard *s = &r->shards.at[mid];
		if (s->number == number)
			return r->root == NULL || pp_index_root_lists(r->root, number, s->sha256)
				   ? s
				   : NULL;
		if (s->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool
pp_recall_has_shard(const struct pp_recall *r, size_t number)
{
	return find_shard(r, number) != NULL;
}

static bool
read_text(struct pp_recall *r, const struct pp_recalled_line *line, struct pp_str *out)
{
	r->line.limit = MAX_FILE;
	if (pp_cache_read_piece(r->fd, line->offset, line->size, &r->line) < 0 ||
	    !is_its_digest(line->sha256, &r->line)) {
		forget(r);
		return false;
	}
	*out = (struct pp_str){ r->line.s, r->line.n };
	return true;
}

bool
pp_recall_line(struct pp_recall *r, size_t number, const char *name, struct pp_str *out)
{
	const struct pp_recalled_shard *shard = find_shard(r, number);

	*out = (struct pp_str){ NULL, 0 };
	for (size_t i = 0; shard != NULL && i < shard->n; i++) {
		const struct pp_recalled_line *line = &r->lines.at[shard->first + i];
		if (pp_str_eq(line->name, name))
			return line->size == 0 || read_text(r, line, out);
	}
	return false;
}

/* ---- writing ---- */

static int
by_place(const void *a, const void *b)
{
	const struct pp_recall_entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return pp_str_cmp(pp_str_of(x->name), pp_str_of(y->name));
}

static void
add_line(const struct pp_recall_entry *e, struct pp_buf *table)
{
	char hex[SHA256_CHARS + 1];

	if (e->line == NULL) {
		pp_buf_addf(table, " %s\n", e->name);
		return;
	}
	pp_sha256_hex(e->line, strlen(e->line), hex);
	pp_buf_addf(table, " %s %zu %s\n", e->name, strlen(e->line), hex);
}

int
pp_recall_write(struct pp_recall_entries *entries, const struct pp_recall_of *of,
    struct pp_buf *table, struct pp_buf *file)
{
	const struct pp_recall_entry *last = NULL;

	pp_vec_sort(entries, by_place);
	pp_buf_addf(
	    table, "%s %zu %zu\n", of->root_sha256, of->root->planning.n, of->root->details.n);
	pp_vec_foreach (e, entries) {
		if (last == NULL || last->number != e->number) {
			struct pp_str sha256 = pp_index_root_sha256(of->root, e->number);
			pp_buf_addf(table, "%zu %.*s\n", e->number, (int)sha256.n, sha256.p);
		}
		if (e->name != NULL)
			add_line(e, table);
		last = e;
	}
	pp_buf_add(file, table->s, table->n);
	pp_vec_foreach (e, entries)
		if (e->line != NULL)
			pp_buf_adds(file, e->line);
	return table->overflow || file->overflow ? -EFBIG : 0;
}

void
pp_recall_save(struct pp_recall_entries *entries, const struct pp_recall_of *of, int root_fd,
    const char *source)
{
	PP_AUTO_BUF struct pp_buf table = PP_BUF_INIT(MAX_TABLE);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(MAX_FILE);
	PP_AUTO_BUF struct pp_buf note = PP_BUF_INIT(NOTE_BYTES);
	PP_AUTO_FREE char *note_path = path_of_note(source);
	PP_AUTO_FREE char *path = path_of_file(source);
	char hex[SHA256_CHARS + 1];

	if (pp_recall_write(entries, of, &table, &file) < 0)
		return;
	pp_sha256_hex(table.s, table.n, hex);
	pp_buf_addf(&note, "%zu %s", table.n, hex);
	if (pp_write_file_unsynced_at(root_fd, path, file.s, file.n, 0644) == 0)
		PP_IGNORE(pp_write_file_unsynced_at(root_fd, note_path, note.s, note.n, 0644));
}

void
pp_recall_disown(int root_fd, const char *source)
{
	PP_AUTO_FREE char *note_path = path_of_note(source);

	PP_IGNORE(pp_unlinkat(root_fd, note_path, 0));
}
