/* SPDX-License-Identifier: MIT */
/* Names of plugins, sources and repositories: which are valid, and how they lie on disk. */
#ifndef PP_MODEL_NAME_H
#define PP_MODEL_NAME_H

#include "base/str.h"
#include "base/vec.h"
#include "lib/model/error.h"

#define PP_NAME_MAX_BYTES   214
#define PP_MAJOR_MAX_DIGITS 9 /* of a key: NAME@MAJOR is the name of a directory */

bool pp_name_valid(struct pp_str name); /* NAME or @SCOPE/NAME; not host: names */
enum plugpkg_code pp_name_check(struct pp_str name, plugpkg_error **err); /* BAD_NAME, says why */
bool pp_name_is_host(const char *name);        /* "host:…" with a valid rest */
bool pp_source_name_valid(struct pp_str name); /* [a-z0-9-]{1,64}, not starting with '-' */
/* "acme-animal" for "@acme/animal": for file names that people read. Owned. */
char *pp_name_flat(const char *name);
/* Up to `most` names of `all` that are near `name`, nearest first. Borrowed pointers into all. */
size_t pp_name_near(const char *name, const struct pp_strs *all, const char **out, size_t most);

/*
 * Keys: what identifies an installed plugin, a step, a wish. NAME, or NAME@MAJOR where a plugin
 * declares parallel majors; a name holds no '@' after its first byte, so the two never mix.
 */
bool pp_key_valid(struct pp_str key);
bool pp_key_has_major(const char *key);
size_t pp_key_name_bytes(const char *key); /* of NAME in it */
char *pp_key_name(const char *key);        /* owned */
/* USAGE: NAME stands for several installed majors, which are listed. */
enum plugpkg_code pp_key_ambiguous(
    const struct pp_strs *keys, const char *name, plugpkg_error **err);

/*
 * NAME[@RANGE][/SOURCE], NAME-, NAME@MAJOR-: what `install` takes. Owned strings; range and source
 * are NULL when none was given.
 */
struct pp_target {
	char *name, *range, *source;
	bool is_removal;
};
enum plugpkg_code pp_target_parse(const char *text, struct pp_target *out, plugpkg_error **err);
void pp_target_fini(struct pp_target *t);

#endif
