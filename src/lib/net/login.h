/* SPDX-License-Identifier: MIT */
/*
 * Users and passwords of servers: from plugpkg.json or a netrc file, each for one origin. They go
 * to the helper with the request and nowhere else.
 */
#ifndef PP_NET_LOGIN_H
#define PP_NET_LOGIN_H

#include "base/str.h"
#include "base/vec.h"
#include "lib/model/context.h"

struct pp_login {
	char *machine; /* an origin, or HOST or HOST:PORT of a netrc file, which mean https */
	char *user, *password; /* NULL = none */
	char *token;           /* instead of both */
};
struct pp_logins pp_vec(struct pp_login);

/*
 * Appends the entries of a netrc file. `default` is for no origin in particular and is skipped,
 * like what is no netrc at all.
 */
void pp_netrc_parse(struct pp_str text, struct pp_logins *out);
void pp_logins_fini(struct pp_logins *l);

/*
 * Everything that is known: "network.login" of plugpkg.json first, then $NETRC, or ~/.netrc where
 * that is not set. ctx may be NULL. A ~/.netrc that cannot be read is a warning. Errors: BAD_CONFIG
 * IO PERMISSION of files that were named.
 */
enum plugpkg_code pp_logins_load(plugpkg_context *ctx, struct pp_logins *out, plugpkg_error **err);
/* The one for the origin of this URL; NULL when there is none, or the URL has its own. View. */
const struct pp_login *pp_logins_find(const struct pp_logins *l, const char *url);

#endif
