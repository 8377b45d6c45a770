/* SPDX-License-Identifier: MIT */
/* Words for requirements that nothing here meets. */
#include "lib/txn/broken.h"

#include "lib/model/name.h"

#define LINE_MAX_BYTES 8192

/* NULL: it is not known whether it is met. */
static char *
complaint(const struct pp_web *w, const char *words, const struct pp_dep *dep)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(LINE_MAX_BYTES);
	const char *host = pp_inventory_host_version(&w->inv, dep);
	size_t there = pp_web_place(w, dep->name);

	pp_buf_addf(&text, "%s %s %s", words, dep->name, dep->text);
	if (host != NULL)
		pp_buf_addf(&text, "; this application has %s", host);
	else if (pp_name_is_host(dep->name) && w->inv.is_host_partial)
		return NULL;
	else if (pp_name_is_host(dep->name))
		pp_buf_adds(&text, "; this application does not say its version of it "
				   "(\"provides\" in plugpkg.json)");
	else if (there != PP_NOBODY)
		pp_buf_addf(&text, "; %s is installed", w->inv.releases.at[there]->version.text);
	else
		pp_buf_adds(&text, ", which is not installed");
	return pp_buf_steal(&text);
}

static size_t
first_thread(const struct pp_web *w, size_t place)
{
	size_t low = 0, high = w->threads.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (w->threads.at[middle].from < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
pp_broken_complaints(const struct pp_web *w, size_t place, struct pp_strs *out)
{
	if (!pp_installed_is_usable(w->inv.set.at[place]))
		return;
	for (size_t i = first_thread(w, place); i < w->threads.n; i++) {
		const struct pp_thread *t = &w->threads.at[i];
		char *line = NULL;
		if (t->from != place)
			break;
		if (t->tie == PP_TIE_REQUIRES && t->to == PP_NOBODY && t->host == NULL)
			line = complaint(w, "needs", t->dep);
		else if (t->tie == PP_TIE_CONFLICTS && t->host != NULL)
			line = complaint(w, "conflicts with", t->dep);
		if (line != NULL)
			pp_strs_take(out, line);
	}
}

void
pp_row_add_broken(const struct pp_web *w, size_t place, pp_json *row)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs lines = { 0 };

	pp_broken_complaints(w, place, &lines);
	if (lines.n == 0)
		return;
	pp_json *list = pp_json_array();
	pp_vec_foreach (line, &lines)
		pp_json_push_str(list, *line);
	pp_json_set(row, "broken", list);
}
