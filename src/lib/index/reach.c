/* SPDX-License-Identifier: MIT */
/*
 * Shard numbers as text, in order, each as its distance from the one before: a letter for 0 to 61,
 * and the sign MORE before it for every further 62.
 */
#include "lib/index/reach.h"

#include <string.h>

#define LINE_END "\"}"
#define MORE     '-'
#define N_SIGNS  62

static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void
add_number(struct pp_reach *r, size_t number)
{
	r->bits[number / 64] |= (uint64_t)1 << number % 64;
}

static bool
has_number(const struct pp_reach *r, size_t number)
{
	return (r->bits[number / 64] >> number % 64 & 1) != 0;
}

void
pp_reach_add(struct pp_reach *r, const char *name)
{
	add_number(r, pp_index_shard_of(PP_INDEX_MAX_SHARDS, name));
}

void
pp_reach_merge(struct pp_reach *to, const struct pp_reach *from)
{
	for (size_t i = 0; i < PP_LEN(to->bits); i++)
		to->bits[i] |= from->bits[i];
}

char *
pp_reach_text(const struct pp_reach *r)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_REACH_MAX);
	size_t next = 0;

	for (size_t i = 0; i < PP_INDEX_MAX_SHARDS; i++) {
		if (!has_number(r, i))
			continue;
		for (; i - next >= N_SIGNS; next += N_SIGNS)
			pp_buf_addc(&text, MORE);
		pp_buf_addc(&text, signs[i - next]);
		next = i + 1;
	}
	return text.n == 0 || text.overflow ? NULL : pp_buf_steal(&text);
}

/* -1: no sign. */
static int
value_of(char c)
{
	const char *at = c != '\0' ? strchr(signs, c) : NULL;

	return c == MORE ? N_SIGNS : at != NULL ? (int)(at - signs) : -1;
}

void
pp_reach_read(struct pp_str line, struct pp_reach *to)
{
	static const char start[] = "\"" PP_REACH_MEMBER "\":\"";
	const size_t n_start = sizeof(start) - 1, n_end = sizeof(LINE_END) - 1;

	if (line.n < n_start + n_end || memcmp(line.p + line.n - n_end, LINE_END, n_end) != 0)
		return;
	const char *end = line.p + line.n - n_end, *p = end;
	while (p > line.p + n_start && value_of(p[-1]) >= 0)
		p--;
	if (memcmp(p - n_start, start, n_start) != 0)
		return;
	for (size_t number = 0; p < end; p++) {
		number += (size_t)value_of(*p);
		if (number >= PP_INDEX_MAX_SHARDS)
			return;
		if (*p != MORE)
			add_number(to, number++);
	}
}

void
pp_reach_each(const struct pp_reach *r, size_t n_shards, pp_reach_fn fn, void *user)
{
	size_t per_shard = PP_INDEX_MAX_SHARDS / n_shards, next = 0;

	for (size_t i = 0; i < PP_LEN(r->bits); i++) {
		for (uint64_t word = r->bits[i]; word != 0; word &= word - 1) {
			size_t shard = (i * 64 + (size_t)__builtin_ctzll(word)) / per_shard;
			if (shard < next)
				continue;
			fn(shard, user);
			next = shard + 1;
		}
	}
}
