/* SPDX-License-Identifier: MIT */
/* Finds the login of an origin. No message of this file holds a value that it read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_text.h"
#include "base/fd.h"
#include "lib/net/login.h"
#include "lib/net/url.h"

#define NETRC_MAX_BYTES  (1024 * 1024)
#define NETRC_MAX        10000
#define TOKEN_MAX_BYTES  4096
#define SECRET_MAX_BYTES 16384

static void
login_fini(struct pp_login *l)
{
	free(l->machine);
	free(l->user);
	free(l->password);
	free(l->token);
}

void
pp_logins_fini(struct pp_logins *l)
{
	pp_vec_foreach (one, l)
		login_fini(one);
	pp_vec_free(l);
}

/* ---- netrc ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_line(struct pp_str *s)
{
	while (s->n > 0 && *s->p != '\n')
		s->p++, s->n--;
}

static void
skip_blanks(struct pp_str *s)
{
	while (s->n > 0 && is_blank(*s->p))
		s->p++, s->n--;
}

/* One word, or one in double quotes with \ before what stands for itself. False at the end. */
static bool
next_word(struct pp_str *s, struct pp_buf *out)
{
	pp_buf_clear(out);
	skip_blanks(s);
	if (s->n == 0)
		return false;
	bool is_quoted = *s->p == '"';
	if (is_quoted)
		s->p++, s->n--;
	while (s->n > 0 && (is_quoted ? *s->p != '"' : !is_blank(*s->p))) {
		if (*s->p == '\\' && s->n > 1 && is_quoted)
			s->p++, s->n--;
		pp_buf_addc(out, *s->p);
		s->p++, s->n--;
	}
	if (is_quoted && s->n > 0)
		s->p++, s->n--;
	return true;
}

/* A macro goes on to the next empty line. */
static void
skip_macro(struct pp_str *s)
{
	while (s->n > 0) {
		skip_line(s);
		if (s->n > 0)
			s->p++, s->n--;
		if (s->n > 0 && *s->p == '\n')
			return;
	}
}

static void
set(char **place, const struct pp_buf *value)
{
	free(*place);
	*place = value->overflow ? NULL : pp_xstrdup(pp_buf_cstr(value));
}

/* What follows the word that was read. `now` is the entry that is being filled, or NULL. */
static struct pp_login *
read_entry(struct pp_str *s, struct pp_buf *word, struct pp_logins *out, struct pp_login *now)
{
	const char *key = pp_buf_cstr(word);
	bool is_machine = strcmp(key, "machine") == 0;
	char **place = NULL;

	if (key[0] == '#')
		skip_line(s);
	else if (strcmp(key, "macdef") == 0)
		skip_macro(s);
	else if (strcmp(key, "default") == 0)
		return NULL;
	else if (is_machine && out->n < NETRC_MAX) {
		now = pp_vec_new(out);
		place = &now->machine;
	} else if (strcmp(key, "login") == 0 || strcmp(key, "password") == 0 ||
		   strcmp(key, "account") == 0 || is_machine) {
		bool is_login = key[0] == 'l', is_password = key[0] == 'p';
		if (now != NULL && (is_login || is_password))
			place = is_login ? &now->user : &now->password;
		if (!next_word(s, word))
			return now;
		if (place != NULL)
			set(place, word);
		return now;
	}
	if (place != NULL && next_word(s, word))
		set(place, word);
	return now;
}

void
pp_netrc_parse(struct pp_str text, struct pp_logins *out)
{
	PP_AUTO_BUF struct pp_buf word = PP_BUF_INIT(TOKEN_MAX_BYTES);
	struct pp_login *now = NULL;

	while (next_word(&text, &word))
		now = read_entry(&text, &word, out, now);
}

/* ---- files ---- */

static int
read_path(int dir_fd, const char *path, struct pp_buf *out)
{
	PP_AUTO_FD int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : pp_fd_read_all(fd, out);
}

