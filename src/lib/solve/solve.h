/* SPDX-License-Identifier: MIT */
/*
 * Resolution: what to install, upgrade and remove so that every rule holds. libsolv decides in a
 * forked child with limits; this module translates, orders and explains. Reads no files: releases
 * come by callback.
 */
#ifndef PP_SOLVE_SOLVE_H
#define PP_SOLVE_SOLVE_H

#include "base/map.h"
#include "lib/model/context.h"
#include "lib/model/name.h"
#include "lib/model/plan.h"
#include "lib/model/release.h"

struct pp_solve_installed {
	const struct pp_release *release; /* borrowed */
	const char *source;
	bool manual, hold, linked;
	int64_t hold_until; /* for words only; 0 = until it is released */
};
/* Where candidates come from. Called in the parent process, before the fork. */
struct pp_solve_source {
	const char *name;
	int priority;
	void *user;
	/* out_providers: also the plugins that replace the name. */
	enum plugpkg_code (*releases)(void *user, const char *name, struct pp_releases *out,
	    struct pp_strs *out_providers, plugpkg_error **err);
	enum plugpkg_code (*names)(
	    void *user, struct pp_strs *out, plugpkg_error **err); /* for near names */
	/*
	 * May be NULL. These names will be asked for: what a network gives is fetched better all at
	 * once.
	 */
	enum plugpkg_code (*expect)(void *user, const struct pp_strs *names, plugpkg_error **err);
};
struct pp_solve_world {
	const struct pp_solve_installed *installed;
	size_t n_installed;
	const struct pp_deps *host; /* host: names with versions */
	const struct pp_solve_source *sources;
	size_t n_sources;
	const struct pp_deps *wanted; /* ranges of the wanted set: they hold for upgrades too */
};
struct pp_solve_request {
	enum plugpkg_verb verb;
	unsigned flags;
	const struct pp_target *targets;
	size_t n_targets;
	const struct pp_release *link; /* PLUGPKG_LINK: the release in the author's directory */
	unsigned cpu_s;                /* limit of the decision in processor time; 0: the usual */
	/* Releases published later than `now` less `min_age_s` are no candidates; 0: all are. */
	int64_t min_age_s, now;
	const struct pp_strs *min_age_except; /* globs of names; borrowed, or NULL */
	const struct pp_strs *min_age_words;  /* the options that said so, or NULL; borrowed */
	bool is_trial; /* whether it can be done is all that counts: a refusal is not explained */
};
/*
 * Fills the plan's steps: new and changed plugins dependencies first, by depth, cycle and name,
 * then removals in the reverse of that order over what was installed; then kept and suggested.
 * Rows, digests and sizes of the steps are the caller's to fill. The same input gives the same
 * plan, in whatever order installed plugins and releases are handed over; sources of one priority
 * count in their order. An installed plugin that is asked for and stays as it is makes no step: the
 * wanted set is the caller's.
 *
 * Errors: NOT_FOUND NOT_INSTALLED BAD_RANGE USAGE REFUSED (hold) INTERRUPTED, what the callbacks
 * fail with, and NO_SOLUTION. Its message is a headline and, each in a line of its own, one
 * sentence an edge, causes first; its hint is "ways out:" and numbered lines, each of them solved.
 */
enum plugpkg_code pp_solve(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_plan *plan, plugpkg_error **err);

#endif
