/* SPDX-License-Identifier: MIT */
/* The start of publish and refresh. */
#include "lib/repo/session.h"

#include "base/mem.h"
#include "lib/repo/metadata.h"
#include "lib/trust/tuf.h"

#include <string.h>

void
pp_session_fini(struct pp_session *s)
{
	pp_renewal_fini(&s->renewal);
	pp_signer_fini(&s->online);
}

/* Before anybody sees it, the clients' own code has to follow from the old root to the new one. */
static enum plugpkg_code
try_root(plugpkg_repo *repo, const struct pp_renewal *r, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf now = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	PP_AUTO_BUF struct pp_buf next = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	PP_AUTO(tuf) struct pp_tuf *t = NULL;

	enum plugpkg_code rc = pp_metadata_text(r->root_now, &now, err);
	if (rc == PLUGPKG_OK)
		rc = pp_metadata_text(r->root, &next, err);
	if (rc == PLUGPKG_OK)
		rc = pp_tuf_new(now.s, now.n, repo->now, &t, err);
	/* Shown by a publish that was cut off: the walk along public/ has accepted it. */
	if (rc != PLUGPKG_OK || (now.n == next.n && memcmp(now.s, next.s, now.n) == 0))
		return rc;
	rc = pp_tuf_update_root(t, next.s, next.n, err);
	if (rc == PLUGPKG_OK)
		rc = pp_tuf_check_root(t, err);
	return rc == PLUGPKG_OK ? rc : pp_wrap(err, rc, "the root that waits");
}

/* Puts the new targets file where clients will look once a snapshot lists it. */
static enum plugpkg_code
place_targets(plugpkg_repo *repo, struct pp_session *s, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	struct pp_meta_file *meta = &s->was.file[PP_ROLE_TARGETS];
	const pp_json *file = s->renewal.targets;

	if (file == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_metadata_text(file, &text, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*meta = (struct pp_meta_file){ .length = text.n };
	meta->version = pp_json_get_int(pp_json_get(file, "signed"), "version", 0);
	pp_sha256_hex(text.s, text.n, meta->sha256);
	return pp_role_write(repo, PP_ROLE_TARGETS, meta->version, &text, err);
}

/* Half a change of keys: clients would refuse all that is signed under it. */
static enum plugpkg_code
check_pair(plugpkg_repo *repo, const struct pp_session *s, const pp_json *root, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *published = NULL;
	const pp_json *body, *targets = s->is_renewing ? s->renewal.targets : NULL;
	bool is_new = targets != NULL;

	enum plugpkg_code rc =
	    is_new ? PLUGPKG_OK
		   : pp_published_load(repo, &s->was, PP_ROLE_TARGETS, &published, &body, err);
	if (rc != PLUGPKG_OK || pp_renewal_agree(root, is_new ? targets : published, s->online.id))
		return rc;
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
	    "clients with the %s root would refuse the %s targets, or the index by key '%s'",
	    root == s->renewal.root ? "new" : "published", is_new ? "new" : "published",
	    s->online.name);
	return pp_hint(err, PLUGPKG_E_BAD_STATE,
	    "a change of keys was cut off; make both files anew: plugpkg-repo key rotate %s, then "
	    "plugpkg-repo sign and plugpkg-repo publish",
	    s->online.name);
}

static bool
is_due(const struct pp_renewal *r)
{
	return (r->root != NULL || r->targets != NULL) &&
	       pp_renewal_missing(r, PP_ROLE_ROOT) == 0 &&
	       pp_renewal_missing(r, PP_ROLE_TARGETS) == 0;
}

/*
 * With a new online key, the timestamp in public/ is by the old one, or by who stole that: then the
 * record tells where to go on.
 */
static enum plugpkg_code
read_published(plugpkg_repo *repo, struct pp_session *s, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	enum plugpkg_code rc = pp_published_read(repo, &s->online, &s->was, &why);
	if (rc == PLUGPKG_E_SIGNATURE && s->is_renewing) {
		s->is_online_new = true;
		return pp_published_recorded(repo, &s->was, err);
	}
	if (rc != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&why);
	return rc;
}

enum plugpkg_code
pp_session_open(
    plugpkg_repo *repo, bool signs, bool renews, struct pp_session *out, plugpkg_error **err)
{
	struct pp_renewal *r = &out->renewal;

	enum plugpkg_code rc = PLUGPKG_OK;
	if (signs || renews)
		rc = pp_renewal_read(repo, r, err);
	if (rc != PLUGPKG_OK)
		return rc;
	out->is_renewing = renews && is_due(r);
	if (!signs && !out->is_renewing)
		return pp_published_read(repo, NULL, &out->was, err);
	if (out->is_renewing && r->root != NULL)
		rc = try_root(repo, r, err);
	const pp_json *root = out->is_renewing && r->root != NULL ? r->root : r->root_now;
	if (rc == PLUGPKG_OK)
		rc = pp_online_load(repo, pp_json_get(root, "signed"), &out->online, err);
	if (rc == PLUGPKG_OK)
		rc = read_published(repo, out, err);
	if (rc == PLUGPKG_OK)
		rc = check_pair(repo, out, root, err);
	if (rc == PLUGPKG_OK && out->is_renewing) {
		out->was.new_root = r->root;
		rc = place_targets(repo, out, err);
	}
	return rc;
}
