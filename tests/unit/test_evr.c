/* SPDX-License-Identifier: MIT */
/* The encoding of versions: the table, and the order of random pairs in both types of pool. */
#include "base/mem.h"
#include "lib/model/semver.h"
#include "lib/solve/evr.h"
#include "tap.h"

#include <solv/evr.h>
#include <solv/pool.h>

#define PAIRS     100000
#define TEXT_ROOM 256

static char *
encoded(const char *version, bool is_floor)
{
	struct pp_buf b = PP_BUF_INIT(PP_EVR_MAX_BYTES);
	struct pp_version v;

	if (pp_version_parse(pp_str_of(version), &v, NULL) != PLUGPKG_OK)
		return pp_xstrdup("no version");
	if (is_floor)
		pp_evr_encode_floor(&b, &v);
	else
		pp_evr_encode(&b, &v);
	pp_version_fini(&v);
	return pp_buf_steal(&b);
}

static void
versions_have_their_encoding(void)
{
	static const struct {
		const char *version, *evr;
	} rows[] = {
		{ "1.2", "1.2.0" },
		{ "1.2.0.0", "1.2.0" },
		{ "1.2.0.0.1", "1.2.0.0.1" },
		{ "5.3.1.2", "5.3.1.2" },
		{ "1.0.0+build.5", "1.0.0" },
		{ "1.0.0-alpha", "1.0.0~Balpha~~" },
		{ "1.0.0-0.3.7", "1.0.0~A0~A3~A7~~" },
		{ "1.0.0-rc1", "1.0.0~BrcAC~~" },
		{ "1.0.0-rc.1", "1.0.0~Brc~A1~~" },
		{ "1.0.0-Alpha", "1.0.0~BALlpha~~" },
		{ "1.0.0-x-y-z.--", "1.0.0~BxAAyAAz~BAAAA~~" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *got = encoded(rows[i].version, false);
		CHECK_STR(got, rows[i].evr);
	}
}

static void
the_floor_is_below_every_prerelease(void)
{
	PP_AUTO_FREE char *floor = encoded("2.0.0", true);
	PP_AUTO_FREE char *lowest = encoded("2.0.0-0", false);
	PP_AUTO_FREE char *before = encoded("1.999.999", false);
	Pool *pool = pool_create();

	CHECK_STR(floor, "2.0.0~~");
	pool_setdisttype(pool, DISTTYPE_DEB);
	CHECK(pool_evrcmp_str(pool, floor, lowest, EVRCMP_COMPARE) < 0);
	CHECK(pool_evrcmp_str(pool, before, floor, EVRCMP_COMPARE) < 0);
	pool_free(pool);
}

/* A small generator of our own: the same pairs on every machine. */
static uint32_t
next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void
add_number(struct pp_buf *b, uint64_t *state)
{
	uint32_t digits = next(state) % 10 == 0 ? 25 : 1 + next(state) % 2;

	pp_buf_addc(b, (char)(digits == 1 ? '0' + next(state) % 4 : '1' + next(state) % 3));
	for (uint32_t i = 1; i < digits; i++)
		pp_buf_addc(b, (char)('0' + next(state) % 3));
}

static void
add_identifier(struct pp_buf *b, uint64_t *state)
{
	static const char alphabet[] = "aAbBzZ-09";

	if (next(state) % 3 == 0) {
		add_number(b, state);
		return;
	}
	uint32_t n = 1 + next(state) % 4;
	pp_buf_addc(b, alphabet[next(state) % 7]); /* no digit: numbers have no leading zeros */
	for (uint32_t i = 1; i < n; i++)
		pp_buf_addc(b, alphabet[next(state) % (sizeof(alphabet) - 1)]);
}

static void
add_version(struct pp_buf *b, uint64_t *state)
{
	uint32_t parts = 1 + next(state) % 5, identifiers = next(state) % 4;

	pp_buf_clear(b);
	for (uint32_t i = 0; i < parts; i++) {
		if (i > 0)
			pp_buf_addc(b, '.');
		add_number(b, state);
	}
	for (uint32_t i = 0; i < identifiers; i++) {
		pp_buf_addc(b, i == 0 ? '-' : '.');
		add_identifier(b, state);
	}
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

/* Half of the pairs are near each other, where mistakes are. */
static size_t
count_wrong(Pool *pool)
{
	PP_AUTO_BUF struct pp_buf a = PP_BUF_INIT(TEXT_ROOM);
	PP_AUTO_BUF struct pp_buf b = PP_BUF_INIT(TEXT_ROOM);
	uint64_t state = 42;
	size_t wrong = 0;

	for (size_t i = 0; i < PAIRS; i++) {
		uint64_t saved = state;
		add_version(&a, &state);
		if (i % 2 == 0)
			state = saved;
		add_version(&b, &state);
		if (i % 2 == 0 && b.n > 1)
			b.s[b.n - 1 - next(&state) % (b.n > 4 ? 4 : 1)] = (char)('0' + i % 4);
		struct pp_version va, vb;
		if (pp_version_parse(pp_str_of(a.s), &va, NULL) != PLUGPKG_OK)
			continue;
		if (pp_version_parse(pp_str_of(b.s), &vb, NULL) != PLUGPKG_OK) {
			pp_version_fini(&va);
			continue;
		}
		PP_AUTO_FREE char *ea = encoded(a.s, false);
		PP_AUTO_FREE char *eb = encoded(b.s, false);
		int want = sign(pp_version_cmp(&va, &vb));
		bool is_same_text = strcmp(ea, eb) == 0;
		if (sign(pool_evrcmp_str(pool, ea, eb, EVRCMP_COMPARE)) != want ||
		    is_same_text != (want == 0)) {
			if (wrong++ < 5)
				printf("# %s, %s: %s, %s\n", a.s, b.s, ea, eb);
		}
		pp_version_fini(&va);
		pp_version_fini(&vb);
	}
	return wrong;
}

static void
random_pairs_sort_as_semver_in_both_types_of_pool(void)
{
	static const int types[] = { DISTTYPE_DEB, DISTTYPE_RPM };

	for (size_t i = 0; i < PP_LEN(types); i++) {
		Pool *pool = pool_create();
		if (CHECK_INT(pool_setdisttype(pool, types[i]) < 0, 0))
			CHECK_INT(count_wrong(pool), 0);
		pool_free(pool);
	}
}

TAP_MAIN(CASE(versions_have_their_encoding) CASE(the_floor_is_below_every_prerelease)
	CASE(random_pairs_sort_as_semver_in_both_types_of_pool))
