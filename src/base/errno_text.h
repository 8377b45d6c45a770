/* SPDX-License-Identifier: MIT */
/* What the system calls an error, in words of ours. */
#ifndef PP_BASE_ERRNO_TEXT_H
#define PP_BASE_ERRNO_TEXT_H

const char *pp_errno_text(int errnum); /* "no such file or directory"; view, forever */

#endif
