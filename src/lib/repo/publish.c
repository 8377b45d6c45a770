/* SPDX-License-Identifier: MIT */
/*
 * Merges what is staged into the published index and signs; renews signatures without new content.
 */
#include "lib/repo/publish.h"

#include "base/mem.h"
#include "base/time.h"
#include "lib/model/context.h"
#include "lib/model/semver.h"
#include "lib/repo/book.h"
#include "lib/repo/census.h"
#include "lib/repo/expiry.h"
#include "lib/repo/metadata.h"
#include "lib/repo/owners.h"
#include "lib/repo/session.h"
#include "lib/repo/staged.h"

#include <string.h>

/* ---- One version in, or out of, the lines of the book ---- */

/* What a planning line says of its name beside the releases: who has it in that relation. */
static const struct list {
	const char *relation, *member;
} lists[] = { { "provides", "providers" }, { "replaces", "replacers" } };

/*
 * A line's copy without row `skip` (-1 = none) and with `row` (may be NULL) at its place, newest
 * first.
 */
static pp_json *
line_with(const char *name, const pp_json *old, ptrdiff_t skip, const pp_json *row)
{
	pp_json *line = pp_json_object(), *rows = pp_json_array();
	const pp_json *was = pp_json_get(old, "versions");
	const char *version = pp_json_get_str(row, "version");
	bool placed = row == NULL;

	for (size_t i = 0; i < pp_json_len(was); i++) {
		const pp_json *here = pp_json_at(was, i);
		if ((ptrdiff_t)i == skip)
			continue;
		if (!placed && pp_version_cmp_text(version, pp_json_get_str(here, "version")) > 0) {
			pp_json_push(rows, pp_json_ref(row));
			placed = true;
		}
		pp_json_push(rows, pp_json_ref(here));
	}
	if (!placed)
		pp_json_push(rows, pp_json_ref(row));
	pp_json_set_str(line, "name", name);
	pp_json_set(line, "versions", rows);
	for (size_t i = 0; i < PP_LEN(lists); i++)
		if (pp_json_len(pp_json_get(old, lists[i].member)) > 0)
			pp_json_set(
			    line, lists[i].member, pp_json_ref(pp_json_get(old, lists[i].member)));
	if (pp_json_get(old, "owner") != NULL)
		pp_json_set(line, "owner", pp_json_ref(pp_json_get(old, "owner")));
	return line;
}

static bool
is_empty_line(const pp_json *line)
{
	size_t n = pp_json_len(pp_json_get(line, "versions"));

	/* A name stays its owner's when its last version goes. */
	n += pp_json_get(line, "owner") != NULL;
	for (size_t i = 0; i < PP_LEN(lists); i++)
		n += pp_json_len(pp_json_get(line, lists[i].member));
	return n == 0;
}

/* Stores a line, or takes it out when it says nothing any more. Line moved. */
static void
put_line(struct pp_book *b, enum pp_layer layer, const char *name, pp_json *line)
{
	if (is_empty_line(line)) {
		pp_json_free(line);
		line = NULL;
	}
	pp_book_set(b, layer, name, line);
}

static enum plugpkg_code
change_row(struct pp_book *b, enum pp_layer layer, const struct pp_staged *s, const pp_json *row,
    plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *old = NULL;

	enum plugpkg_code rc = pp_book_line(b, layer, s->name, &old, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(old, s->version);
	put_line(b, layer, s->name, line_with(s->name, old, at, row));
	return PLUGPKG_OK;
}

/* ---- Names that other plugins provide or replace: their lines list these plugins ---- */

static bool
line_says(const pp_json *line, const char *relation, const char *name)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++)
		if (pp_json_get(pp_json_get(pp_json_at(rows, i), relation), name) != NULL)
			return true;
	return false;
}

static pp_json *
with_plugin(const pp_json *was, const char *plugin, bool is_in)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	pp_json *list = pp_json_array();

	for (size_t i = 0; i < pp_json_len(was); i++) {
		const char *name = pp_json_string(pp_json_at(was, i));
		if (name != NULL && strcmp(name, plugin) != 0)
			pp_strs_add(&names, name);
	}
	if (is_in)
		pp_strs_add(&names, plugin);
	pp_strs_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		pp_json_push_str(list, names.at[i]);
	return list;
}

