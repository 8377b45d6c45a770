/* SPDX-License-Identifier: MIT */
/* Which files of the cache stay. */
#include "lib/index/kept.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/index/catalog.h"
#include "lib/index/index.h"
#include "lib/net/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX_ROLE_MAX_BYTES (8 * 1024 * 1024)

static void
keep(struct pp_map *out, const char *sha256)
{
	*pp_map_put(out, sha256) = out;
}

static void
keep_shards(plugpkg_context *ctx, const char *index_root_sha256, struct pp_map *out)
{
	PP_AUTO_FREE char *path = pp_asprintf("var/cache/%s", index_root_sha256);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	struct pp_index_root *root = NULL;

	keep(out, index_root_sha256);
	if (pp_read_file_at(ctx->root_fd, path, &text) < 0)
		return;
	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	if (pp_index_root_parse(bytes, "index", &root, NULL) != PLUGPKG_OK)
		return;
	pp_vec_foreach (s, &root->planning)
		keep(out, s->sha256);
	pp_vec_foreach (s, &root->details)
		keep(out, s->sha256);
	keep(out, root->search.sha256);
	pp_index_root_free(root);
}

/* Only its digests are read here, to know what stays; nothing is trusted by it. */
static void
keep_index(plugpkg_context *ctx, const char *source, const char *view, struct pp_map *out)
{
	PP_AUTO_FREE char *path = pp_asprintf("var/trust/%s/%sindex.json", source, view);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(INDEX_ROLE_MAX_BYTES);

	if (pp_read_file_at(ctx->root_fd, path, &text) < 0)
		return;
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	const pp_json *targets = pp_json_get(pp_json_get(j, "signed"), "targets");
	const pp_json *root = pp_json_get(targets, "index/root.json");
	const char *sha256 = pp_json_get_str(pp_json_get(root, "hashes"), "sha256");
	if (sha256 != NULL && pp_is_sha256(sha256))
		keep_shards(ctx, sha256, out);
}

void
pp_index_kept(plugpkg_context *ctx, struct pp_map *out)
{
	pp_vec_foreach (s, &ctx->config->sources) {
		keep_index(ctx, s->name, "", out);
		keep_index(ctx, s->name, PP_TRUST_VIEW "/", out);
	}
}

/* ---- too much ---- */

struct cached {
	char *name; /* view */
	uint64_t bytes;
	struct timespec used;
};

static int
by_use(const void *a, const void *b)
{
	const struct cached *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/*
 * A signature is as old as its archive, so that both go together; without its archive it is the
 * first to go.
 */
static bool
look_at(int cache_fd, struct cached *out)
{
	char archive[65];
	struct stat st;

	if (fstatat(cache_fd, out->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	out->bytes = (uint64_t)st.st_size;
	out->used = st.st_mtim;
	if (!pp_cache_is_signature(out->name))
		return true;
	snprintf(archive, sizeof(archive), "%.64s", out->name);
	bool is_there = fstatat(cache_fd, archive, &st, AT_SYMLINK_NOFOLLOW) == 0;
	out->used = is_there ? st.st_mtim : (struct timespec){ 0 };
	return true;
}

void
pp_cache_trim(plugpkg_context *ctx)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_FD int cache_fd = pp_opendir_at(ctx->root_fd, "var/cache");
	struct pp_vec(struct cached) files = { 0 };
	uint64_t bytes = 0;

	if (cache_fd < 0 || pp_list_dir(cache_fd, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct cached one = { .name = names.at[i] };
		if (!look_at(cache_fd, &one))
			continue;
		pp_vec_push(&files, one);
		bytes += one.bytes;
	}
	if (bytes > ctx->config->network.cache_bytes) {
		struct pp_map kept = { .n = 0 };
		pp_index_kept(ctx, &kept);
		pp_vec_sort(&files, by_use);
		for (size_t i = 0; i < files.n && bytes > ctx->config->network.cache_bytes; i++)
			if (!pp_map_has(&kept, files.at[i].name) &&
			    pp_rm_rf_at(cache_fd, files.at[i].name) == 0)
				bytes -= files.at[i].bytes;
		pp_map_fini(&kept, NULL);
	}
	pp_vec_free(&files);
}
