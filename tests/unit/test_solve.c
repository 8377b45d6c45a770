/* SPDX-License-Identifier: MIT */
/*
 * What scenarios cannot say: which names are asked for, failing sources, cancelling, very many
 * versions.
 */
#include "lib/solve/solve.h"
#include "tap.h"

#include <signal.h>

/*
 * A source that makes its releases up: chain-N requires chain-(N-1); "many" has very many
 * versions.
 */
struct invented {
	size_t n_asked;
	bool fails;
	plugpkg_context *cancels;
};

static struct pp_release *
release(const char *name, const char *json)
{
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(json, strlen(json), &why);
	struct pp_release *r = NULL;

	if (j == NULL ||
	    pp_release_parse(j, name, "test", PLUGPKG_E_BAD_METADATA, &r, NULL) != PLUGPKG_OK)
		abort();
	return r;
}

static enum plugpkg_code
invent(void *user, const char *name, struct pp_releases *out, struct pp_strs *out_providers,
    plugpkg_error **err)
{
	struct invented *v = user;
	uint64_t n;

	(void)out_providers; /* nothing is virtual here */
	v->n_asked++;
	if (v->fails)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "shard is damaged");
	if (v->cancels != NULL)
		atomic_store(&v->cancels->cancelled, 1);
	if (pp_starts_with(name, "chain-") &&
	    pp_parse_u64(pp_str_of(name + strlen("chain-")), 1000, &n) == 0) {
		PP_AUTO_FREE char *json =
		    n == 0
			? pp_xstrdup("{\"version\":\"1.0.0\"}")
			: pp_asprintf("{\"version\":\"1.0.0\",\"requires\":{\"chain-%u\":\"^1\"}}",
			      (unsigned)n - 1);
		pp_vec_push(out, release(name, json));
	}
	for (unsigned i = 0; strcmp(name, "many") == 0 && i < 3000; i++) {
		PP_AUTO_FREE char *json =
		    pp_asprintf("{\"version\":\"%u.%u.0\"}", i / 1500, i % 1500);
		pp_vec_push(out, release(name, json));
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
names(void *user, struct pp_strs *out, plugpkg_error **err)
{
	const struct invented *v = user;

	if (v->fails)
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "shard is damaged");
	pp_strs_add(out, "chain-7");
	return PLUGPKG_OK;
}

static enum plugpkg_code
install(struct invented *v, const char *target, struct pp_plan *plan, plugpkg_error **err)
{
	struct pp_solve_source source = { "main", 500, v, invent, names, NULL };
	struct pp_solve_world world = { .sources = &source, .n_sources = 1 };
	struct pp_target t;

	if (pp_target_parse(target, &t, err) != PLUGPKG_OK)
		return PLUGPKG_E_FAILED;
	struct pp_solve_request q = { .verb = PLUGPKG_INSTALL, .targets = &t, .n_targets = 1 };
	enum plugpkg_code rc = pp_solve(v->cancels, &world, &q, plan, err);
	pp_target_fini(&t);
	return rc;
}

static void
only_names_in_reach_are_asked_for(void)
{
	struct invented v = { 0 };
	struct pp_plan *plan = pp_plan_new();

	CHECK_INT(install(&v, "chain-40", plan, NULL), PLUGPKG_OK);
	CHECK_INT(v.n_asked, 41);
	if (CHECK_INT(plan->steps.n, 41)) {
		CHECK_STR(plan->steps.at[0].name, "chain-0");
		CHECK_STR(plan->steps.at[40].name, "chain-40");
		CHECK_INT(plan->steps.at[40].depth, 40);
	}
	pp_plan_free(plan);
}

static void
a_source_that_fails_is_the_error(void)
{
	struct invented v = { .fails = true };
	struct pp_plan *plan = pp_plan_new();
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(install(&v, "chain-1", plan, &err), PLUGPKG_E_DIGEST);
	CHECK_STR(plugpkg_error_message(err), "shard is damaged");
	pp_plan_free(plan);
}

static void
a_cancelled_request_ends(void)
{
	plugpkg_context ctx = { .root_fd = -1, .lock_fd = -1 };
	struct invented v = { .cancels = &ctx };
	struct pp_plan *plan = pp_plan_new();
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(install(&v, "chain-20", plan, &err), PLUGPKG_E_INTERRUPTED);
	CHECK_INT(plan->steps.n, 0);
	pp_plan_free(plan);
}

static void
near_names_come_from_the_sources(void)
{
	struct invented v = { 0 };
	struct pp_plan *plan = pp_plan_new();
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(install(&v, "chian-7", plan, &err), PLUGPKG_E_NOT_FOUND);
	CHECK_STR(plugpkg_error_message(err), "unknown plugin 'chian-7'");
	CHECK_STR(plugpkg_error_hint(err), "did you mean 'chain-7'?");
	CHECK_STR(plugpkg_error_subject(err), "chian-7");
	pp_plan_free(plan);
}

static void
very_many_versions_are_no_burden_and_none_is_lost(void)
{
	static const char *const targets[][2] = {
		{ "many", "1.1499.0" },
		{ "many@<1", "0.1499.0" },
		{ "many@0.7.0", "0.7.0" },
		{ "many@>=1.5 <1.10", "1.9.0" },
	};

	for (size_t i = 0; i < PP_LEN(targets); i++) {
		struct invented v = { 0 };
		struct pp_plan *plan = pp_plan_new();

		CHECK_INT(install(&v, targets[i][0], plan, NULL), PLUGPKG_OK);
		if (CHECK_INT(plan->steps.n, 1))
			CHECK_STR(plan->steps.at[0].version, targets[i][1]);
		pp_plan_free(plan);
	}
}

static void
a_host_that_ignores_its_children_is_served(void)
{
	struct invented v = { 0 };
	struct pp_plan *plan = pp_plan_new();
	void (*old)(int) = signal(SIGCHLD, SIG_IGN);

	CHECK_INT(install(&v, "chain-1", plan, NULL), PLUGPKG_OK);
	CHECK_INT(plan->steps.n, 2);
	(void)signal(SIGCHLD, old);
	pp_plan_free(plan);
}

TAP_MAIN(CASE(only_names_in_reach_are_asked_for) CASE(a_source_that_fails_is_the_error)
	CASE(a_cancelled_request_ends) CASE(near_names_come_from_the_sources)
	    CASE(very_many_versions_are_no_burden_and_none_is_lost)
		CASE(a_host_that_ignores_its_children_is_served))
