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
#include "lib/net/net.h"
#include "lib/net/url.h"

#define MAX_CONTINUATIONS 3 /* of one cut-off file at one mirror, each with progress */
#define MAX_REASONS_BYTES 8192
#define MAX_STREAMS       PP_NETWORK_JOBS_MAX
#define MAX_REST_S        120 /* that a server may ask for */
#define MAX_RESTS         5   /* for one file */
#define TELL_MS           100
#define LONGEST_WAIT_MS   1000

enum job_state {
	JOB_WAITING,
	JOB_ACTIVE,
	JOB_READY
};

struct job {
	const struct pp_want *want;
	enum job_state state;
	struct pp_part part; /* part.n: bytes that are there */
	struct pp_stream stream;
	size_t mirror;                            /* of the attempt under way */
	uint64_t start;                           /* bytes that were there before it */
	int64_t began_ms, told_ms, not_before_ms; /* monotonic */
	uint32_t first_byte_ms;
	unsigned n_continued, n_rounds, n_rests;
	bool may_pass;              /* a mirror is out for a reason that may pass */
	const char *hint;           /* what the last failure suggests */
	char **reasons;             /* one a mirror: why it is out, NULL = it may be asked */
	size_t n_answered, n_wrong; /* mirrors that answered; of these, with other bytes */
};

struct batch {
	struct pp_net *net;
	struct job *jobs;
	size_t n_jobs;
	size_t first; /* all before it are ready */
	struct job *active[MAX_STREAMS];
	size_t n_active;
	int64_t told_ms;
	int64_t wake_ms; /* when a waiting job may go on, monotonic; INT64_MAX: with an answer */
};

/* ---- progress ---- */

static void
tell_total(struct batch *b, bool is_due)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_FETCH_TOTAL,
		.done = b->net->done,
		.total = b->net->total,
	};
	int64_t now = pp_time_mono_ms();

	if (!is_due && now - b->told_ms < TELL_MS)
		return;
	b->told_ms = now;
	for (size_t i = 0; i < b->n_active; i++)
		ev.done += b->active[i]->part.n;
	pp_event(b->net->ctx, &ev);
}

static void
tell(struct batch *b, struct job *job, bool is_due)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_FETCH,
		.subject = job->want->label,
		.done = job->part.n,
		.total = job->want->size,
	};
	int64_t now = pp_time_mono_ms();

	if (!is_due && now - job->told_ms < TELL_MS)
		return;
	job->told_ms = now;
	pp_event(b->net->ctx, &ev);
	tell_total(b, is_due);
}

static void
tell_active(struct batch *b)
{
	for (size_t i = 0; i < b->n_active; i++)
		if (b->active[i]->part.n > b->active[i]->start)
			tell(b, b->active[i], false);
}

/* ---- outcomes ---- */

static enum plugpkg_code
fail_local(const struct job *job, int errnum, plugpkg_error **err)
{
	return pp_fail(
	    err, PLUGPKG_E_IO, errnum, "cannot write %s into the cache", job->want->label);
}

/* The mirror of the attempt under way is out for this job. */
static void
rule_out(struct job *job, int errnum, const char *text)
{
	const char *why = errnum != 0 ? pp_errno_text(errnum) : "";
	const char *between = *text != '\0' && *why != '\0' ? ": " : "";

	job->reasons[job->mirror] = pp_asprintf("%s%s%s", text, between, why);
}

static struct pp_mirror *
mirror_of(struct batch *b, const struct job *job)
{
	return pp_mirror_of(&b->net->mirrors, job->want->mirrors->at[job->mirror]);
}

static void
blame(struct batch *b, const struct job *job)
{
	if (!pp_url_is_file(job->want->mirrors->at[job->mirror]))
		pp_mirror_blame(&b->net->mirrors, mirror_of(b, job), pp_net_now(b->net));
}

static enum plugpkg_code
start_over(struct job *job, plugpkg_error **err)
{
	int r = pp_part_begin(&job->part, 0);

	return r < 0 ? fail_local(job, -r, err) : PLUGPKG_OK;
}

