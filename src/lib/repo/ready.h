/* SPDX-License-Identifier: MIT */
/*
 * Work of an `add` below staged/.arriving: copies of archives under their number, in ready/ what
 * shall be staged beside archives, under the name that it will have, and in looks/ all that a
 * helper may reach. It becomes staged all at once, durable before anything of it counts, with as
 * many syncs for one archive as for a thousand.
 */
#ifndef PP_REPO_READY_H
#define PP_REPO_READY_H

#include "lib/repo/repo.h"

#define PP_ARRIVING "staged/.arriving"
#define PP_READY    PP_ARRIVING "/ready"
#define PP_LOOKS    PP_ARRIVING "/looks"

/* Did an add end before its work was staged or forgotten? */
bool pp_ready_was_cut_off(plugpkg_repo *repo);
/* An empty work directory; what an add that was cut off left there goes. */
enum plugpkg_code pp_ready_begin(plugpkg_repo *repo, plugpkg_error **err);
/* A file of ready/, not durable yet. */
enum plugpkg_code pp_ready_write(
    plugpkg_repo *repo, const char *file, const char *text, plugpkg_error **err);
/* All of ready/ is staged, entries last, and the work directory is gone. */
enum plugpkg_code pp_ready_commit(plugpkg_repo *repo, plugpkg_error **err);

#endif