/* Brings the line of one such name up to date with what the plugin's line now says. */
static enum plugpkg_code
change_list(struct pp_book *b, const struct list *l, const char *name, const char *plugin,
    plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *plugin_line = NULL;
	PP_AUTO_JSON pp_json *old = NULL;

	enum plugpkg_code rc = pp_book_line(b, PP_LAYER_PLANNING, plugin, &plugin_line, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_line(b, PP_LAYER_PLANNING, name, &old, err);
	if (rc != PLUGPKG_OK)
		return rc;
	bool is_in = line_says(plugin_line, l->relation, name);
	pp_json *list = with_plugin(pp_json_get(old, l->member), plugin, is_in);
	pp_json *line = line_with(name, old, -1, NULL);
	pp_json_set(line, l->member, list);
	if (pp_json_len(list) == 0)
		pp_json_del(line, l->member);
	put_line(b, PP_LAYER_PLANNING, name, line);
	return PLUGPKG_OK;
}

static enum plugpkg_code
change_lists(struct pp_book *b, const pp_json *row, const char *plugin, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < PP_LEN(lists); i++) {
		const pp_json *names = pp_json_get(row, lists[i].relation);
		void *it = names == NULL ? NULL : pp_json_iter(names);
		for (; rc == PLUGPKG_OK && it != NULL; it = pp_json_next(names, it))
			rc = change_list(b, &lists[i], pp_json_iter_key(it), plugin, err);
	}
	return rc;
}

/* ---- Search: the newest release of each plugin, else its newest prerelease ---- */

static bool
is_release(const pp_json *row)
{
	PP_CLEANUP(pp_version_fini) struct pp_version version = { 0 };
	struct pp_str text = pp_str_of(pp_json_get_str(row, "version"));

	return pp_version_parse(text, &version, NULL) == PLUGPKG_OK &&
	       !pp_version_is_prerelease(&version);
}

static const pp_json *
newest_row(const pp_json *line)
{
	const pp_json *rows = pp_json_get(line, "versions");

	for (size_t i = 0; i < pp_json_len(rows); i++)
		if (is_release(pp_json_at(rows, i)))
			return pp_json_at(rows, i);
	return pp_json_at(rows, 0);
}

