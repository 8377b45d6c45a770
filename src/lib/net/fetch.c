/* SPDX-License-Identifier: MIT */
/*
 * Many files at once, each from the first mirror that delivers the right bytes. A job is one file;
 * an attempt is one job at one mirror. Which attempt is next is decided here and nowhere else.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "lib/net/cache.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define PARALLEL          8
#define MAX_CONTINUATIONS 3 /* of one cut-off file at one mirror, each with progress */
#define MAX_REASONS_BYTES 8192

enum job_state {
	JOB_WAITING,
	JOB_ACTIVE,
	JOB_READY
};

struct job {
	const struct pp_want *want;
	enum job_state state;
	struct pp_part part;
	int64_t id;          /* of the attempt under way */
	size_t mirror;       /* of the attempt under way */
	uint64_t start, now; /* bytes that were there before it, and are now */
	unsigned n_continued;
	char **reasons;             /* one a mirror: why it is out, NULL = it may be asked */
	size_t n_answered, n_wrong; /* mirrors that answered; of these, with other bytes */
};

struct batch {
	struct pp_net *net;
	struct job *jobs;
	size_t n_jobs, n_active;
};

/* ---- progress ---- */

static void
tell_total(const struct batch *b)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_FETCH_TOTAL,
		.done = b->net->done,
		.total = b->net->total,
	};

	for (size_t i = 0; i < b->n_jobs; i++)
		if (b->jobs[i].state == JOB_ACTIVE)
			ev.done += b->jobs[i].now;
	pp_event(b->net->ctx, &ev);
}

static void
tell(const struct batch *b, const struct job *job)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_FETCH,
		.subject = job->want->label,
		.done = job->now,
		.total = job->want->size,
	};

	pp_event(b->net->ctx, &ev);
	tell_total(b);
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

static enum plugpkg_code
start_over(struct job *job, plugpkg_error **err)
{
	int r = pp_part_truncate(&job->part);

	job->now = 0;
	return r < 0 ? fail_local(job, -r, err) : PLUGPKG_OK;
}

/* All bytes came. Are they the right ones? */
static enum plugpkg_code
settle_done(struct batch *b, struct job *job, plugpkg_error **err)
{
	const struct pp_want *want = job->want;
	int r = pp_part_finish(b->net->to_fd, &job->part, want->sha256, want->size);

	if (r == 0) {
		job->state = JOB_READY;
		job->now = want->size;
		b->net->done += want->size;
		tell(b, job);
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
		pp_net_blame(b->net, want->mirrors->at[job->mirror]);
	}
	return start_over(job, err);
}

static bool
may_continue(const struct job *job, const struct pp_answer *a)
{
	return a->fault == PP_FAULT_CUT && job->now > job->start &&
	       job->n_continued < MAX_CONTINUATIONS;
}

static enum plugpkg_code
settle_failed(struct batch *b, struct job *job, const struct pp_answer *a, plugpkg_error **err)
{
	bool has_wrong_size = a->fault == PP_FAULT_LIMIT || a->fault == PP_FAULT_SIZE;
	bool is_missing = a->fault == PP_FAULT_HTTP && a->status < 500;
	uint64_t size = 0;
	int r = pp_part_size(&job->part, &size);

	if (a->fault == PP_FAULT_LOCAL || r < 0) {
		int errnum = r < 0 ? -r : a->errnum;

		pp_part_close(b->net->to_fd, &job->part, false);
		return fail_local(job, errnum, err);
	}
	job->now = size;
	if (may_continue(job, a)) {
		job->n_continued++;
		return PLUGPKG_OK;
	}
	job->n_continued = 0;
	rule_out(job, a->errnum, a->text);
	job->n_answered += has_wrong_size || is_missing;
	job->n_wrong += has_wrong_size;
	/* A half-copied mirror lacks single files and is fine for the others. */
	if (!is_missing)
		pp_net_blame(b->net, job->want->mirrors->at[job->mirror]);
	return has_wrong_size || size >= job->want->size ? start_over(job, err) : PLUGPKG_OK;
}

static enum plugpkg_code
settle(struct batch *b, struct job *job, const struct pp_answer *a, plugpkg_error **err)
{
	job->state = JOB_WAITING;
	if (a->type == PP_ANSWER_DONE)
		return settle_done(b, job, err);
	return settle_failed(b, job, a, err);
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
	return pp_hint(err, PLUGPKG_E_NETWORK, "try again later, or add another mirror");
}

/* ---- attempts ---- */

/* The mirror with the fewest faults so far, in order of preference; n when all are out. */
static size_t
choose_mirror(const struct batch *b, const struct job *job)
{
	const struct pp_strs *mirrors = job->want->mirrors;
	size_t best = mirrors->n;
	uintptr_t least = UINTPTR_MAX;

	for (size_t i = 0; i < mirrors->n; i++) {
		uintptr_t faults = pp_net_faults(b->net, mirrors->at[i]);

		if (job->reasons[i] == NULL && faults < least) {
			best = i;
			least = faults;
		}
	}
	return best;
}

