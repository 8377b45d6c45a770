/* SPDX-License-Identifier: MIT */
/* What the parts of plugpkg_plan_make() share: the request on its way to a plan. */
#ifndef PP_API_MAKING_H
#define PP_API_MAKING_H

#include "lib/api/again.h"
#include "lib/api/api.h"
#include "lib/model/lockfile.h"
#include "lib/solve/solve.h"
#include "lib/state/owners.h"
#include "lib/store/archive.h"
#include "lib/txn/inventory.h"
#include "lib/txn/txn.h"

struct pp_targets pp_vec(struct pp_target);

/* An archive that the request names by its path, or one made of a directory. */
struct pp_local {
	char *path; /* as it was named */
	struct pp_manifest *manifest;
	char sha256[65];
	uint64_t size;
	struct pp_unpacked unpacked;
	char owner_id[65]; /* of the key that signed it, by the .sig beside; "" = none */
};
struct pp_locals pp_vec(struct pp_local);
void pp_locals_fini(struct pp_locals *locals);

/* All that one plugpkg_plan_make() holds while it works. */
struct pp_making {
	plugpkg_context *ctx;
	const struct plugpkg_request *request;
	struct pp_plan *plan;     /* borrowed */
	struct pp_wishes *wishes; /* borrowed */
	struct pp_inventory inv;
	struct pp_pins owners; /* keys that the root expects */
	struct pp_sources_open open;
	struct pp_targets targets;
	struct pp_locals locals;
	struct pp_manifest *link; /* PLUGPKG_LINK */
	char *link_dir;
	const struct pp_lockfile *pins;  /* borrowed: versions that are preferred, or NULL */
	struct pp_votes asked;           /* every dependent that was asked */
	const struct pp_releases *after; /* borrowed: what the root will hold, if known; or NULL */
	struct pp_strs delayed;          /* keys: their upgrades wait for a dependent */
	struct pp_kepts strangers;       /* theirs for a word about the key of an owner */
	bool is_pins_only;               /* nothing but what the pins name can be had */
};

/* A mark that a plan changes and nothing else of the plugin. */
struct pp_remark {
	char *name, *version;
	bool manual;
};
struct plugpkg_plan {
	plugpkg_context *ctx;
	struct pp_plan *plan;
	struct pp_wishes wishes;
	struct pp_remarks pp_vec(struct pp_remark) remarks; /* plugpkg.json says so already */
	char *command;                                      /* "install photos" */
	bool allows_unsigned;
};
PP_DEFINE_AUTO(plan, plugpkg_plan, plugpkg_plan_free);
/* Planned against the root's present generation. command moved. Errors: BAD_STATE IO. */
enum plugpkg_code pp_plan_begin(
    plugpkg_context *ctx, char *command, plugpkg_plan **out, plugpkg_error **err);

/*
 * plan_settled.c: the plan of a request that asks for what is there, in which nothing stands; *out
 * stays NULL where that is not known. Nobody is asked.
 */
void pp_plan_settled(
    plugpkg_context *ctx, const struct plugpkg_request *request, plugpkg_plan **out);

/*
 * plan_again.c: the plan of an upgrade of everything, of which it is known that it comes to
 * nothing as it did before; *out stays NULL where that is not known. *again, zeroed before, is for
 * pp_plan_remember().
 */
void pp_plan_again(plugpkg_context *ctx, const struct plugpkg_request *request,
    struct pp_again *again, plugpkg_plan **out);
/* Of a plan that was made: when it comes to nothing, the next one may be answered so. */
void pp_plan_remember(const struct pp_making *m, const struct pp_again *again);

void pp_making_fini(struct pp_making *m);
/* Nothing is added: no source is asked. */
bool pp_making_is_removal(const struct pp_making *m);

/* ---- plan_request.c: what was asked for ---- */

/* The targets as they were written. Errors: USAGE BAD_NAME BAD_RANGE. */
enum plugpkg_code pp_making_targets(struct pp_making *m, plugpkg_error **err);
/* The manifest in the directory that PLUGPKG_LINK names. */
enum plugpkg_code pp_making_link(struct pp_making *m, plugpkg_error **err);
/* "install photos", of very many "install photos albums (and 300 more)"; owned. */
char *pp_making_command(const struct plugpkg_request *request);
/*
 * `remove` leaves a plugin's data and the key of its owner; a later `purge` finds no plugin any
 * more, but these.
 */
enum plugpkg_code pp_making_left_data(struct pp_making *m, plugpkg_error **err);
/*
 * `remove` and `purge` of what plugpkg.json wants and the root has not: the wish is taken back,
 * which needs no step. After pp_making_left_data().
 */
void pp_making_left_wishes(struct pp_making *m);
/* What will stand in plugpkg.json as asked for, once the plan is there. */
void pp_making_wishes(struct pp_making *m);

/* ---- plan_local.c: what lies beside ---- */

bool pp_local_is_path(const char *text);
/*
 * Takes an archive, or the one that a directory becomes, into the cache and looks into it. *out:
 * the target that stands for it. Errors: NOT_FOUND IO NO_SPACE BAD_ARCHIVE BAD_MANIFEST USAGE.
 */
