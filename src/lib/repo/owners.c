/* SPDX-License-Identifier: MIT */
/* Who may add to a plugin, and what becomes of his signatures. */
#include "lib/repo/owners.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/repo/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define OWNER_MAX_BYTES (PP_SIG_MAX_BYTES * (PP_OWNER_MAX_ROTATIONS + 1))
#define SUFFIX          ".owner"

const char *const pp_admission_names[] = {
	[PP_ADMIT_UNSIGNED] = "unsigned",
	[PP_ADMIT_NEW] = "new",
	[PP_ADMIT_UNCHANGED] = "unchanged",
	[PP_ADMIT_ROTATED] = "rotated",
	[PP_ADMIT_ACCEPTED] = "accepted",
};

void
pp_admission_fini(struct pp_admission *a)
{
	pp_sig_free(a->sig);
	pp_owner_free(a->owner);
	*a = (struct pp_admission){ 0 };
}

/* ---- who the owner is ---- */

/* "@acme%2Fanimal.owner"; owned. */
static char *
owner_file(const char *name)
{
	PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(1024);

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/')
			pp_buf_adds(&out, "%2F");
		else
			pp_buf_addc(&out, *p);
	}
	pp_buf_adds(&out, SUFFIX);
	return pp_buf_steal(&out);
}

static void
note_file(struct pp_map *files, const char *name)
{
	*pp_map_put(files, name) = files;
}

static int
note_owner_file(void *user, const char *name, unsigned char kind PP_UNUSED)
{
	struct pp_owner_files *files = user;

	if (pp_ends_with(name, SUFFIX))
		note_file(&files->staged, name);
	return 0;
}

enum plugpkg_code
pp_owner_files_read(plugpkg_repo *repo, struct pp_owner_files *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = pp_opendir_at(repo->dir_fd, "staged");
	int r = fd < 0 ? fd : pp_scan_new_fd(fd, note_owner_file, out);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'staged'") : PLUGPKG_OK;
}

void
pp_owner_files_fini(struct pp_owner_files *f)
{
	pp_map_fini(&f->staged, NULL);
	pp_map_fini(&f->ready, NULL);
}

/* Of a directory of what is, or shall be, staged; *out NULL: it has none. */
static enum plugpkg_code
read_staged(plugpkg_repo *repo, const char *dir, const char *file, const char *name,
    struct pp_owner **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("%s/%s", dir, file);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(OWNER_MAX_BYTES);
	struct pp_json_error why;

	int r = pp_read_file_at(repo->dir_fd, path, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	if (j == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s': %s", path, why.text);
	if (pp_owner_parse(j, name, path, out, err) == PLUGPKG_OK)
		return PLUGPKG_OK;
	return pp_recode(err, PLUGPKG_E_BAD_STATE);
}

/* As the next publish will have him, so far; *out NULL: nobody. */
static enum plugpkg_code
current_owner(struct pp_book *book, const struct pp_owner_files *files, const char *name,
    struct pp_owner **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = owner_file(name);
	PP_AUTO_JSON pp_json *line = NULL;

	*out = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;
	if (pp_map_has(&files->ready, file))
		rc = read_staged(book->repo, PP_READY, file, name, out, err);
	if (rc == PLUGPKG_OK && *out == NULL && pp_map_has(&files->staged, file))
		rc = read_staged(book->repo, "staged", file, name, out, err);
	if (rc == PLUGPKG_OK && *out == NULL)
		rc = pp_book_line(book, PP_LAYER_DETAILS, name, &line, err);
	const pp_json *owner = pp_json_get(line, "owner");
	if (rc == PLUGPKG_OK && owner != NULL)
		rc = pp_owner_parse(owner, name, "published index", out, err);
	return rc;
}

/* ---- admitting ---- */

/* *out NULL: there is none. Anything else than a good one is refused. */
static enum plugpkg_code
read_signature(const char *file, struct pp_sig **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);

	*out = NULL;
	int r = pp_read_file_at(AT_FDCWD, file, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, pp_code_of_read(r, PLUGPKG_E_OWNER), -r,
		    "cannot read signature '%s'", file);
	return pp_sig_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, file, out, err);
}

