/* SPDX-License-Identifier: MIT */
/* One source of a root: its trust and its index root. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/index/age.h"
#include "lib/index/catalog_inside.h"
#include "lib/index/zstd.h"

#define INDEX_TARGET     "index/root.json"
#define INDEX_ROLE       PP_TRUST_VIEW "/index.json" /* local file of the role that lists it */
#define FEW_SHARDS_BYTES 1024         /* up to here an index root lists too few to recall any */
#define SMALL_BYTES      (384 * 1024) /* packed: planning rows and search of some 3,000 plugins */

/* ---- life ---- */

enum plugpkg_code
pp_catalog_open(plugpkg_context *ctx, const struct pp_source *source, struct pp_net *net,
    struct pp_catalog **out, plugpkg_error **err)
{
	PP_AUTO_FREE char *dir = pp_asprintf("var/trust/%s", source->name);
	PP_AUTO_FD int fd = pp_opendir_at(ctx->root_fd, dir);

	if (fd == -ENOENT) {
		pp_fail(
		    err, PLUGPKG_E_NOT_FOUND, 0, "source '%s' has no trusted key", source->name);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND,
		    "plugpkg source remove %s, then add it again", source->name);
	}
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "cannot open '%s/%s'", ctx->root, dir);

	struct pp_catalog *c = pp_xmalloc(sizeof(*c));

	*c = (struct pp_catalog){
		.ctx = ctx,
		.source = source,
		.net = net,
		.label = pp_asprintf("source '%s'", source->name),
		.dir_fd = pp_fd_steal(&fd),
		.arena = pp_arena_new(),
	};
	*out = c;
	return PLUGPKG_OK;
}

static void
close_index(struct pp_catalog *c)
{
	if (c->has_index && !c->ctx->is_dry_run)
		pp_shards_remember(&c->shards);
	pp_shards_fini(&c->shards);
	c->has_index = false;
	pp_updater_free(c->updater);
	c->updater = NULL;
}

void
pp_catalog_free(struct pp_catalog *c)
{
	if (c == NULL)
		return;
	close_index(c);
	pp_arena_free(c->arena);
	pp_auto_fd(&c->dir_fd);
	free(c->label);
	free(c);
}

int64_t
pp_catalog_due_after(const struct pp_catalog *c)
{
	return pp_updater_due_after(c->updater);
}

const struct pp_source *
pp_catalog_source(const struct pp_catalog *c)
{
	return c->source;
}

/* ---- trust and index root ---- */

/* A pp_tuf_get_fn. */
static enum plugpkg_code
get_metadata(void *user, size_t mirror, const char *path, size_t max_bytes, struct pp_buf *out,
    int *out_status, plugpkg_error **err)
{
	const struct pp_catalog *c = user;
	PP_AUTO_FREE char *full = pp_asprintf("metadata/%s", path);

	/* Every mirror is asked for the next root at each refresh, dead ones too. */
	unsigned usual = pp_net_hurry(c->net, &c->source->urls, mirror);
	enum plugpkg_code rc =
	    pp_net_get(c->net, c->source->urls.at[mirror], full, max_bytes, out, out_status, err);

	pp_net_set_patience(c->net, usual);
	return rc;
}

static bool
is_shared(const plugpkg_context *ctx, const struct pp_source *source)
{
	pp_vec_foreach (other, &ctx->config->sources)
		if (other != source && pp_strs_has(&other->urls, source->urls.at[0]))
			return true;
	return false;
}

/* The version that is trusted, read as a hint only: the turn of the source verifies it. */
bool
pp_catalog_ask_ahead(plugpkg_context *ctx, const struct pp_source *source, struct pp_net *net)
{
	PP_AUTO_FREE char *file = pp_asprintf("var/trust/%s/root.json", source->name);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);

	if (source->urls.n == 0 || is_shared(ctx, source) ||
	    pp_read_file_at(ctx->root_fd, file, &text) < 0)
		return true;
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	int64_t version = pp_json_get_int(pp_json_get(j, "signed"), "version", 0);
	if (version < 1 || version == INT64_MAX)
		return true;
	PP_AUTO_FREE char *path = pp_asprintf("metadata/%lld.root.json", (long long)version + 1);
	unsigned usual = pp_net_hurry(net, &source->urls, 0);
	bool had_place = pp_net_ask_ahead(net, source->urls.at[0], path, "metadata/timestamp.json");
	pp_net_set_patience(net, usual);
	return had_place;
}

static void
rest_at_end(void *user)
{
	const struct pp_catalog *c = user;

	pp_net_rest_at_end(c->net);
}

static enum plugpkg_code
new_updater(struct pp_catalog *c, int64_t now, plugpkg_error **err)
{
	const struct pp_updater_spec spec = {
		.dir_fd = c->dir_fd,
		.now = now,
		.get = get_metadata,
		.user = c,
		.n_mirrors = c->source->urls.n,
		.label = c->label,
		.settled = rest_at_end,
	};

	close_index(c);
	return pp_updater_new(&spec, &c->updater, err);
}

