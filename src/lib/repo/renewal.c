/* SPDX-License-Identifier: MIT */
/* What waits in pending/: files, and the signatures under them. */
#include "lib/repo/renewal.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/repo/metadata.h"

#include <errno.h>
#include <string.h>

#define PENDING_DIR "pending"
/* {"root","targets"} while both are being replaced: counts, whatever the files of each hold. */
#define PENDING_BOTH PENDING_DIR "/both.json"
#define BUNDLE_TYPE  "plugpkg-signing"

static const enum pp_role offline_roles[] = { PP_ROLE_ROOT, PP_ROLE_TARGETS };

void
pp_renewal_fini(struct pp_renewal *r)
{
	pp_json_free(r->root_now);
	pp_json_free(r->targets_now);
	pp_json_free(r->root);
	pp_json_free(r->targets);
	pp_json_free(r->keys);
	*r = (struct pp_renewal){ 0 };
}

static const pp_json *
body_of(const pp_json *file)
{
	return pp_json_get(file, "signed");
}

pp_json *
pp_renewal_waiting(const struct pp_renewal *r, enum pp_role role)
{
	return role == PP_ROLE_ROOT ? r->root : r->targets;
}

const pp_json *
pp_renewal_now(const struct pp_renewal *r, enum pp_role role)
{
	return role == PP_ROLE_ROOT ? r->root_now : r->targets_now;
}

static char *
pending_path(enum pp_role role)
{
	return pp_asprintf(PENDING_DIR "/%s.json", pp_role_names[role]);
}

/* ---- files ---- */

static bool
is_file(const pp_json *file)
{
	return pp_json_is(body_of(file), PP_JSON_OBJECT) &&
	       pp_json_is(pp_json_get(file, "signatures"), PP_JSON_ARRAY);
}

static enum plugpkg_code
damaged(const char *path, const char *why, plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s' is damaged: %s", path, why);
	return pp_hint(
	    err, PLUGPKG_E_BAD_STATE, "delete " PENDING_DIR "/ and give the key commands again");
}

/* *out stays NULL where there is none. */
static enum plugpkg_code
read_json(plugpkg_repo *repo, const char *path, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(2 * PP_METADATA_MAX_BYTES);
	struct pp_json_error why = { .text = "" };

	int r = pp_read_file_at(repo->dir_fd, path, &text);
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	*out = pp_json_parse(pp_buf_cstr(&text), text.n, &why);
	return *out != NULL ? PLUGPKG_OK : damaged(path, why.text, err);
}

