/* SPDX-License-Identifier: MIT */
/*
 * Of each such request var/settled says in which state the files were that its plan is made of,
 * and until when time alone changes nothing; of what else is answered again a file of its own does,
 * before the answer. In whatever it differs, the plan or answer is made.
 */
#include "lib/api/again.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/index/catalog.h"
#include "lib/model/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SETTLED_FILE   "var/settled"
#define STATE_FILE     "var/state.db"
#define CONFIG_FILE    "plugpkg.json"
#define STORE_DIR      "store"
#define RULES          2 /* to be raised when the same files lead to another plan or answer */
#define FILE_MAX_BYTES (256 * 1024)
#define MAX_ANSWERS    8

/*
 * A file that changes twice in one tick of its file system's clock keeps its times, so what has
 * just changed is not relied on. Whoever writes more than whole seconds has ticks of milliseconds.
 */
#define FINE_TICK_MS   100
#define COARSE_TICK_MS 3000

/* ---- what it was made of ---- */

/* Its times of change nobody can set back. */
static void
add_state(struct pp_again *a, const struct stat *st, const char *name)
{
	bool is_fine = st->st_ctim.tv_nsec % 1000000 != 0;
	int64_t changed_ms = st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
	int64_t firm_ms = changed_ms + (is_fine ? FINE_TICK_MS : COARSE_TICK_MS);

	if (firm_ms > a->firm_ms)
		a->firm_ms = firm_ms;
	pp_buf_addf(&a->text, "%llu %llu %lld %lld.%09ld %lld.%09ld %s\n",
	    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino, (long long)st->st_size,
	    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
	    st->st_ctim.tv_nsec, name);
}

static bool
add_file(struct pp_again *a, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	add_state(a, &st, name);
	return true;
}

/* Every file in it, and itself, which changes when one is replaced. */
static bool
add_dir(struct pp_again *a, const plugpkg_context *ctx, const char *dir)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = pp_opendir_at(ctx->root_fd, dir);
	bool is_read = fd >= 0 && add_file(a, ctx->root_fd, dir) && pp_list_new_fd(fd, &names) == 0;

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

static bool
add_trust(struct pp_again *a, const plugpkg_context *ctx)
{
	for (size_t i = 0; i < ctx->config->sources.n; i++)
		if (!add_source(a, ctx, ctx->config->sources.at[i].name))
			return false;
	return true;
}

/* A directory changes with the names in it; those of scopes are in directories of theirs. */
static bool
add_shelves(struct pp_again *a, const plugpkg_context *ctx)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs scopes = { 0 };
	bool is_there = add_file(a, ctx->root_fd, STORE_DIR) &&
			pp_state_scopes(ctx->state, &scopes, NULL) == PLUGPKG_OK;

	for (size_t i = 0; is_there && i < scopes.n; i++) {
		PP_AUTO_FREE char *dir = pp_concat(STORE_DIR, "/", scopes.at[i]);
		is_there = add_file(a, ctx->root_fd, dir);
	}
	return is_there;
}

static bool
add_lock(struct pp_again *a, const plugpkg_context *ctx)
{
	if (add_file(a, ctx->root_fd, PP_LOCKFILE))
		return true;
	if (errno != ENOENT)
		return false;
	pp_buf_adds(&a->text, "no " PP_LOCKFILE "\n");
	return true;
}

