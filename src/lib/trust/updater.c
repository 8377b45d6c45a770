/* SPDX-License-Identifier: MIT */
/*
 * The moving half of the TUF client: asks mirrors, hands bytes to lib/trust/tuf.c, and keeps on
 * disk what that trusted. It decides only which mirror to ask and which of several failures to
 * report.
 */
#include "lib/trust/updater.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/trust/crypto.h"
#include "lib/trust/proofs.h"

struct pp_updater {
	struct pp_updater_spec spec;
	char *label;
	struct pp_tuf *tuf;
	struct pp_proofs proofs;
	size_t mirror;   /* the one that delivered last; asked first */
	bool *down;      /* mirrors that could not be reached during this refresh */
	bool is_offline; /* loaded only: no requests */
	int below_fd;    /* where local files of the roles below root are */
};

/* ---- local files ---- */

static char *
local_name(const char *role)
{
	PP_AUTO_FREE char *name = pp_tuf_encode(role);

	return pp_asprintf("%s.json", name);
}

/* NOT_FOUND when it is not there. */
static enum plugpkg_code
read_local(const struct pp_updater *u, const char *role, struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = local_name(role);
	bool is_root = strcmp(role, "root") == 0;
	int r = pp_read_file_at(is_root ? u->spec.dir_fd : u->below_fd, name, out);

	if (r == -ENOENT)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "'%s' was never fetched", name);
	if (r == -EFBIG)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "'%s' is too large", name);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", name);
	return PLUGPKG_OK;
}

/*
 * A local file that is missing or no longer verifies is as good as none, which lets version numbers
 * go back after new keys. One that cannot be read is another matter: going on would forget what was
 * seen before.
 */
static bool
is_void(enum plugpkg_code rc)
{
	return rc != PLUGPKG_E_IO && rc != PLUGPKG_E_PERMISSION && rc != PLUGPKG_E_NO_SPACE;
}

static enum plugpkg_code
write_local(
    const struct pp_updater *u, const char *role, const struct pp_buf *bytes, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = local_name(role);
	int r = pp_write_file_at(u->spec.dir_fd, name, pp_buf_cstr(bytes), bytes->n, 0644);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", name);
	return PLUGPKG_OK;
}

/* ---- mirrors ---- */

/* What to ask for, and who judges the answer. */
struct want {
	const char *role; /* names the local file */
	const struct pp_meta *delegator;
	const char *path;
	size_t max_bytes;
	bool may_be_missing;
	enum plugpkg_code (*accept)(struct pp_updater *u, const struct want *w,
	    const struct pp_buf *bytes, plugpkg_error **err);
};

/* Is it the mirror's fault, so that the next one may do better? */
static bool
may_next_help(enum plugpkg_code rc)
{
	return rc == PLUGPKG_E_NETWORK || rc == PLUGPKG_E_SIGNATURE || rc == PLUGPKG_E_EXPIRED ||
	       rc == PLUGPKG_E_ROLLBACK || rc == PLUGPKG_E_DIGEST || rc == PLUGPKG_E_BAD_METADATA;
}

/* An attack or an old repository says more than a server that does not answer. */
static int
telling(const plugpkg_error *err)
{
	if (err == NULL)
		return -1;
	switch (plugpkg_error_code(err)) {
	case PLUGPKG_E_ROLLBACK:
	case PLUGPKG_E_EXPIRED:
	case PLUGPKG_E_SIGNATURE:
		return 2;
	case PLUGPKG_E_NETWORK:
		return 0;
	default:
		return 1;
	}
}

static void
keep_more_telling(plugpkg_error **best, plugpkg_error **now)
{
	if (telling(*now) > telling(*best)) {
		plugpkg_error_free(*best);
		*best = pp_steal(now);
	}
}

static enum plugpkg_code
hand_out(plugpkg_error **err, plugpkg_error **from)
{
	enum plugpkg_code rc = plugpkg_error_code(*from);

	if (err != NULL)
		*err = pp_steal(from);
	return rc;
}

