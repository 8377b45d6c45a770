/* SPDX-License-Identifier: MIT */
/* Downloads through the real helper from a server that misbehaves on order, and from files. */
#include "lib/net/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/time.h"
#include "lib/trust/crypto.h"
#include "tap.h"

#define FILE_BYTES 200000

/* One served directory, one cache, one server for all cases. */
static struct {
	char dir[64];
	int fd, cache_fd;
	struct pp_child server;
	uint64_t port;
	char *data;
	char digest[65];
} world = { .fd = -1, .cache_fd = -1, .server = { .pid = -1 } };

static bool
read_port(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(64);

	if (pp_read_file_at(world.fd, "port", &text) < 0)
		return false;
	return pp_parse_u64(
		   pp_str_trim((struct pp_str){ text.s, text.n - 1 }), 65535, &world.port) == 0;
}

static bool
start_server(void)
{
	const char *src = getenv("top_srcdir");
	PP_AUTO_FREE char *script =
	    pp_asprintf("%s/tests/e2e/misbehaving-server.py", src != NULL ? src : ".");
	PP_AUTO_FREE char *served = pp_asprintf("%s/served", world.dir);
	PP_AUTO_FREE char *port = pp_asprintf("%s/port", world.dir);
	PP_AUTO_FREE char *log = pp_asprintf("%s/log", world.dir);
	const char *argv[] = { "env", "python3", script, served, "--port-file", port, "--log", log,
		NULL };
	const char *env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", NULL };
	struct pp_spawn s = PP_SPAWN_INIT;

	s.path = "/usr/bin/env";
	s.argv = argv;
	s.env = env;
	s.stderr_fd = 2;
	if (pp_spawn(&s, &world.server) < 0)
		return false;
	for (int i = 0; i < 500 && !read_port(); i++)
		poll(NULL, 0, 20);
	return world.port != 0;
}

static void
stop_world(void)
{
	pp_child_fini(&world.server);
	if (world.fd >= 0)
		PP_IGNORE(pp_rm_rf_at(AT_FDCWD, world.dir)); /* scratch */
	free(world.data);
}

static void
put(const char *path, const char *p, size_t n)
{
	CHECK_INT(pp_write_file_at(world.fd, path, p, n, 0644), 0);
}

/* False: the case cannot run here. */
static bool
start_world(void)
{
	if (world.port != 0)
		return true;
	if (world.fd >= 0)
		return false;
	snprintf(world.dir, sizeof(world.dir), "/tmp/plugpkg-fetch-XXXXXX");
	if (mkdtemp(world.dir) == NULL)
		return false;
	atexit(stop_world);
	world.fd = open(world.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(pp_mkdirs_at(world.fd, "served/a", 0755), 0);
	world.data = pp_xmalloc(FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		world.data[i] = (char)(i * 7 + i / 251);
	pp_sha256_hex(world.data, FILE_BYTES, world.digest);
	put("served/a/b+c.bin", world.data, FILE_BYTES);
	return start_server();
}

#define NEED_WORLD()                                                                               \
	do {                                                                                       \
		if (!start_world())                                                                \
			SKIP("python3 is missing");                                                \
	} while (0)

/* A fresh cache, and mirrors by their orders ("file" = file://). */
struct setup {
	struct pp_net *net;
	struct pp_strs mirrors;
	struct pp_want want;
};

static struct setup
set_up(plugpkg_context *ctx, const char *const *orders)
{
	struct setup s = { .net = NULL };

	pp_auto_fd(&world.cache_fd);
	CHECK_INT(pp_rm_rf_at(world.fd, "cache"), 0);
	CHECK_INT(pp_rm_rf_at(world.fd, "log"), 0);
	CHECK_INT(pp_mkdirs_at(world.fd, "cache", 0755), 0);
	world.cache_fd = pp_opendir_at(world.fd, "cache");
	s.net = pp_net_new(ctx, world.cache_fd);
	for (; *orders != NULL; orders++) {
		if (strcmp(*orders, "file") == 0)
			pp_strs_take(&s.mirrors, pp_asprintf("file://%s/served", world.dir));
		else
			pp_strs_take(&s.mirrors,
			    pp_asprintf("http://127.0.0.1:%d/!%s/", (int)world.port, *orders));
	}
	s.want = (struct pp_want){
		.path = "a/b%2Bc.bin",
		.label = "thing 1.0",
		.sha256 = world.digest,
		.size = FILE_BYTES,
	};
	return s;
}

static void
tear_down(struct setup *s)
{
	pp_net_free(s->net);
	pp_strs_fini(&s->mirrors);
}

static enum plugpkg_code
run_fetch(struct setup *s, plugpkg_error **err)
{
	s->want.mirrors = &s->mirrors;
	return pp_net_fetch(s->net, &s->want, 1, err);
}

static bool
is_cached(struct setup *s)
{
	PP_AUTO_FD int fd = -1;

	return pp_net_open_cached(s->net, world.digest, FILE_BYTES, &fd, NULL) == PLUGPKG_OK;
}

static size_t
n_cached(void)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { .n = 0 };

	CHECK_INT(pp_list_dir(world.fd, "cache", &names), 0);
	return names.n;
}

static char *
read_log(void)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(1 << 20);

	PP_IGNORE(pp_read_file_at(world.fd, "log", &text)); /* none: nothing was asked */
	return pp_buf_steal(&text);
}

