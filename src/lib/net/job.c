/* SPDX-License-Identifier: MIT */
/* Progress of downloads, and the verdict on each attempt. */
#include "lib/net/job.h"

#include <errno.h>
#include <string.h>

#include "base/errno_text.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/net/url.h"

#define MAX_CONTINUATIONS 3 /* of one cut-off file at one mirror, each with progress */
#define MAX_REASONS_BYTES 8192
#define MAX_REST_S        120 /* that a server may ask for */
#define MAX_RESTS         5   /* for one file */
#define TELL_MS           100

/* ---- progress ---- */

void
pp_tell_total(struct pp_batch *b, bool is_due)
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
		if (b->active[i]->want->proof == NULL)
			ev.done += b->active[i]->part.n - b->active[i]->had;
	pp_event(b->net->ctx, &ev);
}

static void
tell(struct pp_batch *b, struct pp_job *job, bool is_due)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_FETCH,
		.subject = job->want->label,
		.done = job->part.n,
		.total = job->want->size,
	};
	int64_t now = pp_time_mono_ms();

	/* How large a signature is nobody knows before, and it takes no time that one could see. */
	if (job->want->proof != NULL || (!is_due && now - job->told_ms < TELL_MS))
		return;
	job->told_ms = now;
	pp_event(b->net->ctx, &ev);
	pp_tell_total(b, is_due);
}

void
pp_tell_active(struct pp_batch *b)
{
	for (size_t i = 0; i < b->n_active; i++)
		if (b->active[i]->part.n > b->active[i]->start)
			tell(b, b->active[i], false);
}

/* ---- outcomes ---- */

enum plugpkg_code
pp_job_fail_local(const struct pp_job *job, int errnum, plugpkg_error **err)
{
	return pp_fail(
	    err, PLUGPKG_E_IO, errnum, "cannot write %s into the cache", job->want->label);
}

/* The mirror of the attempt under way is out for this job. */
static void
rule_out(struct pp_job *job, int errnum, const char *text)
{
	const char *why = errnum != 0 ? pp_errno_text(errnum) : "";
	const char *between = *text != '\0' && *why != '\0' ? ": " : "";

	job->reasons[job->mirror] = pp_asprintf("%s%s%s", text, between, why);
}

struct pp_mirror *
pp_job_mirror(struct pp_batch *b, const struct pp_job *job)
{
	return pp_mirror_of(&b->net->mirrors, job->want->mirrors->at[job->mirror]);
}

static void
blame(struct pp_batch *b, const struct pp_job *job)
{
	if (!pp_url_is_file(job->want->mirrors->at[job->mirror]))
		pp_mirror_blame(&b->net->mirrors, pp_job_mirror(b, job), pp_net_now(b->net));
}

void
pp_job_forget(struct pp_job *job)
{
	job->net->total += job->had;
	job->had = 0;
}

enum plugpkg_code
pp_job_start_over(struct pp_job *job, plugpkg_error **err)
{
	int r = pp_part_begin(&job->part, 0);

	pp_job_forget(job);
	return r < 0 ? pp_job_fail_local(job, -r, err) : PLUGPKG_OK;
}

void
pp_job_ready(struct pp_batch *b, struct pp_job *job)
{
	job->state = PP_JOB_READY;
	b->ready[b->n_ready++] = job;
	if (job->want->proof == NULL)
		b->net->done += job->want->size - job->had;
	tell(b, job, true);
}

/* Downloads beside it took their share of the line, so its own speed counts as often. */
static void
praise(struct pp_batch *b, const struct pp_job *job)
{
	struct pp_mirror *mirror = pp_job_mirror(b, job);
	int64_t ms = pp_time_mono_ms() - job->began_ms - job->first_byte_ms;

	if (!pp_url_is_file(job->want->mirrors->at[job->mirror]))
		pp_mirror_praise(&b->net->mirrors, mirror, job->part.n - job->start,
		    job->first_byte_ms, ms / (int64_t)(mirror->n_active + 1));
}

/* ---- proofs ---- */

static int
check_file(int dir_fd, const char *name, const struct pp_proof *proof, plugpkg_error **why)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_PROOF_MAX_BYTES);
	int r = pp_read_file_at(dir_fd, name, &text);

	if (r < 0)
		return r;
	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	return proof->check(proof->user, bytes, why) == PLUGPKG_OK ? 0 : -EBADMSG;
}

static bool
is_proven_in(int dir_fd, bool is_look, const struct pp_proof *proof)
{
	int r = check_file(dir_fd, proof->name, proof, NULL);

	if (r < 0 && r != -ENOENT && !is_look)
		PP_IGNORE(pp_rm_rf_at(dir_fd, proof->name)); /* else the new one replaces it */
	return r == 0;
}

bool
pp_job_is_proven(const struct pp_net *net, const struct pp_proof *proof)
{
	bool is_dry = net->to_fd != net->cache_fd;

	return is_proven_in(net->cache_fd, is_dry, proof) ||
	       (is_dry && is_proven_in(net->to_fd, false, proof));
}

