/* SPDX-License-Identifier: MIT */
/* The commands of plugpkg, and what they share. */
#ifndef PP_CLI_CMDS_H
#define PP_CLI_CMDS_H

#include "term/cli.h"

extern const struct cmd cmd_autoremove, cmd_build, cmd_check, cmd_clean, cmd_configure, cmd_depends,
    cmd_disable, cmd_enable, cmd_graph, cmd_history, cmd_hold, cmd_init, cmd_install,
    cmd_is_installed, cmd_is_installing, cmd_link, cmd_lint, cmd_list, cmd_lock, cmd_log, cmd_mark,
    cmd_materialize, cmd_new, cmd_owner, cmd_policy, cmd_purge, cmd_rdepends, cmd_recover,
    cmd_remove, cmd_repair, cmd_rollback, cmd_search, cmd_show, cmd_sign, cmd_source, cmd_sync,
    cmd_undo, cmd_unhold, cmd_update, cmd_upgrade, cmd_why, cmd_why_not;

/* Root as the user named it, or NULL: look upwards. */
const char *cli_root(const struct cli *cli);

/* Tells who looked into the sources in vain that there is none. */
void say_if_no_source(struct cli *cli);

#endif
