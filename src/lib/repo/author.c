/* SPDX-License-Identifier: MIT */
/* What an author does with his key: makes it, signs archives with it, passes it on. */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/temp.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/repo/keys.h"
#include "lib/store/archive.h"
#include "lib/trust/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pp_key_file
file_of(const struct plugpkg_key_file *key)
{
	return (struct pp_key_file){
		.dir_fd = AT_FDCWD,
		.path = key->path,
		.name = key->path,
		.passphrase = key->passphrase,
		.user = key->user,
	};
}

/* By the seed or by the command that stands in the key's file. */
static enum plugpkg_code
sign_bytes(const void *user, const void *p, size_t n, char out_hex[129], plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *signature = NULL;

	enum plugpkg_code rc = pp_signer_sign(user, p, n, &signature, err);
	if (rc == PLUGPKG_OK)
		(void)snprintf(out_hex, 129, "%s", pp_json_get_str(signature, "sig"));
	return rc;
}

static struct pp_sig_by
by(const struct pp_signer *signer)
{
	return (struct pp_sig_by){ .key = signer->public, .sign = sign_bytes, .user = signer };
}

enum plugpkg_code
plugpkg_owner_new(const struct plugpkg_key_file *key, int encrypt, plugpkg_row_fn row, void *user,
    plugpkg_error **err)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
	const struct pp_key_file f = file_of(key);

	enum plugpkg_code rc = pp_key_file_create(&f, encrypt != 0, &signer, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("owner-key");
	pp_json_set_str(j, "file", key->path);
	pp_json_set_str(j, "key", signer.id);
	pp_json_set_bool(j, "encrypted", encrypt != 0);
	pp_row(row, user, j);
	return PLUGPKG_OK;
}

/* ---- an archive ---- */

struct looking {
	char sha256[65];
	uint64_t size;
	struct pp_manifest *manifest;
};

static enum plugpkg_code
open_archive(const char *path, int *out_fd, struct looking *l, plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;

	enum plugpkg_code rc = pp_archive_open(path, &fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_sha256_fd(fd, l->sha256, &l->size);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	*out_fd = pp_fd_steal(&fd);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_manifest(int dir_fd, const char *path, struct looking *l, plugpkg_error **err)
{
	PP_AUTO_FREE char *where = pp_asprintf("%s: plugin.json", path);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);

	int r = pp_read_file_at(dir_fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(err, pp_code_of_read(r, PLUGPKG_E_BAD_ARCHIVE), -r, "%s", where);
	return pp_manifest_parse((struct pp_str){ text.s, text.n }, where, &l->manifest, err);
}

/* Unpacked by the usual policy: what nobody could install is not worth a signature. */
static enum plugpkg_code
look_inside(int archive_fd, const char *path, struct looking *l, plugpkg_error **err)
{
	const struct pp_unpack_limits limits = { PP_UNPACK_MAX_BYTES, PP_UNPACK_MAX_FILES, false };
	PP_AUTO_FREE char *work = NULL;
	struct pp_unpacked unpacked;

	int r = pp_temp_make("plugpkg-sign-", NULL, NULL, &work);
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot make a temporary directory in %s", work);
	PP_AUTO_FD int dir_fd = pp_opendir_at(AT_FDCWD, work);
	enum plugpkg_code rc =
	    dir_fd < 0 ? pp_fail(err, PLUGPKG_E_IO, -dir_fd, "cannot open '%s'", work)
		       : pp_unpack_scratch(NULL, archive_fd, dir_fd, path, &limits, &unpacked, err);
	if (rc == PLUGPKG_OK)
		rc = read_manifest(dir_fd, path, l, err);
	PP_IGNORE(pp_rm_rf_at(AT_FDCWD, work)); /* copies of what the archive holds */
	return rc;
}

static enum plugpkg_code
write_text(const char *path, const char *text, plugpkg_error **err)
{
	int r = pp_write_file_at(AT_FDCWD, path, text, strlen(text), 0644);

	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", path) : PLUGPKG_OK;
}

static enum plugpkg_code
sign(const char *path, const struct looking *l, const struct pp_signer *signer, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	const struct pp_sig_by author = by(signer);
	const struct pp_signed_archive archive = {
		.name = l->manifest->release->name,
		.version = l->manifest->release->version.text,
		.sha256 = l->sha256,
		.size = l->size,
	};
	PP_AUTO_FREE char *file = pp_asprintf("%s.sig", path);
	PP_AUTO_FREE char *text = NULL;

	enum plugpkg_code rc = pp_sig_sign_archive(&author, &archive, &text, err);
	if (rc == PLUGPKG_OK)
		rc = write_text(file, text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("signed");
	pp_json_set_str(j, "name", archive.name);
	pp_json_set_str(j, "version", archive.version);
	pp_json_set_str(j, "path", file);
	pp_json_set_str(j, "key", signer->id);
	pp_row(row, user, j);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_sign(const char *archive, const struct plugpkg_key_file *key, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
	const struct pp_key_file f = file_of(key);
	struct looking l = { .size = 0 };
	PP_AUTO_FD int fd = -1;

	enum plugpkg_code rc = open_archive(archive, &fd, &l, err);
	if (rc == PLUGPKG_OK)
		rc = look_inside(fd, archive, &l, err);
	if (rc == PLUGPKG_OK)
		rc = pp_key_file_load(&f, &signer, err);
	if (rc == PLUGPKG_OK)
		rc = sign(archive, &l, &signer, row, user, err);
	pp_manifest_free(l.manifest);
	return rc;
}

/* ---- passing on ---- */

enum plugpkg_code
plugpkg_owner_rotate(const char *name, const struct plugpkg_key_file *old, const char *next,
    const char *out_file, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer signer = { 0 };
	const struct pp_key_file f = file_of(old);
	const struct pp_key_file next_file = { .dir_fd = AT_FDCWD, .path = next, .name = next };
	PP_AUTO_JSON pp_json *next_key = NULL;
	PP_AUTO_FREE char *text = NULL;
	char next_id[65] = "";

	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);
	if (rc == PLUGPKG_OK)
		rc = pp_key_file_public(&next_file, &next_key, err);
	if (rc == PLUGPKG_OK)
		rc = pp_key_file_load(&f, &signer, err);
	const struct pp_sig_by author = by(&signer);
	if (rc == PLUGPKG_OK)
		rc = pp_sig_sign_rotation(&author, name, next_key, &text, err);
	if (rc == PLUGPKG_OK)
		rc = write_text(out_file, text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *j = pp_row_new("rotation");
	pp_json_set_str(j, "name", name);
	pp_json_set_str(j, "path", out_file);
	PP_IGNORE(pp_key_id(next_key, next_id)); /* it was read as a key */
	pp_json_set_str(j, "key", signer.id);
	pp_json_set_str(j, "next_key", next_id);
	pp_row(row, user, j);
	return PLUGPKG_OK;
}
