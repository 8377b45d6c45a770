/* SPDX-License-Identifier: MIT */
/*
 * What a root remembers of its plugins beside their files: asked for or not, held or not. A change
 * of it makes no generation and runs no script. All of it under the lock only.
 */
#ifndef PP_TXN_MARKS_H
#define PP_TXN_MARKS_H

#include "base/map.h"
#include "lib/model/context.h"
#include "lib/state/state.h"

/* A change of the wanted set: KEY (NAME or NAME@MAJOR) in RANGE; NULL: no longer wanted. */
struct pp_wish {
	char *name, *range;
};
struct pp_wishes pp_vec(struct pp_wish);
void pp_wishes_fini(struct pp_wishes *w);
/* By what is in it: their names. w may be NULL. */
void pp_wishes_index(const struct pp_wishes *w, struct pp_map *out_names);

/*
 * The wanted set and the versions of the application as plugpkg.json has them, as text, to see
 * whether they are still the same: owned.
 */
char *pp_marks_basis(const plugpkg_context *ctx);
/*
 * Puts wishes into the wanted set of plugpkg.json and takes unwanted names out, in one atomic
 * write; writes nothing when nothing changes. Both may be NULL.
 */
enum plugpkg_code pp_marks_edit_wanted(plugpkg_context *ctx, const struct pp_wishes *wishes,
    const struct pp_strs *unwanted, plugpkg_error **err);
/*
 * The same where no transaction follows: the state's marks follow at once. plugpkg.json comes
 * first: what it says is true, so after a crash in between the next transaction brings the state
 * to it.
 */
enum plugpkg_code pp_marks_want(plugpkg_context *ctx, const struct pp_wishes *wishes,
    const struct pp_strs *unwanted, plugpkg_error **err);
/*
 * The installed plugin that an operand means: a key, or the name of a plugin of which only one is
 * installed. Errors: BAD_NAME NOT_INSTALLED, and USAGE for a name that stands for several majors.
 */
enum plugpkg_code pp_marks_find(const struct pp_installeds *set, const char *operand,
    struct pp_installed **out, plugpkg_error **err);
/* BAD_NAME for what is no key. */
enum plugpkg_code pp_marks_check(const char *operand, plugpkg_error **err);
/* NOT_INSTALLED, with a near name as advice. */
enum plugpkg_code pp_marks_not_installed(
    const struct pp_installeds *set, const char *name, plugpkg_error **err);

#endif
