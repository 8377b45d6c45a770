/* SPDX-License-Identifier: MIT */
/*
 * What is known of the mirrors: how fast they were, which failed, who asked for a pause. Decides
 * which one is asked next. Kept between runs in var/mirrors.json, which can be lost without harm.
 */
#ifndef PP_NET_MIRRORS_H
#define PP_NET_MIRRORS_H

#include "base/vec.h"
#include "lib/model/context.h"

struct pp_mirror {
	char *url;              /* without user and password */
	uint64_t speed;         /* bytes a second after the first one; 0 = not measured */
	uint32_t first_ms;      /* from a request to its first byte */
	unsigned failures;      /* in a row, over all runs */
	int64_t failed_at;      /* the last of them, Unix seconds */
	unsigned faults;        /* of this run; one more when it failed lately */
	unsigned n_active;      /* downloads under way */
	int64_t rests_until_ms; /* monotonic: it asked not to be asked before */
};

struct pp_mirrors {
	struct pp_vec(struct pp_mirror *) known;
	bool is_changed; /* is to be kept */
};

/* Reads what former runs kept; nothing when there is none or it makes no sense. */
void pp_mirrors_load(struct pp_mirrors *m, const plugpkg_context *ctx);
/* Keeps it where something changed. A failure costs only knowledge. */
void pp_mirrors_save(struct pp_mirrors *m, const plugpkg_context *ctx);
void pp_mirrors_fini(struct pp_mirrors *m);

/* The mirror of that base URL, made when it is new. View, until fini. */
struct pp_mirror *pp_mirror_of(struct pp_mirrors *m, const char *base_url);
/* It failed otherwise than by lacking a file. */
void pp_mirror_blame(struct pp_mirrors *m, struct pp_mirror *mirror, int64_t now);
/* It delivered `bytes` in ms after its first byte, for which it took first_ms. */
void pp_mirror_praise(
    struct pp_mirrors *m, struct pp_mirror *mirror, uint64_t bytes, uint32_t first_ms, int64_t ms);

/* It failed, lately or in this run, and another one of these did not. */
bool pp_mirrors_is_doubted(struct pp_mirrors *m, const struct pp_strs *urls, size_t which);

/* Whom to ask for a file. */
struct pp_choice {
	const struct pp_strs *urls; /* in order of preference */
	char *const *is_out;        /* one a URL: not NULL = not to be asked */
	uint64_t size;
	unsigned per_mirror;
	int64_t now_ms; /* monotonic */
};
/*
 * The best mirror that is free: fewest faults first, then the one that would be done first where
 * that is known, then the order of preference. urls->n when there is none: then *out_wake_ms is
 * when one ends its rest, INT64_MAX when one is only busy, and 0 when all are out.
 */
size_t pp_mirrors_choose(struct pp_mirrors *m, const struct pp_choice *c, int64_t *out_wake_ms);

#endif
