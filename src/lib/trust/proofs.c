/* SPDX-License-Identifier: MIT */
/* A short list of lines that are compared as they are, and its file. */
#include "lib/trust/proofs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/trust/tuf.h"

#define FILE_NAME  "verified" /* no role's: their files end in .json */
#define FIRST_LINE "verified by plugpkg " PACKAGE_VERSION
#define MAX_PROOFS 256
#define MAX_BYTES  ((size_t)128 * 1024)

static void
add(struct pp_proofs *p, char *text, bool is_used)
{
	struct pp_proof *one = pp_vec_new(p);

	one->text = text;
	one->is_used = is_used;
}

void
pp_proofs_load(struct pp_proofs *p, int dir_fd)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_BYTES);

	if (pp_read_file_at(dir_fd, FILE_NAME, &text) < 0)
		return;
	struct pp_str rest = { pp_buf_cstr(&text), text.n }, line;
	if (!pp_str_cut(&rest, '\n', &line) || !pp_str_eq(line, FIRST_LINE))
		return;
	while (p->n < MAX_PROOFS && pp_str_cut(&rest, '\n', &line))
		if (line.n > 0)
			add(p, pp_xstrndup(line.p, line.n), false);
}

static int
by_text(const void *a, const void *b)
{
	const struct pp_proof *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Most refreshes find what they know, and write nothing. */
void
pp_proofs_save(struct pp_proofs *p, int dir_fd)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_BYTES);
	PP_AUTO_BUF struct pp_buf kept = PP_BUF_INIT(MAX_BYTES);

	pp_vec_sort(p, by_text);
	pp_buf_adds(&text, FIRST_LINE "\n");
	pp_vec_foreach (one, p)
		if (one->is_used)
			pp_buf_addf(&text, "%s\n", one->text);
	if (text.overflow || (pp_read_file_at(dir_fd, FILE_NAME, &kept) == 0 && kept.n == text.n &&
				 memcmp(pp_buf_cstr(&kept), pp_buf_cstr(&text), text.n) == 0))
		return;
	PP_IGNORE(pp_write_file_unsynced_at(dir_fd, FILE_NAME, pp_buf_cstr(&text), text.n, 0644));
}

void
pp_proofs_fini(struct pp_proofs *p)
{
	pp_vec_foreach (one, p)
		free(one->text);
	pp_vec_free(p);
}

/* Names of roles are encoded, so that a line reads one way only. */
static char *
line_of(const char *by_sha256, const char *role, const char *sha256)
{
	PP_AUTO_FREE char *name = pp_tuf_encode(role);

	return pp_asprintf("%s %s %s", by_sha256, name, sha256);
}

bool
pp_proofs_has(struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256)
{
	PP_AUTO_FREE char *line = line_of(by_sha256, role, sha256);

	pp_vec_foreach (one, p) {
		if (strcmp(one->text, line) != 0)
			continue;
		one->is_used = true;
		return true;
	}
	return false;
}

void
pp_proofs_add(struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256)
{
	if (p->n < MAX_PROOFS)
		add(p, line_of(by_sha256, role, sha256), true);
}