static void
ready(struct batch *b, struct job *job)
{
	job->state = JOB_READY;
	b->net->done += job->want->size;
	tell(b, job, true);
}

/* Downloads beside it took their share of the line, so its own speed counts as often. */
static void
praise(struct batch *b, const struct job *job)
{
	struct pp_mirror *mirror = mirror_of(b, job);
	int64_t ms = pp_time_mono_ms() - job->began_ms - job->first_byte_ms;

	if (!pp_url_is_file(job->want->mirrors->at[job->mirror]))
		pp_mirror_praise(&b->net->mirrors, mirror, job->part.n - job->start,
		    job->first_byte_ms, ms / (int64_t)(mirror->n_active + 1));
}

/* All bytes came. Are they the right ones? */
static enum plugpkg_code
settle_done(struct batch *b, struct job *job, plugpkg_error **err)
{
	int r =
	    pp_part_finish(b->net->to_fd, &job->part, job->want->sha256, pp_net_verified(b->net));

	if (r == 0) {
		praise(b, job);
		ready(b, job);
		return PLUGPKG_OK;
	}
	if (r != -EBADMSG)
		return fail_local(job, -r, err);
	/*
	 * After a continuation either half may be wrong: this mirror gets its chance with all of
	 * it.
	 */
	if (job->start == 0) {
		rule_out(job, 0, "delivered other bytes than the signed ones");
		job->n_answered++;
		job->n_wrong++;
		blame(b, job);
	}
	return start_over(job, err);
}

static bool
may_continue(const struct job *job, const struct pp_answer *a)
{
	return a->fault == PP_FAULT_CUT && job->part.n > job->start &&
	       job->n_continued < MAX_CONTINUATIONS;
}

/*
 * A server that has too much to do and says for how long. The mirror is left alone for that time,
 * by all files; another one is asked meanwhile.
 */
static bool
may_rest(struct batch *b, struct job *job, const struct pp_answer *a)
{
	struct pp_mirror *mirror = mirror_of(b, job);
	int64_t until = pp_time_mono_ms() + (int64_t)a->retry_after_s * 1000;

	if (a->fault != PP_FAULT_HTTP || (a->status != 429 && a->status != 503) ||
	    a->retry_after_s == 0 || a->retry_after_s > MAX_REST_S || job->n_rests >= MAX_RESTS)
		return false;
	job->n_rests++;
	if (mirror->rests_until_ms < until) {
		PP_AUTO_FREE char *text =
		    pp_asprintf("mirror '%s' is busy and asks to come back in %u s", mirror->url,
			a->retry_after_s);
		struct plugpkg_event ev = { .type = PLUGPKG_EVENT_INFO, .text = text };

		if (mirror->rests_until_ms < pp_time_mono_ms())
			pp_event(b->net->ctx, &ev);
		mirror->rests_until_ms = until;
	}
	return true;
}

static enum plugpkg_code
settle_failed(struct batch *b, struct job *job, const struct pp_answer *a, plugpkg_error **err)
{
	bool has_wrong_size = a->fault == PP_FAULT_LIMIT || a->fault == PP_FAULT_SIZE;
	bool is_missing = a->fault == PP_FAULT_HTTP && !pp_answer_is_passing(a);

	if (a->fault == PP_FAULT_LOCAL) {
		pp_part_close(b->net->to_fd, &job->part, false);
		return fail_local(job, a->errnum, err);
	}
	if (may_rest(b, job, a))
		return PLUGPKG_OK;
	if (may_continue(job, a)) {
		job->n_continued++;
		return PLUGPKG_OK;
	}
	job->n_continued = 0;
	rule_out(job, a->errnum, a->text);
	job->may_pass = job->may_pass || pp_answer_is_passing(a);
	/* Silence has cost the whole patience already: of the new tries it takes two. */
	job->n_rounds += a->fault == PP_FAULT_SLOW && job->want->mirrors->n == 1;
	job->hint = pp_answer_hint(a);
	job->n_answered += has_wrong_size || is_missing;
	job->n_wrong += has_wrong_size;
	/* A half-copied mirror lacks single files and is fine for the others. */
	if (!is_missing)
		blame(b, job);
	return has_wrong_size || job->part.n >= job->want->size ? start_over(job, err) : PLUGPKG_OK;
}

