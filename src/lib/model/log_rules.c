/* SPDX-License-Identifier: MIT */
/* {"log": {"level": "debug", "max-size": "20 MB", "max-age": "180 days"}}, read. */
#include "lib/model/log_rules.h"

#include "base/mem.h"
#include "lib/model/log_time.h"

#include <string.h>

#define BYTES_LEAST (64ULL * 1000)
#define BYTES_MOST  (1000ULL * 1000 * 1000 * 1000)

const char *const pp_log_level_names[PP_N_LOG_LEVELS] = {
	[PP_LOG_DEBUG] = "debug",
	[PP_LOG_INFO] = "info",
	[PP_LOG_WARNING] = "warning",
	[PP_LOG_ERROR] = "error",
};

int
pp_log_level_of(const char *name)
{
	for (int i = 0; i < PP_N_LOG_LEVELS; i++)
		if (strcmp(pp_log_level_names[i], name) == 0)
			return i;
	return -1;
}

enum plugpkg_code
pp_log_level_parse(const char *name, enum pp_log_level *out, plugpkg_error **err)
{
	int level = pp_log_level_of(name);

	if (level >= 0) {
		*out = (enum pp_log_level)level;
		return PLUGPKG_OK;
	}
	PP_AUTO_FREE char *shown = pp_shown(name, strlen(name));
	(void)pp_fail(err, PLUGPKG_E_USAGE, 0, "'%s' is no level", shown);
	return pp_hint(err, PLUGPKG_E_USAGE, "write debug, info, warning or error");
}

bool
pp_rules_size(const pp_json *j, uint64_t least, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "kB", 1000 },
		{ "MB", 1000 * 1000 },
		{ "GB", 1000 * 1000 * 1000 },
	};
	const char *text = pp_json_string(j);
	uint64_t n = 0;

	if (text == NULL) {
		int64_t bytes = pp_json_integer(j, -1);
		*out = bytes > 0 ? (uint64_t)bytes : 0;
		return bytes >= 0 && *out >= least && *out <= BYTES_MOST;
	}
	size_t digits = strspn(text, "0123456789");
	struct pp_str unit = pp_str_trim(pp_str_of(text + digits));
	if (pp_parse_u64((struct pp_str){ text, digits }, BYTES_MOST, &n) < 0)
		return false;
	for (size_t i = 0; i < PP_LEN(units); i++) {
		if (!pp_str_eq(unit, units[i].name) || n > BYTES_MOST / units[i].bytes)
			continue;
		*out = n * units[i].bytes;
		return *out >= least;
	}
	return false;
}

enum plugpkg_code
pp_log_rules_read(const struct pp_fields *f, struct pp_log_rules *out)
{
	const pp_json *log = pp_json_get(f->json, "log");
	const pp_json *level = pp_json_get(log, "level"), *size = pp_json_get(log, "max-size"),
		      *age = pp_json_get(log, "max-age");

	*out = (struct pp_log_rules){
		.level = PP_LOG_INFO,
		.max_bytes = PP_LOG_MAX_BYTES_USUAL,
		.max_age_s = PP_LOG_MAX_AGE_USUAL_S,
	};
	if (log != NULL && !pp_json_is(log, PP_JSON_OBJECT))
		return pp_field_kind(f, "log", log, "an object");
	if (level != NULL) {
		int n = pp_json_string(level) != NULL ? pp_log_level_of(pp_json_string(level)) : -1;
		if (n < 0)
			return pp_field_fail(
			    f, "log.level", "must be debug, info, warning or error");
		out->level = (enum pp_log_level)n;
	}
	if (size != NULL && !pp_rules_size(size, BYTES_LEAST, &out->max_bytes))
		return pp_field_fail(
		    f, "log.max-size", "must be bytes or a text like \"20 MB\", from 64 kB on");
	if (age != NULL && (pp_json_string(age) == NULL ||
			       pp_log_time_span(pp_json_string(age), &out->max_age_s) < 0))
		return pp_field_fail(f, "log.max-age", "must be a text like \"180 days\"");
	return PLUGPKG_OK;
}
