/* SPDX-License-Identifier: MIT */
/* The levels of log lines, and the "log" of plugpkg.json: what is kept, how much, how long. */
#ifndef PP_MODEL_LOG_RULES_H
#define PP_MODEL_LOG_RULES_H

#include "lib/model/field.h"

enum pp_log_level {
	PP_LOG_DEBUG,
	PP_LOG_INFO,
	PP_LOG_WARNING,
	PP_LOG_ERROR,
	PP_N_LOG_LEVELS
};
extern const char *const pp_log_level_names[PP_N_LOG_LEVELS];
/* -1 when it is none. */
int pp_log_level_of(const char *name);
/* The same for what people wrote. Errors: USAGE. */
enum plugpkg_code pp_log_level_parse(const char *name, enum pp_log_level *out, plugpkg_error **err);

/* A size as plugpkg.json has it: bytes, or a text like "20 MB"; `least` or more. False: none. */
bool pp_rules_size(const pp_json *j, uint64_t least, uint64_t *out);

struct pp_log_rules {
	enum pp_log_level level; /* lines below it are not kept */
	uint64_t max_bytes;      /* of var/log.db */
	int64_t max_age_s;
};
#define PP_LOG_MAX_BYTES_USUAL (20ULL * 1000 * 1000)
#define PP_LOG_MAX_AGE_USUAL_S (180LL * 86400)

/* Reads the member "log" of plugpkg.json, which may be missing. */
enum plugpkg_code pp_log_rules_read(const struct pp_fields *f, struct pp_log_rules *out);

#endif
