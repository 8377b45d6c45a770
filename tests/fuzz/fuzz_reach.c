/* SPDX-License-Identifier: MIT */
/*
 * The hint of a planning line: whatever it says, it names shards that there may be, and what is
 * written of it reads back as the same shards.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/index/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	size_t n, n_shards, next;
};

/* In order, each once, and no shard that there is not. */
static void
tell(size_t shard, void *user)
{
	struct told *told = user;

	if (shard < told->next || shard >= told->n_shards)
		abort();
	told->next = shard + 1;
	told->n++;
}

static size_t
count(const struct pp_reach *r, size_t n_shards)
{
	struct told told = { .n_shards = n_shards };

	pp_reach_each(r, n_shards, tell, &told);
	return told.n;
}

/* Coarser shards hold what the finer ones do. */
static void
check_shards(const struct pp_reach *r)
{
	size_t fine = count(r, PP_INDEX_MAX_SHARDS), coarse = count(r, PP_REACH_MIN_SHARDS);
	size_t times = PP_INDEX_MAX_SHARDS / PP_REACH_MIN_SHARDS;

	if (coarse > fine || coarse * times < fine)
		abort();
}

static void
read_hint(const char *hint, struct pp_reach *out)
{
	PP_AUTO_FREE char *line =
	    pp_asprintf("{\"name\":\"a\",\"" PP_REACH_MEMBER "\":\"%s\"}", hint);

	pp_reach_read(pp_str_of(line), out);
}

static void
check(const struct pp_reach *r)
{
	static const struct pp_reach none;
	struct pp_reach again = { 0 };
	PP_AUTO_FREE char *text = pp_reach_text(r);

	check_shards(r);
	if (text == NULL)
		return;
	read_hint(text, &again);
	if (memcmp(r, &none, sizeof(none)) == 0 || memcmp(r, &again, sizeof(again)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_FREE char *hint = pp_xstrndup((const char *)data, size);
	struct pp_reach whole = { 0 }, part = { 0 };

	/* As a line, and as what stands in one. */
	pp_reach_read((struct pp_str){ (const char *)data, size }, &whole);
	check(&whole);
	read_hint(hint, &part);
	check(&part);
	pp_reach_merge(&part, &whole);
	check(&part);
	return 0;
}
