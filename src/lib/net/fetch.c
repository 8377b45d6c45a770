/* SPDX-License-Identifier: MIT */
/*
 * Many files at once, each from the first mirror that delivers the right bytes. A job is one file;
 * an attempt is one job at one mirror. Which attempt is next is decided here and nowhere else.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/time.h"
#include "lib/net/cache.h"
#include "lib/net/job.h"
#include "lib/net/url.h"

#define REST_MS         100
#define LONGEST_WAIT_MS 1000

/* ---- attempts ---- */

static int
on_begin(void *user, uint64_t offset)
{
	struct pp_job *job = user;

	job->start = offset;
	if (offset == 0)
		pp_job_forget(job);
	return pp_part_begin(&job->part, offset);
}

static int
on_bytes(void *user, const char *p, size_t n)
{
	struct pp_job *job = user;

	return pp_part_add(&job->part, p, n);
}

static enum plugpkg_code
attempt_file(struct pp_batch *b, struct pp_job *job, struct pp_ask *ask, plugpkg_error **err)
{
	struct pp_answer a;

	job->start = 0;
	enum plugpkg_code rc = pp_file_fetch(
	    b->net->ctx, job->want->mirrors->at[job->mirror], job->want->path, ask, &a, err);
	return rc != PLUGPKG_OK ? rc : pp_job_settle(b, job, &a, err);
}

static enum plugpkg_code
attempt(struct pp_batch *b, struct pp_job *job, plugpkg_error **err)
{
	const struct pp_want *want = job->want;
	const char *base = want->mirrors->at[job->mirror];
	PP_AUTO_FREE char *url = pp_url_join(base, want->path);
	struct pp_ask ask = {
		.id = ++b->net->last_id,
		.url = url,
		.sink = { on_begin, on_bytes, job },
		.max = want->size,
		.offset = job->part.n,
		.is_exact = want->proof == NULL,
		.is_held = want->is_held,
		.patience = b->net->patience,
	};

	job->began_ms = pp_time_mono_ms();
	job->start = job->part.n;
	if (pp_url_is_file(base))
		return attempt_file(b, job, &ask, err);
	enum plugpkg_code rc = pp_net_login(b->net, url, &ask.login, err);
	if (rc == PLUGPKG_OK)
		rc = pp_helper_ask(pp_net_helper(b->net), &ask, &job->stream, err);
	if (rc != PLUGPKG_OK)
		return rc;
	job->state = PP_JOB_ACTIVE;
	pp_job_mirror(b, job)->n_active++;
	b->active[b->n_active++] = job;
	return PLUGPKG_OK;
}

/* In the cache. */
static const char *
name_of(const struct pp_want *want)
{
	return want->proof != NULL ? want->proof->name : want->sha256;
}

/* Opens the part file and finds out how much of it an earlier run left. */
static enum plugpkg_code
open_part(struct pp_batch *b, struct pp_job *job, plugpkg_error **err)
{
	if (job->want->is_held) {
		pp_part_hold(job->want->size, &job->part);
		return PLUGPKG_OK;
	}
	int r = pp_part_open(b->net->to_fd, name_of(job->want), job->want->size, &job->part);

	if (r == 0 && job->want->proof != NULL)
		return pp_job_start_over(job, err);
	if (r < 0)
		return pp_job_fail_local(job, -r, err);
	job->had = job->part.n;
	b->net->total -= job->had;
	if (job->part.n < job->want->size)
		return PLUGPKG_OK;
	r = pp_part_finish(b->net->to_fd, &job->part, job->want->sha256, pp_net_verified(b->net));
	if (r == 0) {
		pp_job_ready(b, job);
		return PLUGPKG_OK;
	}
	return r == -EBADMSG ? pp_job_start_over(job, err) : pp_job_fail_local(job, -r, err);
}

/* False: there is none now. The batch then knows when to look again, unless all are out. */
static bool
choose(struct pp_batch *b, struct pp_job *job, bool *out_is_hopeless)
{
	const struct pp_choice c = {
		.urls = job->want->mirrors,
		.is_out = job->reasons,
		.size = job->want->size - job->part.n,
		.per_mirror = pp_net_per_mirror(b->net, job->want->is_piece),
		.now_ms = pp_time_mono_ms(),
	};
	int64_t wake = 0;

	job->mirror = pp_mirrors_choose(&b->net->mirrors, &c, &wake);
	*out_is_hopeless = job->mirror == c.urls->n && wake == 0;
	if (wake != 0 && job->mirror == c.urls->n && wake < b->wake_ms)
		b->wake_ms = wake;
	return job->mirror < c.urls->n;
}