static enum plugpkg_code
read_pending(plugpkg_repo *repo, enum pp_role role, pp_json **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pending_path(role);
	PP_AUTO_JSON pp_json *file = NULL;

	enum plugpkg_code rc = read_json(repo, path, &file, err);
	if (rc != PLUGPKG_OK || file == NULL)
		return rc;
	if (!is_file(file))
		return damaged(path, "no 'signed' object", err);
	*out = pp_steal(&file);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_waiting(plugpkg_repo *repo, struct pp_renewal *out, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *both = NULL;

	enum plugpkg_code rc = read_json(repo, PENDING_BOTH, &both, err);
	if (rc == PLUGPKG_OK && both == NULL) {
		rc = read_pending(repo, PP_ROLE_ROOT, &out->root, err);
		return rc == PLUGPKG_OK ? read_pending(repo, PP_ROLE_TARGETS, &out->targets, err)
					: rc;
	}
	const pp_json *root = pp_json_get(both, "root"), *targets = pp_json_get(both, "targets");
	if (rc != PLUGPKG_OK)
		return rc;
	if (!is_file(root) || !is_file(targets))
		return damaged(PENDING_BOTH, "no root and targets", err);
	out->root = pp_json_copy(root);
	out->targets = pp_json_copy(targets);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_renewal_read(plugpkg_repo *repo, struct pp_renewal *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_root_fini) struct pp_root root = { 0 };
	struct pp_published now;
	const pp_json *body;

	enum plugpkg_code rc = pp_root_read(repo, &root, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_recorded(repo, &now, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_load(repo, &now, PP_ROLE_TARGETS, &out->targets_now, &body, err);
	if (rc == PLUGPKG_OK)
		rc = pp_keyring_read(repo, &out->keys, err);
	if (rc == PLUGPKG_OK)
		rc = read_waiting(repo, out, err);
	out->root_now = pp_steal(&root.file);
	return rc;
}

static int
write_json(plugpkg_repo *repo, const char *path, const pp_json *j)
{
	PP_AUTO_FREE char *text = pp_json_pretty(j);

	return pp_write_file_at(repo->dir_fd, path, text, strlen(text), 0644);
}

static int
write_each(plugpkg_repo *repo, const struct pp_renewal *r)
{
	int n = 0;

	for (size_t i = 0; n == 0 && i < PP_LEN(offline_roles); i++) {
		const pp_json *file = pp_renewal_waiting(r, offline_roles[i]);
		PP_AUTO_FREE char *path = pending_path(offline_roles[i]);
		if (file != NULL)
			n = write_json(repo, path, file);
	}
	return n;
}

/* A new online key stands in both files: one without the other leads clients nowhere. */
static int
write_both(plugpkg_repo *repo, const struct pp_renewal *r)
{
	PP_AUTO_JSON pp_json *both = pp_json_object();

	pp_json_set(both, "root", pp_json_ref(r->root));
	pp_json_set(both, "targets", pp_json_ref(r->targets));
	int n = write_json(repo, PENDING_BOTH, both);
	/* From here on it is done: what stays of this counts until somebody writes again. */
	if (n == 0 && write_each(repo, r) == 0)
		PP_IGNORE(pp_unlinkat(repo->dir_fd, PENDING_BOTH, 0));
	return n;
}

enum plugpkg_code
pp_renewal_write(plugpkg_repo *repo, const struct pp_renewal *r, plugpkg_error **err)
{
	int n = pp_mkdirs_at(repo->dir_fd, PENDING_DIR, 0755);

	if (n == 0)
		n = r->root != NULL && r->targets != NULL ? write_both(repo, r)
							  : write_each(repo, r);
	if (n < 0)
		return pp_fail(err, PLUGPKG_E_IO, -n, "cannot write to '" PENDING_DIR "/'");
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_renewal_delete(plugpkg_repo *repo, plugpkg_error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PP_LEN(offline_roles); i++) {
		PP_AUTO_FREE char *path = pending_path(offline_roles[i]);
		if (pp_unlinkat(repo->dir_fd, path, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	/* Last, and after the others for good: they may hold what it replaced. */
	if (r == 0 && pp_exists_at(repo->dir_fd, PENDING_BOTH) == 1) {
		r = pp_sync_dir_at(repo->dir_fd, PENDING_DIR);
		if (r == 0 && pp_unlinkat(repo->dir_fd, PENDING_BOTH, 0) < 0)
			r = -errno;
	}
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot empty '" PENDING_DIR "/'");
	return PLUGPKG_OK;
}

/* ---- the file that is carried around ---- */

static void
set_if(pp_json *j, const char *member, const pp_json *value)
{
	if (value != NULL)
		pp_json_set(j, member, pp_json_ref(value));
}

pp_json *
pp_renewal_to_json(const struct pp_renewal *r, const char *repository)
{
	pp_json *j = pp_json_object();

	pp_json_set_str(j, "_type", BUNDLE_TYPE);
	pp_json_set_str(j, "repository", repository);
	pp_json_set(j, "keys", pp_json_ref(r->keys));
	pp_json_set(j, "root_now", pp_json_ref(r->root_now));
	pp_json_set(j, "targets_now", pp_json_ref(r->targets_now));
	set_if(j, "root", r->root);
	set_if(j, "targets", r->targets);
	return j;
}

static pp_json *
file_member(const pp_json *j, const char *member)
{
	const pp_json *file = pp_json_get(j, member);

	return is_file(file) ? pp_json_copy(file) : NULL;
}

enum plugpkg_code
pp_renewal_from_json(
    const pp_json *j, const char *where, struct pp_renewal *out, plugpkg_error **err)
{
	const char *type = pp_json_get_str(j, "_type");
	const pp_json *keys = pp_json_get(j, "keys");

	if (type == NULL || strcmp(type, BUNDLE_TYPE) != 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "'%s' is not what plugpkg-repo sign --export writes", where);
	out->keys = pp_json_is(keys, PP_JSON_OBJECT) ? pp_json_copy(keys) : pp_json_object();
	out->root_now = file_member(j, "root_now");
	out->targets_now = file_member(j, "targets_now");
	out->root = file_member(j, "root");
	out->targets = file_member(j, "targets");
	if (out->root_now == NULL || out->targets_now == NULL ||
	    (out->root == NULL && out->targets == NULL))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'%s' holds nothing to sign", where);
	return PLUGPKG_OK;
}

/* ---- changing ---- */

static int64_t
version_of(const pp_json *file)
{
	return pp_json_get_int(body_of(file), "version", 0);
}

/* Is a publish between its timestamp and its root? Then that root counts already. */
static enum plugpkg_code
find_shown(plugpkg_repo *repo, enum pp_role role, int64_t version, bool *out, plugpkg_error **err)
{
	struct pp_record record;

	enum plugpkg_code rc = pp_record_read(repo, &record, err);
	*out |= record.before[role].version > 0 && record.now[role].version >= version;
	return rc;
}

enum plugpkg_code
pp_renewal_edit(plugpkg_repo *repo, struct pp_renewal *r, enum pp_role role, pp_json **out_body,
    plugpkg_error **err)
{
	pp_json **place = role == PP_ROLE_ROOT ? &r->root : &r->targets;
	int64_t now = version_of(pp_renewal_now(r, role));
	bool is_shown = *place != NULL && version_of(*place) != now + 1;

	enum plugpkg_code rc = PLUGPKG_OK;
	if (*place != NULL)
		rc = find_shown(repo, role, now + 1, &is_shown, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (is_shown) {
		pp_fail(err, PLUGPKG_E_EXISTS, 0, "the %s that waits is published in part already",
		    pp_role_names[role]);
		return pp_hint(err, PLUGPKG_E_EXISTS, "finish it first: plugpkg-repo publish");
	}
	if (*place == NULL)
		*place = pp_json_copy(pp_renewal_now(r, role));
	pp_json_set(*place, "signatures", pp_json_array());
	*out_body = pp_json_get(*place, "signed");
	pp_body_complete(repo, role, now + 1, *out_body);
	return PLUGPKG_OK;
}

/* ---- signatures ---- */

static bool
canonical(const pp_json *file, struct pp_buf *out)
{
	return pp_json_canonical(body_of(file), out) == 0 && !out->overflow;
}

/* Is there a signature with that keyid that verifies with the key of that id? */
static bool
is_good(const pp_json *file, const struct pp_buf *text, const pp_json *keys, const char *id)
{
	const pp_json *key = pp_json_get(keys, id), *list = pp_json_get(file, "signatures");
	char real_id[65];

	/* A key under another name could count twice. */
	if (key == NULL || pp_key_id(key, real_id) < 0 || strcmp(real_id, id) != 0)
		return false;
	for (size_t i = 0; i < pp_json_len(list); i++) {
		const char *by = pp_json_get_str(pp_json_at(list, i), "keyid");
		const char *sig = pp_json_get_str(pp_json_at(list, i), "sig");
		if (by != NULL && strcmp(by, id) == 0 && pp_key_verify(key, text->s, text->n, sig))
			return true;
	}
	return false;
}

static bool
lists(const pp_json *role, const char *id)
{
	return pp_json_find_str(pp_json_get(role, "keyids"), id) >= 0;
}

static void
count(const pp_json *file, const struct pp_buf *text, struct pp_demand *d)
{
	const pp_json *ids = pp_json_get(d->role, "keyids");

	d->good = 0;
	d->threshold = pp_json_get_int(d->role, "threshold", 1);
	for (size_t i = 0; i < pp_json_len(ids); i++) {
		const char *id = pp_json_string(pp_json_at(ids, i));
		d->good += id != NULL && is_good(file, text, d->keys, id);
	}
}

static struct pp_demand
demand(const pp_json *root, const char *role)
{
	return (struct pp_demand){
		.keys = pp_json_get(body_of(root), "keys"),
		.role = pp_json_get(pp_json_get(body_of(root), "roles"), role),
	};
}

size_t
pp_renewal_demands(const struct pp_renewal *r, enum pp_role role, struct pp_demand out[2])
{
	const pp_json *file = pp_renewal_waiting(r, role);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	size_t n = 0;

	if (file == NULL || !canonical(file, &text))
		return 0;
	if (role == PP_ROLE_ROOT)
		out[n++] = demand(r->root_now, "root");
	out[n++] = demand(r->root != NULL ? r->root : r->root_now, pp_role_names[role]);
	for (size_t i = 0; i < n; i++)
		count(file, &text, &out[i]);
	return n;
}

size_t
pp_renewal_missing(const struct pp_renewal *r, enum pp_role role)
{
	struct pp_demand demands[2];
	size_t missing = 0;

	for (size_t i = 0, n = pp_renewal_demands(r, role, demands); i < n; i++) {
		int64_t left = demands[i].threshold - (int64_t)demands[i].good;
		if (left > 0 && (size_t)left > missing)
			missing = (size_t)left;
	}
	return missing;
}

bool
pp_renewal_agree(const pp_json *root, const pp_json *targets, const char *online_id)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	struct pp_demand d = demand(root, pp_role_names[PP_ROLE_TARGETS]);
	const pp_json *delegations = pp_json_get(body_of(targets), "delegations");
	const pp_json *index = pp_json_at(pp_json_get(delegations, "roles"), 0);

	if (!canonical(targets, &text))
		return false;
	count(targets, &text, &d);
	return (int64_t)d.good >= d.threshold && lists(index, online_id) &&
	       pp_json_get(pp_json_get(delegations, "keys"), online_id) != NULL;
}

bool
pp_renewal_has_signed(const struct pp_renewal *r, enum pp_role role, const char *id)
{
	const pp_json *file = pp_renewal_waiting(r, role);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	struct pp_demand demands[2];

	for (size_t i = 0, n = pp_renewal_demands(r, role, demands); i < n; i++)
		if (canonical(file, &text) && is_good(file, &text, demands[i].keys, id))
			return true;
	return false;
}

static bool
counts(const struct pp_renewal *r, enum pp_role role, const char *id)
{
	struct pp_demand demands[2];

	for (size_t i = 0, n = pp_renewal_demands(r, role, demands); i < n; i++)
		if (lists(demands[i].role, id))
			return true;
	return false;
}

/* Takes the place of one with the same keyid: two of them would make the file invalid. Moved. */
static void
put_signature(pp_json *file, pp_json *signature)
{
	const pp_json *was = pp_json_get(file, "signatures");
	const char *id = pp_json_get_str(signature, "keyid");
	pp_json *list = pp_json_array();

	for (size_t i = 0; i < pp_json_len(was); i++) {
		const char *here = pp_json_get_str(pp_json_at(was, i), "keyid");
		if (here == NULL || strcmp(here, id) != 0)
			pp_json_push(list, pp_json_ref(pp_json_at(was, i)));
	}
	pp_json_push(list, signature);
	pp_json_set(file, "signatures", list);
}

enum plugpkg_code
pp_renewal_sign(
    struct pp_renewal *r, const struct pp_signer *signer, size_t *out_n, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(offline_roles); i++) {
		pp_json *file = pp_renewal_waiting(r, offline_roles[i]);
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
		pp_json *signature = NULL;
		if (file == NULL || !counts(r, offline_roles[i], signer->id) ||
		    !canonical(file, &text))
			continue;
		rc = pp_signer_sign(signer, text.s, text.n, &signature, err);
		if (rc == PLUGPKG_OK)
			put_signature(file, signature);
		*out_n += rc == PLUGPKG_OK;
	}
	return rc;
}

static enum plugpkg_code
merge_role(struct pp_renewal *r, const struct pp_renewal *from, enum pp_role role, size_t *out_n,
    plugpkg_error **err)
{
	pp_json *file = pp_renewal_waiting(r, role);
	const pp_json *other = pp_renewal_waiting(from, role);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_METADATA_MAX_BYTES);
	const pp_json *list = pp_json_get(other, "signatures");
	struct pp_demand demands[2];

	if (other == NULL)
		return PLUGPKG_OK;
	if (file == NULL || !pp_json_equal(body_of(file), body_of(other))) {
		pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "what was signed there is not the %s that waits here", pp_role_names[role]);
		return pp_hint(err, PLUGPKG_E_DIGEST,
		    "it was changed after the export: carry it over anew with plugpkg-repo sign "
		    "--export");
	}
	if (!canonical(file, &text))
		return PLUGPKG_OK;
	size_t n = pp_renewal_demands(r, role, demands);
	for (size_t i = 0; i < pp_json_len(list); i++) {
		const pp_json *signature = pp_json_at(list, i);
		const char *id = pp_json_get_str(signature, "keyid");
		bool good = false;
		for (size_t d = 0; id != NULL && d < n; d++)
			good |= lists(demands[d].role, id) &&
				is_good(other, &text, demands[d].keys, id);
		if (!good || pp_renewal_has_signed(r, role, id))
			continue;
		put_signature(file, pp_json_copy(signature));
		++*out_n;
	}
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_renewal_merge(
    struct pp_renewal *r, const struct pp_renewal *from, size_t *out_n, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < PP_LEN(offline_roles); i++)
		rc = merge_role(r, from, offline_roles[i], out_n, err);
	return rc;
}
