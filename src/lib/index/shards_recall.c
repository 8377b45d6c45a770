/* SPDX-License-Identifier: MIT */
/* Planning lines between one plan and the next. */
#include "lib/index/shards.h"

#include "lib/model/name.h"

#define FEW_SHARDS 8 /* to look into fewer costs less than to write everything again */
#define OTHERS_MAX ((uint64_t)1024 * 1024)

bool
pp_shards_recall_root(struct pp_shards *s)
{
	if (s->root_fd >= 0)
		pp_recall_open(&s->recall, s->root_fd, s->source);
	if (s->recall.shards.n == 0 || !pp_str_eq(s->recall.root_sha256, s->root_sha256))
		return false;
	s->n_planning = s->recall.n_planning;
	s->n_details = s->recall.n_details;
	return true;
}

bool
pp_shards_has_recalled(struct pp_shards *s, size_t number)
{
	return pp_recall_has_shard(&s->recall, number);
}

bool
pp_shards_recall(struct pp_shards *s, size_t number, const char *name)
{
	struct pp_str line;

	if (!pp_recall_line(&s->recall, number, name, &line))
		return false;
	*pp_map_put(&s->planning_lines, name) =
	    line.p != NULL ? pp_arena_text(s->arena, line.p, line.n) : NULL;
	return true;
}

static bool
is_held(const struct pp_shards *s, size_t number)
{
	return s->planning != NULL && s->planning[number] != NULL &&
	       s->planning[number]->bytes.n > 0;
}

static size_t
count_held(const struct pp_shards *s)
{
	size_t n = 0;

	for (size_t i = 0; i < pp_shards_count(s, PP_LAYER_PLANNING); i++)
		n += is_held(s, i);
	return n;
}

/*
 * What nobody asked for this time may be asked for the next, as long as it is not too much. Where
 * the layer was cut into more shards, the same shard says nothing of names that belong to others by
 * now: of an empty one all numbers may be alike.
 */
static void
recall_others(struct pp_shards *s)
{
	struct pp_recall *r = &s->recall;
	size_t n_now = pp_shards_count(s, PP_LAYER_PLANNING);

	for (size_t i = 0; r->file_size <= OTHERS_MAX && i < r->shards.n; i++) {
		const struct pp_recalled_shard shard = r->shards.at[i];
		/* One that is damaged ends it all. */
		for (size_t k = 0; i < r->shards.n && k < shard.n; k++) {
			struct pp_str name = r->lines.at[shard.first + k].name;
			PP_AUTO_FREE char *wanted = pp_xstrndup(name.p, name.n);
			if (pp_index_shard_of(n_now, wanted) == shard.number &&
			    !pp_map_has(&s->planning_lines, wanted))
				(void)pp_shards_recall(s, shard.number, wanted);
		}
	}
}

static void
save(struct pp_shards *s)
{
	const struct pp_recall_of of = { s->root, s->root_sha256 };
	struct pp_recall_entries entries = { 0 };
	size_t n = pp_shards_count(s, PP_LAYER_PLANNING);

	for (size_t i = 0; i < n; i++)
		if (is_held(s, i) || pp_shards_has_recalled(s, i))
			pp_vec_push(&entries, ((struct pp_recall_entry){ .number = i }));
	pp_map_foreach (e, &s->planning_lines)
		if (pp_name_valid(pp_str_of(e->key)))
			pp_vec_push(
			    &entries, ((struct pp_recall_entry){
					  pp_index_shard_of(n, e->key), e->key, e->value }));
	pp_recall_save(&entries, &of, s->root_fd, s->source);
	pp_vec_free(&entries);
}

static bool
is_of_another_root(const struct pp_shards *s)
{
	return s->recall.shards.n > 0 && !pp_str_eq(s->recall.root_sha256, s->root_sha256);
}

/* A single shard is one file already. */
void
pp_shards_remember(struct pp_shards *s)
{
	bool is_worth_it =
	    s->recall.is_damaged || is_of_another_root(s) || count_held(s) >= FEW_SHARDS;

	if (s->root == NULL || s->root_fd < 0 || s->n_planning == 1 || s->planning_lines.n == 0 ||
	    !is_worth_it)
		return;
	recall_others(s);
	save(s);
}
