/* SPDX-License-Identifier: MIT */
/* Where the passphrases of keys come from: both are plugpkg_passphrase_fn, with the cli as user. */
#ifndef PP_TERM_PASSPHRASE_H
#define PP_TERM_PASSPHRASE_H

#include "term/cli.h"

/* Can --passphrase-fd be read from? USAGE when it is no number, or nothing is open there. */
enum plugpkg_code passphrase_check(struct cli *cli) PP_MUSTUSE;
/* Of a key that is there: --passphrase-fd, else the terminal. */
int passphrase_old(const char *key, char *buf, size_t size, void *user);
/* For new keys, one for all of a command: typed twice. */
int passphrase_new(const char *key, char *buf, size_t size, void *user);

#endif