/* The bytes of the index root: from the cache, else from the mirrors. */
static enum plugpkg_code
read_bytes(struct pp_catalog *c, struct pp_buf *out, plugpkg_error **err)
{
	const struct pp_tuf_target *target = &c->index;
	const char *prefix = pp_updater_is_consistent_snapshot(c->updater) ? target->sha256 : "";
	PP_AUTO_FREE char *path =
	    pp_asprintf("targets/index/%s%sroot.json", prefix, *prefix != '\0' ? "." : "");
	PP_AUTO_FREE char *label = pp_asprintf("index of '%s'", c->source->name);
	const struct pp_want want = {
		.mirrors = &c->source->urls,
		.path = path,
		.label = label,
		.sha256 = target->sha256,
		.size = target->length,
	};
	int r = pp_net_read_cached(c->net, want.sha256, want.size, out);

	if (r == -ENOENT) {
		enum plugpkg_code rc = pp_net_fetch(c->net, &want, 1, err);

		if (rc != PLUGPKG_OK)
			return rc;
		r = pp_net_read_cached(c->net, want.sha256, want.size, out);
	}
	return r == 0 ? PLUGPKG_OK : pp_fail(err, PLUGPKG_E_IO, -r, "cannot read the %s", label);
}

/* For struct pp_shards. */
static enum plugpkg_code
read_root(void *user, struct pp_index_root **out, plugpkg_error **err)
{
	struct pp_catalog *c = user;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	PP_AUTO_FREE char *where = pp_asprintf("index of '%s'", c->source->name);
	enum plugpkg_code rc = read_bytes(c, &text, err);

	if (rc != PLUGPKG_OK)
		return rc;
	return pp_index_root_open((struct pp_str){ pp_buf_cstr(&text), text.n }, where, out, err);
}

/* Finds the index root among the signed targets, and out what shards there are. */
static enum plugpkg_code
open_index(struct pp_catalog *c, bool may_recall, plugpkg_error **err)
{
	struct pp_tuf_target *target = &c->index;
	enum plugpkg_code rc = pp_updater_target(c->updater, INDEX_TARGET, target, err);

	if (rc == PLUGPKG_E_NOT_FOUND)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: its signed metadata lists no '" INDEX_TARGET "'", c->label);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_is_sha256(target->sha256))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: its signed metadata gives no sha256 of '" INDEX_TARGET "'", c->label);
	if (target->length > PP_INDEX_MAX_ROOT_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "index of '%s': larger than %d bytes", c->source->name,
		    PP_INDEX_MAX_ROOT_BYTES);
	c->shards = (struct pp_shards){
		.net = c->net,
		.mirrors = &c->source->urls,
		.source = c->source->name,
		.root_sha256 = target->sha256,
		.read_root = read_root,
		.user = c,
		.root_fd = target->length > FEW_SHARDS_BYTES ? c->ctx->root_fd : -1,
	};
	rc = pp_shards_init(&c->shards, may_recall, err);
	c->has_index = rc == PLUGPKG_OK;
	return rc;
}

/*
 * Digest of the index root as the last whole refresh left it, "" when there was none. Only
 * compared, never trusted: so it needs no signature.
 */
static void
last_digest(const struct pp_catalog *c, char out[65])
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_TUF_MAX_TARGETS_BYTES);
	PP_AUTO_JSON pp_json *j = NULL;

	out[0] = '\0';
	if (pp_read_file_at(c->dir_fd, INDEX_ROLE, &text) < 0)
		return;
	j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);

	const pp_json *targets = pp_json_get(pp_json_get(j, "signed"), "targets");
	const pp_json *hashes = pp_json_get(pp_json_get(targets, INDEX_TARGET), "hashes");
	const char *digest = pp_json_get_str(hashes, "sha256");

	if (pp_is_sha256(digest))
		memcpy(out, digest, 65);
}

/* A small index comes whole with the update, so that later commands need no network. */
static bool
is_small(const struct pp_catalog *c)
{
	const struct pp_index_root *root = c->shards.root;

	return root->planning.n == 1 &&
	       root->planning.at[0].size + root->search.size <= SMALL_BYTES;
}

static enum plugpkg_code
load_small(struct pp_catalog *c, pp_json *row, plugpkg_error **err)
{
	const struct pp_shard_key keys[] = {
		{ PP_LAYER_PLANNING, 0 },
		{ PP_LAYER_SEARCH, 0 },
		{ PP_LAYER_DETAILS, 0 },
	};
	size_t n = PP_LEN(keys);
	const struct pp_shard *search = NULL;

	if (!is_small(c))
		return PLUGPKG_OK;
	/* Only what shows plugins reads the details. */
	if (c->shards.root->details.n > 1 || c->shards.root->details.at[0].size > SMALL_BYTES)
		n--;
	enum plugpkg_code rc = pp_shards_load(&c->shards, keys, n, err);
	if (rc == PLUGPKG_OK)
		rc = pp_shards_search(&c->shards, &search, err);
	if (rc == PLUGPKG_OK)
		pp_json_set_int(row, "plugins", (int64_t)search->lines.n);
	return rc;
}