static enum plugpkg_code
load_netrc(plugpkg_context *ctx, struct pp_logins *out, plugpkg_error **err)
{
	const char *named = secure_getenv("NETRC"), *home = secure_getenv("HOME");
	bool is_named = named != NULL && *named != '\0';
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(NETRC_MAX_BYTES);

	if (!is_named && (home == NULL || *home != '/'))
		return PLUGPKG_OK;
	PP_AUTO_FREE char *path = is_named ? pp_xstrdup(named) : pp_asprintf("%s/.netrc", home);
	int r = read_path(AT_FDCWD, path, &text);
	if (r == 0) {
		pp_netrc_parse((struct pp_str){ pp_buf_cstr(&text), text.n }, out);
		return PLUGPKG_OK;
	}
	if (is_named) {
		enum plugpkg_code rc =
		    pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s', which NETRC names", path);
		return pp_hint(err, rc,
		    "make it readable for who runs plugpkg, or unset NETRC to go on without it");
	}
	if (r != -ENOENT && r != -ENOTDIR)
		pp_warn(ctx, NULL,
		    "cannot read '%s': %s; no login of it is used, make it readable or move it "
		    "away",
		    path, pp_errno_text(-r));
	return PLUGPKG_OK;
}

/* The first line of a file that plugpkg.json names. */
static enum plugpkg_code
read_secret(plugpkg_context *ctx, const char *path, char **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(SECRET_MAX_BYTES);
	int r = read_path(ctx->root_fd, path, &text);
	const char *s = pp_buf_cstr(&text);

	if (r == 0) {
		*out = pp_xstrndup(s, strcspn(s, "\r\n"));
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_IO, -r,
	    "cannot read '%s', which \"network\" in plugpkg.json names for a login", path);
	return pp_hint(err, rc, "make it readable for who runs plugpkg, or take the login out");
}

static enum plugpkg_code
load_configured(plugpkg_context *ctx, const struct pp_network_login *c, struct pp_logins *out,
    plugpkg_error **err)
{
	struct pp_login *l = pp_vec_new(out);
	enum plugpkg_code rc = PLUGPKG_OK;

	*l = (struct pp_login){ .machine = pp_xstrdup(c->origin) };
	if (c->user != NULL)
		l->user = pp_xstrdup(c->user);
	if (c->password != NULL)
		l->password = pp_xstrdup(c->password);
	if (c->token != NULL)
		l->token = pp_xstrdup(c->token);
	if (c->password_file != NULL)
		rc = read_secret(ctx, c->password_file, &l->password, err);
	if (rc == PLUGPKG_OK && c->token_file != NULL)
		rc = read_secret(ctx, c->token_file, &l->token, err);
	return rc;
}

enum plugpkg_code
pp_logins_load(plugpkg_context *ctx, struct pp_logins *out, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	if (ctx != NULL && ctx->config != NULL)
		pp_vec_foreach (c, &ctx->config->network.logins)
			if (rc == PLUGPKG_OK)
				rc = load_configured(ctx, c, out, err);
	return rc == PLUGPKG_OK ? load_netrc(ctx, out, err) : rc;
}

/* ---- which ---- */

/* A netrc file says HOST: that is https, so that no password goes out readable unasked. */
static bool
is_of(const char *machine, const char *origin)
{
	PP_AUTO_FREE char *own = NULL;

	if (machine == NULL)
		return false;
	if (strstr(machine, "://") != NULL) {
		own = pp_url_origin(machine);
		return own != NULL && strcmp(own, origin) == 0;
	}
	if (!pp_starts_with(origin, "https://"))
		return false;
	own = pp_asprintf("https://%s", machine);

	PP_AUTO_FREE char *exact = pp_url_origin(own);
	size_t n = exact != NULL ? strlen(exact) : 0;

	if (exact == NULL || strncmp(origin, exact, n) != 0)
		return false;
	/* HOST alone stands for all its ports. */
	return origin[n] == '\0' || (origin[n] == ':' && strchr(exact + 8, ':') == NULL);
}

const struct pp_login *
pp_logins_find(const struct pp_logins *l, const char *url)
{
	PP_AUTO_FREE char *origin = pp_url_origin(url);

	if (origin == NULL || pp_url_has_user(url))
		return NULL;
	pp_vec_foreach (one, l)
		if ((one->user != NULL || one->token != NULL) && is_of(one->machine, origin))
			return one;
	return NULL;
}
