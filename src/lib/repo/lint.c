/* SPDX-License-Identifier: MIT */
/* `lint`: the rules of manifests and scripts, all findings at once, mistakes told from advice. */
#include "lib/repo/lint.h"

#include "base/errno_text.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/model/name.h"
#include "lib/store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVEL_USUAL   9 /* levels are few; who takes a high one wants to be the last */
#define MANIFEST      "plugin.json"
#define TEXT_MAX      4096
#define SHEBANG_BYTES 256 /* what the kernel reads of a first line */

struct lint {
	int dir_fd;       /* -1: nothing is there but the manifest */
	const char *file; /* the manifest, for messages */
	plugpkg_row_fn row;
	void *user;
	size_t errors, warnings;
	struct pp_manifest *manifest; /* owned */
};

/* Members of other package managers' manifests, and ours for the same thing. */
static const struct {
	const char *foreign, *ours;
} translations[] = {
	{ "author", "authors" },
	{ "contributors", "authors" },
	{ "dependencies", "requires" },
	{ "depends", "requires" },
	{ "optionalDependencies", "recommends" },
	{ "peerDependencies", "requires" },
	{ "url", "homepage" },
};

/* ---- findings ---- */

static void
find(struct lint *l, const char *level, const char *field, const char *text, const char *hint)
{
	pp_json *row = pp_row_new("finding");

	pp_json_set_str(row, "level", level);
	pp_json_set_str(row, "file", l->file);
	pp_json_set_str(row, "field", field);
	pp_json_set_str(row, "text", text);
	pp_json_set_str(row, "hint", hint);
	pp_row(l->row, l->user, row);
	if (strcmp(level, "error") == 0)
		l->errors++;
	else
		l->warnings++;
}

static void PP_PRINTF(4, 5)
    find_in_field(struct lint *l, const char *level, const char *field, const char *fmt, ...)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TEXT_MAX);
	va_list ap;

	pp_buf_addf(&text, "%s: field '%s'", l->file, field);
	va_start(ap, fmt);
	pp_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	find(l, level, field, pp_buf_cstr(&text), NULL);
}

static void
find_fault(const plugpkg_error *fault, void *user)
{
	find(user, "error", plugpkg_error_subject(fault), plugpkg_error_message(fault),
	    plugpkg_error_hint(fault));
}

/* ---- members that nobody reads ---- */

static const char *
translated(const char *key)
{
	for (size_t i = 0; i < PP_LEN(translations); i++) {
		if (strcmp(key, translations[i].foreign) == 0)
			return translations[i].ours;
	}
	return NULL;
}

static void
find_unknown(struct lint *l, const char *prefix, const char *key, const struct pp_strs *known)
{
	PP_AUTO_FREE char *shown = pp_shown(key, strlen(key));
	PP_AUTO_FREE char *field = pp_asprintf("%s%s", prefix, shown);
	const char *near = prefix[0] == '\0' ? translated(key) : NULL;

	if (near == NULL)
		(void)pp_name_near(key, known, &near, 1);
	if (near != NULL)
		find_in_field(l, "warning", field,
		    " is not known and has no effect; did you mean '%s%s'?", prefix, near);
	else
		find_in_field(l, "warning", field,
		    " is not known and has no effect; members of your own go into 'extra'");
}

static void
check_members(
    struct lint *l, const char *prefix, const pp_json *object, const struct pp_strs *known)
{
	if (!pp_json_is(object, PP_JSON_OBJECT))
		return;
	for (void *it = pp_json_iter(object); it != NULL; it = pp_json_next(object, it)) {
		const char *key = pp_json_iter_key(it);

		/* "$schema" is how editors learn what to check. */
		if (!pp_strs_has(known, key) && strcmp(key, "$schema") != 0)
			find_unknown(l, prefix, key, known);
	}
}

static void
check_unknown(struct lint *l, const pp_json *manifest)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs members = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs scripts = { 0 };
	const char *key;

	for (size_t i = 0; pp_manifest_next_key(i, &key); i++)
		pp_strs_add(&members, key);
	for (size_t i = 0; i < PP_N_SCRIPTS; i++)
		pp_strs_add(&scripts, pp_script_names[i]);
	pp_strs_add(&scripts, "post-install");
	pp_strs_add(&scripts, "post-uninstall");
	check_members(l, "", manifest, &members);
	check_members(l, "scripts.", pp_json_get(manifest, "scripts"), &scripts);
}

/* ---- advice ---- */

static bool
has_text(const pp_json *manifest, const char *key)
{
	const char *text = pp_json_get_str(manifest, key);

	/* Of another kind: that is a mistake, and was found already. */
	return pp_json_get(manifest, key) != NULL && (text == NULL || text[0] != '\0');
}

