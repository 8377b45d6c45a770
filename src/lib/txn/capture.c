/* SPDX-License-Identifier: MIT */
/*
 * What a script says: cut into lines, made harmless for terminals and logs, passed on as events and
 * log records. A flood is cut off for readers but still drained, so that the script does not block
 * on it.
 */
#include "lib/txn/script.h"

#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES   4096
#define OUTPUT_MAX_BYTES (1024 * 1024)
#define CHUNK_BYTES      (64 * 1024)
#define LAST_LINES       10
#define TAIL_BYTES       8192

void
pp_capture_init(struct pp_capture *c, int fd)
{
	*c = (struct pp_capture){ .fd = fd, .line = PP_BUF_INIT(LINE_MAX_BYTES) };
}

static void
keep_last(struct pp_capture *c, const char *text)
{
	if (c->last.n == LAST_LINES) {
		free(c->last.at[0]);
		memmove(c->last.at, c->last.at + 1, (LAST_LINES - 1) * sizeof(*c->last.at));
		c->last.n--;
	}
	pp_strs_add(&c->last, text);
}

static void
say(struct pp_capture *c, const char *text)
{
	struct plugpkg_event ev = {
		.type = PLUGPKG_EVENT_SCRIPT_OUTPUT,
		.plugin = c->plugin,
		.subject = c->channel,
		.text = text,
	};

	pp_event(c->ctx, &ev);
	if (c->state != NULL)
		pp_log_write(c->state, c->transaction, c->plugin, "info", c->channel, text);
}

static void
end_line(struct pp_capture *c)
{
	/* Each byte may become "\u{NNNN}" or "\xNN". */
	PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(LINE_MAX_BYTES * 8);
	size_t n = c->line.n;

	if (n > 0 && c->line.s[n - 1] == '\r')
		n--;
	pp_sanitize(&clean, pp_buf_cstr(&c->line), n);
	pp_buf_clear(&c->line);
	keep_last(c, pp_buf_cstr(&clean));
	if (c->is_cut)
		return;
	c->bytes += n + 1;
	c->is_cut = c->bytes > OUTPUT_MAX_BYTES;
	say(c, c->is_cut ? "… output truncated" : pp_buf_cstr(&clean));
}

/* Nobody sees it any more, but for the last lines, should the script fail. */
static void
keep_tail(struct pp_capture *c, const char *p, size_t n)
{
	if (c->tail == NULL)
		c->tail = pp_xmalloc(TAIL_BYTES);
	if (n > TAIL_BYTES) {
		p += n - TAIL_BYTES;
		n = TAIL_BYTES;
	}
	size_t kept = c->tail_n < TAIL_BYTES - n ? c->tail_n : TAIL_BYTES - n;
	memmove(c->tail, c->tail + (c->tail_n - kept), kept);
	memcpy(c->tail + kept, p, n);
	c->tail_n = kept + n;
}

static void
take(struct pp_capture *c, const char *p, size_t n, bool is_end)
{
	while (n > 0) {
		if (c->is_cut && !is_end) {
			keep_tail(c, p, n);
			return;
		}
		const char *newline = memchr(p, '\n', n);
		size_t part = newline != NULL ? (size_t)(newline - p) : n;
		size_t room = c->line.limit - c->line.n;
		bool is_full = part > room;
		if (is_full)
			part = room;
		pp_buf_add(&c->line, p, part);
		p += part;
		n -= part;
		if (is_full) {
			end_line(c);
		} else if (newline != NULL) {
			end_line(c);
			p++;
			n--;
		}
	}
}

bool
pp_capture_read(struct pp_capture *c)
{
	char chunk[CHUNK_BYTES];

	if (c->fd < 0)
		return false;
	ssize_t n = read(c->fd, chunk, sizeof(chunk));
	if (n > 0)
		take(c, chunk, (size_t)n, false);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		pp_auto_fd(&c->fd); /* closed by its writers */
	return n > 0;
}

void
pp_capture_end(struct pp_capture *c)
{
	/* Bounded: a process that escaped its group may hold the pipe and write for ever. */
	for (int i = 0; i < OUTPUT_MAX_BYTES / CHUNK_BYTES && pp_capture_read(c); i++)
		;
	take(c, c->tail, c->tail_n, true);
	c->tail_n = 0;
	if (c->line.n > 0)
		end_line(c);
	if (c->state != NULL)
		pp_log_flush(c->state);
}

void
pp_capture_fini(struct pp_capture *c)
{
	pp_auto_fd(&c->fd);
	pp_buf_fini(&c->line);
	free(c->tail);
	pp_strs_fini(&c->last);
}
