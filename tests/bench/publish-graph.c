/* SPDX-License-Identifier: MIT */
/*
 * Publishes a graph of made-up plugins (graph.jsonl of gen_graph.py: one version a line, the
 * versions of a name together, oldest first) into a publisher's directory, with rows as
 * `plugpkg-repo add` makes them. No archives stand behind them: they are for planning only.
 */
#include "base/mem.h"
#include "lib/model/release.h"
#include "lib/repo/book.h"
#include "lib/repo/keys.h"
#include "lib/repo/metadata.h"
#include "lib/repo/repo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plugin {
	struct pp_book *book;
	char *name;
	pp_json *planning, *details; /* rows, oldest first */
	struct pp_map *providers;    /* virtual name -> pp_json array of names */
	const char *summary;
};

static void PP_NORETURN
die(const char *what, const plugpkg_error *err)
{
	fprintf(stderr, "publish-graph: %s: %s\n", what,
	    err != NULL ? plugpkg_error_message(err) : "cannot");
	exit(1);
}

static void
set_line(struct pp_book *b, enum pp_layer layer, const char *name, pp_json *line)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_AUTO_JSON pp_json *old = NULL;

	if (pp_book_line(b, layer, name, &old, &err) != PLUGPKG_OK)
		die(name, err);
	pp_book_set(b, layer, name, line);
}

static pp_json *
new_line(const char *name, const pp_json *rows)
{
	pp_json *line = pp_json_object(), *newest_first = pp_json_array();

	for (size_t i = pp_json_len(rows); i-- > 0;)
		pp_json_push(newest_first, pp_json_ref(pp_json_at(rows, i)));
	pp_json_set_str(line, "name", name);
	pp_json_set(line, "versions", newest_first);
	return line;
}

static void
finish(struct plugin *p)
{
	if (p->name == NULL)
		return;
	const pp_json *newest = pp_json_at(p->details, pp_json_len(p->details) - 1);
	pp_json *search = pp_json_object();
	pp_json_set_str(search, "name", p->name);
	pp_json_set_str(search, "version", pp_json_get_str(newest, "version"));
	pp_json_set_str(search, "summary", pp_json_get_str(newest, "summary"));
	set_line(p->book, PP_LAYER_PLANNING, p->name, new_line(p->name, p->planning));
	set_line(p->book, PP_LAYER_DETAILS, p->name, new_line(p->name, p->details));
	set_line(p->book, PP_LAYER_SEARCH, p->name, search);
	pp_json_free(p->planning);
	pp_json_free(p->details);
	free(p->name);
	p->name = NULL;
}

static void
note_providers(struct plugin *p, const pp_json *row)
{
	const pp_json *provides = pp_json_get(row, "provides");

	if (provides == NULL)
		return;
	for (void *it = pp_json_iter(provides); it != NULL; it = pp_json_next(provides, it)) {
		void **at = pp_map_put(p->providers, pp_json_iter_key(it));
		if (*at == NULL)
			*at = pp_json_array();
		pp_json *list = *at;
		size_t n = pp_json_len(list);
		if (n == 0 || strcmp(pp_json_string(pp_json_at(list, n - 1)), p->name) != 0)
			pp_json_push_str(list, p->name);
	}
}

static pp_json *
details_of(const pp_json *g)
{
	pp_json *d = pp_json_object();

	pp_json_set_str(d, "version", pp_json_get_str(g, "version"));
	pp_json_set_str(d, "sha256", pp_json_get_str(g, "sha256"));
	pp_json_set_int(d, "size", pp_json_get_int(g, "size", 1));
	pp_json_set_int(d, "unpacked", pp_json_get_int(g, "unpacked", 1));
	pp_json_set_int(d, "files", 40);
	pp_json_set_str(d, "summary", pp_json_get_str(g, "summary"));
	pp_json_set_str(d, "license", pp_json_get_str(g, "license"));
	pp_json_set_str(d, "homepage", pp_json_get_str(g, "homepage"));
	return d;
}

