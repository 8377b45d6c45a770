/* SPDX-License-Identifier: MIT */
/*
 * One file of a batch of downloads, a job, and what becomes of it after each attempt at a mirror.
 * For the files of this directory.
 */
#ifndef PP_NET_JOB_H
#define PP_NET_JOB_H

#include "lib/net/net.h"

enum pp_job_state {
	PP_JOB_WAITING,
	PP_JOB_ACTIVE,
	PP_JOB_READY
};

struct pp_job {
	const struct pp_want *want;
	enum pp_job_state state;
	struct pp_part part; /* part.n: bytes that are there */
	struct pp_stream stream;
	size_t mirror; /* of the attempt under way */
	struct pp_net *net;
	uint64_t had;   /* bytes of an earlier run: not to be fetched now, and not in the total */
	uint64_t start; /* bytes that were there before it */
	int64_t began_ms, told_ms, not_before_ms; /* monotonic */
	uint32_t first_byte_ms;
	unsigned n_continued, n_rounds, n_rests;
	bool may_pass;    /* a mirror is out for a reason that may pass */
	const char *hint; /* what the last failure suggests */
	char **reasons;   /* one a mirror: why it is out, NULL = it may be asked */
	/* Mirrors that answered; of these, with other bytes, and that they have no such file. */
	size_t n_answered, n_wrong, n_missing;
};

struct pp_batch {
	struct pp_net *net;
	struct pp_job *jobs;
	size_t n_jobs;
	size_t first; /* all before it are ready */
	const struct pp_want *wants;
	const struct pp_fetch_guest *guest; /* or NULL */
	struct pp_job **ready;              /* in the order in which they were; room for all */
	size_t n_ready, n_told;             /* of these the guest knows */
	struct pp_job *active[PP_NET_MAX_ACTIVE];
	size_t n_active;
	int64_t told_ms;
	int64_t wake_ms; /* when a waiting job may go on, monotonic; INT64_MAX: with an answer */
};

/* Sends events; those of progress at most each tenth of a second. */
void pp_tell_total(struct pp_batch *b, bool is_due);
void pp_tell_active(struct pp_batch *b);

struct pp_mirror *pp_job_mirror(struct pp_batch *b, const struct pp_job *job);
enum plugpkg_code pp_job_fail_local(const struct pp_job *job, int errnum, plugpkg_error **err);
/* Nothing of an earlier run is of use: all of the file is to be fetched. */
void pp_job_forget(struct pp_job *job);
/* Drops what is there. */
enum plugpkg_code pp_job_start_over(struct pp_job *job, plugpkg_error **err);
/* Is the file in the cache, and does it prove itself there? One that does not is removed. */
bool pp_job_is_proven(const struct pp_net *net, const struct pp_proof *proof);
/* The file is where it belongs; the guest hears of it in the next turn. */
void pp_job_ready(struct pp_batch *b, struct pp_job *job);
/* Takes the last answer of an attempt: ready, or waiting for the next. Errors: of our own disk. */
enum plugpkg_code pp_job_settle(
    struct pp_batch *b, struct pp_job *job, const struct pp_answer *a, plugpkg_error **err);
/*
 * All mirrors are out, some of them for reasons that may pass: these are asked once more, after a
 * pause. False when that was done often enough.
 */
bool pp_job_may_try_again(struct pp_batch *b, struct pp_job *job);
/* NETWORK or DIGEST, with the reason of each mirror. */
enum plugpkg_code pp_job_fail(const struct pp_job *job, plugpkg_error **err);

#endif
