/* SPDX-License-Identifier: MIT */
/* Key files of publishers and of authors. */
#include "lib/repo/keys.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "lib/repo/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_TYPE             "plugpkg-key"
#define KEY_MAX_BYTES        16384
#define PASSPHRASE_MAX_BYTES 1024
#define SIGNATURE_MAX_HEX    8192

void
pp_signer_fini(struct pp_signer *s)
{
	explicit_bzero(s->seed, sizeof(s->seed));
	free(s->name);
	free(s->command);
	pp_json_free(s->public);
	*s = (struct pp_signer){ 0 };
}

static enum plugpkg_code
ask_passphrase(const struct pp_key_file *f, char *out, plugpkg_error **err)
{
	if (f->passphrase == NULL ||
	    f->passphrase(f->name, out, PASSPHRASE_MAX_BYTES, f->user) == 0) {
		pp_fail(err, PLUGPKG_E_KEY, 0, "key '%s' needs a passphrase and nobody gave one",
		    f->name);
		return pp_hint(err, PLUGPKG_E_KEY, "give it with --passphrase-fd or on a terminal");
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
signer_from_seed(struct pp_signer *s, const char *name, plugpkg_error **err)
{
	s->name = pp_xstrdup(name);
	s->public = pp_ed25519_public(s->seed);
	if (s->public == NULL || pp_key_id(s->public, s->id) < 0)
		return pp_fail(
		    err, PLUGPKG_E_KEY, 0, "cannot derive the public half of key '%s'", name);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_signer_of_command(const char *name, pp_json *public, const char *command, struct pp_signer *out,
    plugpkg_error **err)
{
	out->name = pp_xstrdup(name);
	out->public = public;
	out->command = pp_xstrdup(command);
	if (pp_key_id(public, out->id) < 0)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "key '%s' has no canonical form", name);
	return PLUGPKG_OK;
}

/* ---- writing ---- */

static enum plugpkg_code
seal_seed(
    const struct pp_key_file *f, const struct pp_signer *s, pp_json *file, plugpkg_error **err)
{
	char passphrase[PASSPHRASE_MAX_BYTES];
	pp_json *sealed = NULL;

	enum plugpkg_code rc = ask_passphrase(f, passphrase, err);
	if (rc == PLUGPKG_OK)
		rc = pp_seal(s->seed, sizeof(s->seed), passphrase, &sealed, err);
	explicit_bzero(passphrase, sizeof(passphrase));
	if (rc == PLUGPKG_OK)
		pp_json_set(file, "sealed", sealed);
	return rc;
}

static pp_json *
new_file(const struct pp_signer *s)
{
	pp_json *file = pp_json_object();

	pp_json_set_str(file, "_type", KEY_TYPE);
	pp_json_set_str(file, "id", s->id);
	pp_json_set(file, "public", pp_json_ref(s->public));
	return file;
}

static enum plugpkg_code
write_file(const struct pp_key_file *f, const pp_json *file, plugpkg_error **err)
{
	if (pp_exists_at(f->dir_fd, f->path) != 0)
		return pp_fail(err, PLUGPKG_E_EXISTS, 0, "key '%s' is there already", f->path);
	PP_AUTO_FREE char *text = pp_json_pretty(file);
	int r = f->dir_fd == AT_FDCWD
		    ? pp_write_path(f->path, text, strlen(text), 0600)
		    : pp_write_file_at(f->dir_fd, f->path, text, strlen(text), 0600);
	explicit_bzero(text, strlen(text));
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", f->path);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_key_file_create(
    const struct pp_key_file *f, bool seal, struct pp_signer *out, plugpkg_error **err)
{
	if (pp_exists_at(f->dir_fd, f->path) != 0)
		return pp_fail(err, PLUGPKG_E_EXISTS, 0, "key '%s' is there already", f->path);
	enum plugpkg_code rc = pp_ed25519_generate(out->seed, err);
	if (rc == PLUGPKG_OK)
		rc = signer_from_seed(out, f->name, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_JSON pp_json *file = new_file(out);
	if (seal) {
		rc = seal_seed(f, out, file, err);
		if (rc != PLUGPKG_OK)
			return rc;
	} else {
		char hex[2 * PP_ED25519_SEED_BYTES + 1];
		pp_hex(out->seed, sizeof(out->seed), hex);
		pp_json_set_str(file, "seed", hex);
		explicit_bzero(hex, sizeof(hex));
	}
	return write_file(f, file, err);
}

/* ---- reading ---- */

static enum plugpkg_code
check_mode(const struct pp_key_file *f, plugpkg_error **err)
{
	struct stat st;

	if (fstatat(f->dir_fd, f->path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return pp_fail(err, PLUGPKG_E_IO, errno, "cannot look at '%s'", f->path);
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "signing key '%s' is not here", f->path);
		/* That one is not kept offline. */
		if (f->dir_fd != AT_FDCWD && pp_starts_with(f->name, "online"))
			return pp_hint(err, PLUGPKG_E_NOT_FOUND,
			    "bring it from where you keep a copy; if it is lost: plugpkg-repo key "
			    "rotate online");
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "bring it from where you keep it offline");
	}
	if ((st.st_mode & 077) == 0)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_PERMISSION, 0, "signing key '%s' is open to other users (mode %04o)",
	    f->path, (unsigned)st.st_mode & 07777);
	return pp_hint(
	    err, PLUGPKG_E_PERMISSION, "chmod 600 it, and rotate it if others had a look");
}

static enum plugpkg_code
unseal_seed(
    const struct pp_key_file *f, const pp_json *sealed, struct pp_signer *s, plugpkg_error **err)
{
	char passphrase[PASSPHRASE_MAX_BYTES];

	enum plugpkg_code rc = ask_passphrase(f, passphrase, err);
	if (rc == PLUGPKG_OK)
		rc = pp_unseal(sealed, passphrase, s->seed, sizeof(s->seed), err);
	explicit_bzero(passphrase, sizeof(passphrase));
	return rc == PLUGPKG_OK ? rc : pp_wrap(err, rc, "cannot open signing key '%s'", f->name);
}

static enum plugpkg_code
read_file(const struct pp_key_file *f, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(KEY_MAX_BYTES);
	struct pp_json_error why = { .text = "it is a key of another program" };

	enum plugpkg_code rc = check_mode(f, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_read_file_at(f->dir_fd, f->path, &text);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", f->path);
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	explicit_bzero(text.s, text.n);
	const char *type = pp_json_get_str(file, "_type");
	if (file == NULL || type == NULL || strcmp(type, KEY_TYPE) != 0)
		return pp_fail(err, PLUGPKG_E_KEY, 0, "'%s' is no key file: %s", f->path, why.text);
	*out = pp_steal(&file);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_key_file_public(const struct pp_key_file *f, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = NULL;
	char id[65];

	enum plugpkg_code rc = read_file(f, &file, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const pp_json *public = pp_json_get(file, "public");
	if (!pp_json_is(public, PP_JSON_OBJECT) || pp_key_id(public, id) < 0)
		return pp_fail(
		    err, PLUGPKG_E_KEY, 0, "'%s' is no key file: no 'public' key", f->path);
	*out = pp_json_copy(public);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_key_file_load(const struct pp_key_file *f, struct pp_signer *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = NULL;

	enum plugpkg_code rc = read_file(f, &file, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const pp_json *sealed = pp_json_get(file, "sealed"), *public = pp_json_get(file, "public");
	const char *command = pp_json_get_str(file, "signer"), *id = pp_json_get_str(file, "id");
	if (command != NULL)
		rc = pp_signer_of_command(f->name, pp_json_ref(public), command, out, err);
	else if (sealed != NULL)
		rc = unseal_seed(f, sealed, out, err);
	else if (pp_unhex(pp_str_of(pp_json_get_str(file, "seed")), out->seed, sizeof(out->seed)) <
		 0)
		rc = pp_fail(err, PLUGPKG_E_KEY, 0,
		    "'%s' is no key file: no 'seed' of 64 hex digits", f->path);
	if (rc == PLUGPKG_OK && command == NULL)
		rc = signer_from_seed(out, f->name, err);
	if (rc == PLUGPKG_OK && (id == NULL || strcmp(id, out->id) != 0))
		rc = pp_fail(err, PLUGPKG_E_KEY, 0,
		    "'%s' is damaged: its two halves do not belong together", f->path);
	return rc;
}

enum plugpkg_code
pp_key_read_public(const char *path, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(KEY_MAX_BYTES);

	int r = pp_read_file_at(AT_FDCWD, path, &text);
	if (r < 0)
		return pp_fail(err, r == -ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, -r,
		    "cannot read public key '%s'", path);
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	const pp_json *public = pp_json_get(file, "public"); /* of a key file of ours */
	*out = file == NULL ? pp_key_of_pem(pp_buf_cstr(&text), text.n)
			    : pp_json_ref(public != NULL ? public : file);
	if (*out != NULL && pp_json_get_str(*out, "keytype") != NULL &&
	    pp_json_get_str(*out, "scheme") != NULL &&
	    pp_json_get_str(pp_json_get(*out, "keyval"), "public") != NULL)
		return PLUGPKG_OK;
	pp_json_free(*out);
	*out = NULL;
	pp_fail(err, PLUGPKG_E_KEY, 0, "'%s' is no public key that can sign here", path);
	return pp_hint(err, PLUGPKG_E_KEY,
	    "it has to be PEM or a TUF key object: Ed25519, ECDSA P-256, or RSA of 2048 bits or "
	    "more");
}

/* ---- the keys of a publisher ---- */

static struct pp_key_file
file_of(const plugpkg_repo *repo, const char *name, const char *path)
{
	return (struct pp_key_file){
		.dir_fd = repo->dir_fd,
		.path = path,
		.name = name,
		.passphrase = repo->passphrase,
		.user = repo->passphrase_user,
	};
}

enum plugpkg_code
pp_key_create(
    plugpkg_repo *repo, const char *name, bool seal, struct pp_signer *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", name);
	const struct pp_key_file f = file_of(repo, name, path);

	return pp_key_file_create(&f, seal, out, err);
}

enum plugpkg_code
pp_key_load(plugpkg_repo *repo, const char *name, struct pp_signer *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", name);
	const struct pp_key_file f = file_of(repo, name, path);

	out->ctx = &repo->ctx;
	enum plugpkg_code rc = pp_key_file_load(&f, out, err);
	/* A signal ends the question for the passphrase, too. */
	if (rc == PLUGPKG_E_KEY && pp_check_cancel(&repo->ctx, NULL) != PLUGPKG_OK)
		return pp_recode(err, PLUGPKG_E_INTERRUPTED);
	return rc;
}

enum plugpkg_code
pp_key_keep_command(plugpkg_repo *repo, const struct pp_signer *signer, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", signer->name);
	const struct pp_key_file f = file_of(repo, signer->name, path);
	PP_AUTO_JSON pp_json *file = new_file(signer);

	pp_json_set_str(file, "signer", signer->command);
	return write_file(&f, file, err);
}

bool
pp_key_is_here(const plugpkg_repo *repo, const char *name)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", name);

	return pp_exists_at(repo->dir_fd, path) == 1;
}

/* ---- signing ---- */

enum plugpkg_code
pp_signer_sign(
    const struct pp_signer *s, const void *p, size_t n, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(SIGNATURE_MAX_HEX);
	char hex[129];

	enum plugpkg_code rc = s->command != NULL ? pp_signer_run(s, p, n, &text, err)
						  : pp_ed25519_sign(s->seed, p, n, hex, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const char *sig = s->command != NULL ? pp_buf_cstr(&text) : hex;
	/* A command may hold another key, or sign in another way. */
	if (s->command != NULL && !pp_key_verify(s->public, p, n, sig)) {
		pp_fail(err, PLUGPKG_E_SIGNATURE, 0,
		    "what the signer '%s' gave does not verify with key '%s'", s->command, s->name);
		return pp_hint(err, PLUGPKG_E_SIGNATURE,
		    "it has to sign standard input with that key: Ed25519, ECDSA with SHA-256 "
		    "(DER), or RSA-PSS with SHA-256");
	}
	pp_json *signature = pp_json_object();
	pp_json_set_str(signature, "keyid", s->id);
	pp_json_set_str(signature, "sig", sig);
	*out = signature;
	return PLUGPKG_OK;
}
