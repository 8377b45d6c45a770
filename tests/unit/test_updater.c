/* SPDX-License-Identifier: MIT */
/*
 * The updater against mirrors in memory: which requests it makes, what it keeps, what it reports.
 */
#include "lib/trust/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "tap.h"
#include "tuf_make.h"

#define N_MIRRORS 2

/* ---- mirrors in memory ---- */

struct world {
	int dir_fd;
	char dir[40];
	struct pp_map files[N_MIRRORS]; /* path -> text; "!" as text: cannot be reached */
	bool is_down[N_MIRRORS];
	bool is_careless; /* leaves it to the updater to count bytes */
	size_t n_mirrors;
	struct pp_buf log; /* paths asked for; the second mirror's with a leading 1/ */
	int64_t now;
	unsigned status; /* of what is missing */
};

static void
world_init(struct world *w, size_t n_mirrors)
{
	*w = (struct world){ .n_mirrors = n_mirrors, .log = PP_BUF_INIT(100000), .now = TUF_NOW };
	w->status = 404;
	memcpy(w->dir, "/tmp/plugpkg-test-XXXXXX", sizeof("/tmp/plugpkg-test-XXXXXX"));
	if (mkdtemp(w->dir) == NULL)
		abort();
	w->dir_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
world_fini(struct world *w)
{
	for (size_t i = 0; i < N_MIRRORS; i++)
		pp_map_fini(&w->files[i], free);
	pp_buf_fini(&w->log);
	(void)close(w->dir_fd);
	CHECK_INT(pp_rm_rf_at(AT_FDCWD, w->dir), 0);
}

static enum plugpkg_code
get(void *user, size_t mirror, const char *path, size_t max_bytes, struct pp_buf *out,
    int *out_status, plugpkg_error **err)
{
	struct world *w = user;
	const char *text = pp_map_get(&w->files[mirror], path);

	pp_buf_addf(&w->log, "%s%s%s", w->log.n > 0 ? " " : "", mirror > 0 ? "1/" : "", path);
	*out_status = text != NULL ? 200 : (int)w->status;
	if (w->is_down[mirror] || (text != NULL && strcmp(text, "!") == 0))
		return pp_fail(err, PLUGPKG_E_NETWORK, 0, "mirror %zu does not answer", mirror);
	if (text != NULL && strlen(text) > max_bytes && !w->is_careless)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "'%s' is too long", path);
	pp_buf_adds(out, text != NULL ? text : "");
	return PLUGPKG_OK;
}

/* text moved */
static void
put(struct world *w, size_t mirror, const char *path, char *text)
{
	void **place = pp_map_put(&w->files[mirror], path);

	free(*place);
	*place = text;
}

static void
keep(struct world *w, const char *name, char *text)
{
	CHECK_INT(pp_write_file_at(w->dir_fd, name, text, strlen(text), 0644), 0);
	free(text);
}

/* Serves version n of timestamp, snapshot and targets on one mirror. */
static void
publish(struct world *w, size_t mirror, int64_t n)
{
	char path[40];

	put(w, mirror, "timestamp.json", tuf_sign(tuf_timestamp(n, n), "m"));
	(void)snprintf(path, sizeof(path), "%d.snapshot.json", (int)n);
	put(w, mirror, path, tuf_sign(tuf_snapshot(n, n), "s"));
	(void)snprintf(path, sizeof(path), "%d.targets.json", (int)n);
	put(w, mirror, path, tuf_sign(tuf_targets(n), "t"));
}

static struct pp_updater *
updater(struct world *w, plugpkg_error **err)
{
	struct pp_updater *u = NULL;
	struct pp_updater_spec spec = { .dir_fd = w->dir_fd,
		.now = w->now,
		.get = get,
		.user = w,
		.n_mirrors = w->n_mirrors,
		.label = "source 'main'" };

	pp_buf_clear(&w->log);
	return pp_updater_new(&spec, &u, err) == PLUGPKG_OK ? u : NULL;
}

static enum plugpkg_code
refresh(struct world *w, plugpkg_error **err)
{
	PP_AUTO(updater) struct pp_updater *u = updater(w, err);

	return CHECK(u != NULL) ? pp_updater_refresh(u, err) : PLUGPKG_E_FAILED;
}

static enum plugpkg_code
load(struct world *w, plugpkg_error **err)
{
	PP_AUTO(updater) struct pp_updater *u = updater(w, err);

	return CHECK(u != NULL) ? pp_updater_load(u, err) : PLUGPKG_E_FAILED;
}

