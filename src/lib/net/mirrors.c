/* SPDX-License-Identifier: MIT */
/* Measures and remembers mirrors, and chooses among them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "lib/net/fetch.h"
#include "lib/net/mirrors.h"

#define FILE_NAME      "var/mirrors.json"
#define FILE_MAX_BYTES (256 * 1024)
#define MIRRORS_MAX    500
#define SPEED_MAX      ((uint64_t)1 << 50)
#define FIRST_MS_MAX   600000

#define MEASURE_BYTES (128u * 1024) /* fewer say nothing about speed */
#define SHUN_SECONDS  600           /* after one failure; doubled by each more */
#define SHUN_MOST     86400
/* A busy mirror is waited for when the free one would take this many times as long. */
#define WORTH_WAITING 4.0
/* Measured values sway: the order of preference holds until one is that much better. */
#define CLEARLY_BETTER 0.75

struct pp_mirror *
pp_mirror_of(struct pp_mirrors *m, const char *base_url)
{
	PP_AUTO_FREE char *url = pp_url_redacted(base_url);

	pp_vec_foreach (known, &m->known)
		if (strcmp((*known)->url, url) == 0)
			return *known;

	struct pp_mirror *new = pp_xcalloc(1, sizeof(*new));

	new->url = pp_steal(&url);
	pp_vec_push(&m->known, new);
	return new;
}

void
pp_mirrors_fini(struct pp_mirrors *m)
{
	pp_vec_foreach (known, &m->known) {
		free((*known)->url);
		free(*known);
	}
	pp_vec_free(&m->known);
}

/* ---- kept ---- */

static bool
failed_lately(const struct pp_mirror *m, int64_t now)
{
	int64_t shunned = SHUN_SECONDS;

	if (m->failures == 0)
		return false;
	for (unsigned i = 1; i < m->failures && shunned < SHUN_MOST; i++)
		shunned *= 2;
	/* A failure of the future is one of a wrong clock. */
	return now >= m->failed_at &&
	       now < m->failed_at + (shunned < SHUN_MOST ? shunned : SHUN_MOST);
}

static void
take_up(struct pp_mirrors *m, const pp_json *j, int64_t now)
{
	const char *url = pp_json_get_str(j, "url");
	int64_t speed = pp_json_get_int(j, "speed", 0), first = pp_json_get_int(j, "first_ms", 0);
	int64_t failures = pp_json_get_int(j, "failures", 0);

	if (url == NULL || m->known.n >= MIRRORS_MAX || speed < 0 || (uint64_t)speed > SPEED_MAX ||
	    first < 0 || first > FIRST_MS_MAX || failures < 0 || failures > INT32_MAX)
		return;

	struct pp_mirror *one = pp_mirror_of(m, url);

	one->speed = (uint64_t)speed;
	one->first_ms = (uint32_t)first;
	one->failures = (unsigned)failures;
	one->failed_at = pp_json_get_int(j, "failed_at", 0);
	one->faults = failed_lately(one, now) ? 1 : 0;
}

void
pp_mirrors_load(struct pp_mirrors *m, const plugpkg_context *ctx)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX_BYTES);

	if (ctx == NULL || ctx->root_fd < 0 || pp_read_file_at(ctx->root_fd, FILE_NAME, &text) < 0)
		return;
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	const pp_json *all = pp_json_get(j, "mirrors");

	for (size_t i = 0; i < pp_json_len(all); i++)
		take_up(m, pp_json_at(all, i), ctx->now);
}

void
pp_mirrors_save(struct pp_mirrors *m, const plugpkg_context *ctx)
{
	if (ctx == NULL || ctx->root_fd < 0 || ctx->is_dry_run || !m->is_changed)
		return;
	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json *all = pp_json_array();

	pp_json_set_int(j, "format", 1);
	pp_json_set(j, "mirrors", all);
	pp_vec_foreach (known, &m->known) {
		const struct pp_mirror *one = *known;
		if (one->speed == 0 && one->first_ms == 0 && one->failures == 0)
			continue;
		pp_json *row = pp_json_object();
		pp_json_set_str(row, "url", one->url);
		pp_json_set_int(row, "speed", (int64_t)one->speed);
		pp_json_set_int(row, "first_ms", one->first_ms);
		pp_json_set_int(row, "failures", one->failures);
		pp_json_set_int(row, "failed_at", one->failed_at);
		pp_json_push(all, row);
	}
	PP_AUTO_FREE char *text = pp_json_pretty(j);
	/* Another process may have written it meanwhile: the last one's knowledge stays. */
	PP_IGNORE(pp_write_file_at(ctx->root_fd, FILE_NAME, text, strlen(text), 0644));
	m->is_changed = false;
}

