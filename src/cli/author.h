/* SPDX-License-Identifier: MIT */
/* What commands that use an author's key share. */
#ifndef PP_CLI_AUTHOR_H
#define PP_CLI_AUTHOR_H

#include "cli/cmds.h"

#define OPT_PASSPHRASE_FD                                                                          \
	{                                                                                          \
		0, "passphrase-fd", "N", "read the key's passphrase from descriptor N"             \
	}

/* The key in a file, whose passphrase is asked for where it has one. */
struct plugpkg_key_file author_key(struct cli *cli, const char *path);

#endif
