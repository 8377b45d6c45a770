/* SPDX-License-Identifier: MIT */
/* generations/N: directories of links into the store, and the one rename of `current`. */
#ifndef PP_STORE_GENERATION_H
#define PP_STORE_GENERATION_H

#include "lib/model/context.h"

/* One plugin that a generation holds. */
struct pp_member {
	const char *name, *version;
	const char *key;      /* NAME@MAJOR of a plugin with parallel majors; NULL: the name */
	const char *link_dir; /* linked plugin's directory, or NULL */
	bool is_off;          /* installed and not in use: on the list, without a link */
	const pp_json *info;  /* more members for .plugins.json, borrowed, or NULL */
};
/*
 * Makes generations/N complete and durable (links, .plugins.json). An unfinished one of that number
 * is replaced.
 */
enum plugpkg_code pp_generation_make(plugpkg_context *ctx, int64_t n,
    const struct pp_member *members, size_t n_members, plugpkg_error **err);
/* current -> generations/N, durable. */
enum plugpkg_code pp_generation_switch(plugpkg_context *ctx, int64_t n, plugpkg_error **err);
/*
 * Fails where somebody put something else in the place of `current`; to be asked before anything
 * is begun. A switch replaces a foreign link all the same: repair and undo have to.
 */
enum plugpkg_code pp_generation_check_switch(plugpkg_context *ctx, plugpkg_error **err);
/* Takes away what a switch that was cut off before its rename left behind. */
void pp_generation_tidy(plugpkg_context *ctx);
/* The number that `current` points to. Errors: BAD_STATE when it is no such link. */
enum plugpkg_code pp_generation_current(plugpkg_context *ctx, int64_t *out, plugpkg_error **err);
enum plugpkg_code pp_generation_remove(plugpkg_context *ctx, int64_t n, plugpkg_error **err);
/* Those of these numbers that are there; out_n counts them also where another one could not. */
enum plugpkg_code pp_generation_drop(
    plugpkg_context *ctx, const int64_t *numbers, size_t n, int64_t *out_n, plugpkg_error **err);
enum plugpkg_code pp_generation_list(
    plugpkg_context *ctx, int64_t **out, size_t *out_n, plugpkg_error **err); /* ascending, owned */
/* The highest number that stands there; 0: none. */
enum plugpkg_code pp_generation_highest(plugpkg_context *ctx, int64_t *out, plugpkg_error **err);
/* All that stands in generation N but its list, sorted: names, NAME@MAJOR, @scope/NAME. */
enum plugpkg_code pp_generation_names(
    plugpkg_context *ctx, int64_t n, struct pp_strs *out, plugpkg_error **err);
/*
 * Store versions that generation N links to, each once, as "NAME VERSION", read from its links; and
 * those of plugins that its list calls disabled or blocked.
 */
enum plugpkg_code pp_generation_members(
    plugpkg_context *ctx, int64_t n, struct pp_strs *out, plugpkg_error **err);

#endif