/* Fetches from these mirrors with `part` bytes of a partial file there already. */
static enum plugpkg_code
fetch_from(const char *const *orders, const char *part, size_t n, plugpkg_error **err)
{
	struct setup s = set_up(NULL, orders);
	PP_AUTO_FREE char *name = pp_asprintf("cache/%s.part", world.digest);

	if (part != NULL)
		put(name, part, n);
	enum plugpkg_code rc = run_fetch(&s, err);
	CHECK_INT(is_cached(&s), rc == PLUGPKG_OK);
	CHECK(rc != PLUGPKG_OK || n_cached() == 1);
	tear_down(&s);
	return rc;
}

static void
a_good_mirror_delivers(void)
{
	NEED_WORLD();
	static const char *const mirrors[][2] = { { "ok" }, { "file" }, { "redirect-5" },
		{ "gzip@x" }, { "attachment" } };

	for (size_t i = 0; i < PP_LEN(mirrors); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		bool is_ok = fetch_from(mirrors[i], NULL, 0, &err) == PLUGPKG_OK;

		if (!CHECK(is_ok))
			printf("# %s: %s\n", mirrors[i][0], plugpkg_error_message(err));
	}
}

static const char *const quick_faults[] = { "status-404", "status-500", "cut-always", "short",
	"other", "flip", "long", "endless", "endless-error", "gzip", "bomb", "loop", "redirect-6",
	"to-file", "to-ftp", "headers", "garbage", "cut" };

static void
each_fault_is_made_good_by_the_next_mirror(void)
{
	NEED_WORLD();
	for (size_t i = 0; i < PP_LEN(quick_faults); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		const char *web[] = { quick_faults[i], "ok", NULL };
		const char *disk[] = { quick_faults[i], "file", NULL };

		if (!CHECK_INT(fetch_from(web, NULL, 0, &err), PLUGPKG_OK) ||
		    !CHECK_INT(fetch_from(disk, NULL, 0, &err), PLUGPKG_OK))
			printf("# %s: %s\n", quick_faults[i], plugpkg_error_message(err));
	}
}

static void
the_error_names_file_mirrors_and_reasons(void)
{
	NEED_WORLD();
	static const struct {
		const char *order, *part;
		enum plugpkg_code code;
	} rows[] = {
		{ "status-404", "HTTP status 404", PLUGPKG_E_NETWORK },
		{ "status-500", "HTTP status 500", PLUGPKG_E_NETWORK },
		{ "cut-always", "cut off", PLUGPKG_E_NETWORK },
		{ "short", "another size", PLUGPKG_E_DIGEST },
		{ "other", "other bytes than the signed ones", PLUGPKG_E_DIGEST },
		{ "flip", "other bytes than the signed ones", PLUGPKG_E_DIGEST },
		{ "long", "more than 200000 bytes", PLUGPKG_E_DIGEST },
		{ "endless", "more than 200000 bytes", PLUGPKG_E_DIGEST },
		{ "endless-error", "HTTP status 500", PLUGPKG_E_NETWORK },
		{ "gzip", "another size", PLUGPKG_E_DIGEST },
		{ "loop", "redirects more than 5 times", PLUGPKG_E_NETWORK },
		{ "to-file", "something else than http", PLUGPKG_E_NETWORK },
		{ "to-ftp", "something else than http", PLUGPKG_E_NETWORK },
		{ "headers", "more than", PLUGPKG_E_DIGEST },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		const char *mirrors[] = { rows[i].order, NULL };

		CHECK_INT(fetch_from(mirrors, NULL, 0, &err), rows[i].code);
		CHECK_HAS(plugpkg_error_message(err), "cannot fetch thing 1.0: http://127.0.0.1:");
		if (!CHECK_HAS(plugpkg_error_message(err), rows[i].part))
			printf("# %s\n", rows[i].order);
		/* Wrong bytes leave nothing behind, half a file is kept for later. */
		CHECK_INT(n_cached(), strcmp(rows[i].order, "cut-always") == 0);
	}
}

