/* SPDX-License-Identifier: MIT */
/*
 * Lines of the digest of a tree (repo-format/archive.md): whoever takes it, takes it alike. Without
 * the newline that ends them; to be freed.
 */
#ifndef PP_BASE_TREE_LINE_H
#define PP_BASE_TREE_LINE_H

#include <stdint.h>

char *pp_tree_line_file(unsigned mode, uint64_t size, const char *sha256, const char *path);
char *pp_tree_line_link(const char *target, const char *path);

#endif
