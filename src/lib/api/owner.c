/* SPDX-License-Identifier: MIT */
/* `owner`: the keys that the root expects of the owners of plugins, and an administrator's word. */
#include "lib/api/api.h"

#include "lib/model/name.h"
#include "lib/model/plan_owner.h"
#include "lib/state/owners.h"
#include "lib/txn/lock.h"

#include <string.h>

/* What the sources say of a plugin. */
struct saying {
	struct pp_sources_open open;
	struct pp_owner *owner; /* or NULL: nobody signs it */
	bool is_known;          /* a source has the plugin */
};

static void
saying_fini(struct saying *s)
{
	pp_owner_free(s->owner);
	pp_sources_open_fini(&s->open);
}

static enum plugpkg_code
ask_sources(plugpkg_context *ctx, const char *name, struct saying *s, plugpkg_error **err)
{
	struct pp_releases releases = { 0 };
	struct pp_catalog *c = NULL;

	enum plugpkg_code rc = pp_sources_load(ctx, true, &s->open, err);
	if (rc == PLUGPKG_OK)
		rc = pp_sources_releases(&s->open, name, &c, &releases, err);
	s->is_known = releases.n > 0;
	pp_releases_fini(&releases);
	if (rc == PLUGPKG_OK && c != NULL)
		rc = pp_catalog_owner(c, PP_LAYER_DETAILS, name, &s->owner, err);
	return rc;
}

static const char *
state_of(const struct pp_pin *pin, const struct saying *s)
{
	if (!s->is_known)
		return pin != NULL ? "unknown" : pp_owner_state_names[PP_OWNER_NONE];
	if (s->owner == NULL)
		return pp_owner_state_names[pin != NULL ? PP_OWNER_UNSIGNED : PP_OWNER_NONE];
	if (pin == NULL)
		return pp_owner_state_names[PP_OWNER_NEW];
	if (strcmp(pin->key_id, s->owner->id) == 0)
		return pp_owner_state_names[PP_OWNER_UNCHANGED];
	return pp_owner_state_names[pp_owner_follows(s->owner, pin->key_id) ? PP_OWNER_ROTATED
									    : PP_OWNER_CHANGED];
}

/* said: NULL = the sources were not asked. */
static void
send(const char *name, const struct pp_pin *pin, const struct saying *said, plugpkg_row_fn row,
    void *user)
{
	pp_json *j = pp_row_new("owner");

	pp_json_set_str(j, "name", name);
	if (pin != NULL) {
		pp_json_set_str(j, "key", pin->key_id);
		pp_json_set_int(j, "since", pin->since);
		pp_json_set_str(j, "how", pin->how);
	}
	if (said != NULL) {
		pp_json_set_str(j, "state", state_of(pin, said));
		if (said->owner != NULL)
			pp_json_set_str(j, "offered", said->owner->id);
	}
	pp_row(row, user, j);
}

static enum plugpkg_code
read_pins(plugpkg_context *ctx, struct pp_state **state, struct pp_pins *out, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_state_get(ctx, state, err);

	return rc == PLUGPKG_OK ? pp_state_pins(*state, out, err) : rc;
}