static enum plugpkg_code
fail_offline(const struct pp_job *job, plugpkg_error **err)
{
	pp_fail(err, PLUGPKG_E_NETWORK, 0, "%s was not downloaded before, and this is offline",
	    job->want->label);
	return pp_hint(err, PLUGPKG_E_NETWORK, "run the command again without --offline");
}

/* Makes attempts until one is under way, or the job is ready or has to wait. */
static enum plugpkg_code
advance(struct pp_batch *b, struct pp_job *job, plugpkg_error **err)
{
	bool is_offline = b->net->ctx != NULL && b->net->ctx->is_offline;
	bool is_open = pp_part_is_open(&job->part), is_hopeless = false;

	/* Thousands may wait while mirrors rest: none of them has a descriptor yet. */
	if (!is_open && !is_offline && !choose(b, job, &is_hopeless) && !is_hopeless)
		return PLUGPKG_OK;
	enum plugpkg_code rc = is_open ? PLUGPKG_OK : open_part(b, job, err);
	if (rc == PLUGPKG_OK && job->state == PP_JOB_WAITING && is_offline)
		return fail_offline(job, err);
	while (rc == PLUGPKG_OK && job->state == PP_JOB_WAITING) {
		if (job->not_before_ms > pp_time_mono_ms()) {
			if (job->not_before_ms < b->wake_ms)
				b->wake_ms = job->not_before_ms;
			return PLUGPKG_OK;
		}
		if (choose(b, job, &is_hopeless))
			rc = attempt(b, job, err);
		else if (!is_hopeless)
			return PLUGPKG_OK;
		else if (!pp_job_may_try_again(b, job))
			return pp_job_fail(job, err);
	}
	return rc;
}

static void
drop_active(struct pp_batch *b, struct pp_job *job)
{
	for (size_t i = 0; i < b->n_active; i++)
		if (b->active[i] == job) {
			b->active[i] = b->active[--b->n_active];
			break;
		}
	pp_job_mirror(b, job)->n_active--;
}

/* Tells the guest what is ready; without downloads under way nobody else lets it have a turn. */
static enum plugpkg_code
tell_guest(struct pp_batch *b, plugpkg_error **err)
{
	const struct pp_fetch_guest *g = b->guest;
	bool is_told = b->n_told == b->n_ready;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (g == NULL)
		return rc;
	while (rc == PLUGPKG_OK && b->n_told < b->n_ready)
		rc = g->ready(g->user, (size_t)(b->ready[b->n_told++]->want - b->wants), err);
	return rc == PLUGPKG_OK && !is_told && b->n_active == 0 ? g->turn(g->user, err) : rc;
}

static enum plugpkg_code
take_answer(struct pp_batch *b, const struct pp_answer *a, plugpkg_error **err)
{
	for (size_t i = 0; a->id != 0 && i < b->n_active; i++) {
		struct pp_job *job = b->active[i];

		/* Its stream is the one that was just closed. */
		if (job->stream.id != 0)
			continue;
		drop_active(b, job);
		return pp_job_settle(b, job, a, err);
	}
	return PLUGPKG_OK;
}