static enum plugpkg_code
ask_mirror(struct pp_updater *u, size_t mirror, const struct want *w, bool *out_missing,
    plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(w->max_bytes);
	int status = 0;
	enum plugpkg_code rc =
	    u->spec.get(u->spec.user, mirror, w->path, w->max_bytes, &bytes, &status, err);

	*out_missing = rc == PLUGPKG_OK && (status == 404 || status == 403);
	if (rc == PLUGPKG_E_NETWORK)
		u->down[mirror] = true;
	if (rc != PLUGPKG_OK)
		return rc;
	if (*out_missing) {
		rc = pp_fail(err, PLUGPKG_E_NETWORK, 0,
		    "mirror %zu has no 'metadata/%s' (status %d)", mirror + 1, w->path, status);
		return pp_hint(err, rc, PP_ADDRESS_HINT);
	}
	if (bytes.overflow || bytes.n > w->max_bytes)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "'metadata/%s' of mirror %zu is larger than %zu bytes", w->path, mirror + 1,
		    w->max_bytes);
	rc = w->accept(u, w, &bytes, err);
	return rc == PLUGPKG_OK || u->spec.n_mirrors == 1
		   ? rc
		   : pp_wrap(err, rc, "mirror %zu", mirror + 1);
}

static bool
are_all_down(const struct pp_updater *u)
{
	for (size_t i = 0; i < u->spec.n_mirrors; i++) {
		if (!u->down[i])
			return false;
	}
	return true;
}

/*
 * The first mirror whose answer is accepted ends it. One that is missing the file, or delivers what
 * does not verify, or is behind, is passed over for this file alone; one that cannot be reached,
 * for the whole refresh. *out_found tells, for a file that may be missing, whether anybody had it.
 */
static enum plugpkg_code
ask_mirrors(struct pp_updater *u, const struct want *w, bool *out_found, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *best = NULL;
	size_t n_missing = 0;

	*out_found = false;
	if (are_all_down(u))
		memset(u->down, 0, u->spec.n_mirrors * sizeof(*u->down));
	for (size_t i = 0, first = u->mirror; i < u->spec.n_mirrors; i++) {
		size_t mirror = (first + i) % u->spec.n_mirrors;
		PP_AUTO_ERROR plugpkg_error *why = NULL;
		bool is_missing = false;
		if (u->down[mirror])
			continue;
		enum plugpkg_code rc = ask_mirror(u, mirror, w, &is_missing, &why);
		if (rc == PLUGPKG_OK) {
			u->mirror = mirror;
			*out_found = true;
			return PLUGPKG_OK;
		}
		if (!may_next_help(rc))
			return hand_out(err, &why);
		n_missing += is_missing ? 1 : 0;
		keep_more_telling(&best, &why);
	}
	if (w->may_be_missing && n_missing > 0)
		return PLUGPKG_OK;
	if (best == NULL)
		return pp_fail(err, PLUGPKG_E_NETWORK, 0, "no mirror is known");
	return hand_out(err, &best);
}

/* ---- the steps of the client workflow ---- */

static enum plugpkg_code
accept_root(struct pp_updater *u, const struct want *w, const struct pp_buf *b, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_tuf_update_root(u->tuf, pp_buf_cstr(b), b->n, err);

	return rc == PLUGPKG_OK ? write_local(u, w->role, b, err) : rc;
}

