/* SPDX-License-Identifier: MIT */
/*
 * Asking, remembering and merging the application's versions. The digest tells whose answer is
 * remembered; it cannot tell whether the answer still holds, because a program that is asked may
 * change while its script does not. So plans never use a remembered answer, and queries always do.
 */
#include "lib/txn/host.h"

#include "base/errno_text.h"
#include "base/path.h"
#include "base/time.h"
#include "lib/txn/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_FILE        "var/host.json"
#define HOST_FORMAT      1
#define ANSWER_MAX_BYTES 65536
#define FILE_MAX_BYTES   (2 * ANSWER_MAX_BYTES)
#define PHASE            "versions"

enum known {
	KNOWN_NOT,    /* the command was never asked, or it is another one now */
	KNOWN_LATELY, /* by the file */
	KNOWN_NOW,    /* asked by this process */
};

struct pp_host {
	enum known known;
	char *call;            /* the command that this is about, as a line of JSON */
	char command[65];      /* its digest when it answered */
	struct pp_deps answer; /* what it said */
	int64_t asked_at;      /* then */
	int64_t failed_at;     /* it was asked again and gave no answer; 0: no */
	bool is_written, is_merged;
	struct pp_deps all; /* with what plugpkg.json says */
};

void
pp_host_free(struct pp_host *h)
{
	if (h == NULL)
		return;
	free(h->call);
	pp_deps_fini(&h->answer);
	pp_deps_fini(&h->all);
	free(h);
}

static const char *
command_of(const plugpkg_context *ctx)
{
	return ctx->config->provides_from.at[0];
}

static char *
call_of(const plugpkg_context *ctx)
{
	PP_AUTO_JSON pp_json *call = pp_json_array();

	pp_vec_foreach (argument, &ctx->config->provides_from)
		pp_json_push_str(call, *argument);
	return pp_json_line(call);
}

static void
add_copy(struct pp_deps *to, const struct pp_dep *d)
{
	struct pp_dep *copy = pp_vec_new(to);

	copy->name = pp_xstrdup(d->name);
	copy->text = pp_xstrdup(d->text);
	pp_version_copy(&d->version, &copy->version);
}

/* ---- the remembered answer ---- */

static bool
take_remembered(struct pp_host *h, const pp_json *j, const char *digest)
{
	struct pp_fields f = {
		.json = j, .where = HOST_FILE, .code = PLUGPKG_E_BAD_STATE, .err = NULL
	};
	const char *command = pp_json_get_str(j, "command");

	if (pp_json_get_int(j, "format", 0) != HOST_FORMAT || command == NULL ||
	    strcmp(command, digest) != 0)
		return false;
	h->failed_at = pp_json_get_int(j, "failed", 0);
	h->asked_at = pp_json_get_int(j, "asked", 0);
	if (pp_config_read_provides(&f, "provides", pp_json_get(j, "provides"), &h->answer) !=
	    PLUGPKG_OK)
		return false;
	memcpy(h->command, digest, sizeof(h->command));
	return true;
}

/* Derived and small: whatever is wrong with it, asking again mends it. */
static void
read_remembered(plugpkg_context *ctx, struct pp_host *h)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX_BYTES);
	char digest[65];

	if (pp_command_digest(ctx, &ctx->config->provides_from, digest, NULL) != PLUGPKG_OK ||
	    pp_read_file_at(ctx->root_fd, HOST_FILE, &text) < 0)
		return;

	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);

	if (take_remembered(h, j, digest))
		h->known = KNOWN_LATELY;
	else
		pp_deps_fini(&h->answer);
}

static int
write_file(plugpkg_context *ctx, const struct pp_host *h)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json *provides = pp_json_object();

	pp_vec_foreach (d, &h->answer)
		pp_json_set_str(provides, d->name, d->text);
	pp_json_set_int(j, "format", HOST_FORMAT);
	pp_json_set_str(j, "command", h->command);
	pp_json_set_int(j, "asked", h->asked_at);
	if (h->failed_at != 0)
		pp_json_set_int(j, "failed", h->failed_at);
	pp_json_set(j, "provides", provides);

	PP_AUTO_FREE char *text = pp_json_pretty(j);
	return pp_write_file_at(ctx->root_fd, HOST_FILE, text, strlen(text), 0644);
}

void
pp_host_remember(plugpkg_context *ctx)
{
	struct pp_host *h = ctx->host;

	if (h == NULL || h->known == KNOWN_NOT || h->is_written || ctx->is_dry_run)
		return;
	int r = write_file(ctx, h);
	if (r < 0)
		pp_debug(ctx, NULL, "cannot write " HOST_FILE ": %s", pp_errno_text(-r));
	h->is_written = true;
}

/* ---- what is known ---- */

