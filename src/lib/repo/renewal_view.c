/* SPDX-License-Identifier: MIT */
/* What waits for signatures, told as rows: who signs, and what a signature agrees to. */
#include "base/map.h"
#include "base/mem.h"
#include "lib/model/context.h"
#include "lib/repo/renewal.h"

#include <inttypes.h>
#include <string.h>

#define CHANGE_MAX_BYTES 65536

char *
pp_renewal_key_name(const struct pp_renewal *r, const char *id)
{
	const char *name = pp_keyring_name_of(r->keys, id);

	return name != NULL ? pp_xstrdup(name) : pp_asprintf("%.12s", id);
}

/* "targets", or of a role of root "root: timestamp". */
struct comparing {
	const struct pp_renewal *r;
	pp_json *changes;
};

/* Those keys of `a` that `b` has not, as "word NAME (ID)". */
static void
add_difference(
    struct comparing *c, const pp_json *a, const pp_json *b, const char *word, struct pp_buf *out)
{
	const pp_json *ids = pp_json_get(a, "keyids");

	for (size_t i = 0; i < pp_json_len(ids); i++) {
		const char *id = pp_json_string(pp_json_at(ids, i));
		if (id == NULL || pp_json_find_str(pp_json_get(b, "keyids"), id) >= 0)
			continue;
		PP_AUTO_FREE char *name = pp_renewal_key_name(c->r, id);
		pp_buf_addf(out, "%s%s key %s (%.12s)", out->n > 0 ? ", " : "", word, name, id);
	}
}

static void
compare(struct comparing *c, const char *title, const pp_json *was, const pp_json *now)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CHANGE_MAX_BYTES);
	int64_t before = pp_json_get_int(was, "threshold", 0);
	int64_t after = pp_json_get_int(now, "threshold", 0);

	add_difference(c, was, now, "without", &text);
	add_difference(c, now, was, "with", &text);
	if (before != after)
		pp_buf_addf(&text, "%sthreshold %" PRId64 " instead of %" PRId64,
		    text.n > 0 ? ", " : "", after, before);
	if (text.n == 0)
		return;
	PP_AUTO_FREE char *line = pp_asprintf("%s: %s", title, pp_buf_cstr(&text));
	pp_json_push_str(c->changes, line);
}

static const pp_json *
delegation(const pp_json *file)
{
	const pp_json *roles =
	    pp_json_get(pp_json_get(pp_json_get(file, "signed"), "delegations"), "roles");

	return pp_json_at(roles, 0);
}

static pp_json *
changes_of(const struct pp_renewal *r, enum pp_role role)
{
	struct comparing c = { .r = r, .changes = pp_json_array() };
	const pp_json *was = pp_json_get(pp_renewal_now(r, role), "signed");
	const pp_json *now = pp_json_get(pp_renewal_waiting(r, role), "signed");
	const pp_json *roles = pp_json_get(now, "roles");

	for (void *it = pp_json_iter(roles); it != NULL; it = pp_json_next(roles, it))
		compare(&c, pp_json_iter_key(it),
		    pp_json_get(pp_json_get(was, "roles"), pp_json_iter_key(it)),
		    pp_json_iter_value(it));
	if (role == PP_ROLE_TARGETS)
		compare(&c, "index", delegation(pp_renewal_now(r, role)),
		    delegation(pp_renewal_waiting(r, role)));
	return c.changes;
}

/* Names of all keys whose signature counts, split by whether it stands there. */
static void
add_signers(const struct pp_renewal *r, enum pp_role role, pp_json *have, pp_json *can)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs seen = { 0 };
	struct pp_demand demands[2];

	for (size_t d = 0, n = pp_renewal_demands(r, role, demands); d < n; d++) {
		const pp_json *ids = pp_json_get(demands[d].role, "keyids");
		for (size_t i = 0; i < pp_json_len(ids); i++) {
			const char *id = pp_json_string(pp_json_at(ids, i));
			bool is_told = id == NULL;
			for (size_t k = 0; !is_told && k < seen.n; k++)
				is_told = strcmp(seen.at[k], id) == 0;
			if (is_told)
				continue;
			pp_strs_add(&seen, id);
			PP_AUTO_FREE char *name = pp_renewal_key_name(r, id);
			pp_json_push_str(pp_renewal_has_signed(r, role, id) ? have : can, name);
		}
	}
}

void
pp_renewal_send(const struct pp_renewal *r, plugpkg_row_fn row, void *user)
{
	static const enum pp_role roles[] = { PP_ROLE_ROOT, PP_ROLE_TARGETS };

	for (size_t i = 0; i < PP_LEN(roles); i++) {
		const pp_json *file = pp_renewal_waiting(r, roles[i]);
		const pp_json *body = pp_json_get(file, "signed");
		if (file == NULL)
			continue;
		pp_json *j = pp_row_new("signing"), *have = pp_json_array(), *can = pp_json_array();
		add_signers(r, roles[i], have, can);
		pp_json_set_str(j, "role", pp_role_names[roles[i]]);
		pp_json_set_int(j, "version", pp_json_get_int(body, "version", 0));
		pp_json_set_str(j, "expires", pp_json_get_str(body, "expires"));
		pp_json_set(j, "changes", changes_of(r, roles[i]));
		pp_json_set_int(j, "missing", (int64_t)pp_renewal_missing(r, roles[i]));
		pp_json_set(j, "signed_by", have);
		pp_json_set(j, "can_sign", can);
		pp_row(row, user, j);
	}
}
