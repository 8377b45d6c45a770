/* SPDX-License-Identifier: MIT */
/*
 * What the fetch helper answers. It has read bytes of strangers: everything it says is checked
 * here.
 */
#ifndef PP_NET_ANSWER_H
#define PP_NET_ANSWER_H

#include "base/json.h"
#include "base/str.h"

enum pp_answer_type {
	PP_ANSWER_BEGIN, /* bytes follow in the pipe; `bytes` tells from where in the file */
	PP_ANSWER_DONE,
	PP_ANSWER_FAILED
};

enum pp_fault {
	PP_FAULT_NETWORK,  /* no connection, no name, no TLS, no sense */
	PP_FAULT_CUT,      /* ended early; what came may be continued */
	PP_FAULT_SLOW,     /* under the lowest speed, or past the deadline */
	PP_FAULT_REDIRECT, /* to where we do not go */
	PP_FAULT_HTTP,     /* a status that brings no file */
	PP_FAULT_LIMIT,    /* more bytes than there may be */
	PP_FAULT_SIZE,     /* another number of bytes than there must be */
	PP_FAULT_LOCAL,    /* our own disk */
	PP_FAULT_TLS,      /* a certificate that is not trusted, or none to trust by */
	PP_FAULT_PROXY,    /* the proxy does not do its part */
};

#define PP_ANSWER_TEXT 256

struct pp_answer {
	int64_t id;
	enum pp_answer_type type;
	enum pp_fault fault;    /* of FAILED */
	int status;             /* HTTP, 0 = none */
	int errnum;             /* 0 = none */
	uint64_t bytes;         /* of the file that are there */
	struct pp_str body;     /* of DONE: bytes that came with it; a view, set by the receiver */
	uint32_t first_byte_ms; /* from the request to the answer */
	uint32_t retry_after_s; /* what the server asks for, 0 = nothing */
	char text[PP_ANSWER_TEXT]; /* of FAILED: printable, never empty */
};

/* False when j is no answer. */
bool pp_answer_parse(const pp_json *j, struct pp_answer *out);

#endif
