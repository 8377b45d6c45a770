/* SPDX-License-Identifier: MIT */
/*
 * Refreshes the TUF metadata of one repository: fetches through callbacks, keeps what verified,
 * byte for byte as received, in a directory (root.json, timestamp.json, snapshot.json,
 * targets.json, ROLE.json).
 */
#ifndef PP_TRUST_UPDATER_H
#define PP_TRUST_UPDATER_H

#include "lib/trust/tuf.h"

/*
 * Gets metadata/PATH, at most max_bytes. *out_status 200, or 403/404 with rc OK; other failures are
 * errors. The updater asks mirror 0, 1, … (n_mirrors of them); one that is behind, damaged or not
 * reachable is passed over while another is current.
 */
typedef enum plugpkg_code (*pp_tuf_get_fn)(void *user, size_t mirror, const char *path,
    size_t max_bytes, struct pp_buf *out, int *out_status, plugpkg_error **err);

#define PP_ADDRESS_HINT                                                                            \
	"the address of a source is the directory that metadata/ and targets/ are in: public/ of " \
	"a publisher's directory"

struct pp_updater_spec {
	int dir_fd; /* metadata directory, borrowed; root.json is in it, and what was verified */
	int64_t now;
	pp_tuf_get_fn get;
	void *user;
	size_t n_mirrors;
	const char *label; /* "source 'main'", for messages */
	/* Nothing is new: unless a local file is damaged, no request follows. Or NULL. */
	void (*settled)(void *user);
};

struct pp_updater;
/* Loads and self-verifies root.json. No request. */
enum plugpkg_code pp_updater_new(
    const struct pp_updater_spec *spec, struct pp_updater **out, plugpkg_error **err);
/*
 * The whole client workflow of TUF 5.3 to 5.6. Errors: NETWORK SIGNATURE EXPIRED ROLLBACK DIGEST
 * BAD_METADATA IO.
 */
enum plugpkg_code pp_updater_refresh(struct pp_updater *u, plugpkg_error **err);
/*
 * Only what lies in dir_fd, verified again where it is not what was verified, no request: for
 * commands that work on the last update. Expired: EXPIRED.
 */
enum plugpkg_code pp_updater_load(struct pp_updater *u, plugpkg_error **err);
/*
 * The same with what lies below root in view_fd (borrowed for as long as u), a copy that
 * pp_updater_keep() made. The root is that of dir_fd: keys that were revoked since count here too.
 */
enum plugpkg_code pp_updater_load_view(struct pp_updater *u, int view_fd, plugpkg_error **err);
/*
 * Copies every role below root that is loaded into view_fd, and notes that their signatures were
 * found good: until one of these files changes, loading them verifies digests only.
 */
enum plugpkg_code pp_updater_keep(struct pp_updater *u, int view_fd, plugpkg_error **err);
/*
 * Delegation search (pre-order, depth first). NOT_FOUND when no role lists it. Fetches delegated
 * roles as needed unless loaded only.
 */
enum plugpkg_code pp_updater_target(
    struct pp_updater *u, const char *path, struct pp_tuf_target *out, plugpkg_error **err);
/* Facts for `update` and `source list`. */
int64_t pp_updater_version(const struct pp_updater *u, const char *role); /* -1 unknown */
int64_t pp_updater_expires(const struct pp_updater *u); /* earliest of all roles */
bool pp_updater_is_due(const struct pp_updater *u, int64_t *out_expires); /* pp_tuf_is_due() */
int64_t pp_updater_due_after(const struct pp_updater *u);                 /* the same */
bool pp_updater_is_consistent_snapshot(const struct pp_updater *u);
void pp_updater_free(struct pp_updater *u);
PP_DEFINE_AUTO(updater, struct pp_updater, pp_updater_free);

#endif
