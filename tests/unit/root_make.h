/* SPDX-License-Identifier: MIT */
/* A root of a test case's own, open, with what its events said kept as text. */
#ifndef ROOT_MAKE_H
#define ROOT_MAKE_H

#include "base/buf.h"
#include "lib/model/context.h"
#include "scratch.h"

#include <stdlib.h>

struct root {
	struct scratch scratch;
	char path[300];
	plugpkg_context *ctx;
	struct pp_buf events; /* "TYPE text\n" of each */
};

static inline void
root_event(const struct plugpkg_event *ev, void *user)
{
	struct root *r = user;

	pp_buf_addf(&r->events, "%d %s\n", (int)ev->type, ev->text != NULL ? ev->text : "");
}

static inline bool
root_init(struct root *r)
{
	PP_AUTO_ERROR plugpkg_error *err = NULL;

	r->events = (struct pp_buf)PP_BUF_INIT(1 << 24);
	r->ctx = NULL;
	scratch_init(&r->scratch);
	/* The scripts of these cases write down beside the root what they did. */
	CHECK_INT(setenv("PLUGPKG_WRITABLE", r->scratch.path, 1), 0);
	snprintf(r->path, sizeof(r->path), "%s/root", r->scratch.path);
	CHECK_INT(plugpkg_init(r->path, "test", &err), PLUGPKG_OK);
	if (!CHECK_INT(plugpkg_open(r->path, &r->ctx, &err), PLUGPKG_OK)) {
		tap_value("error", plugpkg_error_message(err));
		return false;
	}
	plugpkg_set_event_fn(r->ctx, root_event, r);
	return true;
}

static inline void
root_fini(struct root *r)
{
	plugpkg_close(r->ctx);
	pp_buf_fini(&r->events);
	scratch_fini(&r->scratch);
}

#endif