/* Is the local file exactly what the mirror serves? */
static bool
is_kept(struct world *w, const char *name, const char *path)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(1 << 20);
	const char *served = pp_map_get(&w->files[0], path);

	return pp_read_file_at(w->dir_fd, name, &bytes) == 0 && served != NULL &&
	       strcmp(pp_buf_cstr(&bytes), served) == 0;
}

static void
check_names(struct world *w, const char *want)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(10000);

	CHECK_INT(pp_list_dir(w->dir_fd, ".", &names), 0);
	pp_vec_foreach (name, &names)
		pp_buf_addf(&got, "%s%s", got.n > 0 ? " " : "", *name);
	CHECK_STR(pp_buf_cstr(&got), want);
}

/* A root on disk and version 1 on every mirror. */
static void
world_start(struct world *w, size_t n_mirrors)
{
	world_init(w, n_mirrors);
	keep(w, "root.json", tuf_sign(tuf_root(1), "r"));
	for (size_t i = 0; i < n_mirrors; i++)
		publish(w, i, 1);
}

/* ---- requests and files ---- */

static void
a_refresh_asks_for_what_is_needed_and_keeps_it_as_received(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	CHECK(is_kept(&w, "timestamp.json", "timestamp.json"));
	CHECK(is_kept(&w, "snapshot.json", "1.snapshot.json"));
	CHECK(is_kept(&w, "targets.json", "1.targets.json"));
	check_names(&w, "root.json snapshot.json targets.json timestamp.json");

	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json timestamp.json");
}

