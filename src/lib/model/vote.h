/* SPDX-License-Identifier: MIT */
/* What dependents say to a plan, before anybody confirms it: design.md, "Dependents decide". */
#ifndef PP_MODEL_VOTE_H
#define PP_MODEL_VOTE_H

#include "base/json.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"

enum pp_said {
	PP_SAID_GO,    /* I go too; of upgrade-before: go on */
	PP_SAID_STAY,  /* I stay and detach */
	PP_SAID_VETO,  /* it must not leave */
	PP_SAID_DELAY, /* upgrade-before: not yet */
	PP_SAID_NONE,  /* it was not asked: it has no handler */
	PP_N_SAID
};
extern const char *const pp_said_names[PP_N_SAID]; /* "go", "stay", "veto", "delay", "none" */

struct pp_vote {
	enum pp_on event;     /* PP_ON_UNINSTALL_BEFORE or PP_ON_UPGRADE_BEFORE */
	char *key, *version;  /* the dependent */
	char *plugin;         /* key of what leaves or is upgraded */
	char *plugin_version; /* installed now */
	char *new_version;    /* or NULL: it leaves */
	char *requirement;    /* the name by which the dependent requires it */
	char *text;           /* its reason, ready to print; or NULL */
	int64_t until;        /* DELAY: Unix seconds */
	enum pp_said said;
	bool is_forced; /* a veto or delay that somebody overrode; STAY: a veto, and it stays */
};
struct pp_votes pp_vec(struct pp_vote);
void pp_votes_fini(struct pp_votes *v);
struct pp_vote *pp_votes_add(struct pp_votes *v, const struct pp_vote *copied);
/* What this dependent said to the removal of this plugin, or NULL. */
struct pp_vote *pp_votes_get(const struct pp_votes *v, const char *key, const char *plugin);
/* Rows of type "vote". */
void pp_votes_to_rows(const struct pp_votes *v, plugpkg_row_fn row, void *user);
/* For the journal, and back; what is damaged is left out. */
pp_json *pp_votes_to_json(const struct pp_votes *v);
void pp_votes_from_json(const pp_json *j, struct pp_votes *out);

#endif
