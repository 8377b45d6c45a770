/* SPDX-License-Identifier: MIT */
/* `new`: a small plugin that lints, builds and installs as it is, for an author to change. */
#include <plugpkg.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/model/name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char readme[] =
    "# @NAME@\n"
    "\n"
    "A plugin for plugpkg. `plugin.json` says what it is, `scripts/` what happens when it comes "
    "and goes.\n"
    "\n"
    "    plugpkg lint .      # check it\n"
    "    plugpkg link .      # try it in an application, from this directory\n"
    "    plugpkg build .     # make the archive that a repository publishes\n"
    "\n"
    "Files named in `.plugignore` stay out of the archive.\n";

static const char ignore[] = "# One shell pattern a line: what stays out of the archive.\n"
			     "*~\n"
			     "*.swp\n"
			     ".DS_Store\n"
			     "node_modules/\n";

static const char install[] = "#!/bin/sh\n"
			      "# Runs when the plugin is installed, before the application sees "
			      "it. May run twice: write every\n"
			      "# step so that a second time does no harm.\n"
			      "set -eu\n"
			      "\n"
			      "mkdir -p \"$PLUGPKG_DATA\"\n"
			      "echo \"$PLUGPKG_NAME $PLUGPKG_VERSION is ready\"\n";

static const char upgrade[] =
    "#!/bin/sh\n"
    "# Runs instead of install.sh when PLUGPKG_OLD_VERSION was there before. It is also called to "
    "go back\n"
    "# to this version when an upgrade failed.\n"
    "set -eu\n"
    "\n"
    "echo \"$PLUGPKG_NAME: from $PLUGPKG_OLD_VERSION to $PLUGPKG_VERSION\"\n";

static const char uninstall[] = "#!/bin/sh\n"
				"# Runs when the plugin leaves, after the application has stopped "
				"seeing it. PLUGPKG_DATA stays unless\n"
				"# the plugin is purged.\n"
				"set -eu\n"
				"\n"
				"echo \"$PLUGPKG_NAME leaves\"\n";

static const struct skeleton {
	const char *path, *text;
	mode_t mode;
} files[] = {
	{ "README.md", readme, 0644 },
	{ ".plugignore", ignore, 0644 },
	{ "scripts/install.sh", install, 0755 },
	{ "scripts/upgrade.sh", upgrade, 0755 },
	{ "scripts/uninstall.sh", uninstall, 0755 },
};

static char *
manifest_text(const char *name)
{
	PP_AUTO_JSON pp_json *j = pp_json_object();
	pp_json *scripts = pp_json_object();

	pp_json_set_str(j, "name", name);
	pp_json_set_str(j, "version", "0.1.0");
	pp_json_set_str(j, "summary", "What the plugin does, in one line");
	pp_json_set_str(j, "license", "MIT");
	pp_json_set(j, "requires", pp_json_object());
	pp_json_set_str(scripts, "install", "scripts/install.sh");
	pp_json_set_str(scripts, "upgrade", "scripts/upgrade.sh");
	pp_json_set_str(scripts, "uninstall", "scripts/uninstall.sh");
	pp_json_set(j, "scripts", scripts);
	return pp_json_pretty(j);
}

static void
expand(const char *text, const char *name, struct pp_buf *out)
{
	static const char mark[] = "@NAME@";
	const char *at;

	while ((at = strstr(text, mark)) != NULL) {
		pp_buf_add(out, text, (size_t)(at - text));
		pp_buf_adds(out, name);
		text = at + strlen(mark);
	}
	pp_buf_adds(out, text);
}

static void
send_created(const char *dir, const char *path, plugpkg_row_fn row, void *user)
{
	PP_AUTO_FREE char *full =
	    strcmp(dir, ".") == 0 ? pp_xstrdup(path) : pp_asprintf("%s/%s", dir, path);
	pp_json *j = pp_row_new("created");

	pp_json_set_str(j, "path", full);
	pp_row(row, user, j);
}

static enum plugpkg_code
write_files(int fd, const char *name, plugpkg_error **err)
{
	PP_AUTO_FREE char *manifest = manifest_text(name);
	int r = pp_mkdirat(fd, "scripts", 0755) < 0 ? -errno : 0;

	if (r == 0)
		r = pp_write_file_at(fd, "plugin.json", manifest, strlen(manifest), 0644);
	for (size_t i = 0; r == 0 && i < PP_LEN(files); i++) {
		PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(16384);

		expand(files[i].text, name, &text);
		r = pp_write_file_at(fd, files[i].path, text.s, text.n, files[i].mode);
	}
	return r < 0 ? pp_fail(err, PLUGPKG_E_IO, -r, "cannot write the files of '%s'", name)
		     : PLUGPKG_OK;
}

static enum plugpkg_code
make_directory(int dir_fd, const char *dir, const char *flat, int *out_fd, plugpkg_error **err)
{
	enum plugpkg_code rc;

	if (pp_mkdirat(dir_fd, flat, 0755) < 0) {
		int errnum = errno;

		if (errnum != EEXIST)
			return pp_fail(err, PLUGPKG_E_IO, errnum,
			    "cannot make directory '%s' in '%s'", flat, dir);
		rc = pp_fail(err, PLUGPKG_E_EXISTS, 0, "'%s' is there already", flat);
		return pp_hint(err, rc, "choose another name, or work on what is there");
	}
	*out_fd = pp_opendir_at(dir_fd, flat);
	return *out_fd < 0
		   ? pp_fail(err, PLUGPKG_E_IO, -*out_fd, "cannot open directory '%s'", flat)
		   : PLUGPKG_OK;
}

enum plugpkg_code
plugpkg_new(const char *dir, const char *name, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_AUTO_FREE char *flat = NULL;
	PP_AUTO_FD int fd = -1;
	enum plugpkg_code rc = pp_name_check(pp_str_of(name), err);

	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FD int dir_fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open directory '%s'", dir);
	flat = pp_name_flat(name);
	rc = make_directory(dir_fd, dir, flat, &fd, err);
	if (rc != PLUGPKG_OK)
		return rc;
	rc = write_files(fd, name, err);
	if (rc != PLUGPKG_OK) {
		PP_IGNORE(pp_rm_rf_at(dir_fd, flat)); /* the first failure is what is reported */
		return rc;
	}
	PP_AUTO_FREE char *manifest = pp_asprintf("%s/plugin.json", flat);

	send_created(dir, manifest, row, user);
	for (size_t i = 0; i < PP_LEN(files); i++) {
		PP_AUTO_FREE char *path = pp_asprintf("%s/%s", flat, files[i].path);

		send_created(dir, path, row, user);
	}
	return PLUGPKG_OK;
}
