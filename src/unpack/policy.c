/* SPDX-License-Identifier: MIT */
/* Judges the entries of an archive one by one, remembering the names that were taken. */
#include "unpack/policy.h"

#include "base/mem.h"
#include "base/str.h"
#include "unpack/charset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORBIDDEN_MODES 07002u /* setuid, setgid, sticky, writable by everybody */

struct seen {
	enum pp_entry_kind kind;
	bool is_implied; /* a directory that only stands in the paths of others so far */
	char path[];
};

void
pp_policy_init(struct pp_policy *p, const struct pp_limits *limits, struct pp_report *report)
{
	*p = (struct pp_policy){ .limits = *limits, .report = report };
}

void
pp_policy_fini(struct pp_policy *p)
{
	pp_map_fini(&p->seen, free);
}

/* What is wrong with the characters of a name or link target; NULL when nothing is. */
static const char *
bad_text(const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0, len; i < n; i += len) {
		len = pp_char_next(s + i, n - i, &c);
		if (len == 0)
			return "has a name that is no UTF-8";
		if (!pp_char_allowed(c))
			return "has a name with a control, invisible or combining character";
	}
	return NULL;
}

static const char *
bad_component(struct pp_str name)
{
	if (name.n == 0)
		return "has an empty component in its path";
	if (pp_str_eq(name, ".") || pp_str_eq(name, ".."))
		return "has a '.' or '..' component in its path";
	if (name.n > PP_COMPONENT_MAX_BYTES)
		return "has a component of more than 255 bytes";
	if (name.p[0] == ' ' || name.p[name.n - 1] == ' ')
		return "has a component that starts or ends with a blank";
	return bad_text(name.p, name.n);
}

static const char *
bad_path(const char *path, size_t n)
{
	struct pp_str rest = { path, n }, part;
	size_t levels = 0;

	if (n == 0)
		return "has no name";
	if (path[0] == '/')
		return "has an absolute path";
	if (path[0] == '-')
		return "starts with '-' and could be taken for an option";
	if (n > PP_PATH_MAX_BYTES)
		return "has a path of more than 1024 bytes";
	while (pp_str_cut(&rest, '/', &part)) {
		const char *why = bad_component(part);

		if (why != NULL)
			return why;
		if (++levels > PP_PATH_MAX_LEVELS)
			return "lies more than 64 levels deep";
	}
	return NULL;
}

static const char *
bad_kind(const struct pp_entry *e)
{
	switch (e->kind) {
	case PP_ENTRY_FILE:
	case PP_ENTRY_DIR:
		return (e->mode & FORBIDDEN_MODES) == 0
			   ? NULL
			   : "is setuid, setgid, sticky or writable by everybody";
	case PP_ENTRY_LINK:
		return NULL;
	case PP_ENTRY_HARDLINK:
		return "is a hard link";
	case PP_ENTRY_DEVICE:
		return "is a device";
	case PP_ENTRY_FIFO:
		return "is a FIFO";
	case PP_ENTRY_SOCKET:
		return "is a socket";
	case PP_ENTRY_UNKNOWN:
		break;
	}
	return "is neither a file, a directory nor a symbolic link";
}

/*
 * `..` only at the start of the target: there it climbs through directories that the archive itself
 * made, as no path leads through a link. After a name it could climb out of wherever that name
 * links to.
 */
static const char *
bad_target(const char *path, size_t path_n, const char *target)
{
	struct pp_str rest, part;
	size_t depth = 0;
	bool named = false;

	if (target == NULL || target[0] == '\0')
		return "is a link to nothing";
	if (target[0] == '/')
		return "is a link with an absolute target";
	if (strlen(target) > PP_PATH_MAX_BYTES)
		return "is a link with a target of more than 1024 bytes";
	for (size_t i = 0; i < path_n; i++)
		depth += path[i] == '/';
	rest = pp_str_of(target);
	while (pp_str_cut(&rest, '/', &part)) {
		if (pp_str_eq(part, "."))
			continue;
		if (!pp_str_eq(part, "..")) {
			if (bad_component(part) != NULL)
				return "is a link whose target is no valid path";
			named = true;
			continue;
		}
		if (named)
			return "is a link whose target has a '..' after a name";
		if (depth-- == 0)
			return "is a link that leaves the plugin";
	}
	return NULL;
}

/* Any text will do as the name of a character, if it is its own and holds no NUL. */
static void
add_folded(struct pp_buf *out, uint32_t c)
{
	if (c > 0 && c < 0x80)
		pp_buf_addc(out, (char)c);
	else
		pp_buf_addf(out, "\x01%" PRIx32 "\x01", c);
}

