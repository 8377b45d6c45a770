/* SPDX-License-Identifier: MIT */
/* Signatures of offline keys: by keys that are here, or in a file that is carried to others. */
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/context.h"
#include "lib/repo/metadata.h"
#include "lib/repo/renewal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define NOTHING "nothing waits for a signature"

static enum plugpkg_code
nothing_waits(plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, NOTHING);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND,
	    "plugpkg-repo key changes keys; plugpkg-repo sign --renew root signs for another year");
}

static bool
is_empty(const struct pp_renewal *r)
{
	return r->root == NULL && r->targets == NULL;
}

/* Without another change: the same for another year. */
static enum plugpkg_code
renew(plugpkg_repo *repo, struct pp_renewal *r, const char *role, plugpkg_error **err)
{
	pp_json *body;

	if (strcmp(role, "root") == 0)
		return pp_renewal_edit(repo, r, PP_ROLE_ROOT, &body, err);
	if (strcmp(role, "targets") == 0)
		return pp_renewal_edit(repo, r, PP_ROLE_TARGETS, &body, err);
	pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is not signed by offline keys", role);
	return pp_hint(err, PLUGPKG_E_USAGE,
	    "--renew takes root or targets; the others are renewed "
	    "by plugpkg-repo refresh");
}

/* A signature that nobody counts is a mistake of whoever asked for it. */
static enum plugpkg_code
sign_as_asked(struct pp_renewal *r, const struct pp_signer *signer, plugpkg_error **err)
{
	size_t n = 0;

	enum plugpkg_code rc = pp_renewal_sign(r, signer, &n, err);
	if (rc != PLUGPKG_OK || n > 0)
		return rc;
	pp_fail(err, PLUGPKG_E_KEY, 0, "key '%s' (%.12s) counts for nothing that waits",
	    signer->name, signer->id);
	return pp_hint(err, PLUGPKG_E_KEY, "plugpkg-repo sign says which keys can sign");
}

