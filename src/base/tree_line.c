/* SPDX-License-Identifier: MIT */
/* Lines of the digest of a tree. */
#include "base/tree_line.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

char *
pp_tree_line_file(unsigned mode, uint64_t size, const char *sha256, const char *path)
{
	return pp_asprintf("%04o %" PRIu64 " %s %s", mode, size, sha256, path);
}

/* A blank in the target would leave open where the path begins. */
char *
pp_tree_line_link(const char *target, const char *path)
{
	return strchr(target, ' ') == NULL
		   ? pp_asprintf("l %s %s", target, path)
		   : pp_asprintf("L %zu %s %s", strlen(target), target, path);
}
