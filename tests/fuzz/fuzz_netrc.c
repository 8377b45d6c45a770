/* SPDX-License-Identifier: MIT */
/* A netrc file of any bytes: entries are whole, and only what is bound to the URL is found. */
#include <stdlib.h>
#include <string.h>

#include "lib/net/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_logins l = { 0 };

	pp_netrc_parse((struct pp_str){ (const char *)data, size }, &l);
	const struct pp_login *one = pp_logins_find(&l, "https://h.example:8443/x");
	if (one != NULL && (one->machine == NULL || (one->user == NULL && one->token == NULL)))
		abort();
	if (one != NULL && strcasestr(one->machine, "h.example") == NULL)
		abort();
	pp_logins_fini(&l);
	return 0;
}
