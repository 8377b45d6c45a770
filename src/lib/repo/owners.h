/* SPDX-License-Identifier: MIT */
/*
 * Owners of plugins at a publisher's: who has to have signed what is added, and signatures on their
 * way into the pool. staged/NAME.owner is the owner as the next publish will name him,
 * staged/SHA256.KEYID.sig a signature that waits.
 */
#ifndef PP_REPO_OWNERS_H
#define PP_REPO_OWNERS_H

#include "base/map.h"
#include "lib/repo/book.h"
#include "lib/repo/staged.h"
#include "lib/trust/owner.h"

/*
 * Files of owners: those that were staged when a command took the lock, and those that it made
 * ready. Most plugins have none, and looking once is cheaper than asking for each.
 */
struct pp_owner_files {
	struct pp_map staged, ready; /* name of the file -> anything */
};

/* What an author handed in along with an archive, and what the publisher says to it. */
struct pp_handed_in {
	const char *path;                   /* of the archive; its signature is PATH.sig */
	const char *rotation;               /* path of a statement, or NULL */
	bool accepts;                       /* another key than the owner's is taken without one */
	const struct pp_owner_files *files; /* borrowed */
};
struct pp_admission {
	enum {
		PP_ADMIT_UNSIGNED,
		PP_ADMIT_NEW, /* the plugin had no owner */
		PP_ADMIT_UNCHANGED,
		PP_ADMIT_ROTATED,
		PP_ADMIT_ACCEPTED /* another owner, by the publisher's word alone */
	} as;
	struct pp_sig *sig;     /* NULL: unsigned */
	struct pp_owner *owner; /* as he will be; NULL: nobody */
	bool is_lacking;        /* the pool does not have this signature */
};
extern const char *const pp_admission_names[]; /* "unsigned", "new", "unchanged", … */
void pp_admission_fini(struct pp_admission *a);

enum plugpkg_code pp_owner_files_read(
    plugpkg_repo *repo, struct pp_owner_files *out, plugpkg_error **err);
void pp_owner_files_fini(struct pp_owner_files *f);

/* May this archive be added as it is signed? Nothing is changed yet. Errors: OWNER. */
enum plugpkg_code pp_owner_admit(struct pp_book *book, const struct pp_handed_in *in,
    const struct pp_pool_file *archive, struct pp_admission *out, plugpkg_error **err);
/* Then signature and owner are made ready to be staged (ready.h). */
enum plugpkg_code pp_owner_stage(plugpkg_repo *repo, const struct pp_admission *a,
    const struct pp_pool_file *archive, struct pp_owner_files *files, plugpkg_error **err);
/* What is staged of the name's owner no longer is. */
enum plugpkg_code pp_owner_unstage(plugpkg_repo *repo, const char *name, plugpkg_error **err);
/* The same of all these names. */
enum plugpkg_code pp_owners_unstage(plugpkg_repo *repo, const struct pp_staged_list *staged,
    const struct pp_owner_files *files, plugpkg_error **err);

/*
 * Part of a publish: signatures of these additions go into the pool, staged owners into the book,
 * and each row of their plugins says whether its owner signed it.
 */
enum plugpkg_code pp_owners_publish(struct pp_book *book, const struct pp_staged_list *staged,
    const struct pp_owner_files *files, plugpkg_error **err);

#endif
