/* SPDX-License-Identifier: MIT */
/*
 * The TUF code behind the command line of the public conformance suite, so that it can be tested
 * from outside. Not installed. Exit status: 0, or 1 for every failure.
 *
 *   tuf-client --metadata-dir DIR init ROOT_FILE
 *   tuf-client --metadata-dir DIR --metadata-url URL refresh
 *   tuf-client --metadata-dir DIR --metadata-url URL --target-name T …
 *       --target-base-url URL --target-dir DIR download
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/time.h"
#include "base/vec.h"
#include "lib/net/fetch.h"
#include "lib/trust/crypto.h"
#include "lib/trust/updater.h"

#define TARGET_MAX_BYTES (64U << 20)

struct client {
	const char *metadata_dir, *metadata_url, *target_dir, *target_url;
	struct pp_strs targets;
	int dir_fd;
	struct pp_net *net;
};

static void
client_fini(struct client *c)
{
	pp_net_free(c->net);
	pp_strs_fini(&c->targets);
	pp_auto_fd(&c->dir_fd);
}

static enum plugpkg_code
open_dir(const char *path, int *out_fd, plugpkg_error **err)
{
	int r = pp_mkdirs_at(AT_FDCWD, path, 0755);

	if (r == 0) {
		*out_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = *out_fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot open '%s'", path);
	return PLUGPKG_OK;
}

/* ---- init ---- */

