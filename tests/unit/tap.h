/* SPDX-License-Identifier: MIT */
/*
 * The whole unit test framework: cases are `static void name(void)`, checks report and go on (so
 * cleanup attributes run), results are TAP on standard output. It knows nothing of plugpkg.
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct tap_case {
	const char *name;
	void (*run)(void);
};

static struct {
	unsigned failed;  /* checks of the running case */
	const char *skip; /* why the running case was left out */
} tap;

/* Every check is also a value, so that a case may stop early: if (!CHECK(p != NULL)) return; */
#define CHECK(cond) tap_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                                       \
	tap_check_int((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) tap_check_str((got), (want), #got, __FILE__, __LINE__)
/* The text is there and contains the part. */
#define CHECK_HAS(text, part) tap_check_has((text), (part), #text, __FILE__, __LINE__)
#define SKIP(why)                                                                                  \
	do {                                                                                       \
		tap.skip = (why);                                                                  \
		return;                                                                            \
	} while (0)

#define CASE(name) { #name, name },
#define TAP_MAIN(...)                                                                              \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct tap_case cases[] = { __VA_ARGS__ };                            \
		return tap_run(cases, sizeof(cases) / sizeof(cases[0]));                           \
	}

/* Diagnostics are comment lines: each line of a value that spans several gets its own mark. */
static inline void
tap_value(const char *label, const char *s)
{
	printf("#   %s: ", label);
	for (const char *p = s != NULL ? s : "(null)"; *p != '\0'; p++) {
		putchar(*p);
		if (*p == '\n')
			fputs("#     ", stdout);
	}
	putchar('\n');
}

static inline bool
tap_check(bool ok, const char *what, const char *file, int line)
{
	if (!ok) {
		tap.failed++;
		printf("# %s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

static inline bool
tap_check_int(intmax_t got, intmax_t want, const char *what, const char *file, int line)
{
	if (!tap_check(got == want, what, file, line))
		printf("#   got: %" PRIdMAX "\n#   want: %" PRIdMAX "\n", got, want);
	return got == want;
}

static inline bool
tap_check_str(const char *got, const char *want, const char *what, const char *file, int line)
{
	bool ok = got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;

	if (!tap_check(ok, what, file, line)) {
		tap_value("got", got);
		tap_value("want", want);
	}
	return ok;
}

static inline bool
tap_check_has(const char *text, const char *part, const char *what, const char *file, int line)
{
	bool ok = text != NULL && strstr(text, part) != NULL;

	if (!tap_check(ok, what, file, line)) {
		tap_value("got", text);
		tap_value("want a part", part);
	}
	return ok;
}

static inline void
tap_title(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		putchar(*p == '_' ? ' ' : *p);
}

static inline int
tap_run(const struct tap_case *cases, size_t n)
{
	bool all_ok = true;

	/* Whole lines at once: a crash loses nothing, a forked child repeats nothing. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		tap.failed = 0;
		tap.skip = NULL;
		cases[i].run();
		all_ok = all_ok && tap.failed == 0;
		printf("%s %zu - ", tap.failed == 0 ? "ok" : "not ok", i + 1);
		tap_title(cases[i].name);
		if (tap.skip != NULL && tap.failed == 0)
			printf(" # SKIP %s", tap.skip);
		putchar('\n');
	}
	return all_ok ? 0 : 1;
}

#endif
