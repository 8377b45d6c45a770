/* SPDX-License-Identifier: MIT */
/* plugin.json: everything an author says of one version. */
#ifndef PP_MODEL_MANIFEST_H
#define PP_MODEL_MANIFEST_H

#include "lib/model/release.h"

#define PP_MANIFEST_MAX_BYTES (256 * 1024)
#define PP_TIMEOUT_DEFAULT_S  300
#define PP_TIMEOUT_MAX_S      86400

/* Scripts that run at fixed places; post levels and events are kept beside. */
enum pp_script {
	PP_SCRIPT_INSTALL,
	PP_SCRIPT_VERIFY,
	PP_SCRIPT_UPGRADE,
	PP_SCRIPT_UNINSTALL,
	PP_N_SCRIPTS
};
extern const char *const pp_script_names[PP_N_SCRIPTS]; /* "install", … */

/* Events that a plugin may have a handler for: "on" of plugin.json. */
enum pp_on {
	PP_ON_DISABLE,
	PP_ON_ENABLE,
	PP_ON_INSTALL_AFTER,
	PP_ON_UNINSTALL_AFTER,
	PP_ON_UNINSTALL_BEFORE,
	PP_ON_UPGRADE_AFTER,
	PP_ON_UPGRADE_BEFORE,
	PP_N_ON
};
extern const char *const pp_on_names[PP_N_ON]; /* "uninstall-before", …; sorted */

struct pp_level {
	uint32_t level;
	char *run;      /* path inside the plugin */
	bool is_always; /* runs whenever something comes, not only the plugin itself */
};
struct pp_levels pp_vec(struct pp_level);

struct pp_manifest {
	pp_json *json;                                 /* all of it, unknown keys too */
	struct pp_release *release;                    /* name, version, relations */
	char *summary, *type;                          /* type: "plugin" unless said otherwise */
	char *scripts[PP_N_SCRIPTS];                   /* paths inside the plugin, or NULL */
	char *on[PP_N_ON];                             /* handlers' paths inside it, or NULL */
	struct pp_levels post_install, post_uninstall; /* sorted by level */
	uint32_t timeout_s;
	bool has_network; /* its scripts need it */
};

/*
 * Pure: bytes in, manifest out. `file` names it in messages. Errors: BAD_MANIFEST; each names file,
 * field, value and what would be right.
 */
enum plugpkg_code pp_manifest_parse(
    struct pp_str text, const char *file, struct pp_manifest **out, plugpkg_error **err);
/* The same of what was read once before; json is shared. */
enum plugpkg_code pp_manifest_of(
    const pp_json *json, const char *file, struct pp_manifest **out, plugpkg_error **err);
/*
 * The same for lint: goes on after a mistake, which fn gets as an error (view). What could be read,
 * owned;
 * NULL when the text is no JSON object. Only a manifest without any mistake is fit for other use.
 */
typedef void (*pp_manifest_fault_fn)(const plugpkg_error *fault, void *user);
struct pp_manifest *pp_manifest_check(
    struct pp_str text, const char *file, pp_manifest_fault_fn fn, void *user);
/* The known members in order: false when i is past the last one. */
bool pp_manifest_next_key(size_t i, const char **out_key);
void pp_manifest_free(struct pp_manifest *m);
PP_DEFINE_AUTO(manifest, struct pp_manifest, pp_manifest_free);

/*
 * A path inside a plugin: relative, no "." or ".." component, printable, within the archive
 * policy's limits.
 */
bool pp_inner_path_valid(struct pp_str path);

#endif
