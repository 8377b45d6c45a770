/* SPDX-License-Identifier: MIT */
/* The wall around a plugin's script and all that it starts, and its temporary directory. */
#ifndef PP_TXN_SANDBOX_H
#define PP_TXN_SANDBOX_H

#include "base/wall.h"
#include "lib/model/context.h"

struct pp_sandbox {
	struct pp_wall wall;
	bool is_on;
	char *temp; /* full path, 0700; deleted by pp_sandbox_fini() */
	plugpkg_context *ctx;
};
#define PP_SANDBOX_INIT                                                                            \
	{                                                                                          \
		.wall = PP_WALL_INIT                                                               \
	}
/*
 * Made before the script starts. data: full path of its data directory. What the kernel lacks is
 * left out, with a warning once a context. Errors: IO, SCRIPT.
 */
enum plugpkg_code pp_sandbox_make(plugpkg_context *ctx, const char *data, bool has_network,
    struct pp_sandbox *out, plugpkg_error **err);
void pp_sandbox_fini(struct pp_sandbox *s);
/* Deletes the temporary directory that a killed process left; what is none of ours stays. */
void pp_sandbox_clear(const char *temp);
/* What scripts and helpers are not kept from here: by the kernel, or because it was asked. */
struct pp_lack {
	const char *kind; /* "sandbox", "landlock", "seccomp" */
	const char *text;
};
#define PP_LACKS_MAX 3
size_t pp_sandbox_lacks(const plugpkg_context *ctx, struct pp_lack out[PP_LACKS_MAX]);
/* Says, once a context, what the running system cannot keep scripts from. */
void pp_sandbox_warn(plugpkg_context *ctx);

#endif
