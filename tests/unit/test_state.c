/* SPDX-License-Identifier: MIT */
/*
 * State, journal and log: what is written is there for the next process, and only what is sound is
 * read.
 */
#include "lib/state/state.h"

#include "lib/state/journal.h"
#include "lib/state/state_db.h"
#include "root_make.h"
#include "tap.h"

static struct pp_installed *
plugin(const char *name, const char *version)
{
	PP_AUTO_FREE char *manifest =
	    pp_asprintf("{\"name\":\"%s\",\"version\":\"%s\",\"extra\":{\"a\":1}}", name, version);
	struct pp_installed *p = pp_xcalloc(1, sizeof(*p));

	p->key = pp_xstrdup(name);
	p->name = pp_xstrdup(name);
	p->version = pp_xstrdup(version);
	p->source = pp_xstrdup("main");
	p->state = pp_xstrdup("installed");
	p->manual = true;
	p->sha256 = pp_xstrdup("");
	p->tree_sha256 = pp_xstrdup("abc");
	p->manifest = pp_json_parse(manifest, strlen(manifest), NULL);
	p->bytes = 12;
	p->files = 3;
	p->installed_at = 1000;
	p->transaction = 7;
	return p;
}

static void
reopen(struct root *r)
{
	plugpkg_close(r->ctx);
	r->ctx = NULL;
	CHECK_INT(plugpkg_open(r->path, &r->ctx, NULL), PLUGPKG_OK);
}

static struct pp_state *
state_of(struct root *r)
{
	struct pp_state *s = NULL;

	CHECK_INT(pp_state_get(r->ctx, &s, NULL), PLUGPKG_OK);
	return s;
}

static void
a_fresh_state_is_empty_at_generation_0(void)
{
	struct root r;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	int64_t generation = -1, txn = -1;
	PP_AUTO_FREE char *command = NULL;

	if (root_init(&r)) {
		CHECK_INT(pp_state_installed(state_of(&r), &set, NULL), PLUGPKG_OK);
		CHECK_INT(set.n, 0);
		CHECK_INT(pp_state_generation(state_of(&r), &generation, NULL), PLUGPKG_OK);
		CHECK_INT(generation, 0);
		CHECK_INT(
		    pp_journal_open_transaction(state_of(&r), &txn, &command, NULL), PLUGPKG_OK);
		CHECK_INT(txn, 0);
		CHECK(command == NULL);
	}
	root_fini(&r);
}

