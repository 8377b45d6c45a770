/* SPDX-License-Identifier: MIT */
/*
 * Brings shards from the cache or the mirrors into memory: digest first, then unpacking, then
 * form.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "lib/index/reach.h"
#include "lib/index/shards.h"
#include "lib/index/zstd.h"
#include "lib/net/cache.h"
#include "lib/trust/crypto.h"

#define MANY_SHARDS       8
#define SMALL_SHARD_BYTES (64 * 1024) /* most of the time of such a file is the way there */

static const char *
layer_name(enum pp_layer layer)
{
	switch (layer) {
	case PP_LAYER_PLANNING:
		return "planning";
	case PP_LAYER_DETAILS:
		return "details";
	case PP_LAYER_SEARCH:
		return "search";
	}
	return "";
}

size_t
pp_shards_count(const struct pp_shards *s, enum pp_layer layer)
{
	switch (layer) {
	case PP_LAYER_PLANNING:
		return s->n_planning;
	case PP_LAYER_DETAILS:
		return s->n_details;
	case PP_LAYER_SEARCH:
		return 1;
	}
	return 0;
}

static const struct pp_shard_ref *
ref_of(const struct pp_shards *s, struct pp_shard_key key)
{
	switch (key.layer) {
	case PP_LAYER_PLANNING:
		return &s->root->planning.at[key.number];
	case PP_LAYER_DETAILS:
		return &s->root->details.at[key.number];
	case PP_LAYER_SEARCH:
		break;
	}
	return &s->root->search;
}

/* Of thousands of shards few are asked for, and of the details mostly none. */
static struct pp_held_shard *
place_of(struct pp_shards *s, struct pp_shard_key key)
{
	struct pp_held_shard ***layer = key.layer == PP_LAYER_PLANNING ? &s->planning : &s->details;

	if (key.layer == PP_LAYER_SEARCH)
		return s->search;
	if (*layer == NULL)
		*layer = pp_xcalloc(pp_shards_count(s, key.layer), sizeof(**layer));
	struct pp_held_shard **place = &(*layer)[key.number];
	if (*place == NULL)
		*place = pp_arena_take(s->arena, sizeof(**place));
	return *place;
}

/* Where what is held of a layer lies; NULL: by itself, because it is dropped before the end. */
static struct pp_arena *
arena_of(const struct pp_shards *s, enum pp_layer layer)
{
	return layer == PP_LAYER_PLANNING ? s->arena : NULL;
}

