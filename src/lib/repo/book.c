/* SPDX-License-Identifier: MIT */
/* The editable index: lazy shards, changes beside them, unchanged text copied as it was. */
#include "lib/repo/book.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/index/blocks.h"
#include "lib/index/reach.h"
#include "lib/repo/brief.h"
#include "lib/repo/hints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Unpacked bytes: what a layer may have in one shard, and what each of many has at most. A shard of
 * many is what a client fetches to learn of one name, the list of all is what it fetches first:
 * these sizes keep the sum of both small.
 */
static const struct {
	uint64_t one, each;
} shard_bytes[] = {
	[PP_LAYER_PLANNING] = { 1 << 20, 4 << 10 },
	[PP_LAYER_DETAILS] = { 1 << 20, 8 << 10 },
	[PP_LAYER_SEARCH] = { UINT64_MAX, UINT64_MAX },
};
static const char *const layer_names[] = {
	[PP_LAYER_PLANNING] = "planning",
	[PP_LAYER_DETAILS] = "details",
	[PP_LAYER_SEARCH] = "search",
};

static struct pp_shard_refs *
refs_of(const struct pp_book *b, enum pp_layer layer)
{
	return layer == PP_LAYER_PLANNING ? &b->root->planning : &b->root->details;
}

static size_t
n_shards(const struct pp_book *b, enum pp_layer layer)
{
	return layer == PP_LAYER_SEARCH ? 1 : refs_of(b, layer)->n;
}

static struct pp_shard_ref *
ref_of(const struct pp_book *b, enum pp_layer layer, size_t i)
{
	return layer == PP_LAYER_SEARCH ? &b->root->search : &refs_of(b, layer)->at[i];
}

static struct pp_book_shard *
shard_of(struct pp_book *b, enum pp_layer layer, const char *name)
{
	return &b->shards[layer][pp_index_shard_of(n_shards(b, layer), name)];
}

static void
shard_fini(struct pp_book_shard *s)
{
	pp_shard_fini(&s->lines);
	pp_buf_fini(&s->text);
	pp_buf_fini(&s->packed);
	pp_map_fini(&s->changed, free);
}

void
pp_book_free(struct pp_book *b)
{
	for (int layer = PP_LAYER_PLANNING; layer <= PP_LAYER_SEARCH; layer++) {
		for (size_t i = 0;
		     b->shards[layer] != NULL && i < n_shards(b, (enum pp_layer)layer); i++)
			shard_fini(&b->shards[layer][i]);
		free(b->shards[layer]);
	}
	pp_index_root_free(b->root);
	free(b);
}

/*
 * Reads a file below public/targets/ and compares it with what the index says: the disk may have
 * rotted.
 */
static enum plugpkg_code
read_listed(plugpkg_repo *repo, const char *path, const struct pp_shard_ref *ref,
    struct pp_buf *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);
	char sha256[65];

	int r = pp_read_file_at(repo->public_fd, full, out);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read 'public/%s'", full);
	pp_sha256_hex(pp_buf_cstr(out), out->n, sha256);
	if (out->n == ref->size && strcmp(sha256, ref->sha256) == 0)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_DIGEST, 0, "'public/%s' is damaged", full);
	return pp_hint(err, PLUGPKG_E_DIGEST,
	    "copy it back from a mirror; plugpkg-repo verify lists all damage");
}