static void
evil_and_absent_mirrors_together_are_a_network_error(void)
{
	NEED_WORLD();
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	const char *mixed[] = { "flip", "status-404", NULL };

	CHECK_INT(fetch_from(mixed, NULL, 0, &err), PLUGPKG_E_NETWORK);
	CHECK_HAS(plugpkg_error_message(err), "!flip/: delivered other bytes");
	CHECK_HAS(plugpkg_error_message(err), "!status-404/: HTTP status 404");
}

static void
a_partial_file_is_continued(void)
{
	NEED_WORLD();
	const char *mirrors[] = { "ok", NULL };

	CHECK_INT(fetch_from(mirrors, world.data, 150000, NULL), PLUGPKG_OK);

	PP_AUTO_FREE char *log = read_log();
	CHECK_HAS(log, "\"range\": \"bytes=150000-\"");
}

static void
a_cut_file_is_continued_at_another_mirror(void)
{
	NEED_WORLD();
	const char *mirrors[] = { "cut-always", "ok", NULL };

	CHECK_INT(fetch_from(mirrors, NULL, 0, NULL), PLUGPKG_OK);

	PP_AUTO_FREE char *log = read_log();
	CHECK_HAS(log, "\"range\": \"bytes=100000-\"");
}

/* Whatever lies in the cache and however the server takes Range: the right file, silently. */
static void
a_planted_partial_file_does_no_harm(void)
{
	NEED_WORLD();
	static const char *const orders[] = { "ok", "no-range", "wrong-range", "lying-range",
		"status-range-416", "file" };
	PP_AUTO_FREE char *evil = pp_xcalloc(FILE_BYTES + 1, 1);
	static const size_t sizes[] = { 1, 1000, FILE_BYTES - 1, FILE_BYTES, FILE_BYTES + 1 };

	for (size_t i = 0; i < PP_LEN(orders); i++) {
		for (size_t k = 0; k < PP_LEN(sizes); k++) {
			PP_AUTO_ERROR plugpkg_error *err = NULL;
			const char *mirrors[] = { orders[i], NULL };

			if (!CHECK_INT(fetch_from(mirrors, evil, sizes[k], &err), PLUGPKG_OK))
				printf("# %s %zu: %s\n", orders[i], sizes[k],
				    plugpkg_error_message(err));
		}
		const char *mirrors[] = { orders[i], NULL };
		CHECK_INT(fetch_from(mirrors, world.data, 1000, NULL), PLUGPKG_OK);
	}
}

static void
a_complete_partial_file_needs_no_request(void)
{
	NEED_WORLD();
	const char *mirrors[] = { "ok", NULL };

	CHECK_INT(fetch_from(mirrors, world.data, FILE_BYTES, NULL), PLUGPKG_OK);

	PP_AUTO_FREE char *log = read_log();
	CHECK_STR(log, "");
}

static void
links_in_the_cache_are_not_followed(void)
{
	NEED_WORLD();
	const char *orders[] = { "ok", NULL };
	struct setup s = set_up(NULL, orders);
	PP_AUTO_FREE char *part = pp_asprintf("%s.part", world.digest);

	put("outside", "precious", 8);
	CHECK_INT(symlinkat("../outside", world.cache_fd, part), 0);
	CHECK_INT(symlinkat("../outside", world.cache_fd, world.digest), 0);
	CHECK_INT(run_fetch(&s, NULL), PLUGPKG_OK);
	CHECK(is_cached(&s));

	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(64);
	CHECK_INT(pp_read_file_at(world.fd, "outside", &text), 0);
	CHECK_STR(text.s, "precious");
	tear_down(&s);
}

