/* SPDX-License-Identifier: MIT */
/*
 * plugpkg.json, the application's file: what it provides, its sources, the wanted plugins,
 * settings.
 */
#ifndef PP_MODEL_CONFIG_H
#define PP_MODEL_CONFIG_H

#include "base/json.h"
#include "base/vec.h"
#include "lib/model/error.h"
#include "lib/model/log_rules.h"
#include "lib/model/release.h"

struct pp_source {
	char *name;
	struct pp_strs urls;
	int priority;
};

struct pp_config {
	pp_json *json; /* the whole file: unknown keys and order survive an edit */
	char *name;
	struct pp_deps provides; /* host: names with exact versions (dep.version) */
	struct pp_deps plugins;  /* wanted: NAME or NAME@MAJOR -> range */
	struct pp_sources pp_vec(struct pp_source) sources;
	struct pp_log_rules log;
};

/* Pure: text in, config out. `file` is its name for messages. Errors: BAD_CONFIG. */
enum plugpkg_code pp_config_parse(
    struct pp_str text, const char *file, struct pp_config **out, plugpkg_error **err);
void pp_config_free(struct pp_config *c);
/* The file's text after an edit, pretty, owned. */
char *pp_config_text(const struct pp_config *c);
/* Edits of c->json and the parsed form together. Known keys only; all else stays as it was. */
void pp_config_want(struct pp_config *c, const char *name, const char *range);
void pp_config_unwant(struct pp_config *c, const char *name);
void pp_config_add_source(struct pp_config *c, const struct pp_source *s);
bool pp_config_remove_source(struct pp_config *c, const char *name);
const struct pp_source *pp_config_source(const struct pp_config *c, const char *name);

#endif
