/* SPDX-License-Identifier: MIT */
/*
 * The archive policy (repo-format/archive.md): which entries may stand in an archive. Unpacking and
 * packing ask the same questions here. Pure: touches no file.
 */
#ifndef PP_UNPACK_POLICY_H
#define PP_UNPACK_POLICY_H

#include "base/map.h"
#include "unpack/report.h"

#define PP_COMPONENT_MAX_BYTES 255
#define PP_PATH_MAX_BYTES      1024
#define PP_PATH_MAX_LEVELS     64

enum pp_entry_kind {
	PP_ENTRY_FILE,
	PP_ENTRY_DIR,
	PP_ENTRY_LINK,     /* symbolic */
	PP_ENTRY_HARDLINK, /* never admitted, as everything below */
	PP_ENTRY_DEVICE,
	PP_ENTRY_FIFO,
	PP_ENTRY_SOCKET,
	PP_ENTRY_UNKNOWN
};

struct pp_entry {
	const char *path;   /* as the archive has it */
	const char *target; /* of a symbolic link, else NULL */
	enum pp_entry_kind kind;
	unsigned mode; /* 07777 */
	uint64_t size; /* of a file */
};

struct pp_limits {
	uint64_t bytes, files;
	bool exact; /* both have to be met, not only kept */
};

struct pp_policy {
	struct pp_limits limits;
	struct pp_map seen;       /* folded path -> struct seen */
	struct pp_report *report; /* borrowed: gets refusals, counts bytes and files */
	bool any;                 /* an entry was admitted */
};

void pp_policy_init(struct pp_policy *p, const struct pp_limits *limits, struct pp_report *report);
void pp_policy_fini(struct pp_policy *p);
/*
 * 0 and the entry's path without a directory's trailing slash (out: PP_PATH_MAX_BYTES + 1), or -1
 * with the reason in the report.
 */
int pp_policy_admit(struct pp_policy *p, const struct pp_entry *e, char *out_path) PP_MUSTUSE;
/* After the last entry: something was there, and the totals are met. */
int pp_policy_end(struct pp_policy *p) PP_MUSTUSE;

#endif
