/* SPDX-License-Identifier: MIT */
/* Draws the progress line: bar, percentage, amounts, rate, and the file or plugin at hand. */
#include "term/progress.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

#define REDRAW_MS 100
#define BAR_CELLS 24

void
progress_clear(struct progress *p, struct out *o)
{
	if (!p->is_visible)
		return;
	out_raw(o, "\r\033[K");
	out_flush(o);
	p->is_visible = false;
	p->drawn_ms = 0;
}

void
progress_label(struct progress *p, const char *label)
{
	struct pp_buf clean = PP_BUF_INIT(sizeof(p->label) - 1);

	if (label != NULL)
		pp_sanitize(&clean, label, strlen(label));
	p->label[0] = '\0';
	if (!clean.overflow && clean.n > 0)
		memcpy(p->label, clean.s, clean.n + 1);
	pp_buf_fini(&clean);
}

static void
add_bar(struct pp_buf *line, const struct progress *p)
{
	uint64_t done = p->done < p->total ? p->done : p->total;
	unsigned percent = p->total == 0 ? 0 : (unsigned)((double)done * 100 / (double)p->total);

	pp_buf_addc(line, '[');
	for (unsigned cell = 0; cell < BAR_CELLS; cell++)
		pp_buf_addc(line, cell * 100 < percent * BAR_CELLS ? '#' : '-');
	pp_buf_addf(line, "] %3u%%", percent);
}

static void
add_amounts(struct pp_buf *line, const struct progress *p, int64_t now_ms)
{
	char done[OUT_SIZE_TEXT], total[OUT_SIZE_TEXT], rate[OUT_SIZE_TEXT];
	int64_t elapsed_ms = now_ms - p->started_ms;

	if (!p->is_bytes) {
		pp_buf_addf(line, "  %llu of %llu", (unsigned long long)p->done,
		    (unsigned long long)p->total);
		return;
	}
	pp_buf_addf(line, "  %s", out_size(p->done, done));
	if (p->total > 0)
		pp_buf_addf(line, " of %s", out_size(p->total, total));
	if (elapsed_ms > 500)
		pp_buf_addf(line, "  %s/s",
		    out_size(
			(uint64_t)((double)(p->done - p->from) * 1000 / (double)elapsed_ms), rate));
}

static void
draw(struct progress *p, struct out *o, int64_t now_ms)
{
	PP_AUTO_BUF struct pp_buf line = PP_BUF_INIT(512);
	size_t width = o->width > 1 ? o->width - 1 : 79;

	if (p->total > 0)
		add_bar(&line, p);
	add_amounts(&line, p, now_ms);
	/* A line that wraps could not be taken away again. */
	if (p->label[0] != '\0' &&
	    out_columns(pp_buf_cstr(&line)) + out_columns(p->label) + 2 <= width)
		pp_buf_addf(&line, "  %s", p->label);
	if (out_columns(pp_buf_cstr(&line)) > width)
		return;
	out_raw(o, "\r\033[K");
	out_raw(o, pp_buf_cstr(&line));
	out_flush(o);
	p->is_visible = true;
	p->drawn_ms = now_ms;
}

void
progress_update(struct progress *p, struct out *o, uint64_t done, uint64_t total, bool is_bytes)
{
	int64_t now_ms = pp_time_mono_ms();

	if (p->started_ms == 0 || is_bytes != p->is_bytes || done < p->done) {
		p->started_ms = now_ms;
		p->from = done;
	}
	p->done = done;
	p->total = total;
	p->is_bytes = is_bytes;
	if (p->drawn_ms != 0 && now_ms - p->drawn_ms < REDRAW_MS)
		return;
	draw(p, o, now_ms);
}
