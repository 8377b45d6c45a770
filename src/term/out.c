/* SPDX-License-Identifier: MIT */
/* Streams for people: sanitising, colours where they are wanted, sizes and widths. */
#include "term/out.h"

#include "base/mem.h"
#include "base/str.h"
#include "term/start.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATIENCE_MS 1000

static const char *const style_codes[] = {
	[OUT_PLAIN] = "",
	[OUT_BOLD] = "\033[1m",
	[OUT_DIM] = "\033[2m",
	[OUT_GOOD] = "\033[32m",
	[OUT_WARN] = "\033[33m",
	[OUT_BAD] = "\033[1;31m",
};

static unsigned
terminal_width(int fd)
{
	struct winsize size = { 0 };
	uint64_t columns = 0;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	if (pp_parse_u64(pp_str_of(getenv("COLUMNS")), 10000, &columns) == 0 && columns > 0)
		return (unsigned)columns;
	return 80;
}

/* LC_ALL, else LC_CTYPE, else LANG, as setlocale() reads them. */
static bool
is_utf8_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < PP_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && *value != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return false;
}

void
out_init(struct out *o, int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool is_dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;

	*o = (struct out){ .fd = fd, .is_terminal = isatty(fd) == 1 };
	o->has_color = o->is_terminal && !is_dumb && (no_color == NULL || *no_color == '\0');
	o->is_utf8 = is_utf8_locale();
	o->width = o->is_terminal ? terminal_width(fd) : 0;
}

/* end: what follows the text, in the same write where the stream has no buffer. */
static void PP_PRINTF(3, 0) vtext(struct out *o, const char *end, const char *fmt, va_list ap)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(OUT_MAX_BYTES);
	PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(8 * OUT_MAX_BYTES);

	pp_buf_vaddf(&text, fmt, ap);
	pp_sanitize(&clean, pp_buf_cstr(&text), text.n);
	pp_buf_adds(&clean, end);
	out_raw(o, pp_buf_cstr(&clean));
}

void
out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vtext(o, "", fmt, ap);
	va_end(ap);
}

void
out_styled(struct out *o, enum out_style style, const char *fmt, ...)
{
	bool is_styled = o->has_color && style != OUT_PLAIN;
	va_list ap;

	if (is_styled)
		out_raw(o, style_codes[style]);
	va_start(ap, fmt);
	vtext(o, "", fmt, ap);
	va_end(ap);
	if (is_styled)
		out_raw(o, "\033[0m");
}

void
out_line(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vtext(o, "\n", fmt, ap);
	va_end(ap);
}

void
out_end(struct out *o)
{
	out_raw(o, "\n");
}

void
out_lines(struct out *o, unsigned indent, const char *text)
{
	struct pp_str rest = pp_str_of(text), line;
	bool is_first = true;

	while (pp_str_cut(&rest, '\n', &line)) {
		if (rest.p == NULL && line.n == 0 && !is_first)
			break; /* the text ended with a newline */
		if (!is_first)
			out_text(o, "%*s", (int)indent, "");
		out_line(o, "%.*s", (int)line.n, line.p);
		is_first = false;
	}
}

/* Once we are to end, nobody is waited for who reads nothing: the root is locked meanwhile. */
static bool
is_read(struct out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	int r = -1;

	while ((r = poll(&p, 1, start_is_stopping() ? PATIENCE_MS : -1)) < 0 && errno == EINTR)
		continue;
	return r != 0;
}

/* A signal cuts off a write that waits; what is left goes on after a look at the reader. */
static void
write_all(struct out *o, const char *p, size_t n)
{
	bool must_look = false;

	while (n > 0 && !o->is_stalled) {
		bool is_stopping = start_is_stopping();
		if ((must_look || is_stopping) && !is_read(o)) {
			o->is_stalled = true;
			break;
		}
		/* That much a pipe takes without waiting. */
		ssize_t w = write(o->fd, p, is_stopping && n > PIPE_BUF ? PIPE_BUF : n);
		must_look = w < 0 && errno == EAGAIN;
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			break;
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	if (n > 0 && o->error == 0)
		o->error = o->is_stalled ? EINTR : errno;
}

void
out_raw(struct out *o, const char *s)
{
	size_t n = strlen(s);
	/* Talk is never held back, and a terminal is shown whole lines. */
	bool is_due = o->fd == STDERR_FILENO || (o->is_terminal && strchr(s, '\n') != NULL);

	if (n > sizeof(o->held) - o->n_held)
		out_flush(o);
	if (n > sizeof(o->held)) {
		write_all(o, s, n);
		return;
	}
	memcpy(o->held + o->n_held, s, n);
	o->n_held += n;
	if (is_due)
		out_flush(o);
}

void
out_flush(struct out *o)
{
	size_t n = o->n_held;

	o->n_held = 0;
	write_all(o, o->held, n);
}

const char *
out_size(uint64_t bytes, char text[OUT_SIZE_TEXT])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	size_t unit = 0;
	uint64_t tenths = bytes;

	if (bytes < 1000) {
		(void)snprintf(text, OUT_SIZE_TEXT, "%u B", (unsigned)bytes);
		return text;
	}
	for (tenths = (bytes + 50) / 100; tenths >= 10000 && unit + 1 < PP_LEN(units); unit++)
		tenths = (tenths + 500) / 1000;
	(void)snprintf(text, OUT_SIZE_TEXT, "%u.%u %s", (unsigned)(tenths / 10),
	    (unsigned)(tenths % 10), units[unit]);
	return text;
}

size_t
out_columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			n++;
	return n;
}
