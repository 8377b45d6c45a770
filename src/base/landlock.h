/* SPDX-License-Identifier: MIT */
/*
 * Landlock: a process gives up rights to files, TCP and other processes, for itself and all that it
 * starts, for ever. What the running kernel is too old for is left out; pp_landlock_abi() tells.
 */
#ifndef PP_BASE_LANDLOCK_H
#define PP_BASE_LANDLOCK_H

#include "base/compiler.h"

/* 0: the kernel has none, or it is switched off. */
int pp_landlock_abi(void);
#define PP_LANDLOCK_ABI_TRUNCATE 3
#define PP_LANDLOCK_ABI_TCP      4
#define PP_LANDLOCK_ABI_SCOPE    6

/* What is taken away, but for what is granted afterwards. */
enum {
	PP_LANDLOCK_READ = 1 << 0,  /* opening files and listing directories */
	PP_LANDLOCK_WRITE = 1 << 1, /* opening for writing, making, removing, renaming */
	PP_LANDLOCK_TCP = 1 << 2,   /* binding and connecting */
	/* Signals to, and abstract Unix sockets of, processes that are not behind it too. */
	PP_LANDLOCK_SCOPE = 1 << 3,
};
/* *out_fd: a set of rights, owned. -ENOSYS where there is no Landlock. */
int pp_landlock_new(unsigned taken, int *out_fd) PP_MUSTUSE;
/* rights: PP_LANDLOCK_READ, _WRITE; of a file, or of all below a directory. */
int pp_landlock_grant(int set_fd, int path_fd, unsigned rights) PP_MUSTUSE;
/* The same by its path, links followed. 0 too when nothing is there. */
int pp_landlock_grant_path(int set_fd, const char *path, unsigned rights) PP_MUSTUSE;
int pp_landlock_grant_port(int set_fd, unsigned port) PP_MUSTUSE; /* to connect to */
/* Async-signal-safe. Asks for no_new_privs, or a capability. */
int pp_landlock_enter(int set_fd) PP_MUSTUSE;

#endif
