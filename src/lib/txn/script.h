/* SPDX-License-Identifier: MIT */
/* Runs one script of a plugin: environment, time limit, process group, captured output. */
#ifndef PP_TXN_SCRIPT_H
#define PP_TXN_SCRIPT_H

#include "base/wall.h"
#include "lib/model/context.h"
#include "lib/model/manifest.h"
#include "lib/state/state.h"

/* What a handler that is asked a question answers. Of each stream the last lines, sanitised. */
struct pp_answer {
	int status;              /* exit status */
	struct pp_strs out, err; /* standard output, standard error */
};
void pp_answer_fini(struct pp_answer *a);

/* Why a handler runs; it becomes PLUGPKG_EVENT… in its environment. */
struct pp_script_event {
	const char *phase;  /* "ask", "do", "after" */
	const char *plugin; /* key of what it is about; several with blanks between them */
	const char *version, *new_version; /* new_version: NULL where nothing comes instead */
	const char *answer;                /* what was answered to "ask", or NULL */
	bool is_forced;                    /* somebody overrode that answer */
	const char *input;                 /* the event as JSON, for its standard input */
};

struct pp_script_run {
	const struct pp_manifest *manifest;
	int dir_fd;              /* the plugin's store directory, borrowed */
	const char *store_path;  /* full path of it */
	const char *kind;        /* "install", "post-install" … */
	const char *path;        /* of the script inside the plugin; NULL: none, OK at once */
	int64_t level;           /* of a post step, -1 of others */
	const char *reason;      /* install, upgrade, remove, purge, rollback */
	const char *old_version; /* or NULL */
	const struct pp_strs *dependencies; /* PLUGPKG_DEP_NAME=path; or NULL */
	int64_t transaction, next_generation;
	bool is_undo; /* runs to its end although the user wants to stop */
	bool
	    *out_killed; /* NULL, or receives: it did not end by itself, nobody knows what it did */
	int *out_status; /* NULL, or receives its exit status; -1 where it has none */
	const struct pp_script_event *event; /* of handlers, else NULL */
	/* Handlers that are asked: an exit status other than 0 is an answer then, no error. */
	struct pp_answer *out_answer;
};
/*
 * A plugin without that script: OK at once. Errors: SCRIPT (exit status, signal or time limit, with
 * the last lines), INTERRUPTED.
 */
enum plugpkg_code pp_script_run(
    plugpkg_context *ctx, const struct pp_script_run *run, plugpkg_error **err);
/*
 * The "settings" of plugpkg.json that scripts get: names and values that may be there. Errors:
 * BAD_CONFIG.
 */
enum plugpkg_code pp_script_check_settings(const struct pp_config *config, plugpkg_error **err);

#define PP_SCRIPT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* What is said of a program whose exit status somebody else took. */
#define PP_LOST_CHILD                                                                              \
	"ended, but how is not known: the program around plugpkg ignores SIGCHLD, or waits for "   \
	"children that are not its own"

/* What every program gets that is run for a root, but TMPDIR: adds NAME=VALUE to env. */
void pp_script_base_env(const plugpkg_context *ctx, int64_t transaction, struct pp_strs *env);

/* lib/txn/exec.c: any program, with the limits and the capture of scripts. */
struct pp_exec {
	const char *program; /* path */
	const char *const *argv, *const *env;
	int cwd_fd;
	uint32_t timeout_s;
	bool is_undo;
	const char *what;             /* for messages: "script 'install' of user 2.1.0" */
	const char *file;             /* for the message that it cannot be started */
	const char *plugin, *channel; /* of its lines in the log; plugin may be NULL */
	int64_t transaction;
	bool *out_killed;             /* as above, or NULL */
	int *out_status;              /* as above, or NULL */
	const char *input;            /* for its standard input; NULL: nothing */
	struct pp_answer *out_answer; /* as above, or NULL */
	const struct pp_wall *wall;   /* NULL: none */
};
enum plugpkg_code pp_exec_run(plugpkg_context *ctx, const struct pp_exec *e, plugpkg_error **err);
/* What helps where a program cannot be started; no hint where it is not there. Gives rc. */
enum plugpkg_code pp_exec_hint(
    plugpkg_error **err, enum plugpkg_code rc, int cwd_fd, const char *program, int errnum);

/* lib/txn/capture.c: the output of one running script, line by line. */
struct pp_capture {
	plugpkg_context *ctx;
	struct pp_state *state;
	const char *plugin, *channel;
	int64_t transaction;
	int fd;             /* reading end of the pipe, non-blocking; owned; -1 at its end */
	struct pp_buf line; /* what came since the last newline */
	uint64_t bytes;     /* shown so far */
	bool is_cut;
	char *tail; /* what came last after the cut, or NULL */
	size_t tail_n;
	struct pp_strs last; /* the last lines, for the error message */
};
void pp_capture_init(struct pp_capture *c, int fd);
/* Takes what is there now; never waits. False when nothing was there. */
bool pp_capture_read(struct pp_capture *c);
void pp_capture_end(struct pp_capture *c); /* the last line, without its newline */
void pp_capture_fini(struct pp_capture *c);

#endif
