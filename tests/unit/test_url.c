/* SPDX-License-Identifier: MIT */
/* Which URLs are taken, how they are shown, and which files they mean. */
#include "lib/net/url.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lib/net/fetch.h"
#include "tap.h"

static void
sound_urls_are_taken(void)
{
	static const char *const urls[] = {
		"http://example.org/",
		"https://example.org",
		"https://example.org:8443/repo/public",
		"http://user:p%40ss@example.org/",
		"http://[::1]:8080/x/",
		"http://10.0.0.1/~me/@scope/",
		"file:///srv/repo",
		"file://localhost/srv/repo%20of%20mine/",
	};

	for (size_t i = 0; i < PP_LEN(urls); i++)
		if (!CHECK(pp_url_valid(urls[i])))
			printf("# %s\n", urls[i]);
}

static void
other_urls_are_refused(void)
{
	static const char *const urls[] = {
		"",
		"example.org",
		"ftp://example.org/",
		"HTTP://example.org/",
		"http:/example.org",
		"http:///x",
		"http://user@/x",
		"http://exa mple.org/",
		"http://example.org/\r\nX: y",
		"http://example.org/\x7f",
		"http://ex\xc3\xa4mple.org/",
		"http://example.org/?q",
		"http://example.org/#f",
		"http://example.org:0/",
		"http://example.org:65536/",
		"http://example.org:8o/",
		"http://example.org:/",
		"http://a\\b/",
		"http://[::1/",
		"file://srv/repo",
		"file://",
		"file:///a%2fb",
		"file:///a%00b",
		"file:///a%zz",
	};

	for (size_t i = 0; i < PP_LEN(urls); i++)
		if (!CHECK(!pp_url_valid(urls[i])))
			printf("# %s\n", urls[i]);
	CHECK(!pp_url_valid(NULL));

	PP_AUTO_FREE char *big = pp_asprintf("http://example.org/%03000d", 0);
	CHECK(!pp_url_valid(big));
}

static void
user_and_password_are_never_shown(void)
{
	static const char *const rows[][2] = {
		{ "https://example.org/x", "https://example.org/x" },
		{ "https://me:pw@example.org/x", "https://example.org/x" },
		{ "https://me@example.org", "https://example.org" },
		{ "https://a:b@c:d@example.org:1/x@y", "https://example.org:1/x@y" },
		{ "https://example.org/x@y", "https://example.org/x@y" },
		{ "file:///srv/a@b", "file:///srv/a@b" },
		{ "no url", "no url" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *shown = pp_url_redacted(rows[i][0]);
		CHECK_STR(shown, rows[i][1]);
	}
}

static void
joining_makes_exactly_one_slash(void)
{
	static const char *const bases[] = { "http://h/r", "http://h/r/", "http://h/r//" };

	for (size_t i = 0; i < PP_LEN(bases); i++) {
		PP_AUTO_FREE char *url = pp_url_join(bases[i], "metadata/1.root.json");
		CHECK_STR(url, "http://h/r/metadata/1.root.json");
	}
}

static void
file_urls_mean_files_below_their_base(void)
{
	static const char *const rows[][3] = {
		{ "file:///srv/r", "a/b", "/srv/r/a/b" },
		{ "file:///srv/r/", "a%2Bb", "/srv/r/a+b" },
		{ "file://localhost/srv/my%20r", "a", "/srv/my r/a" },
		{ "file:///", "a", "/a" },
		{ "file:///srv/r", "1...%3Fx.json", "/srv/r/1...?x.json" },
		{ "file:///srv/r", "../a", NULL },
		{ "file:///srv/r", "a/%2e%2e/b", NULL },
		{ "file:///srv/r", "1...%2Fx.json", NULL },
		{ "file:///srv/r", "a%00b", NULL },
		{ "file:///srv/r", "a%", NULL },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *file = pp_url_file(rows[i][0], rows[i][1]);
		CHECK_STR(file, rows[i][2]);
	}
}

TAP_MAIN(
    CASE(sound_urls_are_taken) CASE(other_urls_are_refused) CASE(user_and_password_are_never_shown)
	CASE(joining_makes_exactly_one_slash) CASE(file_urls_mean_files_below_their_base))
