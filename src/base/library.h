/* SPDX-License-Identifier: MIT */
/*
 * Shared libraries that not every command needs, or not at once: they are loaded when the first of
 * their functions is called, stay as long as the process, and are the same for all of its threads.
 */
#ifndef PP_BASE_LIBRARY_H
#define PP_BASE_LIBRARY_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One function, whose address is put at the offset in the caller's table. */
struct pp_library_call {
	const char *name;
	size_t offset;
};

/* False when there is no such library, or it lacks one of the functions. */
bool pp_library_load(
    const char *soname, const struct pp_library_call *calls, size_t n, void *table) PP_MUSTUSE;
/* The table in *loaded, of so many bytes; made and filled by the first call. NULL: as above. */
void *pp_library_table(_Atomic(void *) *loaded, size_t bytes, const char *soname,
    const struct pp_library_call *calls, size_t n) PP_MUSTUSE;
/* The same, and without the library the process ends, as it would have if it were linked. */
void *pp_library_need(_Atomic(void *) *loaded, size_t bytes, const char *soname,
    const struct pp_library_call *calls, size_t n);
/* Why the last of these that failed did. */
const char *pp_library_error(void);

/*
 * Defines functions of a library under their own names, so that who calls them need not know; and
 * is_there(), for who can still say that the library cannot be loaded. FUNCTIONS lists them as
 * _(type, name, (parameters), (arguments)), and PROCEDURES, which return nothing, as _(name,
 * (parameters), (arguments)). One library a file.
 */
#define PP_LIBRARY_DOOR(is_there, soname, FUNCTIONS, PROCEDURES)                                   \
	struct calls {                                                                             \
		FUNCTIONS(PP_LIBRARY_F_MEMBER) PROCEDURES(PP_LIBRARY_P_MEMBER)                     \
	};                                                                                         \
	static const struct pp_library_call rows[] = { FUNCTIONS(PP_LIBRARY_F_ROW)                 \
		    PROCEDURES(PP_LIBRARY_P_ROW) };                                                \
	static _Atomic(void *) loaded;                                                             \
	bool is_there(void)                                                                        \
	{                                                                                          \
		return pp_library_table(                                                           \
			   &loaded, sizeof(struct calls), soname, rows, PP_LEN(rows)) != NULL;     \
	}                                                                                          \
	static inline const struct calls *called(void)                                             \
	{                                                                                          \
		return pp_library_need(&loaded, sizeof(struct calls), soname, rows, PP_LEN(rows)); \
	}                                                                                          \
	FUNCTIONS(PP_LIBRARY_FUNCTION) PROCEDURES(PP_LIBRARY_PROCEDURE)
#define PP_LIBRARY_MEMBER(name) __typeof__(name) *(name);
#define PP_LIBRARY_ROW(name)    { #name, offsetof(struct calls, name) },
/* clang-format off */
#define PP_LIBRARY_F_MEMBER(type, name, parameters, arguments) PP_LIBRARY_MEMBER(name)
#define PP_LIBRARY_P_MEMBER(name, parameters, arguments)       PP_LIBRARY_MEMBER(name)
#define PP_LIBRARY_F_ROW(type, name, parameters, arguments)    PP_LIBRARY_ROW(name)
#define PP_LIBRARY_P_ROW(name, parameters, arguments)          PP_LIBRARY_ROW(name)
/* clang-format on */
#define PP_LIBRARY_FUNCTION(type, name, parameters, arguments)                                     \
	type name parameters                                                                       \
	{                                                                                          \
		return called()->name arguments;                                                   \
	}
#define PP_LIBRARY_PROCEDURE(name, parameters, arguments)                                          \
	void name parameters                                                                       \
	{                                                                                          \
		called()->name arguments;                                                          \
	}

/*
 * For the tools of packagers, who find no such dependency among those of the linker:
 * https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
 * priority: "required", "recommended" or "suggested".
 */
#define PP_LIBRARY_NOTE(soname, feature, priority, description)                                    \
	PP_LIBRARY_NOTE_OF("[{\"feature\":\"" feature "\",\"description\":\"" description          \
			   "\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]")
#define PP_LIBRARY_NOTE_OF(json)                                                                   \
	static const struct {                                                                      \
		uint32_t name_bytes, text_bytes, type;                                             \
		char name[4];                                                                      \
		char text[(sizeof(json) + 3) & ~(size_t)3];                                        \
	} note PP_NOTE(".note.dlopen") = { 4, sizeof(note.text), 0x407c0c0aU, "FDO", json }

#endif
