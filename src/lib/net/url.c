/* SPDX-License-Identifier: MIT */
/*
 * URLs: a narrow form is accepted, so that libcurl, servers and messages never read two things in
 * one.
 */
#include <string.h>
#include <strings.h>

#include "lib/net/fetch.h"
#include "lib/net/url.h"

#define FILE_SCHEME "file://"

bool
pp_url_is_file(const char *url)
{
	return pp_starts_with(url, FILE_SCHEME);
}

/* Visible ASCII without what RFC 3986 keeps out of URLs, and without query and fragment. */
static bool
has_sound_bytes(const char *url)
{
	size_t n = strlen(url);

	if (n > PP_URL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (url[i] <= ' ' || url[i] > '~' || strchr("\"<>\\^`{|}?#", url[i]) != NULL)
			return false;
	return true;
}

static bool
is_host(struct pp_str host)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-";
	static const char ipv6[] = "0123456789abcdefABCDEF:.";
	const char *allowed = plain;

	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = (struct pp_str){ host.p + 1, host.n - 2 };
		allowed = ipv6;
	}
	for (size_t i = 0; i < host.n; i++)
		if (strchr(allowed, host.p[i]) == NULL)
			return false;
	return host.n > 0 && host.n <= 255;
}

/* USER:PASSWORD@HOST:PORT without what stands before the last @. */
static struct pp_str
without_user(struct pp_str authority)
{
	const char *at = memrchr(authority.p, '@', authority.n);

	if (at == NULL)
		return authority;
	return (struct pp_str){ at + 1, authority.n - (size_t)(at + 1 - authority.p) };
}

static bool
is_authority(struct pp_str authority)
{
	struct pp_str host = without_user(authority);
	const char *colon = memrchr(host.p, ':', host.n);
	uint64_t port;

	/* Inside the brackets of an IPv6 address no colon starts a port. */
	if (colon != NULL && memchr(colon, ']', host.n - (size_t)(colon - host.p)) == NULL) {
		struct pp_str digits = { colon + 1, host.n - (size_t)(colon + 1 - host.p) };

		if (pp_parse_u64(digits, 65535, &port) < 0 || port == 0)
			return false;
		host.n = (size_t)(colon - host.p);
	}
	return is_host(host);
}

bool
pp_url_valid(const char *url)
{
	if (url == NULL || !has_sound_bytes(url))
		return false;
	if (pp_url_is_file(url)) {
		PP_AUTO_FREE char *file = pp_url_file(url, "");
		return file != NULL;
	}
	if (!pp_starts_with(url, "http://") && !pp_starts_with(url, "https://"))
		return false;
	const char *authority = strstr(url, "://") + 3;
	return is_authority((struct pp_str){ authority, strcspn(authority, "/") });
}

char *
pp_url_redacted(const char *url)
{
	const char *scheme_end = strstr(url, "://");

	if (scheme_end == NULL)
		return pp_xstrdup(url);
	const char *authority = scheme_end + 3;
	size_t n = strcspn(authority, "/?#");
	struct pp_str shown = without_user((struct pp_str){ authority, n });

	return pp_asprintf(
	    "%.*s%.*s%s", (int)(authority - url), url, (int)shown.n, shown.p, authority + n);
}

bool
pp_url_has_user(const char *url)
{
	const char *authority = strstr(url, "://");

	return authority != NULL &&
	       memchr(authority + 3, '@', strcspn(authority + 3, "/?#")) != NULL;
}

char *
pp_url_origin(const char *url)
{
	bool is_https = strncasecmp(url, "https://", 8) == 0;
	const char *usual = is_https ? ":443" : ":80";

	if (!is_https && strncasecmp(url, "http://", 7) != 0)
		return NULL;
	const char *authority = strstr(url, "://") + 3;
	struct pp_str host = without_user((struct pp_str){ authority, strcspn(authority, "/?#") });
	PP_AUTO_FREE char *origin =
	    pp_asprintf("%s://%.*s", is_https ? "https" : "http", (int)host.n, host.p);

	for (char *p = origin; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (pp_ends_with(origin, usual))
		origin[strlen(origin) - strlen(usual)] = '\0';
	return pp_steal(&origin);
}

char *
pp_url_join(const char *base, const char *path)
{
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		n--;
	return pp_asprintf("%.*s/%s", (int)n, base, path);
}

/* The byte that %XY stands for; -1 when X or Y is no hex digit. */
static int
decode_escape(const char *digits)
{
	char hex[2];
	uint8_t byte;

	for (size_t i = 0; i < sizeof(hex); i++) {
		bool is_upper = digits[i] >= 'A' && digits[i] <= 'F';

		hex[i] = (char)(is_upper ? digits[i] - 'A' + 'a' : digits[i]);
		if (hex[i] == '\0')
			return -1;
	}
	return pp_unhex((struct pp_str){ hex, sizeof(hex) }, &byte, 1) < 0 ? -1 : byte;
}

/* Appends s with its escapes resolved; false when one of them is broken or makes a slash or NUL. */
static bool
add_decoded(struct pp_buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		int byte = (unsigned char)*s;

		if (byte == '%') {
			byte = decode_escape(s + 1);
			if (byte <= 0 || byte == '/')
				return false;
			s += 2;
		}
		pp_buf_addc(out, (char)byte);
	}
	return !out->overflow;
}

static bool
leaves_base(const char *path)
{
	struct pp_str rest = pp_str_of(path), part;

	while (pp_str_cut(&rest, '/', &part))
		if (pp_str_eq(part, ".."))
			return true;
	return false;
}

char *
pp_url_file(const char *base, const char *path)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(2 * PP_URL_MAX_BYTES);
	PP_AUTO_BUF struct pp_buf below = PP_BUF_INIT(2 * PP_URL_MAX_BYTES);
	const char *dir = base + strlen(FILE_SCHEME);

	if (pp_starts_with(dir, "localhost/"))
		dir += strlen("localhost");
	if (dir[0] != '/' || !add_decoded(&file, dir) || !add_decoded(&below, path))
		return NULL;
	if (leaves_base(pp_buf_cstr(&below)))
		return NULL;
	return pp_url_join(file.s, pp_buf_cstr(&below));
}
