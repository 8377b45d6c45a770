/* SPDX-License-Identifier: MIT */
/*
 * An installed plugin as JSON, all of it: what the journal keeps of a plugin that is to come. And
 * its relations as they count here.
 */
#include "lib/state/state_db.h"

#include "base/mem.h"
#include "base/str.h"
#include "lib/model/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static pp_json *
detached_json(const struct pp_installed *p)
{
	pp_json *names = pp_json_array();

	pp_vec_foreach (name, &p->detached)
		pp_json_push_str(names, *name);
	return names;
}

static void
add_detached(struct pp_installed *p, const pp_json *names)
{
	for (size_t i = 0; i < pp_json_len(names); i++)
		if (pp_json_string(pp_json_at(names, i)) != NULL)
			pp_strs_add(&p->detached, pp_json_string(pp_json_at(names, i)));
}

char *
pp_installed_detached_text(const struct pp_installed *p)
{
	PP_AUTO_JSON pp_json *names = detached_json(p);

	return p->detached.n > 0 ? pp_json_line(names) : NULL;
}

void
pp_installed_read_detached(struct pp_installed *p, const char *text)
{
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *names = NULL;

	if (text != NULL)
		names = pp_json_parse(text, strlen(text), &why);
	add_detached(p, names);
}

enum plugpkg_code
pp_installed_release_among(const struct pp_installed *p, struct pp_ranges *known,
    struct pp_release **out, plugpkg_error **err)
{
	const struct pp_fields f = {
		.json = p->manifest,
		.where = "var/state.db",
		.code = PLUGPKG_E_BAD_STATE,
		.ranges = known,
		.err = err,
	};
	enum plugpkg_code rc = pp_release_read(&f, p->name, out);

	pp_vec_foreach (name, &p->detached)
		if (rc == PLUGPKG_OK)
			pp_release_detach(*out, *name);
	return rc;
}

enum plugpkg_code
pp_installed_release(const struct pp_installed *p, struct pp_release **out, plugpkg_error **err)
{
	return pp_installed_release_among(p, NULL, out, err);
}

static void
add_name(struct pp_buf *out, const char *name)
{
	pp_buf_adds(out, ",\"");
	pp_buf_adds(out, name);
	pp_buf_adds(out, "\":");
}

static void
add_text(struct pp_buf *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	add_name(out, name);
	pp_json_add_string(out, text);
}

static void
add_bool(struct pp_buf *out, const char *name, bool value)
{
	add_name(out, name);
	pp_buf_adds(out, value ? "true" : "false");
}

static void
add_number(struct pp_buf *out, const char *name, int64_t value)
{
	add_name(out, name);
	pp_buf_addf(out, "%" PRId64, value);
}

/* Written straight, not by a tree: of hundreds of plugins, and several times a transaction. */
char *
pp_installed_text(struct pp_state *s, const struct pp_installed *p)
{
	PP_AUTO_FREE char *detached = pp_installed_detached_text(p);
	PP_AUTO_FREE char *own = s == NULL ? pp_json_line(p->manifest) : NULL;
	struct pp_buf out = PP_BUF_INIT(SIZE_MAX / 2);

	pp_buf_adds(&out, "{\"key\":");
	pp_json_add_string(&out, p->key);
	add_text(&out, "name", p->name);
	add_text(&out, "version", p->version);
	add_text(&out, "source", p->source);
	add_text(&out, "state", p->state);
	add_bool(&out, "manual", p->manual);
	add_bool(&out, "hold", p->hold);
	add_number(&out, "hold_until", p->hold_until);
	if (p->is_disabled)
		add_bool(&out, "disabled", true);
	add_text(&out, "blocked_by", p->blocked_by);
	add_text(&out, "skipped", p->skipped);
	add_text(&out, "sha256", p->sha256);
	add_text(&out, "tree_sha256", p->tree_sha256);
	add_text(&out, "link", p->link_dir);
	if (detached != NULL) {
		pp_buf_adds(&out, ",\"detached\":");
		pp_buf_adds(&out, detached);
	}
	pp_buf_adds(&out, ",\"manifest\":");
	pp_buf_adds(&out, s != NULL ? pp_manifests_text(s, p->key, p->manifest) : own);
	add_number(&out, "bytes", (int64_t)p->bytes);
	add_number(&out, "files", (int64_t)p->files);
	add_number(&out, "installed_at", p->installed_at);
	add_number(&out, "transaction", p->transaction);
	pp_buf_adds(&out, "}");
	return pp_buf_steal(&out);
}

static void
auto_installed(struct pp_installed **p)
{
	pp_installed_free(*p);
}

enum plugpkg_code
pp_installed_from_json(const pp_json *j, struct pp_installed **out, plugpkg_error **err)
{
	PP_CLEANUP(auto_installed) struct pp_installed *p = pp_xcalloc(1, sizeof(*p));
	const pp_json *manifest = pp_json_get(j, "manifest");

	p->key = pp_xstrdup(pp_json_get_str(j, "key"));
	p->name = pp_xstrdup(pp_json_get_str(j, "name"));
	p->version = pp_xstrdup(pp_json_get_str(j, "version"));
	p->source = pp_xstrdup(pp_json_get_str(j, "source"));
	p->state = pp_xstrdup(pp_json_get_str(j, "state"));
	p->manual = pp_json_get_bool(j, "manual");
	p->hold = pp_json_get_bool(j, "hold");
	p->hold_until = pp_json_get_int(j, "hold_until", 0);
	p->is_disabled = pp_json_get_bool(j, "disabled");
	p->blocked_by = pp_xstrdup(pp_json_get_str(j, "blocked_by"));
	p->skipped = pp_xstrdup(pp_json_get_str(j, "skipped"));
	p->sha256 = pp_xstrdup(pp_json_get_str(j, "sha256"));
	p->tree_sha256 = pp_xstrdup(pp_json_get_str(j, "tree_sha256"));
	p->link_dir = pp_xstrdup(pp_json_get_str(j, "link"));
	add_detached(p, pp_json_get(j, "detached"));
	p->manifest = manifest != NULL ? pp_json_ref(manifest) : NULL;
	p->bytes = (uint64_t)pp_json_get_int(j, "bytes", 0);
	p->files = (uint64_t)pp_json_get_int(j, "files", 0);
	p->installed_at = pp_json_get_int(j, "installed_at", 0);
	p->transaction = pp_json_get_int(j, "transaction", 0);
	if (p->key == NULL || p->name == NULL || p->version == NULL || p->source == NULL ||
	    p->state == NULL || p->sha256 == NULL || p->tree_sha256 == NULL || p->manifest == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "var/state.db holds a damaged record of plugin '%s'",
		    p->key != NULL ? p->key : "?");
	*out = pp_steal(&p);
	return PLUGPKG_OK;
}

pp_json *
pp_blocked_by_json(const struct pp_installed *p)
{
	struct pp_str rest = pp_str_of(p->blocked_by != NULL ? p->blocked_by : ""), key;
	pp_json *keys = p->blocked_by != NULL ? pp_json_array() : NULL;

	while (keys != NULL && pp_str_cut(&rest, ' ', &key)) {
		PP_AUTO_FREE char *text = pp_xstrndup(key.p, key.n);
		pp_json_push_str(keys, text);
	}
	return keys;
}
