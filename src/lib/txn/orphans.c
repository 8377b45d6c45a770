/* SPDX-License-Identifier: MIT */
/*
 * Ends what outlived a killed plugpkg. A session's number is its leader's, and is not given to
 * another process while the session has a member; so it is ours if the leader is the one that was
 * noted, or if somebody in it still has the environment of that transaction's scripts.
 */
#include "lib/txn/orphans.h"

#include "base/process.h"
#include "base/str.h"
#include "lib/model/error.h"

#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 5
#define PATIENCE_MS   5000

static void
pause_a_moment(void)
{
	struct timespec pause = { .tv_nsec = LOOK_EVERY_MS * 1000000L };

	(void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
}

struct pp_orphan_mark
pp_orphan_mark(int64_t pid)
{
	struct pp_process p;

	if (!pp_process_look((pid_t)pid, &p))
		return (struct pp_orphan_mark){ 0 };
	return (struct pp_orphan_mark){ pid, (int64_t)p.start_ticks };
}

static bool
is_alive(const struct pp_orphan_mark *mark)
{
	struct pp_process p;

	return mark->pid > 0 && pp_process_look((pid_t)mark->pid, &p) && !p.is_dead &&
	       (int64_t)p.start_ticks == mark->start_ticks;
}

struct session {
	const struct pp_orphan_mark *leader;
	const char *env[2];
	bool is_ours;
	size_t n_alive;
};

static bool
recognise(const struct pp_process *p, void *user)
{
	struct session *s = user;

	s->is_ours = pp_process_has_env(p->pid, s->env, PP_LEN(s->env));
	return !s->is_ours;
}

static bool
end_one(const struct pp_process *p, void *user)
{
	struct session *s = user;

	/* Called by what a script left behind: what else is there of it ends, we do not. */
	if (p->pid == getpid())
		return true;
	s->n_alive++;
	pp_process_kill(p);
	return true;
}

static void
find_out(struct session *s)
{
	struct pp_process p;

	if (pp_process_look((pid_t)s->leader->pid, &p))
		s->is_ours = (int64_t)p.start_ticks == s->leader->start_ticks;
	else
		pp_process_each((pid_t)s->leader->pid, recognise, s);
}

/* Who is being killed may still fork: again, until nobody is there. */
static size_t
end_session(struct session *s)
{
	size_t most = 0;

	for (int waited = 0; waited < PATIENCE_MS; waited += LOOK_EVERY_MS) {
		s->n_alive = 0;
		pp_process_each((pid_t)s->leader->pid, end_one, s);
		if (s->n_alive == 0)
			break;
		most = s->n_alive > most ? s->n_alive : most;
		pause_a_moment();
	}
	return most;
}

void
pp_orphans_end(plugpkg_context *ctx, const struct pp_orphans *o)
{
	PP_AUTO_FREE char *root = pp_asprintf("PLUGPKG_ROOT=%s", ctx->root);
	PP_AUTO_FREE char *txn = pp_asprintf("PLUGPKG_TRANSACTION=%lld", (long long)o->transaction);
	struct session s = { .leader = &o->script, .env = { root, txn } };

	/* The kernel gives the lock back before it tells the children of their parent's death. */
	for (int waited = 0; is_alive(&o->holder) && waited < PATIENCE_MS; waited += LOOK_EVERY_MS)
		pause_a_moment();
	if (o->script.pid <= 1)
		return;
	find_out(&s);
	size_t n = s.is_ours ? end_session(&s) : 0;
	if (n > 0)
		pp_warn(ctx, NULL,
		    "transaction %lld was cut off, but its script still ran; ended %zu of its "
		    "processes",
		    (long long)o->transaction, n);
}
