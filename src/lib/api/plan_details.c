/* SPDX-License-Identifier: MIT */
/* What the index says about the releases that were chosen: digests, sizes, signed rows. */
#include "lib/api/making.h"

#include "lib/index/brief.h"
#include "lib/model/tables.h"

#include <string.h>

static struct pp_catalog *
catalog_of(const struct pp_making *m, const char *source)
{
	pp_vec_foreach (c, &m->open.catalogs)
		if (source != NULL && strcmp(pp_catalog_source(*c)->name, source) == 0)
			return *c;
	return NULL;
}

static bool
is_fetched(const struct pp_step *step)
{
	return step->action != PP_REMOVE && step->link_dir == NULL && step->file == NULL;
}

/* One round of requests for all details that a source has to give. */
static enum plugpkg_code
prefetch(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->open.catalogs.n; i++) {
		struct pp_catalog *c = m->open.catalogs.at[i];
		PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
		pp_vec_foreach (step, &m->plan->steps)
			if (is_fetched(step) && catalog_of(m, step->source) == c &&
			    pp_json_get(step->row, PP_BRIEF_MEMBER) == NULL)
				pp_strs_add(&names, step->name);
		if (names.n > 0)
			rc = pp_catalog_prefetch(c, &names, err);
	}
	return rc;
}

static enum plugpkg_code
fail_unsound(const char *key, const struct pp_step *step, plugpkg_error **err)
{
	(void)pp_fail(err, PLUGPKG_E_BAD_METADATA, 0,
	    "index of source '%s': %s %s has no sound \"%s\"", step->source, step->name,
	    step->version, key);
	return pp_hint(err, PLUGPKG_E_BAD_METADATA,
	    "tell the publisher of the source; another version may be had");
}

static enum plugpkg_code
copy_count(const pp_json *details, const char *key, uint64_t *out, const struct pp_step *step,
    plugpkg_error **err)
{
	int64_t n = pp_json_get_int(details, key, -1);

	if (n < 0)
		return fail_unsound(key, step, err);
	*out = (uint64_t)n;
	return PLUGPKG_OK;
}

static enum plugpkg_code
copy_details(const pp_json *details, struct pp_step *step, plugpkg_error **err)
{
	const char *hex = pp_json_get_str(details, "sha256");

	if (hex == NULL || !pp_is_sha256(hex))
		return fail_unsound("sha256", step, err);
	memcpy(step->sha256, hex, sizeof(step->sha256));
	enum plugpkg_code rc = copy_count(details, "size", &step->size_bytes, step, err);
	if (rc == PLUGPKG_OK)
		rc = copy_count(details, "unpacked", &step->unpacked_bytes, step, err);
	return rc == PLUGPKG_OK ? copy_count(details, "files", &step->files, step, err) : rc;
}

static enum plugpkg_code
copy_brief(const char *text, struct pp_step *step, plugpkg_error **err)
{
	struct pp_brief brief;

	if (!pp_brief_read(text, &brief))
		return fail_unsound(PP_BRIEF_MEMBER, step, err);
	memcpy(step->sha256, brief.sha256, sizeof(step->sha256));
	step->size_bytes = brief.size;
	step->unpacked_bytes = brief.unpacked;
	step->files = brief.files;
	return PLUGPKG_OK;
}

/* A published version never changes: other content under an installed one is attack or accident. */
static enum plugpkg_code
check_same_content(const struct pp_making *m, const struct pp_step *step, plugpkg_error **err)
{
	const struct pp_installed *p = pp_installeds_get(&m->inv.set, step->key);

	if (p == NULL || *p->sha256 == '\0' || strcmp(p->version, step->version) != 0 ||
	    strcmp(p->source, step->source) != 0 || strcmp(p->sha256, step->sha256) == 0)
		return PLUGPKG_OK;
	(void)pp_fail(err, PLUGPKG_E_DIGEST, 0,
	    "source '%s' offers other content as %s %s than was installed from it", step->source,
	    step->name, step->version);
	return pp_hint(
	    err, PLUGPKG_E_DIGEST, "ask the publisher; a published version never changes");
}

/* What the transaction will run first of the step, if the release has it. */
static enum pp_script
script_of(const struct pp_step *step)
{
	bool is_change = step->action == PP_UPGRADE || step->action == PP_DOWNGRADE;

	return is_change ? PP_SCRIPT_UPGRADE : PP_SCRIPT_INSTALL;
}

static void
keep_tables(struct pp_step *step, const pp_json *tables)
{
	pp_json_free(step->tables);
	step->tables = tables != NULL ? pp_json_copy(tables) : NULL;
}

static void
keep_scripts(struct pp_step *step, const pp_json *kinds)
{
	pp_json_free(step->scripts);
	step->scripts = kinds != NULL ? pp_json_copy(kinds) : pp_json_array();
}