static void
say_what_is_missing(plugpkg_context *ctx, const struct pp_host *h)
{
	char asked[PP_TIME_TEXT], failed[PP_TIME_TEXT];

	if (h->known == KNOWN_NOT) {
		pp_warn(ctx, NULL,
		    "the versions that '%s' says the application has are not known yet; plugpkg "
		    "check asks it",
		    command_of(ctx));
	} else if (h->known == KNOWN_LATELY && h->failed_at != 0) {
		pp_time_format(h->asked_at, asked);
		pp_time_format(h->failed_at, failed);
		pp_warn(ctx, NULL,
		    "'%s' gave no answer at %s; the application's versions are those of %s",
		    command_of(ctx), failed, asked);
	}
}

static void
merge(plugpkg_context *ctx, struct pp_host *h)
{
	const struct pp_deps *written = &ctx->config->provides;

	pp_deps_fini(&h->all);
	pp_vec_foreach (d, written)
		add_copy(&h->all, d);
	pp_vec_foreach (d, &h->answer) {
		const struct pp_dep *same = pp_deps_get(written, d->name);
		if (same == NULL)
			add_copy(&h->all, d);
		else if (pp_version_cmp(&same->version, &d->version) != 0)
			pp_warn(ctx, NULL,
			    "'%s' said that the application has %s %s, and plugpkg.json says %s",
			    command_of(ctx), d->name, d->version.text, same->version.text);
	}
	h->is_merged = true;
}

/* plugpkg.json may have been read again since: what was asked stays true, of the same command. */
static struct pp_host *
host_of(plugpkg_context *ctx)
{
	PP_AUTO_FREE char *call = call_of(ctx);

	if (ctx->host != NULL && strcmp(ctx->host->call, call) == 0)
		return ctx->host;
	pp_host_free(ctx->host);
	ctx->host = pp_xcalloc(1, sizeof(*ctx->host));
	ctx->host->call = pp_steal(&call);
	return ctx->host;
}

const struct pp_deps *
pp_host_known(plugpkg_context *ctx)
{
	if (ctx->config->provides_from.n == 0)
		return &ctx->config->provides;

	struct pp_host *h = host_of(ctx);
	if (h->is_merged)
		return &h->all;
	if (h->known == KNOWN_NOT) {
		read_remembered(ctx, h);
		say_what_is_missing(ctx, h);
	}
	merge(ctx, h);
	return &h->all;
}

bool
pp_host_is_partial(plugpkg_context *ctx)
{
	(void)pp_host_known(ctx);
	return ctx->config->provides_from.n > 0 && host_of(ctx)->known == KNOWN_NOT;
}

void
pp_host_config_read(plugpkg_context *ctx)
{
	if (ctx->host != NULL)
		ctx->host->is_merged = false;
}

const char *
pp_host_origin(plugpkg_context *ctx, const char *name)
{
	return pp_deps_get(&ctx->config->provides, name) != NULL ? "plugpkg.json" : command_of(ctx);
}

enum plugpkg_code
pp_host_hint(const char *name, enum plugpkg_code code, plugpkg_error **err)
{
	return pp_hint(err, code,
	    "plugpkg.json says it: \"provides\": {\"%s\": \"1.2.3\"}, or \"provides-from\" names a "
	    "command that does",
	    name);
}

/* ---- asking ---- */

/* The command runs plugpkg, which would run the command. */
static enum plugpkg_code
refuse_within(const plugpkg_context *ctx, plugpkg_error **err)
{
	const char *phase = secure_getenv("PLUGPKG_PHASE"), *root = secure_getenv("PLUGPKG_ROOT");
	struct stat theirs, ours;

	if (phase == NULL || strcmp(phase, PHASE) != 0 || root == NULL ||
	    fstatat(AT_FDCWD, root, &theirs, 0) < 0 || fstat(ctx->root_fd, &ours) < 0 ||
	    theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino)
		return PLUGPKG_OK;
	return pp_fail(err, PLUGPKG_E_REFUSED, 0,
	    "called from '%s', which is being asked for the application's versions",
	    command_of(ctx));
}

/* Never a word of the answer itself: it may hold what is nobody's business. */
static enum plugpkg_code
read_answer(
    const char *command, const struct pp_buf *text, struct pp_deps *out, plugpkg_error **err)
{
	PP_AUTO_FREE char *where = pp_asprintf("the answer of '%s'", command);
	struct pp_json_error why;
	PP_AUTO_JSON pp_json *j = pp_json_parse(pp_buf_cstr(text), text->n, &why);
	struct pp_fields f = {
		.json = j,
		.where = where,
		.code = PLUGPKG_E_HOST,
		.err = err,
		.text = { pp_buf_cstr(text), text->n },
	};

	if (text->n == 0)
		return pp_fail(err, PLUGPKG_E_HOST, 0, "'%s' said nothing", command);
	if (j == NULL)
		return pp_fail(err, PLUGPKG_E_HOST, 0,
		    "%s is no JSON: it goes wrong at line %d, column %d", where, why.line,
		    why.column);
	if (!pp_json_is(j, PP_JSON_OBJECT))
		return pp_fail(err, PLUGPKG_E_HOST, 0, "%s is %s", where, pp_json_kind_name(j));
	return pp_config_read_provides(&f, "", j, out);
}