/* Lets bytes flow for a while and takes one last answer, if there is one. */
static enum plugpkg_code
pump(struct pp_batch *b, int timeout_ms, plugpkg_error **err)
{
	struct pp_stream *streams[PP_NET_MAX_ACTIVE];
	struct pp_helper *helper = &b->net->helper;
	struct pp_answer a;

	for (size_t i = 0; i < b->n_active; i++)
		streams[i] = &b->active[i]->stream;
	helper->n_guests = b->guest != NULL ? b->guest->fds(b->guest->user, helper->guests) : 0;
	enum plugpkg_code rc =
	    pp_helper_pump(helper, b->net->ctx, streams, b->n_active, timeout_ms, &a, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_tell_active(b);
	rc = take_answer(b, &a, err);
	return rc == PLUGPKG_OK && helper->has_guest ? b->guest->turn(b->guest->user, err) : rc;
}

static bool
are_busy(struct pp_batch *b, const struct pp_want *want)
{
	unsigned per_mirror = pp_net_per_mirror(b->net, want->is_piece);

	pp_vec_foreach (url, want->mirrors)
		if (pp_mirror_of(&b->net->mirrors, *url)->n_active < per_mirror)
			return false;
	return true;
}

/*
 * Fills the free places with jobs that wait and may go on. Of thousands of jobs most were never
 * begun: these are not looked at while all their mirrors are busy.
 */
static enum plugpkg_code
start_waiting(struct pp_batch *b, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	const struct pp_strs *busy = NULL;

	b->wake_ms = INT64_MAX;
	while (b->first < b->n_jobs && b->jobs[b->first].state == PP_JOB_READY)
		b->first++;
	for (size_t i = b->first;
	     i < b->n_jobs && b->n_active < PP_NET_MAX_ACTIVE && rc == PLUGPKG_OK; i++) {
		struct pp_job *job = &b->jobs[i];
		const struct pp_strs *mirrors = job->want->mirrors;

		if (job->state != PP_JOB_WAITING ||
		    (!pp_part_is_open(&job->part) && mirrors == busy))
			continue;
		if (b->n_active > 0 && b->n_active + pp_ahead_n_active(b->net) >=
					   pp_net_jobs(b->net, job->want->is_piece))
			break;
		rc = advance(b, job, err);
		if (rc == PLUGPKG_OK)
			rc = tell_guest(b, err);
		if (job->state == PP_JOB_WAITING && are_busy(b, job->want))
			busy = mirrors;
	}
	return rc;
}

/* Nothing is under way and all that waits has to rest. */
static enum plugpkg_code
rest(struct pp_batch *b, int timeout_ms, plugpkg_error **err)
{
	(void)poll(NULL, 0, timeout_ms < REST_MS ? timeout_ms : REST_MS);
	enum plugpkg_code rc = pp_check_cancel(b->net->ctx, err);

	return rc == PLUGPKG_OK && b->guest != NULL ? b->guest->turn(b->guest->user, err) : rc;
}

static int
until_wake(const struct pp_batch *b)
{
	int64_t ms = b->wake_ms == INT64_MAX ? LONGEST_WAIT_MS : b->wake_ms - pp_time_mono_ms();

	return ms < 0 ? 0 : ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)ms;
}

