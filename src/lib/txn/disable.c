/* SPDX-License-Identifier: MIT */
/*
 * Ops of plugins that go out of use, or come back into it, and stay installed: their "disable" and
 * "enable" handlers, while the old generation is still current. The one takes the other back.
 */
#include "lib/txn/steps.h"

#include <string.h>

/* The plugin as it was when it went on, as it will be when it comes. */
static const struct pp_installed *
plugin_of(const struct pp_txn *t, const struct pp_txn_op *op)
{
	return pp_installeds_get(op->type == &pp_op_disable ? &t->old.set : &t->set, op->key);
}

static const char *
handler_of(const struct pp_installed *p, const char *event)
{
	return p != NULL ? pp_json_get_str(pp_json_get(p->manifest, "on"), event) : NULL;
}

bool
pp_op_has_handler(const struct pp_txn *t, const struct pp_txn_op *op)
{
	const struct pp_installed *p = plugin_of(t, op);

	return handler_of(p, "disable") != NULL || handler_of(p, "enable") != NULL;
}

static enum plugpkg_code
call(struct pp_txn *t, const struct pp_txn_op *op, const char *event, bool is_undo,
    plugpkg_error **err)
{
	const struct pp_installed *p = plugin_of(t, op);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;

	if (handler_of(p, event) == NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_installed_manifest(p, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const struct pp_script_event e = {
		.phase = "do",
		.plugin = p->key,
		.version = p->version,
	};
	struct pp_txn_script s = {
		.manifest = m,
		.link_dir = p->link_dir,
		.kind = event,
		.path = handler_of(p, event),
		.level = -1,
		.reason = is_undo ? "rollback" : event,
		.is_undo = is_undo,
		.event = &e,
	};
	return pp_txn_script(t, &s, err);
}

static enum plugpkg_code
run(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	const struct pp_installed *p = plugin_of(t, op);

	if (p == NULL)
		return PLUGPKG_OK;
	struct pp_step step = { .name = p->key, .version = p->version };
	pp_txn_step(t, &step, op->type->name);
	return call(t, op, op->type->name, false, err);
}

static enum plugpkg_code
undo_disable(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return call(t, op, "enable", true, err);
}

static enum plugpkg_code
undo_enable(struct pp_txn *t, struct pp_txn_op *op, plugpkg_error **err)
{
	return call(t, op, "disable", true, err);
}

const struct pp_op_type pp_op_disable = { "disable", run, undo_disable, false };
const struct pp_op_type pp_op_enable = { "enable", run, undo_enable, false };