static void
without_consistent_snapshots_names_have_no_versions(void)
{
	PP_CLEANUP(world_fini) struct world w;
	pp_json *root = tuf_root(1), *timestamp = tuf_timestamp(1, 1);
	char *snapshot = tuf_sign(tuf_snapshot(1, 1), "s");

	world_init(&w, 1);
	pp_json_set_bool(root, "consistent_snapshot", false);
	keep(&w, "root.json", tuf_sign(root, "r"));
	tuf_pin(pp_json_get(pp_json_get(timestamp, "meta"), "snapshot.json"), snapshot);
	put(&w, 0, "timestamp.json", tuf_sign(timestamp, "m"));
	put(&w, 0, "snapshot.json", snapshot);
	put(&w, 0, "targets.json", tuf_sign(tuf_targets(1), "t"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json timestamp.json snapshot.json targets.json");
}

static void
delegated_roles_are_fetched_and_kept_under_encoded_names(void)
{
	PP_CLEANUP(world_fini) struct world w;
	struct pp_tuf_target target;
	pp_json *targets = tuf_targets(1), *odd = tuf_targets(1), *snapshot = tuf_snapshot(1, 1);

	world_start(&w, 1);
	(void)tuf_delegate(targets, "../o?d", "k", "*");
	tuf_add_target(odd, "x", "bytes");
	(void)tuf_list(snapshot, "../o?d", 1);
	put(&w, 0, "1.snapshot.json", tuf_sign(snapshot, "s"));
	put(&w, 0, "1.targets.json", tuf_sign(targets, "t"));
	put(&w, 0, "1...%2Fo%3Fd.json", tuf_sign(odd, "k"));

	PP_AUTO(updater) struct pp_updater *u = updater(&w, NULL);
	CHECK_INT(pp_updater_refresh(u, NULL), PLUGPKG_OK);
	pp_buf_clear(&w.log);
	CHECK_INT(pp_updater_target(u, "x", &target, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log), "1...%2Fo%3Fd.json");
	check_names(&w, "..%2Fo%3Fd.json root.json snapshot.json targets.json timestamp.json");
	CHECK_INT(pp_updater_version(u, "../o?d"), 1);

	/* Without the network the same is found in what was kept. */
	PP_AUTO(updater) struct pp_updater *later = updater(&w, NULL);
	CHECK_INT(pp_updater_load(later, NULL), PLUGPKG_OK);
	CHECK_INT(pp_updater_target(later, "x", &target, NULL), PLUGPKG_OK);
	CHECK_INT(pp_updater_target(later, "y", &target, NULL), PLUGPKG_E_NOT_FOUND);
	CHECK_STR(pp_buf_cstr(&w.log), "");
}

static void
what_lies_on_disk_is_verified_again(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	world_start(&w, 1);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
	keep(&w, "targets.json", tuf_sign(tuf_targets(1), "x"));
	CHECK_INT(load(&w, &err), PLUGPKG_E_SIGNATURE);
	CHECK_STR(pp_buf_cstr(&w.log), "");
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json timestamp.json 1.targets.json");
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
}

/* How many times it says so in what is known of signatures. */
static size_t
proofs(struct world *w, const char *text)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(1 << 20);
	size_t n = 0;

	CHECK_INT(pp_read_file_at(w->dir_fd, "verified", &bytes), 0);
	for (const char *p = pp_buf_cstr(&bytes); (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* Copies what a refresh brought to a view, which is the same directory here. */
static void
refresh_and_keep(struct world *w)
{
	PP_AUTO(updater) struct pp_updater *u = updater(w, NULL);

	CHECK_INT(pp_updater_refresh(u, NULL), PLUGPKG_OK);
	CHECK_INT(pp_updater_keep(u, w->dir_fd, NULL), PLUGPKG_OK);
}

static void
what_was_verified_stands_for_the_same_bytes_only(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	refresh_and_keep(&w);
	CHECK_INT(proofs(&w, "\n"), 5); /* of four files, below a line with our version */
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
	keep(&w, "targets.json", tuf_sign(tuf_targets(1), "x"));
	CHECK_INT(load(&w, NULL), PLUGPKG_E_SIGNATURE);

	publish(&w, 0, 2);
	refresh_and_keep(&w);
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
	CHECK_INT(proofs(&w, "\n"), 5); /* nothing of files that are no more */
}

/* The same files below another root: what the old one demanded counts for nothing. */
static void
what_was_verified_by_one_root_is_not_by_the_next(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	refresh_and_keep(&w);
	keep(&w, "root.json", tuf_sign(tuf_with_role(tuf_root(2), "targets", "n", 1), "r"));
	CHECK_INT(load(&w, NULL), PLUGPKG_E_SIGNATURE);
	keep(&w, "root.json", tuf_sign(tuf_root(3), "r"));
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
}

/* Shows what is believed, and of whom: else such a file would have to be verified itself. */
static void
what_another_plugpkg_verified_is_verified_again(void)
{
	PP_CLEANUP(world_fini) struct world w;
	char *forged = tuf_sign(tuf_targets(1), "x");
	PP_AUTO_FREE char *root = tuf_sign(tuf_root(1), "r");
	char by[65], file[65];

	world_start(&w, 1);
	refresh_and_keep(&w);
	pp_sha256_hex(root, strlen(root), by);
	pp_sha256_hex(forged, strlen(forged), file);
	keep(&w, "targets.json", forged);
	keep(&w, "verified",
	    pp_asprintf("verified by plugpkg " PACKAGE_VERSION "\n%s targets %s\n", by, file));
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
	keep(&w, "verified", pp_asprintf("verified by plugpkg 0.0\n%s targets %s\n", by, file));
	CHECK_INT(load(&w, NULL), PLUGPKG_E_SIGNATURE);
	keep(&w, "verified", pp_xstrdup("verified by plugpkg " PACKAGE_VERSION));
	CHECK_INT(load(&w, NULL), PLUGPKG_E_SIGNATURE);
}

static void
loading_says_what_is_missing_or_expired(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *never = NULL;
	PP_AUTO_ERROR plugpkg_error *late = NULL;

	world_start(&w, 1);
	CHECK_INT(load(&w, &never), PLUGPKG_E_NOT_FOUND);
	CHECK_STR(
	    plugpkg_error_message(never), "source 'main': 'timestamp.json' was never fetched");
	CHECK_STR(plugpkg_error_hint(never), "run plugpkg update");
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	w.now += 11 * 86400;
	CHECK_INT(load(&w, &late), PLUGPKG_E_EXPIRED);
	CHECK_STR(
	    plugpkg_error_message(late), "source 'main': root expired on 2026-12-01T00:00:00Z");
	CHECK_HAS(plugpkg_error_hint(late), "it says 2026-12-02T00:00:00Z");
}

static void
a_first_root_that_is_bad_or_missing_makes_no_request(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *missing = NULL;
	PP_AUTO_ERROR plugpkg_error *forged = NULL;

	world_init(&w, 1);
	CHECK(updater(&w, &missing) == NULL);
	CHECK_INT(plugpkg_error_code(missing), PLUGPKG_E_NOT_FOUND);
	keep(&w, "root.json", tuf_sign(tuf_root(1), "x"));
	CHECK(updater(&w, &forged) == NULL);
	CHECK_INT(plugpkg_error_code(forged), PLUGPKG_E_SIGNATURE);
	CHECK_STR(pp_buf_cstr(&w.log), "");
}

/* ---- the walk of roots ---- */

static void
each_root_on_the_way_is_kept(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	put(&w, 0, "2.root.json", tuf_sign(tuf_with_role(tuf_root(2), "root", "n", 1), "rn"));
	put(&w, 0, "3.root.json", tuf_sign(tuf_root(3), "r"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_E_SIGNATURE);
	CHECK(is_kept(&w, "root.json", "2.root.json"));
	check_names(&w, "root.json");
}

static void
an_expired_last_root_is_kept_and_nothing_else(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	pp_json *root = tuf_with_str(tuf_root(2), "expires", TUF_EXPIRED);

	world_start(&w, 1);
	put(&w, 0, "2.root.json", tuf_sign(root, "r"));
	CHECK_INT(refresh(&w, &err), PLUGPKG_E_EXPIRED);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json 3.root.json");
	CHECK(is_kept(&w, "root.json", "2.root.json"));
	check_names(&w, "root.json");
}

static void
only_404_and_403_end_the_walk(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	world_start(&w, 1);
	put(&w, 0, "2.root.json", pp_xstrdup("!"));
	CHECK_INT(refresh(&w, &err), PLUGPKG_E_NETWORK);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json");
	check_names(&w, "root.json");

	world_fini(&w);
	world_start(&w, 1);
	w.status = 403;
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
}

static void
three_hundred_roots_take_two_runs(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	for (int i = 2; i <= 300; i++) {
		char path[40];
		(void)snprintf(path, sizeof(path), "%d.root.json", i);
		put(&w, 0, path, tuf_sign(tuf_root(i), "r"));
	}
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK(is_kept(&w, "root.json", "257.root.json"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK(is_kept(&w, "root.json", "300.root.json"));
}

/* ---- what was seen is not forgotten ---- */

static void
old_files_are_refused_after_a_restart(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	world_start(&w, 1);
	publish(&w, 0, 7);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	publish(&w, 0, 6);
	CHECK_INT(refresh(&w, &err), PLUGPKG_E_ROLLBACK);
	CHECK_STR(plugpkg_error_message(err),
	    "source 'main': timestamp has version 6, older than 7 seen before");
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
}

static void
what_cannot_be_read_stops_the_refresh(void)
{
	PP_CLEANUP(world_fini) struct world w;

	/* Going on without it would forget the versions that were seen. */
	world_start(&w, 1);
	CHECK_INT(pp_mkdirs_at(w.dir_fd, "timestamp.json", 0755), 0);
	enum plugpkg_code rc = refresh(&w, NULL);
	CHECK(rc == PLUGPKG_E_IO || rc == PLUGPKG_E_PERMISSION);
	CHECK_STR(pp_buf_cstr(&w.log), "2.root.json");
}

static void
damaged_local_files_are_fetched_again(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 1);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	keep(&w, "timestamp.json", pp_xstrdup("{"));
	keep(&w, "snapshot.json", pp_xstrdup(""));
	keep(&w, "targets.json", pp_xstrdup("[]"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_INT(load(&w, NULL), PLUGPKG_OK);
}

static void
new_keys_recover_from_absurd_versions(void)
{
	PP_CLEANUP(world_fini) struct world w;
	pp_json *root = tuf_with_role(tuf_root(2), "timestamp", "n", 1);

	world_start(&w, 1);
	put(&w, 0, "timestamp.json", tuf_sign(tuf_timestamp(INT64_MAX, 1), "m"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	put(&w, 0, "timestamp.json", tuf_sign(tuf_timestamp(2, 1), "n"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_E_SIGNATURE);
	put(&w, 0, "2.root.json", tuf_sign(root, "r"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
}

static void
too_many_bytes_are_refused(void)
{
	static const char *const paths[] = { "2.root.json", "timestamp.json", "1.snapshot.json",
		"1.targets.json" };

	for (size_t i = 0; i < 2 * PP_LEN(paths); i++) {
		PP_CLEANUP(world_fini) struct world w;
		char *endless = pp_xmalloc(PP_TUF_MAX_TARGETS_BYTES + 2);
		world_start(&w, 1);
		memset(endless, ' ', PP_TUF_MAX_TARGETS_BYTES + 1);
		endless[PP_TUF_MAX_TARGETS_BYTES + 1] = '\0';
		w.is_careless = i >= PP_LEN(paths);
		put(&w, 0, paths[i % PP_LEN(paths)], endless);
		CHECK_INT(refresh(&w, NULL), PLUGPKG_E_DIGEST);
	}
}

/* ---- several mirrors ---- */

static void
a_mirror_that_cannot_be_reached_is_asked_once(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 2);
	w.is_down[0] = true;
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_STR(pp_buf_cstr(&w.log),
	    "2.root.json 1/2.root.json 1/timestamp.json 1/1.snapshot.json 1/1.targets.json");
}

static void
a_mirror_that_is_behind_or_lies_is_passed_over(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 2);
	publish(&w, 0, 7);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	publish(&w, 0, 6);
	publish(&w, 1, 8);
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_HAS(pp_buf_cstr(&w.log), "timestamp.json 1/timestamp.json 1/8.snapshot.json");

	publish(&w, 1, 9);
	put(&w, 0, "timestamp.json", tuf_sign(tuf_timestamp(10, 10), "x"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	put(&w, 0, "timestamp.json", pp_xstrdup("<html>"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
}

static void
a_half_copied_mirror_is_helped_out_by_the_next(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 2);
	put(&w, 0, "timestamp.json", tuf_sign(tuf_timestamp(2, 2), "m"));
	publish(&w, 1, 2);
	put(&w, 0, "2.targets.json", tuf_sign(tuf_targets(2), "x"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	CHECK_HAS(pp_buf_cstr(&w.log),
	    " timestamp.json 2.snapshot.json 1/2.snapshot.json 1/2.targets.json");
}

static void
a_new_root_on_any_mirror_counts(void)
{
	PP_CLEANUP(world_fini) struct world w;

	world_start(&w, 2);
	put(&w, 1, "2.root.json", tuf_sign(tuf_root(2), "r"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
	PP_AUTO(updater) struct pp_updater *u = updater(&w, NULL);
	CHECK_INT(pp_updater_version(u, "root"), 2);

	/* A forged one on one mirror is no reason to stop. */
	put(&w, 0, "3.root.json", tuf_sign(tuf_root(3), "x"));
	CHECK_INT(refresh(&w, NULL), PLUGPKG_OK);
}

static void
the_most_telling_reason_is_reported(void)
{
	PP_CLEANUP(world_fini) struct world w;
	PP_AUTO_ERROR plugpkg_error *old = NULL;
	PP_AUTO_ERROR plugpkg_error *down = NULL;
	pp_json *late = tuf_with_str(tuf_timestamp(2, 2), "expires", TUF_EXPIRED);

	world_start(&w, 2);
	put(&w, 0, "timestamp.json", pp_xstrdup("!"));
	put(&w, 1, "timestamp.json", tuf_sign(late, "m"));
	CHECK_INT(refresh(&w, &old), PLUGPKG_E_EXPIRED);
	CHECK_STR(plugpkg_error_message(old),
	    "source 'main': mirror 2: timestamp expired on 2026-11-20T10:00:00Z");
	CHECK_STR(plugpkg_error_hint(old),
	    "the repository's operator has to run plugpkg-repo refresh; or your clock is wrong "
	    "(it says 2026-11-21T00:00:00Z)");
	w.is_down[0] = w.is_down[1] = true;
	CHECK_INT(refresh(&w, &down), PLUGPKG_E_NETWORK);
	CHECK_STR(plugpkg_error_message(down), "source 'main': mirror 0 does not answer");
}

/* clang-format off */
TAP_MAIN(
	CASE(a_refresh_asks_for_what_is_needed_and_keeps_it_as_received)
	CASE(without_consistent_snapshots_names_have_no_versions)
	CASE(delegated_roles_are_fetched_and_kept_under_encoded_names)
	CASE(what_lies_on_disk_is_verified_again)
	CASE(what_was_verified_stands_for_the_same_bytes_only)
	CASE(what_was_verified_by_one_root_is_not_by_the_next)
	CASE(what_another_plugpkg_verified_is_verified_again)
	CASE(loading_says_what_is_missing_or_expired)
	CASE(a_first_root_that_is_bad_or_missing_makes_no_request)
	CASE(each_root_on_the_way_is_kept)
	CASE(an_expired_last_root_is_kept_and_nothing_else)
	CASE(only_404_and_403_end_the_walk)
	CASE(three_hundred_roots_take_two_runs)
	CASE(old_files_are_refused_after_a_restart)
	CASE(what_cannot_be_read_stops_the_refresh)
	CASE(damaged_local_files_are_fetched_again)
	CASE(new_keys_recover_from_absurd_versions)
	CASE(too_many_bytes_are_refused)
	CASE(a_mirror_that_cannot_be_reached_is_asked_once)
	CASE(a_mirror_that_is_behind_or_lies_is_passed_over)
	CASE(a_half_copied_mirror_is_helped_out_by_the_next)
	CASE(a_new_root_on_any_mirror_counts)
	CASE(the_most_telling_reason_is_reported))
/* clang-format on */
