/* SPDX-License-Identifier: MIT */
/* Merging of versions into runs. A run never jumps over a version that is not meant. */
#include "lib/solve/versions.h"

#define MAX_ITEMS 6

struct run {
	const struct pp_version_mark *from, *to;
};
struct runs pp_vec(struct run);

static int
lowest_first(const void *a, const void *b)
{
	const struct pp_version_mark *x = a, *y = b;

	return pp_version_cmp(x->version, y->version);
}

static void
join_equal(struct pp_version_marks *marks)
{
	size_t n = 0;

	for (size_t i = 0; i < marks->n; i++) {
		struct pp_version_mark *m = &marks->at[i], *last = &marks->at[n - (n > 0)];
		if (n > 0 && pp_version_cmp(last->version, m->version) == 0) {
			last->is_meant |= m->is_meant;
			last->is_installed |= m->is_installed;
		} else {
			marks->at[n++] = *m;
		}
	}
	marks->n = n;
}

/* Installed versions stand alone, because they are marked. Two in a row are shorter as two. */
static void
find_runs(const struct pp_version_marks *marks, enum pp_versions_style style, struct runs *out)
{
	size_t start = 0, n = 0;

	for (size_t i = 0; i <= marks->n; i++) {
		bool joins = i < marks->n && marks->at[i].is_meant && !marks->at[i].is_installed;
		if (joins && n++ == 0)
			start = i;
		if (joins)
			continue;
		if (n > 2 && style == PP_VERSIONS_RUNS)
			pp_vec_push(out, ((struct run){ &marks->at[start], &marks->at[i - 1] }));
		else
			for (size_t k = start; n > 0 && k < start + n; k++)
				pp_vec_push(out, ((struct run){ &marks->at[k], &marks->at[k] }));
		n = 0;
		if (i < marks->n && marks->at[i].is_meant)
			pp_vec_push(out, ((struct run){ &marks->at[i], &marks->at[i] }));
	}
}

size_t
pp_versions_add(struct pp_buf *b, struct pp_version_marks *marks, enum pp_versions_style style)
{
	struct runs runs = { 0 };

	pp_vec_sort(marks, lowest_first);
	join_equal(marks);
	find_runs(marks, style, &runs);

	size_t left_out = runs.n > MAX_ITEMS ? runs.n - MAX_ITEMS + 1 : 0;
	size_t items = runs.n - left_out + (left_out > 0);
	for (size_t i = 0; i < items; i++) {
		if (i > 0)
			pp_buf_adds(b, i + 1 == items ? " and " : ", ");
		if (left_out > 0 && i == 0) {
			pp_buf_addf(b, "%zu more", left_out);
			continue;
		}
		const struct run *r = &runs.at[i + left_out - (left_out > 0)];
		pp_buf_adds(b, r->from->version->text);
		if (r->to != r->from)
			pp_buf_addf(b, " to %s", r->to->version->text);
		if (r->from->is_installed)
			pp_buf_adds(b, " (installed)");
	}
	pp_vec_free(&runs);

	size_t n_meant = 0;
	pp_vec_foreach (m, marks)
		n_meant += m->is_meant;
	return n_meant;
}