/* A dry run keeps it in memory only. */
static int
take_held(struct pp_net *net, struct pp_job *job)
{
	const char *sha256 = job->want->sha256;
	struct pp_buf *bytes = pp_xcalloc(1, sizeof(*bytes));
	int r = pp_part_take(&job->part, sha256, bytes);

	if (r == 0 && net->to_fd == net->cache_fd)
		r = pp_cache_put(net->cache_fd, sha256, (struct pp_str){ bytes->s, bytes->n });
	if (r < 0) {
		pp_buf_fini(bytes);
		free(bytes);
		return r;
	}
	void **place = pp_map_put(&net->held, sha256);
	if (*place != NULL)
		pp_buf_fini(*place);
	free(*place);
	*place = bytes;
	return 0;
}

/* All bytes came. Are they the right ones? */
static int
finish(struct pp_batch *b, struct pp_job *job, plugpkg_error **why)
{
	const struct pp_want *want = job->want;

	if (job->part.is_held)
		return take_held(b->net, job);
	if (want->proof == NULL)
		return pp_part_finish(
		    b->net->to_fd, &job->part, want->sha256, pp_net_verified(b->net));
	int r = check_file(b->net->to_fd, job->part.name, want->proof, why);
	return r == 0 ? pp_part_keep(b->net->to_fd, &job->part, want->proof->name) : r;
}

static enum plugpkg_code
settle_done(struct pp_batch *b, struct pp_job *job, plugpkg_error **err)
{
	PP_AUTO_ERROR plugpkg_error *why = NULL;
	int r = finish(b, job, &why);

	if (r == 0) {
		praise(b, job);
		pp_job_ready(b, job);
		return PLUGPKG_OK;
	}
	if (r != -EBADMSG)
		return pp_job_fail_local(job, -r, err);
	/*
	 * After a continuation either half may be wrong: this mirror gets its chance with all of
	 * it.
	 */
	if (job->start == 0) {
		rule_out(job, 0,
		    why != NULL ? plugpkg_error_message(why)
				: "delivered other bytes than the signed ones");
		job->n_answered++;
		job->n_wrong++;
		blame(b, job);
	}
	return pp_job_start_over(job, err);
}

static bool
may_continue(const struct pp_job *job, const struct pp_answer *a)
{
	return a->fault == PP_FAULT_CUT && job->want->proof == NULL && job->part.n > job->start &&
	       job->n_continued < MAX_CONTINUATIONS;
}

/*
 * A server that has too much to do and says for how long. The mirror is left alone for that time,
 * by all files; another one is asked meanwhile.
 */
static bool
may_rest(struct pp_batch *b, struct pp_job *job, const struct pp_answer *a)
{
	struct pp_mirror *mirror = pp_job_mirror(b, job);
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
settle_failed(
    struct pp_batch *b, struct pp_job *job, const struct pp_answer *a, plugpkg_error **err)
{
	bool has_wrong_size = a->fault == PP_FAULT_LIMIT || a->fault == PP_FAULT_SIZE;
	bool is_missing = a->fault == PP_FAULT_HTTP && !pp_answer_is_passing(a);

	if (a->fault == PP_FAULT_LOCAL) {
		pp_part_close(b->net->to_fd, &job->part, false);
		return pp_job_fail_local(job, a->errnum, err);
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
	job->n_missing += is_missing;
	/* A half-copied mirror lacks single files and is fine for the others. */
	if (!is_missing)
		blame(b, job);
	bool is_useless =
	    has_wrong_size || job->want->proof != NULL || job->part.n >= job->want->size;
	return is_useless ? pp_job_start_over(job, err) : PLUGPKG_OK;
}

enum plugpkg_code
pp_job_settle(
    struct pp_batch *b, struct pp_job *job, const struct pp_answer *a, plugpkg_error **err)
{
	job->state = PP_JOB_WAITING;
	job->first_byte_ms = a->first_byte_ms;
	if (a->type == PP_ANSWER_DONE)
		return settle_done(b, job, err);
	return settle_failed(b, job, a, err);
}

bool
pp_job_may_try_again(struct pp_batch *b, struct pp_job *job)
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

/* Mirrors answered, so it is not the network that keeps it away. */
static enum plugpkg_code
fail_proof(const struct pp_job *job, const char *reasons, plugpkg_error **err)
{
	const struct pp_proof *proof = job->want->proof;

	(void)pp_fail(
	    err, proof->code, 0, "no mirror has the right %s: %s", job->want->label, reasons);
	(void)pp_subject(err, proof->code, proof->subject);
	return pp_hint(err, proof->code, "%s", job->hint != NULL ? job->hint : proof->hint);
}

enum plugpkg_code
pp_job_fail(const struct pp_job *job, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(MAX_REASONS_BYTES);
	const struct pp_strs *mirrors = job->want->mirrors;

	for (size_t i = 0; i < mirrors->n; i++) {
		PP_AUTO_FREE char *shown = pp_url_redacted(mirrors->at[i]);

		pp_buf_addf(&text, "%s%s: %s", i > 0 ? "; " : "", shown, job->reasons[i]);
	}
	if (job->n_missing > 0) /* others may be there */
		pp_buf_addf(&text, " (%s)", job->want->path);
	if (job->want->proof != NULL && job->n_answered > 0)
		return fail_proof(job, pp_buf_cstr(&text), err);
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
