/* SPDX-License-Identifier: MIT */
/* What the process settles before anything else: descriptors, umask, signals. */
#ifndef PP_TERM_START_H
#define PP_TERM_START_H

#include <plugpkg.h>

#include <stdbool.h>

/*
 * Descriptors 0 to 2 are open afterwards, so that no file of ours can ever become one of them. 0 or
 * -errno.
 */
int start_process(void);
/*
 * From now on SIGINT, SIGTERM and SIGHUP cancel what ctx does; a second one ends the process at
 * once.
 */
void start_signals(plugpkg_context *ctx);
/* The same for what else a program works on; `cancel` is called in the signal handler. */
void start_signals_for(void (*cancel)(void *what), void *what);
/*
 * From now on signals after the first change nothing: impatience must not cut off the undo that the
 * first one asked for. SIGQUIT still ends the process.
 */
void start_patience(void);
/* Has one of these signals come? */
bool start_is_stopping(void);
/* ctx goes away: signals do what they do by default. */
void stop_signals(void);

#endif
