/* SPDX-License-Identifier: MIT */
/*
 * URLs of sources: "BASE\nPATH". One that is accepted shows no password when it is printed, and has
 * one origin; no path leaves the directory that a file:// URL names.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/net/fetch.h"
#include "lib/net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_shown(const char *url)
{
	PP_AUTO_FREE char *shown = pp_url_redacted(url);
	PP_AUTO_FREE char *origin = pp_url_origin(url);

	if (pp_url_has_user(shown))
		abort();
	if (pp_url_is_file(url) != (origin == NULL))
		abort();
	if (origin == NULL)
		return;
	PP_AUTO_FREE char *of_shown = pp_url_origin(shown);
	if (of_shown == NULL || strcmp(origin, of_shown) != 0 || strchr(origin, '@') != NULL)
		abort();
}

static void
check_file(const char *base, const char *path)
{
	PP_AUTO_FREE char *below = pp_url_file(base, path);
	PP_AUTO_FREE char *top = pp_url_file(base, "");

	if (below == NULL || top == NULL)
		return;
	if (below[0] != '/' || strstr(below + strlen(top), "/../") != NULL ||
	    pp_ends_with(below + strlen(top), "/.."))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_FREE char *text = pp_xstrndup((const char *)data, size);
	size_t n = strcspn(text, "\n");
	PP_AUTO_FREE char *base = pp_xstrndup(text, n);
	const char *path = text[n] == '\n' ? text + n + 1 : "";

	if (!pp_url_valid(base))
		return 0;
	check_shown(base);
	PP_AUTO_FREE char *joined = pp_url_join(base, path);
	if (strlen(joined) < strlen(path))
		abort();
	if (pp_url_is_file(base))
		check_file(base, path);
	return 0;
}
