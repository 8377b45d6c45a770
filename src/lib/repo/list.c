/* SPDX-License-Identifier: MIT */
/* `list`: what is published, and what the next publish will change. */
#include "base/mem.h"
#include "lib/model/context.h"
#include "lib/repo/book.h"
#include "lib/repo/metadata.h"
#include "lib/repo/staged.h"

#include <string.h>

struct listing {
	struct pp_book *book;
	struct pp_staged_list staged;
	plugpkg_row_fn row;
	void *user;
};

static void
listing_fini(struct listing *l)
{
	if (l->book != NULL)
		pp_book_free(l->book);
	pp_staged_list_fini(&l->staged);
}

static void
send_version(struct listing *l, const char *name, const pp_json *details, const char *status)
{
	pp_json *j = pp_row_new("version");

	pp_json_set_str(j, "name", name);
	pp_json_set_str(j, "version", pp_json_get_str(details, "version"));
	pp_json_set_str(j, "status", status); /* "published", "staged", "leaves" */
	pp_json_set_int(j, "size", pp_json_get_int(details, "size", 0));
	pp_json_set_str(j, "sha256", pp_json_get_str(details, "sha256"));
	pp_json_set_str(j, "summary", pp_json_get_str(details, "summary"));
	pp_row(l->row, l->user, j);
}

static enum plugpkg_code
send_name(struct listing *l, const char *name, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(l->book, PP_LAYER_DETAILS, name, &line, err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (size_t i = 0; i < l->staged.n; i++)
		if (!l->staged.at[i].is_removal && strcmp(l->staged.at[i].name, name) == 0)
			send_version(l, name, l->staged.at[i].details, "staged");
	const pp_json *rows = pp_json_get(line, "versions");
	for (size_t i = 0; i < pp_json_len(rows); i++) {
		const pp_json *row = pp_json_at(rows, i);
		const struct pp_staged *s =
		    pp_staged_find(&l->staged, name, pp_json_get_str(row, "version"));
		send_version(l, name, row, s != NULL && s->is_removal ? "leaves" : "published");
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_repo_list(plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(listing_fini) struct listing l = { .row = row, .user = user };
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	struct pp_published was;

	enum plugpkg_code rc = pp_published_read(repo, NULL, &was, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_open(repo, &was, &l.book, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staged_read(repo, &l.staged, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_names(l.book, PP_LAYER_DETAILS, &names, err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (size_t i = 0; i < l.staged.n; i++)
		pp_strs_add(&names, l.staged.at[i].name);
	pp_strs_sort(&names);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		if (i == 0 || strcmp(names.at[i], names.at[i - 1]) != 0)
			rc = send_name(&l, names.at[i], err);
		if (rc == PLUGPKG_OK)
			rc = pp_check_cancel(&repo->ctx, err);
	}
	return rc;
}
