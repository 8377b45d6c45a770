/* SPDX-License-Identifier: MIT */
/*
 * Every release of a repository as the next publish leaves it, for questions of closure: what
 * requires what, and who has scripts. The host's versions and the platform count as fitting.
 */
#ifndef PP_REPO_CENSUS_H
#define PP_REPO_CENSUS_H

#include "lib/model/release.h"
#include "lib/repo/book.h"
#include "lib/repo/staged.h"

enum pp_verdict {
	PP_VERDICT_OPEN,
	PP_VERDICT_GOOD, /* can be installed */
	PP_VERDICT_BAD
};
struct pp_counted {
	struct pp_release *release; /* without host: names, platform, recommends and suggests */
	bool has_script;            /* install or upgrade: runs after those of all it requires */
	enum pp_verdict verdict;    /* the asker's */
	size_t seen;                /* the asker's */
};
struct pp_counted_name {
	char *name;
	struct pp_counted_list pp_vec(struct pp_counted) releases; /* newest first */
	struct pp_strs providers;
	size_t number; /* in order of loading */
};
struct pp_census {
	struct pp_book *book; /* borrowed, with what is staged merged */
	struct pp_map names;  /* name -> struct pp_counted_name, loaded when asked for */
};

/* Never NULL when OK: an unknown name has no releases. Valid until pp_census_fini(). */
enum plugpkg_code pp_census_get(
    struct pp_census *c, const char *name, struct pp_counted_name **out, plugpkg_error **err);
void pp_census_fini(struct pp_census *c);
/* The row of a version as the census reads it: what it leaves out is taken out of row. */
void pp_census_strip(pp_json *row);

/* Every release that fulfils dep: those of its name newest first, then those that provide it. */
struct pp_counted_ptrs pp_vec(struct pp_counted *);
enum plugpkg_code pp_census_fulfilling(struct pp_census *c, const struct pp_dep *dep,
    struct pp_counted_ptrs *out, plugpkg_error **err);

/*
 * The first ring of scripts that no choice of versions avoids, among what the newest releases of
 * `names` reach; *out NULL when there is none, else "a -> b -> a" (owned) and *out_name, one of
 * names whose newest release is in it or needs it.
 *
 * The rule: a release needs a plugin when every release that fulfils one of its requirements is of
 * that plugin; a plugin needs another when all of its releases do; it has a script when all of its
 * releases have. The newest release itself counts alone. So whatever is chosen, the ring is there.
 */
enum plugpkg_code pp_census_ring(struct pp_census *c, const struct pp_strs *names, char **out,
    const char **out_name, plugpkg_error **err);

#endif
