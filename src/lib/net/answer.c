/* SPDX-License-Identifier: MIT */
/* Reads the helper's answers into plain values within bounds. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lib/net/answer.h"

#define MAX_ERRNO   4095
#define MAX_MS      3600000
#define MAX_SECONDS 86400

static bool
parse_type(const char *type, enum pp_answer_type *out)
{
	static const char *const names[] = {
		[PP_ANSWER_BEGIN] = "begin",
		[PP_ANSWER_DONE] = "done",
		[PP_ANSWER_FAILED] = "failed",
	};

	for (size_t i = 0; type != NULL && i < PP_LEN(names); i++) {
		if (strcmp(type, names[i]) == 0) {
			*out = (enum pp_answer_type)i;
			return true;
		}
	}
	return false;
}

/* An unknown kind is one more way in which the network failed. */
static enum pp_fault
parse_kind(const char *kind)
{
	static const char *const names[] = {
		[PP_FAULT_NETWORK] = "network",
		[PP_FAULT_CUT] = "cut",
		[PP_FAULT_SLOW] = "slow",
		[PP_FAULT_REDIRECT] = "redirect",
		[PP_FAULT_HTTP] = "http",
		[PP_FAULT_LIMIT] = "limit",
		[PP_FAULT_SIZE] = "size",
		[PP_FAULT_LOCAL] = "local",
		[PP_FAULT_TLS] = "tls",
		[PP_FAULT_PROXY] = "proxy",
	};

	for (size_t i = 0; kind != NULL && i < PP_LEN(names); i++)
		if (strcmp(kind, names[i]) == 0)
			return (enum pp_fault)i;
	return PP_FAULT_NETWORK;
}

static void
parse_text(const char *text, struct pp_answer *out)
{
	PP_AUTO_BUF struct pp_buf clean = PP_BUF_INIT(PP_ANSWER_TEXT - 1);

	if (text == NULL || *text == '\0')
		text = "no reason given";
	pp_sanitize(&clean, text, strnlen(text, PP_ANSWER_TEXT));
	snprintf(out->text, sizeof(out->text), "%s", pp_buf_cstr(&clean));
}

bool
pp_answer_parse(const pp_json *j, struct pp_answer *out)
{
	int64_t bytes = pp_json_get_int(j, "bytes", 0);
	int64_t status = pp_json_get_int(j, "status", 0);
	int64_t errnum = pp_json_get_int(j, "errno", 0);

	int64_t first = pp_json_get_int(j, "first_byte_ms", 0);
	int64_t after = pp_json_get_int(j, "retry_after", 0);

	*out = (struct pp_answer){ .id = pp_json_get_int(j, "id", -1) };
	if (out->id < 0 || bytes < 0 || status < 0 || status > 999 || errnum < 0 ||
	    errnum > MAX_ERRNO)
		return false;
	if (!parse_type(pp_json_get_str(j, "type"), &out->type))
		return false;
	out->bytes = (uint64_t)bytes;
	out->status = (int)status;
	out->errnum = (int)errnum;
	out->first_byte_ms = first > 0 && first < MAX_MS ? (uint32_t)first : 0;
	out->retry_after_s = after > 0 ? (uint32_t)(after < MAX_SECONDS ? after : MAX_SECONDS) : 0;
	if (out->type == PP_ANSWER_FAILED) {
		out->fault = parse_kind(pp_json_get_str(j, "kind"));
		parse_text(pp_json_get_str(j, "text"), out);
	}
	return true;
}
