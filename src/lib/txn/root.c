/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing plugpkg.json and plugpkg.lock. What stands in them is decided elsewhere.
 */
#include "lib/txn/root.h"

#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "lib/index/catalog.h"
#include "lib/state/owners.h"
#include "lib/store/generation.h"
#include "lib/txn/host.h"
#include "lib/txn/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE      "plugpkg.json"
#define TRUST_DIR        "var/trust"
#define CONFIG_MAX_BYTES (4 * 1024 * 1024)

enum plugpkg_code
pp_root_reload_config(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CONFIG_MAX_BYTES);
	PP_AUTO_FREE char *file = pp_asprintf("%s/%s", ctx->root, CONFIG_FILE);
	struct stat known;
	int r = pp_read_file_known_at(ctx->root_fd, CONFIG_FILE, &text, &known);
	if (r == -ENOENT) {
		(void)pp_fail(err, PLUGPKG_E_NO_ROOT, 0, "'%s' is not a plugpkg root", ctx->root);
		return pp_hint(err, PLUGPKG_E_NO_ROOT, PP_NO_ROOT_HINT);
	}
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", file);

	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	if (ctx->config == NULL || !pp_config_is_of(ctx->config, bytes)) {
		struct pp_config *config = NULL;
		enum plugpkg_code rc = pp_config_parse(bytes, file, &config, err);
		if (rc != PLUGPKG_OK)
			return rc;
		pp_config_free(ctx->config);
		ctx->config = config;
	}
	ctx->config_file = known;
	pp_host_config_read(ctx);
	return PLUGPKG_OK;
}

/* It may stand there and only not be durable; who is told that it failed finds it as it was. */
static void
put_back(plugpkg_context *ctx, const char *failed)
{
	PP_AUTO_BUF struct pp_buf now = PP_BUF_INIT(CONFIG_MAX_BYTES);
	const char *old = ctx->config->text;

	if (pp_read_file_at(ctx->root_fd, CONFIG_FILE, &now) == 0 &&
	    strcmp(pp_buf_cstr(&now), failed) == 0)
		PP_IGNORE(pp_rewrite_file_at(ctx->root_fd, CONFIG_FILE, old, strlen(old)));
}

enum plugpkg_code
pp_root_write_config(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_config_text(ctx->config);
	int r = pp_rewrite_file_at(ctx->root_fd, CONFIG_FILE, text, strlen(text));

	if (r == 0)
		return PLUGPKG_OK;
	put_back(ctx, text);
	return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/" CONFIG_FILE "'", ctx->root);
}

/* Only names that plugpkg itself gives: the rest of the root is the application's. */
static void
tidy_dir(plugpkg_context *ctx, const char *dir)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs files = { 0 };

	PP_IGNORE(pp_list_dir(ctx->root_fd, dir, &files)); /* what cannot be read stays */
	pp_vec_foreach (file, &files) {
		PP_AUTO_FREE char *path = pp_asprintf("%s/%s", dir, *file);
		if ((*file)[0] == '.' && pp_ends_with(*file, PP_TEMP_SUFFIX))
			PP_IGNORE(pp_unlinkat(ctx->root_fd, path, 0)); /* untidy, no worse */
	}
}

static void
tidy_trust(plugpkg_context *ctx)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs sources = { 0 };

	PP_IGNORE(pp_list_dir(ctx->root_fd, TRUST_DIR, &sources)); /* the same */
	pp_vec_foreach (source, &sources) {
		PP_AUTO_FREE char *dir = pp_asprintf(TRUST_DIR "/%s", *source);
		PP_AUTO_FREE char *view = pp_asprintf("%s/" PP_TRUST_VIEW, dir);
		tidy_dir(ctx, dir);
		tidy_dir(ctx, view);
	}
}

void
pp_root_tidy(plugpkg_context *ctx)
{
	static const char *const files[] = {
		"." CONFIG_FILE PP_TEMP_SUFFIX,
		"." PP_LOCKFILE PP_TEMP_SUFFIX,
	};

	for (size_t i = 0; i < PP_LEN(files); i++)
		if (pp_exists_at(ctx->root_fd, files[i]) == 1)
			PP_IGNORE(pp_unlinkat(ctx->root_fd, files[i], 0)); /* untidy, no worse */
	pp_generation_tidy(ctx);
	tidy_trust(ctx);
}

/* Where they cannot be read, the lock goes without: it is derived, and what counts is there. */
static void
read_owners(plugpkg_context *ctx, struct pp_pins *out)
{
	struct pp_state *state = NULL;

	if (pp_state_get(ctx, &state, NULL) == PLUGPKG_OK)
		PP_IGNORE(pp_state_pins(state, out, NULL));
}

struct pp_lockfile *
pp_root_lock(plugpkg_context *ctx, const struct pp_installeds *set)
{
	struct pp_lockfile *lock = pp_lockfile_new();
	PP_CLEANUP(pp_pins_fini) struct pp_pins owners = { 0 };

	read_owners(ctx, &owners);

	pp_vec_foreach (d, pp_host_known(ctx))
		pp_lockfile_add_host(lock, d->name, d->version.text);
	pp_vec_foreach (p, set) {
		const struct pp_pin *pin = pp_pins_get(&owners, (*p)->name);
		struct pp_locked_texts texts = {
			.key = (*p)->key,
			.version = (*p)->version,
			.source = (*p)->source,
			.sha256 = (*p)->sha256,
			.link_dir = (*p)->link_dir,
			.owner = pin != NULL ? pin->key_id : NULL,
			.detached = &(*p)->detached,
		};
		if (pp_installed_is_usable(*p))
			pp_lockfile_add(lock, &texts);
	}
	return lock;
}

enum plugpkg_code
pp_root_write_lockfile(plugpkg_context *ctx, const struct pp_installeds *set, plugpkg_error **err)
{
	PP_AUTO(lockfile) struct pp_lockfile *lock = pp_root_lock(ctx, set);
	PP_AUTO_FREE char *text = pp_lockfile_text(lock);
	int r = pp_rewrite_file_at(ctx->root_fd, PP_LOCKFILE, text, strlen(text));

	return r < 0
		   ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/" PP_LOCKFILE "'", ctx->root)
		   : PLUGPKG_OK;
}

enum plugpkg_code
pp_root_read_lockfile(plugpkg_context *ctx, struct pp_lockfile **out, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_LOCKFILE_MAX_BYTES);
	PP_AUTO_FREE char *file = pp_asprintf("%s/" PP_LOCKFILE, ctx->root);
	int r = pp_read_file_at(ctx->root_fd, PP_LOCKFILE, &text);

	*out = NULL;
	if (r == -ENOENT)
		return PLUGPKG_OK;
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", file);
	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	enum plugpkg_code rc = pp_lockfile_parse(bytes, file, out, err);
	return rc == PLUGPKG_E_BAD_LOCK
		   ? pp_hint(err, rc,
			 "take it from version control, or write it anew of what is installed: "
			 "plugpkg lock")
		   : rc;
}
