/* SPDX-License-Identifier: MIT */
/*
 * Generations: made aside, renamed into generations/, and made visible by one rename of `current`.
 * What a generation holds is read from its links; .plugins.json is for applications, and for what
 * is installed and not in use.
 */
#include "lib/store/generation.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/model/name.h"
#include "lib/store/place.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_FILE        ".plugins.json"
#define TARGET_MAX_BYTES 4096
#define LIST_MAX_BYTES   (64 * 1024 * 1024)

/* "store/user/2.1.3" of the root, or a linked plugin's own directory. */
static char *
member_path(const struct pp_member *m)
{
	return m->link_dir != NULL ? pp_xstrdup(m->link_dir)
				   : pp_asprintf(PP_STORE_DIR "/%s/%s", m->name, m->version);
}

static const char *
key_of(const struct pp_member *m)
{
	return m->key != NULL ? m->key : m->name;
}

static int
make_link(int dir_fd, const char *as, const struct pp_member *m)
{
	PP_AUTO_FREE char *path = member_path(m);
	PP_AUTO_FREE char *up = pp_place_up(m->name);
	PP_AUTO_FREE char *target =
	    m->link_dir != NULL ? pp_xstrdup(path) : pp_asprintf("%s%s", up, path);
	const char *slash = strchr(m->name, '/');

	if (slash != NULL) {
		PP_AUTO_FREE char *scope = pp_xstrndup(m->name, (size_t)(slash - m->name));

		bool is_new = pp_mkdirat(dir_fd, scope, 0755) == 0;
		if (is_new ? pp_fchmodat(dir_fd, scope, 0755) < 0 : errno != EEXIST)
			return -errno;
	}
	return pp_symlinkat(target, dir_fd, as) < 0 ? -errno : 0;
}

static pp_json *
describe(const struct pp_member *m)
{
	PP_AUTO_FREE char *path = member_path(m);
	pp_json *j = pp_json_object();

	if (m->key != NULL && strcmp(m->key, m->name) != 0)
		pp_json_set_str(j, "name", m->name);
	pp_json_set_str(j, "version", m->version);
	/* Who reads no more than the path must not use it all the same. */
	if (!m->is_off)
		pp_json_set_str(j, "path", path);
	if (m->link_dir != NULL)
		pp_json_set_bool(j, "linked", true);
	if (m->info == NULL)
		return j;
	for (void *it = pp_json_iter(m->info); it != NULL; it = pp_json_next(m->info, it))
		pp_json_set(j, pp_json_iter_key(it), pp_json_ref(pp_json_iter_value(it)));
	return j;
}

static int
write_list(int dir_fd, int64_t n, const struct pp_member *const *sorted, size_t n_members)
{
	PP_AUTO_JSON pp_json *list = pp_json_object();
	pp_json *plugins = pp_json_object();

	pp_json_set_int(list, "generation", n);
	for (size_t i = 0; i < n_members; i++)
		pp_json_set(plugins, key_of(sorted[i]), describe(sorted[i]));
	pp_json_set(list, "plugins", plugins);
	PP_AUTO_FREE char *text = pp_json_pretty(list);

	/* Not synced: the directory is private until it is renamed, and synced whole after that. */
	PP_AUTO_FD int fd = pp_openat_create(dir_fd, LIST_FILE, O_WRONLY | O_EXCL, 0644);
	if (fd < 0 || pp_fchmod(fd, 0644) < 0) /* whatever the umask is */
		return -errno;
	return pp_fd_write_all(fd, text, strlen(text));
}

static int
by_key(const void *a, const void *b)
{
	const struct pp_member *const *x = a, *const *y = b;

	return strcmp(key_of(*x), key_of(*y));
}

/* The plain name leads to the highest of several majors. */
static bool
is_highest(const struct pp_member *m, const struct pp_member *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!all[i]->is_off && strcmp(all[i]->name, m->name) == 0 &&
		    pp_version_cmp_text(all[i]->version, m->version) > 0)
			return false;
	return true;
}

static int
make_links(int dir_fd, const struct pp_member *m, const struct pp_member *const *all, size_t n)
{
	bool has_major = strcmp(key_of(m), m->name) != 0;
	int r = has_major ? make_link(dir_fd, key_of(m), m) : 0;

	if (r == 0 && (!has_major || is_highest(m, all, n)))
		r = make_link(dir_fd, m->name, m);
	return r;
}