/* Reads the index root, unless that was done. */
static enum plugpkg_code
need_root(struct pp_shards *s, plugpkg_error **err)
{
	if (s->root != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = s->read_root(s->user, &s->root, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const size_t n_planning = s->root->planning.n, n_details = s->root->details.n;
	bool is_as_recalled = s->n_planning == n_planning && s->n_details == n_details;
	if (s->n_planning > 0 && !is_as_recalled) {
		pp_recall_disown(s->root_fd, s->source);
		(void)pp_fail(err, PLUGPKG_E_DIGEST, 0,
		    "'var/trust/%s/lines' is not about the index that it names", s->source);
		return pp_hint(err, PLUGPKG_E_DIGEST, "it is deleted; run the command again");
	}
	s->recall.root = s->root;
	s->n_planning = n_planning;
	s->n_details = n_details;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_shards_init(struct pp_shards *s, bool may_recall, plugpkg_error **err)
{
	s->arena = pp_arena_new();
	s->search = pp_arena_take(s->arena, sizeof(*s->search));
	s->unzstd = pp_unzstd_new();
	s->open.fd = -1;
	s->recall.fd = -1;
	return may_recall && pp_shards_recall_root(s) ? PLUGPKG_OK : need_root(s, err);
}

static void
close_open(struct pp_shards *s)
{
	pp_shard_fini(&s->open.shard);
	pp_auto_fd(&s->open.fd);
	s->open.of = NULL;
}

/* Frees what it has and writes nothing into it: its place goes with the arena. */
static void
free_shard(const struct pp_shards *s, enum pp_layer layer, const struct pp_held_shard *place)
{
	free(place->blocks.at);
	if (arena_of(s, layer) == NULL)
		free(place->held);
}

static void
drop_shard(struct pp_shards *s, enum pp_layer layer, struct pp_held_shard *place)
{
	if (s->open.of == place)
		close_open(s);
	free_shard(s, layer, place);
	*place = (struct pp_held_shard){ .held = NULL };
}

static void
free_layer(const struct pp_shards *s, enum pp_layer layer, struct pp_held_shard **at)
{
	for (size_t i = 0; at != NULL && i < pp_shards_count(s, layer); i++)
		if (at[i] != NULL)
			free_shard(s, layer, at[i]);
	free(at);
}

void
pp_shards_fini(struct pp_shards *s)
{
	if (s->arena == NULL)
		return;
	close_open(s);
	free_layer(s, PP_LAYER_PLANNING, s->planning);
	free_layer(s, PP_LAYER_DETAILS, s->details);
	free_shard(s, PP_LAYER_SEARCH, s->search);
	pp_recall_fini(&s->recall);
	pp_index_root_free(s->root);
	pp_buf_fini(&s->open.packed);
	pp_buf_fini(&s->open.text);
	pp_map_fini(&s->planning_lines, NULL);
	pp_map_fini(&s->details_lines, free);
	pp_shard_fini(&s->search_shard);
	pp_buf_fini(&s->search_text);
	pp_unzstd_free(s->unzstd);
	pp_arena_free(s->arena);
	*s = (struct pp_shards){ .net = s->net };
}

static char *
label_of(const struct pp_shards *s, struct pp_shard_key key)
{
	if (pp_shards_count(s, key.layer) == 1)
		return pp_asprintf("%s index of '%s'", layer_name(key.layer), s->source);
	return pp_asprintf("%s index %zu of '%s'", layer_name(key.layer), key.number, s->source);
}

/* The beginning of a cached file, if it is what the index root says. 0, -ENOENT, -errno. */
static int
read_table(const struct pp_shards *s, const struct pp_shard_ref *ref, struct pp_buf *out)
{
	PP_AUTO_FD int fd = pp_net_open_unread(s->net, ref->sha256, ref->size);
	char hex[65];

	if (fd < 0)
		return fd;
	int r = pp_cache_read_piece(fd, 0, ref->table.size, out);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	pp_sha256_hex(out->s, out->n, hex);
	return strcmp(hex, ref->table.sha256) == 0 ? 0 : -ENOENT;
}

/* *out_missing: the cache has none, or a damaged one. */
static enum plugpkg_code
load_cached(struct pp_shards *s, struct pp_shard_key key, bool *out_missing, plugpkg_error **err)
{
	const struct pp_shard_ref *ref = ref_of(s, key);
	struct pp_held_shard *place = place_of(s, key);
	PP_AUTO_FREE char *label = label_of(s, key);
	PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(ref->size);

	int r = ref->table.size > 0 ? read_table(s, ref, &got)
				    : pp_net_read_cached(s->net, ref->sha256, ref->size, &got);
	*out_missing = r == -ENOENT;
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read cached file '%s'", ref->sha256);
	place->held = pp_arena_text(arena_of(s, key.layer), got.s, got.n);
	place->bytes = (struct pp_str){ place->held, got.n };
	enum plugpkg_code rc = pp_blocks_open(place->bytes, ref, label, &place->blocks, err);
	if (rc != PLUGPKG_OK)
		drop_shard(s, key.layer, place);
	return rc;
}

static enum plugpkg_code
fetch(struct pp_shards *s, const struct pp_shard_key *keys, size_t n, plugpkg_error **err)
{
	PP_AUTO_FREE struct pp_want *wants = pp_xcalloc(n + 1, sizeof(*wants));
	PP_CLEANUP(pp_strs_fini) struct pp_strs texts = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		const struct pp_shard_ref *ref = ref_of(s, keys[i]);
		PP_AUTO_FREE char *path = pp_index_shard_path(keys[i].layer, ref);

		pp_strs_take(&texts, pp_asprintf("targets/%s", path));
		wants[i].path = texts.at[texts.n - 1];
		pp_strs_take(&texts, label_of(s, keys[i]));
		wants[i].label = texts.at[texts.n - 1];
		wants[i].mirrors = s->mirrors;
		wants[i].sha256 = ref->sha256;
		wants[i].size = ref->size;
		wants[i].is_held = ref->table.size == 0 && ref->size <= PP_NET_HELD_MAX;
		wants[i].is_piece = n >= MANY_SHARDS && ref->size <= SMALL_SHARD_BYTES;
	}
	return pp_net_fetch(s->net, wants, n, err);
}

/* What was fetched a moment ago has to be there. */
static enum plugpkg_code
changed_since(const struct pp_shards *s, struct pp_shard_key key, plugpkg_error **err)
{
	return pp_fail(err, PLUGPKG_E_DIGEST, 0, "cached file '%s' changed under our hands",
	    ref_of(s, key)->sha256);
}

static enum plugpkg_code
load_fetched(struct pp_shards *s, struct pp_shard_key key, plugpkg_error **err)
{
	bool is_missing = false;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (place_of(s, key)->bytes.n == 0)
		rc = load_cached(s, key, &is_missing, err);
	return rc == PLUGPKG_OK && is_missing ? changed_since(s, key, err) : rc;
}

/* What to do with a shard once it is held. */
typedef enum plugpkg_code (*held_fn)(
    struct pp_shards *s, struct pp_shard_key key, void *user, plugpkg_error **err);

static enum plugpkg_code
each_held(struct pp_shards *s, const struct pp_shard_key *keys, size_t n, held_fn fn, void *user,
    plugpkg_error **err)
{
	PP_AUTO_FREE struct pp_shard_key *lacking = pp_xcalloc(n + 1, sizeof(*lacking));
	enum plugpkg_code rc = n > 0 ? need_root(s, err) : PLUGPKG_OK;
	size_t n_lacking = 0;

	for (size_t i = 0; rc == PLUGPKG_OK && i < n; i++) {
		bool is_missing = false;
		rc = pp_index_root_look(s->root, keys[i].layer, keys[i].number, s->source, err);
		if (rc == PLUGPKG_OK && place_of(s, keys[i])->bytes.n == 0)
			rc = load_cached(s, keys[i], &is_missing, err);
		if (rc == PLUGPKG_OK && !is_missing && fn != NULL)
			rc = fn(s, keys[i], user, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (is_missing)
			lacking[n_lacking++] = keys[i];
	}
	if (n_lacking > 0)
		rc = fetch(s, lacking, n_lacking, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < n_lacking; i++) {
		rc = load_fetched(s, lacking[i], err);
		if (rc == PLUGPKG_OK && fn != NULL)
			rc = fn(s, lacking[i], user, err);
	}
	return rc;
}

enum plugpkg_code
pp_shards_load(struct pp_shards *s, const struct pp_shard_key *keys, size_t n, plugpkg_error **err)
{
	return each_held(s, keys, n, NULL, NULL, err);
}

/* ---- lines ---- */

static struct pp_map *
lines_of(struct pp_shards *s, enum pp_layer layer)
{
	return layer == PP_LAYER_PLANNING ? &s->planning_lines : &s->details_lines;
}

/* Reads a block's bytes into s->open.packed. 0, -EBADMSG when they are damaged, -errno. */
static int
read_piece(struct pp_shards *s, struct pp_shard_key key, const struct pp_block *b)
{
	const struct pp_shard_ref *ref = ref_of(s, key);
	struct pp_open_shard *open = &s->open;

	if (open->fd < 0)
		open->fd = pp_net_open_unread(s->net, ref->sha256, ref->size);
	if (open->fd < 0)
		return open->fd == -ENOENT ? -EBADMSG : open->fd;
	open->packed.limit = ref->size;
	int r = pp_cache_read_piece(open->fd, b->offset, b->size, &open->packed);
	if (r < 0)
		return r;
	return pp_block_is(b, (struct pp_str){ open->packed.s, open->packed.n }) ? 0 : -EBADMSG;
}

/* The bytes of a block, verified; the file is fetched anew where the cache was damaged. */
static enum plugpkg_code
get_piece(struct pp_shards *s, struct pp_shard_key key, const struct pp_block *b,
    struct pp_str *out, plugpkg_error **err)
{
	const struct pp_held_shard *place = place_of(s, key);

	*out = place->bytes;
	if (b->sha256.n == 0)
		return PLUGPKG_OK;
	int r = read_piece(s, key, b);
	if (r == -EBADMSG) {
		pp_auto_fd(&s->open.fd);
		enum plugpkg_code rc = fetch(s, &key, 1, err);
		if (rc != PLUGPKG_OK)
			return rc;
		r = read_piece(s, key, b);
	}
	*out = (struct pp_str){ s->open.packed.s, s->open.packed.n };
	if (r == -EBADMSG)
		return changed_since(s, key, err);
	return r == 0 ? PLUGPKG_OK
		      : pp_fail(err, PLUGPKG_E_IO, -r, "cannot read cached file '%s'",
			    ref_of(s, key)->sha256);
}

/* Makes s->open hold this block. */
static enum plugpkg_code
open_block(struct pp_shards *s, struct pp_shard_key key, size_t i, plugpkg_error **err)
{
	const struct pp_held_shard *place = place_of(s, key);
	PP_AUTO_FREE char *label = label_of(s, key);
	struct pp_block_bytes b = { &place->blocks, i, { 0 }, ref_of(s, key)->unpacked, label };

	if (s->open.of != place)
		close_open(s);
	s->open.of = place;
	s->open.number = i;
	pp_shard_fini(&s->open.shard);
	s->open.text.limit = b.unpacked;
	enum plugpkg_code rc = get_piece(s, key, &place->blocks.at[i], &b.packed, err);
	if (rc == PLUGPKG_OK)
		rc = pp_blocks_read(&b, s->unzstd, &s->open.text, &s->open.shard, err);
	return rc;
}

/* Keeps the line of a name: it will be asked for again, and its block may be another by then. */
static enum plugpkg_code
look_up(struct pp_shards *s, struct pp_shard_key key, const char *name, plugpkg_error **err)
{
	const struct pp_held_shard *place = place_of(s, key);
	const struct pp_open_shard *open = &s->open;
	size_t i = pp_blocks_find(&place->blocks, name);

	if (i == place->blocks.n) {
		*pp_map_put(lines_of(s, key.layer), name) = NULL;
		return PLUGPKG_OK;
	}
	if (open->of != place || open->number != i || open->shard.lines.n == 0) {
		enum plugpkg_code rc = open_block(s, key, i, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	const struct pp_str *line = pp_shard_find(&s->open.shard, name);
	*pp_map_put(lines_of(s, key.layer), name) =
	    line != NULL ? pp_arena_text(arena_of(s, key.layer), line->p, line->n) : NULL;
	return PLUGPKG_OK;
}

/* Names of one layer with the shards that hold them. */
struct placed {
	const char *name;
	size_t shard;
};
struct taking {
	struct pp_vec(struct placed) names; /* by shard, then by name */
};

static int
by_shard(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->shard != y->shard)
		return x->shard < y->shard ? -1 : 1;
	return strcmp(x->name, y->name);
}

static enum plugpkg_code
take_lines(struct pp_shards *s, struct pp_shard_key key, void *user, plugpkg_error **err)
{
	const struct taking *t = user;
	enum plugpkg_code rc = PLUGPKG_OK;

	pp_vec_foreach (p, &t->names) {
		if (p->shard == key.number && rc == PLUGPKG_OK &&
		    !pp_map_has(&s->details_lines, p->name))
			rc = look_up(s, key, p->name, err);
	}
	drop_shard(s, key.layer, place_of(s, key));
	return rc;
}

enum plugpkg_code
pp_shards_take(struct pp_shards *s, const struct pp_strs *names, plugpkg_error **err)
{
	size_t n_shards = s->n_details, n = 0;
	PP_AUTO_FREE struct pp_shard_key *keys = pp_xcalloc(n_shards + 1, sizeof(*keys));
	struct taking t = { 0 };

	pp_vec_foreach (name, names)
		if (!pp_map_has(&s->details_lines, *name))
			pp_vec_push(&t.names,
			    ((struct placed){ *name, pp_index_shard_of(n_shards, *name) }));
	pp_vec_sort(&t.names, by_shard);
	for (size_t i = 0; i < t.names.n; i++)
		if (i == 0 || t.names.at[i].shard != t.names.at[i - 1].shard)
			keys[n++] = (struct pp_shard_key){ PP_LAYER_DETAILS, t.names.at[i].shard };
	enum plugpkg_code rc = each_held(s, keys, n, take_lines, &t, err);
	pp_vec_free(&t.names);
	return rc;
}

/* ---- what will be asked for ---- */

struct wanted {
	struct pp_shards *shards;
	struct pp_vec(struct pp_shard_key) keys; /* planning shards that are not held; some twice */
};

/* A pp_reach_fn. */
static void
want_shard(size_t number, void *user)
{
	struct wanted *w = user;
	struct pp_held_shard *const *places = w->shards->planning;

	if ((places == NULL || places[number] == NULL || places[number]->bytes.n == 0) &&
	    !pp_shards_has_recalled(w->shards, number))
		pp_vec_push(&w->keys, ((struct pp_shard_key){ PP_LAYER_PLANNING, number }));
}

static int
by_number(const void *a, const void *b)
{
	const struct pp_shard_key *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Holds them, each once. */
static enum plugpkg_code
load_wanted(struct pp_shards *s, struct wanted *w, plugpkg_error **err)
{
	size_t n = 0;

	pp_vec_sort(&w->keys, by_number);
	for (size_t i = 0; i < w->keys.n; i++)
		if (i == 0 || w->keys.at[i].number != w->keys.at[n - 1].number)
			w->keys.at[n++] = w->keys.at[i];
	enum plugpkg_code rc = pp_shards_load(s, w->keys.at, n, err);
	w->keys.n = 0;
	return rc;
}

/* Looks the name up in its shard, unless that was done before. */
static enum plugpkg_code
find_line(struct pp_shards *s, struct pp_shard_key key, const char *name, struct pp_str *out,
    plugpkg_error **err)
{
	struct pp_map *lines = lines_of(s, key.layer);
	enum plugpkg_code rc = PLUGPKG_OK;

	if (!pp_map_has(lines, name) &&
	    !(key.layer == PP_LAYER_PLANNING && pp_shards_recall(s, key.number, name))) {
		rc = pp_shards_load(s, &key, 1, err);
		if (rc == PLUGPKG_OK)
			rc = look_up(s, key, name, err);
	}
	*out = pp_str_of(rc == PLUGPKG_OK ? pp_map_get(lines, name) : NULL);
	return rc;
}

enum plugpkg_code
pp_shards_expect(struct pp_shards *s, const struct pp_strs *names, plugpkg_error **err)
{
	size_t n_shards = s->n_planning;
	PP_AUTO_FREE struct pp_shard_key *keys = pp_xcalloc(names->n + 1, sizeof(*keys));
	struct wanted wanted = { .shards = s };
	struct pp_reach reach = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		keys[i].layer = PP_LAYER_PLANNING;
		keys[i].number = pp_index_shard_of(n_shards, names->at[i]);
		want_shard(keys[i].number, &wanted);
	}
	enum plugpkg_code rc = load_wanted(s, &wanted, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < names->n; i++) {
		struct pp_str line;
		rc = find_line(s, keys[i], names->at[i], &line, err);
		if (line.p != NULL)
			pp_reach_read(line, &reach);
	}
	if (rc == PLUGPKG_OK) {
		pp_reach_each(&reach, n_shards, want_shard, &wanted);
		rc = load_wanted(s, &wanted, err);
	}
	pp_vec_free(&wanted.keys);
	return rc;
}

enum plugpkg_code
pp_shards_line(struct pp_shards *s, enum pp_layer layer, const char *name, struct pp_str *out,
    plugpkg_error **err)
{
	*out = pp_str_of(pp_map_get(lines_of(s, layer), name));
	if (out->p != NULL)
		return PLUGPKG_OK;
	struct pp_shard_key key = { layer, pp_index_shard_of(pp_shards_count(s, layer), name) };
	return find_line(s, key, name, out, err);
}

enum plugpkg_code
pp_shards_search(struct pp_shards *s, const struct pp_shard **out, plugpkg_error **err)
{
	const struct pp_shard_key key = { PP_LAYER_SEARCH, 0 };
	PP_AUTO_FREE char *label = label_of(s, key);

	*out = &s->search_shard;
	if (s->search_text.s != NULL)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_shards_load(s, &key, 1, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const struct pp_shard_ref *ref = ref_of(s, key);
	const struct pp_str *packed = &s->search->bytes;
	s->search_text.limit = ref->unpacked;
	int r = pp_zstd_unpack(packed->p, packed->n, ref->unpacked, &s->search_text);
	if (r < 0)
		return pp_zstd_fail(r, err, "%s does not unpack to %llu bytes", label,
		    (unsigned long long)ref->unpacked);
	struct pp_str text = { pp_buf_cstr(&s->search_text), s->search_text.n };
	return pp_shard_open(text, label, &s->search_shard, err);
}