/* Each root on the way is kept, so an interrupted walk goes on where it was. */
static enum plugpkg_code
walk_root(struct pp_updater *u, plugpkg_error **err)
{
	for (size_t i = 0; i < PP_TUF_MAX_ROOT_ROTATIONS; i++) {
		char path[40];
		bool found = false;
		struct want w = { .role = "root", .path = path, .accept = accept_root };

		w.max_bytes = PP_TUF_MAX_ROOT_BYTES;
		w.may_be_missing = true;
		(void)snprintf(path, sizeof(path), "%lld.root.json",
		    (long long)pp_tuf_version(u->tuf, "root") + 1);
		enum plugpkg_code rc = ask_mirrors(u, &w, &found, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (!found)
			break;
	}
	return pp_tuf_check_root(u->tuf, err);
}

static enum plugpkg_code
load_timestamp(struct pp_updater *u, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(PP_TUF_MAX_TIMESTAMP_BYTES);
	bool is_new;
	enum plugpkg_code rc = read_local(u, "timestamp", &bytes, err);

	if (rc != PLUGPKG_OK)
		return rc;
	return pp_tuf_update_timestamp(
	    u->tuf, PP_TUF_LOCAL, pp_buf_cstr(&bytes), bytes.n, &is_new, err);
}

static enum plugpkg_code
accept_timestamp(
    struct pp_updater *u, const struct want *w, const struct pp_buf *b, plugpkg_error **err)
{
	bool is_new = false;
	enum plugpkg_code rc =
	    pp_tuf_update_timestamp(u->tuf, PP_TUF_REMOTE, pp_buf_cstr(b), b->n, &is_new, err);

	if (rc == PLUGPKG_OK && !is_new && u->spec.settled != NULL)
		u->spec.settled(u->spec.user);
	return rc == PLUGPKG_OK && is_new ? write_local(u, w->role, b, err) : rc;
}

static enum plugpkg_code
refresh_timestamp(struct pp_updater *u, plugpkg_error **err)
{
	struct want w = { .role = "timestamp", .path = "timestamp.json" };
	bool found;

	PP_AUTO_ERROR plugpkg_error *why = NULL;
	if (!is_void(load_timestamp(u, &why)))
		return hand_out(err, &why);
	w.max_bytes = PP_TUF_MAX_TIMESTAMP_BYTES;
	w.accept = accept_timestamp;
	return ask_mirrors(u, &w, &found, err);
}

/* Name under which the trusted metadata says that a role is served. Owned. */
static char *
remote_path(const struct pp_updater *u, const char *role, const struct pp_tuf_file *file)
{
	PP_AUTO_FREE char *name = pp_tuf_encode(role);

	if (!pp_tuf_is_consistent_snapshot(u->tuf))
		return pp_asprintf("%s.json", name);
	return pp_asprintf("%lld.%s.json", (long long)file->version, name);
}

static enum plugpkg_code
load_snapshot(struct pp_updater *u, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(PP_TUF_MAX_GIVEN_BYTES);
	enum plugpkg_code rc = read_local(u, "snapshot", &bytes, err);

	if (rc == PLUGPKG_OK)
		rc =
		    pp_tuf_update_snapshot(u->tuf, PP_TUF_LOCAL, pp_buf_cstr(&bytes), bytes.n, err);
	return rc == PLUGPKG_OK ? pp_tuf_check_snapshot(u->tuf, err) : rc;
}

static enum plugpkg_code
accept_snapshot(
    struct pp_updater *u, const struct want *w, const struct pp_buf *b, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_tuf_update_snapshot(u->tuf, PP_TUF_REMOTE, pp_buf_cstr(b), b->n, err);

	return rc == PLUGPKG_OK ? write_local(u, w->role, b, err) : rc;
}

static enum plugpkg_code
refresh_snapshot(struct pp_updater *u, plugpkg_error **err)
{
	struct pp_tuf_file file;
	bool found;

	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc = load_snapshot(u, &why);
	if (rc == PLUGPKG_OK)
		return PLUGPKG_OK;
	if (!is_void(rc))
		return hand_out(err, &why);
	rc = pp_tuf_expect(u->tuf, "snapshot", &file, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *path = remote_path(u, "snapshot", &file);
	struct want w = { .role = "snapshot", .path = path, .max_bytes = file.max_bytes };
	w.accept = accept_snapshot;
	return ask_mirrors(u, &w, &found, err);
}

static enum plugpkg_code
load_targets(
    struct pp_updater *u, const char *role, const struct pp_meta *delegator, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(PP_TUF_MAX_GIVEN_BYTES);
	enum plugpkg_code rc = read_local(u, role, &bytes, err);

	if (rc != PLUGPKG_OK)
		return rc;
	return pp_tuf_update_targets(u->tuf, role, delegator, pp_buf_cstr(&bytes), bytes.n, err);
}

static enum plugpkg_code
accept_targets(
    struct pp_updater *u, const struct want *w, const struct pp_buf *b, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_tuf_update_targets(u->tuf, w->role, w->delegator, pp_buf_cstr(b), b->n, err);

	return rc == PLUGPKG_OK ? write_local(u, w->role, b, err) : rc;
}

/* A pp_tuf_load_fn. What lies on disk is used if it still is what snapshot and delegator say. */
static enum plugpkg_code
get_targets(void *user, const char *role, const struct pp_meta *delegator, plugpkg_error **err)
{
	struct pp_updater *u = user;
	struct pp_tuf_file file;
	bool found;

	if (u->is_offline)
		return load_targets(u, role, delegator, err);
	if (load_targets(u, role, delegator, NULL) == PLUGPKG_OK)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_tuf_expect(u->tuf, role, &file, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *path = remote_path(u, role, &file);
	struct want w = { .role = role, .path = path, .max_bytes = file.max_bytes };
	w.delegator = delegator;
	w.accept = accept_targets;
	return ask_mirrors(u, &w, &found, err);
}

/* ---- what others call ---- */

static enum plugpkg_code
with_label(const struct pp_updater *u, enum plugpkg_code rc, plugpkg_error **err)
{
	char now[PP_TIME_TEXT];

	pp_time_format(u->spec.now, now);
	if (rc == PLUGPKG_E_EXPIRED && u->is_offline)
		(void)pp_hint(
		    err, rc, "run plugpkg update; or your clock is wrong (it says %s)", now);
	else if (rc == PLUGPKG_E_EXPIRED)
		(void)pp_hint(err, rc,
		    "the repository's operator has to run plugpkg-repo refresh; or your clock is "
		    "wrong (it says %s)",
		    now);
	return rc == PLUGPKG_OK ? rc : pp_wrap(err, rc, "%s", u->label);
}

/* It was good when it was kept: what is wrong with it happened here, not at a mirror. */
static enum plugpkg_code
open_root(struct pp_updater *u, const struct pp_buf *root, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	enum plugpkg_code rc =
	    pp_tuf_new_among(pp_buf_cstr(root), root->n, u->spec.now, &u->proofs, &u->tuf, &why);

	if (rc == PLUGPKG_OK)
		return rc;
	(void)pp_fail(
	    err, rc, 0, "the trusted 'root.json' is damaged: %s", plugpkg_error_message(why));
	return pp_hint(err, rc,
	    "bring it back from a copy of this directory, or remove the source and add it again "
	    "with its key");
}

enum plugpkg_code
pp_updater_new(const struct pp_updater_spec *spec, struct pp_updater **out, plugpkg_error **err)
{
	PP_AUTO(updater) struct pp_updater *u = pp_xcalloc(1, sizeof(*u));
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);

	u->spec = *spec;
	u->below_fd = spec->dir_fd;
	u->label = pp_xstrdup(spec->label);
	u->down = pp_xcalloc(spec->n_mirrors + 1, sizeof(*u->down));
	enum plugpkg_code rc = read_local(u, "root", &root, err);
	if (rc == PLUGPKG_E_NOT_FOUND)
		(void)pp_hint(err, rc, "remove the source and add it again");
	pp_proofs_load(&u->proofs, spec->dir_fd);
	if (rc == PLUGPKG_OK)
		rc = open_root(u, &root, err);
	if (rc != PLUGPKG_OK)
		return with_label(u, rc, err);
	*out = pp_steal(&u);
	return PLUGPKG_OK;
}

void
pp_updater_free(struct pp_updater *u)
{
	if (u == NULL)
		return;
	pp_tuf_free(u->tuf);
	pp_proofs_fini(&u->proofs);
	free(u->down);
	free(u->label);
	free(u);
}

/* Nothing that a refresh of the other roles could mend. */
static enum plugpkg_code
hint_of_old_root(const struct pp_updater *u, enum plugpkg_code rc, plugpkg_error **err)
{
	char now[PP_TIME_TEXT];

	pp_time_format(u->spec.now, now);
	return pp_hint(err, rc,
	    "no mirror has a newer root: the repository's operator has to run plugpkg-repo sign "
	    "--renew root; or your clock is wrong (it says %s)",
	    now);
}

enum plugpkg_code
pp_updater_refresh(struct pp_updater *u, plugpkg_error **err)
{
	u->is_offline = false;
	u->below_fd = u->spec.dir_fd;
	u->mirror = 0;
	memset(u->down, 0, u->spec.n_mirrors * sizeof(*u->down));

	enum plugpkg_code rc = walk_root(u, err);
	if (rc == PLUGPKG_E_EXPIRED)
		(void)hint_of_old_root(u, rc, err);
	u->mirror = 0;
	if (rc == PLUGPKG_OK)
		rc = refresh_timestamp(u, err);
	if (rc == PLUGPKG_OK)
		rc = refresh_snapshot(u, err);
	if (rc == PLUGPKG_OK)
		rc = get_targets(u, "targets", NULL, err);
	return with_label(u, rc, err);
}

enum plugpkg_code
pp_updater_load(struct pp_updater *u, plugpkg_error **err)
{
	return pp_updater_load_view(u, u->spec.dir_fd, err);
}

enum plugpkg_code
pp_updater_load_view(struct pp_updater *u, int view_fd, plugpkg_error **err)
{
	u->is_offline = true;
	u->below_fd = view_fd;

	enum plugpkg_code rc = pp_tuf_check_root(u->tuf, err);
	if (rc == PLUGPKG_OK)
		rc = load_timestamp(u, err);
	if (rc == PLUGPKG_OK)
		rc = pp_tuf_check_timestamp(u->tuf, err);
	if (rc == PLUGPKG_OK)
		rc = load_snapshot(u, err);
	if (rc == PLUGPKG_OK)
		rc = get_targets(u, "targets", NULL, err);
	if (rc != PLUGPKG_OK && rc != PLUGPKG_E_EXPIRED)
		(void)pp_hint(err, rc, "run plugpkg update");
	return with_label(u, rc, err);
}

/* What is there already is not written again: most updates bring nothing new. */
static enum plugpkg_code
keep_one(const struct pp_updater *u, const char *role, int view_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = local_name(role);
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(PP_TUF_MAX_GIVEN_BYTES);
	PP_AUTO_BUF struct pp_buf kept = PP_BUF_INIT(PP_TUF_MAX_GIVEN_BYTES);
	enum plugpkg_code rc = read_local(u, role, &bytes, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (pp_read_file_at(view_fd, name, &kept) == 0 && kept.n == bytes.n &&
	    memcmp(pp_buf_cstr(&kept), pp_buf_cstr(&bytes), bytes.n) == 0)
		return PLUGPKG_OK;
	int r = pp_write_file_at(view_fd, name, pp_buf_cstr(&bytes), bytes.n, 0644);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", name) : PLUGPKG_OK;
}

enum plugpkg_code
pp_updater_keep(struct pp_updater *u, int view_fd, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs roles = { 0 };
	PP_CLEANUP(pp_auto_map) struct pp_map digests = { .n = 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_tuf_roles(u->tuf, &roles);
	pp_tuf_digests(u->tuf, &digests);
	for (size_t i = 0; rc == PLUGPKG_OK && i < roles.n; i++)
		rc = keep_one(u, roles.at[i], view_fd, err);
	if (rc == PLUGPKG_OK)
		pp_proofs_save(&u->proofs, &digests, u->spec.dir_fd);
	return with_label(u, rc, err);
}

enum plugpkg_code
pp_updater_target(
    struct pp_updater *u, const char *path, struct pp_tuf_target *out, plugpkg_error **err)
{
	return with_label(u, pp_tuf_find(u->tuf, path, get_targets, u, out, err), err);
}

int64_t
pp_updater_version(const struct pp_updater *u, const char *role)
{
	return pp_tuf_version(u->tuf, role);
}

int64_t
pp_updater_expires(const struct pp_updater *u)
{
	return pp_tuf_expires(u->tuf);
}

bool
pp_updater_is_due(const struct pp_updater *u, int64_t *out_expires)
{
	return pp_tuf_is_due(u->tuf, out_expires);
}

int64_t
pp_updater_due_after(const struct pp_updater *u)
{
	return pp_tuf_due_after(u->tuf);
}

bool
pp_updater_is_consistent_snapshot(const struct pp_updater *u)
{
	return pp_tuf_is_consistent_snapshot(u->tuf);
}