static void
a_damaged_cache_is_noticed_and_fetched_again(void)
{
	NEED_WORLD();
	const char *orders[] = { "ok", NULL };
	struct setup s = set_up(NULL, orders);
	PP_AUTO_FREE char *name = pp_asprintf("cache/%s", world.digest);
	PP_AUTO_FREE char *evil = pp_xcalloc(FILE_BYTES, 1);

	put(name, evil, FILE_BYTES);
	CHECK_INT(run_fetch(&s, NULL), PLUGPKG_OK);
	CHECK(is_cached(&s));
	put(name, "short", 5);
	CHECK(!is_cached(&s));
	CHECK_INT(run_fetch(&s, NULL), PLUGPKG_OK);

	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(FILE_BYTES);
	CHECK_INT(pp_net_read_cached(s.net, world.digest, FILE_BYTES, &bytes), 0);
	CHECK(bytes.n == FILE_BYTES && memcmp(bytes.s, world.data, FILE_BYTES) == 0);
	put(name, evil, FILE_BYTES);
	CHECK_INT(pp_net_read_cached(s.net, world.digest, FILE_BYTES, &bytes), -ENOENT);
	tear_down(&s);
}

static void
what_is_cached_is_not_asked_for(void)
{
	NEED_WORLD();
	const char *orders[] = { "ok", NULL };
	struct setup s = set_up(NULL, orders);
	struct pp_want twice[2];

	s.want.mirrors = &s.mirrors;
	twice[0] = twice[1] = s.want;
	CHECK_INT(pp_net_fetch(s.net, twice, 2, NULL), PLUGPKG_OK);
	CHECK_INT(pp_net_fetch(s.net, twice, 2, NULL), PLUGPKG_OK);

	PP_AUTO_FREE char *log = read_log();
	const char *first = strstr(log, "\"path\"");
	CHECK(first != NULL && strstr(first + 1, "\"path\"") == NULL);
	CHECK_HAS(log, "\"agent\": \"plugpkg/");
	CHECK_HAS(log, "\"headers\": [\"accept\", \"host\", \"user-agent\"]");
	tear_down(&s);
}

static void
slow_and_silent_mirrors_are_left(void)
{
	NEED_WORLD();
	static const char *const orders[] = { "slow", "stall", "stall-body" };

	for (size_t i = 0; i < PP_LEN(orders); i++) {
		const char *both[] = { orders[i], "ok", NULL };
		const char *alone[] = { orders[i], NULL };
		PP_AUTO_ERROR plugpkg_error *err = NULL;

		CHECK_INT(fetch_from(both, NULL, 0, &err), PLUGPKG_OK);
		CHECK_INT(fetch_from(alone, NULL, 0, &err), PLUGPKG_E_NETWORK);
		CHECK_HAS(plugpkg_error_message(err), "too slow");
	}
}

/* Cancels as soon as bytes flow. */
static void
cancel_on_total(const struct plugpkg_event *ev, void *user)
{
	plugpkg_context *ctx = user;

	(void)ev;
	atomic_store(&ctx->cancelled, 1);
}

static void
a_cancelled_fetch_ends_at_once(void)
{
	NEED_WORLD();
	const char *orders[] = { "stall", NULL };
	plugpkg_context ctx = { .root_fd = -1, .lock_fd = -1 };
	struct setup s = set_up(&ctx, orders);
	int64_t start = pp_time_mono_ms();

	ctx.event_fn = cancel_on_total;
	ctx.event_user = &ctx;
	CHECK_INT(run_fetch(&s, NULL), PLUGPKG_E_INTERRUPTED);
	CHECK(pp_time_mono_ms() - start < 1000);
	CHECK_INT(n_cached(), 0);
	tear_down(&s);
}

static void
many_files_come_at_once(void)
{
	NEED_WORLD();
	const char *orders[] = { "status-404@*[13579].txt", "file", NULL };
	struct setup s = set_up(NULL, orders);
	struct pp_want wants[40];
	char digests[40][65], paths[40][32];

	for (size_t i = 0; i < PP_LEN(wants); i++) {
		char path[48], text[32];

		snprintf(text, sizeof(text), "file number %zu", i);
		snprintf(path, sizeof(path), "served/n%zu.txt", i);
		snprintf(paths[i], sizeof(paths[i]), "n%zu.txt", i);
		put(path, text, strlen(text));
		pp_sha256_hex(text, strlen(text), digests[i]);
		wants[i] = (struct pp_want){ .mirrors = &s.mirrors,
			.path = paths[i],
			.label = paths[i],
			.sha256 = digests[i],
			.size = strlen(text) };
	}
	CHECK_INT(pp_net_fetch(s.net, wants, PP_LEN(wants), NULL), PLUGPKG_OK);
	CHECK_INT(n_cached(), PP_LEN(wants));
	tear_down(&s);
}