/* What is planned by was read when the root was opened. */
static bool
is_config_as_read(const plugpkg_context *ctx)
{
	const struct stat *read = &ctx->config_file;
	struct stat now;

	return fstatat(ctx->root_fd, CONFIG_FILE, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == read->st_dev && now.st_ino == read->st_ino &&
	       now.st_size == read->st_size && now.st_mtim.tv_sec == read->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == read->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == read->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == read->st_ctim.tv_nsec;
}

/* Within a look at the state. False: some of it is not there, or is not what was read. */
static bool
find_parts(const plugpkg_context *ctx, struct pp_again *a)
{
	a->text.limit = FILE_MAX_BYTES;
	a->firm_ms = 0;
	pp_buf_clear(&a->text);
	pp_buf_addf(&a->text, "plugpkg %s %s %d %s\n", PACKAGE_VERSION, pp_platform_name(), RULES,
	    a->request);
	add_state(a, &ctx->config_file, CONFIG_FILE);
	bool is_there = is_config_as_read(ctx) && !pp_state_is_copy(ctx) &&
			add_file(a, ctx->root_fd, STATE_FILE);
	if (is_there && (a->parts & PP_AGAIN_TRUST) != 0)
		is_there = add_trust(a, ctx);
	if (is_there && (a->parts & PP_AGAIN_STORE) != 0)
		is_there = add_lock(a, ctx) && add_shelves(a, ctx);
	return is_there && !a->text.overflow;
}

void
pp_again_fini(struct pp_again *a)
{
	pp_buf_fini(&a->text);
	pp_buf_fini(&a->known);
}

/* ---- answering ---- */

/* What the machine's clock says, whatever time the caller means. */
static int64_t
clock_of(const plugpkg_context *ctx)
{
	return ctx->now - ctx->clock_skew_s;
}

struct answer {
	struct pp_str whole; /* with its head */
	struct pp_str parts;
	uint64_t since, until, clock;
};

/* "BYTES SINCE UNTIL CLOCK", and the parts. False: there is none, or it makes no sense. */
static bool
next_answer(struct pp_str *rest, struct answer *out)
{
	struct pp_str head, bytes, since, until;
	const char *first = rest->p;
	uint64_t n;

	if (!pp_str_cut(rest, '\n', &head) || !pp_str_cut(&head, ' ', &bytes) ||
	    !pp_str_cut(&head, ' ', &since) || !pp_str_cut(&head, ' ', &until) ||
	    pp_parse_u64(bytes, rest->n, &n) != 0 ||
	    pp_parse_u64(since, INT64_MAX, &out->since) != 0 ||
	    pp_parse_u64(until, INT64_MAX, &out->until) != 0 ||
	    pp_parse_u64(head, INT64_MAX, &out->clock) != 0)
		return false;
	out->parts = (struct pp_str){ rest->p, (size_t)n };
	*rest = (struct pp_str){ rest->p + n, rest->n - (size_t)n };
	out->whole = (struct pp_str){ first, (size_t)(rest->p - first) };
	return true;
}

static void
read_answers(const plugpkg_context *ctx, const char *file, size_t limit, struct pp_buf *out)
{
	out->limit = limit;
	if (pp_read_file_at(ctx->root_fd, file, out) < 0)
		pp_buf_clear(out);
}

static struct pp_str
answers_of(const struct pp_again *a)
{
	return (struct pp_str){ pp_buf_cstr(&a->known), a->known.n };
}

/* A clock that goes back is told of. */
static bool
holds(const plugpkg_context *ctx, const struct pp_again *a, const struct answer *known)
{
	return pp_str_eq(known->parts, pp_buf_cstr(&a->text)) &&
	       ctx->now >= (int64_t)known->since && ctx->now <= (int64_t)known->until &&
	       clock_of(ctx) >= (int64_t)known->clock;
}

/* Of a file that somebody spoiled nothing counts. */
static bool
is_settled(const plugpkg_context *ctx, const struct pp_again *a)
{
	struct pp_str rest = answers_of(a);
	struct answer known;
	bool is_there = false;

	while (rest.n > 0) {
		if (!next_answer(&rest, &known))
			return false;
		is_there = is_there || holds(ctx, a, &known);
	}
	return is_there;
}

bool
pp_again_begin(plugpkg_context *ctx, const char *request, unsigned parts, struct pp_again *out)
{
	*out = (struct pp_again){
		.request = request,
		.parts = parts,
		.began_ms = pp_time_now_ms(),
		.n_warnings = ctx->n_warnings,
	};
	/* An application that is asked for its versions may have other ones by now. */
	bool is_lasting = ctx->config->provides_from.n == 0 && find_parts(ctx, out);
	if (!is_lasting)
		out->request = NULL;
	return is_lasting;
}

bool
pp_again_is_known(plugpkg_context *ctx, const char *request, unsigned parts, struct pp_again *out)
{
	if (!pp_again_begin(ctx, request, parts, out))
		return false;
	read_answers(ctx, SETTLED_FILE, FILE_MAX_BYTES, &out->known);
	bool is_known = is_settled(ctx, out);
	if (is_known)
		pp_debug(ctx, NULL, "nothing has changed since there was nothing to do");
	return is_known;
}

bool
pp_again_has_answer(plugpkg_context *ctx, const char *request, const char *file,
    struct pp_again *out, struct pp_str *out_answer)
{
	struct answer known;

	if (!pp_again_begin(ctx, request, 0, out))
		return false;
	read_answers(ctx, file, PP_AGAIN_ANSWER_MAX_BYTES, &out->known);
	*out_answer = answers_of(out);
	bool is_known = next_answer(out_answer, &known) && holds(ctx, out, &known);
	if (is_known)
		pp_debug(ctx, NULL, "nothing has changed since this was asked before");
	return is_known;
}

/* ---- remembering ---- */

int64_t
pp_again_end(const plugpkg_context *ctx, const struct pp_installeds *set)
{
	int64_t end = INT64_MAX;

	pp_vec_foreach (p, set) {
		if (!pp_installed_is_usable(*p) || (*p)->link_dir != NULL)
			return -1;
		if ((*p)->hold && (*p)->hold_until > ctx->now && (*p)->hold_until <= end)
			end = (*p)->hold_until - 1;
	}
	return end;
}

/* Of the same request; its first line says which. */
static bool
is_same_request(struct pp_str one, struct pp_str other)
{
	struct pp_str a, b;

	return pp_str_cut(&one, '\n', &a) && pp_str_cut(&other, '\n', &b) && a.n == b.n &&
	       memcmp(a.p, b.p, a.n) == 0;
}

/* What was known of other requests stays, the latest first. */
static void
add_others(const struct pp_again *a, struct pp_str parts, struct pp_buf *out)
{
	struct pp_str rest = answers_of(a);
	struct answer other;

	for (size_t n = 1; n < MAX_ANSWERS && next_answer(&rest, &other);) {
		if (is_same_request(other.parts, parts))
			continue;
		pp_buf_add(out, other.whole.p, other.whole.n);
		n++;
	}
}

/* Of a file that has changed since it was looked at another state is known than it has. */
static bool
is_to_be_kept(const plugpkg_context *ctx, const struct pp_again *a, int64_t until)
{
	return a->request != NULL && !ctx->is_dry_run && ctx->n_warnings == a->n_warnings &&
	       until >= ctx->now && ctx->now >= 0 && clock_of(ctx) >= 0 &&
	       a->firm_ms <= a->began_ms;
}

static void
add_answer(const plugpkg_context *ctx, const struct pp_again *a, int64_t until, struct pp_buf *out)
{
	pp_buf_addf(out, "%zu %lld %lld %lld\n", a->text.n, (long long)ctx->now, (long long)until,
	    (long long)clock_of(ctx));
	pp_buf_add(out, a->text.s, a->text.n);
}

/* Derived: where it cannot be written, or is lost, the answer is found again. */
static void
write_answers(const plugpkg_context *ctx, const char *file, const struct pp_buf *text)
{
	if (!text->overflow)
		PP_IGNORE(pp_write_file_unsynced_at(ctx->root_fd, file, text->s, text->n, 0644));
}

void
pp_again_remember(plugpkg_context *ctx, const struct pp_again *a, int64_t until)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX_BYTES);

	if (!is_to_be_kept(ctx, a, until))
		return;
	add_answer(ctx, a, until, &text);
	add_others(a, (struct pp_str){ a->text.s, a->text.n }, &text);
	write_answers(ctx, SETTLED_FILE, &text);
}

void
pp_again_keep_answer(plugpkg_context *ctx, const struct pp_again *a, const char *file,
    struct pp_str answer, int64_t until)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_AGAIN_ANSWER_MAX_BYTES);

	if (!is_to_be_kept(ctx, a, until))
		return;
	add_answer(ctx, a, until, &text);
	pp_buf_add(&text, answer.p, answer.n);
	write_answers(ctx, file, &text);
}
