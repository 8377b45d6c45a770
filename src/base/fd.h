/* SPDX-License-Identifier: MIT */
/* Descriptors: closing, whole reads and writes, durable commits. */
#ifndef PP_BASE_FD_H
#define PP_BASE_FD_H

#include "base/buf.h"

void pp_auto_fd(int *fd); /* closes unless -1; keeps errno */
/* The same, and gives up its flock(2), which a child that somebody forked would keep. */
void pp_fd_unlock(int *fd);
int pp_fd_steal(int *fd); /* takes the descriptor out and leaves -1 */

/* Closes all from first to last, of which none may be anybody else's; -ENOSYS before Linux 5.9. */
int pp_fd_close_row(int first, int last) PP_MUSTUSE;

int pp_fd_read_all(int fd, struct pp_buf *out) PP_MUSTUSE; /* -EFBIG past out's limit */
int pp_fd_write_all(int fd, const void *p, size_t n) PP_MUSTUSE;
/* The same of a file that had this size: its end is not looked for behind it. 0: not known. */
int pp_fd_read_file(int fd, uint64_t size, struct pp_buf *out) PP_MUSTUSE;
int pp_fd_copy(int from, int to, uint64_t *out_bytes) PP_MUSTUSE; /* from the offset to the end */
/* Makes the file durable and closes it: fsync, close. Always leaves *fd == -1. */
int pp_fd_commit(int *fd) PP_MUSTUSE;

#endif
