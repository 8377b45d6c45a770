/* SPDX-License-Identifier: MIT */
/* The trusted set: every rule that needs no network, from root to targets. */
#include "lib/trust/tuf.h"

#include "base/vec.h"
#include "tap.h"
#include "tuf_make.h"

/* ---- helpers: bodies are moved, codes come back ---- */

static enum plugpkg_code
start(pp_json *root, const char *keys, struct pp_tuf **out)
{
	PP_AUTO_FREE char *file = tuf_sign(root, keys);

	return pp_tuf_new(file, strlen(file), TUF_NOW, out, NULL);
}

static enum plugpkg_code
give_root(struct pp_tuf *t, pp_json *body, const char *keys)
{
	PP_AUTO_FREE char *file = tuf_sign(body, keys);

	return pp_tuf_update_root(t, file, strlen(file), NULL);
}

static enum plugpkg_code
give_timestamp(struct pp_tuf *t, enum pp_tuf_origin origin, pp_json *body, const char *keys)
{
	PP_AUTO_FREE char *file = tuf_sign(body, keys);
	bool is_new;

	return pp_tuf_update_timestamp(t, origin, file, strlen(file), &is_new, NULL);
}

static enum plugpkg_code
give_snapshot(struct pp_tuf *t, enum pp_tuf_origin origin, pp_json *body, const char *keys)
{
	PP_AUTO_FREE char *file = tuf_sign(body, keys);

	return pp_tuf_update_snapshot(t, origin, file, strlen(file), NULL);
}

static enum plugpkg_code
give_targets(struct pp_tuf *t, pp_json *body, const char *keys)
{
	PP_AUTO_FREE char *file = tuf_sign(body, keys);

	return pp_tuf_update_targets(t, "targets", NULL, file, strlen(file), NULL);
}

static struct pp_tuf *
ready_for_timestamp(void)
{
	struct pp_tuf *t = NULL;

	CHECK_INT(start(tuf_root(1), "r", &t), PLUGPKG_OK);
	return t;
}

static struct pp_tuf *
ready_for_snapshot(int64_t timestamp, int64_t snapshot)
{
	struct pp_tuf *t = ready_for_timestamp();

	CHECK_INT(
	    give_timestamp(t, PP_TUF_REMOTE, tuf_timestamp(timestamp, snapshot), "m"), PLUGPKG_OK);
	return t;
}

static struct pp_tuf *
ready_for_targets(int64_t targets)
{
	struct pp_tuf *t = ready_for_snapshot(1, 1);

	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, tuf_snapshot(1, targets), "s"), PLUGPKG_OK);
	return t;
}

/* ---- root ---- */

static void
a_new_root_needs_the_old_keys_and_its_own(void)
{
	static const struct {
		const char *keys, *signers;
		int64_t version, threshold;
		enum plugpkg_code want;
	} rows[] = {
		{ "r", "r", 2, 1, PLUGPKG_OK },
		{ "n", "rn", 2, 1, PLUGPKG_OK },
		{ "n", "n", 2, 1, PLUGPKG_E_SIGNATURE },
		{ "n", "r", 2, 1, PLUGPKG_E_SIGNATURE },
		{ "rn", "r", 2, 2, PLUGPKG_E_SIGNATURE },
		{ "rn", "rn", 2, 2, PLUGPKG_OK },
		{ "r", "r", 1, 1, PLUGPKG_E_ROLLBACK },
		{ "r", "r", 3, 1, PLUGPKG_E_BAD_METADATA },
		{ "r", "r", INT64_MAX, 1, PLUGPKG_E_BAD_METADATA },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
		pp_json *root = tuf_with_role(
		    tuf_root(rows[i].version), "root", rows[i].keys, rows[i].threshold);
		CHECK_INT(give_root(t, root, rows[i].signers), rows[i].want);
		CHECK_INT(pp_tuf_version(t, "root"), rows[i].want == PLUGPKG_OK ? 2 : 1);
	}
}