static void
check_advice(struct lint *l, const struct pp_manifest *m)
{
	const char *version = m->release->version.text;
	size_t dots = 0;

	if (!has_text(m->json, "summary"))
		find_in_field(
		    l, "warning", "summary", " is missing: one line that lists and search show");
	if (!has_text(m->json, "license"))
		find_in_field(l, "warning", "license",
		    " is missing: nobody may use the plugin without one; such as \"MIT\"");
	if (version == NULL)
		return;
	for (const char *p = m->release->version.parts; *p != '\0'; p++)
		dots += *p == '.';
	if (dots != 2)
		find_in_field(l, "warning", "version",
		    ": '%s' is no Semantic Version, which has three numbers: MAJOR.MINOR.PATCH",
		    version);
}

/* ---- scripts ---- */

static void
check_first_line(struct lint *l, const char *field, const char *path, int fd)
{
	char line[SHEBANG_BYTES];
	ssize_t n = pread(fd, line, sizeof(line), 0);

	if (n >= 4 && memcmp(line, "\177ELF", 4) == 0)
		return;
	if (n < 2 || line[0] != '#' || line[1] != '!') {
		find_in_field(l, "error", field,
		    ": '%s' does not start with '#!', such as #!/bin/sh, and is no program", path);
		return;
	}
	const char *end = memchr(line, '\n', (size_t)n);

	if (end != NULL && end[-1] == '\r')
		find_in_field(l, "error", field,
		    ": the first line of '%s' ends in a carriage return, which becomes part of the "
		    "interpreter's name; save it with Unix line ends",
		    path);
}

static void
check_script(struct lint *l, const char *field, const char *path)
{
	struct stat st;
	PP_AUTO_FD int fd = l->dir_fd < 0 ? -ENOENT
					  : pp_open_beneath(l->dir_fd, path, O_RDONLY | O_NONBLOCK,
						0, PP_FOLLOW_INSIDE);

	if (fd == -ENOENT || fd == -ENOTDIR) {
		find_in_field(
		    l, "error", field, ": '%s' is missing from the plugin's directory", path);
	} else if (fd == -EXDEV || fd == -ELOOP) {
		find_in_field(
		    l, "error", field, ": '%s' leads out of the plugin's directory", path);
	} else if (fd < 0 || fstat(fd, &st) < 0) {
		find_in_field(l, "error", field, ": '%s' cannot be read: %s", path,
		    pp_errno_text(fd < 0 ? -fd : errno));
	} else if (!S_ISREG(st.st_mode)) {
		find_in_field(l, "error", field, ": '%s' is no regular file", path);
	} else {
		if ((st.st_mode & 0100) == 0)
			find_in_field(l, "error", field,
			    ": '%s' is not executable; run: chmod +x %s", path, path);
		check_first_line(l, field, path, fd);
	}
}

static void
check_levels(struct lint *l, const char *kind, const struct pp_levels *levels)
{
	PP_AUTO_FREE char *field = pp_asprintf("scripts.%s", kind);

	pp_vec_foreach (level, levels) {
		check_script(l, field, level->run);
		if (level->level > LEVEL_USUAL)
			find_in_field(l, "warning", field,
			    ": level %u is unusual; low numbers leave others room after it",
			    level->level);
	}
}

/* A later plugpkg may know it; this one never calls it. */
static void
check_event(struct lint *l, const char *field, const char *event)
{
	for (size_t i = 0; i < PP_N_ON; i++)
		if (strcmp(pp_on_names[i], event) == 0)
			return;
	find_in_field(l, "warning", field,
	    ": this plugpkg knows no such event; it knows disable, enable, install-after, "
	    "uninstall-after, uninstall-before, upgrade-after and upgrade-before");
}

static void
check_scripts(struct lint *l, const struct pp_manifest *m)
{
	const pp_json *on = pp_json_get(m->json, "on");

	for (size_t i = 0; i < PP_N_SCRIPTS; i++) {
		PP_AUTO_FREE char *field = pp_asprintf("scripts.%s", pp_script_names[i]);

		if (m->scripts[i] != NULL)
			check_script(l, field, m->scripts[i]);
	}
	check_levels(l, "post-install", &m->post_install);
	check_levels(l, "post-uninstall", &m->post_uninstall);
	if (!pp_json_is(on, PP_JSON_OBJECT))
		return;
	for (void *it = pp_json_iter(on); it != NULL; it = pp_json_next(on, it)) {
		PP_AUTO_FREE char *field = pp_asprintf("on.%s", pp_json_iter_key(it));
		const char *path = pp_json_string(pp_json_iter_value(it));

		if (path != NULL && pp_inner_path_valid(pp_str_of(path)))
			check_script(l, field, path);
		check_event(l, field, pp_json_iter_key(it));
	}
}

/* ---- all of it ---- */

