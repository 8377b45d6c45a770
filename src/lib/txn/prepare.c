/* SPDX-License-Identifier: MIT */
/*
 * What a step brings is the one that the signed index means; what needs no archive; and the way
 * back of all that was put into the store.
 */
#include "lib/txn/steps.h"

#include "base/fd.h"
#include "base/path.h"
#include "lib/model/as_signed.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool
pp_task_needs_archive(const struct pp_task *task)
{
	return !pp_task_is_removal(task) && task->step->link_dir == NULL && !task->step->is_stored;
}

bool
pp_txn_unpacks(const struct pp_txn *t)
{
	pp_vec_foreach (task, &t->tasks)
		if (pp_task_needs_archive(task))
			return true;
	return false;
}

/* ---- the manifest, and whether it is the signed one ---- */

static enum plugpkg_code
not_as_signed(const struct pp_step *step, const char *what, plugpkg_error **err)
{
	(void)pp_fail(
	    err, PLUGPKG_E_BAD_ARCHIVE, 0, "archive of %s %s: %s", step->name, step->version, what);
	(void)pp_hint(err, PLUGPKG_E_BAD_ARCHIVE, "tell the publisher of source '%s'",
	    step->source != NULL ? step->source : "?");
	return pp_subject(err, PLUGPKG_E_BAD_ARCHIVE, step->name);
}

enum plugpkg_code
pp_txn_check_manifest(const struct pp_step *step, const struct pp_buf *text,
    struct pp_manifest **out, plugpkg_error **err)
{
	const struct pp_signed_release want = {
		.name = step->name,
		.version = step->version,
		.is_signed = step->link_dir == NULL,
		.row = step->row,
		.scripts = step->scripts,
	};
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", step->name, step->version);
	PP_AUTO(manifest) struct pp_manifest *m = NULL;
	enum plugpkg_code rc =
	    pp_manifest_parse((struct pp_str){ pp_buf_cstr(text), text->n }, file, &m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *unlike = pp_unlike_signed(m, &want);
	if (unlike != NULL)
		return not_as_signed(step, unlike, err);
	*out = pp_steal(&m);
	return PLUGPKG_OK;
}

enum plugpkg_code
pp_task_read_manifest(struct pp_task *task, int dir_fd, plugpkg_error **err)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(PP_MANIFEST_MAX_BYTES);
	int r = pp_read_file_at(dir_fd, "plugin.json", &text);
	if (r < 0)
		return pp_fail(err, pp_code_of_read(r, PLUGPKG_E_BAD_ARCHIVE), -r,
		    "cannot read plugin.json of %s %s", task->step->name, task->step->version);
	return pp_txn_check_manifest(task->step, &text, &task->manifest, err);
}

static enum plugpkg_code
prepare_link(struct pp_task *task, plugpkg_error **err)
{
	const char *dir = task->step->link_dir;
	PP_AUTO_FD int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot open '%s'", dir);
	return pp_task_read_manifest(task, fd, err);
}

/* It was installed before, so its manifest is known; that it is still there was seen by is_new. */
static enum plugpkg_code
prepare_stored(struct pp_task *task, plugpkg_error **err)
{
	const struct pp_step *s = task->step;
	PP_AUTO_FREE char *file = pp_asprintf("%s %s: plugin.json", s->name, s->version);

	if (task->is_new) {
		(void)pp_fail(err, PLUGPKG_E_REFUSED, 0,
		    "store/%s/%s was deleted after the plan was made", s->name, s->version);
		return pp_hint(err, PLUGPKG_E_REFUSED, "run the command again");
	}
	memcpy(task->tree_sha256, s->tree_sha256, sizeof(task->tree_sha256));
	task->bytes = s->unpacked_bytes;
	task->files = s->files;
	return pp_manifest_of(s->manifest, file, &task->manifest, err);
}

enum plugpkg_code
pp_txn_prepare_others(struct pp_txn *t, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		struct pp_task *task = &t->tasks.at[i];
		if (pp_task_is_removal(task) || pp_task_needs_archive(task))
			continue;
		rc = task->step->link_dir != NULL ? prepare_link(task, err)
						  : prepare_stored(task, err);
	}
	return rc;
}

/* A plugin that could not be undone needs its files still. */
static bool
is_installed(const struct pp_installeds *set, const struct pp_step *s)
{
	const struct pp_installed *p = pp_installeds_get(set, s->key);

	return p != NULL && strcmp(p->version, s->version) == 0;
}

enum plugpkg_code
pp_txn_unprepare(struct pp_txn *t, plugpkg_error **err)
{
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	enum plugpkg_code rc = pp_state_installed(t->state, &set, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < t->tasks.n; i++) {
		struct pp_task *task = &t->tasks.at[i];
		pp_auto_fd(&task->staging_fd);
		if (task->is_new && !is_installed(&set, task->step))
			rc = pp_store_remove(t->ctx, task->step->name, task->step->version, err);
	}
	return rc == PLUGPKG_OK ? pp_staging_clear(t->ctx, err) : rc;
}
