/* SPDX-License-Identifier: MIT */
/* The index root: which shards there are, and under which names everything lies below targets/. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "lib/index/index.h"
#include "lib/index/zstd.h"
#include "lib/model/name.h"
#include "lib/trust/crypto.h"

#define WAS_READ        UINT32_MAX
#define ROOT_TYPE       "plugpkg-index"
#define ROOT_PLAIN_MAX  (32 * 1024) /* bytes; more is packed: digests in hex are half air */
#define ZSTD_FIRST_BYTE '('         /* with which no JSON begins */

/* Where the parser stands: names the file and the layer in every message. */
struct at {
	const char *where;
	plugpkg_error **err;
	bool reads_all; /* not only what will be asked for */
};

static enum plugpkg_code
parse_table(
    const struct at *at, const pp_json *j, const char *what, size_t i, struct pp_shard_ref *out)
{
	const pp_json *table = pp_json_get(j, "table");
	const char *digest = pp_json_get_str(table, "sha256");
	int64_t size = pp_json_get_int(table, "size", -1);

	if (table == NULL)
		return PLUGPKG_OK;
	if (!pp_is_sha256(digest) || size < 1 || (uint64_t)size >= out->size)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"table\" of %s shard %zu has no sound \"sha256\" and \"size\"", at->where,
		    what, i);
	snprintf(out->table.sha256, sizeof(out->table.sha256), "%s", digest);
	out->table.size = (uint64_t)size;
	return PLUGPKG_OK;
}

/* What is written of a shard, not yet found to be sound. */
struct written {
	const char *digest;
	int64_t size, unpacked;
};

static enum plugpkg_code
set_ref(const struct at *at, const struct written *w, const char *what, size_t i,
    struct pp_shard_ref *out)
{
	if (!pp_is_sha256(w->digest))
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"sha256\" of %s shard %zu is no 64 lower-case hex digits", at->where,
		    what, i);
	if (w->size < 1 || w->size > PP_INDEX_MAX_SHARD_BYTES)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"size\" of %s shard %zu is not between 1 and %u", at->where, what, i,
		    PP_INDEX_MAX_SHARD_BYTES);
	if (w->unpacked < 0 || w->unpacked > PP_INDEX_MAX_SHARD_BYTES)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"unpacked\" of %s shard %zu is not between 0 and %u", at->where, what, i,
		    PP_INDEX_MAX_SHARD_BYTES);
	memcpy(out->sha256, w->digest, sizeof(out->sha256));
	out->size = (uint64_t)w->size;
	out->unpacked = (uint64_t)w->unpacked;
	return PLUGPKG_OK;
}

/* "SHA256 SIZE UNPACKED" */
static enum plugpkg_code
parse_short_ref(
    const struct at *at, struct pp_str text, const char *what, size_t i, struct pp_shard_ref *out)
{
	struct pp_str rest = text, digest, size;
	uint64_t n_size, n_unpacked;

	if (!pp_str_cut(&rest, ' ', &digest) || digest.n != sizeof(out->sha256) - 1 ||
	    rest.p == NULL || !pp_str_cut(&rest, ' ', &size) || rest.p == NULL ||
	    pp_parse_u64(size, INT64_MAX, &n_size) < 0 ||
	    pp_parse_u64(rest, INT64_MAX, &n_unpacked) < 0)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: %s shard %zu is not \"SHA256 SIZE UNPACKED\"", at->where, what, i);
	char hex[65];
	memcpy(hex, digest.p, digest.n);
	hex[digest.n] = '\0';
	const struct written w = { hex, (int64_t)n_size, (int64_t)n_unpacked };
	return set_ref(at, &w, what, i, out);
}

static enum plugpkg_code
parse_ref(
    const struct at *at, const pp_json *j, const char *what, size_t i, struct pp_shard_ref *out)
{
	const char *text = pp_json_string(j);

	if (text != NULL)
		return parse_short_ref(at, pp_str_of(text), what, i, out);
	const struct written w = { pp_json_get_str(j, "sha256"), pp_json_get_int(j, "size", -1),
		pp_json_get_int(j, "unpacked", -1) };
	enum plugpkg_code rc = set_ref(at, &w, what, i, out);
	return rc == PLUGPKG_OK ? parse_table(at, j, what, i, out) : rc;
}

