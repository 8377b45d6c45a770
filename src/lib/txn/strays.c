/* SPDX-License-Identifier: MIT */
/*
 * Ends what a script left behind outside of its session. Whoever is killed hands his own children
 * over, so it goes on until nobody is there.
 */
#include "lib/txn/strays.h"

#include "base/process.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 2
#define PATIENCE_MS   5000

/* One system call, where /proc would be read through: nearly no script leaves anybody. */
static bool
has_children(void)
{
	siginfo_t info = { 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool
is_known(const struct pp_strays *s, pid_t pid)
{
	pp_vec_foreach (known, &s->known)
		if (*known == pid)
			return true;
	return false;
}

static bool
add(const struct pp_process *p, void *user)
{
	struct pp_strays *s = user;

	pp_vec_push(&s->known, p->pid);
	return true;
}

void
pp_strays_begin(const plugpkg_context *ctx, struct pp_strays *s)
{
	/* Where it cannot be, those that leave a script's session are out of reach. */
	*s = (struct pp_strays){
		.is_on = ctx->is_reaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0,
	};
	if (s->is_on && has_children())
		pp_process_each_child(getpid(), add, s);
}

struct ending {
	const struct pp_strays *strays;
	bool has_seen, is_again;
};

static bool
end_one(const struct pp_process *p, void *user)
{
	struct ending *e = user;

	if (is_known(e->strays, p->pid))
		return true;
	if (!p->is_dead) {
		pp_process_kill(p);
		e->has_seen = e->is_again = true;
	}
	(void)waitpid(p->pid, NULL, WNOHANG); /* if not now, then the next time */
	return true;
}

bool
pp_strays_end(struct pp_strays *s)
{
	struct ending e = { .strays = s };
	struct timespec pause = { .tv_nsec = LOOK_EVERY_MS * 1000000L };

	for (int waited = 0; s->is_on && has_children() && waited < PATIENCE_MS;
	     waited += LOOK_EVERY_MS) {
		e.is_again = false;
		pp_process_each_child(getpid(), end_one, &e);
		if (!e.is_again)
			break;
		(void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
	}
	pp_vec_free(&s->known);
	return e.has_seen;
}