/* ---- judged ---- */

void
pp_mirror_blame(struct pp_mirrors *m, struct pp_mirror *mirror, int64_t now)
{
	/* Many files of one run that fail at once are one failure. */
	if (mirror->faults++ == 0 || mirror->failures == 0)
		mirror->failures++;
	mirror->failed_at = now;
	m->is_changed = true;
}

static bool
differs(uint64_t a, uint64_t b)
{
	uint64_t less = a < b ? a : b, more = a < b ? b : a;

	return more - less > more / 4;
}

/* Half of what was known and half of what is new; worth keeping when it moved a quarter. */
static void
blend(struct pp_mirrors *m, uint64_t was, uint64_t is, uint64_t *out)
{
	*out = was == 0 ? is : (was + is) / 2;
	m->is_changed = m->is_changed || differs(was, *out);
}

void
pp_mirror_praise(
    struct pp_mirrors *m, struct pp_mirror *mirror, uint64_t bytes, uint32_t first_ms, int64_t ms)
{
	uint64_t first = mirror->first_ms;

	if (mirror->failures > 0)
		m->is_changed = true;
	mirror->failures = 0;
	mirror->failed_at = 0;
	blend(m, first, first_ms > 0 ? first_ms : 1, &first);
	mirror->first_ms = (uint32_t)first;
	if (bytes >= MEASURE_BYTES)
		blend(m, mirror->speed, bytes * 1000 / (uint64_t)(ms > 0 ? ms : 1), &mirror->speed);
}

bool
pp_mirrors_is_doubted(struct pp_mirrors *m, const struct pp_strs *urls, size_t which)
{
	if (pp_mirror_of(m, urls->at[which])->faults == 0)
		return false;
	pp_vec_foreach (url, urls)
		if (pp_mirror_of(m, *url)->faults == 0)
			return true;
	return false;
}

/* ---- chosen ---- */

/* Seconds until the file would be here; 0 = not known. */
static double
estimate(const struct pp_mirror *m, uint64_t size)
{
	if (m->first_ms == 0 || (m->speed == 0 && size >= MEASURE_BYTES))
		return 0;
	return m->first_ms / 1000.0 + (m->speed > 0 ? (double)size / (double)m->speed : 0);
}

/* Is the later one, b, to be asked before a? */
static bool
is_better(const struct pp_mirror *b, const struct pp_mirror *a, uint64_t size)
{
	if (b->faults != a->faults)
		return b->faults < a->faults;
	double with_a = estimate(a, size), with_b = estimate(b, size);
	return with_a > 0 && with_b > 0 && with_b < with_a * CLEARLY_BETTER;
}

/* A mirror that is quick but has its hands full, against one that is slow and free. */
static bool
is_worth_waiting(const struct pp_mirror *busy, const struct pp_mirror *slow, uint64_t size)
{
	double with_busy = estimate(busy, size), with_slow = estimate(slow, size);

	return busy->faults < slow->faults ||
	       (with_busy > 0 && with_slow > with_busy * WORTH_WAITING);
}

size_t
pp_mirrors_choose(struct pp_mirrors *m, const struct pp_choice *c, int64_t *out_wake_ms)
{
	struct pp_mirror *best = NULL, *best_busy = NULL;
	size_t chosen = c->urls->n;

	*out_wake_ms = 0;
	for (size_t i = 0; i < c->urls->n; i++) {
		struct pp_mirror *one = pp_mirror_of(m, c->urls->at[i]);

		if (c->is_out[i] != NULL)
			continue;
		if (one->rests_until_ms > c->now_ms) {
			if (*out_wake_ms == 0 || one->rests_until_ms < *out_wake_ms)
				*out_wake_ms = one->rests_until_ms;
		} else if (one->n_active >= c->per_mirror) {
			if (best_busy == NULL || is_better(one, best_busy, c->size))
				best_busy = one;
		} else if (best == NULL || is_better(one, best, c->size)) {
			best = one;
			chosen = i;
		}
	}
	if (best_busy != NULL && (best == NULL || is_worth_waiting(best_busy, best, c->size))) {
		*out_wake_ms = INT64_MAX;
		return c->urls->n;
	}
	return chosen;
}