static enum plugpkg_code
check_count(const struct at *at, const char *what, size_t n)
{
	if (n > 0 && n <= PP_INDEX_MAX_SHARDS && (n & (n - 1)) == 0)
		return PLUGPKG_OK;
	return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
	    "%s: \"%s\" lists %zu shards; expected a power of two up to %d", at->where, what, n,
	    PP_INDEX_MAX_SHARDS);
}

static enum plugpkg_code
look(const struct at *at, const struct pp_layer_text *unread, const char *what, size_t i,
    struct pp_shard_ref *out)
{
	if (unread->text == NULL || unread->starts[i] == WAS_READ)
		return PLUGPKG_OK;
	const char *start = unread->text + unread->starts[i];
	enum plugpkg_code rc =
	    parse_short_ref(at, (struct pp_str){ start, strcspn(start, ",") }, what, i, out);
	if (rc == PLUGPKG_OK)
		unread->starts[i] = WAS_READ;
	return rc;
}

/*
 * All of a layer as one text: "SHA256 SIZE UNPACKED,…". Here only the beginnings are found; memory
 * that no shard is read into is not even touched.
 */
static enum plugpkg_code
split_layer(const struct at *at, const char *text, const char *what, struct pp_shard_refs *out,
    struct pp_layer_text *unread)
{
	uint32_t *starts = pp_xcalloc(PP_INDEX_MAX_SHARDS + 1, sizeof(*starts));
	struct pp_str rest = pp_str_of(text), one;
	size_t n = 0;

	unread->text = text;
	unread->starts = starts;
	while (n <= PP_INDEX_MAX_SHARDS && pp_str_cut(&rest, ',', &one))
		starts[n++] = (uint32_t)(one.p - text);
	enum plugpkg_code rc = check_count(at, what, n);
	if (rc != PLUGPKG_OK)
		return rc;
	out->at = pp_xcalloc(n, sizeof(*out->at));
	out->n = out->cap = n;
	for (size_t i = 0; rc == PLUGPKG_OK && (at->reads_all || n == 1) && i < n; i++)
		rc = look(at, unread, what, i, &out->at[i]);
	return rc;
}

enum plugpkg_code
pp_index_root_look(
    struct pp_index_root *r, enum pp_layer layer, size_t i, const char *where, plugpkg_error **err)
{
	const struct at at = { .where = where, .err = err };

	switch (layer) {
	case PP_LAYER_PLANNING:
		return look(&at, &r->unread.planning, "planning", i, &r->planning.at[i]);
	case PP_LAYER_DETAILS:
		return look(&at, &r->unread.details, "details", i, &r->details.at[i]);
	case PP_LAYER_SEARCH:
		break;
	}
	return PLUGPKG_OK;
}

struct pp_str
pp_index_root_sha256(const struct pp_index_root *r, size_t i)
{
	const struct pp_layer_text *unread = &r->unread.planning;

	if (unread->text == NULL || unread->starts[i] == WAS_READ)
		return pp_str_of(r->planning.at[i].sha256);
	const char *start = unread->text + unread->starts[i];
	return (struct pp_str){ start, strcspn(start, " ,") };
}

bool
pp_index_root_lists(const struct pp_index_root *r, size_t i, struct pp_str sha256)
{
	return i < r->planning.n && pp_str_cmp(pp_index_root_sha256(r, i), sha256) == 0;
}

static enum plugpkg_code
parse_layer(const struct at *at, const pp_json *j, const char *what, struct pp_shard_refs *out,
    struct pp_layer_text *unread)
{
	const pp_json *list = pp_json_get(j, what);
	size_t n = pp_json_len(list);

	if (pp_json_is(list, PP_JSON_STRING))
		return split_layer(at, pp_json_string(list), what, out, unread);
	if (!pp_json_is(list, PP_JSON_ARRAY))
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0, "%s: \"%s\" is %s, not a list",
		    at->where, what, pp_json_kind_name(list));
	enum plugpkg_code rc = check_count(at, what, n);
	if (rc != PLUGPKG_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct pp_shard_ref ref = { .size = 0 };
		rc = parse_ref(at, pp_json_at(list, i), what, i, &ref);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_vec_push(out, ref);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
parse_head(const struct at *at, const pp_json *j, struct pp_index_root *r)
{
	const char *type = pp_json_get_str(j, "_type");
	const char *name = pp_json_get_str(j, "name");
	int64_t format = pp_json_get_int(j, "format", -1);

	if (type == NULL || strcmp(type, ROOT_TYPE) != 0)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"_type\" is not \"" ROOT_TYPE "\"", at->where);
	if (format > PP_INDEX_FORMAT) {
		pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"format\" is %lld; this plugpkg reads %d", at->where, (long long)format,
		    PP_INDEX_FORMAT);
		return pp_hint(at->err, PLUGPKG_E_BAD_METADATA, "upgrade plugpkg");
	}
	if (format != PP_INDEX_FORMAT)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0, "%s: \"format\" is not %d",
		    at->where, PP_INDEX_FORMAT);
	if (name == NULL || !pp_source_name_valid(pp_str_of(name)))
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0,
		    "%s: \"name\" is no valid repository name", at->where);
	r->name = pp_xstrdup(name);
	return PLUGPKG_OK;
}

