/* SPDX-License-Identifier: MIT */
/*
 * The first step of trust in a source: whose root metadata it is. Everything later follows from it.
 */
#include "lib/api/api.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/trust/first_root.h"
#include "lib/trust/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define ROOT_PATH "metadata/1.root.json"

static bool
is_fingerprint(const char *key)
{
	return pp_starts_with(key, "sha256:");
}

static enum plugpkg_code
no_repository(const char *url, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_NETWORK, 0, "no repository at '%s': it has no " ROOT_PATH, url);

	return pp_hint(err, rc, PP_ADDRESS_HINT);
}

/*
 * From the first mirror that has it: its bytes are judged by their digest, not by where they came
 * from. Why nobody has it is told of the first one, which the user named first; what is wrong on
 * this side is wrong with all of them.
 */
static enum plugpkg_code
get_root(
    struct pp_net *net, const struct pp_source *source, struct pp_buf *out, plugpkg_error **err)
{
	for (size_t i = 0; i < source->urls.n; i++) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		PP_AUTO_FREE char *url = pp_url_redacted(source->urls.at[i]);
		int status = 0;
		pp_buf_clear(out);
		enum plugpkg_code rc = pp_net_get(
		    net, source->urls.at[i], ROOT_PATH, PP_TUF_MAX_ROOT_BYTES, out, &status, &why);
		if (rc == PLUGPKG_OK && status == 200)
			return PLUGPKG_OK;
		bool is_ours = rc != PLUGPKG_OK && rc != PLUGPKG_E_NETWORK;
		if (rc == PLUGPKG_OK)
			rc = no_repository(url, &why);
		else if (!is_ours)
			(void)pp_wrap(&why, rc, "no repository at '%s'", url);
		if (err != NULL && (is_ours || i == 0)) {
			plugpkg_error_free(*err);
			*err = pp_steal(&why);
		}
		if (is_ours)
			return rc;
	}
	return pp_subject(err, PLUGPKG_E_NETWORK, source->name);
}

static enum plugpkg_code
compare(const struct pp_source *source, const char *wanted, const char *got, plugpkg_error **err)
{
	if (strcmp(wanted, got) == 0)
		return PLUGPKG_OK;
	(void)pp_fail(
	    err, PLUGPKG_E_KEY, 0, "source '%s' has the key %s, not %s", source->name, got, wanted);
	return pp_hint(err, PLUGPKG_E_KEY,
	    "ask the publisher for the fingerprint; do not use this repository until they agree");
}

static enum plugpkg_code
ask(plugpkg_context *ctx, const struct pp_source *source, const char *got, plugpkg_error **err)
{
	PP_AUTO_FREE char *text =
	    pp_asprintf("The key of source '%s' is not known here. Fingerprint:\n  %s\nTrust it?",
		source->name, got);
	struct plugpkg_question q = { PLUGPKG_ASK_TRUST_KEY, got, text };

	switch (pp_ask(ctx, &q)) {
	case PLUGPKG_ANSWER_YES:
		return PLUGPKG_OK;
	case PLUGPKG_ANSWER_NO:
		return pp_fail(err, PLUGPKG_E_DECLINED, 0, "the key of source '%s' is not trusted",
		    source->name);
	case PLUGPKG_ANSWER_NOBODY:
		break;
	}
	(void)pp_fail(err, PLUGPKG_E_CONFIRM, 0,
	    "the key of source '%s' is not known here, and nobody is there to confirm %s",
	    source->name, got);
	return pp_hint(err, PLUGPKG_E_CONFIRM,
	    "compare the fingerprint with the publisher's, then give it: --key %s, or \"root\" of "
	    "the source in plugpkg.json",
	    got);
}

/* Stored as received: fingerprints and signatures are over exactly these bytes. */
static enum plugpkg_code
store_root(plugpkg_context *ctx, const char *name, const struct pp_buf *root, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("var/trust/%s", name);
	PP_AUTO_FREE char *view = pp_asprintf("%s/" PP_TRUST_VIEW, dir);
	PP_AUTO_FREE char *first = pp_asprintf("%s/" PP_FIRST_ROOT, dir);
	PP_AUTO_FREE char *file = pp_asprintf("%s/root.json", dir);

	/* With the place for what a refresh brings: the files make that one durable, too. */
	int r = pp_mkdirs_at(ctx->root_fd, view, 0755);
	if (r == 0)
		r = pp_sync_dir_at(ctx->root_fd, "var/trust");
	if (r == 0)
		r = pp_write_file_at(ctx->root_fd, first, root->s, root->n, 0644);
	if (r == 0)
		r = pp_write_file_at(ctx->root_fd, file, root->s, root->n, 0644);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/%s'", ctx->root, file)
		     : PLUGPKG_OK;
}

/* Another root is one that its own keys have signed. */
static bool
is_damaged(const plugpkg_context *ctx, struct pp_buf *root)
{
	PP_AUTO(tuf) struct pp_tuf *tuf = NULL;

	return pp_tuf_new(pp_buf_cstr(root), root->n, ctx->now, &tuf, NULL) != PLUGPKG_OK;
}

enum plugpkg_code
pp_source_check_key(
    plugpkg_context *ctx, const struct pp_source *source, const char *key, plugpkg_error **err)
{
	PP_AUTO_FREE char *file = pp_asprintf("var/trust/%s/" PP_FIRST_ROOT, source->name);
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	char fingerprint[72];

	int r = pp_read_file_at(ctx->root_fd, file, &root);
	if (r == -ENOENT || key == NULL)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s/%s'", ctx->root, file);
	pp_root_fingerprint(root.s, root.n, fingerprint);
	if (strcmp(key, fingerprint) == 0)
		return PLUGPKG_OK;
	if (is_damaged(ctx, &root)) {
		(void)pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "'%s/%s' is damaged", ctx->root, file);
		return pp_hint(err, PLUGPKG_E_BAD_METADATA,
		    "bring it back from a copy, or remove source '%s' and add it again with its "
		    "key",
		    source->name);
	}
	(void)pp_fail(err, PLUGPKG_E_KEY, 0,
	    "source '%s' has the key %s in plugpkg.json, but is trusted by %s", source->name, key,
	    fingerprint);
	return pp_hint(err, PLUGPKG_E_KEY,
	    "if the publisher confirms the other key: plugpkg source remove %s, then add it again",
	    source->name);
}

enum plugpkg_code
pp_source_trust(plugpkg_context *ctx, struct pp_net *net, const struct pp_source *source,
    const char *key, char out_fingerprint[72], plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	bool is_file = key != NULL && !is_fingerprint(key);
	if (key != NULL && !is_file && !pp_is_sha256(key + strlen("sha256:")))
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "'%s' is no fingerprint: \"sha256:\" and 64 lower-case hex digits are needed",
		    key);
	enum plugpkg_code rc =
	    is_file ? pp_root_read_key_file(key, &root, err) : get_root(net, source, &root, err);
	if (rc != PLUGPKG_OK)
		return rc;

	PP_AUTO(tuf) struct pp_tuf *tuf = NULL;
	rc = pp_tuf_new(pp_buf_cstr(&root), root.n, ctx->now, &tuf, err);
	if (rc != PLUGPKG_OK)
		return pp_wrap(err, rc, "root metadata of source '%s'", source->name);
	pp_root_fingerprint(root.s, root.n, out_fingerprint);
	if (key == NULL)
		rc = ask(ctx, source, out_fingerprint, err);
	else if (!is_file)
		rc = compare(source, key, out_fingerprint, err);
	return rc == PLUGPKG_OK ? store_root(ctx, source->name, &root, err) : rc;
}
