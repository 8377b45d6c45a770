/* SPDX-License-Identifier: MIT */
/* The plan object: one ordered list that --dry-run, the prompt, --json and the commit all use. */
#ifndef PP_MODEL_PLAN_H
#define PP_MODEL_PLAN_H

#include "base/json.h"
#include "lib/model/plan_owner.h"
#include "lib/model/release.h"
#include "lib/model/vote.h"

/* As the source of a step and of a plugin: an archive that was named by its path, not signed. */
#define PP_SOURCE_FILE "file"

enum pp_action {
	PP_INSTALL,
	PP_UPGRADE,
	PP_DOWNGRADE,
	PP_REINSTALL,
	PP_REMOVE
};
extern const char
    *const pp_action_names[]; /* "install", "upgrade", "downgrade", "reinstall", "remove" */

/* Why a step is in the plan. */
enum pp_why {
	PP_WHY_REQUESTED,
	PP_WHY_REQUIRED,
	PP_WHY_RECOMMENDED,
	PP_WHY_BROKEN,
	PP_WHY_CONFLICT,
	PP_WHY_UNNEEDED,
	PP_WHY_REPLACED,
	PP_WHY_LOCKED,
	PP_WHY_ROLLBACK, /* a former generation had it so */
	PP_N_WHYS
};
extern const char *const
    pp_why_names[PP_N_WHYS]; /* "requested", "required", "recommended", "broken", "conflict", … */

struct pp_step {
	enum pp_action action;
	enum pp_why why;
	char *key;     /* what it is known by: NAME, or NAME@MAJOR of parallel majors */
	char *old_key; /* what the installed version is known by when that differs, else NULL */
	char *name;
	char *version;     /* new version; the old one for REMOVE */
	char *old_version; /* installed version, NULL for INSTALL */
	char *source;      /* name of the source, "link" for links, NULL for REMOVE */
	/* the plugin that needs, recommends, conflicts with, or is missed by it; else NULL */
	char *because;
	bool manual;      /* wanted set: stays or becomes manual */
	uint32_t depth;   /* distance from the leaves */
	size_t cycle;     /* the same for all that require each other in a ring; 0 = in none */
	bool runs_script; /* its install or upgrade script runs; filled with the details */
	pp_json *row;     /* signed planning row, NULL for REMOVE */
	pp_json *tables;  /* that it will own, or NULL; filled with the details */
	pp_json *scripts; /* kinds that its signed details list; NULL: it has no details */
	/* From the details shard; filled after solving. */
	char sha256[65];
	uint64_t size_bytes, unpacked_bytes, files;
	struct pp_step_owner owner;
	char *link_dir; /* full path for a linked plugin, else NULL */
	char *file;     /* path as named of a local archive or directory, else NULL */
	bool is_cached; /* its archive is in the cache already; no source is asked */
	bool is_stored; /* the store has it already; tree_sha256 says what */
	char tree_sha256[65];
	pp_json *manifest; /* as it was installed before, where is_stored; else NULL */
	bool hold;         /* of what comes back, as it was when it left */
	int64_t hold_until;
	int64_t data_from; /* generation whose snapshot of its data comes back; 0: none */
};

/* A plugin that stays as it is and goes out of use, or comes back into it. */
enum pp_switch_action {
	PP_DISABLE, /* by the operator */
	PP_ENABLE,
	PP_BLOCK, /* because of what it requires */
	PP_UNBLOCK
};
extern const char *const pp_verb_names[];   /* by enum plugpkg_verb, as commands are typed */
extern const char *const pp_switch_names[]; /* "disable", "enable", "block", "unblock" */
struct pp_switch {
	enum pp_switch_action action;
	char *key, *name, *version;
	char *because; /* keys, with spaces between: what blocks it, or did for UNBLOCK; or NULL */
};

struct pp_kept {
	char *name, *version, *candidate, *reason; /* ready to print */
};

struct pp_plan {
	/* in order of execution: installs dependencies first, then removals dependents first */
	struct pp_steps pp_vec(struct pp_step) steps;
	struct pp_switches pp_vec(struct pp_switch) switches; /* in the order of keys */
	struct pp_kepts pp_vec(struct pp_kept) kept;
	struct pp_kepts broken;   /* stays, and lacks something; without candidate */
	struct pp_strs suggested; /* ready to print: "exif (suggested by photos)" */
	struct pp_strs skipped;   /* names that were asked for, but only if installed */
	struct pp_strs left_data; /* purge: names that left before and whose data goes now */
	struct pp_strs left_pins; /* those of them that left only the expected key of their owner */
	struct pp_votes votes;    /* of the dependents that it concerns */
	bool is_purge;
	bool skips_scripts;   /* what comes is only files; nothing of it runs */
	bool is_rollback;     /* scripts are told so */
	bool overrides_holds; /* who asked for it knows what is held */
	bool is_forced;       /* and what else stands in the way */
	/* What this was planned against: generation of the root, pp_marks_basis() or NULL. */
	int64_t generation;
	char *basis;
};

struct pp_plan *pp_plan_new(void);
void pp_plan_free(struct pp_plan *p);
/* To be solved again: without steps and what goes with them. Votes and left_data stay. */
void pp_plan_clear(struct pp_plan *p);
struct pp_step *pp_plan_add(
    struct pp_plan *p, enum pp_action action, const char *key, const char *version);
struct pp_switch *pp_plan_switch(
    struct pp_plan *p, enum pp_switch_action action, const char *key, const char *version);
/* The row of what stays at its version for the plan; a new one without a reason where needed. */
struct pp_kept *pp_plan_keep(
    struct pp_plan *p, const char *key, const char *version, const char *candidate);
void pp_kepts_fini(struct pp_kepts *kepts);
/* The key of what is installed now and changes or goes with this step. View. */
const char *pp_step_old_key(const struct pp_step *s);
/* Does the step take or bring the plugin of this key? */
bool pp_step_concerns(const struct pp_step *s, const char *key);
void pp_plan_to_rows(const struct pp_plan *p, plugpkg_row_fn row, void *user);

#endif