static void
fold_path(struct pp_buf *out, const char *path, size_t n)
{
	uint32_t c;

	for (size_t i = 0; i < n;) {
		i += pp_char_next(path + i, n - i, &c);
		add_folded(out, pp_char_fold(c));
	}
}

/* The place of a path's folded name. */
static struct seen **
place_of(struct pp_policy *p, const char *path, size_t n)
{
	PP_AUTO_BUF struct pp_buf key = PP_BUF_INIT(8 * PP_PATH_MAX_BYTES);

	fold_path(&key, path, n);
	return (struct seen **)pp_map_put(&p->seen, pp_buf_cstr(&key));
}

static int
remember(
    struct pp_policy *p, struct seen **place, const char *path, size_t n, enum pp_entry_kind kind)
{
	struct seen *s = pp_xcalloc(1, sizeof(*s) + n + 1);

	s->kind = kind;
	memcpy(s->path, path, n);
	*place = s;
	if (p->report->files == p->limits.files)
		return pp_report_bad(p->report, s->path,
		    "is one more than the %" PRIu64 " files that the archive may hold",
		    p->limits.files);
	p->report->files++;
	return 0;
}

static bool
is_same_path(const struct seen *s, const char *path, size_t n)
{
	return strncmp(s->path, path, n) == 0 && s->path[n] == '\0';
}

/* Every directory on the way is one, in this spelling; those never named so far are counted. */
static int
admit_parents(struct pp_policy *p, const char *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (path[i] != '/')
			continue;
		struct seen **place = place_of(p, path, i), *s = *place;

		if (s == NULL) {
			if (remember(p, place, path, i, PP_ENTRY_DIR) < 0)
				return -1;
			(*place)->is_implied = true;
		} else if (!is_same_path(s, path, i)) {
			return pp_report_bad(p->report, path,
			    "lies in a directory that differs from '%s' only in case", s->path);
		} else if (s->kind != PP_ENTRY_DIR) {
			return pp_report_bad(
			    p->report, path, "lies below '%s', which is no directory", s->path);
		}
	}
	return 0;
}

static int
admit_name(struct pp_policy *p, const struct pp_entry *e, const char *path, size_t n)
{
	struct seen **place = place_of(p, path, n), *s = *place;

	if (s == NULL)
		return remember(p, place, path, n, e->kind);
	if (!is_same_path(s, path, n))
		return pp_report_bad(
		    p->report, path, "has a name that differs from '%s' only in case", s->path);
	if (e->kind != PP_ENTRY_DIR || !s->is_implied)
		return pp_report_bad(p->report, path, "stands in the archive twice");
	s->is_implied = false;
	return 0;
}

static int
admit_size(struct pp_policy *p, const struct pp_entry *e)
{
	if (e->kind != PP_ENTRY_FILE)
		return 0;
	if (e->size > p->limits.bytes - p->report->bytes)
		return pp_report_bad(p->report, e->path,
		    "brings the contents above the %" PRIu64 " bytes that the archive may hold",
		    p->limits.bytes);
	p->report->bytes += e->size;
	return 0;
}

int
pp_policy_admit(struct pp_policy *p, const struct pp_entry *e, char *out_path)
{
	size_t n = strlen(e->path);
	const char *why = bad_kind(e);

	if (e->kind == PP_ENTRY_DIR && n > 1 && e->path[n - 1] == '/')
		n--;
	if (why == NULL)
		why = bad_path(e->path, n);
	if (why == NULL && e->kind == PP_ENTRY_LINK)
		why = bad_target(e->path, n, e->target);
	if (why != NULL)
		return pp_report_bad(p->report, e->path, "%s", why);
	memcpy(out_path, e->path, n);
	out_path[n] = '\0';
	if (!p->any && (strcmp(out_path, "plugin.json") != 0 || e->kind != PP_ENTRY_FILE))
		return pp_report_bad(p->report, out_path,
		    "is the first entry, which has to be the regular file 'plugin.json'");
	p->any = true;
	if (admit_parents(p, out_path, n) < 0 || admit_name(p, e, out_path, n) < 0)
		return -1;
	return admit_size(p, e);
}

int
pp_policy_end(struct pp_policy *p)
{
	const struct pp_report *r = p->report;

	if (!p->any)
		return pp_report_bad(p->report, NULL, "holds no 'plugin.json'");
	if (p->limits.exact && (r->bytes != p->limits.bytes || r->files != p->limits.files))
		return pp_report_bad(p->report, NULL,
		    "holds %" PRIu64 " bytes in %" PRIu64 " files, not the %" PRIu64
		    " bytes in %" PRIu64 " files that its record states",
		    r->bytes, r->files, p->limits.bytes, p->limits.files);
	return 0;
}
