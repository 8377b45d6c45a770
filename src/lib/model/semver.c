/* SPDX-License-Identifier: MIT */
/*
 * Reading and comparing versions. Linear in the text; numbers are compared as digits, never
 * converted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "lib/model/semver.h"

#define VERSION_RULE                                                                               \
	"a version is MAJOR.MINOR.PATCH with an optional -PRERELEASE and +BUILD, such as 1.2.0 "   \
	"or 2.0.0-rc.1; any number of numeric parts is read"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_ident(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool
set_fault(struct pp_version_fault *fault, const char *why, size_t i)
{
	*fault = (struct pp_version_fault){ why, i + 1 };
	return false;
}

bool
pp_version_scan_number(struct pp_str s, size_t *i, struct pp_version_fault *fault)
{
	size_t from = *i;

	while (*i < s.n && is_digit(s.p[*i]) && *i - from <= PP_VERSION_MAX_DIGITS)
		(*i)++;
	size_t n = *i - from;

	if (n == 0)
		return set_fault(fault, "expected a number", from);
	if (n > PP_VERSION_MAX_DIGITS)
		return set_fault(fault, "the number has more than 64 digits", from);
	if (n > 1 && s.p[from] == '0')
		return set_fault(fault, "the number has a leading zero", from);
	return true;
}

/* The numeric parts; *i is left behind them. */
static bool
scan_parts(struct pp_str s, size_t *i, struct pp_version_fault *fault)
{
	for (size_t n = 1;; n++) {
		if (n > PP_VERSION_MAX_PARTS)
			return set_fault(fault, "more than 16 numeric parts", *i);
		if (!pp_version_scan_number(s, i, fault))
			return false;
		if (*i == s.n || s.p[*i] != '.')
			return true;
		(*i)++;
	}
}

bool
pp_version_scan_idents(struct pp_str s, size_t *i, bool is_pre, struct pp_version_fault *fault)
{
	for (;;) {
		size_t from = *i;
		bool digits = true;

		for (; *i < s.n && is_ident(s.p[*i]); (*i)++)
			digits = digits && is_digit(s.p[*i]);
		size_t n = *i - from;

		if (n == 0)
			return set_fault(fault, "expected a letter, digit or '-'", from);
		if (is_pre && digits && n > 1 && s.p[from] == '0')
			return set_fault(
			    fault, "the number in the prerelease has a leading zero", from);
		if (*i == s.n || s.p[*i] != '.')
			return true;
		(*i)++;
	}
}

static bool
scan(struct pp_str s, struct pp_str *parts, struct pp_str *pre, struct pp_version_fault *fault)
{
	size_t i = 0;

	*pre = (struct pp_str){ NULL, 0 };
	if (s.n == 0)
		return set_fault(fault, "it is empty", 0);
	if (s.n > PP_VERSION_MAX_BYTES)
		return set_fault(fault, "it is longer than 256 bytes", PP_VERSION_MAX_BYTES);
	if (s.p[0] == 'v' || s.p[0] == '=')
		return set_fault(fault, "a leading 'v' or '=' is no part of a version", 0);
	if (!scan_parts(s, &i, fault))
		return false;
	*parts = (struct pp_str){ s.p, i };
	if (i < s.n && s.p[i] == '-') {
		size_t from = ++i;

		if (!pp_version_scan_idents(s, &i, true, fault))
			return false;
		*pre = (struct pp_str){ s.p + from, i - from };
		if (pre->n > PP_VERSION_MAX_PRE)
			return set_fault(fault, "the prerelease is longer than 128 bytes", from);
	}
	if (i < s.n && s.p[i] == '+') {
		i++;
		if (!pp_version_scan_idents(s, &i, false, fault))
			return false;
	}
	return i == s.n || set_fault(fault, "expected '.', '-', '+' or the end", i);
}

void
pp_version_make(struct pp_arena *a, struct pp_str text, struct pp_str parts, struct pp_str pre,
    struct pp_version *out)
{
	/* One block for all three, so that there is one pointer to free. */
	size_t size = text.n + 1 + parts.n + 1 + (pre.p != NULL ? pre.n + 1 : 0);
	char *block = pp_arena_take(a, size);

	*out = (struct pp_version){ .text = block, .parts = block + text.n + 1 };
	memcpy(out->text, text.p, text.n);
	memcpy(out->parts, parts.p, parts.n);
	if (pre.p != NULL) {
		out->pre = out->parts + parts.n + 1;
		memcpy(out->pre, pre.p, pre.n);
	}
}

