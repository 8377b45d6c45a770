/* SPDX-License-Identifier: MIT */
/* {"network": {"jobs": 8, "login": {"https://x.example": {…}}}, "cache": {"max-size": "1 GB"}}. */
#include "lib/model/network.h"

#include "base/mem.h"
#include "lib/model/log_rules.h"

#include <string.h>

#define RETRIES_MAX 10
#define LOGINS_MAX  1000

static char *
copy(const pp_json *j, const char *key)
{
	const char *text = pp_json_get_str(j, key);

	return text != NULL ? pp_xstrdup(text) : NULL;
}

static enum plugpkg_code
read_count(const struct pp_fields *f, const char *field, int64_t least, int64_t most, unsigned *out)
{
	const pp_json *j = pp_json_get(pp_json_get(f->json, "network"), strchr(field, '.') + 1);
	int64_t n = pp_json_integer(j, least - 1);

	if (j == NULL)
		return PLUGPKG_OK;
	if (n < least || n > most)
		return pp_field_fail(
		    f, field, "must be a number from %d to %d", (int)least, (int)most);
	*out = (unsigned)n;
	return PLUGPKG_OK;
}

/* http(s)://HOST or http(s)://HOST:PORT and no more: a login is bound to nothing smaller. */
static bool
is_origin(const char *text)
{
	const char *host = NULL;

	if (pp_starts_with(text, "https://"))
		host = text + strlen("https://");
	else if (pp_starts_with(text, "http://"))
		host = text + strlen("http://");
	return host != NULL && *host != '\0' && strpbrk(host, "/@?# ") == NULL;
}

/* All members texts of known names. Values are secrets: they stand in no message. */
static bool
is_login(const pp_json *j)
{
	static const char *const known[] = { "user", "password", "password-file", "token",
		"token-file" };

	if (!pp_json_is(j, PP_JSON_OBJECT))
		return false;
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *text = pp_json_string(pp_json_iter_value(it));
		bool is_known = false;

		for (size_t i = 0; i < PP_LEN(known); i++)
			is_known = is_known || strcmp(known[i], pp_json_iter_key(it)) == 0;
		if (!is_known || text == NULL || *text == '\0' || strpbrk(text, "\r\n") != NULL)
			return false;
	}
	bool has_user = pp_json_get(j, "user") != NULL;
	int secrets =
	    (pp_json_get(j, "password") != NULL) + (pp_json_get(j, "password-file") != NULL);
	int tokens = (pp_json_get(j, "token") != NULL) + (pp_json_get(j, "token-file") != NULL);
	return has_user ? secrets == 1 && tokens == 0 : secrets == 0 && tokens == 1;
}

static enum plugpkg_code
read_login(
    const struct pp_fields *f, const char *origin, const pp_json *j, struct pp_network_rules *out)
{
	if (!is_origin(origin)) {
		const char *at = strrchr(origin, '@'); /* before it may stand a password */
		PP_AUTO_FREE char *shown =
		    pp_shown(at != NULL ? at + 1 : origin, strlen(at != NULL ? at + 1 : origin));
		return pp_field_fail(f, "network.login",
		    "'%s' is no origin: write https://HOST or https://HOST:PORT and nothing more",
		    shown);
	}
	if (!is_login(j))
		return pp_field_fail(f, "network.login",
		    "the login of '%s' must have \"user\" and \"password\" or \"password-file\", "
		    "or "
		    "else \"token\" or \"token-file\", all texts",
		    origin);

	struct pp_network_login *l = pp_vec_new(&out->logins);

	*l = (struct pp_network_login){
		.origin = pp_xstrdup(origin),
		.user = copy(j, "user"),
		.password = copy(j, "password"),
		.password_file = copy(j, "password-file"),
		.token = copy(j, "token"),
		.token_file = copy(j, "token-file"),
	};
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_logins(const struct pp_fields *f, const pp_json *j, struct pp_network_rules *out)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (j == NULL)
		return PLUGPKG_OK;
	if (!pp_json_is(j, PP_JSON_OBJECT) || pp_json_len(j) > LOGINS_MAX)
		return pp_field_fail(f, "network.login",
		    "must be an object of origins, such as \"https://plugins.example.org\"");
	for (void *it = pp_json_iter(j); rc == PLUGPKG_OK && it != NULL; it = pp_json_next(j, it))
		rc = read_login(f, pp_json_iter_key(it), pp_json_iter_value(it), out);
	return rc;
}

/* Whether there is such a user is known when somebody has to become it. */
static enum plugpkg_code
read_user(const struct pp_fields *f, const pp_json *j, struct pp_network_rules *out)
{
	const char *name = pp_json_string(j);

	if (j == NULL)
		return PLUGPKG_OK;
	if (name == NULL || *name == '\0')
		return pp_field_kind(f, "network.user", j, "the name of a user");
	out->user = pp_xstrdup(name);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_cache(const struct pp_fields *f, struct pp_network_rules *out)
{
	const pp_json *cache = pp_json_get(f->json, "cache");
	const pp_json *size = pp_json_get(cache, "max-size");

	if (cache != NULL && !pp_json_is(cache, PP_JSON_OBJECT))
		return pp_field_kind(f, "cache", cache, "an object");
	if (size != NULL && !pp_rules_size(size, 0, &out->cache_bytes))
		return pp_field_fail(f, "cache.max-size",
		    "must be bytes or a text like \"500 MB\"; 0 keeps nothing");
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_network_rules_read(const struct pp_fields *f, struct pp_network_rules *out)
{
	const pp_json *network = pp_json_get(f->json, "network");

	*out = (struct pp_network_rules){
		.jobs = PP_NETWORK_JOBS_USUAL,
		.per_mirror = PP_NETWORK_PER_MIRROR_USUAL,
		.retries = PP_NETWORK_RETRIES_USUAL,
		.cache_bytes = PP_NETWORK_CACHE_BYTES_USUAL,
	};
	if (network != NULL && !pp_json_is(network, PP_JSON_OBJECT))
		return pp_field_kind(f, "network", network, "an object");
	enum plugpkg_code rc = read_count(f, "network.jobs", 1, PP_NETWORK_JOBS_MAX, &out->jobs);
	if (rc == PLUGPKG_OK)
		rc = read_count(f, "network.per-mirror", 1, PP_NETWORK_JOBS_MAX, &out->per_mirror);
	if (rc == PLUGPKG_OK)
		rc = read_count(f, "network.retries", 0, RETRIES_MAX, &out->retries);
	if (rc == PLUGPKG_OK)
		rc = read_user(f, pp_json_get(network, "user"), out);
	if (rc == PLUGPKG_OK)
		rc = read_logins(f, pp_json_get(network, "login"), out);
	return rc == PLUGPKG_OK ? read_cache(f, out) : rc;
}

void
pp_network_rules_fini(struct pp_network_rules *r)
{
	free(r->user);
	pp_vec_foreach (l, &r->logins) {
		free(l->origin);
		free(l->user);
		free(l->password);
		free(l->password_file);
		free(l->token);
		free(l->token_file);
	}
	pp_vec_free(&r->logins);
}
