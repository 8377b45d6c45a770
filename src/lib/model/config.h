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
#include "lib/model/field.h"
#include "lib/model/log_rules.h"
#include "lib/model/network.h"
#include "lib/model/release.h"
#include "lib/model/sandbox.h"

struct pp_source {
	char *name;
	struct pp_strs urls;
	struct pp_strs names; /* patterns: lib/model/scope.h; none: what belongs to nobody */
	int priority;
};

#define PP_PROVIDES_TIMEOUT_DEFAULT_S 10
/* Places of a transaction at which the application is called. */
enum pp_hook_at {
	PP_HOOK_PRE_TRANSACTION,
	PP_HOOK_ACTIVATE,
	PP_HOOK_HEALTH,
	PP_HOOK_ROLLBACK,
	PP_HOOK_POST_TRANSACTION,
	PP_N_HOOKS
};
extern const char *const pp_hook_names[PP_N_HOOKS]; /* "pre-transaction", … */
#define PP_HOOK_TIMEOUT_DEFAULT_S 30
#define PP_HOOK_TIMEOUT_MAX_S     3600
#define PP_HOOK_RETRIES_MAX       1000
#define PP_HOOK_WAIT_MAX_MS       60000

struct pp_hook {
	struct pp_strs argv; /* a program and its arguments; none: not set, or url */
	char *url;           /* or NULL */
	uint32_t timeout_s, retries, wait_ms; /* of one try; more tries; between two */
};
static inline bool
pp_hook_is_set(const struct pp_hook *h)
{
	return h->argv.n > 0 || h->url != NULL;
}

struct pp_config {
	pp_json *json;  /* the whole file: unknown keys and order survive an edit */
	char *text;     /* as it was read, and */
	char *file;     /* from where: for messages with a line */
	bool is_edited; /* it says something else than the text */
	char *name;
	struct pp_deps provides; /* host: names with exact versions (dep.version) */
	/* The command that says more of them: its path below the root, arguments; or empty. */
	struct pp_strs provides_from;
	unsigned provides_timeout_s;
	struct pp_deps plugins; /* wanted: NAME or NAME@MAJOR -> range */
	struct pp_sources pp_vec(struct pp_source) sources;
	struct pp_log_rules log;
	struct pp_network_rules network;
	struct pp_sandbox_rules sandbox;
	struct pp_hook hooks[PP_N_HOOKS];
	int min_age_days;              /* 0: none */
	struct pp_strs min_age_except; /* globs of names */
};

/* Is it what parsing that text would make? */
bool pp_config_is_of(const struct pp_config *c, struct pp_str text);
/* Pure: text in, config out. `file` is its name for messages. Errors: BAD_CONFIG. */
enum plugpkg_code pp_config_parse(
    struct pp_str text, const char *file, struct pp_config **out, plugpkg_error **err);
void pp_config_free(struct pp_config *c);
void pp_source_fini(struct pp_source *s);
/* For checks that are made later: their messages too say the line. Views into c. */
struct pp_fields pp_config_fields(const struct pp_config *c, plugpkg_error **err);
/*
 * An object of host: names and exact versions, as "provides" and the command's answer. field: where
 * it stands in f->text, "" at the top.
 */
enum plugpkg_code pp_config_read_provides(
    const struct pp_fields *f, const char *field, const pp_json *j, struct pp_deps *out);
/* lib/model/hooks.c: the member "hooks". */
enum plugpkg_code pp_hooks_read(const struct pp_fields *f, struct pp_hook out[PP_N_HOOKS]);
void pp_hooks_fini(struct pp_hook hooks[PP_N_HOOKS]);
/* The file's text after an edit, pretty, owned. */
char *pp_config_text(const struct pp_config *c);
/* Edits of c->json and the parsed form together. Known keys only; all else stays as it was. */
void pp_config_want(struct pp_config *c, const char *name, const char *range);
bool pp_config_unwant(struct pp_config *c, const struct pp_strs *names); /* any of them wanted? */
void pp_config_add_source(struct pp_config *c, const struct pp_source *s);
/* source: its member of "sources". */
void pp_config_trust(struct pp_config *c, pp_json *source, const char *fingerprint);
bool pp_config_remove_source(struct pp_config *c, const char *name);
const struct pp_source *pp_config_source(const struct pp_config *c, const char *name);

#endif
