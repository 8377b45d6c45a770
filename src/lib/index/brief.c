/* SPDX-License-Identifier: MIT */
/* The short form of what the details say of an archive, written and read. */
#include "lib/index/brief.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Members of a details row that a plan needs where they are, and most rows have not. */
static const char *const others[] = {
	"scripts",
	"signed",
	"tables",
};

/* ---- reading ---- */

static bool
read_count(struct pp_str *rest, uint64_t *out)
{
	struct pp_str word;

	return rest->p != NULL && pp_str_cut(rest, ' ', &word) &&
	       pp_parse_u64(word, INT64_MAX, out) == 0;
}

bool
pp_brief_read(const char *text, struct pp_brief *out)
{
	struct pp_str rest = pp_str_of(text), digest;

	if (!pp_str_cut(&rest, ' ', &digest) || digest.n != sizeof(out->sha256) - 1)
		return false;
	memcpy(out->sha256, digest.p, digest.n);
	out->sha256[digest.n] = '\0';
	return pp_is_sha256(out->sha256) && read_count(&rest, &out->size) && out->size > 0 &&
	       read_count(&rest, &out->unpacked) && read_count(&rest, &out->files) &&
	       rest.p == NULL;
}

/* ---- writing ---- */

/* NULL: the details row is not sound. */
static char *
text_of(const pp_json *row)
{
	const char *sha256 = pp_json_get_str(row, "sha256");
	int64_t size = pp_json_get_int(row, "size", -1);
	int64_t unpacked = pp_json_get_int(row, "unpacked", -1);
	int64_t files = pp_json_get_int(row, "files", -1);

	if (!pp_is_sha256(sha256) || size < 1 || unpacked < 0 || files < 0)
		return NULL;
	return pp_asprintf(
	    "%s %lld %lld %lld", sha256, (long long)size, (long long)unpacked, (long long)files);
}

void
pp_brief_strip(pp_json *row)
{
	pp_json_del(row, PP_BRIEF_MEMBER);
	for (size_t i = 0; i < PP_LEN(others); i++)
		pp_json_del(row, others[i]);
}

void
pp_brief_write_row(pp_json *row, const pp_json *details)
{
	PP_AUTO_FREE char *text = text_of(details);

	pp_brief_strip(row);
	pp_json_set_str(row, PP_BRIEF_MEMBER, text);
	for (size_t i = 0; text != NULL && i < PP_LEN(others); i++) {
		const pp_json *value = pp_json_get(details, others[i]);
		if (value != NULL)
			pp_json_set(row, others[i], pp_json_ref(value));
	}
}

static bool
is_of(const pp_json *row, const char *version)
{
	const char *its = pp_json_get_str(row, "version");

	return its != NULL && version != NULL && strcmp(its, version) == 0;
}

void
pp_brief_write(pp_json *planning, const pp_json *details)
{
	const pp_json *rows = pp_json_get(planning, "versions");
	const pp_json *theirs = pp_json_get(details, "versions");
	const pp_json *owner = pp_json_get(details, PP_BRIEF_OWNER);

	/* The rows of both stand in the same order. */
	for (size_t i = 0; i < pp_json_len(rows); i++) {
		pp_json *row = pp_json_at(rows, i);
		const pp_json *here = pp_json_at(theirs, i);
		bool is_same = is_of(here, pp_json_get_str(row, "version"));
		pp_brief_write_row(row, is_same ? here : NULL);
	}
	pp_json_del(planning, PP_BRIEF_OWNER);
	if (owner != NULL && pp_json_len(rows) > 0)
		pp_json_set(planning, PP_BRIEF_OWNER, pp_json_ref(owner));
}
