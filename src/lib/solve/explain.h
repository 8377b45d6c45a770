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

/*
 * The causes, first things first, without doubles; never none. Appended to an array, each
 * {"text":SENTENCE,"kind":…} and, where it applies, "plugin", "versions", "needs":{"name","range"}
 * and "reason", a word of pp_missing_words or slot words (missing.h).
 */
void pp_explain(const struct pp_load *l, const struct pp_facts *facts, pp_json *out);

#endif
