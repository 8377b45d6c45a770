/* SPDX-License-Identifier: MIT */
/* The compiler's attributes and the cleanup macros; no other file names an attribute directly. */
#ifndef PP_BASE_COMPILER_H
#define PP_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PP_MUSTUSE           __attribute__((warn_unused_result))
#define PP_NORETURN          __attribute__((noreturn))
#define PP_UNUSED            __attribute__((unused))
#define PP_FALLTHROUGH       __attribute__((fallthrough))
#define PP_PACKED            __attribute__((packed))
#define PP_AT_START          __attribute__((constructor))
#define PP_AT_END            __attribute__((destructor))
#define PP_CLEANUP(fn)       __attribute__((cleanup(fn)))
#define PP_NOTE(name)        __attribute__((used, aligned(4), section(name)))
#define PP_LEN(a)            (sizeof(a) / sizeof((a)[0]))

/* A result that must be used and here really does not matter; say why beside it. */
#define PP_IGNORE(call) ((void)((call) == 0))

/* Abandon at the end of the scope; hand out with pp_steal(), pp_fd_steal(), pp_buf_steal(). */
#define PP_AUTO_FREE  PP_CLEANUP(pp_auto_free)
#define PP_AUTO_FD    PP_CLEANUP(pp_auto_fd)
#define PP_AUTO_BUF   PP_CLEANUP(pp_buf_fini)
#define PP_AUTO_JSON  PP_CLEANUP(pp_auto_json)
#define PP_AUTO_ERROR PP_CLEANUP(pp_auto_error)

/* Defines pp_auto_NAME(TYPE **) for PP_AUTO(NAME): frees with FREE, keeps errno, accepts NULL. */
#define PP_DEFINE_AUTO(name, type, free_fn)                                                        \
	static inline void pp_auto_##name(type **p)                                                \
	{                                                                                          \
		if (*p != NULL)                                                                    \
			free_fn(*p);                                                               \
	}                                                                                          \
	struct pp_semicolon_##name
#define PP_AUTO(name) PP_CLEANUP(pp_auto_##name)

#endif
