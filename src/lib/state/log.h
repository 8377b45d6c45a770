/* SPDX-License-Identifier: MIT */
/* Reading var/log.db, in pieces, so that a slow reader never keeps a transaction from writing. */
#ifndef PP_STATE_LOG_H
#define PP_STATE_LOG_H

#include "lib/model/context.h"
#include "lib/model/log_rules.h"

struct pp_log_line {
	int64_t id, at_ms, transaction; /* transaction 0: none */
	enum pp_log_level level;
	char *plugin; /* or NULL */
	char *channel, *text;
};
struct pp_log_lines pp_vec(struct pp_log_line);
void pp_log_lines_fini(struct pp_log_lines *v);

struct pp_log_query {
	const char *const *plugins; /* any of these; none = all lines */
	size_t n_plugins;
	int64_t since_ms, until_ms; /* from … up to and without */
	enum pp_log_level level;    /* the least */
	int64_t transaction;        /* 0 = any */
};
/* Where the reading stands. Zero it to begin; is_by_id: as lines came, not by their time. */
struct pp_log_cursor {
	bool is_by_id, is_begun;
	int64_t at_ms, id;
};
struct pp_state;
/*
 * The next lines, at most some hundred; none when there are no more for now. A log that is missing
 * is empty. Errors: BAD_STATE (damaged) IO.
 */
enum plugpkg_code pp_log_read(struct pp_state *s, const struct pp_log_query *q,
    struct pp_log_cursor *c, struct pp_log_lines *out, plugpkg_error **err);
/* Sets a cursor by id so that the last n lines come next. */
enum plugpkg_code pp_log_seek_end(
    struct pp_state *s, int64_t n, struct pp_log_cursor *c, plugpkg_error **err);
/* Writes one line now. For a line that somebody waits for; pp_log_write() is for the others. */
enum plugpkg_code pp_log_write_now(
    struct pp_state *s, const struct pp_log_line *line, plugpkg_error **err);
/* Is var/log.db a sound database? BAD_STATE when not; a missing one is sound. */
enum plugpkg_code pp_log_check(struct pp_state *s, plugpkg_error **err);
/* After a loss of power, which a log that never waits for the disk may not survive: a new one. */
void pp_log_mend(struct pp_state *s);

#endif