static void
a_root_may_be_expired_on_the_way_but_not_at_the_end(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(pp_tuf_check_root(t, NULL), PLUGPKG_OK);
	CHECK_INT(give_root(t, tuf_with_str(tuf_root(2), "expires", TUF_EXPIRED), "r"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_root(t, &err), PLUGPKG_E_EXPIRED);
	CHECK_STR(plugpkg_error_message(err), "root expired on 2026-11-20T10:00:00Z");
	CHECK_INT(give_root(t, tuf_root(3), "r"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_root(t, NULL), PLUGPKG_OK);
}

static void
a_file_is_expired_from_its_second_on(void)
{
	PP_AUTO_FREE char *file =
	    tuf_sign(tuf_with_str(tuf_root(1), "expires", "2026-11-21T00:00:00Z"), "r");
	PP_AUTO(tuf) struct pp_tuf *before = NULL;
	PP_AUTO(tuf) struct pp_tuf *at = NULL;

	CHECK_INT(pp_tuf_new(file, strlen(file), TUF_NOW - 1, &before, NULL), PLUGPKG_OK);
	CHECK_INT(pp_tuf_new(file, strlen(file), TUF_NOW, &at, NULL), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_root(before, NULL), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_root(at, NULL), PLUGPKG_E_EXPIRED);
}

/* ---- timestamp ---- */

static void
a_timestamp_never_goes_back(void)
{
	static const struct {
		int64_t version, snapshot;
		const char *signers;
		enum plugpkg_code want;
		int64_t then;
	} rows[] = {
		{ 6, 5, "m", PLUGPKG_OK, 6 },
		{ 6, 9, "m", PLUGPKG_OK, 6 },
		{ 6, 4, "m", PLUGPKG_E_ROLLBACK, 5 },
		{ 4, 5, "m", PLUGPKG_E_ROLLBACK, 5 },
		/* The same version changes nothing, whatever it says. */
		{ 5, 1, "m", PLUGPKG_OK, 5 },
		{ 6, 5, "s", PLUGPKG_E_SIGNATURE, 5 },
		{ 6, 5, "", PLUGPKG_E_SIGNATURE, 5 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(5, 5);
		pp_json *body = tuf_timestamp(rows[i].version, rows[i].snapshot);
		CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, body, rows[i].signers), rows[i].want);
		CHECK_INT(pp_tuf_version(t, "timestamp"), rows[i].then);
	}
}

static void
an_expired_timestamp_counts_against_rollback_only(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
	pp_json *old = tuf_with_str(tuf_timestamp(5, 5), "expires", TUF_EXPIRED);

	CHECK_INT(give_timestamp(t, PP_TUF_LOCAL, old, "m"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_timestamp(t, NULL), PLUGPKG_E_EXPIRED);
	CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, tuf_timestamp(4, 5), "m"), PLUGPKG_E_ROLLBACK);
	CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, tuf_timestamp(5, 5), "m"), PLUGPKG_E_EXPIRED);
	old = tuf_with_str(tuf_timestamp(6, 5), "expires", TUF_EXPIRED);
	CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, old, "m"), PLUGPKG_E_EXPIRED);
	CHECK_INT(pp_tuf_version(t, "timestamp"), 5);
	CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, tuf_timestamp(6, 5), "m"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_timestamp(t, NULL), PLUGPKG_OK);
}

static void
another_role_served_as_timestamp_is_refused(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = NULL;

	/* One key for both: only the type tells them apart. */
	CHECK_INT(start(tuf_with_role(tuf_root(1), "timestamp", "s", 1), "r", &t), PLUGPKG_OK);
	CHECK_INT(
	    give_timestamp(t, PP_TUF_REMOTE, tuf_snapshot(1, 1), "s"), PLUGPKG_E_BAD_METADATA);
}

/* ---- snapshot ---- */

static void
a_snapshot_is_the_one_that_timestamp_names(void)
{
	static const struct {
		int64_t version;
		const char *signers, *expires;
		enum plugpkg_code want;
	} rows[] = {
		{ 3, "s", TUF_EXPIRES, PLUGPKG_OK },
		{ 3, "m", TUF_EXPIRES, PLUGPKG_E_SIGNATURE },
		{ 2, "s", TUF_EXPIRES, PLUGPKG_E_ROLLBACK },
		{ 4, "s", TUF_EXPIRES, PLUGPKG_E_BAD_METADATA },
		{ 3, "s", TUF_EXPIRED, PLUGPKG_E_EXPIRED },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(1, 3);
		pp_json *body =
		    tuf_with_str(tuf_snapshot(rows[i].version, 1), "expires", rows[i].expires);
		CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, body, rows[i].signers), rows[i].want);
	}
}

