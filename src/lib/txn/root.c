/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing plugpkg.json, writing plugpkg.lock. What stands in them is decided elsewhere.
 */
#include "lib/txn/root.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE      "plugpkg.json"
#define LOCK_FILE        "plugpkg.lock"
#define CONFIG_MAX_BYTES (4 * 1024 * 1024)
#define LOCK_FORMAT      1

enum plugpkg_code
pp_root_reload_config(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(CONFIG_MAX_BYTES);
	PP_AUTO_FREE char *file = pp_asprintf("%s/%s", ctx->root, CONFIG_FILE);
	int r = pp_read_file_at(ctx->root_fd, CONFIG_FILE, &text);
	if (r == -ENOENT) {
		(void)pp_fail(err, PLUGPKG_E_NO_ROOT, 0, "'%s' is not a plugpkg root", ctx->root);
		return pp_hint(err, PLUGPKG_E_NO_ROOT, "run plugpkg init");
	}
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", file);

	struct pp_config *config = NULL;
	struct pp_str bytes = { pp_buf_cstr(&text), text.n };
	enum plugpkg_code rc = pp_config_parse(bytes, file, &config, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_config_free(ctx->config);
	ctx->config = config;
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_root_write_config(plugpkg_context *ctx, plugpkg_error **err)
{
	PP_AUTO_FREE char *text = pp_config_text(ctx->config);
	struct stat st;
	mode_t mode = 0644;

	if (fstatat(ctx->root_fd, CONFIG_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		mode = st.st_mode & 0777;
	int r = pp_write_file_at(ctx->root_fd, CONFIG_FILE, text, strlen(text), mode);
	return r < 0
		   ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/" CONFIG_FILE "'", ctx->root)
		   : PLUGPKG_OK;
}

enum plugpkg_code
pp_root_write_lockfile(plugpkg_context *ctx, const struct pp_installeds *set, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *lock = pp_json_object();
	pp_json *plugins = pp_json_object();

	pp_json_set_int(lock, "lock", LOCK_FORMAT);
	pp_vec_foreach (p, set) {
		pp_json *one = pp_json_object();
		pp_json_set_str(one, "version", (*p)->version);
		pp_json_set_str(one, "source", (*p)->source);
		pp_json_set_str(one, "sha256", *(*p)->sha256 != '\0' ? (*p)->sha256 : NULL);
		pp_json_set_str(one, "link", (*p)->link_dir);
		pp_json_set(plugins, (*p)->key, one);
	}
	pp_json_set(lock, "plugins", plugins);

	PP_AUTO_FREE char *text = pp_json_pretty(lock);
	int r = pp_write_file_at(ctx->root_fd, LOCK_FILE, text, strlen(text), 0644);
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s/" LOCK_FILE "'", ctx->root)
		     : PLUGPKG_OK;
}