static enum plugpkg_code
refuse_unsigned(const struct pp_pool_file *f, const struct pp_owner *o, plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_OWNER, 0,
	    "%s %s is not signed; the owner of '%s' signs with key %.*s", f->name, f->version,
	    f->name, PP_KEY_ID_SHOWN, o->id);
	return pp_hint(err, PLUGPKG_E_OWNER,
	    "its author signs it with: plugpkg sign ARCHIVE --key FILE; hand in the .sig beside "
	    "it");
}

static enum plugpkg_code
refuse_other_key(
    const struct pp_pool_file *f, const struct pp_owner *o, const char *id, plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_OWNER, 0,
	    "%s %s is signed by key %.*s; the key of the owner of '%s' is %.*s", f->name,
	    f->version, PP_KEY_ID_SHOWN, id, f->name, PP_KEY_ID_SHOWN, o->id);
	return pp_hint(err, PLUGPKG_E_OWNER,
	    "the owner passes on his key with: plugpkg owner rotate; add it with --rotation FILE. "
	    "--accept-owner does without, and every root that has the plugin will refuse the new "
	    "key");
}

static enum plugpkg_code
rotate(const struct pp_handed_in *in, const char *name, struct pp_admission *a, plugpkg_error **err)
{
	struct pp_sig *statement = NULL;

	enum plugpkg_code rc = read_signature(in->rotation, &statement, err);
	if (rc == PLUGPKG_OK && statement == NULL)
		rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, ENOENT, "cannot read '%s'", in->rotation);
	if (rc == PLUGPKG_OK)
		rc = pp_owner_rotate(a->owner, name, statement, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "'%s'", in->rotation);
	a->as = PP_ADMIT_ROTATED;
	return PLUGPKG_OK;
}

/* a->owner: as he is so far. */
static enum plugpkg_code
judge(const struct pp_handed_in *in, const struct pp_pool_file *f, struct pp_admission *a,
    plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (a->sig == NULL)
		return a->owner != NULL ? refuse_unsigned(f, a->owner, err) : PLUGPKG_OK;
	if (a->owner == NULL) {
		a->as = PP_ADMIT_NEW;
		a->owner = pp_owner_new(a->sig->key);
		return PLUGPKG_OK;
	}
	a->as = PP_ADMIT_UNCHANGED;
	if (strcmp(a->owner->id, a->sig->id) != 0 && in->rotation != NULL)
		rc = rotate(in, f->name, a, err);
	if (rc != PLUGPKG_OK || strcmp(a->owner->id, a->sig->id) == 0)
		return rc;
	if (!in->accepts)
		return refuse_other_key(f, a->owner, a->sig->id, err);
	pp_owner_free(a->owner);
	a->owner = pp_owner_new(a->sig->key);
	a->as = PP_ADMIT_ACCEPTED;
	return PLUGPKG_OK;
}

/* "targets/pool/NAME/VERSION" below public/, and the file in it; owned. */
static char *
pool_path(const struct pp_pool_file *f, const char *key_id)
{
	return pp_asprintf("targets/pool/%s/%s/%s.%s.sig", f->name, f->version, f->sha256, key_id);
}

/* Below staged/; owned. */
static char *
signature_file(const char *sha256, const char *key_id)
{
	return pp_asprintf("%s.%s.sig", sha256, key_id);
}