static void
take(struct plugin *p, const pp_json *g, int64_t published)
{
	const char *name = pp_json_get_str(g, "name");

	if (p->name == NULL || strcmp(p->name, name) != 0) {
		finish(p);
		p->name = pp_xstrdup(name);
		p->planning = pp_json_array();
		p->details = pp_json_array();
	}
	pp_json *row = pp_release_row(g);
	pp_json_del(row, "name");
	pp_json_set_int(row, "published", published);
	note_providers(p, row);
	pp_json_push(p->planning, row);
	pp_json_push(p->details, details_of(g));
}

static void
set_providers(struct plugin *p)
{
	pp_map_foreach (e, p->providers) {
		pp_json *line = pp_json_object();
		PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
		pp_json *list = e->value, *sorted = pp_json_array();
		for (size_t i = 0; i < pp_json_len(list); i++)
			pp_strs_add(&names, pp_json_string(pp_json_at(list, i)));
		pp_strs_sort(&names);
		for (size_t i = 0; i < names.n; i++)
			pp_json_push_str(sorted, names.at[i]);
		pp_json_free(list);
		pp_json_set_str(line, "name", e->key);
		pp_json_set(line, "versions", pp_json_array());
		pp_json_set(line, "providers", sorted);
		set_line(p->book, PP_LAYER_PLANNING, e->key, line);
	}
}

static void
read_graph(struct plugin *p, const char *path, int64_t published)
{
	FILE *f = fopen(path, "re");
	PP_AUTO_FREE char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (f == NULL)
		die(path, NULL);
	while ((n = getline(&line, &room, f)) > 0) {
		PP_AUTO_JSON pp_json *g = pp_json_parse(line, (size_t)n, NULL);
		if (g == NULL)
			die("a line of the graph is no JSON", NULL);
		take(p, g, published);
	}
	fclose(f);
	finish(p);
	set_providers(p);
}

static void
save(plugpkg_repo *repo, struct pp_book *b, const struct pp_published *was,
    const struct pp_signer *online)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	struct pp_meta_file index;
	struct pp_signing how = {
		.role = PP_ROLE_INDEX,
		.version = was->file[PP_ROLE_INDEX].version + 1,
		.signers = online,
		.n_signers = 1,
	};
	uint64_t length = 0;
	char sha256[65];

	if (pp_book_save(b, &length, sha256, &err) != PLUGPKG_OK ||
	    pp_metadata_write(repo, &how, pp_body_index(length, sha256), &index, &err) !=
		PLUGPKG_OK ||
	    pp_metadata_seal(repo, was, &was->file[PP_ROLE_TARGETS], &index, online, &err) !=
		PLUGPKG_OK)
		die("publish", err);
}

/* publish-graph GRAPH.jsonl PUBLISHER-DIRECTORY NOW */
int
main(int argc, char **argv)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	PP_CLEANUP(pp_signer_fini) struct pp_signer online = { 0 };
	PP_AUTO(book) struct pp_book *book = NULL;
	struct pp_map providers = { 0 };
	plugpkg_repo *repo = NULL;
	struct pp_published was;

	if (argc != 4)
		die("usage: publish-graph GRAPH.jsonl DIRECTORY NOW", NULL);
	int64_t now = strtoll(argv[3], NULL, 10);
	if (plugpkg_repo_open(argv[2], &repo, &err) != PLUGPKG_OK)
		die(argv[2], err);
	plugpkg_repo_set_time(repo, now);
	if (pp_key_load(repo, "online", &online, &err) != PLUGPKG_OK ||
	    pp_published_read(repo, &online, &was, &err) != PLUGPKG_OK ||
	    pp_book_open(repo, &was, &book, &err) != PLUGPKG_OK)
		die(argv[2], err);
	struct plugin p = { .book = book, .providers = &providers };
	read_graph(&p, argv[1], now);
	save(repo, book, &was, &online);
	pp_map_fini(&providers, NULL);
	plugpkg_repo_close(repo);
	return 0;
}
