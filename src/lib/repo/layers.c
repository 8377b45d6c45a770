/* SPDX-License-Identifier: MIT */
/* Both layers of an index, one block of names at a time. */
#include "lib/repo/layers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lib/index/brief.h"
#include "lib/index/zstd.h"
#include "lib/model/error.h"

size_t
pp_layer_n_blocks(const struct pp_index_root *root)
{
	return root->planning.n < root->details.n ? root->planning.n : root->details.n;
}

static enum plugpkg_code
open_shard(const struct pp_shard_ref *ref, const char *path, pp_layer_read_fn read, void *user,
    struct pp_layer_shard *out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf packed = PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);

	enum plugpkg_code rc = read(user, path, &packed, err);
	if (rc != PLUGPKG_OK)
		return rc;
	int r = pp_zstd_unpack(packed.s, packed.n, ref->unpacked, &out->text);
	if (r < 0)
		return pp_zstd_fail(r, err, "%s does not unpack to %llu bytes", path,
		    (unsigned long long)ref->unpacked);
	return pp_shard_open((struct pp_str){ out->text.s, out->text.n }, path, &out->lines, err);
}

static enum plugpkg_code
open_part(enum pp_layer layer, const struct pp_shard_ref *refs, pp_layer_read_fn read, void *user,
    struct pp_layer_part *part, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	part->shards = pp_xcalloc(part->n, sizeof(*part->shards));
	for (size_t i = 0; i < part->n; i++)
		part->shards[i].text = (struct pp_buf)PP_BUF_INIT(PP_INDEX_MAX_SHARD_BYTES);
	for (size_t i = 0; rc == PLUGPKG_OK && i < part->n; i++) {
		const struct pp_shard_ref *ref = &refs[part->first + i];
		PP_AUTO_FREE char *path = pp_index_shard_path(layer, ref);
		rc = open_shard(ref, path, read, user, &part->shards[i], err);
	}
	return rc;
}

static struct pp_layer_part
part_of(size_t n_all, size_t n_blocks, size_t i)
{
	size_t n = n_all / n_blocks; /* both are powers of two */

	return (struct pp_layer_part){ .n_all = n_all, .first = i * n, .n = n };
}

enum plugpkg_code
pp_layer_block_open(const struct pp_index_root *root, size_t i, pp_layer_read_fn read, void *user,
    struct pp_layer_block *out, plugpkg_error **err)
{
	size_t n = pp_layer_n_blocks(root);

	out->planning = part_of(root->planning.n, n, i);
	out->details = part_of(root->details.n, n, i);
	enum plugpkg_code rc =
	    open_part(PP_LAYER_PLANNING, root->planning.at, read, user, &out->planning, err);
	return rc == PLUGPKG_OK
		   ? open_part(PP_LAYER_DETAILS, root->details.at, read, user, &out->details, err)
		   : rc;
}

static void
part_fini(struct pp_layer_part *part)
{
	for (size_t i = 0; part->shards != NULL && i < part->n; i++) {
		pp_shard_fini(&part->shards[i].lines);
		pp_buf_fini(&part->shards[i].text);
	}
	free(part->shards);
	part->shards = NULL;
}

void
pp_layer_block_fini(struct pp_layer_block *b)
{
	part_fini(&b->planning);
	part_fini(&b->details);
}

enum plugpkg_code
pp_layer_line(
    const struct pp_layer_part *part, const char *name, pp_json **out, plugpkg_error **err)
{
	size_t i = pp_index_shard_of(part->n_all, name);

	*out = NULL;
	if (i < part->first || i - part->first >= part->n)
		return PLUGPKG_OK;
	return pp_shard_line(&part->shards[i - part->first].lines, name, out, err);
}

bool
pp_layer_rows_agree(const pp_json *planned, const pp_json *detailed)
{
	PP_AUTO_JSON pp_json *expected = pp_json_copy(planned);

	if (pp_json_get(planned, PP_BRIEF_MEMBER) == NULL)
		return true;
	pp_brief_write_row(expected, detailed);
	return pp_json_equal(planned, expected);
}
