/* SPDX-License-Identifier: MIT */
/*
 * plugpkg.lock: exactly which versions a generation holds, with their digests, for which versions
 * of the application. plugpkg.lock(5) describes it for people.
 */
#ifndef PP_MODEL_LOCKFILE_H
#define PP_MODEL_LOCKFILE_H

#include "base/vec.h"
#include "lib/model/error.h"
#include "lib/model/release.h"

#define PP_LOCKFILE           "plugpkg.lock"
#define PP_LOCKFILE_FORMAT    1
#define PP_LOCKFILE_MAX_BYTES (16 * 1024 * 1024)

/* One plugin. */
struct pp_locked {
	char *key;  /* NAME, or NAME@MAJOR of one that is installed in several majors */
	char *name; /* the key without its major */
	struct pp_version version;
	char *source; /* of a linked plugin NULL */
	char *sha256; /* of the archive; of a linked plugin NULL */
	char *link_dir;
	char *owner;             /* id of the key that its owner signs with, or NULL */
	struct pp_strs detached; /* names that it requires and goes without; sorted */
};

struct pp_lockfile {
	struct pp_deps host;                                /* sorted by name */
	struct pp_lockeds pp_vec(struct pp_locked) plugins; /* sorted by key */
};

/* Pure. `file` is its name for messages. Errors: BAD_LOCK, each with line or field. */
enum plugpkg_code pp_lockfile_parse(
    struct pp_str text, const char *file, struct pp_lockfile **out, plugpkg_error **err);
void pp_lockfile_free(struct pp_lockfile *l);
PP_DEFINE_AUTO(lockfile, struct pp_lockfile, pp_lockfile_free);
const struct pp_locked *pp_lockfile_get(const struct pp_lockfile *l, const char *key);

/* To make one: an empty one, filled in any order. version is one that pp_version_parse() takes. */
struct pp_lockfile *pp_lockfile_new(void);
void pp_lockfile_add_host(struct pp_lockfile *l, const char *name, const char *version);
/* Empty texts count as none. */
struct pp_locked_texts {
	const char *key, *version, *source, *sha256, *link_dir, *owner;
	const struct pp_strs *detached; /* or NULL */
};
void pp_lockfile_add(struct pp_lockfile *l, const struct pp_locked_texts *texts);
/* Sorts it; the same content gives the same bytes. Owned. */
char *pp_lockfile_text(struct pp_lockfile *l);

#endif