PP_DEFINE_AUTO(index_root, struct pp_index_root, pp_index_root_free);

/* Into an empty buffer. */
static enum plugpkg_code
unpack_root(struct pp_str packed, const char *where, struct pp_buf *out, plugpkg_error **err)
{
	struct pp_str frame = packed;
	size_t unpacked = 0;

	int r = pp_zstd_frame(&frame, &unpacked);
	if (r == 0 && frame.n == packed.n && unpacked > PP_INDEX_MAX_ROOT_BYTES)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s: unpacks to more than %d bytes",
		    where, PP_INDEX_MAX_ROOT_BYTES);
	if (r == 0)
		r = frame.n == packed.n ? pp_zstd_unpack(frame.p, frame.n, unpacked, out)
					: -EBADMSG;
	return r == 0 ? PLUGPKG_OK : pp_zstd_fail(r, err, "%s is no single zstd frame", where);
}

static enum plugpkg_code
parse_text(struct pp_str text, const struct at *at, struct pp_index_root **out)
{
	const char *where = at->where;
	plugpkg_error **err = at->err;
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(text.p, text.n, &why);

	if (j == NULL)
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s: %s", where, why.text);
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_BAD_METADATA, 0, "%s: is %s, not an object", where,
		    pp_json_kind_name(j));

	PP_AUTO(index_root) struct pp_index_root *r = pp_xcalloc(1, sizeof(*r));
	enum plugpkg_code rc = parse_head(at, j, r);
	if (rc == PLUGPKG_OK)
		rc = parse_layer(at, j, "planning", &r->planning, &r->unread.planning);
	if (rc == PLUGPKG_OK)
		rc = parse_layer(at, j, "details", &r->details, &r->unread.details);
	if (rc == PLUGPKG_OK)
		rc = parse_ref(at, pp_json_get(j, "search"), "search", 0, &r->search);
	r->search.table.size = 0; /* read as a whole */
	r->unread.json = pp_steal(&j);
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&r);
	return rc;
}

static enum plugpkg_code
parse_bytes(struct pp_str bytes, const struct at *at, struct pp_index_root **out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);

	if (bytes.n > PP_INDEX_MAX_ROOT_BYTES)
		return pp_fail(at->err, PLUGPKG_E_BAD_METADATA, 0, "%s: larger than %d bytes",
		    at->where, PP_INDEX_MAX_ROOT_BYTES);
	if (bytes.n == 0 || bytes.p[0] != ZSTD_FIRST_BYTE)
		return parse_text(bytes, at, out);
	enum plugpkg_code rc = unpack_root(bytes, at->where, &text, at->err);
	if (rc != PLUGPKG_OK)
		return rc;
	return parse_text((struct pp_str){ pp_buf_cstr(&text), text.n }, at, out);
}

enum plugpkg_code
pp_index_root_open(
    struct pp_str bytes, const char *where, struct pp_index_root **out, plugpkg_error **err)
{
	return parse_bytes(bytes, &(struct at){ .where = where, .err = err }, out);
}

enum plugpkg_code
pp_index_root_parse(
    struct pp_str bytes, const char *where, struct pp_index_root **out, plugpkg_error **err)
{
	return parse_bytes(
	    bytes, &(struct at){ .where = where, .err = err, .reads_all = true }, out);
}

static pp_json *
ref_json(const struct pp_shard_ref *ref)
{
	pp_json *j = pp_json_object();

	pp_json_set_str(j, "sha256", ref->sha256);
	pp_json_set_int(j, "size", (int64_t)ref->size);
	pp_json_set_int(j, "unpacked", (int64_t)ref->unpacked);
	if (ref->table.size > 0) {
		pp_json *table = pp_json_object();
		pp_json_set_str(table, "sha256", ref->table.sha256);
		pp_json_set_int(table, "size", (int64_t)ref->table.size);
		pp_json_set(j, "table", table);
	}
	return j;
}

