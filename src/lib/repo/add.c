/* SPDX-License-Identifier: MIT */
/*
 * `add`: archives are looked into, linted and compared with what is published before they are
 * staged, all of them at once.
 */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/model/tables.h"
#include "lib/repo/arrival.h"
#include "lib/repo/book.h"
#include "lib/repo/lint.h"
#include "lib/repo/metadata.h"
#include "lib/repo/owners.h"
#include "lib/repo/pool.h"
#include "lib/repo/ready.h"
#include "lib/repo/staged.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* One archive that may become staged. */
struct candidate {
	struct pp_arrival *arrival; /* borrowed */
	struct pp_manifest *manifest;
	struct pp_admission admission;
};

static void
candidate_fini(struct candidate *c)
{
	pp_manifest_free(c->manifest);
	pp_admission_fini(&c->admission);
}

/* What lint finds goes out as rows; an error among it refuses the archive. */
static enum plugpkg_code
lint(struct candidate *c, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_lint_outcome_fini) struct pp_lint_outcome found = { 0 };
	const char *path = c->arrival->path, *manifest = c->arrival->job.manifest;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (manifest != NULL)
		pp_lint_alone(pp_str_of(manifest), path, &found, row, user);
	else
		rc = pp_lint_dir(c->arrival->job.dir_fd, path, &found, row, user, err);
	if (rc == PLUGPKG_OK && found.errors == 0 && found.manifest != NULL)
		c->manifest = pp_steal(&found.manifest);
	if (rc != PLUGPKG_OK || c->manifest != NULL)
		return rc;
	pp_fail(err, PLUGPKG_E_BAD_MANIFEST, 0, "'%s' fails lint with %zu error%s", path,
	    found.errors, found.errors == 1 ? "" : "s");
	return pp_hint(err, PLUGPKG_E_BAD_MANIFEST, "the author finds them with: plugpkg lint DIR");
}

static pp_json *
details_row(const struct candidate *c)
{
	static const char *const taken[] = {
		"summary",
		"description",
		"license",
		"homepage",
		"authors",
		"keywords",
		"type",
	};
	const pp_json *manifest = c->manifest->json, *scripts = pp_json_get(manifest, "scripts");
	pp_json *row = pp_json_object(), *kinds = pp_json_array();

	pp_json_set_str(row, "version", c->manifest->release->version.text);
	pp_json_set_str(row, "sha256", c->arrival->sha256);
	pp_json_set_int(row, "size", (int64_t)c->arrival->size);
	pp_json_set_int(row, "unpacked", (int64_t)c->arrival->job.result.bytes);
	pp_json_set_int(row, "files", (int64_t)c->arrival->job.result.files);
	for (size_t i = 0; i < PP_LEN(taken); i++)
		if (pp_json_get(manifest, taken[i]) != NULL)
			pp_json_set(row, taken[i], pp_json_ref(pp_json_get(manifest, taken[i])));
	if (scripts != NULL)
		for (void *it = pp_json_iter(scripts); it != NULL; it = pp_json_next(scripts, it))
			pp_json_push_str(kinds, pp_json_iter_key(it));
	if (pp_json_len(kinds) > 0)
		pp_json_set(row, "scripts", kinds);
	else
		pp_json_free(kinds);
	if (pp_json_len(pp_tables_of(manifest)) > 0)
		pp_json_set(row, "tables", pp_json_copy(pp_tables_of(manifest)));
	return row;
}

/* ---- Has this version been published, staged, or removed before? A version never changes. ---- */

static enum plugpkg_code
refuse_other_content(const struct candidate *c, const char *where, plugpkg_error **err)
{
	return pp_fail(err, PLUGPKG_E_EXISTS, 0,
	    "%s %s is %s with other content; '%s' is not added", c->manifest->release->name,
	    c->manifest->release->version.text, where, c->arrival->path);
}

static enum plugpkg_code
never_changes(enum plugpkg_code rc, plugpkg_error **err)
{
	return rc != PLUGPKG_E_EXISTS
		   ? rc
		   : pp_hint(err, rc, "a published version never changes: raise the version");
}

