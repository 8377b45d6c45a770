/* SPDX-License-Identifier: MIT */
/*
 * Brings shards from the cache or the mirrors into memory: digest first, then unpacking, then
 * form.
 */
#include <errno.h>

#include "lib/index/shards.h"
#include "lib/index/zstd.h"

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
		return s->root->planning.n;
	case PP_LAYER_DETAILS:
		return s->root->details.n;
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

static struct pp_held_shard *
place_of(const struct pp_shards *s, struct pp_shard_key key)
{
	switch (key.layer) {
	case PP_LAYER_PLANNING:
		return &s->planning[key.number];
	case PP_LAYER_DETAILS:
		return &s->details[key.number];
	case PP_LAYER_SEARCH:
		break;
	}
	return s->search;
}

void
pp_shards_init(struct pp_shards *s)
{
	s->planning = pp_xcalloc(s->root->planning.n, sizeof(*s->planning));
	s->details = pp_xcalloc(s->root->details.n, sizeof(*s->details));
	s->search = pp_xcalloc(1, sizeof(*s->search));
}

static void
free_layer(struct pp_held_shard *at, size_t n)
{
	for (size_t i = 0; at != NULL && i < n; i++) {
		pp_shard_fini(&at[i].shard);
		free(at[i].text);
	}
	free(at);
}

void
pp_shards_fini(struct pp_shards *s)
{
	if (s->root == NULL)
		return;
	free_layer(s->planning, s->root->planning.n);
	free_layer(s->details, s->root->details.n);
	free_layer(s->search, 1);
	s->planning = s->details = s->search = NULL;
	s->root = NULL;
}

static char *
label_of(const struct pp_shards *s, struct pp_shard_key key)
{
	if (pp_shards_count(s, key.layer) == 1)
		return pp_asprintf("%s index of '%s'", layer_name(key.layer), s->source);
	return pp_asprintf("%s index %zu of '%s'", layer_name(key.layer), key.number, s->source);
}

/* Verified bytes to lines. */
static enum plugpkg_code
unpack(const struct pp_shards *s, struct pp_shard_key key, const struct pp_buf *packed,
    plugpkg_error **err)
{
	const struct pp_shard_ref *ref = ref_of(s, key);
	struct pp_held_shard *place = place_of(s, key);
	PP_AUTO_FREE char *label = label_of(s, key);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(ref->unpacked);
	int r = pp_zstd_unpack(pp_buf_cstr(packed), packed->n, ref->unpacked, &text);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, r == -EBADMSG ? 0 : -r,
		    "%s does not unpack to %llu bytes", label, (unsigned long long)ref->unpacked);

	struct pp_str slice = { .n = text.n };
	PP_AUTO_FREE char *owned = pp_buf_steal(&text);
	slice.p = owned;
	enum plugpkg_code rc = pp_shard_open(slice, label, &place->shard, err);
	if (rc == PLUGPKG_OK)
		place->text = pp_steal(&owned);
	return rc;
}

/* *out_missing: the cache has none, or a damaged one. */
static enum plugpkg_code
load_cached(
    const struct pp_shards *s, struct pp_shard_key key, bool *out_missing, plugpkg_error **err)
{
	const struct pp_shard_ref *ref = ref_of(s, key);
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(ref->size);
	int r = pp_net_read_cached(s->net, ref->sha256, ref->size, &packed);

	*out_missing = r == -ENOENT;
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read cached file '%s'", ref->sha256);
	return unpack(s, key, &packed, err);
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
	}
	return pp_net_fetch(s->net, wants, n, err);
}

/* What was fetched a moment ago has to be there. */
static enum plugpkg_code
load_fetched(const struct pp_shards *s, struct pp_shard_key key, plugpkg_error **err)
{
	bool is_missing = false;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (place_of(s, key)->text == NULL)
		rc = load_cached(s, key, &is_missing, err);
	if (rc == PLUGPKG_OK && is_missing)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "cached file '%s' changed under our hands",
		    ref_of(s, key)->sha256);
	return rc;
}

enum plugpkg_code
pp_shards_load(struct pp_shards *s, const struct pp_shard_key *keys, size_t n, plugpkg_error **err)
{
	PP_AUTO_FREE struct pp_shard_key *lacking = pp_xcalloc(n + 1, sizeof(*lacking));
	size_t n_lacking = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_missing = false;
		enum plugpkg_code rc = PLUGPKG_OK;

		if (place_of(s, keys[i])->text == NULL)
			rc = load_cached(s, keys[i], &is_missing, err);
		if (rc != PLUGPKG_OK)
			return rc;
		if (is_missing)
			lacking[n_lacking++] = keys[i];
	}
	if (n_lacking == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = fetch(s, lacking, n_lacking, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < n_lacking; i++)
		rc = load_fetched(s, lacking[i], err);
	return rc;
}

enum plugpkg_code
pp_shards_get(
    struct pp_shards *s, struct pp_shard_key key, const struct pp_shard **out, plugpkg_error **err)
{
	enum plugpkg_code rc = pp_shards_load(s, &key, 1, err);

	if (rc == PLUGPKG_OK)
		*out = &place_of(s, key)->shard;
	return rc;
}