static enum plugpkg_code
settle(struct batch *b, struct job *job, const struct pp_answer *a, plugpkg_error **err)
{
	job->state = JOB_WAITING;
	job->first_byte_ms = a->first_byte_ms;
	if (a->type == PP_ANSWER_DONE)
		return settle_done(b, job, err);
	return settle_failed(b, job, a, err);
}

/*
 * All mirrors are out, some of them for reasons that may pass: these are asked once more, after a
 * pause. False when that was done often enough.
 */
static bool
may_try_again(struct batch *b, struct job *job)
{
	if (!job->may_pass || job->n_rounds >= pp_net_retries(b->net))
		return false;
	job->n_rounds++;
	job->may_pass = false;
	job->n_answered = job->n_wrong = 0;
	for (size_t i = 0; i < job->want->mirrors->n; i++) {
		free(job->reasons[i]);
		job->reasons[i] = NULL;
	}
	job->not_before_ms = pp_time_mono_ms() + pp_net_pause_ms(b->net, job->n_rounds);
	return true;
}

static enum plugpkg_code
fail_job(const struct job *job, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_REASONS_BYTES);
	const struct pp_strs *mirrors = job->want->mirrors;

	for (size_t i = 0; i < mirrors->n; i++) {
		PP_AUTO_FREE char *shown = pp_url_redacted(mirrors->at[i]);

		pp_buf_addf(&text, "%s%s: %s", i > 0 ? "; " : "", shown, job->reasons[i]);
	}
	if (job->n_wrong > 0 && job->n_wrong == job->n_answered) {
		pp_fail(err, PLUGPKG_E_DIGEST, 0, "cannot fetch %s: %s", job->want->label,
		    pp_buf_cstr(&text));
		return pp_hint(err, PLUGPKG_E_DIGEST,
		    "the mirror is damaged or hostile; nothing of it was used");
	}
	pp_fail(err, PLUGPKG_E_NETWORK, 0, "cannot fetch %s: %s", job->want->label,
	    mirrors->n > 0 ? pp_buf_cstr(&text) : "the source has no URL");
	return pp_hint(err, PLUGPKG_E_NETWORK, "%s",
	    job->hint != NULL ? job->hint : "try again later, or add another mirror");
}

/* ---- attempts ---- */

static int
on_begin(void *user, uint64_t offset)
{
	struct job *job = user;

	job->start = offset;
	return pp_part_begin(&job->part, offset);
}

static int
on_bytes(void *user, const char *p, size_t n)
{
	struct job *job = user;

	return pp_part_add(&job->part, p, n);
}

static enum plugpkg_code
attempt_file(struct batch *b, struct job *job, struct pp_ask *ask, plugpkg_error **err)
{
	struct pp_answer a;

	job->start = 0;
	enum plugpkg_code rc = pp_file_fetch(
	    b->net->ctx, job->want->mirrors->at[job->mirror], job->want->path, ask, &a, err);
	return rc != PLUGPKG_OK ? rc : settle(b, job, &a, err);
}

static enum plugpkg_code
attempt(struct batch *b, struct job *job, plugpkg_error **err)
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
		.is_exact = true,
		.patience = b->net->patience,
	};

	job->began_ms = pp_time_mono_ms();
	job->start = job->part.n;
	if (pp_url_is_file(base))
		return attempt_file(b, job, &ask, err);
	enum plugpkg_code rc = pp_net_login(b->net, url, &ask.login, err);
	if (rc == PLUGPKG_OK)
		rc = pp_helper_ask(&b->net->helper, &ask, &job->stream, err);
	if (rc != PLUGPKG_OK)
		return rc;
	job->state = JOB_ACTIVE;
	mirror_of(b, job)->n_active++;
	b->active[b->n_active++] = job;
	return PLUGPKG_OK;
}