enum plugpkg_code pp_making_local(
    struct pp_making *m, const char *path, struct pp_target *out, plugpkg_error **err);
/* EXISTS when one of them is other content of a version that is installed. */
enum plugpkg_code pp_making_check_locals(const struct pp_making *m, plugpkg_error **err);
/* All of them as a source: its releases of a name, and who provides it; its names. */
enum plugpkg_code pp_making_local_releases(const struct pp_making *m, const char *name,
    struct pp_releases *out, struct pp_strs *out_providers, plugpkg_error **err);
void pp_making_local_names(const struct pp_making *m, struct pp_strs *out);
/* Digests, sizes and the row of a step that takes one of them: which one. NULL: none. */
const struct pp_local *pp_making_fill_local(const struct pp_making *m, struct pp_step *step);

/* ---- plan_world.c: what there is ---- */

/* The root and its sources as the solver takes them. Owns arrays, no elements. */
struct pp_world_source;
struct pp_world {
	struct pp_vec(struct pp_solve_installed) installed;
	struct pp_vec(struct pp_solve_source) sources;
	struct pp_world_source *asked; /* one a source */
	struct pp_strs except, words;  /* of ages */
	struct pp_solve_world world;
};
/* Of m's inventory and open sources; m borrowed until pp_world_fini(). */
void pp_world_init(const struct pp_making *m, struct pp_world *w);
void pp_world_fini(struct pp_world *w);
/* m's request and targets in the solver's terms, with the ages of plugpkg.json; w borrowed. */
void pp_world_request(const struct pp_making *m, struct pp_world *w, struct pp_solve_request *out);

/* Hands the root, its sources and the request to the solver; fills the plan's steps. */
enum plugpkg_code pp_making_solve_once(struct pp_making *m, plugpkg_error **err);

/* ---- votes.c ---- */

/*
 * The same, with the votes of dependents and what follows from them. REFUSED for a veto, and for
 * a delay of what was asked for by name. Errors: as pp_solve(), INTERRUPTED.
 */
enum plugpkg_code pp_making_solve(struct pp_making *m, plugpkg_error **err);
/*
 * The votes on m->plan as it is, without solving. Who leaves and was not named is asked; of who
 * stays without what leaves, the vote is in the plan already, and it is asked whether that still
 * holds. whither: "generation 3", what the plan leads to. REFUSED for a veto. Errors: INTERRUPTED.
 */
enum plugpkg_code pp_making_vote(struct pp_making *m, const char *whither, plugpkg_error **err);

/* ---- plan_switch.c: who goes out of use, or comes back into it ---- */

/* Fills the switches of PLUGPKG_DISABLE and PLUGPKG_ENABLE. Errors: BAD_NAME NOT_INSTALLED. */
enum plugpkg_code pp_making_switch(struct pp_making *m, plugpkg_error **err);
/*
 * Adds what the plan's steps mean for plugins that stay. NO_SOLUTION when something comes that
 * could not be used, because what it requires is disabled.
 */
enum plugpkg_code pp_making_blocks(struct pp_making *m, plugpkg_error **err);

/* ---- sync_pins.c ---- */

/* What pins leave of the releases and providers that a source has. Called by plan_world.c. */
void pp_making_pin(const struct pp_making *m, const char *source, struct pp_releases *releases,
    struct pp_strs *providers);
/*
 * The row of the pins whose `detached` counts for this version of a plugin, or NULL. Unless the
 * pins are all there is, what is installed has its own, by what it said here.
 */
const struct pp_locked *pp_making_detached_row(
    const struct pp_making *m, const char *key, const struct pp_version *version);

/* ---- plan_details.c: what was chosen ---- */

/* Digests, sizes and signed rows of the steps that fetch. */
enum plugpkg_code pp_making_details(struct pp_making *m, plugpkg_error **err);

/* ---- plan_owner.c: who signed it ---- */

/* The keys that the root expects; anew each time. */
enum plugpkg_code pp_making_read_owners(struct pp_making *m, plugpkg_error **err);
/* Id of the key that the owner of NAME has to have, or NULL. View. *out_locked: by the lock. */
const char *pp_making_expected_owner(struct pp_making *m, const char *name, bool *out_locked);
/* Fills step->owner by that layer of the index and its row. Errors: BAD_METADATA. */
enum plugpkg_code pp_making_owner(struct pp_making *m, struct pp_catalog *c, enum pp_layer layer,
    const pp_json *row, struct pp_step *step, plugpkg_error **err);
/* The same by the signature beside a local archive. */
void pp_making_local_owner(struct pp_making *m, const struct pp_local *l, struct pp_step *step);
/*
 * Where nothing was asked for by name: what would come by another key than the expected one is
 * among the strangers and delayed from now on. True: something was added, the plan is to be made
 * again.
 */
bool pp_making_delay_strangers(struct pp_making *m);
void pp_making_explain_strangers(struct pp_making *m);

/* ---- plan_cycles.c ---- */

/* NO_SOLUTION when scripts of chosen plugins wait for each other, with the ring in the words. */
enum plugpkg_code pp_making_cycles(const struct pp_making *m, plugpkg_error **err);

#endif