static enum plugpkg_code
attempt_file(struct batch *b, struct job *job, struct pp_ask *ask, plugpkg_error **err)
{
	struct pp_answer a;
	enum plugpkg_code rc = start_over(job, err);

	if (rc == PLUGPKG_OK && lseek(job->part.fd, 0, SEEK_SET) < 0)
		rc = fail_local(job, errno, err);
	if (rc != PLUGPKG_OK)
		return rc;
	job->start = 0;
	rc = pp_file_fetch(
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
		.fd = job->part.fd,
		.max = want->size,
		.offset = job->now,
		.is_exact = true,
		.patience = b->net->patience,
	};

	if (pp_url_is_file(base))
		return attempt_file(b, job, &ask, err);
	job->id = ask.id;
	job->start = job->now;
	job->state = JOB_ACTIVE;
	b->n_active++;
	return pp_helper_ask(&b->net->helper, &ask, err);
}

/* Opens the part file and finds out how much of it an earlier run left. */
static enum plugpkg_code
open_part(struct batch *b, struct job *job, plugpkg_error **err)
{
	int r = pp_part_open(b->net->to_fd, job->want->sha256, &job->part);

	if (r == 0)
		r = pp_part_size(&job->part, &job->now);
	if (r < 0)
		return fail_local(job, -r, err);
	if (job->now < job->want->size)
		return PLUGPKG_OK;
	r = pp_part_finish(b->net->to_fd, &job->part, job->want->sha256, job->want->size);
	if (r == 0) {
		job->state = JOB_READY;
		b->net->done += job->want->size;
		return PLUGPKG_OK;
	}
	return r == -EBADMSG ? start_over(job, err) : fail_local(job, -r, err);
}

/* Makes attempts until one is under way, or the job is ready, or nobody is left to ask. */
static enum plugpkg_code
advance(struct batch *b, struct job *job, plugpkg_error **err)
{
	enum plugpkg_code rc = job->part.fd < 0 ? open_part(b, job, err) : PLUGPKG_OK;

	while (rc == PLUGPKG_OK && job->state == JOB_WAITING) {
		job->mirror = choose_mirror(b, job);
		if (job->mirror == job->want->mirrors->n)
			return fail_job(job, err);
		rc = attempt(b, job, err);
	}
	return rc;
}

static enum plugpkg_code
take_answer(struct batch *b, plugpkg_error **err)
{
	struct pp_answer a;
	enum plugpkg_code rc = pp_helper_answer(&b->net->helper, b->net->ctx, &a, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < b->n_jobs; i++) {
		struct job *job = &b->jobs[i];

		if (job->state != JOB_ACTIVE || job->id != a.id)
			continue;
		if (a.type == PP_ANSWER_PROGRESS) {
			job->now = a.bytes < job->want->size ? a.bytes : job->want->size;
			tell(b, job);
			return PLUGPKG_OK;
		}
		b->n_active--;
		return settle(b, job, &a, err);
	}
	return rc;
}

/* Fills the free places with jobs that wait. */
static enum plugpkg_code
start_waiting(struct batch *b, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; i < b->n_jobs && b->n_active < PARALLEL && rc == PLUGPKG_OK; i++)
		if (b->jobs[i].state == JOB_WAITING)
			rc = advance(b, &b->jobs[i], err);
	return rc;
}

static enum plugpkg_code
run(struct batch *b, plugpkg_error **err)
{
	/* A failed attempt leaves a free place and a waiting job, so both run out together. */
	for (;;) {
		enum plugpkg_code rc = start_waiting(b, err);

		if (rc != PLUGPKG_OK || b->n_active == 0)
			return rc;
		rc = take_answer(b, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}

/* ---- the batch ---- */

static int
open_cached(const struct pp_net *net, const char *sha256, uint64_t size)
{
	int fd = pp_cache_open(net->cache_fd, sha256, size);

	return fd == -ENOENT && net->to_fd != net->cache_fd
		   ? pp_cache_open(net->to_fd, sha256, size)
		   : fd;
}

static enum plugpkg_code
init_job(struct batch *b, struct job *job, const struct pp_want *want, plugpkg_error **err)
{
	*job = (struct job){ .want = want, .part = PP_PART_INIT };
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
		tell_total(&b);
		rc = run(&b, err);
	}
	/* What is still under way writes into files that we are about to leave. */
	if (b.n_active > 0)
		pp_helper_end(&net->helper);
	fini_jobs(&b);
	return rc;
}

enum plugpkg_code
pp_net_open_cached(
    struct pp_net *net, const char *sha256, uint64_t size, int *out_fd, plugpkg_error **err)
{
	/* Nobody but us may hold the file open for writing once it was checked. */
	pp_helper_end(&net->helper);

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
