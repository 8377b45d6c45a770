/* SPDX-License-Identifier: MIT */
/*
 * Answers of a fetch helper that was taken over: nothing but bounded, printable values comes
 * through.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lib/net/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_JSON pp_json *j = pp_json_parse((const char *)data, size, NULL);
	struct pp_answer a;

	if (!pp_answer_parse(j, &a))
		return 0;
	if (a.id < 0 || a.status < 0 || a.status > 999 || a.errnum < 0 || a.bytes > INT64_MAX)
		abort();
	if (a.type != PP_ANSWER_FAILED)
		return 0;
	if (a.text[0] == '\0' || memchr(a.text, '\0', sizeof(a.text)) == NULL)
		abort();
	for (const char *p = a.text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			abort();
	return 0;
}