static int
fill(int dir_fd, int64_t n, const struct pp_member *members, size_t n_members)
{
	PP_AUTO_FREE const struct pp_member **sorted = pp_xcalloc(n_members + 1, sizeof(*sorted));
	int r = 0;

	for (size_t i = 0; i < n_members; i++)
		sorted[i] = &members[i];
	qsort(sorted, n_members, sizeof(*sorted), by_key);
	for (size_t i = 0; r == 0 && i < n_members; i++)
		r = sorted[i]->is_off ? 0 : make_links(dir_fd, sorted[i], sorted, n_members);
	if (r == 0)
		r = write_list(dir_fd, n, sorted, n_members);
	return r == 0 && pp_fchmod(dir_fd, 0755) < 0 ? -errno : r;
}

static enum plugpkg_code
damaged_pointer(plugpkg_context *ctx, const char *why, const char *first, plugpkg_error **err)
{
	enum plugpkg_code rc =
	    pp_fail(err, PLUGPKG_E_BAD_STATE, 0, "'%s/" PP_CURRENT "' %s", ctx->root, why);

	return pp_hint(err, rc,
	    "it is always a link to generations/NUMBER; %splugpkg repair makes it anew", first);
}

/*
 * The generation that `current` names, or -1 when there is no `current` at all, or a link that
 * leads elsewhere: that one is replaced by the next switch, never followed. Nothing else can be.
 */
static enum plugpkg_code
read_pointer(plugpkg_context *ctx, int64_t *out, plugpkg_error **err)
{
	static const char prefix[] = PP_GENERATIONS_DIR "/";
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(TARGET_MAX_BYTES);
	int r = pp_readlink_at(ctx->root_fd, PP_CURRENT, &target);
	uint64_t n = 0;

	*out = -1;
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r == -EINVAL)
		return damaged_pointer(ctx, "is no link", "move it away, then ", err);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s/" PP_CURRENT "'", ctx->root);
	const char *text = pp_buf_cstr(&target);

	if (pp_starts_with(text, prefix) &&
	    pp_parse_u64(pp_str_of(text + sizeof(prefix) - 1), INT64_MAX, &n) == 0)
		*out = (int64_t)n;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_generation_current(plugpkg_context *ctx, int64_t *out, plugpkg_error **err)
{
	enum plugpkg_code rc = read_pointer(ctx, out, err);

	if (rc == PLUGPKG_OK && *out < 0)
		rc = pp_exists_at(ctx->root_fd, PP_CURRENT) == 1
			 ? damaged_pointer(ctx, "leads elsewhere than to a generation", "", err)
			 : damaged_pointer(ctx, "is missing", "", err);
	return rc;
}

enum plugpkg_code
pp_generation_check_switch(plugpkg_context *ctx, plugpkg_error **err)
{
	int64_t n;
	bool is_missing = pp_exists_at(ctx->root_fd, PP_CURRENT) == 0;
	enum plugpkg_code rc = is_missing ? PLUGPKG_OK : pp_generation_current(ctx, &n, err);

	if (rc != PLUGPKG_OK || is_missing || pp_exists_at(ctx->root_fd, PP_GENERATIONS_DIR) != 0)
		return rc;
	(void)pp_fail(
	    err, PLUGPKG_E_NOT_FOUND, 0, "'%s/" PP_GENERATIONS_DIR "' is missing", ctx->root);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg repair makes it anew");
}

/* The generation in use is never touched. */
static enum plugpkg_code
check_not_current(plugpkg_context *ctx, int64_t n, plugpkg_error **err)
{
	int64_t current;
	enum plugpkg_code rc = read_pointer(ctx, &current, err);

	if (rc == PLUGPKG_OK && current == n)
		return pp_fail(err, PLUGPKG_E_BAD_STATE, 0,
		    "generation %" PRId64 " of '%s' is in use and cannot be replaced or removed", n,
		    ctx->root);
	return rc;
}

