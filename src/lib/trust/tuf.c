/* SPDX-License-Identifier: MIT */
/*
 * The trusted set: which metadata follows from which (TUF specification sections 5.3 to 5.6). Every
 * function either trusts the whole new file or leaves the set as it was.
 */
#include "lib/trust/tuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "lib/trust/tuf_delegation.h"
#include "lib/trust/tuf_set.h"

static void
free_meta(void *m)
{
	pp_meta_free(m);
}

static void
forget_targets(struct pp_tuf *t)
{
	pp_map_fini(&t->targets, free_meta);
	t->targets = (struct pp_map){ 0 };
}

/* Takes m (moved) in the place of what was there. */
static void
replace(struct pp_meta **place, struct pp_meta *m)
{
	pp_meta_free(*place);
	*place = m;
}

static enum plugpkg_code
check_expiry(const struct pp_tuf *t, const struct pp_meta *m, plugpkg_error **err)
{
	char expires[PP_TIME_TEXT];

	if (t->now < m->expires)
		return PLUGPKG_OK;
	pp_time_format(m->expires, expires);
	return pp_fail(err, PLUGPKG_E_EXPIRED, 0, "%s expired on %s", m->title, expires);
}

static enum plugpkg_code
rollback(const char *what, int64_t got, int64_t seen, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_ROLLBACK, 0,
	    "%s has version %lld, older than %lld seen before", what, (long long)got,
	    (long long)seen);
	return pp_hint(err, PLUGPKG_E_ROLLBACK,
	    "a mirror is out of date, or somebody replays old files; nothing was changed");
}

/* Who demands signatures of a file: which keys, how many of them. */
struct demand {
	const struct pp_meta *by;
	const char *title;
	const pp_json *keys, *role;
};

static enum plugpkg_code
verify(
    struct pp_proofs *proofs, const struct demand *d, const struct pp_meta *m, plugpkg_error **err)
{
	const char *by = d->by->digests.sha256, *file = m->digests.sha256;

	if (proofs != NULL && pp_proofs_has(proofs, by, m->role, file))
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_meta_verify(m, d->keys, d->role, d->title, err);
	if (rc == PLUGPKG_OK && proofs != NULL)
		pp_proofs_add(proofs, by, m->role, file);
	return rc;
}

/* Signed by what the root demands for this role? */
static enum plugpkg_code
verify_by_root(struct pp_proofs *proofs, const struct pp_meta *root, const struct pp_meta *m,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *title = pp_asprintf("root version %lld", (long long)root->version);
	const struct demand demand = {
		.by = root,
		.title = title,
		.keys = pp_json_get(root->body, "keys"),
		.role = pp_json_get(pp_json_get(root->body, "roles"), m->role),
	};

	return verify(proofs, &demand, m, err);
}

/* ---- root (5.3) ---- */

enum plugpkg_code
pp_tuf_new(const char *root, size_t n, int64_t now, struct pp_tuf **out, plugpkg_error **err)
{
	return pp_tuf_new_among(root, n, now, NULL, out, err);
}