/* Where the planning row says all that a plan needs, the details are not even fetched. */
static enum plugpkg_code
fill_step(struct pp_making *m, struct pp_catalog *c, struct pp_step *step, plugpkg_error **err)
{
	PP_AUTO_JSON pp_json *details = NULL;
	const char *brief = pp_json_get_str(step->row, PP_BRIEF_MEMBER);
	enum pp_layer layer = brief != NULL ? PP_LAYER_PLANNING : PP_LAYER_DETAILS;
	const pp_json *row = step->row;
	enum plugpkg_code rc = PLUGPKG_OK;

	if (brief != NULL) {
		rc = copy_brief(brief, step, err);
	} else {
		rc = pp_catalog_rows(c, step->name, step->version, NULL, &details, err);
		if (rc == PLUGPKG_OK)
			rc = copy_details(details, step, err);
		row = details;
	}
	if (rc == PLUGPKG_OK)
		rc = pp_making_owner(m, c, layer, row, step, err);
	if (rc != PLUGPKG_OK)
		return rc;
	keep_scripts(step, pp_json_get(row, "scripts"));
	step->runs_script = pp_json_find_str(step->scripts, pp_script_names[script_of(step)]) >= 0;
	keep_tables(step, pp_json_get(row, "tables"));
	pp_brief_strip(step->row);
	return PLUGPKG_OK;
}

static enum plugpkg_code
read_rows(struct pp_making *m, plugpkg_error **err)
{
	enum plugpkg_code rc = PLUGPKG_OK;

	for (size_t i = 0; rc == PLUGPKG_OK && i < m->plan->steps.n; i++) {
		struct pp_step *step = &m->plan->steps.at[i];
		if (!is_fetched(step))
			continue;
		struct pp_catalog *c = catalog_of(m, step->source);
		if (c == NULL)
			return pp_fail(err, PLUGPKG_E_FAILED, 0,
			    "the plan takes %s %s from an unknown source", step->name,
			    step->version);
		pp_json_free(step->row);
		step->row = NULL;
		rc = pp_catalog_rows(c, step->name, step->version, &step->row, NULL, err);
	}
	return rc;
}

static void
fill_locals(struct pp_making *m)
{
	pp_vec_foreach (step, &m->plan->steps) {
		if (step->source == NULL || strcmp(step->source, PP_SOURCE_FILE) != 0)
			continue;
		const struct pp_local *l = pp_making_fill_local(m, step);
		if (l == NULL)
			continue;
		step->runs_script = l->manifest->scripts[script_of(step)] != NULL;
		keep_tables(step, pp_tables_of(l->manifest->json));
		pp_making_local_owner(m, l, step);
	}
}

static bool
stays(const struct pp_making *m, const struct pp_installed *p)
{
	pp_vec_foreach (step, &m->plan->steps)
		if (pp_step_concerns(step, p->key))
			return false;
	return true;
}

/* Told before anybody is asked; looked at once more when the manifests themselves are there. */
static enum plugpkg_code
check_tables(const struct pp_making *m, plugpkg_error **err)
{
	struct pp_tables all = { 0 };

	pp_vec_foreach (p, &m->inv.set)
		if (stays(m, *p))
			pp_tables_add(&all, pp_tables_of((*p)->manifest),
			    &(struct pp_table){ .name = (*p)->name, .version = (*p)->version });
	pp_vec_foreach (step, &m->plan->steps)
		pp_tables_add(&all, step->tables,
		    &(struct pp_table){
			.name = step->name, .version = step->version, .is_coming = true });
	enum plugpkg_code rc = pp_tables_check(&all, err);
	pp_vec_free(&all);
	return rc;
}

enum plugpkg_code
pp_making_details(struct pp_making *m, plugpkg_error **err)
{
	pp_vec_foreach (step, &m->plan->steps) {
		if (step->source == NULL || strcmp(step->source, "link") != 0)
			continue;
		step->link_dir = pp_xstrdup(m->link_dir);
		step->runs_script = m->link->scripts[script_of(step)] != NULL;
		keep_tables(step, pp_tables_of(m->link->json));
	}
	enum plugpkg_code rc = pp_making_read_owners(m, err);
	if (rc != PLUGPKG_OK)
		return rc;
	fill_locals(m);
	rc = read_rows(m, err);
	if (rc == PLUGPKG_OK)
		rc = prefetch(m, err);
	for (size_t i = 0; rc == PLUGPKG_OK && i < m->plan->steps.n; i++) {
		struct pp_step *step = &m->plan->steps.at[i];
		if (!is_fetched(step))
			continue;
		rc = fill_step(m, catalog_of(m, step->source), step, err);
		if (rc == PLUGPKG_OK)
			rc = check_same_content(m, step, err);
	}
	return rc == PLUGPKG_OK ? check_tables(m, err) : rc;
}