/* From here on what this refresh brought is what other commands see. */
static enum plugpkg_code
keep_view(struct pp_catalog *c, plugpkg_error **err)
{
	int r = pp_mkdirs_at(c->dir_fd, PP_TRUST_VIEW, 0755);
	PP_AUTO_FD int fd = r < 0 ? r : pp_opendir_at(c->dir_fd, PP_TRUST_VIEW);

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, -fd, "%s: cannot open 'var/trust/%s/%s'",
		    c->label, c->source->name, PP_TRUST_VIEW);
	pp_age_check_clock(c->ctx, c->source->name, fd);
	return pp_updater_keep(c->updater, fd, err);
}

/* Bytes that are no good came from a mirror; what is trusted already is read by new_updater(). */
static enum plugpkg_code
advise(enum plugpkg_code rc, plugpkg_error **err)
{
	if (rc == PLUGPKG_E_BAD_METADATA || rc == PLUGPKG_E_DIGEST)
		(void)pp_hint(err, rc,
		    "the mirrors have it damaged or half written, and nothing of it is used; try "
		    "again later, or add another mirror");
	return rc;
}

static enum plugpkg_code
refresh(struct pp_catalog *c, pp_json *row, plugpkg_error **err)
{
	char before[65], expires[PP_TIME_TEXT];

	last_digest(c, before);
	pp_zstd_get_ready(); /* the helper loads its libraries, or others answer */
	enum plugpkg_code rc = pp_updater_refresh(c->updater, err);
	if (rc == PLUGPKG_OK)
		rc = open_index(c, false, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_time_format(pp_updater_expires(c->updater), expires);
	pp_json_set_str(row, "source", c->source->name);
	pp_json_set_int(row, "version", pp_updater_version(c->updater, "timestamp"));
	pp_json_set_bool(row, "changed", strcmp(before, c->index.sha256) != 0);
	pp_json_set_str(row, "expires", expires);
	rc = load_small(c, row, err);
	if (rc == PLUGPKG_OK)
		rc = keep_view(c, err);
	if (rc == PLUGPKG_OK)
		pp_age_warn(c->ctx, c->source->name, c->updater, true);
	return rc;
}

enum plugpkg_code
pp_catalog_refresh(struct pp_catalog *c, pp_json *row, plugpkg_error **err)
{
	enum plugpkg_code rc = new_updater(c, c->ctx->now, err);

	return rc == PLUGPKG_OK ? advise(refresh(c, row, err), err) : rc;
}

/* fd: the directory with what is below root. */
static enum plugpkg_code
load_from(struct pp_catalog *c, int fd, int64_t now, plugpkg_error **err)
{
	enum plugpkg_code rc = new_updater(c, now, err);

	if (rc == PLUGPKG_OK)
		rc = pp_updater_load_view(c->updater, fd, err);
	return rc == PLUGPKG_OK ? open_index(c, true, err) : rc;
}

/* Would another copy of the metadata change anything? */
static bool
is_about_metadata(enum plugpkg_code rc)
{
	return rc != PLUGPKG_OK && rc != PLUGPKG_E_IO && rc != PLUGPKG_E_PERMISSION &&
	       rc != PLUGPKG_E_NO_SPACE && rc != PLUGPKG_E_INTERRUPTED;
}

enum plugpkg_code
pp_catalog_load(struct pp_catalog *c, bool allow_expired, plugpkg_error **err)
{
	/* In 1970 nothing has expired yet; signatures and versions count all the same. */
	int64_t now = allow_expired ? 0 : c->ctx->now;
	PP_AUTO_FD int view_fd = pp_opendir_at(c->dir_fd, PP_TRUST_VIEW);
	PP_AUTO_ERROR plugpkg_error *why = NULL;

	if (view_fd < 0 && pp_exists_at(c->dir_fd, "timestamp.json") == 0) {
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "%s was never updated", c->label);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND, "run plugpkg update");
	}
	if (view_fd < 0)
		return load_from(c, c->dir_fd, now, err);
	enum plugpkg_code rc = load_from(c, view_fd, now, &why);
	if (rc == PLUGPKG_OK && !allow_expired) {
		pp_age_check_clock(c->ctx, c->source->name, view_fd);
		pp_age_warn(c->ctx, c->source->name, c->updater, false);
	}
	/*
	 * A view that was cut off while it was made leaves its original whole. When that is of no
	 * use either, what is wrong with the view is what the user has to hear.
	 */
	if (is_about_metadata(rc) && load_from(c, c->dir_fd, now, NULL) == PLUGPKG_OK)
		return PLUGPKG_OK;
	if (err != NULL)
		*err = pp_steal(&why);
	return rc;
}
