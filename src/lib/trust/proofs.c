/* SPDX-License-Identifier: MIT */
/* A short list of lines that are compared as they are, and its file. */
#include "lib/trust/proofs.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/trust/tuf.h"

#define FILE_NAME    "verified" /* no role's: their files end in .json */
#define FIRST_LINE   "verified by plugpkg " PACKAGE_VERSION
#define MAX_PROOFS   256
#define MAX_BYTES    ((size_t)128 * 1024)
#define SHA256_CHARS 64

void
pp_proofs_load(struct pp_proofs *p, int dir_fd)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_BYTES);

	if (pp_read_file_at(dir_fd, FILE_NAME, &text) < 0)
		return;
	struct pp_str rest = { pp_buf_cstr(&text), text.n }, line;
	if (!pp_str_cut(&rest, '\n', &line) || !pp_str_eq(line, FIRST_LINE))
		return;
	while (p->lines.n < MAX_PROOFS && pp_str_cut(&rest, '\n', &line))
		*pp_vec_new(&p->lines) = pp_xstrndup(line.p, line.n);
}

static bool
is_between(const char *line, const struct pp_map *digests)
{
	size_t n = strlen(line);

	if (n < 2 * SHA256_CHARS)
		return false;
	PP_AUTO_FREE char *by = pp_xstrndup(line, SHA256_CHARS);
	return pp_map_has(digests, by) && pp_map_has(digests, line + n - SHA256_CHARS);
}

/* Most refreshes find what they know, and write nothing. */
void
pp_proofs_save(struct pp_proofs *p, const struct pp_map *digests, int dir_fd)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_BYTES);
	PP_AUTO_BUF struct pp_buf kept = PP_BUF_INIT(MAX_BYTES);

	pp_strs_sort(&p->lines);
	pp_buf_adds(&text, FIRST_LINE "\n");
	pp_vec_foreach (line, &p->lines)
		if (is_between(*line, digests))
			pp_buf_addf(&text, "%s\n", *line);
	if (text.overflow || (pp_read_file_at(dir_fd, FILE_NAME, &kept) == 0 && kept.n == text.n &&
				 memcmp(pp_buf_cstr(&kept), pp_buf_cstr(&text), text.n) == 0))
		return;
	PP_IGNORE(pp_write_file_unsynced_at(dir_fd, FILE_NAME, pp_buf_cstr(&text), text.n, 0644));
}

void
pp_proofs_fini(struct pp_proofs *p)
{
	pp_strs_fini(&p->lines);
}

/* Names of roles are encoded, so that a line reads one way only. */
static char *
line_of(const char *by_sha256, const char *role, const char *sha256)
{
	PP_AUTO_FREE char *name = pp_tuf_encode(role);

	return pp_asprintf("%s %s %s", by_sha256, name, sha256);
}

bool
pp_proofs_has(
    const struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256)
{
	PP_AUTO_FREE char *line = line_of(by_sha256, role, sha256);

	return pp_strs_has(&p->lines, line);
}

void
pp_proofs_add(struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256)
{
	if (p->lines.n < MAX_PROOFS)
		*pp_vec_new(&p->lines) = line_of(by_sha256, role, sha256);
}