static enum plugpkg_code
change_search(struct pp_book *b, const char *name, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *details = NULL;
	PP_AUTO_JSON pp_json *old = NULL;

	enum plugpkg_code rc = pp_book_line(b, PP_LAYER_DETAILS, name, &details, err);
	if (rc == PLUGPKG_OK) /* loads the shard, which pp_book_set() asks for */
		rc = pp_book_line(b, PP_LAYER_SEARCH, name, &old, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const pp_json *row = newest_row(details);
	pp_json *line = NULL;
	if (row != NULL) {
		line = pp_json_object();
		pp_json_set_str(line, "name", name);
		pp_json_set_str(line, "version", pp_json_get_str(row, "version"));
		pp_json_set_str(line, "summary", pp_json_get_str(row, "summary"));
		if (pp_json_len(pp_json_get(row, "keywords")) > 0)
			pp_json_set(line, "keywords", pp_json_ref(pp_json_get(row, "keywords")));
		pp_json_set_str(line, "type", pp_json_get_str(row, "type"));
	}
	pp_book_set(b, PP_LAYER_SEARCH, name, line);
	return PLUGPKG_OK;
}

/* ---- Publishing ---- */

/* add refuses this already; here it is refused whatever came between. */
static enum plugpkg_code
check_same_content(struct pp_book *b, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(b, PP_LAYER_DETAILS, s->name, &line, err);
	ptrdiff_t at = rc == PLUGPKG_OK ? pp_rows_find(line, s->version) : -1;
	if (at < 0 || s->is_removal)
		return rc;
	const pp_json *row = pp_json_at(pp_json_get(line, "versions"), (size_t)at);
	const char *sha256 = pp_json_get_str(row, "sha256");
	if (sha256 != NULL && strcmp(sha256, pp_json_get_str(s->details, "sha256")) == 0)
		return PLUGPKG_OK;
	pp_fail(
	    err, PLUGPKG_E_EXISTS, 0, "%s %s is published with other content", s->name, s->version);
	return pp_hint(err, PLUGPKG_E_EXISTS, "take it back with: plugpkg-repo remove %s@%s",
	    s->name, s->version);
}

/* A longer line would be refused by every reader, this program among them. */
static enum plugpkg_code
check_count(struct pp_book *b, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(b, PP_LAYER_PLANNING, s->name, &line, err);
	size_t n = pp_json_len(pp_json_get(line, "versions"));
	if (rc != PLUGPKG_OK || n <= PP_INDEX_MAX_VERSIONS)
		return rc;
	pp_fail(err, PLUGPKG_E_FAILED, 0, "'%s' would have %zu versions; %d are allowed", s->name,
	    n, PP_INDEX_MAX_VERSIONS);
	return pp_hint(
	    err, PLUGPKG_E_FAILED, "take old ones out: plugpkg-repo remove %s@VERSION", s->name);
}

/* What is published already, and only gets another signature, stays as old as it is. */
static int64_t
published_at(const pp_json *line, const char *version, int64_t now)
{
	ptrdiff_t at = pp_rows_find(line, version);

	return at < 0 ? now
		      : pp_json_get_int(pp_json_at(pp_json_get(line, "versions"), (size_t)at),
			    "published", now);
}

static enum plugpkg_code
apply(struct pp_book *b, const struct pp_staged *s, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *row = s->is_removal ? NULL : pp_json_copy(s->planning);
	PP_AUTO_JSON pp_json *old = NULL;

	enum plugpkg_code rc = check_same_content(b, s, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_line(b, PP_LAYER_PLANNING, s->name, &old, err);
	if (row != NULL)
		pp_json_set_int(row, "published", published_at(old, s->version, b->repo->now));
	if (rc == PLUGPKG_OK)
		rc = change_row(b, PP_LAYER_PLANNING, s, row, err);
	if (rc == PLUGPKG_OK)
		rc = change_row(b, PP_LAYER_DETAILS, s, s->details, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(old, s->version);
	const pp_json *gone = at < 0 ? NULL : pp_json_at(pp_json_get(old, "versions"), (size_t)at);
	rc = change_lists(b, gone, s->name, err);
	if (rc == PLUGPKG_OK)
		rc = change_lists(b, row, s->name, err);
	if (rc == PLUGPKG_OK)
		rc = change_search(b, s->name, err);
	return rc;
}

/*
 * Shards and index root first, then the index role, snapshot, timestamp: each file after those it
 * lists.
 */
static enum plugpkg_code
write_all(struct pp_book *b, const struct pp_published *was, const struct pp_signer *online,
    plugpkg_error **err)
{
	struct pp_meta_file index;
	struct pp_signing how = {
		.role = PP_ROLE_INDEX,
		.version = was->last[PP_ROLE_INDEX] + 1,
		.signers = online,
		.n_signers = 1,
	};
	uint64_t length;
	char sha256[65];

	enum plugpkg_code rc = pp_book_save(b, &length, sha256, err);
	/* What comes now is short, and done to its end. */
	if (rc == PLUGPKG_OK)
		rc = pp_check_cancel(&b->repo->ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_metadata_write(b->repo, &how, pp_body_index(length, sha256), &index, err);
	if (rc == PLUGPKG_OK)
		rc = pp_metadata_seal(
		    b->repo, was, &was->file[PP_ROLE_TARGETS], &index, online, err);
	return rc;
}

enum plugpkg_code
pp_publish_empty(plugpkg_repo *repo, const struct pp_published *offline,
    const struct pp_signer *online, plugpkg_error **err)
{
	PP_AUTO(book) struct pp_book *b = NULL;

	enum plugpkg_code rc = pp_book_open(repo, NULL, &b, err);
	if (rc == PLUGPKG_OK)
		rc = write_all(b, offline, online, err);
	return rc;
}

enum plugpkg_code
pp_publish_merge(struct pp_book *b, const struct pp_staged_list *staged, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < staged->n; i++)
		rc = apply(b, &staged->at[i], err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < staged->n; i++)
		rc = check_count(b, &staged->at[i], err);
	return rc;
}

/* Nobody could install what needs a ring of scripts: it is not published. */
static enum plugpkg_code
check_rings(struct pp_book *b, const struct pp_staged_list *staged, plugpkg_error **err)
{
	PP_CLEANUP(pp_census_fini) struct pp_census census = { .book = b };
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FREE char *ring = NULL;
	const char *name = NULL;

	for (size_t i = 0; i < staged->n; i++)
		if (!staged->at[i].is_removal)
			pp_strs_add(&names, staged->at[i].name);
	pp_strs_sort(&names);
	enum plugpkg_code rc = pp_census_ring(&census, &names, &ring, &name, err);
	if (rc != PLUGPKG_OK || ring == NULL)
		return rc;
	pp_fail(err, PLUGPKG_E_NO_SOLUTION, 0,
	    "nobody could install %s: scripts wait for each other: %s", name, ring);
	return pp_hint(err, PLUGPKG_E_NO_SOLUTION,
	    "each install and upgrade script runs after those of all that its plugin requires: let "
	    "one of them require less, or do without its script");
}

/* What waits: entries, and owners of theirs. */
struct waiting {
	struct pp_staged_list entries;
	struct pp_owner_files owner_files;
};

static void
waiting_fini(struct waiting *w)
{
	pp_staged_list_fini(&w->entries);
	pp_owner_files_fini(&w->owner_files);
}

static enum plugpkg_code
waiting_read(plugpkg_repo *repo, struct waiting *out, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_staged_read(repo, &out->entries, err);

	return rc == PLUGPKG_OK ? pp_owner_files_read(repo, &out->owner_files, err) : rc;
}

/* Archives into the pool, then the index over them. */
static enum plugpkg_code
publish_waiting(
    plugpkg_repo *repo, const struct waiting *w, const struct pp_session *s, plugpkg_error **err)
{
	const struct pp_staged_list *staged = &w->entries;
	PP_AUTO(book) struct pp_book *b = NULL;

	enum plugpkg_code rc = pp_book_open(repo, &s->was, &b, err);
	if (rc == PLUGPKG_OK)
		rc = pp_publish_merge(b, staged, err);
	if (rc == PLUGPKG_OK)
		rc = check_rings(b, staged, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < staged->n; i++) {
		rc = pp_check_cancel(&repo->ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
		struct pp_pool_file archive = pp_staged_archive(&staged->at[i]);
		if (!staged->at[i].is_removal)
			rc = pp_pool_place(repo, &archive, err);
	}
	if (rc == PLUGPKG_OK)
		rc = pp_owners_publish(b, staged, &w->owner_files, err);
	return rc == PLUGPKG_OK ? write_all(b, &s->was, &s->online, err) : rc;
}

/* ---- Signing anew what is published ---- */

/*
 * Past half its life, an index role that nobody published into is signed anew; under a new key, or
 * when clients know a later one, always.
 */
static enum plugpkg_code
renew_index(plugpkg_repo *repo, const struct pp_session *s, struct pp_meta_file *out,
    bool *out_renewed, plugpkg_error **err)
{
	const struct pp_published *was = &s->was;
	PP_AUTO_JSON pp_json *file = NULL;
	const pp_json *body;
	int64_t expires = 0;

	enum plugpkg_code rc = pp_published_load(repo, was, PP_ROLE_INDEX, &file, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *text = pp_json_get_str(body, "expires");
	int64_t life = pp_repo_expiry(repo, PP_ROLE_INDEX) - repo->now;
	*out_renewed =
	    s->is_online_new || was->last[PP_ROLE_INDEX] > was->file[PP_ROLE_INDEX].version ||
	    pp_time_parse(pp_str_of(text), &expires) < 0 || expires - repo->now < life / 2;
	*out = was->file[PP_ROLE_INDEX];
	if (!*out_renewed)
		return PLUGPKG_OK;
	const pp_json *target = pp_json_get(pp_json_get(body, "targets"), PP_INDEX_TARGET);
	const char *sha256 = pp_json_get_str(pp_json_get(target, "hashes"), "sha256");
	int64_t length = pp_json_get_int(target, "length", 0);
	if (!pp_is_sha256(sha256) || length < 1)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "the published index role lists no '%s'", PP_INDEX_TARGET);
	struct pp_signing how = { PP_ROLE_INDEX, was->last[PP_ROLE_INDEX] + 1, &s->online, 1 };
	return pp_metadata_write(repo, &how, pp_body_index((uint64_t)length, sha256), out, err);
}

static enum plugpkg_code
sign_anew(plugpkg_repo *repo, const struct pp_session *s, bool *out_renewed, plugpkg_error **err)
{
	struct pp_meta_file index;
	bool renewed = false;

	enum plugpkg_code rc = renew_index(repo, s, &index, &renewed, err);
	if (rc == PLUGPKG_OK)
		rc = pp_metadata_seal(
		    repo, &s->was, &s->was.file[PP_ROLE_TARGETS], &index, &s->online, err);
	if (out_renewed != NULL)
		*out_renewed = renewed;
	return rc;
}

/* ---- Commands ---- */

static void
send_published(const struct pp_staged_list *staged, const struct pp_session *s, int64_t version,
    plugpkg_row_fn row, void *user)
{
	pp_json *j = pp_row_new("published");
	int64_t n_removed = 0;

	for (size_t i = 0; i < staged->n; i++)
		n_removed += staged->at[i].is_removal;
	pp_json_set_int(j, "added", (int64_t)staged->n - n_removed);
	pp_json_set_int(j, "removed", n_removed);
	pp_json_set_int(j, "version", version);
	if (s->is_renewing) {
		pp_json *renewed = pp_json_array();
		if (s->renewal.root != NULL)
			pp_json_push_str(renewed, "root");
		if (s->renewal.targets != NULL)
			pp_json_push_str(renewed, "targets");
		pp_json_set(j, "renewed", renewed);
	}
	pp_row(row, user, j);
}

/* Only now: a publish that was cut off is simply repeated. */
static enum plugpkg_code
clear_away(
    plugpkg_repo *repo, const struct waiting *w, const struct pp_session *s, plugpkg_error **err)
{
	enum plugpkg_code rc = s->is_renewing ? pp_renewal_delete(repo, err) : PLUGPKG_OK;

	if (rc == PLUGPKG_OK)
		rc = pp_owners_unstage(repo, &w->entries, &w->owner_files, err);
	return rc == PLUGPKG_OK ? pp_staged_delete_all(repo, &w->entries, err) : rc;
}

enum plugpkg_code
plugpkg_repo_publish(plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(waiting_fini) struct waiting w = { 0 };
	PP_CLEANUP(pp_session_fini) struct pp_session s = { 0 };

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = waiting_read(repo, &w, err);
	if (rc == PLUGPKG_OK)
		rc = pp_session_open(repo, w.entries.n > 0, true, &s, err);
	if (rc == PLUGPKG_OK && w.entries.n > 0)
		rc = publish_waiting(repo, &w, &s, err);
	else if (rc == PLUGPKG_OK && s.is_renewing)
		rc = sign_anew(repo, &s, NULL, err);
	if (rc == PLUGPKG_OK)
		rc = clear_away(repo, &w, &s, err);
	if (rc != PLUGPKG_OK)
		return rc;
	bool is_signed = w.entries.n > 0 || s.is_renewing;
	send_published(&w.entries, &s, s.was.last[PP_ROLE_TIMESTAMP] + is_signed, row, user);
	if (!s.is_renewing)
		pp_renewal_send(&s.renewal, row, user);
	return pp_expiry_warn(repo, row, user, err);
}

enum plugpkg_code
plugpkg_repo_refresh(plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_session_fini) struct pp_session s = { 0 };
	bool renewed = false;
	char expires[PP_TIME_TEXT];

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_session_open(repo, true, false, &s, err);
	if (rc == PLUGPKG_OK)
		rc = sign_anew(repo, &s, &renewed, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("refreshed");
	pp_time_format(pp_repo_expiry(repo, PP_ROLE_TIMESTAMP), expires);
	pp_json_set_int(j, "version", s.was.last[PP_ROLE_TIMESTAMP] + 1);
	pp_json_set_str(j, "expires", expires);
	pp_json_set_bool(j, "index_renewed", renewed);
	pp_row(row, user, j);
	return pp_expiry_warn(repo, row, user, err);
}
