/* SPDX-License-Identifier: MIT */
/*
 * What a request can reach: a walk over names by the sources' callbacks, and which releases of
 * each name are candidates. What is left out is remembered with its reason, for explanations.
 */
#ifndef PP_SOLVE_LOAD_H
#define PP_SOLVE_LOAD_H

#include "lib/solve/solve.h"

#define PP_NO_SOURCE SIZE_MAX

/* One target of the request with its range parsed; range NULL: any release. */
struct pp_ask {
	struct pp_dep dep;
	const char *source; /* borrowed; NULL: the one that the name belongs to */
	bool is_removal;
};
struct pp_asks pp_vec(struct pp_ask);

enum pp_slot_state {
	PP_SLOT_CANDIDATE,
	PP_SLOT_PRERELEASE, /* waits for a range that names it */
	PP_SLOT_OLD,        /* one of very many versions; waits for a range that needs it */
	PP_SLOT_PLATFORM,   /* does not run here, or not with this plugpkg */
	PP_SLOT_SOURCE,     /* another source answers for this name, or for this version */
	PP_SLOT_AGE,        /* was published too short a time ago */
	PP_SLOT_TWIN,       /* is the installed version */
};
/* A release that some source has, candidate or not. */
struct pp_slot {
	const struct pp_release *release;
	size_t source; /* index into world->sources */
	enum pp_slot_state state;
	bool is_judged, is_walked;
};
struct pp_slots pp_vec(struct pp_slot);

/* A name in reach: of plugins, virtual, or both. */
struct pp_known {
	char *name;
	const struct pp_solve_installed *installed; /* the highest of majors, or NULL */
	/* what is installed of the name, highest first; several only with parallel majors */
	struct pp_majors pp_vec(const struct pp_solve_installed *) majors;
	const struct pp_version *host; /* the application's version of it, or NULL */
	/* The source that answers for the name (index); PP_NO_SOURCE: none has plugins of it. */
	size_t owner;
	size_t home; /* the installed one's source when that lists the name, else PP_NO_SOURCE */
	bool is_loaded, takes_prereleases;
	bool is_shared;        /* several sources list it */
	size_t n_waiting;      /* slots that a further range may admit */
	struct pp_slots slots; /* source's priority, then highest version first */
	struct pp_strs providers;
	struct pp_dep_list pp_vec(const struct pp_dep *) ranges; /* seen so far */
};

enum pp_origin {
	PP_FROM_HOST,
	PP_FROM_INSTALLED,
	PP_FROM_LINK,
	PP_FROM_SOURCE,
};
/* What the solver may choose. */
struct pp_cand {
	const struct pp_release *release;
	enum pp_origin origin;
	size_t source;                              /* PP_FROM_SOURCE: index into world->sources */
	const struct pp_solve_installed *installed; /* PP_FROM_INSTALLED */
	bool is_loose; /* a prerelease that ranges of releases accept: installed, or asked for */
};
struct pp_cands pp_vec(struct pp_cand);

struct pp_load {
	const struct pp_solve_world *world;
	const struct pp_solve_request *request;
	struct pp_asks asks;
	struct pp_map asked;    /* name -> its first target in asks */
	struct pp_strs skipped; /* targets that are left out: not installed, and none shall come */
	struct pp_indices pp_vec(
	    size_t) by_priority; /* indices into world->sources, highest first */
	struct pp_map known;     /* name -> struct pp_known */
	struct pp_todo pp_vec(struct pp_known *) todo; /* names with something left to look at */
	struct pp_lists pp_vec(
	    struct pp_releases) lists; /* what the callbacks gave; owns the releases */
	struct pp_releases host;       /* the application's names, as releases */
	struct pp_cands cands; /* hosts; then by name, origin, source's priority, highest version */
	size_t n_hosts;
};

/*
 * world and request borrowed until pp_load_fini(). Errors: BAD_RANGE, and what the callbacks fail
 * with.
 */
enum plugpkg_code pp_load_init(struct pp_load *l, const struct pp_solve_world *world,
    const struct pp_solve_request *request, plugpkg_error **err);
enum plugpkg_code pp_load_walk(struct pp_load *l, plugpkg_context *ctx, plugpkg_error **err);
void pp_load_fini(struct pp_load *l);

/* By name or key. NULL when the walk did not come by. */
const struct pp_known *pp_load_known(const struct pp_load *l, const char *name);
const struct pp_solve_installed *pp_load_installed(const struct pp_load *l, const char *name);
/*
 * First candidate of the name; they lie together, the installed one first. cands.n when there is
 * none.
 */
size_t pp_load_first_cand(const struct pp_load *l, const char *name);
bool pp_load_is_cand_of(const struct pp_load *l, size_t cand, const char *name);
/* The first target that names this plugin, or NULL. */
const struct pp_ask *pp_load_ask(const struct pp_load *l, const char *name);
/*
 * Could the candidate answer the target? A target means the plugin of that name; only where there
 * is none, the plugins that provide it.
 */
bool pp_cand_answers(const struct pp_load *l, const struct pp_cand *c, const struct pp_ask *ask);
/* The candidates among which all are that could: a piece of cands. */
struct pp_cand_run {
	size_t first, end;
};
struct pp_cand_run pp_load_answers(const struct pp_load *l, const struct pp_ask *ask);
/* Does the candidate satisfy the dependency, by its name or a versioned provides? */
bool pp_cand_satisfies(const struct pp_load *l, const struct pp_cand *c, const struct pp_dep *dep);
/*
 * Is this provides of the candidate not hidden by a source of higher priority that owns the name?
 */
bool pp_cand_may_speak_for(const struct pp_load *l, const struct pp_cand *c, const char *name);
/*
 * The range that `plugins` in plugpkg.json has for the release's key, or else its name; NULL when
 * it says no more than "*".
 */
const struct pp_dep *pp_world_wanted(
    const struct pp_solve_world *world, const struct pp_release *r);

#endif
