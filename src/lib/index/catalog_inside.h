/* SPDX-License-Identifier: MIT */
/* What the halves of a catalog share: the one that opens it, and the one that answers from it. */
#ifndef PP_INDEX_CATALOG_INSIDE_H
#define PP_INDEX_CATALOG_INSIDE_H

#include "lib/index/catalog.h"
#include "lib/index/shards.h"
#include "lib/trust/updater.h"

struct pp_catalog {
	plugpkg_context *ctx;
	const struct pp_source *source;
	struct pp_net *net;
	char *label; /* "source 'main'" */
	int dir_fd;  /* ROOT/var/trust/NAME */
	struct pp_updater *updater;
	struct pp_tuf_target index; /* the index root, as the metadata lists it */
	bool has_index;
	struct pp_shards shards;
	struct pp_arena *arena; /* of the releases that it hands out */
};

#endif
