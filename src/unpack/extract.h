/* SPDX-License-Identifier: MIT */
/* The jobs "unpack" and "look": an archive, or some of it, into an empty directory. */
#ifndef PP_UNPACK_EXTRACT_H
#define PP_UNPACK_EXTRACT_H

#include "unpack/digest.h"
#include "unpack/policy.h"

struct pp_extraction {
	int archive_fd, dir_fd; /* borrowed */
	/* NULL; or made in dir_fd, and written to, where a look needs more than the manifest. */
	const char *dir;
	struct pp_limits limits;
	/* Loaded, and taken of archives that state none; NULL: it is not taken. */
	struct pp_digest *digest;
	bool is_compared; /* taken of all archives, and one that states another is refused */
	/*
	 * All of it is read and judged the same, and no more written than a publisher looks at:
	 * plugin.json, the files whose paths it contains, programs, links.
	 */
	bool is_look;
};
/* The outcome is in the report, with the digest that was stated or taken. */
void pp_extract(const struct pp_extraction *what, struct pp_report *report);

#endif
