/* SPDX-License-Identifier: MIT */
/* The log of a root for its readers, and for scripts and operators who write into it. */
#include "lib/api/api.h"

#include "base/str.h"
#include "lib/model/log_time.h"
#include "lib/model/name.h"
#include "lib/state/log.h"
#include "lib/txn/lock.h"
#include "lib/txn/marks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS         200
#define FIRST_LINES     10
#define TEXT_MAX_BYTES  65536
#define TRANSACTION_MAX INT64_MAX

/* ---- reading ---- */

struct logging {
	plugpkg_context *ctx;
	const struct plugpkg_log_spec *spec;
	struct pp_state *state;
	struct pp_log_query query;
	struct pp_log_cursor cursor;
	plugpkg_row_fn row;
	void *user;
};

static void
send_line(const struct logging *l, const struct pp_log_line *line)
{
	pp_json *row = pp_row_new("log");
	char time[PP_LOG_TIME_TEXT];

	pp_log_time_format(line->at_ms, time);
	pp_json_set_int(row, "id", line->id);
	pp_json_set_str(row, "time", time);
	pp_json_set_str(row, "level", pp_log_level_names[line->level]);
	pp_json_set_str(row, "channel", line->channel);
	pp_json_set_str(row, "plugin", line->plugin);
	if (line->transaction != 0)
		pp_json_set_int(row, "transaction", line->transaction);
	pp_json_set_str(row, "text", line->text);
	pp_row(l->row, l->user, row);
}

/* Everything that is there now. */
static enum plugpkg_code
send_lines(struct logging *l, plugpkg_error **err)
{
	for (;;) {
		PP_CLEANUP(pp_log_lines_fini) struct pp_log_lines lines = { 0 };
		enum plugpkg_code rc = pp_log_read(l->state, &l->query, &l->cursor, &lines, err);
		if (rc != PLUGPKG_OK || lines.n == 0)
			return rc;
		pp_vec_foreach (line, &lines)
			send_line(l, line);
		rc = pp_check_cancel(l->ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}

static enum plugpkg_code
read_times(struct logging *l, plugpkg_error **err)
{
	const struct plugpkg_log_spec *spec = l->spec;
	struct pp_log_period period = PP_LOG_PERIOD_ALL;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (spec->period != NULL && (spec->since != NULL || spec->until != NULL))
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "a period and a beginning or an end exclude each other");
	if (spec->period != NULL)
		rc = pp_log_time_period(spec->period, l->ctx->now, &period, err);
	if (rc == PLUGPKG_OK && spec->since != NULL)
		rc = pp_log_time_point(spec->since, l->ctx->now, &period.since_ms, err);
	if (rc == PLUGPKG_OK && spec->until != NULL)
		rc = pp_log_time_point(spec->until, l->ctx->now, &period.until_ms, err);
	if (rc == PLUGPKG_OK && period.since_ms >= period.until_ms)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "the end is not after the beginning");
	l->query.since_ms = period.since_ms;
	/* The end of "last 5 mins" is now, and now moves on. */
	l->query.until_ms = spec->follow != 0 && spec->until == NULL ? INT64_MAX : period.until_ms;
	return rc;
}

static enum plugpkg_code
find_transaction(struct logging *l, plugpkg_error **err)
{
	PP_AUTO_FREE char *status = NULL;

	l->query.transaction = l->spec->transaction;
	if (l->spec->transaction == 0)
		return PLUGPKG_OK;
	enum plugpkg_code rc = pp_journal_status(l->state, &l->query.transaction, &status, err);
	if (rc != PLUGPKG_OK || status != NULL)
		return rc;
	if (l->spec->transaction < 0)
		return pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there was no transaction yet");
	(void)pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no transaction %lld",
	    (long long)l->spec->transaction);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg history lists them");
}

