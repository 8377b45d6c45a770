/* SPDX-License-Identifier: MIT */
/*
 * Which signatures were found good before: those of one file, for a role, as another file demands.
 * Files are named by their digests, so that neither time nor any other file can make it untrue, and
 * who meets the same bytes again need not verify them again. It is kept beside root.json, with
 * which everything begins: who can write there needs no false proof.
 */
#ifndef PP_TRUST_PROOFS_H
#define PP_TRUST_PROOFS_H

#include "base/map.h"
#include "base/vec.h"

struct pp_proofs {
	struct pp_strs lines; /* digest of who demands, role, digest of the file */
};

/* What was saved by this plugpkg: another one may verify otherwise. None is no mistake. */
void pp_proofs_load(struct pp_proofs *p, int dir_fd);
/*
 * Those between files whose digests are given. They only save work: where they cannot be written,
 * or a crash spoils them, it is done again.
 */
void pp_proofs_save(struct pp_proofs *p, const struct pp_map *digests, int dir_fd);
void pp_proofs_fini(struct pp_proofs *p);

bool pp_proofs_has(
    const struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256);
void pp_proofs_add(
    struct pp_proofs *p, const char *by_sha256, const char *role, const char *sha256);

#endif