static enum plugpkg_code
show_one(plugpkg_context *ctx, const char *name, const struct pp_pins *pins, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(saying_fini) struct saying said = { .open = PP_SOURCES_OPEN_INIT };
	const struct pp_pin *pin = pp_pins_get(pins, name);

	enum plugpkg_code rc = ask_sources(ctx, name, &said, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (pin == NULL && !said.is_known)
		return pp_sources_unknown(ctx, &said.open, name, err);
	send(name, pin, &said, row, user);
	return PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_owner_list(
    plugpkg_context *ctx, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_pins_fini) struct pp_pins pins = { 0 };
	struct pp_state *state = NULL;

	enum plugpkg_code rc = name != NULL ? pp_name_check(pp_str_of(name), err) : PLUGPKG_OK;
	if (rc == PLUGPKG_OK)
		rc = read_pins(ctx, &state, &pins, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (name != NULL)
		return show_one(ctx, name, &pins, row, user, err);
	pp_vec_foreach (p, &pins)
		send(p->name, p, NULL, row, user);
	return PLUGPKG_OK;
}

/* ---- an administrator's word ---- */

static enum plugpkg_code
confirm(plugpkg_context *ctx, const char *name, const struct pp_pin *pin, const char *id,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_asprintf("Owner's key of plugin '%s'\n  expected so far: %s\n"
					      "  of the source:   %s",
	    name, pin != NULL ? pin->key_id : "none", id);
	struct plugpkg_question q = { PLUGPKG_ASK_TRUST_KEY, id, text };

	switch (pp_ask(ctx, &q)) {
	case PLUGPKG_ANSWER_YES:
		return PLUGPKG_OK;
	case PLUGPKG_ANSWER_NO:
		return pp_fail(
		    err, PLUGPKG_E_DECLINED, 0, "the owner's key of '%s' stays what it was", name);
	case PLUGPKG_ANSWER_NOBODY:
		break;
	}
	(void)pp_fail(err, PLUGPKG_E_CONFIRM, 0,
	    "nobody is there to confirm %s as the owner's key of '%s'", id, name);
	return pp_hint(err, PLUGPKG_E_CONFIRM,
	    "compare it with what its author says, then give it: plugpkg owner accept %s --key %s",
	    name, id);
}

/* *out_id: the key that is to be expected. */
static enum plugpkg_code
choose(plugpkg_context *ctx, const char *name, const struct pp_pin *pin, const char *key,
    char out_id[65], plugpkg_error **err)
{
	PP_CLEANUP(saying_fini) struct saying said = { .open = PP_SOURCES_OPEN_INIT };

	if (key != NULL && !pp_is_sha256(key))
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "'%s' is no id of a key: 64 lower-case hex digits", key);
	if (key != NULL) {
		memcpy(out_id, key, 65);
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = ask_sources(ctx, name, &said, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!said.is_known)
		return pp_sources_unknown(ctx, &said.open, name, err);
	if (said.owner == NULL) {
		(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "no source names a key of the owner of '%s'", name);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND,
		    "to take it unsigned from now on: plugpkg owner forget %s", name);
	}
	memcpy(out_id, said.owner->id, 65);
	return confirm(ctx, name, pin, out_id, err);
}

enum plugpkg_code
plugpkg_owner_accept(plugpkg_context *ctx, const char *name, const char *key, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_pins_fini) struct pp_pins was = { 0 };
	PP_CLEANUP(pp_pins_fini) struct pp_pins now = { 0 };
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	struct pp_state *state = NULL;
	char id[65];

	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);
	if (rc == PLUGPKG_OK)
		rc = read_pins(ctx, &state, &was, err);
	if (rc == PLUGPKG_OK)
		rc = choose(ctx, name, pp_pins_get(&was, name), key, id, err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock(ctx, "owner accept", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	pp_pins_add(&now, name, id, ctx->now, PP_PIN_ACCEPTED);
	rc = pp_state_pin(state, &now, err);
	if (rc == PLUGPKG_OK)
		send(name, &now.at[0], NULL, row, user);
	return rc;
}

enum plugpkg_code
plugpkg_owner_forget(plugpkg_context *ctx, const char *name, plugpkg_error **err)
{
	PP_CLEANUP(pp_pins_fini) struct pp_pins pins = { 0 };
	PP_AUTO_LOCK plugpkg_context *locked = NULL;
	struct pp_state *state = NULL;

	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);
	if (rc == PLUGPKG_OK)
		rc = pp_lock(ctx, "owner forget", err);
	if (rc != PLUGPKG_OK)
		return rc;
	locked = ctx;
	rc = read_pins(ctx, &state, &pins, err);
	if (rc == PLUGPKG_OK && pp_pins_get(&pins, name) == NULL)
		rc = pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "no key of the owner of '%s' is expected here", name);
	return rc == PLUGPKG_OK ? pp_state_unpin(state, name, err) : rc;
}