static enum plugpkg_code
run_init(struct client *c, const char *root_file, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf root = PP_BUF_INIT(PP_TUF_MAX_ROOT_BYTES);
	PP_AUTO(tuf) struct pp_tuf *tuf = NULL;
	int r = pp_read_file_at(AT_FDCWD, root_file, &root);

	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", root_file);
	enum plugpkg_code rc = pp_tuf_new(pp_buf_cstr(&root), root.n, pp_time_now(), &tuf, err);
	if (rc != PLUGPKG_OK)
		return rc;
	r = pp_write_file_at(c->dir_fd, "root.json", pp_buf_cstr(&root), root.n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write 'root.json'");
	return PLUGPKG_OK;
}

/* ---- refresh ---- */

static enum plugpkg_code
get_metadata(void *user, PP_UNUSED size_t mirror, const char *path, size_t max_bytes,
    struct pp_buf *out, int *out_status, plugpkg_error **err)
{
	const struct client *c = user;

	return pp_net_get(c->net, c->metadata_url, path, max_bytes, out, out_status, err);
}

static enum plugpkg_code
run_refresh(struct client *c, struct pp_updater **out, plugpkg_error **err)
{
	PP_AUTO(updater) struct pp_updater *u = NULL;
	struct pp_updater_spec spec = {
		.dir_fd = c->dir_fd,
		.now = pp_time_now(),
		.get = get_metadata,
		.user = c,
		.n_mirrors = 1,
		.label = c->metadata_url,
	};
	enum plugpkg_code rc = pp_updater_new(&spec, &u, err);

	if (rc == PLUGPKG_OK)
		rc = pp_updater_refresh(u, err);
	if (rc == PLUGPKG_OK)
		*out = pp_steal(&u);
	return rc;
}

/* ---- download ---- */

static bool
is_target(const struct pp_tuf_target *target, const struct pp_buf *bytes)
{
	char sha256[65], sha512[129];

	if (bytes->overflow || bytes->n != target->length)
		return false;
	pp_sha256_hex(pp_buf_cstr(bytes), bytes->n, sha256);
	pp_sha512_hex(pp_buf_cstr(bytes), bytes->n, sha512);
	return (target->sha256[0] == '\0' || strcmp(target->sha256, sha256) == 0) &&
	       (target->sha512[0] == '\0' || strcmp(target->sha512, sha512) == 0);
}

/*
 * Each component encoded; with consistent snapshots the digest stands before the last one. Owned.
 */
static char *
target_path(const struct pp_updater *u, const char *name, const struct pp_tuf_target *target)
{
	struct pp_buf path = PP_BUF_INIT(4096);
	struct pp_str rest = pp_str_of(name), part;
	const char *digest = target->sha256[0] != '\0' ? target->sha256 : target->sha512;

	while (pp_str_cut(&rest, '/', &part)) {
		PP_AUTO_FREE char *plain = pp_xstrndup(part.p, part.n);
		PP_AUTO_FREE char *encoded = pp_tuf_encode(plain);
		bool is_last = rest.p == NULL;
		if (is_last && pp_updater_is_consistent_snapshot(u))
			pp_buf_addf(&path, "%s.", digest);
		pp_buf_addf(&path, "%s%s", encoded, is_last ? "" : "/");
	}
	return pp_buf_steal(&path);
}

static enum plugpkg_code
fetch_target(struct client *c, int dir_fd, const char *path, const char *file,
    const struct pp_tuf_target *target, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(target->length);
	int status = 0;
	enum plugpkg_code rc =
	    pp_net_get(c->net, c->target_url, path, target->length, &bytes, &status, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (status != 200)
		return pp_fail(err, PLUGPKG_E_NETWORK, 0, "'%s': status %d", path, status);
	if (!is_target(target, &bytes))
		return pp_fail(err, PLUGPKG_E_DIGEST, 0, "'%s' is not what was signed", path);
	int r = pp_write_file_at(dir_fd, file, pp_buf_cstr(&bytes), bytes.n, 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", file);
	return PLUGPKG_OK;
}

static enum plugpkg_code
download(struct client *c, struct pp_updater *u, int dir_fd, const char *name, plugpkg_error **err)
{
	struct pp_tuf_target target;
	enum plugpkg_code rc = pp_updater_target(u, name, &target, err);

	if (rc != PLUGPKG_OK)
		return rc;
	if (target.length > TARGET_MAX_BYTES)
		return pp_fail(
		    err, PLUGPKG_E_DIGEST, 0, "'%s' is larger than this test can hold", name);

	/* One flat name: nothing in it can lead out of the directory. */
	PP_AUTO_FREE char *file = pp_tuf_encode(name);
	PP_AUTO_BUF struct pp_buf have = PP_BUF_INIT(target.length);
	if (pp_read_file_at(dir_fd, file, &have) == 0 && is_target(&target, &have))
		return PLUGPKG_OK;
	PP_AUTO_FREE char *path = target_path(u, name, &target);
	return fetch_target(c, dir_fd, path, file, &target, err);
}

static enum plugpkg_code
run_download(struct client *c, plugpkg_error **err)
{
	PP_AUTO(updater) struct pp_updater *u = NULL;
	PP_AUTO_FD int dir_fd = -1;
	enum plugpkg_code rc = run_refresh(c, &u, err);

	if (rc == PLUGPKG_OK)
		rc = open_dir(c->target_dir, &dir_fd, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < c->targets.n; i++)
		rc = download(c, u, dir_fd, c->targets.at[i], err);
	return rc;
}

/* ---- command line ---- */

static enum plugpkg_code
run(struct client *c, char **args, plugpkg_error **err)
{
	const char *verb = args[0];

	if (verb == NULL || c->metadata_dir == NULL)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "needs --metadata-dir and a command");
	enum plugpkg_code rc = open_dir(c->metadata_dir, &c->dir_fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	if (strcmp(verb, "init") == 0 && args[1] != NULL)
		return run_init(c, args[1], err);
	if (c->metadata_url == NULL)
		return pp_fail(err, PLUGPKG_E_USAGE, 0, "needs --metadata-url");
	c->net = pp_net_new(NULL, c->dir_fd);
	if (strcmp(verb, "refresh") == 0) {
		PP_AUTO(updater) struct pp_updater *u = NULL;
		return run_refresh(c, &u, err);
	}
	if (strcmp(verb, "download") == 0 && c->target_dir != NULL && c->target_url != NULL)
		return run_download(c, err);
	return pp_fail(err, PLUGPKG_E_USAGE, 0, "cannot '%s' with these options", verb);
}

/* False for an option that does not exist. */
static bool
read_options(struct client *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "metadata-dir", required_argument, NULL, 'm' },
		{ "metadata-url", required_argument, NULL, 'u' },
		{ "target-name", required_argument, NULL, 'n' },
		{ "target-base-url", required_argument, NULL, 'b' },
		{ "target-dir", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};

	for (;;) {
		int o = getopt_long(argc, argv, "+", options, NULL);
		if (o == -1)
			return true;
		if (o == 'm')
			c->metadata_dir = optarg;
		else if (o == 'u')
			c->metadata_url = optarg;
		else if (o == 'n')
			pp_strs_add(&c->targets, optarg);
		else if (o == 'b')
			c->target_url = optarg;
		else if (o == 't')
			c->target_dir = optarg;
		else
			return false;
	}
}

int
main(int argc, char **argv)
{
	PP_CLEANUP(client_fini) struct client c = { .dir_fd = -1 };
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (!read_options(&c, argc, argv))
		return 1;
	if (run(&c, argv + optind, &err) == PLUGPKG_OK)
		return 0;
	fprintf(stderr, "tuf-client: %s [%s]\n", plugpkg_error_message(err),
	    plugpkg_code_name(plugpkg_error_code(err)));
	return 1;
}