static enum plugpkg_code
read_spec(struct logging *l, plugpkg_error **err)
{
	const struct plugpkg_log_spec *spec = l->spec;
	enum plugpkg_code rc = read_times(l, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < spec->n_names; i++)
		rc = pp_marks_check(spec->names[i], err);
	l->query.plugins = spec->names;
	l->query.n_plugins = spec->n_names;
	if (rc == PLUGPKG_OK && spec->level != NULL)
		rc = pp_log_level_parse(spec->level, &l->query.level, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_get(l->ctx, &l->state, err);
	return rc == PLUGPKG_OK ? find_transaction(l, err) : rc;
}

/* A transaction that was asked for has ended, be it by the death of its process. */
static bool
is_over(struct logging *l)
{
	PP_AUTO_FREE char *status = NULL;
	int64_t txn = l->query.transaction;

	if (txn == 0)
		return false;
	if (pp_journal_status(l->state, &txn, &status, NULL) != PLUGPKG_OK || status == NULL)
		return true;
	return strcmp(status, "running") != 0 || !pp_lock_is_held(l->ctx);
}

static enum plugpkg_code
follow(struct logging *l, plugpkg_error **err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (;;) {
		bool was_over = is_over(l);
		enum plugpkg_code rc = send_lines(l, err);
		if (rc != PLUGPKG_OK || was_over)
			return rc;
		(void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
		rc = pp_check_cancel(l->ctx, err);
		if (rc != PLUGPKG_OK)
			return rc;
	}
}

enum plugpkg_code
plugpkg_log(plugpkg_context *ctx, const struct plugpkg_log_spec *spec, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	struct logging l = { .ctx = ctx, .spec = spec, .row = row, .user = user };
	enum plugpkg_code rc = read_spec(&l, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (spec->follow == 0)
		return send_lines(&l, err);
	bool is_bounded = spec->period != NULL || spec->since != NULL || spec->transaction != 0;
	l.cursor.is_by_id = true;
	if (!is_bounded)
		rc = pp_log_seek_end(l.state, FIRST_LINES, &l.cursor, err);
	return rc == PLUGPKG_OK ? follow(&l, err) : rc;
}

/* ---- writing ---- */

/* Whose line it is, by what the transaction told its script. */
static enum plugpkg_code
read_tags(plugpkg_context *ctx, struct pp_log_line *line, plugpkg_error **err)
{
	const char *txn = NULL, *key = secure_getenv("PLUGPKG_KEY");
	const char *name = key != NULL ? key : secure_getenv("PLUGPKG_NAME");
	uint64_t number = 0;

	if (!pp_lock_is_in_script(ctx, &txn))
		return PLUGPKG_OK;
	/* The transaction was started with --debug, perhaps; this process was not. */
	const char *least = secure_getenv("PLUGPKG_LOG_LEVEL");
	ctx->is_log_debug = ctx->is_log_debug || (least != NULL && strcmp(least, "debug") == 0);
	if (pp_parse_u64(pp_str_of(txn), TRANSACTION_MAX, &number) < 0)
		return pp_fail(
		    err, PLUGPKG_E_USAGE, 0, "PLUGPKG_TRANSACTION is no number of a transaction");
	line->transaction = (int64_t)number;
	line->channel = pp_xstrdup("plugin");
	if (name == NULL || *name == '\0')
		return PLUGPKG_OK;
	line->plugin = pp_xstrdup(name);
	return pp_marks_check(name, err);
}

static enum plugpkg_code
write_lines(struct pp_state *state, struct pp_log_line *line, const char *text, plugpkg_error **err)
{
	struct pp_str rest = pp_str_of(text), part;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (rest.n > 0 && rest.p[rest.n - 1] == '\n')
		rest.n--;
	while (rc == PLUGPKG_OK && pp_str_cut(&rest, '\n', &part)) {
		PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(TEXT_MAX_BYTES * 8);
		pp_sanitize(&clean, part.p, part.n);
		free(line->text);
		line->text = pp_buf_steal(&clean);
		rc = pp_log_write_now(state, line, err);
	}
	return rc;
}

enum plugpkg_code
plugpkg_log_write(plugpkg_context *ctx, const char *level, const char *text, plugpkg_error **err)
{
	PP_CLEANUP(pp_log_lines_fini) struct pp_log_lines lines = { 0 };
	struct pp_log_line *line = pp_vec_new(&lines);
	struct pp_state *state = NULL;
	enum plugpkg_code rc = pp_check_may_write(ctx, err);

	if (rc == PLUGPKG_OK)
		rc = pp_log_level_parse(level, &line->level, err);
	if (rc == PLUGPKG_OK && strlen(text) > TEXT_MAX_BYTES)
		return pp_fail(err, PLUGPKG_E_USAGE, 0,
		    "%zu bytes are too many for the log: %d is "
		    "the most",
		    strlen(text), TEXT_MAX_BYTES);
	if (rc == PLUGPKG_OK)
		rc = read_tags(ctx, line, err);
	if (rc == PLUGPKG_OK)
		rc = pp_state_get(ctx, &state, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (line->channel == NULL)
		line->channel = pp_xstrdup("operator");
	return write_lines(state, line, text, err);
}
