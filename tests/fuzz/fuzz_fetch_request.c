/* SPDX-License-Identifier: MIT */
/* What the fetch helper is asked: numbers that stay within their limits, or no request. */
#include <stdlib.h>

#include "fetch/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_JSON pp_json *j = pp_json_parse((const char *)data, size, NULL);
	struct request r;

	if (request_read(j, &r)) {
		if (r.id < 0 || r.url == NULL || r.offset > r.max || r.patience == 0 ||
		    r.deadline == 0)
			abort();
	} else if (r.url != NULL || r.user != NULL || r.password != NULL || r.token != NULL) {
		abort();
	}
	request_fini(&r);
	return 0;
}
