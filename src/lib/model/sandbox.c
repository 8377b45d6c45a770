/* SPDX-License-Identifier: MIT */
/* {"sandbox": false}, or {"sandbox": {"writable": ["/srv/demo"], "connect": [5432]}}. */
#include "lib/model/sandbox.h"

#include "base/str.h"

#include <string.h>

#define ENTRIES_MAX 100
#define PORT_MAX    65535

/* Misspelt, a member would grant nothing, and nobody would know. */
static enum plugpkg_code
check_members(const struct pp_fields *f, const pp_json *j)
{
	for (void *it = pp_json_iter(j); it != NULL; it = pp_json_next(j, it)) {
		const char *name = pp_json_iter_key(it);

		if (strcmp(name, "writable") == 0 || strcmp(name, "connect") == 0)
			continue;
		PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));
		return pp_field_fail(
		    f, "sandbox", "there is no member '%s'; members are writable, connect", shown);
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
check_list(const struct pp_fields *f, const char *field, const pp_json *j, const char *what)
{
	if (j != NULL && (!pp_json_is(j, PP_JSON_ARRAY) || pp_json_len(j) > ENTRIES_MAX))
		return pp_field_kind(f, field, j, what);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_writable(const struct pp_fields *f, const pp_json *j, struct pp_sandbox_rules *out)
{
	enum plugpkg_code rc = check_list(f, "sandbox.writable", j, "a list of 100 paths at most");

	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(j); i++) {
		const char *path = pp_json_string(pp_json_at(j, i));
		if (path == NULL || *path == '\0')
			return pp_field_kind(f, "sandbox.writable", pp_json_at(j, i),
			    "a path such as \"/srv/demo\"");
		pp_strs_add(&out->writable, path);
	}
	return rc;
}

static enum plugpkg_code
read_ports(const struct pp_fields *f, const pp_json *j, struct pp_sandbox_rules *out)
{
	enum plugpkg_code rc =
	    check_list(f, "sandbox.connect", j, "a list of 100 TCP ports at most");

	for (size_t i = 0; rc == PLUGPKG_OK && i < pp_json_len(j); i++) {
		int64_t port = pp_json_integer(pp_json_at(j, i), 0);
		if (port < 1 || port > PORT_MAX)
			return pp_field_kind(
			    f, "sandbox.connect", pp_json_at(j, i), "a TCP port such as 5432");
		pp_vec_push(&out->ports, (unsigned)port);
	}
	return rc;
}

enum plugpkg_code
pp_sandbox_rules_read(const struct pp_fields *f, struct pp_sandbox_rules *out)
{
	const pp_json *j = pp_json_get(f->json, "sandbox");

	if (j == NULL)
		return PLUGPKG_OK;
	if (pp_json_is(j, PP_JSON_BOOL)) {
		out->is_off = !pp_json_get_bool(f->json, "sandbox");
		return PLUGPKG_OK;
	}
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_field_kind(
		    f, "sandbox", j, "false, or an object with \"writable\" and \"connect\"");
	enum plugpkg_code rc = check_members(f, j);
	if (rc == PLUGPKG_OK)
		rc = read_writable(f, pp_json_get(j, "writable"), out);
	return rc == PLUGPKG_OK ? read_ports(f, pp_json_get(j, "connect"), out) : rc;
}

void
pp_sandbox_rules_fini(struct pp_sandbox_rules *r)
{
	pp_strs_fini(&r->writable);
	pp_vec_free(&r->ports);
}
