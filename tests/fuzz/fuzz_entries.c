/* SPDX-License-Identifier: MIT */
/*
 * Archives entry by entry, each with a sound header: what bytes alone hardly get to. A line is
 * "TYPE MODE NAME=CONTENTS" with '>' for '=' before a link's target; type 'x' is a record KEY=VALUE
 * of an extended header for the next one, in the first line for plugin.json. A type that is no
 * letter is taken as the header's.
 */
#include "extract_any.h"

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ENTRIES    64
#define MAX_LINE_BYTES 2000

static unsigned
octal(struct pp_str digits)
{
	unsigned n = 0;

	for (size_t i = 0; i < digits.n && i < 4; i++)
		n = n * 8 + ((unsigned char)digits.p[i] & 7);
	return n;
}

static char
header_type(char letter)
{
	static const char letters[] = "fhlcbdp";
	const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

	return at != NULL ? (char)('0' + (at - letters)) : letter;
}

static void
add_entry(struct pp_buf *tar, struct pp_str line)
{
	struct pp_str type, mode;

	if (line.n > MAX_LINE_BYTES || !pp_str_cut(&line, ' ', &type) || type.n != 1 ||
	    !pp_str_cut(&line, ' ', &mode) || line.p == NULL)
		return;
	PP_AUTO_FREE char *name = pp_xstrndup(line.p, line.n);
	char *split = strpbrk(name, "=>");
	char sign = split != NULL ? *split : '\0';
	const char *rest = split != NULL ? split + 1 : "";

	if (split != NULL)
		*split = '\0';
	if (type.p[0] == 'x') {
		tar_add_pax(tar, name, rest);
		return;
	}
	tar_add(tar, &(struct tar_member){ .name = name,
			 .type = header_type(type.p[0]),
			 .mode = octal(mode),
			 .text = sign == '=' ? rest : NULL,
			 .link = sign == '>' ? rest : NULL });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_BUF struct pp_buf tar = PP_BUF_INIT(TARBALL_MAX / 2);
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);
	struct pp_str rest = { (const char *)data, size }, line;

	if (size > 0 && data[0] == 'x' && pp_str_cut(&rest, '\n', &line))
		add_entry(&tar, line);
	tar_begin(&tar);
	for (size_t i = 0; i < MAX_ENTRIES && size > 0 && pp_str_cut(&rest, '\n', &line); i++)
		add_entry(&tar, line);
	tar_end(&tar);
	tar_gzip(&file, tar.s, tar.n);
	extract_any(&file);
	return 0;
}
