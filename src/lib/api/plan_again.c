/* SPDX-License-Identifier: MIT */
/*
 * An upgrade of everything that found nothing to do, asked for again while nothing has changed.
 * All that such a plan is made of lies in files of the root: plugpkg.json, var/state.db, and what
 * is trusted of each source, which names the rest by digests. var/settled says in which state they
 * were then, and until when time alone changes nothing. In whatever it differs, the plan is made.
 */
#include "lib/api/making.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SETTLED_FILE     "var/settled"
#define STATE_FILE       "var/state.db"
#define CONFIG_FILE      "plugpkg.json"
#define RULES            1 /* to be raised when the same files lead to another plan */
#define CONFIG_MAX_BYTES (4 * 1024 * 1024)
#define FILE_MAX_BYTES   (256 * 1024)

/*
 * A file that changes twice in one tick of its file system's clock keeps its times, so what has
 * just changed is not relied on. Whoever writes more than whole seconds has ticks of milliseconds.
 */
#define FINE_TICK_MS   100
#define COARSE_TICK_MS 3000

/* The upgrade of everything as it is without any option. */
static bool
is_plain(const struct plugpkg_request *r)
{
	return r->verb == PLUGPKG_UPGRADE && (r->flags & ~(unsigned)PLUGPKG_LOOK) == 0 &&
	       r->n_targets == 0 && r->min_age_days == 0 && r->n_min_age_except == 0 &&
	       r->dump_case == NULL;
}

/* ---- what it was made of ---- */

/* Its times of change nobody can set back. */
static bool
add_file(struct pp_again *a, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	bool is_fine = st.st_ctim.tv_nsec % 1000000 != 0;
	int64_t changed_ms = st.st_ctim.tv_sec * 1000 + st.st_ctim.tv_nsec / 1000000;
	int64_t firm_ms = changed_ms + (is_fine ? FINE_TICK_MS : COARSE_TICK_MS);

	if (firm_ms > a->firm_ms)
		a->firm_ms = firm_ms;
	pp_buf_addf(&a->text, "%llu %llu %lld %lld.%09ld %lld.%09ld %s\n",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
	    st.st_ctim.tv_nsec, name);
	return true;
}

/* Every file in it, and itself, which changes when one is replaced. */
static bool
add_dir(struct pp_again *a, const plugpkg_context *ctx, const char *dir)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = pp_opendir_at(ctx->root_fd, dir);
	bool is_read =
	    fd >= 0 && add_file(a, ctx->root_fd, dir) && pp_list_dir(fd, ".", &names) == 0;

	for (size_t i = 0; is_read && i < names.n; i++)
		is_read = add_file(a, fd, names.at[i]);
	return is_read;
}

static bool
add_source(struct pp_again *a, const plugpkg_context *ctx, const char *name)
{
	PP_AUTO_FREE char *dir = pp_asprintf("var/trust/%s", name);
	PP_AUTO_FREE char *view = pp_asprintf("%s/" PP_TRUST_VIEW, dir);

	return add_dir(a, ctx, dir) && add_dir(a, ctx, view);
}

/* Within a look at the state. False: some of it is not there. */
static bool
find_parts(const plugpkg_context *ctx, struct pp_again *a)
{
	a->text.limit = FILE_MAX_BYTES;
	a->firm_ms = 0;
	pp_buf_clear(&a->text);
	pp_buf_addf(&a->text, "plugpkg %s %s %d\n", PACKAGE_VERSION, pp_platform_name(), RULES);
	bool is_there =
	    add_file(a, ctx->root_fd, CONFIG_FILE) && add_file(a, ctx->root_fd, STATE_FILE);
	for (size_t i = 0; is_there && i < ctx->config->sources.n; i++)
		is_there = add_source(a, ctx, ctx->config->sources.at[i].name);
	pp_buf_adds(&a->text, "end\n");
	return is_there && !a->text.overflow;
}

void
pp_again_fini(struct pp_again *a)
{
	pp_buf_fini(&a->text);
}

/* ---- answering ---- */

/* What the machine's clock says, whatever time the caller means. */
static int64_t
clock_of(const plugpkg_context *ctx)
{
	return ctx->now - ctx->clock_skew_s;
}

/* "SINCE UNTIL CLOCK", and the parts as they are now. A clock that goes back is told of. */
static bool
is_settled(const plugpkg_context *ctx, const struct pp_again *a)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX_BYTES);
	struct pp_str rest, line, since, until;
	uint64_t from, to, clock;

	if (pp_read_file_at(ctx->root_fd, SETTLED_FILE, &text) < 0)
		return false;
	rest = (struct pp_str){ pp_buf_cstr(&text), text.n };
	return pp_str_cut(&rest, '\n', &line) && pp_str_cut(&line, ' ', &since) &&
	       pp_str_cut(&line, ' ', &until) && pp_parse_u64(since, INT64_MAX, &from) == 0 &&
	       pp_parse_u64(until, INT64_MAX, &to) == 0 &&
	       pp_parse_u64(line, INT64_MAX, &clock) == 0 && ctx->now >= (int64_t)from &&
	       ctx->now <= (int64_t)to && clock_of(ctx) >= (int64_t)clock &&
	       pp_str_eq(rest, pp_buf_cstr(&a->text));
}

