/* SPDX-License-Identifier: MIT */
/*
 * What owners sign, and owners as an index names them: what is read has one written form, which
 * reads the same; and no bytes are a signature that nobody made.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/trust/owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_statement(struct pp_str text)
{
	PP_AUTO(sig) struct pp_sig *first = NULL;
	PP_AUTO(sig) struct pp_sig *again = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (pp_sig_parse(text, "x.sig", &first, &err) != PLUGPKG_OK)
		return;
	PP_AUTO_FREE char *written = pp_sig_text(first);
	if (pp_sig_parse(pp_str_of(written), "x.sig", &again, &err) != PLUGPKG_OK)
		abort();
	PP_AUTO_FREE char *rewritten = pp_sig_text(again);
	if (strcmp(written, rewritten) != 0 || strcmp(first->id, again->id) != 0)
		abort();
}

static void
try_owner(struct pp_str text)
{
	PP_AUTO_JSON pp_json *json = pp_json_parse(text.p, text.n, NULL);
	PP_AUTO(owner) struct pp_owner *owner = NULL;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (pp_owner_parse(json, "photos", "index", &owner, &err) != PLUGPKG_OK)
		return;
	PP_AUTO_JSON pp_json *written = pp_owner_json(owner);
	if (!pp_owner_follows(owner, owner->id) || pp_json_get(written, "key") == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_str text = { (const char *)data, size };

	try_statement(text);
	try_owner(text);
	return 0;
}
