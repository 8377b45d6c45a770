/* SPDX-License-Identifier: MIT */
/* Archives of any bytes. Input that is not compressed counts as the tar itself. */
#include "extract_any.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_compressed(const uint8_t *data, size_t size)
{
	return size >= 4 &&
	       (memcmp(data, "\x1f\x8b\x08", 3) == 0 || memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PP_AUTO_BUF struct pp_buf file = PP_BUF_INIT(TARBALL_MAX);

	if (is_compressed(data, size))
		pp_buf_add(&file, data, size);
	else
		tar_gzip(&file, data, size);
	extract_any(&file);
	return 0;
}
