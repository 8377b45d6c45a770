/* SPDX-License-Identifier: MIT */
/* The search for a target through delegations (TUF specification section 5.6.7). */
#include "lib/trust/tuf_delegation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "lib/trust/crypto.h"
#include "lib/trust/tuf_set.h"

/*
 * Going back to the last star is enough: a star ends at `/`, so earlier ones have no other choice.
 */
bool
pp_tuf_glob(const char *pattern, const char *path)
{
	const char *star = NULL, *resume = NULL;

	while (*path != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			resume = path;
		} else if (*pattern == *path || (*pattern == '?' && *path != '/')) {
			pattern++;
			path++;
		} else if (star != NULL && *resume != '/') {
			path = ++resume;
			pattern = star;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
pp_tuf_delegation_covers(const pp_json *delegation, const char *path)
{
	const pp_json *globs = pp_json_get(delegation, "paths");
	const pp_json *prefixes = pp_json_get(delegation, "path_hash_prefixes");
	char digest[65];

	for (size_t i = 0; i < pp_json_len(globs); i++) {
		if (pp_tuf_glob(pp_json_string(pp_json_at(globs, i)), path))
			return true;
	}
	if (prefixes == NULL)
		return false;
	pp_sha256_hex(path, strlen(path), digest);
	for (size_t i = 0; i < pp_json_len(prefixes); i++) {
		if (pp_starts_with(digest, pp_json_string(pp_json_at(prefixes, i))))
			return true;
	}
	return false;
}

const pp_json *
pp_tuf_delegation_of(const struct pp_meta *delegator, const char *role)
{
	const pp_json *roles = pp_json_get(pp_json_get(delegator->body, "delegations"), "roles");

	for (size_t i = 0; i < pp_json_len(roles); i++) {
		const pp_json *d = pp_json_at(roles, i);
		if (strcmp(pp_json_get_str(d, "name"), role) == 0)
			return d;
	}
	return NULL;
}

/* ---- the walk ---- */

struct stop {
	const char *role; /* borrowed from the delegator's metadata */
	const struct pp_meta *delegator;
};

struct search {
	struct pp_tuf *t;
	const char *path;
	pp_tuf_load_fn load;
	void *user;
	struct stops pp_vec(struct stop) open; /* the next to visit is the last */
	struct pp_map visited;
	size_t n_visited;
};

static void
search_fini(struct search *s)
{
	pp_vec_free(&s->open);
	pp_map_fini(&s->visited, NULL);
}

static enum plugpkg_code
load_role(struct search *s, const struct stop *at, const struct pp_meta **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *id = pp_tuf_role_id(at->role, at->delegator);
	enum plugpkg_code rc = PLUGPKG_OK;

	*out = pp_map_get(&s->t->targets, id);
	if (*out == NULL)
		rc = s->load(s->user, at->role, at->delegator, err);
	if (rc == PLUGPKG_OK && *out == NULL)
		*out = pp_map_get(&s->t->targets, id);
	if (rc == PLUGPKG_OK && *out == NULL)
		rc = pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "role '%s' was not loaded", at->role);
	return rc;
}

/* Children go on the stack in reverse, so that the first is visited first. */
static void
push_children(struct search *s, const struct pp_meta *m)
{
	const pp_json *roles = pp_json_get(pp_json_get(m->body, "delegations"), "roles");
	size_t last = pp_json_len(roles);

	for (size_t i = 0; i < pp_json_len(roles); i++) {
		const pp_json *d = pp_json_at(roles, i);
		if (!pp_json_get_bool(d, "terminating") || !pp_tuf_delegation_covers(d, s->path))
			continue;
		/* Nothing after a terminating delegation is looked at, on no level above either. */
		s->open.n = 0;
		last = i + 1;
		break;
	}
	for (size_t i = last; i > 0; i--) {
		const pp_json *d = pp_json_at(roles, i - 1);
		if (pp_tuf_delegation_covers(d, s->path))
			pp_vec_push(&s->open, ((struct stop){ pp_json_get_str(d, "name"), m }));
	}
}

static enum plugpkg_code
read_target(const pp_json *entry, const char *path, struct pp_tuf_target *out, plugpkg_error **err)
{
	const pp_json *hashes = pp_json_get(entry, "hashes");
	const char *sha256 = pp_json_get_str(hashes, "sha256");
	const char *sha512 = pp_json_get_str(hashes, "sha512");

	if (sha256 == NULL && sha512 == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "target '%s' has only digests that are not known here, sha256 or sha512 is due",
		    path);
	if (sha512 != NULL && strlen(sha512) != sizeof(out->sha512) - 1)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "target '%s': the sha512 has not 128 hexadecimal digits", path);
	*out = (struct pp_tuf_target){ .length = (uint64_t)pp_json_get_int(entry, "length", 0) };
	if (sha256 != NULL)
		memcpy(
		    out->sha256, sha256, sizeof(out->sha256)); /* 64 digits: checked when parsed */
	if (sha512 != NULL)
		memcpy(out->sha512, sha512, sizeof(out->sha512));
	return PLUGPKG_OK;
}

/* One role. *out_entry stays NULL when it does not list the path. */
static enum plugpkg_code
visit(struct search *s, const pp_json **out_entry, plugpkg_error **err)
{
	struct stop at = s->open.at[--s->open.n];
	const struct pp_meta *m = NULL;

	if (pp_map_has(&s->visited, at.role))
		return PLUGPKG_OK;
	if (s->n_visited > PP_TUF_MAX_DELEGATIONS)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "no target '%s' in the first %d delegated roles", s->path,
		    PP_TUF_MAX_DELEGATIONS);
	enum plugpkg_code rc = load_role(s, &at, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	(void)pp_map_put(&s->visited, at.role);
	s->n_visited++;
	*out_entry = pp_json_get(pp_json_get(m->body, "targets"), s->path);
	if (*out_entry == NULL)
		push_children(s, m);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_tuf_find(struct pp_tuf *t, const char *path, pp_tuf_load_fn load, void *user,
    struct pp_tuf_target *out, plugpkg_error **err)
{
	PP_CLEANUP(search_fini)
	struct search s = { .t = t, .path = path, .load = load, .user = user };
	const pp_json *entry = NULL;

	pp_vec_push(&s.open, ((struct stop){ "targets", NULL }));
	while (s.open.n > 0 && entry == NULL) {
		enum plugpkg_code rc = visit(&s, &entry, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	if (entry == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no target '%s'", path);
	return read_target(entry, path, out, err);
}
