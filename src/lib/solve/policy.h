/* SPDX-License-Identifier: MIT */
/*
 * Questions about one name: which of its releases could be chosen and why the others cannot, and
 * what stands in the way of installing one.
 */
#ifndef PP_SOLVE_POLICY_H
#define PP_SOLVE_POLICY_H

#include "lib/solve/solve.h"

/* One release that some source has, or the installed one. View: valid during the call. */
struct pp_policy_line {
	const struct pp_release *release;
	const char *source; /* NULL: no source has it any more */
	int priority;       /* of the source */
	bool is_installed;  /* this release from this source */
	bool is_choice;     /* the newest that may be chosen: what install NAME begins with */
	/*
	 * "candidate", "installed", "prerelease", "old" (one of very many), "os", "arch",
	 * "min-client", "source" (another source answers for the name) or "min-age".
	 */
	const char *state;
	const char *reason; /* for people, beginning with the version; NULL for candidates */
};
typedef void (*pp_policy_fn)(const struct pp_policy_line *line, void *user);

/*
 * Every release of the target's name, by priority of its source, then newest first. The target's
 * range only admits prereleases that it names; its source, when it has one, is the one in charge.
 * request: PLUGPKG_INSTALL with that one target, and the flags and ages to reckon with. Errors:
 * NOT_FOUND (with a near name), and what the sources' callbacks fail with.
 */
enum plugpkg_code pp_policy_of(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, pp_policy_fn fn, void *user, plugpkg_error **err);

/*
 * What stands in the way of a request: {"possible":true} or {"possible":false,"message":…,
 * "causes":[…],"ways":[…]}, owned; causes and ways as the details of a NO_SOLUTION. The plan of a
 * possible one goes to `plan` when that is not NULL. Errors: all but NO_SOLUTION.
 */
enum plugpkg_code pp_policy_why_not(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_plan *plan, pp_json **out,
    plugpkg_error **err);

#endif
