/* SPDX-License-Identifier: MIT */
/*
 * Manifests of installed plugins as they were read, or written, last. A transaction reads what is
 * installed several times, each time under another lock, and writes it to several places; what it
 * finds unchanged needs neither a second parsing nor a second writing.
 */
#include "lib/state/state_db.h"

#include <stdlib.h>
#include <string.h>

struct known {
	char *text;
	pp_json *manifest;
};

static void
known_free(void *value)
{
	struct known *k = value;

	free(k->text);
	pp_json_free(k->manifest);
	free(k);
}

pp_json *
pp_manifests_get(
    struct pp_state *s, const char *key, const char *text, struct pp_json_error *out_why)
{
	if (s->is_looked_at && s->manifests.n == 0)
		return pp_json_parse(text, strlen(text), out_why); /* nearly always the only time */
	struct known **place = (struct known **)pp_map_put(&s->manifests, key);
	if (*place != NULL && strcmp((*place)->text, text) == 0)
		return pp_json_ref((*place)->manifest);

	pp_json *manifest = pp_json_parse(text, strlen(text), out_why);
	if (*place != NULL)
		known_free(*place);
	*place = NULL;
	if (manifest == NULL)
		return NULL;
	*place = pp_xcalloc(1, sizeof(**place));
	(*place)->text = pp_xstrdup(text);
	(*place)->manifest = pp_json_ref(manifest);
	return manifest;
}

const char *
pp_manifests_text(struct pp_state *s, const char *key, const pp_json *manifest)
{
	struct known **place = (struct known **)pp_map_put(&s->manifests, key);
	if (*place != NULL && (*place)->manifest == manifest)
		return (*place)->text;

	if (*place != NULL)
		known_free(*place);
	*place = pp_xcalloc(1, sizeof(**place));
	(*place)->text = pp_json_line(manifest);
	(*place)->manifest = pp_json_ref(manifest);
	return (*place)->text;
}

static void
free_any(void *value)
{
	if (value != NULL)
		known_free(value);
}

void
pp_manifests_fini(struct pp_state *s)
{
	pp_map_fini(&s->manifests, free_any);
}
