/* SPDX-License-Identifier: MIT */
/* Matches paths of a plugin's source directory against fixed names and .plugignore. */
#include "unpack/ignore.h"

#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#define IGNORE_MAX_BYTES 65536

static int
add_line(struct pp_ignore *ig, struct pp_str line, struct pp_report *report)
{
	PP_AUTO_FREE char *pattern = NULL;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	line = pp_str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	pattern = pp_xstrndup(line.p, line.n);
	if (pattern[0] == '!')
		return pp_report_bad(report, PP_IGNORE_FILE,
		    "has the line '%s'; patterns only leave files out, none brings one back",
		    pattern);
	pp_strs_add(&ig->patterns, pattern);
	return 0;
}

int
pp_ignore_read(struct pp_ignore *ig, int dir_fd, struct pp_report *report)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(IGNORE_MAX_BYTES);
	int r = pp_read_file_at(dir_fd, PP_IGNORE_FILE, &text);

	if (r == -ENOENT)
		return 0;
	if (r == -EFBIG)
		return pp_report_bad(
		    report, PP_IGNORE_FILE, "has more than %d bytes", IGNORE_MAX_BYTES);
	if (r < 0)
		return pp_report_io(report, PP_IGNORE_FILE, -r, "cannot read");
	if (memchr(pp_buf_cstr(&text), '\0', text.n) != NULL)
		return pp_report_bad(report, PP_IGNORE_FILE, "holds a NUL byte");
	struct pp_str rest = { pp_buf_cstr(&text), text.n }, line;

	while (pp_str_cut(&rest, '\n', &line)) {
		if (add_line(ig, line, report) < 0)
			return -1;
	}
	return 0;
}

/*
 * Never part of a plugin, whatever the author says; an archive may be written into its own source.
 */
static bool
is_always_out(const char *path, const char *name)
{
	static const char *const names[] = { ".bzr", ".git", ".hg", ".jj", ".svn" };

	for (size_t i = 0; i < PP_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return path == name && (strcmp(name, PP_IGNORE_FILE) == 0 || pp_ends_with(name, ".plug") ||
				   pp_ends_with(name, ".plug.new"));
}

/* A pattern with a slash inside stands for a whole path, one without for a name anywhere. */
static bool
matches(const char *pattern, const char *path, const char *name, bool is_dir)
{
	size_t n = strlen(pattern);
	bool dirs_only = n > 1 && pattern[n - 1] == '/';
	PP_AUTO_FREE char *plain = pp_xstrndup(pattern, dirs_only ? n - 1 : n);
	const char *slash = strchr(plain, '/');

	if (dirs_only && !is_dir)
		return false;
	if (slash == NULL)
		return fnmatch(plain, name, 0) == 0;
	return fnmatch(slash == plain ? plain + 1 : plain, path, FNM_PATHNAME) == 0;
}

bool
pp_ignore_match(const struct pp_ignore *ig, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;

	if (strcmp(path, "plugin.json") == 0)
		return false;
	if (is_always_out(path, name))
		return true;
	for (size_t i = 0; i < ig->patterns.n; i++)
		if (matches(ig->patterns.at[i], path, name, is_dir))
			return true;
	return false;
}

void
pp_ignore_fini(struct pp_ignore *ig)
{
	pp_strs_fini(&ig->patterns);
}
