/* SPDX-License-Identifier: MIT */
/* Of which installed plugins it is seen by their names alone that they have what they need. */
#include "lib/txn/web.h"

#include "base/mem.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static void
add(struct pp_installeds *set, const char *key, const char *manifest)
{
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->manifest = pp_json_parse(manifest, strlen(manifest), NULL);
	p->key = pp_xstrdup(key);
	p->name = pp_xstrdup(pp_json_get_str(p->manifest, "name"));
	p->version = pp_xstrdup(pp_json_get_str(p->manifest, "version"));
	p->state = pp_xstrdup("installed");
	pp_vec_push(set, p);
}

static void
make_set(struct pp_installeds *set, const char *key, const char *last)
{
	add(set, "base", "{\"name\":\"base\",\"version\":\"1.2.0\"}");
	add(set, "codec", "{\"name\":\"codec\",\"version\":\"1.0\",\"provides\":{\"lib\":\"1\"}}");
	add(set, "old@1", "{\"name\":\"old\",\"version\":\"1.0.0\",\"parallel\":\"major\"}");
	add(set, "pre", "{\"name\":\"pre\",\"version\":\"2.0.0-rc.1\"}");
	if (last != NULL)
		add(set, key, last);
}

static bool
is_whole(const struct pp_installeds *set)
{
	static const char text[] = "{\"name\":\"demo\",\"provides\":{\"host:demo\":\"3.1.0\"},"
				   "\"sources\":[],\"plugins\":{}}";
	struct plugpkg_context ctx = { .root_fd = -1 };

	CHECK_INT(pp_config_parse(pp_str_of(text), "plugpkg.json", &ctx.config, NULL), PLUGPKG_OK);
	bool is = pp_set_is_whole(&ctx, set);
	pp_config_free(ctx.config);
	return is;
}

static void
names_in_the_range_are_all_it_takes(void)
{
	static const struct {
		const char *members;
		bool is_whole;
	} rows[] = {
		{ "", true },
		{ ",\"requires\":{\"base\":\"^1\",\"host:demo\":\">=3\"}", true },
		{ ",\"recommends\":{\"base\":\"*\",\"pre\":\"2.x\"}", false },
		{ ",\"requires\":{\"pre\":\">=2.0.0-rc.1\"},\"recommends\":{}", true },
		{ ",\"suggests\":{\"absent\":\"*\"}", true },
		{ ",\"requires\":{\"base\":\"^2\"}", false },
		{ ",\"recommends\":{\"absent\":\"*\"}", false },
		{ ",\"requires\":{\"host:demo\":\"^2\"}", false },
		{ ",\"requires\":{\"host:other\":\"*\"}", false },
		/* These have what they need, or may; it takes the web to know. */
		{ ",\"requires\":{\"lib\":\"*\"}", false },
		{ ",\"requires\":{\"old\":\"^1\"}", false },
		{ ",\"conflicts\":{\"absent\":\"*\"}", false },
		/* No manifest that was ever installed. */
		{ ",\"requires\":[\"base\"]", false },
		{ ",\"requires\":{\"base\":1}", false },
		{ ",\"requires\":{\"base\":\"no range\"}", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *last =
		    pp_asprintf("{\"name\":\"top\",\"version\":\"1.0.0\"%s}", rows[i].members);
		struct pp_installeds set = { 0 };
		make_set(&set, "top", last);
		if (!CHECK_INT(is_whole(&set), rows[i].is_whole))
			printf("# %s\n", rows[i].members);
		pp_installeds_fini(&set);
	}
}

static void
who_is_not_in_use_is_not_whole(void)
{
	for (int i = 0; i < 5; i++) {
		struct pp_installeds set = { 0 };
		make_set(&set, NULL, NULL);
		struct pp_installed *p = set.at[0];
		CHECK(is_whole(&set));
		p->is_disabled = i == 0;
		p->blocked_by = i == 1 ? pp_xstrdup("codec") : NULL;
		if (i == 2)
			pp_strs_add(&p->detached, "codec");
		if (i > 2) {
			free(p->state);
			p->state = pp_xstrdup(i == 3 ? "leftover" : "core-installed");
		}
		CHECK(!is_whole(&set));
		pp_installeds_fini(&set);
	}
}

TAP_MAIN(CASE(names_in_the_range_are_all_it_takes) CASE(who_is_not_in_use_is_not_whole))
