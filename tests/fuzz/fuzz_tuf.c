/* SPDX-License-Identifier: MIT */
/*
 * TUF metadata from outside. The first byte chooses the type ('r', 't', 's', 'd'); the rest is the
 * file. What has a sound shape is verified with its own keys and searched, as the client does.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/trust/tuf.h"
#include "lib/trust/tuf_delegation.h"
#include "lib/trust/tuf_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
search(const struct pp_meta *m)
{
	const pp_json *delegations = pp_json_get(m->body, "delegations");
	const pp_json *roles = pp_json_get(delegations, "roles");

	for (size_t i = 0; i < pp_json_len(roles); i++) {
		const pp_json *d = pp_json_at(roles, i);
		const char *name = pp_json_get_str(d, "name");
		assert(pp_tuf_delegation_of(m, name) == d);
		(void)pp_tuf_delegation_covers(d, "index/root.json");
		(void)pp_tuf_delegation_covers(d, name);
		(void)pp_meta_verify(m, pp_json_get(delegations, "keys"), d, "itself", NULL);
		PP_AUTO_FREE char *encoded = pp_tuf_encode(name);
		assert(strchr(encoded, '/') == NULL);
	}
}

static void
verify(const struct pp_meta *m)
{
	const pp_json *roles = pp_json_get(m->body, "roles");
	const pp_json *keys = pp_json_get(m->body, "keys");

	for (void *it = pp_json_iter(roles); it != NULL; it = pp_json_next(roles, it))
		(void)pp_meta_verify(m, keys, pp_json_iter_value(it), "itself", NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char letters[] = "rtsd";
	static const char *const roles[] = { "root", "timestamp", "snapshot", "index" };
	PP_AUTO(meta) struct pp_meta *m = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (size == 0)
		return 0;
	const char *letter = memchr(letters, data[0], sizeof(letters) - 1);
	size_t type = letter != NULL ? (size_t)(letter - letters) : 0;
	const char *text = (const char *)data + 1;
	enum plugpkg_code rc =
	    pp_meta_parse(roles[type], (enum pp_meta_type)type, text, size - 1, &m, &err);

	if (rc != PLUGPKG_OK) {
		assert(rc == PLUGPKG_E_BAD_METADATA && m == NULL && err != NULL);
		return 0;
	}
	assert(m->version >= 1 && m->digests.bytes.n < size);
	(void)pp_meta_verify(m, m->body, m->body, "nobody", NULL);
	if (m->type == PP_META_TARGETS)
		search(m);
	if (m->type == PP_META_ROOT) {
		PP_AUTO(tuf) struct pp_tuf *tuf = NULL;
		verify(m);
		(void)pp_tuf_new(text, size - 1, 0, &tuf, NULL);
	}
	return 0;
}