/* How a parent pins a file, made wrong in one way. */
static void
spoil(pp_json *entry, const char *how)
{
	pp_json *hashes = pp_json_get(entry, "hashes");
	static const char zeros[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";

	if (strcmp(how, "length") == 0) {
		pp_json_del(entry, "hashes");
		pp_json_set_int(entry, "length", pp_json_get_int(entry, "length", 0) + 1);
	} else if (strcmp(how, "sha256") == 0) {
		pp_json_set_str(hashes, "sha256", zeros);
	} else if (strcmp(how, "sha512") == 0) {
		pp_json_set_str(hashes, "sha512", zeros);
	} else if (strcmp(how, "unknown") == 0) {
		pp_json_del(hashes, "sha256");
		pp_json_del(hashes, "sha512");
		pp_json_set_str(hashes, "blake2b", zeros);
	} else if (strcmp(how, "none") == 0) {
		pp_json_del(entry, "hashes");
		pp_json_del(entry, "length");
	}
}

static const struct {
	const char *how;
	enum plugpkg_code want;
} pin_rows[] = {
	{ "right", PLUGPKG_OK },
	{ "none", PLUGPKG_OK },
	{ "length", PLUGPKG_E_DIGEST },
	{ "sha256", PLUGPKG_E_DIGEST },
	{ "sha512", PLUGPKG_E_DIGEST },
	{ "unknown", PLUGPKG_E_DIGEST },
};

static void
length_and_digests_of_a_snapshot_count(void)
{
	for (size_t i = 0; i < PP_LEN(pin_rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
		PP_AUTO_FREE char *file = tuf_sign(tuf_snapshot(1, 1), "s");
		pp_json *timestamp = tuf_timestamp(1, 1);
		pp_json *entry = pp_json_get(pp_json_get(timestamp, "meta"), "snapshot.json");
		tuf_pin(entry, file);
		spoil(entry, pin_rows[i].how);
		CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, timestamp, "m"), PLUGPKG_OK);
		CHECK_INT(pp_tuf_update_snapshot(t, PP_TUF_REMOTE, file, strlen(file), NULL),
		    pin_rows[i].want);
	}
}

static void
an_expired_local_snapshot_is_not_enough(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(1, 3);
	pp_json *body = tuf_with_str(tuf_snapshot(3, 1), "expires", TUF_EXPIRED);

	CHECK_INT(give_snapshot(t, PP_TUF_LOCAL, body, "s"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_snapshot(t, NULL), PLUGPKG_E_EXPIRED);
}

static void
no_role_leaves_a_snapshot_or_goes_back_in_it(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(5, 5);
	pp_json *old = tuf_snapshot(4, 7);
	(void)tuf_list(old, "index", 3);

	/* The local one is of another version than timestamp says: it is still remembered. */
	CHECK_INT(give_snapshot(t, PP_TUF_LOCAL, old, "s"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_snapshot(t, NULL), PLUGPKG_E_ROLLBACK);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, tuf_snapshot(5, 7), "s"), PLUGPKG_E_ROLLBACK);
	pp_json *lower = tuf_snapshot(5, 7);
	(void)tuf_list(lower, "index", 2);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, lower, "s"), PLUGPKG_E_ROLLBACK);
	pp_json *back = tuf_snapshot(5, 6);
	(void)tuf_list(back, "index", 3);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, back, "s"), PLUGPKG_E_ROLLBACK);
	pp_json *good = tuf_snapshot(5, 7);
	(void)tuf_list(good, "index", 4);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, good, "s"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_check_snapshot(t, NULL), PLUGPKG_OK);
}

static void
new_keys_let_version_numbers_go_back(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(INT64_MAX, INT64_MAX);
	pp_json *root = tuf_with_role(tuf_root(2), "timestamp", "n", 1);

	CHECK_INT(give_root(t, tuf_with_role(root, "snapshot", "o", 1), "r"), PLUGPKG_OK);
	/* The local files lose their signatures with the keys, and their numbers with them. */
	CHECK_INT(give_timestamp(t, PP_TUF_LOCAL, tuf_timestamp(INT64_MAX, INT64_MAX), "m"),
	    PLUGPKG_E_SIGNATURE);
	CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, tuf_timestamp(2, 2), "n"), PLUGPKG_OK);
	CHECK_INT(
	    give_snapshot(t, PP_TUF_LOCAL, tuf_snapshot(INT64_MAX, 9), "s"), PLUGPKG_E_SIGNATURE);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, tuf_snapshot(2, 1), "o"), PLUGPKG_OK);
}

/* ---- targets ---- */

static void
targets_are_those_that_snapshot_names(void)
{
	static const struct {
		int64_t version;
		const char *signers, *expires;
		enum plugpkg_code want;
	} rows[] = {
		{ 3, "t", TUF_EXPIRES, PLUGPKG_OK },
		{ 3, "s", TUF_EXPIRES, PLUGPKG_E_SIGNATURE },
		{ 2, "t", TUF_EXPIRES, PLUGPKG_E_ROLLBACK },
		{ 4, "t", TUF_EXPIRES, PLUGPKG_E_BAD_METADATA },
		{ 3, "t", TUF_EXPIRED, PLUGPKG_E_EXPIRED },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_targets(3);
		pp_json *body =
		    tuf_with_str(tuf_targets(rows[i].version), "expires", rows[i].expires);
		CHECK_INT(give_targets(t, body, rows[i].signers), rows[i].want);
	}
}

