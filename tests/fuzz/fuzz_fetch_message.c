/* SPDX-License-Identifier: MIT */
/*
 * A packet of answers of a fetch helper that was taken over: nothing but bounded, printable values
 * comes through, and no bytes but those of the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "lib/net/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct pp_answer *a)
{
	if (a->id < 0 || a->status < 0 || a->status > 999 || a->errnum < 0 || a->bytes > INT64_MAX)
		abort();
	if (a->type != PP_ANSWER_FAILED)
		return;
	if (a->text[0] == '\0' || memchr(a->text, '\0', sizeof(a->text)) == NULL)
		abort();
	for (const char *p = a->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = (const char *)data + size;
	struct pp_str rest = { (const char *)data, size }, body;

	while (rest.n > 0) {
		PP_AUTO_JSON pp_json *j = NULL;
		struct pp_answer a;
		size_t before = rest.n;

		if (pp_msg_cut_part(&rest, &j, &body) < 0)
			return 0;
		if (rest.n >= before || (body.n > 0 && body.p + body.n > end) ||
		    (rest.n > 0 && rest.p + rest.n != end))
			abort();
		if (pp_answer_parse(j, &a))
			check(&a);
	}
	return 0;
}
