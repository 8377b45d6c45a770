/* SPDX-License-Identifier: MIT */
/*
 * Signatures of owners, one small file beside each archive. No index tells its digest: it proves
 * itself, and a mirror that hands out another one is passed over like one that has none.
 */
#include "lib/txn/signature.h"

#include "lib/model/name.h"
#include "lib/net/cache.h"
#include "lib/trust/owner.h"

#include <string.h>

static enum plugpkg_code
check(const void *user, struct pp_str bytes, plugpkg_error **err)
{
	const struct pp_step *s = user;
	const struct pp_signed_archive want = { s->name, s->version, s->sha256, s->size_bytes };
	PP_AUTO(sig) struct pp_sig *sig = NULL;

	enum plugpkg_code rc = pp_sig_parse(bytes, "it", &sig, err);
	return rc == PLUGPKG_OK ? pp_sig_check_archive(sig, &want, s->owner.key_id, "it", err) : rc;
}

bool
pp_txn_needs_signature(const struct pp_step *s)
{
	return s->owner.key_id[0] != '\0' && s->file == NULL && s->link_dir == NULL &&
	       !s->is_stored && !s->is_cached && s->action != PP_REMOVE;
}

void
pp_txn_signature_proof(const struct pp_step *s, struct pp_strs *texts, struct pp_proof *out)
{
	char *name = pp_cache_signature_name(s->sha256, s->owner.key_id);

	pp_strs_take(texts, name);
	*out = (struct pp_proof){
		.name = name,
		.check = check,
		.user = s,
		.code = PLUGPKG_E_OWNER,
		.subject = s->name,
		.hint = "tell the publisher of the source",
	};
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
