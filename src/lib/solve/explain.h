/* SPDX-License-Identifier: MIT */
/*
 * Refusals as a person would put them: cause before consequence, one sentence an edge, versions
 * merged to ranges. Works on facts about candidates; knows nothing of how the solver found them.
 */
#ifndef PP_SOLVE_EXPLAIN_H
#define PP_SOLVE_EXPLAIN_H

#include "lib/solve/load.h"

enum pp_fact_kind {
	PP_FACT_KEEP,      /* installed `from` must stay, or be upgraded */
	PP_FACT_HELD,      /* installed `from` is held */
	PP_FACT_WANTED,    /* plugpkg.json wants `dep` */
	PP_FACT_ASKED,     /* the request wants `dep` */
	PP_FACT_REQUIRES,  /* `from` needs `dep`; what satisfies it is refused by other facts */
	PP_FACT_MISSING,   /* `from` needs `dep`; nothing satisfies it */
	PP_FACT_CONFLICTS, /* `from` declares a conflict with `dep`, which `to` is */
	PP_FACT_REPLACES,  /* `from` replaces `dep`, which `to` is */
	PP_FACT_ALONE,     /* `from` and `to`: other majors of a plugin, without that declaration */
};
/* A complete set of them is a proof. from, to: indices of candidates. */
struct pp_fact {
	enum pp_fact_kind kind;
	size_t from, to;
	const struct pp_dep *dep;
};
struct pp_facts pp_vec(struct pp_fact);

/* The sentences, causes first, without doubles; never none. Owned strings appended to out. */
void pp_explain(const struct pp_load *l, const struct pp_facts *facts, struct pp_strs *out);

/* "user@^2", or "user" when any release would do. */
void pp_explain_add_dep(struct pp_buf *b, const struct pp_dep *dep);
/*
 * "there is only 1.0.0", "there are 1.0.0 and 1.2.0": what the name's own source has, and what is
 * installed.
 */
void pp_explain_add_existing(struct pp_buf *b, const struct pp_known *k);
/* Why nothing satisfies dep, as a clause: "no source has it", "this application has 5.2.0". */
void pp_explain_add_missing(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);

/* "needs host:mishka <0.3; this application has 0.4.1": a requirement that nothing chosen meets. */
void pp_explain_add_unmet(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);
/* "conflicts with host:mishka >=0.4; this application has 0.4.1" */
void pp_explain_add_clash(struct pp_buf *b, const struct pp_load *l, const struct pp_dep *dep);

#endif