static void
length_and_digests_of_targets_count(void)
{
	for (size_t i = 0; i < PP_LEN(pin_rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(1, 1);
		PP_AUTO_FREE char *file = tuf_sign(tuf_targets(1), "t");
		pp_json *snapshot = tuf_snapshot(1, 1);
		pp_json *entry = pp_json_get(pp_json_get(snapshot, "meta"), "targets.json");
		tuf_pin(entry, file);
		spoil(entry, pin_rows[i].how);
		CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, snapshot, "s"), PLUGPKG_OK);
		CHECK_INT(pp_tuf_update_targets(t, "targets", NULL, file, strlen(file), NULL),
		    pin_rows[i].want);
	}
}

static void
a_signed_length_replaces_the_usual_limit_within_reason(void)
{
	static const struct {
		int64_t length;
		enum plugpkg_code want;
		size_t max;
	} rows[] = {
		{ -1, PLUGPKG_OK, PP_TUF_MAX_SNAPSHOT_BYTES },
		{ 0, PLUGPKG_OK, 0 },
		{ 100, PLUGPKG_OK, 100 },
		{ 30000000, PLUGPKG_OK, 30000000 },
		{ INT64_MAX, PLUGPKG_E_BAD_METADATA, 0 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
		struct pp_tuf_file file = { 0 };
		pp_json *body = tuf_timestamp(1, 1);
		pp_json *entry = pp_json_get(pp_json_get(body, "meta"), "snapshot.json");
		if (rows[i].length >= 0)
			pp_json_set_int(entry, "length", rows[i].length);
		CHECK_INT(give_timestamp(t, PP_TUF_REMOTE, body, "m"), PLUGPKG_OK);
		CHECK_INT(pp_tuf_expect(t, "snapshot", &file, NULL), rows[i].want);
		CHECK_INT(file.max_bytes, rows[i].max);
	}
}

static void
nothing_is_taken_before_what_it_hangs_on(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_timestamp();
	struct pp_tuf_file file;

	CHECK_INT(pp_tuf_check_timestamp(t, NULL), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, tuf_snapshot(1, 1), "s"), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(pp_tuf_check_snapshot(t, NULL), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(give_targets(t, tuf_targets(1), "t"), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(pp_tuf_expect(t, "targets", &file, NULL), PLUGPKG_E_NOT_FOUND);
	CHECK_INT(pp_tuf_version(t, "snapshot"), -1);
}

static void
the_earliest_expiry_of_all_is_told(void)
{
	PP_AUTO(tuf) struct pp_tuf *t = ready_for_snapshot(1, 1);
	pp_json *soon = tuf_with_str(tuf_snapshot(1, 1), "expires", "2026-11-22T00:00:00Z");

	CHECK_INT(pp_tuf_expires(t), TUF_NOW + 10 * 86400);
	CHECK_INT(give_snapshot(t, PP_TUF_REMOTE, soon, "s"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_expires(t), TUF_NOW + 86400);
	CHECK_INT(give_targets(t, tuf_targets(1), "t"), PLUGPKG_OK);
	CHECK_INT(pp_tuf_version(t, "targets"), 1);
}

/* clang-format off */
TAP_MAIN(
	CASE(a_new_root_needs_the_old_keys_and_its_own)
	CASE(a_root_may_be_expired_on_the_way_but_not_at_the_end)
	CASE(a_file_is_expired_from_its_second_on)
	CASE(a_timestamp_never_goes_back)
	CASE(an_expired_timestamp_counts_against_rollback_only)
	CASE(another_role_served_as_timestamp_is_refused)
	CASE(a_snapshot_is_the_one_that_timestamp_names)
	CASE(length_and_digests_of_a_snapshot_count)
	CASE(an_expired_local_snapshot_is_not_enough)
	CASE(no_role_leaves_a_snapshot_or_goes_back_in_it)
	CASE(new_keys_let_version_numbers_go_back)
	CASE(targets_are_those_that_snapshot_names)
	CASE(length_and_digests_of_targets_count)
	CASE(a_signed_length_replaces_the_usual_limit_within_reason)
	CASE(nothing_is_taken_before_what_it_hangs_on)
	CASE(the_earliest_expiry_of_all_is_told))
/* clang-format on */