/* Opens the part file and finds out how much of it an earlier run left. */
static enum plugpkg_code
open_part(struct batch *b, struct job *job, plugpkg_error **err)
{
	int r = pp_part_open(b->net->to_fd, job->want->sha256, job->want->size, &job->part);

	if (r < 0)
		return fail_local(job, -r, err);
	if (job->part.n < job->want->size)
		return PLUGPKG_OK;
	r = pp_part_finish(b->net->to_fd, &job->part, job->want->sha256, pp_net_verified(b->net));
	if (r == 0) {
		ready(b, job);
		return PLUGPKG_OK;
	}
	return r == -EBADMSG ? start_over(job, err) : fail_local(job, -r, err);
}

/* False: there is none now. The batch then knows when to look again, unless all are out. */
static bool
choose(struct batch *b, struct job *job, bool *out_is_hopeless)
{
	const struct pp_choice c = {
		.urls = job->want->mirrors,
		.is_out = job->reasons,
		.size = job->want->size - job->part.n,
		.per_mirror = pp_net_per_mirror(b->net),
		.now_ms = pp_time_mono_ms(),
	};
	int64_t wake = 0;

	job->mirror = pp_mirrors_choose(&b->net->mirrors, &c, &wake);
	*out_is_hopeless = job->mirror == c.urls->n && wake == 0;
	if (wake != 0 && job->mirror == c.urls->n && wake < b->wake_ms)
		b->wake_ms = wake;
	return job->mirror < c.urls->n;
}

/* Makes attempts until one is under way, or the job is ready or has to wait. */
static enum plugpkg_code
advance(struct batch *b, struct job *job, plugpkg_error **err)
{
	enum plugpkg_code rc = job->part.fd < 0 ? open_part(b, job, err) : PLUGPKG_OK;
	bool is_hopeless = false;

	while (rc == PLUGPKG_OK && job->state == JOB_WAITING) {
		if (job->not_before_ms > pp_time_mono_ms()) {
			if (job->not_before_ms < b->wake_ms)
				b->wake_ms = job->not_before_ms;
			return PLUGPKG_OK;
		}
		if (choose(b, job, &is_hopeless))
			rc = attempt(b, job, err);
		else if (!is_hopeless)
			return PLUGPKG_OK;
		else if (!may_try_again(b, job))
			return fail_job(job, err);
	}
	return rc;
}

static void
drop_active(struct batch *b, struct job *job)
{
	for (size_t i = 0; i < b->n_active; i++)
		if (b->active[i] == job) {
			b->active[i] = b->active[--b->n_active];
			break;
		}
	mirror_of(b, job)->n_active--;
}

/* Lets bytes flow for a while and takes one last answer, if there is one. */
static enum plugpkg_code
pump(struct batch *b, int timeout_ms, plugpkg_error **err)
{
	struct pp_stream *streams[MAX_STREAMS];
	struct pp_answer a;

	for (size_t i = 0; i < b->n_active; i++)
		streams[i] = &b->active[i]->stream;
	enum plugpkg_code rc =
	    pp_helper_pump(&b->net->helper, b->net->ctx, streams, b->n_active, timeout_ms, &a, err);
	if (rc != PLUGPKG_OK)
		return rc;
	tell_active(b);
	for (size_t i = 0; a.id != 0 && i < b->n_active; i++) {
		struct job *job = b->active[i];

		/* Its stream is the one that was just closed. */
		if (job->stream.id != 0)
			continue;
		drop_active(b, job);
		return settle(b, job, &a, err);
	}
	return PLUGPKG_OK;
}

/* Fills the free places with jobs that wait and may go on. */
static enum plugpkg_code
start_waiting(struct batch *b, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	b->wake_ms = INT64_MAX;
	while (b->first < b->n_jobs && b->jobs[b->first].state == JOB_READY)
		b->first++;
	for (size_t i = b->first;
	     i < b->n_jobs && b->n_active < pp_net_jobs(b->net) && rc == PLUGPKG_OK; i++)
		if (b->jobs[i].state == JOB_WAITING)
			rc = advance(b, &b->jobs[i], err);
	return rc;
}

/* Nothing is under way and all that waits has to rest. */
static enum plugpkg_code
rest(struct batch *b, int timeout_ms, plugpkg_error **err)
{
	(void)poll(NULL, 0, timeout_ms < TELL_MS ? timeout_ms : TELL_MS);
	return pp_check_cancel(b->net->ctx, err);
}

