/* SPDX-License-Identifier: MIT */
/*
 * Which releases of a name could be chosen here, and why the others cannot: release by release, as
 * far as that can be told without a decision.
 */
#ifndef PP_SOLVE_POLICY_H
#define PP_SOLVE_POLICY_H

#include "lib/solve/solve.h"

/* One release that some source has, or an installed one. View: valid during the call. */
struct pp_policy_line {
	const struct pp_release *release;
	const char *source;   /* NULL: no source has it any more */
	int priority;         /* of the source */
	const char *provides; /* of a virtual name: its version there, "" without one; else NULL */
	bool is_installed;    /* this release from this source */
	/* What upgrade brings where it is installed, else what install NAME begins with. */
	bool is_choice;
	/*
	 * "candidate", "installed", "beside" (another major than those installed), "prerelease",
	 * "old" (one of very many), "os", "arch", "min-client", "source" (another source answers
	 * for the name), "min-age", "hold", "linked", "origin" (the installed one stays with its
	 * source), "downgrade", "wanted" (outside the range of plugpkg.json), "host-none",
	 * "host-too-old", "host-too-new" or "host-conflict".
	 */
	const char *state;
	const char *reason; /* for people, beginning with the version; NULL for candidates */
};
typedef void (*pp_policy_fn)(const struct pp_policy_line *line, void *user);

/*
 * Every release of the target's name, by priority of its source, then newest first; of a virtual
 * name those that provide it. The target's range only admits prereleases that it names; its source,
 * when it has one, is the one in charge.
 *
 * request: PLUGPKG_INSTALL with that one target, and the flags and ages to reckon with.
 * out_providers: the names of plugins that provide the name. Errors: NOT_FOUND (with a near name),
 * and what the sources' callbacks fail with.
 */
enum plugpkg_code pp_policy_of(plugpkg_context *ctx, const struct pp_solve_world *world,
    const struct pp_solve_request *request, struct pp_strs *out_providers, pp_policy_fn fn,
    void *user, plugpkg_error **err);

#endif
