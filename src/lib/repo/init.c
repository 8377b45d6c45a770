/* SPDX-License-Identifier: MIT */
/* Makes a publisher directory: keys, root and targets, and an empty published index. */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/context.h"
#include "lib/model/name.h"
#include "lib/repo/metadata.h"
#include "lib/repo/publish.h"
#include "lib/repo/root.h"
#include "lib/trust/first_root.h"
#include "lib/trust/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Two of three: one key may be lost, and one stolen, without losing the repository. */
#define USUAL_THRESHOLD 2
#define MAX_THRESHOLD   9

struct ceremony {
	struct pp_signer root[MAX_THRESHOLD + 1], targets, online;
	size_t n_root; /* one more than have to agree */
};

static void
ceremony_fini(struct ceremony *c)
{
	for (size_t i = 0; i < c->n_root; i++)
		pp_signer_fini(&c->root[i]);
	pp_signer_fini(&c->targets);
	pp_signer_fini(&c->online);
}

static enum plugpkg_code
make_keys(plugpkg_repo *repo, bool seal, struct ceremony *c, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < c->n_root; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("root-%zu", i + 1);
		rc = pp_key_create(repo, name, seal, &c->root[i], err);
	}
	if (rc == PLUGPKG_OK)
		rc = pp_key_create(repo, "targets", seal, &c->targets, err);
	if (rc == PLUGPKG_OK)
		rc = pp_key_create(repo, "online", seal, &c->online, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_JSON pp_json *names = pp_json_object();
	for (size_t i = 0; i < c->n_root; i++)
		pp_keyring_add(names, &c->root[i], repo->now);
	pp_keyring_add(names, &c->targets, repo->now);
	pp_keyring_add(names, &c->online, repo->now);
	return pp_keyring_write(repo, names, err);
}

static enum plugpkg_code
sign_offline_roles(
    plugpkg_repo *repo, const struct ceremony *c, struct pp_published *out, plugpkg_error **err)
{
	struct pp_signing root = { PP_ROLE_ROOT, 1, c->root, c->n_root };
	struct pp_signing targets = { PP_ROLE_TARGETS, 1, &c->targets, 1 };

	enum plugpkg_code rc = pp_metadata_write(repo, &root,
	    pp_body_root(c->root, c->n_root, (unsigned)c->n_root - 1, &c->targets, &c->online),
	    &out->file[PP_ROLE_ROOT], err);
	if (rc != PLUGPKG_OK)
		return rc;
	return pp_metadata_write(
	    repo, &targets, pp_body_targets(&c->online), &out->file[PP_ROLE_TARGETS], err);
}

