/* SPDX-License-Identifier: MIT */
/*
 * Signatures of owners, one small file beside each archive. No index tells its digest: it proves
 * itself, and a mirror that hands out another one is passed over like one that has none.
 */
#include "lib/txn/signature.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/index/index.h"
#include "lib/model/name.h"
#include "lib/net/fetch.h"
#include "lib/trust/owner.h"

#include <string.h>

static bool
needs_signature(const struct pp_task *task)
{
	const struct pp_step *s = task->step;

	return s->owner.key_id[0] != '\0' && s->file == NULL && s->link_dir == NULL &&
	       !s->is_stored && !s->is_cached && s->action != PP_REMOVE;
}

/* What one mirror has; OWNER when that is no right signature, or none. */
static enum plugpkg_code
ask_mirror(struct pp_net *net, const char *url, const char *path, const struct pp_step *s,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_SIG_MAX_BYTES);
	PP_AUTO_FREE char *shown = pp_url_redacted(url);
	PP_AUTO_FREE char *where =
	    pp_asprintf("signature of %s %s from '%s'", s->name, s->version, shown);
	PP_AUTO(sig) struct pp_sig *sig = NULL;
	const struct pp_signed_archive want = { s->name, s->version, s->sha256, s->size_bytes };
	int status = 0;

	enum plugpkg_code rc = pp_net_get(net, url, path, PP_SIG_MAX_BYTES, &text, &status, err);
	if (rc == PLUGPKG_OK && (status == 404 || status == 403))
		return pp_fail(err, PLUGPKG_E_OWNER, 0, "%s: it has none", where);
	if (rc == PLUGPKG_OK)
		rc = pp_sig_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, where, &sig, err);
	return rc == PLUGPKG_OK ? pp_sig_check_archive(sig, &want, s->owner.key_id, where, err)
				: rc;
}

/*
 * The first mirror that has it counts. What is reported is the worst that was seen: a wrong
 * signature says more than a mirror that does not answer.
 */
static enum plugpkg_code
check_signature(
    struct pp_net *net, const struct pp_strs *urls, const struct pp_step *s, plugpkg_error **err)
{
	PP_AUTO_FREE char *path =
	    pp_index_signature_path(s->name, s->version, s->sha256, s->owner.key_id);
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	PP_AUTO_ERROR plugpkg_error *worst = NULL;
	enum plugpkg_code rc = PLUGPKG_E_NETWORK;

	for (size_t i = 0; i < urls->n; i++) {
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		enum plugpkg_code got = ask_mirror(net, urls->at[i], full, s, &why);
		if (got != PLUGPKG_E_OWNER && got != PLUGPKG_E_NETWORK) {
			if (err != NULL)
				*err = pp_steal(&why);
			return got; /* right, interrupted, or this machine's own trouble */
		}
		if (worst != NULL && rc == PLUGPKG_E_OWNER)
			continue;
		plugpkg_error_free(worst);
		worst = pp_steal(&why);
		rc = got;
	}
	if (err != NULL)
		*err = pp_steal(&worst);
	(void)pp_subject(err, rc, s->name);
	return pp_hint(err, rc,
	    rc == PLUGPKG_E_OWNER ? "nothing was changed; tell the publisher of the source"
				  : "try again later, or add another mirror");
}

enum plugpkg_code
pp_txn_check_signatures(struct pp_txn *t, plugpkg_error **err)
{
	size_t n = 0;

	pp_vec_foreach (task, &t->tasks)
		n += needs_signature(task);
	if (n == 0)
		return PLUGPKG_OK;
	PP_AUTO_FD int cache_fd = pp_opendir_at(t->ctx->root_fd, "var/cache");
	if (cache_fd < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -cache_fd, "cannot open '%s/var/cache'", t->ctx->root);
	PP_AUTO(net) struct pp_net *net = pp_net_new(t->ctx, cache_fd);
	enum plugpkg_code rc = PLUGPKG_OK;
	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		const struct pp_step *s = t->tasks.at[i].step;
		if (!needs_signature(&t->tasks.at[i]))
			continue;
		const struct pp_source *source = pp_config_source(t->ctx->config, s->source);
		if (source == NULL)
			return pp_fail(err, PLUGPKG_E_REFUSED, 0,
			    "source '%s' was removed since the plan was made", s->source);
		rc = check_signature(net, &source->urls, s, err);
	}
	return rc;
}

void
pp_txn_pins(const struct pp_txn *t, struct pp_pins *out)
{
	pp_vec_foreach (task, &t->tasks) {
		const struct pp_step_owner *o = &task->step->owner;
		if (o->state == PP_OWNER_NEW)
			pp_pins_add(out, task->step->name, o->key_id, t->ctx->now,
			    o->is_locked ? PP_PIN_LOCK : PP_PIN_INSTALL);
		else if (o->state == PP_OWNER_ROTATED)
			pp_pins_add(out, task->step->name, o->key_id, t->ctx->now, PP_PIN_ROTATION);
	}
}

static bool
has_name(const struct pp_installeds *set, const char *name, const char *except)
{
	pp_vec_foreach (p, set)
		if (strcmp((*p)->name, name) == 0 && strcmp((*p)->key, except) != 0)
			return true;
	return false;
}

enum plugpkg_code
pp_txn_forget_owner(
    plugpkg_context *ctx, const char *key, const struct pp_installeds *set, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds now = { 0 };
	PP_AUTO_FREE char *name = pp_key_name(key);
	struct pp_state *state = NULL;

	enum plugpkg_code rc = pp_state_get(ctx, &state, err);
	if (rc == PLUGPKG_OK && set == NULL)
		rc = pp_state_installed(state, &now, err);
	if (rc != PLUGPKG_OK || has_name(set != NULL ? set : &now, name, key))
		return rc;
	return pp_state_unpin(state, name, err);
}
