/* SPDX-License-Identifier: MIT */
/*
 * Each row is a fixed number of texts, each with a NUL behind it, and after the last row comes a
 * NUL where a name would begin. What was cut off, or was zeroed, so makes no sense.
 */
#include "lib/api/listed.h"

#include <inttypes.h>
#include <string.h>

#define HELD   'h'
#define BROKEN 'b'

enum field {
	OF_NAME,
	OF_KEY,
	OF_VERSION,
	OF_STATE,
	OF_REASON,
	N_ALWAYS, /* none of those before is empty */
	OF_SOURCE = N_ALWAYS,
	OF_SUMMARY,
	OF_BLOCKED_BY,
	OF_LINKED_FROM,
	OF_MARKS,
	OF_HELD_UNTIL,
	N_FIELDS,
};

void
pp_listed_add(const struct plugpkg_listed *one, struct pp_buf *out)
{
	const char *texts[OF_MARKS] = {
		[OF_NAME] = one->name,
		[OF_KEY] = one->key,
		[OF_VERSION] = one->version,
		[OF_STATE] = one->state,
		[OF_REASON] = one->reason,
		[OF_SOURCE] = one->source,
		[OF_SUMMARY] = one->summary,
		[OF_BLOCKED_BY] = one->blocked_by,
		[OF_LINKED_FROM] = one->linked_from,
	};

	for (size_t i = 0; i < PP_LEN(texts); i++) {
		const char *text = texts[i] != NULL ? texts[i] : "";
		pp_buf_add(out, text, strlen(text) + 1);
	}
	if (one->is_held != 0)
		pp_buf_addc(out, HELD);
	if (one->is_broken != 0)
		pp_buf_addc(out, BROKEN);
	pp_buf_addc(out, '\0');
	pp_buf_addf(out, "%" PRId64, one->held_until);
	pp_buf_addc(out, '\0');
}

void
pp_listed_end(struct pp_buf *out)
{
	pp_buf_addc(out, '\0');
}

static const char *
text_or_none(struct pp_str text)
{
	return text.n > 0 ? text.p : NULL;
}

static bool
has_mark(struct pp_str marks, char mark)
{
	return memchr(marks.p, mark, marks.n) != NULL;
}

/* A NUL ends the text, so that each of its parts has one behind it. */
static bool
read_row(struct pp_str *rest, struct plugpkg_listed *out)
{
	struct pp_str f[N_FIELDS];
	uint64_t until = 0;

	for (size_t i = 0; i < N_FIELDS; i++)
		if (rest->n == 0 || !pp_str_cut(rest, '\0', &f[i]) || (i < N_ALWAYS && f[i].n == 0))
			return false;
	if (pp_parse_u64(f[OF_HELD_UNTIL], INT64_MAX, &until) != 0)
		return false;
	*out = (struct plugpkg_listed){
		.name = f[OF_NAME].p,
		.version = f[OF_VERSION].p,
		.source = f[OF_SOURCE].p,
		.summary = text_or_none(f[OF_SUMMARY]),
		.key = f[OF_KEY].p,
		.reason = f[OF_REASON].p,
		.state = f[OF_STATE].p,
		.blocked_by = text_or_none(f[OF_BLOCKED_BY]),
		.linked_from = text_or_none(f[OF_LINKED_FROM]),
		.held_until = (int64_t)until,
		.is_held = has_mark(f[OF_MARKS], HELD),
		.is_broken = has_mark(f[OF_MARKS], BROKEN),
	};
	return true;
}

bool
pp_listed_read(struct pp_str text, struct pp_listed_rows *out)
{
	struct plugpkg_listed one;

	if (text.n == 0 || text.p[text.n - 1] != '\0')
		return false;
	while (text.n > 1) {
		if (!read_row(&text, &one))
			return false;
		pp_vec_push(out, one);
	}
	return text.n == 1;
}