static bool
has_table(const struct pp_shard_refs *refs)
{
	pp_vec_foreach (ref, refs)
		if (ref->table.size > 0)
			return true;
	return false;
}

/* Thousands of objects, or only of texts, would take a reader longer than all else. */
static pp_json *
layer_json(const struct pp_shard_refs *refs)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	pp_json *list = NULL;

	if (refs->n == 1 || has_table(refs)) {
		list = pp_json_array();
		pp_vec_foreach (ref, refs)
			pp_json_push(list, ref_json(ref));
		return list;
	}
	pp_vec_foreach (ref, refs)
		pp_buf_addf(&text, "%s%s %llu %llu", text.n > 0 ? "," : "", ref->sha256,
		    (unsigned long long)ref->size, (unsigned long long)ref->unpacked);
	return pp_json_str(pp_buf_cstr(&text));
}

char *
pp_index_root_text(const struct pp_index_root *r)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();

	pp_json_set_str(j, "_type", ROOT_TYPE);
	pp_json_set_int(j, "format", PP_INDEX_FORMAT);
	pp_json_set_str(j, "name", r->name);
	pp_json_set(j, "planning", layer_json(&r->planning));
	pp_json_set(j, "details", layer_json(&r->details));
	pp_json_set(j, "search", ref_json(&r->search));
	return pp_json_sorted(j);
}

int
pp_index_root_write(const struct pp_index_root *r, struct pp_buf *out)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_INDEX_MAX_ROOT_BYTES);
	PP_AUTO_FREE char *json = pp_index_root_text(r);

	pp_buf_adds(&text, json);
	pp_buf_addc(&text, '\n');
	if (text.overflow)
		return -EFBIG;
	if (text.n > ROOT_PLAIN_MAX)
		return pp_zstd_pack(text.s, text.n, out);
	pp_buf_add(out, text.s, text.n);
	return out->overflow ? -EFBIG : 0;
}

void
pp_index_root_free(struct pp_index_root *r)
{
	if (r == NULL)
		return;
	free(r->name);
	pp_vec_free(&r->planning);
	pp_vec_free(&r->details);
	free(r->unread.planning.starts);
	free(r->unread.details.starts);
	pp_json_free(r->unread.json);
	free(r);
}

size_t
pp_index_shard_of(size_t n_shards, const char *name)
{
	char hex[65];
	uint8_t head[2] = { 0 };

	if (n_shards <= 1)
		return 0;
	pp_sha256_hex(name, strlen(name), hex);
	if (pp_unhex((struct pp_str){ hex, 4 }, head, sizeof(head)) < 0)
		return 0; /* pp_sha256_hex() writes hex digits */
	return (size_t)(head[0] << 8 | head[1]) * n_shards >> 16;
}

char *
pp_index_shard_path(enum pp_layer layer, const struct pp_shard_ref *ref)
{
	static const char *const names[] = {
		[PP_LAYER_PLANNING] = "planning",
		[PP_LAYER_DETAILS] = "details",
		[PP_LAYER_SEARCH] = "search",
	};

	return pp_asprintf("index/%s.%s.zst", ref->sha256, names[layer]);
}

/* RFC 3986 pchar and "/" stay, except "+", which some servers read as a blank. */
static void
add_encoded(struct pp_buf *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~@/";

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			pp_buf_addc(out, *s);
		else
			pp_buf_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void
add_pool_dir(struct pp_buf *path, const char *name, const char *version)
{
	pp_buf_adds(path, "pool/");
	add_encoded(path, name);
	pp_buf_addc(path, '/');
	add_encoded(path, version);
}

char *
pp_index_archive_path(const char *name, const char *version, const char *sha256)
{
	PP_AUTO_BUF struct pp_buf path = PP_BUF_INIT(4096);

	add_pool_dir(&path, name, version);
	pp_buf_addf(&path, "/%s.plug", sha256);
	return pp_buf_steal(&path);
}

char *
pp_index_signature_path(
    const char *name, const char *version, const char *sha256, const char *key_id)
{
	PP_AUTO_BUF struct pp_buf path = PP_BUF_INIT(4096);

	add_pool_dir(&path, name, version);
	pp_buf_addf(&path, "/%s.%s.sig", sha256, key_id);
	return pp_buf_steal(&path);
}