static enum plugpkg_code
sign_by_name(plugpkg_repo *repo, struct pp_renewal *r, const char *name, const char *command,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
	const pp_json *public = pp_json_get(pp_json_get(r->keys, name), "public");

	if (public == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no key '%s'", name);
	enum plugpkg_code rc =
	    command != NULL ? pp_signer_of_command(name, pp_json_ref(public), command, &signer, err)
			    : pp_key_load(repo, name, &signer, err);
	signer.ctx = &repo->ctx;
	return rc == PLUGPKG_OK ? sign_as_asked(r, &signer, err) : rc;
}

static bool
can_sign(const struct pp_renewal *r, const char *id)
{
	static const enum pp_role roles[] = { PP_ROLE_ROOT, PP_ROLE_TARGETS };
	struct pp_demand demands[2];

	for (size_t i = 0; i < PP_LEN(roles); i++)
		for (size_t d = 0, n = pp_renewal_demands(r, roles[i], demands); d < n; d++) {
			const pp_json *ids = pp_json_get(demands[d].role, "keyids");
			for (size_t k = 0; k < pp_json_len(ids); k++) {
				const char *here = pp_json_string(pp_json_at(ids, k));
				if (here != NULL && strcmp(here, id) == 0 &&
				    !pp_renewal_has_signed(r, roles[i], id))
					return true;
			}
		}
	return false;
}

/* Each key whose file is here and whose signature is still due. */
static enum plugpkg_code
sign_by_all(plugpkg_repo *repo, struct pp_renewal *r, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (void *it = pp_json_iter(r->keys); rc == PLUGPKG_OK && it != NULL;
	     it = pp_json_next(r->keys, it)) {
		PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
		const char *name = pp_json_iter_key(it);
		const char *id = pp_json_get_str(pp_json_iter_value(it), "id");
		size_t n = 0;
		if (id == NULL || !can_sign(r, id) || !pp_key_is_here(repo, name))
			continue;
		rc = pp_key_load(repo, name, &signer, err);
		if (rc == PLUGPKG_OK)
			rc = pp_renewal_sign(r, &signer, &n, err);
	}
	return rc;
}

enum plugpkg_code
plugpkg_repo_sign(plugpkg_repo *repo, const struct plugpkg_repo_sign_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal r = { 0 };

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_read(repo, &r, err);
	if (rc == PLUGPKG_OK && spec->renew != NULL)
		rc = renew(repo, &r, spec->renew, err);
	if (rc == PLUGPKG_OK && is_empty(&r))
		return nothing_waits(err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->n_keys; i++)
		rc = sign_by_name(repo, &r, spec->keys[i], spec->signer, err);
	if (rc == PLUGPKG_OK && spec->n_keys == 0)
		rc = sign_by_all(repo, &r, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_write(repo, &r, err);
	if (rc == PLUGPKG_OK)
		pp_renewal_send(&r, row, user);
	return rc;
}

/* ---- the file that is carried around ---- */

static enum plugpkg_code
write_bundle(
    const char *path, const struct pp_renewal *r, const char *repository, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *j = pp_renewal_to_json(r, repository);
	PP_AUTO_FREE char *text = pp_json_pretty(j);

	int n = pp_write_path(path, text, strlen(text), 0644);
	if (n < 0)
		return pp_fail(err, PLUGPKG_E_IO, -n, "cannot write '%s'", path);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_bundle(const char *path, struct pp_renewal *out, char **out_repository, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	struct pp_json_error why;

	int n = pp_read_file_at(AT_FDCWD, path, &text);
	if (n < 0)
		return pp_fail(err, n == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, -n,
		    "cannot read '%s'", path);
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	if (j == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'%s': %s", path, why.text);
	const char *repository = pp_json_get_str(j, "repository");
	*out_repository = pp_xstrdup(repository != NULL ? repository : "");
	return pp_renewal_from_json(j, path, out, err);
}

enum plugpkg_code
plugpkg_repo_sign_export(
    plugpkg_repo *repo, const char *path, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal r = { 0 };

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_read(repo, &r, err);
	if (rc == PLUGPKG_OK && is_empty(&r))
		return nothing_waits(err);
	if (rc == PLUGPKG_OK)
		rc = write_bundle(path, &r, pp_repo_name(repo), err);
	if (rc == PLUGPKG_OK)
		pp_renewal_send(&r, row, user);
	return rc;
}

enum plugpkg_code
plugpkg_repo_sign_import(
    plugpkg_repo *repo, const char *path, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal r = { 0 };
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal from = { 0 };
	PP_AUTO_FREE char *repository = NULL;
	size_t n = 0;

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = read_bundle(path, &from, &repository, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_read(repo, &r, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_merge(&r, &from, &n, err);
	if (rc == PLUGPKG_OK && n == 0)
		rc = pp_fail(err, PLUGPKG_E_SIGNATURE, 0,
		    "'%s' holds no good signature that is not here already", path);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_write(repo, &r, err);
	if (rc == PLUGPKG_OK)
		pp_renewal_send(&r, row, user);
	return rc;
}

static enum plugpkg_code
sign_in_file(plugpkg_repo *repo, struct pp_renewal *r, const char *path, const char *command,
    plugpkg_error **err)
{
	const struct pp_key_file f = {
		.dir_fd = AT_FDCWD,
		.path = path,
		.name = path,
		.passphrase = repo->passphrase,
		.user = repo->passphrase_user,
	};
	PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
	pp_json *public = NULL;
	enum plugpkg_code rc;

	if (command == NULL) {
		rc = pp_key_file_load(&f, &signer, err);
	} else {
		rc = pp_key_read_public(path, &public, err);
		if (rc == PLUGPKG_OK)
			rc = pp_signer_of_command(path, public, command, &signer, err);
	}
	signer.ctx = &repo->ctx;
	return rc == PLUGPKG_OK ? sign_as_asked(r, &signer, err) : rc;
}

enum plugpkg_code
plugpkg_repo_sign_file(plugpkg_repo *repo, const char *path,
    const struct plugpkg_repo_sign_spec *spec, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal r = { 0 };
	PP_AUTO_FREE char *repository = NULL;

	enum plugpkg_code rc = read_bundle(path, &r, &repository, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->n_keys; i++)
		rc = sign_in_file(repo, &r, spec->keys[i], spec->signer, err);
	if (rc == PLUGPKG_OK && spec->n_keys > 0)
		rc = write_bundle(path, &r, repository, err);
	if (rc == PLUGPKG_OK)
		pp_renewal_send(&r, row, user);
	return rc;
}