enum plugpkg_code
pp_version_parse_in(
    struct pp_arena *a, struct pp_str text, struct pp_version *out, plugpkg_error **err)
{
	struct pp_str parts, pre;
	struct pp_version_fault fault;

	*out = (struct pp_version){ 0 };
	if (scan(text, &parts, &pre, &fault)) {
		pp_version_make(a, text, parts, pre, out);
		return PLUGPKG_OK;
	}

	PP_AUTO_FREE char *shown = pp_shown(text.p, text.n);
	enum plugpkg_code rc = pp_fail(err, PLUGPKG_E_BAD_VERSION, 0,
	    "'%s' is no version: %s at position %zu", shown, fault.why, fault.position);

	return pp_hint(err, rc, "%s", VERSION_RULE);
}

enum plugpkg_code
pp_version_parse(struct pp_str text, struct pp_version *out, plugpkg_error **err)
{
	return pp_version_parse_in(NULL, text, out, err);
}

void
pp_version_fini(struct pp_version *v)
{
	free(v->text);
	*v = (struct pp_version){ 0 };
}

void
pp_version_copy(const struct pp_version *from, struct pp_version *to)
{
	*to = (struct pp_version){ 0 };
	if (from->text != NULL)
		pp_version_make(
		    NULL, pp_str_of(from->text), pp_str_of(from->parts), pp_str_of(from->pre), to);
}

bool
pp_version_is_prerelease(const struct pp_version *v)
{
	return v->pre != NULL;
}

/* ---- precedence ---- */

/* Digits without leading zeros: the longer number is the greater one. */
static int
cmp_digits(struct pp_str a, struct pp_str b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static int
cmp_parts(struct pp_str a, struct pp_str b)
{
	for (;;) {
		struct pp_str x = PP_STR("0"), y = PP_STR("0");
		bool has_a = pp_str_cut(&a, '.', &x);
		bool has_b = pp_str_cut(&b, '.', &y);

		if (!has_a && !has_b)
			return 0;
		int d = cmp_digits(has_a ? x : PP_STR("0"), has_b ? y : PP_STR("0"));

		if (d != 0)
			return d;
	}
}

static bool
all_digits(struct pp_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
	}
	return true;
}

static int
cmp_ident(struct pp_str a, struct pp_str b)
{
	bool a_is_number = all_digits(a), b_is_number = all_digits(b);

	if (a_is_number && b_is_number)
		return cmp_digits(a, b);
	if (a_is_number != b_is_number)
		return a_is_number ? -1 : 1;
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	if (d != 0 || a.n == b.n)
		return d;
	return a.n < b.n ? -1 : 1;
}

static int
cmp_pre(struct pp_str a, struct pp_str b)
{
	if (a.p == NULL || b.p == NULL)
		return (a.p == NULL) - (b.p == NULL);
	for (;;) {
		struct pp_str x, y;
		bool has_a = pp_str_cut(&a, '.', &x);
		bool has_b = pp_str_cut(&b, '.', &y);

		if (!has_a || !has_b)
			return (has_a ? 1 : 0) - (has_b ? 1 : 0);
		int d = cmp_ident(x, y);

		if (d != 0)
			return d;
	}
}

int
pp_version_cmp_parts(const struct pp_version *a, const struct pp_version *b)
{
	return cmp_parts(pp_str_of(a->parts), pp_str_of(b->parts));
}

int
pp_version_cmp(const struct pp_version *a, const struct pp_version *b)
{
	int d = pp_version_cmp_parts(a, b);

	return d != 0 ? d : cmp_pre(pp_str_of(a->pre), pp_str_of(b->pre));
}

int
pp_version_cmp_text(const char *a, const char *b)
{
	struct pp_str a_parts = { "", 0 }, a_pre, b_parts = { "", 0 }, b_pre;
	struct pp_version_fault fault;

	/* Valid by contract; what is not counts as "0", the lowest release. */
	(void)scan(pp_str_of(a), &a_parts, &a_pre, &fault);
	(void)scan(pp_str_of(b), &b_parts, &b_pre, &fault);
	int d = cmp_parts(a_parts, b_parts);

	return d != 0 ? d : cmp_pre(a_pre, b_pre);
}