/* The manifest's text; *out_found false when that it has none is a finding. */
static enum plugpkg_code
read_manifest(struct lint *l, struct pp_buf *text, bool *out_found, plugpkg_error **err)
{
	PP_AUTO_FREE char *why = NULL;
	int r = pp_read_file_at(l->dir_fd, MANIFEST, text);

	*out_found = r == 0;
	if (r == 0)
		return PLUGPKG_OK;
	if (r == -ENOENT)
		why = pp_asprintf(
		    "%s: is missing: a plugin has it at the top of its directory", l->file);
	else if (r == -EFBIG)
		why = pp_asprintf(
		    "%s: more than %d bytes are too many", l->file, PP_MANIFEST_MAX_BYTES);
	else if (r == -EISDIR || r == -EMEDIUMTYPE || r == -ELOOP)
		why = pp_asprintf("%s: is no regular file", l->file);
	else
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", l->file);
	find(l, "error", NULL, why, NULL);
	return PLUGPKG_OK;
}

static void
lint_manifest(struct lint *l, struct pp_str text)
{
	struct pp_manifest *m = l->manifest = pp_manifest_check(text, l->file, find_fault, l);

	if (m == NULL)
		return;
	check_scripts(l, m);
	check_unknown(l, m->json);
	check_advice(l, m);
}

void
pp_lint_outcome_fini(struct pp_lint_outcome *o)
{
	pp_manifest_free(o->manifest);
}

/* The manifest's path for messages; owned. */
static char *
file_in(const char *where)
{
	bool is_here = where == NULL || strcmp(where, ".") == 0;

	return is_here
		   ? pp_xstrdup(MANIFEST)
		   : pp_asprintf("%s%s%s", where, pp_ends_with(where, "/") ? "" : "/", MANIFEST);
}

void
pp_lint_alone(struct pp_str manifest, const char *where, struct pp_lint_outcome *out,
    plugpkg_row_fn row, void *user)
{
	PP_AUTO_FREE char *file = file_in(where);
	struct lint l = { .dir_fd = -1, .file = file, .row = row, .user = user };

	lint_manifest(&l, manifest);
	*out = (struct pp_lint_outcome){ l.errors, l.warnings, l.manifest };
}

enum plugpkg_code
pp_lint_dir(int dir_fd, const char *where, struct pp_lint_outcome *out, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	PP_AUTO_FREE char *file = file_in(where);
	struct lint l = { .dir_fd = dir_fd, .file = file, .row = row, .user = user };
	bool found;
	enum plugpkg_code rc = read_manifest(&l, &text, &found, err);

	if (rc == PLUGPKG_OK && found)
		lint_manifest(&l, (struct pp_str){ pp_buf_cstr(&text), text.n });
	*out = (struct pp_lint_outcome){ l.errors, l.warnings, l.manifest };
	return rc;
}

/*
 * What may stand in an archive is asked where it is known: a trial run of the packer. It stops at
 * the first entry that it refuses.
 */
static enum plugpkg_code
lint_archive(int dir_fd, const char *dir, plugpkg_row_fn row, void *user, size_t *errors,
    plugpkg_error **err)
{
	PP_AUTO_FD int nowhere = openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC);
	PP_AUTO_ERROR plugpkg_error *fault = NULL;
	PP_AUTO_FREE char *what = pp_asprintf("'%s'", dir);
	struct lint l = { .file = dir, .row = row, .user = user };
	struct pp_unpacked packed;

	if (nowhere < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '/dev/null'");
	enum plugpkg_code rc = pp_pack(dir_fd, what, 0, nowhere, &packed, &fault);

	if (rc == PLUGPKG_E_BAD_ARCHIVE) {
		find_fault(fault, &l);
		*errors += l.errors;
		return PLUGPKG_OK;
	}
	if (rc != PLUGPKG_OK && err != NULL)
		*err = pp_steal(&fault);
	return rc;
}

enum plugpkg_code
plugpkg_lint(const char *dir, size_t *out_errors, size_t *out_warnings, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	PP_AUTO_FD int dir_fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out_errors = *out_warnings = 0;
	if (dir_fd < 0)
		return pp_fail(err, errno == ENOENT ? PLUGPKG_E_NOT_FOUND : PLUGPKG_E_IO, errno,
		    "cannot open directory '%s'", dir);
	PP_CLEANUP(pp_lint_outcome_fini) struct pp_lint_outcome found = { 0 };
	enum plugpkg_code rc = pp_lint_dir(dir_fd, dir, &found, row, user, err);

	*out_errors = found.errors;
	*out_warnings = found.warnings;

	/* Without a manifest there is nothing to pack, and that has been said. */
	if (rc != PLUGPKG_OK || pp_exists_at(dir_fd, MANIFEST) != 1)
		return rc;
	return lint_archive(dir_fd, dir, row, user, out_errors, err);
}