static int
until_wake(const struct batch *b)
{
	int64_t ms = b->wake_ms == INT64_MAX ? LONGEST_WAIT_MS : b->wake_ms - pp_time_mono_ms();

	return ms < 0 ? 0 : ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)ms;
}

static enum plugpkg_code
run(struct batch *b, plugpkg_error **err)
{
	for (;;) {
		enum plugpkg_code rc = start_waiting(b, err);

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

static int
open_cached(const struct pp_net *net, const char *sha256, uint64_t size)
{
	int fd = pp_cache_open(net->cache_fd, sha256, size, pp_net_verified(net));

	return fd == -ENOENT && net->to_fd != net->cache_fd
		   ? pp_cache_open(net->to_fd, sha256, size, pp_net_verified(net))
		   : fd;
}

static enum plugpkg_code
init_job(struct batch *b, struct job *job, const struct pp_want *want, plugpkg_error **err)
{
	*job = (struct job){ .want = want, .part = PP_PART_INIT, .stream = { .fd = -1 } };
	if (!pp_is_sha256(want->sha256))
		return pp_fail(
		    err, PLUGPKG_E_BAD_METADATA, 0, "%s has no valid digest", want->label);
	job->reasons = pp_xcalloc(want->mirrors->n + 1, sizeof(*job->reasons));

	PP_AUTO_FD int fd = open_cached(b->net, want->sha256, want->size);
	if (fd < 0 && fd != -ENOENT)
		return pp_fail(
		    err, PLUGPKG_E_IO, -fd, "cannot look for %s in the cache", want->label);
	if (fd >= 0)
		job->state = JOB_READY;
	else
		b->net->total += want->size;
	return PLUGPKG_OK;
}

static enum plugpkg_code
init_jobs(struct batch *b, const struct pp_want *wants, size_t n, plugpkg_error **err)
{
	struct pp_map seen = { .n = 0 };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < n && rc == PLUGPKG_OK; i++) {
		/* The same bytes under two names are fetched once. */
		if (pp_map_has(&seen, wants[i].sha256))
			continue;
		*pp_map_put(&seen, wants[i].sha256) = b;
		rc = init_job(b, &b->jobs[b->n_jobs++], &wants[i], err);
	}
	pp_map_fini(&seen, NULL);
	return rc;
}

static void
fini_jobs(struct batch *b)
{
	for (size_t i = 0; i < b->n_jobs; i++) {
		struct job *job = &b->jobs[i];

		pp_stream_close(&job->stream);
		pp_part_close(b->net->to_fd, &job->part, true);
		for (size_t m = 0; job->reasons != NULL && m < job->want->mirrors->n; m++)
			free(job->reasons[m]);
		free(job->reasons);
	}
	free(b->jobs);
}

enum plugpkg_code
pp_net_fetch(struct pp_net *net, const struct pp_want *wants, size_t n, plugpkg_error **err)
{
	struct batch b = { .net = net, .jobs = pp_xcalloc(n + 1, sizeof(*b.jobs)) };
	enum plugpkg_code rc = init_jobs(&b, wants, n, err);

	if (rc == PLUGPKG_OK) {
		tell_total(&b, true);
		rc = run(&b, err);
	}
	/* What is still under way is of no use to anybody. */
	if (b.n_active > 0)
		pp_helper_end(&net->helper);
	while (b.n_active > 0)
		drop_active(&b, b.active[0]);
	fini_jobs(&b);
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
	int fd =
	    net->to_fd != net->cache_fd ? pp_cache_open_unread(net->to_fd, sha256, size) : -ENOENT;

	return fd == -ENOENT ? pp_cache_open_unread(net->cache_fd, sha256, size) : fd;
}

int
pp_net_read_cached(struct pp_net *net, const char *sha256, size_t size, struct pp_buf *out)
{
	int r = pp_cache_read(net->cache_fd, sha256, size, out);

	return r == -ENOENT && net->to_fd != net->cache_fd
		   ? pp_cache_read(net->to_fd, sha256, size, out)
		   : r;
}
