/* SPDX-License-Identifier: MIT */
/*
 * Runs every scenario of tests/solver/ and some random worlds, or the files or the number named,
 * and says TAP.
 */
#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "case.h"
#include "check.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX      (4 * 1024 * 1024)
#define RANDOM_WORLDS 400

struct tally {
	unsigned n, failed;
	bool is_update;
};

static void
comment(const char *label, const char *text)
{
	printf("#   %s:\n", label);
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		printf("#     %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

/* ---- checks of one scenario ---- */

/* A way out that is a command has to work in the same world. */
static bool
ways_work(struct scenario *c, const char *text)
{
	static const char mark[] = ": plugpkg install ";
	bool all_ok = true;

	for (const char *p = text; (p = strstr(p, mark)) != NULL; p++) {
		const char *start = p + strlen(": plugpkg ");
		PP_AUTO_FREE char *line = pp_xstrndup(start, strcspn(start, "\n"));
		PP_CLEANUP(pp_strs_fini) struct pp_strs words = { 0 };
		for (char *w = line; *w != '\0'; w += strspn(w, " ")) {
			bool is_quoted = *w == '\'';
			w += is_quoted;
			size_t n = strcspn(w, is_quoted ? "'" : " ");
			pp_strs_take(&words, pp_xstrndup(w, n));
			w += n + is_quoted;
		}
		PP_AUTO_FREE char *got = scenario_run(c, &words, false);
		if (!pp_starts_with(got, "error"))
			continue;
		all_ok = false;
		comment("a way out does not work", line);
		comment("it gives", got);
	}
	return all_ok;
}

static bool
run_one(struct scenario *c, char **out_text)
{
	PP_AUTO_FREE char *again = scenario_run(c, &c->run, true);
	PP_AUTO_FREE char *text = scenario_run(c, &c->run, false);
	PP_AUTO_FREE char *broken = check_rules(c, text);
	bool ok = true;

	if (strcmp(text, c->expect) != 0) {
		ok = false;
		comment("want", c->expect);
		comment("got", text);
	}
	if (strcmp(text, again) != 0) {
		ok = false;
		comment("another order of input gives another plan", again);
	}
	if (broken != NULL) {
		ok = false;
		comment("the result breaks a rule", broken);
	}
	ok = ways_work(c, text) && ok;
	/*
	 * Once more in this process, where sanitizers and coverage look; not what needs the
	 * limits.
	 */
	bool has_limits = false;
	pp_vec_foreach (w, &c->run)
		has_limits |= pp_starts_with(*w, "--cpu=");
	if (!has_limits)
		scenario_decide_here(c);
	*out_text = pp_steal(&text);
	return ok;
}

/* ---- files ---- */

struct file {
	const char *path;
	struct pp_strs prologue, lines; /* of the file's beginning, of the scenario */
	char *title;
	struct pp_buf updated;
};

static void
finish_scenario(struct file *f, struct tally *t)
{
	PP_CLEANUP(pp_strs_fini) struct pp_strs all = { 0 };
	PP_AUTO_FREE char *text = NULL;
	PP_AUTO_FREE char *why = NULL;

	if (f->title == NULL)
		return;
	pp_vec_foreach (line, &f->prologue)
		pp_strs_add(&all, *line);
	pp_vec_foreach (line, &f->lines)
		pp_strs_add(&all, *line);
	struct scenario *c = scenario_parse(f->title, &all, &why);
	bool ok = false;
	if (c != NULL) {
		ok = run_one(c, &text);
		scenario_free(c);
	} else {
		comment("no scenario", why);
	}
	t->failed += !ok;
	printf("%s %u - %s: %s\n", ok ? "ok" : "not ok", ++t->n, f->path, f->title);
	pp_buf_adds(&f->updated, "@expect\n");
	pp_buf_adds(&f->updated, text != NULL ? text : "");
	pp_strs_fini(&f->lines);
	free(f->title);
	f->title = NULL;
}

static void
take_line(struct file *f, struct tally *t, const char *line, bool *is_expect)
{
	bool is_case = pp_starts_with(line, "@case ");

	if (is_case)
		finish_scenario(f, t);
	if (scenario_is_section(line))
		*is_expect = strcmp(line, "@expect") == 0;
	if (!*is_expect) {
		if (is_case && f->updated.n > 0)
			pp_buf_addc(&f->updated, '\n');
		if (line[0] != '\0')
			pp_buf_addf(&f->updated, "%s\n", line);
	}
	if (is_case)
		f->title = pp_xstrdup(line + strlen("@case "));
	else if (line[0] != '#' && line[0] != '\0')
		pp_strs_add(f->title != NULL ? &f->lines : &f->prologue, line);
}

static int
write_file(const char *path, const struct pp_buf *text)
{
	PP_AUTO_FD int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -errno : pp_fd_write_all(fd, text->s, text->n);
}

static int
run_file(const char *path, struct tally *t)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(FILE_MAX);
	struct file f = { .path = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path,
		.updated = PP_BUF_INIT(FILE_MAX) };
	PP_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : pp_fd_read_all(fd, &text);

	if (r < 0) {
		printf("Bail out! cannot read %s\n", path);
		return r;
	}
	struct pp_str rest = { text.s, text.n }, line;
	bool is_expect = false;
	while (pp_str_cut(&rest, '\n', &line)) {
		PP_AUTO_FREE char *s = pp_xstrndup(line.p, line.n);
		if (rest.p != NULL || line.n > 0)
			take_line(&f, t, s, &is_expect);
	}
	finish_scenario(&f, t);
	if (t->is_update)
		r = write_file(path, &f.updated);
	pp_strs_fini(&f.prologue);
	pp_buf_fini(&f.updated);
	return r;
}

static int
run_directory(const char *path, struct tally *t)
{
	PP_AUTO_FREE char *pattern = pp_asprintf("%s/*.case", path);
	glob_t found;
	int r = glob(pattern, 0, NULL, &found);

	if (r != 0) {
		printf("Bail out! no %s\n", pattern);
		return -ENOENT;
	}
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = run_file(found.gl_pathv[i], t);
	globfree(&found);
	return r;
}

static void
run_random(uint64_t n, struct tally *t)
{
	bool ok = random_worlds_wrong(n) == 0;

	t->failed += !ok;
	printf("%s %u - %llu random worlds are decided as trying every set decides them\n",
	    ok ? "ok" : "not ok", ++t->n, (unsigned long long)n);
	ok = random_mixed_wrong(n) == 0;
	t->failed += !ok;
	printf("%s %u - %llu larger worlds give plans that break no rule, whatever the order of "
	       "input\n",
	    ok ? "ok" : "not ok", ++t->n, (unsigned long long)n);
}

static int
run_all(struct tally *t)
{
	const char *top = getenv("top_srcdir");
	PP_AUTO_FREE char *path = pp_asprintf("%s/tests/solver", top != NULL ? top : ".");

	run_random(RANDOM_WORLDS, t);
	return run_directory(path, t);
}

/* run-cases | run-cases --random N | run-cases [--update] FILE... */
int
main(int argc, char **argv)
{
	struct tally t = { 0 };
	uint64_t n_random = 0;
	int r = 0, first = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "--update") == 0) {
		t.is_update = true;
		first++;
	}
	if (argc == 3 && strcmp(argv[1], "--random") == 0 &&
	    pp_parse_u64(pp_str_of(argv[2]), UINT32_MAX, &n_random) == 0)
		run_random(n_random, &t);
	else if (first >= argc)
		r = run_all(&t);
	else
		for (int i = first; i < argc && r == 0; i++)
			r = run_file(argv[i], &t);
	printf("1..%u\n", t.n);
	return r < 0 || t.failed > 0;
}