static enum plugpkg_code
write_config(plugpkg_repo *repo, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_json_pretty(repo->config);
	int r = pp_write_file_at(repo->dir_fd, "repository.json", text, strlen(text), 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write 'repository.json'");
	return PLUGPKG_OK;
}

static enum plugpkg_code
open_new_dir(const char *dir, plugpkg_repo *repo, plugpkg_error **err)
{
	int r = pp_mkdirs_at(AT_FDCWD, dir, 0755);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s'", dir);
	repo->dir_fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (repo->dir_fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", dir);
	return pp_repo_lock(repo, err);
}

static enum plugpkg_code
check_is_new(const char *dir, plugpkg_repo *repo, plugpkg_error **err)
{
	static const char *const rests[] = { "keys", "public/metadata" };

	if (pp_exists_at(repo->dir_fd, "repository.json") == 1)
		return pp_fail(
		    err, PLUGPKG_E_EXISTS, 0, "'%s' is a publisher's directory already", dir);
	for (size_t i = 0; i < PP_LEN(rests); i++)
		if (pp_exists_at(repo->dir_fd, rests[i]) == 1) {
			pp_fail(err, PLUGPKG_E_EXISTS, 0, "'%s' has '%s', but no 'repository.json'",
			    dir, rests[i]);
			/* Keys are never deleted by us: they may be somebody's only ones. */
			return pp_hint(err, PLUGPKG_E_EXISTS,
			    "if an init was cut off here, delete keys/ and public/ and repeat it; "
			    "else bring repository.json back");
		}
	return PLUGPKG_OK;
}

static enum plugpkg_code
send_row(plugpkg_repo *repo, const char *dir, int64_t threshold, plugpkg_row_fn row, void *user,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	char fingerprint[72];

	int r = pp_read_file_at(repo->public_fd, "metadata/1.root.json", &root);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/metadata/1.root.json'");
	pp_root_fingerprint(root.s, root.n, fingerprint);
	pp_json *j = pp_row_new("initialised"), *offline = pp_json_array();
	pp_json_set_str(j, "name", pp_repo_name(repo));
	pp_json_set_str(j, "directory", dir);
	pp_json_set_str(j, "fingerprint", fingerprint);
	for (int64_t i = 1; i <= threshold + 1; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("root-%" PRId64, i);
		pp_json_push_str(offline, name);
	}
	pp_json_push_str(offline, "targets");
	pp_json_set(j, "offline_keys", offline);
	pp_json_set_int(j, "root_keys", threshold + 1);
	pp_json_set_int(j, "root_threshold", threshold);
	pp_row(row, user, j);
	return PLUGPKG_OK;
}

static enum plugpkg_code
fill(plugpkg_repo *repo, const char *dir, const struct plugpkg_repo_init_spec *spec,
    plugpkg_error **err)
{
	PP_CLEANUP(ceremony_fini) struct ceremony keys = { .n_root = spec->root_threshold + 1 };
	struct pp_published offline = { 0 };

	repo->config = pp_json_object();
	pp_json_set_str(repo->config, "name", spec->name);
	enum plugpkg_code rc = open_new_dir(dir, repo, err);
	if (rc == PLUGPKG_OK)
		rc = check_is_new(dir, repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_repo_make_dirs(repo, err);
	if (rc == PLUGPKG_OK) {
		rc = make_keys(repo, spec->encrypt != 0, &keys, err);
		if (rc != PLUGPKG_OK)
			pp_repo_drop_empty_dirs(repo);
	}
	if (rc == PLUGPKG_OK)
		rc = sign_offline_roles(repo, &keys, &offline, err);
	if (rc == PLUGPKG_OK)
		rc = pp_publish_empty(repo, &offline, &keys.online, err);
	/* Last: with it the directory is a publisher's. */
	if (rc == PLUGPKG_OK)
		rc = write_config(repo, err);
	return rc;
}

static enum plugpkg_code
check_spec(const struct plugpkg_repo_init_spec *spec, plugpkg_error **err)
{
	if (!pp_source_name_valid(pp_str_of(spec->name))) {
		pp_fail(err, PLUGPKG_E_BAD_NAME, 0, "'%s' is no repository name", spec->name);
		return pp_hint(
		    err, PLUGPKG_E_BAD_NAME, "lower-case letters, digits and '-', at most 64");
	}
	if (spec->root_threshold == 1 || spec->root_threshold > MAX_THRESHOLD)
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "%u root keys cannot be what has to agree: it takes 2 to %d",
		    spec->root_threshold, MAX_THRESHOLD);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_repo_init(const char *dir, const struct plugpkg_repo_init_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	struct plugpkg_repo_init_spec filled = *spec;

	enum plugpkg_code rc = check_spec(spec, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (filled.root_threshold == 0)
		filled.root_threshold = USUAL_THRESHOLD;
	plugpkg_repo *repo = plugpkg_repo_new();
	repo->now = spec->now;
	repo->passphrase = spec->passphrase;
	repo->passphrase_user = spec->user;
	rc = fill(repo, dir, &filled, err);
	if (rc == PLUGPKG_OK)
		rc = send_row(repo, dir, filled.root_threshold, row, user, err);
	plugpkg_repo_close(repo);
	return rc;
}