/* Each named want of a small file, held. */
static enum plugpkg_code
fetch_held(struct setup *s, const char *text, struct pp_buf *out, plugpkg_error **err)
{
	char digest[65];

	put("served/held.txt", text, strlen(text));
	pp_sha256_hex(text, strlen(text), digest);
	s->want.path = "held.txt";
	s->want.sha256 = digest;
	s->want.size = strlen(text);
	s->want.is_held = true;
	enum plugpkg_code rc = run_fetch(s, err);
	if (rc == PLUGPKG_OK)
		CHECK_INT(pp_net_read_cached(s->net, digest, strlen(text), out), 0);
	s->want.sha256 = world.digest;
	return rc;
}

static void
a_small_file_is_held_and_lies_in_the_cache(void)
{
	NEED_WORLD();
	static const char *const mirrors[] = { "ok", "file", "redirect-5", "attachment" };

	for (size_t i = 0; i < PP_LEN(mirrors); i++) {
		const char *orders[] = { mirrors[i], NULL };
		struct setup s = set_up(NULL, orders);
		PP_AUTO_BUF struct pp_buf first = PP_BUF_INIT(100);
		PP_AUTO_BUF struct pp_buf again = PP_BUF_INIT(100);
		char digest[65];

		CHECK_INT(fetch_held(&s, "a small file", &first, NULL), PLUGPKG_OK);
		CHECK_STR(pp_buf_cstr(&first), "a small file");
		pp_sha256_hex("a small file", 12, digest);
		/* It was held for one reader; the next one has it from the disk. */
		CHECK_INT(pp_net_read_cached(s.net, digest, 12, &again), 0);
		CHECK_STR(pp_buf_cstr(&again), "a small file");
		CHECK_INT(n_cached(), 1);
		tear_down(&s);
	}
}

static void
a_small_file_comes_from_the_next_mirror_after_each_fault(void)
{
	NEED_WORLD();
	for (size_t i = 0; i < PP_LEN(quick_faults); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(100);
		const char *orders[] = { quick_faults[i], "ok", NULL };
		struct setup s = set_up(NULL, orders);

		if (!CHECK_INT(fetch_held(&s, "a small file", &got, &err), PLUGPKG_OK) ||
		    !CHECK_STR(pp_buf_cstr(&got), "a small file"))
			printf("# %s: %s\n", quick_faults[i], plugpkg_error_message(err));
		tear_down(&s);
	}
}

static void
a_small_file_with_other_bytes_is_refused(void)
{
	NEED_WORLD();
	static const char *const orders[][2] = { { "flip" }, { "other" }, { "short" } };

	for (size_t i = 0; i < PP_LEN(orders); i++) {
		PP_AUTO_ERROR plugpkg_error *err = NULL;
		PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(100);
		struct setup s = set_up(NULL, orders[i]);

		CHECK_INT(fetch_held(&s, "a small file", &got, &err), PLUGPKG_E_DIGEST);
		CHECK_INT(n_cached(), 0);
		tear_down(&s);
	}
}

static void
metadata_comes_with_its_status_and_limit(void)
{
	NEED_WORLD();
	static const struct {
		const char *order;
		size_t max;
		enum plugpkg_code code;
		int status;
	} rows[] = {
		{ "ok", FILE_BYTES, PLUGPKG_OK, 200 },
		{ "file", FILE_BYTES, PLUGPKG_OK, 200 },
		{ "status-404", 100, PLUGPKG_OK, 404 },
		{ "status-403", 100, PLUGPKG_OK, 403 },
		{ "status-500", 100, PLUGPKG_E_NETWORK, 0 },
		{ "ok", FILE_BYTES - 1, PLUGPKG_E_NETWORK, 0 },
		{ "file", FILE_BYTES - 1, PLUGPKG_E_NETWORK, 0 },
		{ "endless", 1000, PLUGPKG_E_NETWORK, 0 },
		{ "cut", FILE_BYTES, PLUGPKG_E_NETWORK, 0 },
		{ "to-file", FILE_BYTES, PLUGPKG_E_NETWORK, 0 },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		const char *orders[] = { rows[i].order, NULL };
		struct setup s = set_up(NULL, orders);
		PP_AUTO_BUF struct pp_buf out = PP_BUF_INIT(FILE_BYTES);
		int status = 0;
		enum plugpkg_code rc = pp_net_get(
		    s.net, s.mirrors.at[0], "a/b%2Bc.bin", rows[i].max, &out, &status, NULL);

		CHECK_INT(rc, rows[i].code);
		if (rc == PLUGPKG_OK)
			CHECK_INT(status, rows[i].status);
		CHECK_INT(out.n, rc == PLUGPKG_OK && status == 200 ? FILE_BYTES : 0);
		tear_down(&s);
	}
}