enum plugpkg_code
pp_owner_admit(struct pp_book *book, const struct pp_handed_in *in,
    const struct pp_pool_file *archive, struct pp_admission *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s.sig", in->path);
	const struct pp_signed_archive is = { archive->name, archive->version, archive->sha256,
		archive->size };

	enum plugpkg_code rc = read_signature(file, &out->sig, err);
	if (rc == PLUGPKG_OK && out->sig != NULL)
		rc = pp_sig_check_archive(out->sig, &is, out->sig->id, file, err);
	if (rc == PLUGPKG_OK)
		rc = current_owner(book, in->files, archive->name, &out->owner, err);
	if (rc == PLUGPKG_OK)
		rc = judge(in, archive, out, err);
	if (rc != PLUGPKG_OK || out->sig == NULL)
		return rc;
	PP_AUTO_FREE char *path = pool_path(archive, out->sig->id);
	out->is_lacking = pp_exists_at(book->repo->public_fd, path) != 1;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_owner_stage(plugpkg_repo *repo, const struct pp_admission *a, const struct pp_pool_file *archive,
    struct pp_owner_files *files, plugpkg_error **err)
{
	if (a->sig == NULL)
		return PLUGPKG_OK;
	PP_AUTO_FREE char *file = signature_file(archive->sha256, a->sig->id);
	PP_AUTO_FREE char *text = pp_sig_text(a->sig);
	enum plugpkg_code rc = pp_ready_write(repo, file, text, err);
	if (rc != PLUGPKG_OK || a->as == PP_ADMIT_UNCHANGED)
		return rc;
	PP_AUTO_FREE char *owner_name = owner_file(archive->name);
	PP_AUTO_JSON pp_json *owner = pp_owner_json(a->owner);
	PP_AUTO_FREE char *owner_text = pp_json_pretty(owner);
	note_file(&files->ready, owner_name);
	return pp_ready_write(repo, owner_name, owner_text, err);
}

enum plugpkg_code
pp_owner_unstage(plugpkg_repo *repo, const char *name, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = owner_file(name);
	PP_AUTO_FREE char *path = pp_asprintf("staged/%s", file);
	int r = pp_rm_rf_at(repo->dir_fd, path);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot remove '%s'", path) : PLUGPKG_OK;
}

enum plugpkg_code
pp_owners_unstage(plugpkg_repo *repo, const struct pp_staged_list *staged,
    const struct pp_owner_files *files, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < staged->n; i++) {
		PP_AUTO_FREE char *file = owner_file(staged->at[i].name);
		if (pp_map_has(&files->staged, file))
			rc = pp_owner_unstage(repo, staged->at[i].name, err);
	}
	return rc;
}

/* ---- publishing ---- */

/* A staged signature by this key becomes a served one. */
static enum plugpkg_code
place(plugpkg_repo *repo, const struct pp_pool_file *f, const char *key_id, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = signature_file(f->sha256, key_id);
	PP_AUTO_FREE char *from = pp_asprintf("staged/%s", file);
	PP_AUTO_FREE char *to = pool_path(f, key_id);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);

	int r = pp_read_file_at(repo->dir_fd, from, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r == 0)
		r = pp_write_file_at(repo->public_fd, to, text.s, text.n, 0644);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot put '%s' into 'public/%s'", from, to)
		     : PLUGPKG_OK;
}

static void
mark_signed(plugpkg_repo *repo, const char *name, const char *key_id, pp_json *row)
{
	const struct pp_pool_file f = {
		.name = name,
		.version = pp_json_get_str(row, "version"),
		.sha256 = pp_json_get_str(row, "sha256"),
	};
	PP_AUTO_FREE char *path = pool_path(&f, key_id);

	if (pp_exists_at(repo->public_fd, path) == 1)
		pp_json_set_bool(row, "signed", true);
	else
		pp_json_del(row, "signed");
}

static enum plugpkg_code
publish_owner(struct pp_book *book, const struct pp_staged *s, const struct pp_owner_files *files,
    plugpkg_error **err)
{
	PP_AUTO(owner) struct pp_owner *owner = NULL;
	PP_AUTO_JSON pp_json *line = NULL;
	const struct pp_pool_file f = pp_staged_archive(s);

	enum plugpkg_code rc = current_owner(book, files, s->name, &owner, err);
	if (rc != PLUGPKG_OK || owner == NULL)
		return rc;
	if (!s->is_removal)
		rc = place(book->repo, &f, owner->id, err);
	if (rc == PLUGPKG_OK)
		rc = pp_book_line(book, PP_LAYER_DETAILS, s->name, &line, err);
	if (rc != PLUGPKG_OK || line == NULL)
		return rc;
	const pp_json *rows = pp_json_get(line, "versions");
	for (size_t i = 0; i < pp_json_len(rows); i++)
		mark_signed(book->repo, s->name, owner->id, pp_json_at(rows, i));
	pp_json_set(line, "owner", pp_owner_json(owner));
	pp_book_set(book, PP_LAYER_DETAILS, s->name, pp_steal(&line));
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_owners_publish(struct pp_book *book, const struct pp_staged_list *staged,
    const struct pp_owner_files *files, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < staged->n; i++)
		rc = publish_owner(book, &staged->at[i], files, err);
	return rc;
}