enum plugpkg_code
pp_generation_remove(plugpkg_context *ctx, int64_t n, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = pp_asprintf("%" PRId64, n);
	PP_AUTO_FREE char *what = pp_asprintf("'%s/" PP_GENERATIONS_DIR "/%s'", ctx->root, name);
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = check_not_current(ctx, n, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_make(ctx, PP_GENERATIONS_DIR, &fd, err);
	return rc == PLUGPKG_OK ? pp_place_remove(ctx, fd, name, what, err) : rc;
}

static enum plugpkg_code
move_out(
    plugpkg_context *ctx, int64_t n, int dir_fd, struct pp_leaving *leaving, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = pp_asprintf("%" PRId64, n);
	PP_AUTO_FREE char *what = pp_asprintf("'%s/" PP_GENERATIONS_DIR "/%s'", ctx->root, name);
	enum plugpkg_code rc = check_not_current(ctx, n, err);

	return rc == PLUGPKG_OK ? pp_leaving_add(ctx, leaving, dir_fd, name, what, err) : rc;
}

enum plugpkg_code
pp_generation_drop(
    plugpkg_context *ctx, const int64_t *numbers, size_t n, int64_t *out_n, plugpkg_error **err)
{
	struct pp_leaving leaving = { 0 };
	PP_AUTO_FD int fd = -1;
	uint64_t bytes = 0;
	enum plugpkg_code rc =
	    n == 0 ? PLUGPKG_OK : pp_place_open(ctx, PP_GENERATIONS_DIR, &fd, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < n; i++)
		rc = move_out(ctx, numbers[i], fd, &leaving, err);
	*out_n += leaving.n;
	enum plugpkg_code end_rc =
	    pp_leaving_end(ctx, &leaving, fd, &bytes, rc == PLUGPKG_OK ? err : NULL);
	return rc == PLUGPKG_OK ? end_rc : rc;
}

enum plugpkg_code
pp_generation_make(plugpkg_context *ctx, int64_t n, const struct pp_member *members,
    size_t n_members, plugpkg_error **err)
{
	PP_AUTO_FREE char *staging = NULL;
	PP_AUTO_FREE char *from = NULL;
	PP_AUTO_FREE char *to = pp_asprintf(PP_GENERATIONS_DIR "/%" PRId64, n);
	PP_AUTO_FD int dir = -1;
	enum plugpkg_code rc = pp_generation_remove(ctx, n, err);

	if (rc == PLUGPKG_OK)
		rc = pp_staging_new(ctx, "generation", &staging, &dir, err);
	if (rc != PLUGPKG_OK)
		return rc;
	from = pp_asprintf(PP_STAGING_DIR "/%s", staging);
	int r = fill(dir, n, members, n_members);

	if (r == 0 && pp_renameat(ctx->root_fd, from, ctx->root_fd, to) < 0)
		r = -errno;
	/*
	 * One sync for all: the new names in the store, which the links lead to, become durable
	 * too.
	 */
	if (r == 0)
		r = pp_sync_tree_at(dir, ".");
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot make '%s/%s'", ctx->root, to)
		     : PLUGPKG_OK;
}

enum plugpkg_code
pp_generation_switch(plugpkg_context *ctx, int64_t n, plugpkg_error **err)
{
	PP_AUTO_FREE char *target = pp_asprintf(PP_GENERATIONS_DIR "/%" PRId64, n);
	PP_AUTO_FD int dir = -1;
	int64_t current;
	enum plugpkg_code rc = read_pointer(ctx, &current, err);

	if (rc == PLUGPKG_OK)
		rc = pp_place_open(ctx, target, &dir, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_symlink_replace(ctx->root_fd, PP_CURRENT, target);

	return r < 0
		   ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot switch '%s/" PP_CURRENT "'", ctx->root)
		   : PLUGPKG_OK;
}

void
pp_generation_tidy(plugpkg_context *ctx)
{
	/* The next switch would replace it; until then it is only untidy. */
	PP_IGNORE(pp_unlinkat(ctx->root_fd, "." PP_CURRENT ".new", 0));
}

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum plugpkg_code
pp_generation_list(plugpkg_context *ctx, int64_t **out, size_t *out_n, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_place_open(ctx, PP_GENERATIONS_DIR, &fd, err);
	struct stat st;
	size_t n = 0;

	if (rc == PLUGPKG_E_NOT_FOUND)
		return pp_hint(err, rc, "plugpkg repair makes all links anew");
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_list_dir(fd, ".", &names);

	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot list '%s/" PP_GENERATIONS_DIR "'", ctx->root);
	int64_t *numbers = pp_xcalloc(names.n + 1, sizeof(*numbers));

	pp_vec_foreach (name, &names) {
		uint64_t number;

		if (pp_parse_u64(pp_str_of(*name), INT64_MAX, &number) == 0 &&
		    fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			numbers[n++] = (int64_t)number;
	}
	qsort(numbers, n, sizeof(*numbers), by_number);
	*out = numbers;
	*out_n = n;
	return PLUGPKG_OK;
}

/* By names alone: it is asked before each transaction, of thousands of generations as well. */
enum plugpkg_code
pp_generation_highest(plugpkg_context *ctx, int64_t *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	uint64_t number, highest = 0;
	int r = pp_list_dir(ctx->root_fd, PP_GENERATIONS_DIR, &names);

	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_IO, -r, "cannot list '%s/" PP_GENERATIONS_DIR "'", ctx->root);
	pp_vec_foreach (name, &names)
		if (pp_parse_u64(pp_str_of(*name), INT64_MAX, &number) == 0 && number > highest)
			highest = number;
	*out = (int64_t)highest;
	return PLUGPKG_OK;
}

/* Adds "NAME VERSION" when KEY is a link to store/NAME/VERSION; a linked plugin is in no store. */
static enum plugpkg_code
add_member(int dir_fd, const char *key, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *name = pp_key_name(key);
	PP_AUTO_BUF struct pp_buf target = PP_BUF_INIT(TARGET_MAX_BYTES);
	PP_AUTO_FREE char *up = pp_place_up(name);
	PP_AUTO_FREE char *prefix = pp_asprintf("%s" PP_STORE_DIR "/%s/", up, name);
	int r = pp_readlink_at(dir_fd, key, &target);

	if (r < 0 && r != -EINVAL)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read link '%s'", key);
	if (r == 0 && pp_starts_with(pp_buf_cstr(&target), prefix))
		pp_strs_take(
		    out, pp_asprintf("%s %s", name, pp_buf_cstr(&target) + strlen(prefix)));
	return PLUGPKG_OK;
}

/* scope: "" for the generation itself, "@scope" for a directory in it. */
static enum plugpkg_code
add_names(int dir_fd, const char *scope, struct pp_strs *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	bool is_top = scope[0] == '\0';
	int r = pp_list_dir(dir_fd, is_top ? "." : scope, &names);
	enum plugpkg_code rc = PLUGPKG_OK;

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot list a generation");
	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++) {
		if (is_top && names.at[i][0] == '@')
			rc = add_names(dir_fd, names.at[i], out, err);
		else if (strcmp(names.at[i], LIST_FILE) != 0)
			pp_strs_take(
			    out, pp_asprintf("%s%s%s", scope, is_top ? "" : "/", names.at[i]));
	}
	return rc;
}

static enum plugpkg_code
add_members(int dir_fd, struct pp_strs *out, plugpkg_error **err)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	enum plugpkg_code rc = add_names(dir_fd, "", &names, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < names.n; i++)
		if (pp_key_valid(pp_str_of(names.at[i])))
			rc = add_member(dir_fd, names.at[i], out, err);
	return rc;
}

