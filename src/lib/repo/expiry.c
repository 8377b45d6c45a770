/* SPDX-License-Identifier: MIT */
/* When the published metadata expires, and what renews it. */
#include "lib/repo/expiry.h"
#include "base/mem.h"
#include "base/time.h"
#include "lib/model/context.h"
#include "lib/repo/root.h"

#include <string.h>

#define SECONDS_A_DAY 86400
#define MOST_DUE_DAYS 30
#define REFRESH       "plugpkg-repo refresh"

static const char *const renewals[PP_N_ROLES] = {
	[PP_ROLE_ROOT] = "plugpkg-repo sign --renew root",
	[PP_ROLE_TARGETS] = "plugpkg-repo sign --renew targets",
	[PP_ROLE_INDEX] = REFRESH,
	[PP_ROLE_SNAPSHOT] = REFRESH,
	[PP_ROLE_TIMESTAMP] = REFRESH,
};

/* The most urgent failure that was met. */
struct looking {
	plugpkg_repo *repo;
	int64_t within_days;
	bool only_offline; /* roles that refresh does not renew */
	size_t due;
	enum pp_role expired; /* the last one, PP_N_ROLES = none */
	plugpkg_row_fn row;
	void *user;
};

/* By default in the last third of its life, yet not more than a month before its end. */
static int64_t
margin(const struct looking *l, enum pp_role role)
{
	int64_t life = pp_repo_expiry(l->repo, role) - l->repo->now;

	if (l->within_days >= 0)
		return l->within_days * SECONDS_A_DAY;
	return life / 3 < MOST_DUE_DAYS * SECONDS_A_DAY ? life / 3 : MOST_DUE_DAYS * SECONDS_A_DAY;
}

static void
look_at(struct looking *l, enum pp_role role, const pp_json *body)
{
	const char *text = pp_json_get_str(body, "expires");
	const char *status = "good";
	int64_t expires = 0;

	if (pp_time_parse(pp_str_of(text), &expires) < 0)
		expires = 0;
	int64_t left = expires - l->repo->now;
	if (left <= 0)
		status = "expired";
	else if (left < margin(l, role))
		status = "due";
	if (left <= 0)
		l->expired = role;
	l->due += *status != 'g';
	if (l->only_offline && *status == 'g')
		return;
	pp_json *j = pp_row_new("expiry");
	pp_json_set_str(j, "role", pp_role_names[role]);
	pp_json_set_int(j, "version", pp_json_get_int(body, "version", 0));
	pp_json_set_str(j, "expires", text);
	pp_json_set_int(j, "seconds_left", left > 0 ? left : 0);
	pp_json_set_str(j, "status", status);
	pp_json_set_str(j, "renew", renewals[role]);
	pp_row(l->row, l->user, j);
}

static enum plugpkg_code
look(struct looking *l, plugpkg_error **err)
{
	static const enum pp_role roles[] = { PP_ROLE_TARGETS, PP_ROLE_INDEX, PP_ROLE_SNAPSHOT,
		PP_ROLE_TIMESTAMP };
	PP_CLEANUP(pp_root_fini) struct pp_root root = { 0 };
	struct pp_published was;

	enum plugpkg_code rc = pp_root_read(l->repo, &root, err);
	if (rc == PLUGPKG_OK)
		rc = pp_published_read(l->repo, NULL, &was, err);
	if (rc != PLUGPKG_OK)
		return rc;
	look_at(l, PP_ROLE_ROOT, root.body);
	for (size_t i = 0; rc == PLUGPKG_OK && i < (l->only_offline ? 1 : PP_LEN(roles)); i++) {
		PP_AUTO_JSON pp_json *file = NULL;
		const pp_json *body = NULL;
		rc = pp_published_load(l->repo, &was, roles[i], &file, &body, err);
		if (rc == PLUGPKG_OK)
			look_at(l, roles[i], body);
	}
	return rc;
}

enum plugpkg_code
pp_expiry_warn(plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	struct looking l = { .repo = repo, .within_days = -1, .only_offline = true };

	l.row = row;
	l.user = user;
	return look(&l, err);
}

enum plugpkg_code
plugpkg_repo_expiry(plugpkg_repo *repo, int64_t within_days, size_t *out_due, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	struct looking l = { .repo = repo, .within_days = within_days, .expired = PP_N_ROLES };

	l.row = row;
	l.user = user;
	enum plugpkg_code rc = look(&l, err);
	*out_due = l.due;
	if (rc != PLUGPKG_OK || l.expired == PP_N_ROLES)
		return rc;
	pp_fail(err, PLUGPKG_E_EXPIRED, 0, "%s has expired", pp_role_names[l.expired]);
	return pp_hint(err, PLUGPKG_E_EXPIRED, "renew it: %s%s", renewals[l.expired],
	    l.expired <= PP_ROLE_TARGETS ? ", then plugpkg-repo publish" : "");
}