enum plugpkg_code
pp_tuf_new_among(const char *root, size_t n, int64_t now, struct pp_proofs *proofs,
    struct pp_tuf **out, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = NULL;
	enum plugpkg_code rc = pp_meta_parse("root", PP_META_ROOT, root, n, &m, err);

	if (rc == PLUGPKG_OK)
		rc = verify_by_root(proofs, m, m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	struct pp_tuf *t = pp_xcalloc(1, sizeof(*t));
	t->now = now;
	t->proofs = proofs;
	t->root = pp_steal(&m);
	*out = t;
	return PLUGPKG_OK;
}

void
pp_tuf_free(struct pp_tuf *t)
{
	if (t == NULL)
		return;
	forget_targets(t);
	pp_meta_free(t->snapshot);
	pp_meta_free(t->timestamp);
	pp_meta_free(t->root);
	free(t);
}

enum plugpkg_code
pp_tuf_update_root(struct pp_tuf *t, const char *p, size_t n, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = NULL;
	enum plugpkg_code rc = pp_meta_parse("root", PP_META_ROOT, p, n, &m, err);

	if (rc == PLUGPKG_OK)
		rc = verify_by_root(t->proofs, t->root, m, err);
	if (rc == PLUGPKG_OK)
		rc = verify_by_root(t->proofs, m, m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (m->version <= t->root->version)
		return rollback("root", m->version, t->root->version + 1, err);
	if (m->version != t->root->version + 1)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "root has version %lld, %lld is due",
		    (long long)m->version, (long long)t->root->version + 1);
	replace(&t->root, pp_steal(&m));
	replace(&t->timestamp, NULL);
	replace(&t->snapshot, NULL);
	forget_targets(t);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_tuf_check_root(const struct pp_tuf *t, plugpkg_error **err)
{
	return check_expiry(t, t->root, err);
}

/* ---- timestamp (5.4) ---- */

static const pp_json *
meta_entry(const struct pp_meta *m, const char *role)
{
	PP_AUTO_FREE char *file = pp_asprintf("%s.json", role);

	return m == NULL ? NULL : pp_json_get(pp_json_get(m->body, "meta"), file);
}

static int64_t
entry_version(const struct pp_meta *m, const char *role)
{
	return pp_json_get_int(meta_entry(m, role), "version", 0);
}

enum plugpkg_code
pp_tuf_check_timestamp(const struct pp_tuf *t, plugpkg_error **err)
{
	if (t->timestamp == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no timestamp is known");
	return check_expiry(t, t->timestamp, err);
}

enum plugpkg_code
pp_tuf_update_timestamp(struct pp_tuf *t, enum pp_tuf_origin origin, const char *p, size_t n,
    bool *out_is_new, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = NULL;
	enum plugpkg_code rc = pp_meta_parse("timestamp", PP_META_TIMESTAMP, p, n, &m, err);

	*out_is_new = false;
	if (rc == PLUGPKG_OK)
		rc = verify_by_root(t->proofs, t->root, m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (t->timestamp != NULL) {
		int64_t seen = entry_version(t->timestamp, "snapshot");
		if (m->version < t->timestamp->version)
			return rollback("timestamp", m->version, t->timestamp->version, err);
		if (m->version == t->timestamp->version)
			return origin == PP_TUF_LOCAL ? PLUGPKG_OK : pp_tuf_check_timestamp(t, err);
		if (entry_version(m, "snapshot") < seen)
			return rollback("the snapshot that timestamp names",
			    entry_version(m, "snapshot"), seen, err);
	}
	if (origin == PP_TUF_REMOTE) {
		rc = check_expiry(t, m, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	replace(&t->timestamp, pp_steal(&m));
	*out_is_new = true;
	return PLUGPKG_OK;
}

/* ---- snapshot (5.5) ---- */

/* Every role of the old snapshot is in the new one, with the same version or a later one. */
static enum plugpkg_code
check_roles_kept(const struct pp_meta *old, const struct pp_meta *m, plugpkg_error **err)
{
	const pp_json *before = pp_json_get(old->body, "meta");
	const pp_json *after = pp_json_get(m->body, "meta");

	for (void *it = pp_json_iter(before); it != NULL; it = pp_json_next(before, it)) {
		const char *file = pp_json_iter_key(it);
		const pp_json *now = pp_json_get(after, file);
		int64_t seen = pp_json_get_int(pp_json_iter_value(it), "version", 0);
		if (now == NULL)
			return pp_fail(err, PLUGPKG_E_ROLLBACK, 0,
			    "snapshot no longer lists '%s', which was seen before", file);
		if (pp_json_get_int(now, "version", 0) < seen) {
			PP_AUTO_FREE char *what = pp_asprintf("'%s' in snapshot", file);
			return rollback(what, pp_json_get_int(now, "version", 0), seen, err);
		}
	}
	return PLUGPKG_OK;
}

/* Is m the file that the parent names? Not only its name: version, length and digests. */
static enum plugpkg_code
check_named(const struct pp_meta *m, const struct pp_meta *parent, plugpkg_error **err)
{
	const pp_json *entry = meta_entry(parent, m->role);
	int64_t due = pp_json_get_int(entry, "version", 0);

	assert(parent != NULL); /* files are read from the top */
	if (m->version != due)
		return pp_fail(err, m->version < due ? PLUGPKG_E_ROLLBACK : PLUGPKG_E_BAD_METADATA,
		    0, "%s has version %lld, %s names %lld", m->title, (long long)m->version,
		    parent->title, (long long)due);
	return pp_digests_check(&m->digests, entry, m->title, err);
}

enum plugpkg_code
pp_tuf_check_snapshot(const struct pp_tuf *t, plugpkg_error **err)
{
	if (t->snapshot == NULL || t->timestamp == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no snapshot is known");

	enum plugpkg_code rc = check_named(t->snapshot, t->timestamp, err);
	return rc == PLUGPKG_OK ? check_expiry(t, t->snapshot, err) : rc;
}

enum plugpkg_code
pp_tuf_update_snapshot(
    struct pp_tuf *t, enum pp_tuf_origin origin, const char *p, size_t n, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;
	struct pp_digests digests;

	if (t->timestamp == NULL)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "no timestamp is known");
	/* Bytes from outside are not even parsed before their digest is right. */
	if (origin == PP_TUF_REMOTE) {
		pp_digests_of(p, n, &digests);
		rc = pp_digests_check(
		    &digests, meta_entry(t->timestamp, "snapshot"), "snapshot", err);
	}
	if (rc == PLUGPKG_OK)
		rc = pp_meta_parse("snapshot", PP_META_SNAPSHOT, p, n, &m, err);
	if (rc == PLUGPKG_OK)
		rc = verify_by_root(t->proofs, t->root, m, err);
	if (rc == PLUGPKG_OK && origin == PP_TUF_REMOTE)
		rc = check_named(m, t->timestamp, err);
	if (rc == PLUGPKG_OK && t->snapshot != NULL)
		rc = check_roles_kept(t->snapshot, m, err);
	if (rc == PLUGPKG_OK && origin == PP_TUF_REMOTE)
		rc = check_expiry(t, m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	replace(&t->snapshot, pp_steal(&m));
	forget_targets(t);
	return PLUGPKG_OK;
}

/* ---- targets (5.6) ---- */

char *
pp_tuf_encode(const char *role)
{
	static const char digits[] = "0123456789ABCDEF";
	struct pp_buf out = PP_BUF_INIT(3 * strlen(role));

	for (const char *c = role; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;
		bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
		if (is_letter || (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL) {
			pp_buf_addc(&out, *c);
		} else {
			pp_buf_addc(&out, '%');
			pp_buf_addc(&out, digits[byte >> 4]);
			pp_buf_addc(&out, digits[byte & 15]);
		}
	}
	return pp_buf_steal(&out);
}

/* Encoded names hold no blank, so the chain of delegators reads one way only. */
char *
pp_tuf_role_id(const char *role, const struct pp_meta *delegator)
{
	PP_AUTO_FREE char *name = pp_tuf_encode(role);

	return pp_asprintf("%s by %s", name, delegator != NULL ? delegator->id : "root");
}

static enum plugpkg_code
verify_by_delegator(const struct pp_tuf *t, const struct pp_meta *delegator,
    const struct pp_meta *m, plugpkg_error **err)
{
	if (delegator == NULL)
		return verify_by_root(t->proofs, t->root, m, err);

	const pp_json *role = pp_tuf_delegation_of(delegator, m->role);
	if (role == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s does not delegate to '%s'",
		    delegator->title, m->role);
	const struct demand demand = {
		.by = delegator,
		.title = delegator->title,
		.keys = pp_json_get(pp_json_get(delegator->body, "delegations"), "keys"),
		.role = role,
	};
	return verify(t->proofs, &demand, m, err);
}

enum plugpkg_code
pp_tuf_update_targets(struct pp_tuf *t, const char *role, const struct pp_meta *delegator,
    const char *p, size_t n, plugpkg_error **err)
{
	PP_AUTO(meta) struct pp_meta *m = NULL;
	struct pp_digests digests;
	struct pp_tuf_file named;
	enum plugpkg_code rc = pp_tuf_expect(t, role, &named, err);

	if (rc != PLUGPKG_OK)
		return rc;
	pp_digests_of(p, n, &digests);
	rc = pp_digests_check(&digests, meta_entry(t->snapshot, role), role, err);
	if (rc == PLUGPKG_OK)
		rc = pp_meta_parse(role, PP_META_TARGETS, p, n, &m, err);
	if (rc == PLUGPKG_OK)
		rc = verify_by_delegator(t, delegator, m, err);
	if (rc == PLUGPKG_OK)
		rc = check_named(m, t->snapshot, err);
	if (rc == PLUGPKG_OK)
		rc = check_expiry(t, m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	m->id = pp_tuf_role_id(role, delegator);
	void **place = pp_map_put(&t->targets, m->id);
	pp_meta_free(*place);
	*place = pp_steal(&m);
	return PLUGPKG_OK;
}

/* ---- facts ---- */

enum plugpkg_code
pp_tuf_expect(
    const struct pp_tuf *t, const char *role, struct pp_tuf_file *out, plugpkg_error **err)
{
	bool is_snapshot = strcmp(role, "snapshot") == 0;
	const struct pp_meta *parent = is_snapshot ? t->timestamp : t->snapshot;
	size_t most = is_snapshot ? PP_TUF_MAX_SNAPSHOT_BYTES : PP_TUF_MAX_TARGETS_BYTES;

	if (parent == NULL)
		return pp_fail(
		    err, PLUGPKG_E_NOT_FOUND, 0, "no metadata is known that names '%s'", role);
	const pp_json *entry = meta_entry(parent, role);
	if (entry == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s does not list role '%s'",
		    parent->title, role);
	/* The signed length is a better limit than the usual one, higher or lower. */
	int64_t length = pp_json_get_int(entry, "length", -1);
	out->version = pp_json_get_int(entry, "version", 0);
	if (length > PP_TUF_MAX_GIVEN_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s says that '%s' has %lld bytes, at most %d are sensible", parent->title,
		    role, (long long)length, PP_TUF_MAX_GIVEN_BYTES);
	out->max_bytes = length >= 0 ? (size_t)length : most;
	return PLUGPKG_OK;
}

int64_t
pp_tuf_version(const struct pp_tuf *t, const char *role)
{
	const struct pp_meta *top[] = { t->root, t->timestamp, t->snapshot };

	for (size_t i = 0; i < PP_LEN(top); i++) {
		if (top[i] != NULL && strcmp(top[i]->role, role) == 0)
			return top[i]->version;
	}
	pp_map_foreach (e, &t->targets) {
		const struct pp_meta *m = e->value;
		if (m != NULL && strcmp(m->role, role) == 0)
			return m->version;
	}
	return -1;
}

void
pp_tuf_roles(const struct pp_tuf *t, struct pp_strs *out)
{
	const struct pp_meta *below_root[] = { t->timestamp, t->snapshot };

	for (size_t i = 0; i < PP_LEN(below_root); i++)
		if (below_root[i] != NULL)
			pp_strs_add(out, below_root[i]->role);
	pp_map_foreach (e, &t->targets) {
		const struct pp_meta *m = e->value;
		if (m != NULL)
			pp_strs_add(out, m->role);
	}
	pp_strs_sort(out);
}

static void
add_digest(const struct pp_meta *m, struct pp_map *out)
{
	if (m != NULL)
		(void)pp_map_put(out, m->digests.sha256);
}

void
pp_tuf_digests(const struct pp_tuf *t, struct pp_map *out)
{
	add_digest(t->root, out);
	add_digest(t->timestamp, out);
	add_digest(t->snapshot, out);
	pp_map_foreach (e, &t->targets)
		add_digest(e->value, out);
}

int64_t
pp_tuf_expires(const struct pp_tuf *t)
{
	const struct pp_meta *below_root[] = { t->timestamp, t->snapshot };
	int64_t first = t->root->expires;

	for (size_t i = 0; i < PP_LEN(below_root); i++) {
		if (below_root[i] != NULL && below_root[i]->expires < first)
			first = below_root[i]->expires;
	}
	pp_map_foreach (e, &t->targets) {
		const struct pp_meta *m = e->value;
		if (m != NULL && m->expires < first)
			first = m->expires;
	}
	return first;
}

/* The last moment at which its renewal is not overdue. */
static int64_t
due_after(const struct pp_meta *m)
{
	int64_t hours = 7 * 24;

	if (strcmp(m->role, "timestamp") == 0)
		hours = 12;
	else if (strcmp(m->role, "snapshot") == 0)
		hours = 3 * 24;
	return m->expires - hours * 3600;
}

static void
look_if_due(const struct pp_tuf *t, const struct pp_meta *m, int64_t *expires)
{
	if (m != NULL && t->now > due_after(m) && m->expires < *expires)
		*expires = m->expires;
}

bool
pp_tuf_is_due(const struct pp_tuf *t, int64_t *out_expires)
{
	*out_expires = INT64_MAX;
	look_if_due(t, t->root, out_expires);
	look_if_due(t, t->timestamp, out_expires);
	look_if_due(t, t->snapshot, out_expires);
	pp_map_foreach (e, &t->targets)
		look_if_due(t, e->value, out_expires);
	return *out_expires != INT64_MAX;
}

int64_t
pp_tuf_due_after(const struct pp_tuf *t)
{
	const struct pp_meta *top[] = { t->root, t->timestamp, t->snapshot };
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < PP_LEN(top); i++)
		if (top[i] != NULL && due_after(top[i]) < first)
			first = due_after(top[i]);
	pp_map_foreach (e, &t->targets)
		if (e->value != NULL && due_after(e->value) < first)
			first = due_after(e->value);
	return first;
}

bool
pp_tuf_is_consistent_snapshot(const struct pp_tuf *t)
{
	return pp_json_get_bool(t->root->body, "consistent_snapshot");
}