static enum plugpkg_code
read_shard(struct pp_book *b, enum pp_layer layer, size_t i, plugpkg_error **err)
{
	struct pp_book_shard *s = &b->shards[layer][i];
	const struct pp_shard_ref *ref = ref_of(b, layer, i);
	PP_AUTO_FREE char *path = pp_index_shard_path(layer, ref);

	pp_buf_clear(&s->text); /* of a try that failed */
	pp_buf_clear(&s->packed);
	s->text.limit = s->packed.limit = PP_INDEX_MAX_SHARD_BYTES;
	if (ref->size > 0) {
		enum plugpkg_code rc = read_listed(b->repo, path, ref, &s->packed, err);
		if (rc != PLUGPKG_OK)
			return rc;
		int r = pp_zstd_unpack(s->packed.s, s->packed.n, ref->unpacked, &s->text);
		if (r < 0)
			return pp_zstd_fail(r, err,
			    "'public/targets/%s' does not unpack to %llu bytes", path,
			    (unsigned long long)ref->unpacked);
		rc = pp_shard_open((struct pp_str){ s->text.s, s->text.n }, path, &s->lines, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	s->loaded = true;
	return PLUGPKG_OK;
}

static enum plugpkg_code
load_shard(struct pp_book *b, enum pp_layer layer, size_t i, plugpkg_error **err)
{
	return b->shards[layer][i].loaded ? PLUGPKG_OK : read_shard(b, layer, i, err);
}

static enum plugpkg_code
read_root(struct pp_book *b, const struct pp_published *published, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *file = NULL;
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	struct pp_shard_ref ref = { .size = 0 };
	const pp_json *body;

	enum plugpkg_code rc =
	    pp_published_load(b->repo, published, PP_ROLE_INDEX, &file, &body, err);
	if (rc != PLUGPKG_OK)
		return rc;
	const pp_json *target = pp_json_get(pp_json_get(body, "targets"), PP_INDEX_TARGET);
	const char *sha256 = pp_json_get_str(pp_json_get(target, "hashes"), "sha256");
	if (!pp_is_sha256(sha256))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
		    "the published index role lists no '%s'", PP_INDEX_TARGET);
	(void)snprintf(ref.sha256, sizeof(ref.sha256), "%s", sha256); /* 64 digits, just checked */
	ref.size = (uint64_t)pp_json_get_int(target, "length", 0);
	PP_AUTO_FREE char *path = pp_asprintf("index/%s.root.json", sha256);
	rc = read_listed(b->repo, path, &ref, &text, err);
	if (rc == PLUGPKG_OK)
		rc = pp_index_root_parse((struct pp_str){ text.s, text.n }, path, &b->root, err);
	return rc;
}

static struct pp_index_root *
empty_root(const char *name)
{
	struct pp_index_root *r = pp_xcalloc(1, sizeof(*r));

	r->name = pp_xstrdup(name);
	(void)pp_vec_new(&r->planning);
	(void)pp_vec_new(&r->details);
	return r;
}

enum plugpkg_code
pp_book_open(plugpkg_repo *repo, const struct pp_published *published, struct pp_book **out,
    plugpkg_error **err)
{
	PP_AUTO(book) struct pp_book *b = pp_xcalloc(1, sizeof(*b));

	b->repo = repo;
	if (published == NULL) {
		b->root = empty_root(pp_repo_name(repo));
	} else {
		enum plugpkg_code rc = read_root(b, published, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
	for (int layer = PP_LAYER_PLANNING; layer <= PP_LAYER_SEARCH; layer++)
		b->shards[layer] =
		    pp_xcalloc(n_shards(b, (enum pp_layer)layer), sizeof(*b->shards[layer]));
	*out = pp_steal(&b);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_book_line(
    struct pp_book *b, enum pp_layer layer, const char *name, pp_json **out, plugpkg_error **err)
{
	size_t i = pp_index_shard_of(n_shards(b, layer), name);
	struct pp_book_shard *s = &b->shards[layer][i];

	*out = NULL;
	enum plugpkg_code rc = load_shard(b, layer, i, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (!pp_map_has(&s->changed, name))
		return pp_shard_line(&s->lines, name, out, err);
	const char *line = pp_map_get(&s->changed, name);
	*out = line == NULL ? NULL : pp_json_parse(line, strlen(line), NULL);
	return PLUGPKG_OK;
}

void
pp_book_set(struct pp_book *b, enum pp_layer layer, const char *name, pp_json *line)
{
	void **place = pp_map_put(&shard_of(b, layer, name)->changed, name);

	free(*place);
	*place = line != NULL ? pp_json_line(line) : NULL;
	pp_json_free(line);
}

void
pp_book_changed(const struct pp_book *b, enum pp_layer layer, struct pp_strs *out)
{
	for (size_t i = 0; i < n_shards(b, layer); i++)
		pp_map_foreach (e, &b->shards[layer][i].changed)
			pp_strs_add(out, e->key);
}

enum plugpkg_code
pp_book_names(struct pp_book *b, enum pp_layer layer, struct pp_strs *out, plugpkg_error **err)
{
	for (size_t i = 0; i < n_shards(b, layer); i++) {
		enum plugpkg_code rc = load_shard(b, layer, i, err);
		if (rc != PLUGPKG_OK)
			return rc;
		const struct pp_shard *lines = &b->shards[layer][i].lines;
		for (size_t k = 0; k < lines->lines.n; k++)
			pp_strs_take(out, pp_shard_line_name(lines->lines.at[k]));
	}
	pp_strs_sort(out);
	return PLUGPKG_OK;
}

/* ---- Saving ---- */

/* Where the lines of a shard go: into texts of as many shards as there shall be. */
struct sink {
	struct pp_buf *texts;
	size_t first, n_shards; /* number of the first text; of all shards */
};

static void
put_text(const struct sink *to, const char *name, struct pp_str line)
{
	struct pp_buf *text = &to->texts[pp_index_shard_of(to->n_shards, name) - to->first];

	pp_buf_add(text, line.p, line.n);
	pp_buf_addc(text, '\n');
}

/* Its lines in order: unchanged ones as they were, changed ones anew. */
static void
render(const struct pp_book_shard *s, const struct sink *to)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	size_t next = 0;

	pp_map_foreach (e, &s->changed)
		pp_strs_add(&names, e->key);
	pp_strs_sort(&names);
	for (size_t i = 0; i < s->lines.lines.n || next < names.n;) {
		PP_AUTO_FREE char *old =
		    i < s->lines.lines.n ? pp_shard_line_name(s->lines.lines.at[i]) : NULL;
		int c = old == NULL ? 1 : next == names.n ? -1 : strcmp(old, names.at[next]);
		if (c < 0) {
			put_text(to, old, s->lines.lines.at[i]);
		} else {
			const char *line = pp_map_get(&s->changed, names.at[next]);
			if (line != NULL)
				put_text(to, names.at[next], pp_str_of(line));
			next++;
		}
		i += c <= 0;
	}
}

static bool
has_bytes(plugpkg_repo *repo, const char *path, const struct pp_buf *bytes)
{
	PP_AUTO_BUF struct pp_buf here = PP_BUF_INIT(bytes->n);

	return pp_read_file_at(repo->public_fd, path, &here) == 0 && here.n == bytes->n &&
	       memcmp(pp_buf_cstr(&here), bytes->s, bytes->n) == 0;
}

/*
 * Writes public/targets/index/<digest of it>.KIND unless it is there: a name never changes its
 * content.
 */
static enum plugpkg_code
write_named(struct pp_book *b, const char *path, const struct pp_buf *bytes, plugpkg_error **err)
{
	PP_AUTO_FREE char *full = pp_asprintf("targets/%s", path);

	/* One that is there has these bytes, unless the disk spoiled them. */
	if (pp_exists_at(b->repo->public_fd, full) == 1 && has_bytes(b->repo, full, bytes))
		return PLUGPKG_OK;
	int r = pp_write_file_unsynced_at(b->repo->public_fd, full, bytes->s, bytes->n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write 'public/%s'", full);
	return PLUGPKG_OK;
}

/* was: NULL, or the shard that this one replaces. */
static enum plugpkg_code
write_shard(struct pp_book *b, enum pp_layer layer, const struct pp_buf *text,
    const struct pp_book_shard *was, struct pp_shard_ref *ref, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
	struct pp_str bytes = { pp_buf_cstr(text), text->n };
	struct pp_packed_before before = { .ref = *ref };

	if (text->overflow)
		return pp_fail(err, PLUGPKG_E_FAILED, 0, "an index shard would be too large");
	if (was != NULL) {
		before.packed = (struct pp_str){ was->packed.s, was->packed.n };
		before.text = was->lines.text;
	}
	/* Of many shards each is small, and nobody looks up one name in the search layer. */
	int r = was != NULL && layer != PP_LAYER_SEARCH
		    ? pp_blocks_repack(bytes, &before, &packed, ref)
		    : pp_blocks_pack_plain(bytes, &packed, ref);
	if (r < 0)
		return pp_fail(
		    err, PLUGPKG_E_FAILED, 0, "the %s layer cannot be packed", layer_names[layer]);
	PP_AUTO_FREE char *path = pp_index_shard_path(layer, ref);
	return write_named(b, path, &packed, err);
}

/* Writes a shard as the shards that come of it: 1, or several where the layer is cut finer. */
static enum plugpkg_code
save_shard(struct pp_book *b, enum pp_layer layer, size_t i, const struct pp_shard_refs *refs,
    plugpkg_error **err)
{
	struct pp_book_shard *s = &b->shards[layer][i];
	size_t n = refs->n / n_shards(b, layer);
	PP_AUTO_FREE struct pp_buf *texts = pp_xcalloc(n, sizeof(*texts));
	const struct sink to = { .texts = texts, .first = i * n, .n_shards = refs->n };
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t k = 0; k < n; k++)
		texts[k].limit = PP_INDEX_MAX_SHARD_BYTES;
	render(s, &to);
	for (size_t k = 0; k < n; k++) {
		if (rc == PLUGPKG_OK)
			rc = write_shard(b, layer, &texts[k], refs->n == 1 ? s : NULL,
			    &refs->at[to.first + k], err);
		pp_buf_fini(&texts[k]);
	}
	return rc;
}

/* Bytes that all lines of a layer will have, and whether any of them was changed. */
static uint64_t
bytes_of(const struct pp_book *b, enum pp_layer layer, bool *out_is_changed)
{
	uint64_t bytes = 0;

	*out_is_changed = false;
	for (size_t i = 0; i < n_shards(b, layer); i++) {
		const struct pp_book_shard *s = &b->shards[layer][i];
		bytes += ref_of(b, layer, i)->unpacked;
		*out_is_changed |= s->changed.n > 0 || ref_of(b, layer, i)->size == 0;
		pp_map_foreach (e, &s->changed) {
			const struct pp_str *old = pp_shard_find(&s->lines, e->key);
			bytes += e->value != NULL ? strlen(e->value) + 1 : 0;
			bytes -= old != NULL ? old->n + 1 : 0;
		}
	}
	return bytes;
}

/* Only ever more: taking out a few plugins is no reason to write everything anew. */
static size_t
wanted_shards(const struct pp_book *b, enum pp_layer layer, uint64_t bytes)
{
	size_t n = n_shards(b, layer);

	if (n == 1 && bytes <= shard_bytes[layer].one)
		return 1;
	while (n < PP_INDEX_MAX_SHARDS && bytes > n * shard_bytes[layer].each)
		n *= 2;
	return n;
}

/*
 * Cuts every shard of a layer into several. Rare: every doubling touches every line once.
 */
static enum plugpkg_code
split_layer(struct pp_book *b, enum pp_layer layer, size_t n, plugpkg_error **err)
{
	struct pp_shard_refs refs = { 0 };
	enum plugpkg_code rc = PLUGPKG_OK;
	size_t n_old = n_shards(b, layer);

	for (size_t i = 0; i < n; i++)
		(void)pp_vec_new(&refs);
	for (size_t i = 0; rc == PLUGPKG_OK && i < n_old; i++) {
		rc = load_shard(b, layer, i, err);
		if (rc == PLUGPKG_OK)
			rc = save_shard(b, layer, i, &refs, err);
		shard_fini(&b->shards[layer][i]);
		b->shards[layer][i] = (struct pp_book_shard){ 0 };
	}
	if (rc != PLUGPKG_OK) {
		pp_vec_free(&refs);
		return rc;
	}
	free(b->shards[layer]);
	b->shards[layer] = pp_xcalloc(n, sizeof(*b->shards[layer]));
	pp_vec_free(refs_of(b, layer));
	*refs_of(b, layer) = refs;
	return PLUGPKG_OK;
}

static enum plugpkg_code
save_layer(struct pp_book *b, enum pp_layer layer, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;
	bool is_changed;
	uint64_t bytes = bytes_of(b, layer, &is_changed);
	size_t n = wanted_shards(b, layer, bytes);

	if (!is_changed)
		return PLUGPKG_OK;
	if (n > n_shards(b, layer))
		return split_layer(b, layer, n, err);
	const struct pp_shard_refs refs = { .at = ref_of(b, layer, 0), .n = n };
	for (size_t i = 0; rc == PLUGPKG_OK && i < n; i++)
		if (refs.at[i].size == 0 || b->shards[layer][i].changed.n > 0)
			rc = save_shard(b, layer, i, &refs, err);
	return rc;
}

/* Hints help where many shards are; before a layer has so many nobody reads them. */
static enum plugpkg_code
write_hints(struct pp_book *b, plugpkg_error **err)
{
	bool is_changed;
	uint64_t bytes = bytes_of(b, PP_LAYER_PLANNING, &is_changed);

	if (!is_changed || wanted_shards(b, PP_LAYER_PLANNING, bytes) < PP_REACH_MIN_SHARDS)
		return PLUGPKG_OK;
	bool had_none = n_shards(b, PP_LAYER_PLANNING) < PP_REACH_MIN_SHARDS;
	return pp_hints_write(b, had_none, err);
}

enum plugpkg_code
pp_book_save(struct pp_book *b, uint64_t *out_length, char out_sha256[65], plugpkg_error **err)
{
	enum plugpkg_code rc = pp_book_write_briefs(b, err);

	if (rc == PLUGPKG_OK)
		rc = write_hints(b, err);
	for (int layer = PP_LAYER_PLANNING; rc == PLUGPKG_OK && layer <= PP_LAYER_SEARCH; layer++)
		rc = save_layer(b, (enum pp_layer)layer, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	if (pp_index_root_write(b->root, &bytes) < 0)
		return pp_fail(err, PLUGPKG_E_FAILED, 0, "the index root cannot be packed");
	*out_length = bytes.n;
	pp_sha256_hex(bytes.s, bytes.n, out_sha256);
	PP_AUTO_FREE char *path = pp_asprintf("index/%s.root.json", out_sha256);
	return write_named(b, path, &bytes, err);
}
