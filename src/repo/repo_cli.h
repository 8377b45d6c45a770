/* SPDX-License-Identifier: MIT */
/* What the commands of plugpkg-repo share. */
#ifndef PP_REPO_CLI_H
#define PP_REPO_CLI_H

#include <plugpkg-repo.h>

#include "term/cli.h"

extern const struct cmd repo_add, repo_check, repo_expire_check, repo_init, repo_key, repo_list,
    repo_mirror, repo_publish, repo_refresh, repo_remove, repo_sign, repo_verify;

/* --repo, else PLUGPKG_REPO, else NULL: look upwards. */
const char *repo_cli_dir(const struct cli *cli);
/* plugpkg_passphrase_fn with the cli as user: --passphrase-fd, else the terminal. */
int repo_cli_passphrase(const char *key, char *buf, size_t size, void *user);
/* The publisher's directory that the command works on. */
plugpkg_repo *repo_cli_repo(const struct cli *cli);
/* Opens the publisher's directory for `run`: for commands that need it in some forms only. */
enum plugpkg_code repo_cli_run_in_repo(struct cli *cli, enum plugpkg_code (*run)(struct cli *cli));

/* The same on a handle without a directory. */
enum plugpkg_code repo_cli_run_without(struct cli *cli, enum plugpkg_code (*run)(struct cli *cli));

/* What waits for signatures, and what only offline keys can keep from expiring. */
void repo_view_signing(struct cli *cli);
void repo_warn_expiry(struct cli *cli);

#endif