static void
credentials_stay_with_their_server_and_out_of_messages(void)
{
	NEED_WORLD();
	PP_AUTO_FREE char *port = pp_asprintf("%d", (int)world.port);
	PP_AUTO_FREE char *quoted = pp_asprintf("!to=http:%%2F%%2Flocalhost:%s", port);
	const char *orders[] = { "ok", NULL };
	struct setup s = set_up(NULL, orders);
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	free(s.mirrors.at[0]);
	s.mirrors.at[0] = pp_asprintf("http://me:secret@127.0.0.1:%s/%s/", port, quoted);
	CHECK_INT(run_fetch(&s, NULL), PLUGPKG_OK);

	PP_AUTO_FREE char *log = read_log();
	CHECK_HAS(log, "\"authorization\": \"Basic ");
	CHECK_HAS(log, "\"authorization\": null");

	free(s.mirrors.at[0]);
	s.mirrors.at[0] = pp_asprintf("http://me:secret@127.0.0.1:%s/!status-500/", port);
	CHECK_INT(pp_rm_rf_at(world.cache_fd, world.digest), 0);
	CHECK_INT(run_fetch(&s, &err), PLUGPKG_E_NETWORK);
	CHECK(strstr(plugpkg_error_message(err), "secret") == NULL);
	tear_down(&s);
}

static void
a_missing_helper_is_told(void)
{
	NEED_WORLD();
	PP_AUTO_FREE char *saved = pp_xstrdup(getenv("PLUGPKG_LIBEXEC"));
	const char *orders[] = { "ok", NULL };
	struct setup s = set_up(NULL, orders);
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	CHECK_INT(setenv("PLUGPKG_LIBEXEC", "/nowhere", 1), 0);
	CHECK_INT(run_fetch(&s, &err), PLUGPKG_E_IO);
	CHECK_HAS(plugpkg_error_message(err), "/nowhere/plugpkg-fetch");
	if (saved != NULL)
		CHECK_INT(setenv("PLUGPKG_LIBEXEC", saved, 1), 0);
	else
		CHECK_INT(unsetenv("PLUGPKG_LIBEXEC"), 0);
	tear_down(&s);
}

static const struct tap_case cases[] = { CASE(a_good_mirror_delivers) CASE(
    each_fault_is_made_good_by_the_next_mirror) CASE(the_error_names_file_mirrors_and_reasons)
	    CASE(evil_and_absent_mirrors_together_are_a_network_error) CASE(
		a_partial_file_is_continued) CASE(a_cut_file_is_continued_at_another_mirror)
		CASE(a_planted_partial_file_does_no_harm)
		    CASE(a_complete_partial_file_needs_no_request) CASE(
			links_in_the_cache_are_not_followed)
			CASE(a_damaged_cache_is_noticed_and_fetched_again) CASE(
			    what_is_cached_is_not_asked_for) CASE(slow_and_silent_mirrors_are_left)
			    CASE(a_cancelled_fetch_ends_at_once) CASE(many_files_come_at_once)
				CASE(a_small_file_is_held_and_lies_in_the_cache) CASE(
				    a_small_file_comes_from_the_next_mirror_after_each_fault)
				    CASE(a_small_file_with_other_bytes_is_refused)
					CASE(metadata_comes_with_its_status_and_limit) CASE(
					    credentials_stay_with_their_server_and_out_of_messages)
					    CASE(a_missing_helper_is_told) };

int
main(void)
{
	/* No case can wait as long as people can; no proxy stands before loopback. */
	setenv("PLUGPKG_FETCH_PATIENCE", "1", 1);
	setenv("no_proxy", "*", 1);
	return tap_run(cases, PP_LEN(cases));
}