static void
a_committed_set_is_read_back_sorted_by_the_next_process(void)
{
	struct root r;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds back = { 0 };
	int64_t generation = 0;

	if (root_init(&r)) {
		pp_vec_push(&set, plugin("user", "2.1.0"));
		pp_vec_push(&set, plugin("@acme/animal", "1.0.0"));
		set.at[0]->link_dir = pp_xstrdup("/src/user");
		set.at[0]->hold = true;
		set.at[0]->hold_until = 1798070400;
		CHECK_INT(pp_state_commit_set(state_of(&r), &set, 4, 7, NULL, NULL), PLUGPKG_OK);
		reopen(&r);
		CHECK_INT(pp_state_installed(state_of(&r), &back, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_generation(state_of(&r), &generation, NULL), PLUGPKG_OK);
	}
	CHECK_INT(generation, 4);
	if (CHECK_INT(back.n, 2)) {
		const struct pp_installed *user = pp_installeds_get(&back, "user");
		CHECK_STR(back.at[0]->name, "@acme/animal");
		CHECK(back.at[0]->link_dir == NULL);
		CHECK(!back.at[0]->hold);
		if (CHECK(user != NULL)) {
			CHECK_STR(user->version, "2.1.0");
			CHECK_STR(user->link_dir, "/src/user");
			CHECK(user->hold);
			CHECK_INT(user->hold_until, 1798070400);
			CHECK(user->manual);
			CHECK_INT(user->bytes, 12);
			CHECK_INT(user->files, 3);
			CHECK_INT(user->installed_at, 1000);
			CHECK_INT(pp_json_get_int(pp_json_get(user->manifest, "extra"), "a", 0), 1);
		}
		CHECK(pp_installeds_get(&back, "nobody") == NULL);
	}
	root_fini(&r);
}

static void
plugins_are_read_by_their_names_with_all_majors(void)
{
	static const char *const keys[] = { "a", "a-b", "a.b", "a1", "a@10", "a@2", "aa", "b",
		"b@1" };
	struct root r;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds back = { 0 };
	PP_CLEANUP(pp_strs_fini) struct pp_strs names = { 0 };
	PP_AUTO_BUF struct pp_buf got = PP_BUF_INIT(1000);

	for (size_t i = 0; i < PP_LEN(keys); i++) {
		struct pp_installed *p = plugin(keys[i], "1.0.0");
		p->name[strcspn(p->name, "@")] = '\0';
		pp_vec_push(&set, p);
	}
	pp_strs_add(&names, "b");
	pp_strs_add(&names, "a");
	pp_strs_add(&names, "nobody");
	if (root_init(&r)) {
		CHECK_INT(pp_state_commit_set(state_of(&r), &set, 4, 7, NULL, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_installed_named(state_of(&r), &names, &back, NULL), PLUGPKG_OK);
	}
	pp_vec_foreach (p, &back)
		pp_buf_addf(&got, "%s ", (*p)->key);
	CHECK_STR(pp_buf_cstr(&got), "a a@10 a@2 b b@1 ");
	root_fini(&r);
}

static void
marks_change_of_those_that_are_named_and_nothing_else_of_them(void)
{
	struct root r;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds marked = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds back = { 0 };

	if (root_init(&r)) {
		pp_vec_push(&set, plugin("animal", "1.0.0"));
		pp_vec_push(&set, plugin("user", "2.1.0"));
		CHECK_INT(pp_state_commit_set(state_of(&r), &set, 4, 7, NULL, NULL), PLUGPKG_OK);
		pp_vec_push(&marked, plugin("user", "9.9.9"));
		marked.at[0]->manual = false;
		marked.at[0]->hold = true;
		marked.at[0]->hold_until = 2000;
		CHECK_INT(pp_state_set_marks(state_of(&r), &marked, NULL), PLUGPKG_OK);
		reopen(&r);
		CHECK_INT(pp_state_installed(state_of(&r), &back, NULL), PLUGPKG_OK);
	}
	if (CHECK_INT(back.n, 2)) {
		CHECK(back.at[0]->manual);
		CHECK(!back.at[0]->hold);
		CHECK_STR(back.at[1]->version, "2.1.0");
		CHECK(!back.at[1]->manual);
		CHECK(pp_installed_is_held(back.at[1], 1999));
		CHECK(!pp_installed_is_held(back.at[1], 2000));
		CHECK(!pp_installed_is_held(back.at[0], 0));
	}
	root_fini(&r);
}

static void
a_commit_replaces_the_whole_set(void)
{
	struct root r;
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds none = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds back = { 0 };

	if (root_init(&r)) {
		pp_vec_push(&set, plugin("user", "2.1.0"));
		CHECK_INT(pp_state_commit_set(state_of(&r), &set, 1, 1, NULL, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_commit_set(state_of(&r), &none, 2, 2, NULL, NULL), PLUGPKG_OK);
		CHECK_INT(pp_state_installed(state_of(&r), &back, NULL), PLUGPKG_OK);
	}
	CHECK_INT(back.n, 0);
	root_fini(&r);
}

static void
add_step(struct pp_journal_steps *steps, const char *kind, const char *plugin, uint32_t level)
{
	struct pp_journal_step *step = pp_vec_new(steps);

	step->kind = pp_xstrdup(kind);
	step->plugin = pp_xstrdup(plugin);
	step->level = level;
}

static void
an_open_transaction_is_read_back_until_it_ends(void)
{
	struct root r;
	int64_t txn = 0, open = 0;
	PP_AUTO_FREE char *command = NULL;
	PP_AUTO_JSON pp_json *intent = pp_json_object();
	PP_CLEANUP(pp_journal_open_fini) struct pp_journal_open back = { 0 };
	PP_CLEANUP(pp_journal_steps_fini) struct pp_journal_steps steps = { 0 };

	if (root_init(&r)) {
		add_step(&steps, "core", "user", 0);
		add_step(&steps, "post-install", "user", 7);
		add_step(&steps, PP_STEP_COMMIT, NULL, 0);
		pp_json_set_int(intent, "from", 6);
		CHECK_INT(pp_journal_begin(state_of(&r), "install user", intent, 5, &txn, NULL),
		    PLUGPKG_OK);
		CHECK_INT(txn, 1);
		pp_json_set_int(intent, "to", 7);
		CHECK_INT(
		    pp_journal_arm(state_of(&r), txn,
			&(struct pp_journal_armed){ .intent = intent, .steps = &steps }, NULL),
		    PLUGPKG_OK);
		CHECK_INT(pp_journal_mark(state_of(&r), txn, 0, PP_STEP_DONE, NULL), PLUGPKG_OK);
		CHECK_INT(pp_journal_mark(state_of(&r), txn, 1, PP_STEP_BEGUN, NULL), PLUGPKG_OK);
		reopen(&r);
		CHECK_INT(pp_journal_read_open(state_of(&r), &back, NULL), PLUGPKG_OK);
		CHECK_INT(back.id, 1);
		CHECK_STR(back.command, "install user");
		CHECK_INT(pp_json_get_int(back.intent, "to", 0), 7);
		CHECK_INT(back.steps.n, 3);
		CHECK_STR(back.steps.at[1].kind, "post-install");
		CHECK_STR(back.steps.at[1].plugin, "user");
		CHECK_INT(back.steps.at[1].level, 7);
		CHECK_INT(back.steps.at[0].status, PP_STEP_DONE);
		CHECK_INT(back.steps.at[1].status, PP_STEP_BEGUN);
		CHECK_INT(back.steps.at[2].status, PP_STEP_PLANNED);
		CHECK_INT(pp_journal_end(state_of(&r), txn, "done", 1, 6, NULL), PLUGPKG_OK);
		CHECK_INT(
		    pp_journal_open_transaction(state_of(&r), &open, &command, NULL), PLUGPKG_OK);
		CHECK_INT(open, 0);
	}
	root_fini(&r);
}

static void
the_point_of_no_return_is_recorded_with_the_new_set(void)
{
	struct root r;
	int64_t txn = 0;
	PP_AUTO_JSON pp_json *intent = pp_json_object();
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds set = { 0 };
	PP_CLEANUP(pp_installeds_fini) struct pp_installeds back = { 0 };
	PP_CLEANUP(pp_journal_open_fini) struct pp_journal_open open = { 0 };
	PP_CLEANUP(pp_journal_steps_fini) struct pp_journal_steps steps = { 0 };

	if (root_init(&r)) {
		add_step(&steps, PP_STEP_COMMIT, NULL, 0);
		add_step(&steps, "uninstall", "user", 0);
		pp_vec_push(&set, plugin("user", "2.1.0"));
		CHECK_INT(pp_journal_begin(state_of(&r), "remove user", intent, 5, &txn, NULL),
		    PLUGPKG_OK);
		CHECK_INT(
		    pp_journal_arm(state_of(&r), txn,
			&(struct pp_journal_armed){ .intent = intent, .steps = &steps }, NULL),
		    PLUGPKG_OK);
		CHECK_INT(pp_state_commit_set(state_of(&r), &set, 2, txn, NULL, NULL), PLUGPKG_OK);
		CHECK_INT(pp_journal_mark_gone(state_of(&r), txn, 1, "user", NULL), PLUGPKG_OK);
		CHECK_INT(pp_journal_read_open(state_of(&r), &open, NULL), PLUGPKG_OK);
		CHECK_INT(open.steps.at[0].status, PP_STEP_DONE);
		CHECK_INT(open.steps.at[1].status, PP_STEP_DONE);
		CHECK_INT(pp_state_installed(state_of(&r), &back, NULL), PLUGPKG_OK);
		CHECK_INT(back.n, 0);
	}
	root_fini(&r);
}

static void
a_plugin_comes_back_from_json_as_it_was(void)
{
	struct pp_installed *p = plugin("user", "2.1.0"), *back = NULL;
	p->hold = p->is_disabled = true;
	p->blocked_by = pp_xstrdup("base \"quoted\"");
	p->link_dir = pp_xstrdup("/srv/user");
	pp_strs_add(&p->detached, "photos");
	PP_AUTO_FREE char *text = pp_installed_text(NULL, p);
	PP_AUTO_JSON pp_json *j = pp_json_parse(text, strlen(text), NULL);
	PP_AUTO_FREE char *line = pp_json_line(j);
	PP_AUTO_FREE char *again = NULL;

	/* Written as any JSON is, so that equal plugins have equal texts. */
	CHECK_STR(text, line);
	CHECK_INT(pp_installed_from_json(j, &back, NULL), PLUGPKG_OK);
	again = back != NULL ? pp_installed_text(NULL, back) : NULL;
	CHECK_STR(again, text);
	pp_installed_free(back);
	back = NULL;
	pp_json_del(j, "version");
	CHECK_INT(pp_installed_from_json(j, &back, NULL), PLUGPKG_E_BAD_STATE);
	pp_installed_free(p);
}

static void
a_newer_format_is_refused_by_its_number(void)
{
	struct root r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	if (root_init(&r)) {
		CHECK_INT(pp_db_exec(state_of(&r)->db,
			      "UPDATE meta SET value = 9 WHERE key = 'format'; "
			      "PRAGMA user_version = 9",
			      NULL, "test"),
		    PLUGPKG_OK);
		plugpkg_close(r.ctx);
		r.ctx = NULL;
		CHECK_INT(plugpkg_open(r.path, &r.ctx, &err), PLUGPKG_E_NEWER_ROOT);
		CHECK_HAS(plugpkg_error_message(err),
		    "made by a newer plugpkg (root format 9; this one knows 2)");
	}
	root_fini(&r);
}

static void
a_file_that_is_no_database_is_a_damaged_state(void)
{
	struct root r;
	PP_AUTO_ERROR plugpkg_error *err = NULL;
	static const char junk[] =
	    "this was a database once, and now it is a line of text and more text";

	if (root_init(&r)) {
		CHECK_INT(
		    pp_write_file_at(r.ctx->root_fd, "var/state.db", junk, sizeof(junk), 0644), 0);
		plugpkg_close(r.ctx);
		r.ctx = NULL;
		CHECK_INT(plugpkg_open(r.path, &r.ctx, &err), PLUGPKG_E_BAD_STATE);
		CHECK_HAS(plugpkg_error_message(err), "var/state.db is damaged");
	}
	root_fini(&r);
}

static int64_t
count_log(struct root *r, const char *text)
{
	PP_AUTO_STMT sqlite3_stmt *st = NULL;

	(void)sqlite3_prepare_v2(state_of(r)->log,
	    "SELECT count(*) FROM log WHERE text = ?1 AND plugin = 'user' AND txn = 3", -1, &st,
	    NULL);
	pp_db_bind_text(st, 1, text);
	return sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
}

static void
the_log_keeps_lines_and_is_made_anew_when_it_was_deleted(void)
{
	struct root r;

	if (root_init(&r)) {
		CHECK_INT(unlinkat(r.ctx->root_fd, "var/log.db", 0), 0);
		for (int i = 0; i < 1000; i++)
			pp_log_write(
			    state_of(&r), 3, "user", "info", "install", "2 tables to install");
		pp_log_flush(state_of(&r));
		CHECK_INT(count_log(&r, "2 tables to install"), 1000);
		reopen(&r);
		pp_log_write(state_of(&r), 3, "user", "info", "install", "one more");
		pp_log_flush(state_of(&r));
		CHECK_INT(count_log(&r, "one more"), 1);
		CHECK_INT(count_log(&r, "2 tables to install"), 1000);
	}
	root_fini(&r);
}

TAP_MAIN(CASE(a_fresh_state_is_empty_at_generation_0)
	CASE(a_committed_set_is_read_back_sorted_by_the_next_process)
	    CASE(plugins_are_read_by_their_names_with_all_majors)
		CASE(marks_change_of_those_that_are_named_and_nothing_else_of_them)
		    CASE(a_commit_replaces_the_whole_set)
			CASE(an_open_transaction_is_read_back_until_it_ends)
			    CASE(the_point_of_no_return_is_recorded_with_the_new_set)
				CASE(a_plugin_comes_back_from_json_as_it_was) CASE(
				    a_newer_format_is_refused_by_its_number)
				    CASE(a_file_that_is_no_database_is_a_damaged_state) CASE(
					the_log_keeps_lines_and_is_made_anew_when_it_was_deleted))