static enum plugpkg_code
check_contradiction(const plugpkg_context *ctx, const struct pp_deps *answer, plugpkg_error **err)
{
	struct pp_fields f = pp_config_fields(ctx->config, err);

	pp_vec_foreach (d, answer) {
		const struct pp_dep *same = pp_deps_get(&ctx->config->provides, d->name);
		if (same == NULL || pp_version_cmp(&same->version, &d->version) == 0)
			continue;
		PP_AUTO_FREE char *field = pp_asprintf("provides.%s", d->name);
		(void)pp_field_fail(&f, field, "this says %s, but '%s' says %s", same->version.text,
		    command_of(ctx), d->version.text);
		return pp_hint(err, PLUGPKG_E_BAD_CONFIG, "say it in one place only");
	}
	return PLUGPKG_OK;
}

static enum plugpkg_code
ask(plugpkg_context *ctx, struct pp_host *h, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(ANSWER_MAX_BYTES);
	PP_CLEANUP(pp_deps_fini) struct pp_deps answer = { 0 };
	char digest[65];
	struct pp_command c = {
		.argv = &ctx->config->provides_from,
		.timeout_s = ctx->config->provides_timeout_s,
		.phase = PHASE,
	};
	enum plugpkg_code rc = refuse_within(ctx, err);
	if (rc == PLUGPKG_OK)
		rc = pp_command_digest(ctx, c.argv, digest, err);
	if (rc == PLUGPKG_OK)
		rc = pp_command_run(ctx, &c, &text, err);
	if (rc == PLUGPKG_OK)
		rc = read_answer(c.argv->at[0], &text, &answer, err);
	if (rc == PLUGPKG_OK)
		rc = check_contradiction(ctx, &answer, err);
	if (rc != PLUGPKG_OK)
		return rc;

	pp_deps_fini(&h->answer);
	h->answer = answer;
	answer = (struct pp_deps){ 0 };
	memcpy(h->command, digest, sizeof(h->command));
	h->known = KNOWN_NOW;
	h->asked_at = ctx->now;
	h->failed_at = 0;
	h->is_merged = h->is_written = false;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_host_ask(plugpkg_context *ctx, plugpkg_error **err)
{
	if (ctx->config->provides_from.n == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = ask(ctx, host_of(ctx), err);
	if (rc == PLUGPKG_E_HOST)
		(void)pp_wrap(err, rc, "the application does not say its versions");
	if (rc == PLUGPKG_E_HOST && plugpkg_error_hint(err != NULL ? *err : NULL) == NULL)
		return pp_hint(err, rc,
		    "it has to print {\"host:NAME\": \"1.2.3\"} and nothing else; no plugin comes "
		    "or "
		    "changes before it does");
	return rc;
}

/* ---- asking without being about to change anything ---- */

static bool
is_ours(const plugpkg_context *ctx, const char *path)
{
	struct stat st;

	return fstatat(ctx->root_fd, path, &st, 0) < 0 || st.st_uid == geteuid() || st.st_uid == 0;
}

static void
note_failure(plugpkg_context *ctx, struct pp_host *h)
{
	if (h->known == KNOWN_NOT)
		read_remembered(ctx, h);
	if (h->known == KNOWN_NOT)
		return;
	h->known = KNOWN_LATELY;
	h->failed_at = ctx->now;
	h->is_written = false;
	pp_host_remember(ctx);
}

enum plugpkg_code
pp_host_refresh(plugpkg_context *ctx, plugpkg_error **err)
{
	if (ctx->config->provides_from.n == 0)
		return PLUGPKG_OK;
	/* To look at somebody's root must not run his programs. */
	if (!is_ours(ctx, "plugpkg.json") || !is_ours(ctx, command_of(ctx))) {
		pp_warn(ctx, NULL,
		    "'%s' was not asked for the application's versions: it is "
		    "another user's",
		    command_of(ctx));
		return PLUGPKG_OK;
	}
	enum plugpkg_code rc = pp_host_ask(ctx, err);
	if (rc == PLUGPKG_OK)
		pp_host_remember(ctx);
	else if (rc == PLUGPKG_E_HOST)
		note_failure(ctx, ctx->host);
	return rc;
}
