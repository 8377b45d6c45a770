/* SPDX-License-Identifier: MIT */
/* Makes admitted entries on disk, below one directory that it never leaves. */
#ifndef PP_UNPACK_WRITER_H
#define PP_UNPACK_WRITER_H

#include "base/vec.h"

struct pp_writer_link {
	char *path, *target; /* owned */
};

#define PP_WRITER_OPEN_MAX 32

struct pp_writer {
	int dir_fd; /* borrowed */
	int files[PP_WRITER_OPEN_MAX];
	size_t n_files;
	struct pp_writer_links pp_vec(struct pp_writer_link) links;
};

void pp_writer_fini(struct pp_writer *w);
/* 0 or -errno. Parents that are missing are made. A directory that is there already is fine. */
int pp_writer_dir(struct pp_writer *w, const char *path) PP_MUSTUSE;
/* A new file of that mode, open for writing. -errno, or a descriptor, borrowed until the next. */
int pp_writer_file(struct pp_writer *w, const char *path, unsigned mode) PP_MUSTUSE;
/*
 * Remembers a link; pp_writer_end() makes them all, so that nothing is written while links exist.
 */
void pp_writer_link(struct pp_writer *w, const char *path, const char *target);
int pp_writer_end(struct pp_writer *w, const char **out_path) PP_MUSTUSE;

#endif