void
pp_plan_again(plugpkg_context *ctx, const struct plugpkg_request *request, struct pp_again *a,
    plugpkg_plan **out)
{
	PP_AUTO_LOOK struct pp_state *look = NULL;

	a->began_ms = pp_time_now_ms();
	a->n_warnings = ctx->n_warnings;
	a->is_usable = is_plain(request) && ctx->config->provides_from.n == 0 &&
		       ctx->config->min_age_days == 0 &&
		       pp_state_look(ctx, &look, NULL) == PLUGPKG_OK && find_parts(ctx, a);
	if (!a->is_usable || !is_settled(ctx, a) ||
	    pp_plan_begin(ctx, pp_making_command(request), out, NULL) != PLUGPKG_OK)
		return;
	pp_debug(ctx, NULL, "nothing has changed since there was nothing to upgrade");
}

/* ---- remembering ---- */

/* Nothing to be done, and nothing to be said. */
static bool
is_empty(const struct pp_making *m)
{
	const struct pp_plan *p = m->plan;

	return p->steps.n == 0 && p->switches.n == 0 && p->left_data.n == 0 &&
	       p->left_pins.n == 0 && p->kept.n == 0 && p->broken.n == 0 && p->skipped.n == 0 &&
	       p->suggested.n == 0 && p->votes.n == 0 && m->wishes->n == 0 && m->asked.n == 0 &&
	       m->delayed.n == 0;
}

/* The last moment at which time alone has changed nothing; -1: it may at any. */
static int64_t
find_end(const struct pp_making *m)
{
	int64_t end = INT64_MAX;

	pp_vec_foreach (c, &m->open.catalogs) {
		int64_t due = pp_catalog_due_after(*c);
		end = due < end ? due : end;
	}
	pp_vec_foreach (p, &m->inv.set) {
		if (!pp_installed_is_usable(*p) || (*p)->link_dir != NULL)
			return -1;
		if ((*p)->hold && (*p)->hold_until > m->ctx->now && (*p)->hold_until <= end)
			end = (*p)->hold_until - 1;
	}
	return end;
}

/* The plan was made by what was read when the root was opened. */
static bool
is_config_as_read(const plugpkg_context *ctx)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CONFIG_MAX_BYTES);
	struct pp_config *config = NULL;

	if (pp_read_file_at(ctx->root_fd, CONFIG_FILE, &text) < 0 ||
	    pp_config_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, CONFIG_FILE, &config,
		NULL) != PLUGPKG_OK)
		return false;
	PP_AUTO_FREE char *there = pp_config_text(config);
	PP_AUTO_FREE char *read = pp_config_text(ctx->config);
	pp_config_free(config);
	return strcmp(there, read) == 0;
}

/* Not while it was planned, nor so shortly before that it would not show. */
static bool
has_changed(plugpkg_context *ctx, const struct pp_again *before)
{
	PP_CLEANUP(pp_again_fini) struct pp_again now = { .text = PP_BUF_INIT(0) };
	PP_AUTO_LOOK struct pp_state *look = NULL;

	return before->firm_ms > before->began_ms ||
	       pp_state_look(ctx, &look, NULL) != PLUGPKG_OK || !find_parts(ctx, &now) ||
	       strcmp(pp_buf_cstr(&now.text), pp_buf_cstr(&before->text)) != 0 ||
	       !is_config_as_read(ctx);
}

void
pp_plan_remember(const struct pp_making *m, const struct pp_again *a)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX_BYTES);
	plugpkg_context *ctx = m->ctx;

	if (!a->is_usable || ctx->is_dry_run || ctx->n_warnings != a->n_warnings || !is_empty(m) ||
	    has_changed(ctx, a))
		return;
	int64_t end = find_end(m);
	if (end < ctx->now || ctx->now < 0 || clock_of(ctx) < 0)
		return;
	pp_buf_addf(&text, "%lld %lld %lld\n", (long long)ctx->now, (long long)end,
	    (long long)clock_of(ctx));
	pp_buf_add(&text, a->text.s, a->text.n);
	/* Derived: where it cannot be written, or is lost, the plan is made. */
	if (!text.overflow)
		PP_IGNORE(
		    pp_write_file_unsynced_at(ctx->root_fd, SETTLED_FILE, text.s, text.n, 0644));
}