static enum plugpkg_code
check_row(const struct candidate *c, const pp_json *row, const char *where, bool *out_known,
    plugpkg_error **err)
{
	const char *sha256 = pp_json_get_str(row, "sha256");
	const char *version = pp_json_get_str(row, "version");

	if (row == NULL)
		return PLUGPKG_OK;
	if (sha256 == NULL || strcmp(sha256, c->arrival->sha256) != 0 || version == NULL ||
	    strcmp(version, c->manifest->release->version.text) != 0)
		return refuse_other_content(c, where, err);
	*out_known = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_published(
    struct pp_book *book, const struct candidate *c, bool *out_known, plugpkg_error **err)
{
	const struct pp_release *rel = c->manifest->release;
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(book, PP_LAYER_DETAILS, rel->name, &line, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(line, rel->version.text);
	const pp_json *row = at < 0 ? NULL : pp_json_at(pp_json_get(line, "versions"), (size_t)at);
	return never_changes(check_row(c, row, "published", out_known, err), err);
}

static struct pp_pool_file
pool_file(const struct candidate *c)
{
	return (struct pp_pool_file){
		.name = c->manifest->release->name,
		.version = c->manifest->release->version.text,
		.sha256 = c->arrival->sha256,
		.size = c->arrival->size,
	};
}

/* The archive of a removed version stays in the pool, and with it the knowledge of what it was. */
static enum plugpkg_code
check_pool(plugpkg_repo *repo, const struct candidate *c, plugpkg_error **err)
{
	const struct pp_pool_file f = pool_file(c);
	bool has_other = false;

	enum plugpkg_code rc = pp_pool_has_other(repo, &f, &has_other, err);
	if (rc != PLUGPKG_OK || !has_other)
		return rc;
	return never_changes(refuse_other_content(c, "in the pool", err), err);
}

/* out: what it was when it had its name. */
static enum plugpkg_code
keep_copy(
    plugpkg_repo *repo, const struct candidate *c, struct pp_pool_copy *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *from = pp_arrival_copy_path(c->arrival);
	PP_AUTO_FREE char *to = pp_pool_staged_path(c->arrival->sha256);
	struct stat st;

	if (pp_renameat(repo->dir_fd, from, repo->dir_fd, to) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot write '%s'", to);
	c->arrival->is_kept = true;
	if (fstatat(repo->dir_fd, to, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot write '%s'", to);
	*out = pp_pool_copy_of(&st);
	return PLUGPKG_OK;
}

/* An archive that was lost or spoiled since it was published comes back this way, at once. */
static enum plugpkg_code
restore(plugpkg_repo *repo, const struct candidate *c, plugpkg_error **err)
{
	struct pp_pool_file f = pool_file(c);

	if (pp_pool_is_sound(repo, &f))
		return PLUGPKG_OK;
	enum plugpkg_code rc = keep_copy(repo, c, &f.copy, err);
	if (rc == PLUGPKG_OK)
		rc = pp_pool_replace(repo, &f, err);
	int r = rc == PLUGPKG_OK ? pp_sync_tree_at(repo->public_fd, ".") : 0;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make 'public' durable");
	return rc;
}

struct adding {
	plugpkg_repo *repo;
	const struct plugpkg_repo_add_spec *spec;
	struct pp_book *book;
	struct pp_staged_list staged;
	struct pp_owner_files owner_files;
	struct row_list pp_vec(pp_json *) rows; /* told when what they say is durable */
	plugpkg_row_fn row;
	void *user;
};

static void
note_staged(struct adding *adding, const struct candidate *c, const char *status)
{
	pp_json *j = pp_row_new("staged");

	pp_json_set_str(j, "action", "add");
	pp_json_set_str(j, "name", c->manifest->release->name);
	pp_json_set_str(j, "version", c->manifest->release->version.text);
	pp_json_set_str(j, "status", status); /* "staged", "staged already", "published already" */
	pp_json_set_str(j, "sha256", c->arrival->sha256);
	pp_json_set_int(j, "size", (int64_t)c->arrival->size);
	pp_json_set_str(j, "owner", pp_admission_names[c->admission.as]);
	if (c->admission.sig != NULL)
		pp_json_set_str(j, "owner_key", c->admission.sig->id);
	pp_vec_push(&adding->rows, j);
}

/*
 * The archive first: an entry without one could not be published. One without an entry is nothing,
 * and goes when there will be none.
 */
static enum plugpkg_code
stage(struct adding *adding, const struct candidate *c, plugpkg_error **err)
{
	const struct pp_release *rel = c->manifest->release;
	struct pp_staged entry = {
		.file = NULL,
		.name = pp_xstrdup(rel->name),
		.version = pp_xstrdup(rel->version.text),
		.planning = pp_release_row(c->manifest->json),
		.details = details_row(c),
	};
	PP_AUTO_FREE char *path = pp_pool_staged_path(c->arrival->sha256);

	/* Listed at once: the next archive of this command may be of the same version. */
	enum plugpkg_code rc = keep_copy(adding->repo, c, &entry.copy, err);
	pp_vec_push(&adding->staged, entry);
	if (rc == PLUGPKG_OK)
		rc = pp_staged_prepare(adding->repo, &entry, err);
	if (rc != PLUGPKG_OK)
		PP_IGNORE(pp_rm_rf_at(adding->repo->dir_fd, path));
	return rc;
}

/* What to do about an archive that passed: `earlier` is what is staged of its version. */
static enum plugpkg_code
take_in(struct adding *adding, const struct candidate *c, const struct pp_staged *earlier,
    bool published, plugpkg_error **err)
{
	bool staged = false;

	enum plugpkg_code rc = check_pool(adding->repo, c, err);
	if (rc == PLUGPKG_OK && earlier != NULL && !earlier->is_removal) {
		rc = check_row(c, earlier->details, "staged", &staged, err);
		/* Nobody has that yet: it may still change. */
		if (rc == PLUGPKG_E_EXISTS)
			return pp_hint(err, rc,
			    "to publish this content: plugpkg-repo remove %s@%s, then add it again",
			    earlier->name, earlier->version);
	}
	/* A signature that is new is published along with its archive once more. */
	bool is_resigned = published && c->admission.is_lacking;
	if (rc == PLUGPKG_OK && published && !is_resigned)
		rc = restore(adding->repo, c, err);
	/* Adding what is published takes a removal back. */
	if (rc == PLUGPKG_OK && published && earlier != NULL && earlier->file != NULL)
		rc = pp_staged_delete(adding->repo, earlier, err);
	/* The entry is ready last: what it leads to is there, whatever cannot be written. */
	const struct pp_pool_file f = pool_file(c);
	if (rc == PLUGPKG_OK && (!published || is_resigned))
		rc = pp_owner_stage(adding->repo, &c->admission, &f, &adding->owner_files, err);
	if (rc == PLUGPKG_OK && !staged && (!published || is_resigned))
		rc = stage(adding, c, err);
	if (rc == PLUGPKG_OK)
		note_staged(adding, c,
		    is_resigned ? "signature staged"
		    : published ? "published already"
		    : staged    ? "staged already"
				: "staged");
	return rc;
}

static enum plugpkg_code
admit(struct adding *adding, struct candidate *c, plugpkg_error **err)
{
	const struct pp_pool_file f = pool_file(c);
	const struct pp_handed_in in = {
		.path = c->arrival->path,
		.rotation = adding->spec->rotation,
		.accepts = adding->spec->accept_owner != 0,
		.files = &adding->owner_files,
	};
	enum plugpkg_code rc = pp_owner_admit(adding->book, &in, &f, &c->admission, err);

	return rc == PLUGPKG_OK ? rc : pp_subject(err, rc, f.name);
}

static enum plugpkg_code
take_one(void *user, struct pp_arrival *a, plugpkg_error **err)
{
	PP_CLEANUP(candidate_fini) struct candidate c = { .arrival = a };
	struct adding *adding = user;
	bool published = false;

	enum plugpkg_code rc = lint(&c, adding->row, adding->user, err);
	if (rc != PLUGPKG_OK)
		return rc;
	assert(c.manifest != NULL); /* lint lets none pass without */
	rc = check_published(adding->book, &c, &published, err);
	if (rc == PLUGPKG_OK)
		rc = admit(adding, &c, err);
	if (rc == PLUGPKG_OK)
		rc = take_in(adding, &c,
		    pp_staged_find(&adding->staged, c.manifest->release->name,
			c.manifest->release->version.text),
		    published, err);
	return rc;
}

static enum plugpkg_code
adding_open(struct adding *adding, plugpkg_error **err)
{
	struct pp_published was;

	enum plugpkg_code rc = pp_repo_lock(adding->repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_read(adding->repo, NULL, &was, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_open(adding->repo, &was, &adding->book, err);
	if (rc == PLUGPKG_OK)
		rc = pp_staged_read(adding->repo, &adding->staged, err);
	if (rc == PLUGPKG_OK)
		rc = pp_owner_files_read(adding->repo, &adding->owner_files, err);
	return rc;
}

static void
adding_fini(struct adding *adding)
{
	if (adding->book != NULL)
		pp_book_free(adding->book);
	pp_staged_list_fini(&adding->staged);
	pp_owner_files_fini(&adding->owner_files);
	for (size_t i = 0; i < adding->rows.n; i++)
		pp_json_free(adding->rows.at[i]);
	pp_vec_free(&adding->rows);
}

/* What came before a refused archive is staged all the same. */
static enum plugpkg_code
add_all(struct adding *adding, struct pp_reading *reading, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	enum plugpkg_code rc = PLUGPKG_OK;
	if (pp_ready_was_cut_off(adding->repo))
		rc = pp_staged_sweep(adding->repo, &adding->staged, err);
	if (rc == PLUGPKG_OK)
		rc = pp_ready_begin(adding->repo, err);
	if (rc != PLUGPKG_OK)
		return rc;
	enum plugpkg_code refused = pp_reading_run(reading, &why);
	rc = pp_ready_commit(adding->repo, refused == PLUGPKG_OK ? err : NULL);
	for (size_t i = 0; rc == PLUGPKG_OK && i < adding->rows.n; i++)
		pp_row(adding->row, adding->user, pp_steal(&adding->rows.at[i]));
	if (rc == PLUGPKG_OK && refused == PLUGPKG_OK) {
		rc = pp_reading_end(reading, err);
		rc = pp_hint(err, rc, "what was added is staged");
	}
	if (refused != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&why);
	return refused == PLUGPKG_OK ? rc : refused;
}

enum plugpkg_code
plugpkg_repo_add(plugpkg_repo *repo, const struct plugpkg_repo_add_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(adding_fini)
	struct adding adding = { .repo = repo, .spec = spec, .row = row, .user = user };
	const struct pp_arrivals arrivals = {
		.repo = repo,
		.paths = spec->archives,
		.n = spec->n_archives,
		.take = take_one,
		.user = &adding,
	};
	PP_AUTO(reading) struct pp_reading *reading = pp_reading_new(&arrivals);

	enum plugpkg_code rc = adding_open(&adding, err);
	return rc == PLUGPKG_OK ? add_all(&adding, reading, err) : rc;
}

/* ---- remove ---- */

static size_t
count_staged(const struct adding *adding, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < adding->staged.n; i++)
		n += strcmp(adding->staged.at[i].name, name) == 0;
	return n;
}

static enum plugpkg_code
stage_removal(
    struct adding *adding, const struct pp_target *t, bool *out_leaves, plugpkg_error **err)
{
	const struct pp_staged *earlier = pp_staged_find(&adding->staged, t->name, t->range);
	PP_AUTO_JSON pp_json *line = NULL;

	enum plugpkg_code rc = pp_book_line(adding->book, PP_LAYER_PLANNING, t->name, &line, err);
	if (rc != PLUGPKG_OK)
		return rc;
	ptrdiff_t at = pp_rows_find(line, t->range);
	if (at < 0 && earlier == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "%s %s is neither published nor staged",
		    t->name, t->range);
	/* An addition that nobody has seen is simply taken back, and the owner that it brought. */
	if (earlier != NULL)
		rc = pp_staged_delete(adding->repo, earlier, err);
	if (rc == PLUGPKG_OK && earlier != NULL && count_staged(adding, t->name) == 1)
		rc = pp_owner_unstage(adding->repo, t->name, err);
	*out_leaves = at >= 0;
	if (rc != PLUGPKG_OK || at < 0)
		return rc;
	const struct pp_staged entry = { .name = t->name, .version = t->range, .is_removal = true };
	return pp_staged_write(adding->repo, &entry, err);
}

enum plugpkg_code
plugpkg_repo_remove(
    plugpkg_repo *repo, const char *target, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(adding_fini) struct adding adding = { .repo = repo, .row = row, .user = user };
	PP_CLEANUP(pp_target_fini) struct pp_target t = { 0 };
	PP_CLEANUP(pp_version_fini) struct pp_version version = { 0 };
	bool leaves = false;

	enum plugpkg_code rc = pp_target_parse(target, &t, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (t.range == NULL)
		return pp_fail(
		    err, PLUGPKG_E_USAGE, 0, "'%s': say which version: %s@VERSION", target, t.name);
	rc = pp_version_parse(pp_str_of(t.range), &version, err);
	if (rc == PLUGPKG_OK)
		rc = adding_open(&adding, err);
	if (rc == PLUGPKG_OK)
		rc = stage_removal(&adding, &t, &leaves, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("staged");
	pp_json_set_str(j, "action", "remove");
	pp_json_set_str(j, "name", t.name);
	pp_json_set_str(j, "version", t.range);
	pp_json_set_str(j, "status", leaves ? "leaves" : "taken back");
	pp_row(row, user, j);
	return PLUGPKG_OK;
}