/* Without them a switch back to this generation would find nothing to enable. */
static enum plugpkg_code
add_unlinked(int dir_fd, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(LIST_MAX_BYTES);
	int r = pp_read_file_at(dir_fd, LIST_FILE, &text);

	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '" LIST_FILE "'");
	PP_AUTO_JSON pp_json *list = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	const pp_json *plugins = pp_json_get(list, "plugins");

	for (void *it = pp_json_iter(plugins); it != NULL; it = pp_json_next(plugins, it)) {
		const pp_json *one = pp_json_iter_value(it);
		const char *version = pp_json_get_str(one, "version");
		PP_AUTO_FREE char *name = pp_key_name(pp_json_iter_key(it));

		if (pp_json_get(one, "state") != NULL && version != NULL &&
		    !pp_json_get_bool(one, "linked"))
			pp_strs_take(out, pp_asprintf("%s %s", name, version));
	}
	return PLUGPKG_OK;
}

/* The highest of several majors has two links. */
static void
drop_doubles(struct pp_strs *sorted)
{
	size_t n = 0;

	for (size_t i = 0; i < sorted->n; i++) {
		if (n > 0 && strcmp(sorted->at[n - 1], sorted->at[i]) == 0)
			free(sorted->at[i]);
		else
			sorted->at[n++] = sorted->at[i];
	}
	sorted->n = n;
}

static enum plugpkg_code
open_generation(plugpkg_context *ctx, int64_t n, int *out_fd, plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf(PP_GENERATIONS_DIR "/%" PRId64, n);

	return pp_place_open(ctx, path, out_fd, err);
}

enum plugpkg_code
pp_generation_members(plugpkg_context *ctx, int64_t n, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = open_generation(ctx, n, &fd, err);

	if (rc == PLUGPKG_OK)
		rc = add_members(fd, out, err);
	if (rc == PLUGPKG_OK)
		rc = add_unlinked(fd, out, err);
	pp_strs_sort(out);
	drop_doubles(out);
	return rc;
}

enum plugpkg_code
pp_generation_names(plugpkg_context *ctx, int64_t n, struct pp_strs *out, plugpkg_error **err)
{
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = open_generation(ctx, n, &fd, err);

	if (rc == PLUGPKG_OK)
		rc = add_names(fd, "", out, err);
	pp_strs_sort(out);
	return rc;
}
