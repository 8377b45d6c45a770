/* SPDX-License-Identifier: MIT */
/*
 * A release: one version of one plugin as far as resolution is concerned. The same members stand in
 * a manifest and in a planning row of the index, and are read by the same code.
 */
#ifndef PP_MODEL_RELEASE_H
#define PP_MODEL_RELEASE_H

#include "base/json.h"
#include "base/vec.h"
#include "lib/model/range.h"

#define PP_RELEASE_MAX_DEPS 1000 /* entries of one relation */

struct pp_dep {
	char *name;                /* plugin, virtual or host: name */
	char *text;                /* range or version as written */
	struct pp_range *range;    /* relations that take ranges; else NULL */
	struct pp_version version; /* provides: its version; .text NULL when it has none ("") */
};
struct pp_deps pp_vec(struct pp_dep);

struct pp_release {
	char *name;
	struct pp_version version;
	struct pp_deps requires, recommends, suggests, conflicts, provides, replaces;
	struct pp_strs os, arch;
	char *min_client;       /* or NULL */
	int64_t published;      /* Unix seconds, 0 = unknown */
	bool is_parallel;       /* "parallel": "major": stands beside other majors of its name */
	char *key;              /* NAME@MAJOR when it is parallel, else NULL; pp_release_key() */
	struct pp_arena *arena; /* has all of it; NULL: each part is by itself */
};

/*
 * Reads the resolution members of a JSON object. `name` is the plugin's when the object has no
 * "name" of its own (planning rows). `where` names the file for messages, `code` is what a mistake
 * counts as (BAD_MANIFEST or BAD_METADATA). Unknown members are ignored.
 */
enum plugpkg_code pp_release_parse(const pp_json *j, const char *name, const char *where,
    enum plugpkg_code code, struct pp_release **out, plugpkg_error **err);
/* The same of f->json. */
struct pp_fields;
enum plugpkg_code pp_release_read(
    const struct pp_fields *f, const char *name, struct pp_release **out);
/*
 * The same of a planning row, f->json, of the plugin `name`. It lies in f->arena and holds it.
 * last: the row read before, whose parts are shared where both say the same; or NULL.
 */
enum plugpkg_code pp_release_read_row(const struct pp_fields *f, const char *name,
    const struct pp_release *last, struct pp_release **out);
void pp_release_free(struct pp_release *r);
PP_DEFINE_AUTO(release, struct pp_release, pp_release_free);
/* One member of it into r; "name" has to come first. A key of another kind is no mistake. */
struct pp_fields;
enum plugpkg_code pp_release_read_field(
    const struct pp_fields *f, const char *key, const char *name, struct pp_release *r);
/*
 * The planning row of an object that pp_release_parse() accepts: known members, fixed order, no
 * empty ones, no "published".
 */
pp_json *pp_release_row(const pp_json *manifest);

struct pp_releases pp_vec(struct pp_release *); /* owned elements */
void pp_releases_fini(struct pp_releases *r);

/* What it is known by once installed: NAME, or NAME@MAJOR when it is parallel. View. */
const char *pp_release_key(const struct pp_release *r);

/* NAME is no longer among what it requires. */
void pp_release_detach(struct pp_release *r, const char *name);

const struct pp_dep *pp_deps_get(const struct pp_deps *d, const char *name);
void pp_dep_fini(struct pp_dep *dep);
void pp_deps_fini(struct pp_deps *d);
/*
 * Does r, by its name or a versioned provides, satisfy NAME in range? A prerelease counts like a
 * release.
 */
bool pp_release_satisfies(const struct pp_release *r, const struct pp_dep *dep);
/* What of it does not fit this machine or this plugpkg. */
enum pp_unfit {
	PP_UNFIT_NOT,
	PP_UNFIT_OS,
	PP_UNFIT_ARCH,
	PP_UNFIT_CLIENT, /* min-client is above our version */
};
enum pp_unfit pp_release_unfit(const struct pp_release *r);
/* The processor that this plugpkg was built for. View. */
const char *pp_platform_name(void);
/* os and arch of this machine fit, and min-client is not above our version. */
bool pp_release_fits_here(const struct pp_release *r, const char **out_why);

#endif