static enum plugpkg_code
run(struct pp_batch *b, plugpkg_error **err)
{
	for (;;) {
		enum plugpkg_code rc = start_waiting(b, err);

		if (rc == PLUGPKG_OK)
			rc = tell_guest(b, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (b->n_active == 0 && b->wake_ms == INT64_MAX)
			return PLUGPKG_OK; /* nobody waits: a free mirror would have been asked */
		int timeout_ms = until_wake(b);
		rc = b->n_active > 0 ? pump(b, timeout_ms, err) : rest(b, timeout_ms, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}

/* ---- the batch ---- */

/* A dry run leaves it as it is, and fetches to another place. */
static struct pp_cache
cache_of(const struct pp_net *net)
{
	return (struct pp_cache){ net->cache_fd, net->to_fd != net->cache_fd };
}

static struct pp_cache
scratch_of(const struct pp_net *net)
{
	return (struct pp_cache){ net->to_fd, false };
}

static int
open_cached(const struct pp_net *net, const char *sha256, uint64_t size)
{
	int fd = pp_cache_open(cache_of(net), sha256, size, pp_net_verified(net));

	return fd == -ENOENT && net->to_fd != net->cache_fd
		   ? pp_cache_open(scratch_of(net), sha256, size, pp_net_verified(net))
		   : fd;
}

static void
was_ready(struct pp_batch *b, struct pp_job *job)
{
	job->state = PP_JOB_READY;
	b->ready[b->n_ready++] = job;
}

static enum plugpkg_code
init_job(struct pp_batch *b, struct pp_job *job, const struct pp_want *want, plugpkg_error **err)
{
	*job = (struct pp_job){
		.want = want, .net = b->net, .part = PP_PART_INIT, .stream = { .fd = -1 }
	};
	job->reasons = pp_xcalloc(want->mirrors->n + 1, sizeof(*job->reasons));
	if (want->proof != NULL) {
		if (pp_job_is_proven(b->net, want->proof))
			was_ready(b, job);
		return PLUGPKG_OK;
	}
	if (!pp_is_sha256(want->sha256))
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "%s has no valid digest", want->label);

	if (want->is_held) {
		b->net->total += want->size;
		return PLUGPKG_OK;
	}
	PP_AUTO_FD int fd = open_cached(b->net, want->sha256, want->size);
	if (fd < 0 && fd != -ENOENT)
		return pp_fail(
		    err, PLUGPKG_E_IO, -fd, "cannot look for %s in the cache", want->label);
	if (fd >= 0)
		was_ready(b, job);
	else
		b->net->total += want->size;
	return PLUGPKG_OK;
}

static enum plugpkg_code
init_jobs(struct pp_batch *b, const struct pp_want *wants, size_t n, plugpkg_error **err)
{
	struct pp_map seen = { .n = 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < n && rc == PLUGPKG_OK; i++) {
		/* The same bytes under two names are fetched once. */
		if (pp_map_has(&seen, name_of(&wants[i])))
			continue;
		*pp_map_put(&seen, name_of(&wants[i])) = b;
		rc = init_job(b, &b->jobs[b->n_jobs++], &wants[i], err);
	}
	pp_map_fini(&seen, NULL);
	return rc;
}

static void
fini_jobs(struct pp_batch *b, bool keeps_parts)
{
	for (size_t i = 0; i < b->n_jobs; i++) {
		struct pp_job *job = &b->jobs[i];

		pp_stream_close(&job->stream);
		pp_part_close(b->net->to_fd, &job->part, keeps_parts && job->want->proof == NULL);
		for (size_t m = 0; job->reasons != NULL && m < job->want->mirrors->n; m++)
			free(job->reasons[m]);
		free(job->reasons);
	}
	free(b->jobs);
	free(b->ready);
}

/* Batches follow each other, so the number of these lines is that of the rounds. */
static void
tell_round(const struct pp_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_jobs; i++)
		n += b->jobs[i].state != PP_JOB_READY;
	if (n > 0)
		pp_debug(b->net->ctx, NULL, "a round of downloads: %zu", n);
}

enum plugpkg_code
pp_net_fetch(struct pp_net *net, const struct pp_want *wants, size_t n, plugpkg_error **err)
{
	return pp_net_fetch_with(net, wants, n, NULL, err);
}

enum plugpkg_code
pp_net_fetch_with(struct pp_net *net, const struct pp_want *wants, size_t n,
    const struct pp_fetch_guest *guest, plugpkg_error **err)
{
	struct pp_batch b = {
		.net = net,
		.wants = wants,
		.guest = guest,
		.jobs = pp_xcalloc(n + 1, sizeof(*b.jobs)),
		.ready = pp_xcalloc(n + 1, sizeof(*b.ready)),
	};
	enum plugpkg_code rc = init_jobs(&b, wants, n, err);

	if (rc == PLUGPKG_OK) {
		tell_round(&b);
		pp_tell_total(&b, true);
		rc = run(&b, err);
	}
	/* What is still under way is of no use to anybody. */
	if (b.n_active > 0)
		pp_helper_end(&net->helper);
	while (b.n_active > 0)
		drop_active(&b, b.active[0]);
	net->helper.n_guests = 0;
	/* Who sent other bytes than the signed ones is not believed half a file either. */
	fini_jobs(&b, rc != PLUGPKG_E_DIGEST);
	return rc;
}

enum plugpkg_code
pp_net_open_cached(
    struct pp_net *net, const char *sha256, uint64_t size, int *out_fd, plugpkg_error **err)
{
	int fd = open_cached(net, sha256, size);

	if (fd == -ENOENT)
		return pp_fail(
		    err, PLUGPKG_E_DIGEST, 0, "cached file '%s' is missing or damaged", sha256);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot read cached file '%s'", sha256);
	*out_fd = fd;
	return PLUGPKG_OK;
}

int
pp_net_open_unread(struct pp_net *net, const char *sha256, uint64_t size)
{
	/* A dry run that fetched it anew has had a reason to. */
	int fd = net->to_fd != net->cache_fd ? pp_cache_open_unread(scratch_of(net), sha256, size)
					     : -ENOENT;

	return fd == -ENOENT ? pp_cache_open_unread(cache_of(net), sha256, size) : fd;
}

/* What was held for the next reader; a dry run, which has it nowhere else, may ask again. */
static bool
take_held(struct pp_net *net, const char *sha256, size_t size, struct pp_buf *out)
{
	struct pp_buf *held = pp_map_get(&net->held, sha256);

	if (held == NULL || held->n == 0 || held->n != size)
		return false;
	pp_buf_add(out, held->s, held->n);
	if (net->to_fd == net->cache_fd)
		pp_buf_fini(held);
	return true;
}

int
pp_net_read_cached(struct pp_net *net, const char *sha256, size_t size, struct pp_buf *out)
{
	if (take_held(net, sha256, size, out))
		return out->overflow ? -EFBIG : 0;
	int r = pp_cache_read(cache_of(net), sha256, size, out);

	return r == -ENOENT && net->to_fd != net->cache_fd
		   ? pp_cache_read(scratch_of(net), sha256, size, out)
		   : r;
}
