/* SPDX-License-Identifier: MIT */
/* Which key this root expects of the owner of a plugin. By name: all majors have one owner. */
#ifndef PP_STATE_OWNERS_H
#define PP_STATE_OWNERS_H

#include "lib/state/state.h"

/* How it came to be expected. */
#define PP_PIN_INSTALL  "install"
#define PP_PIN_ROTATION "rotation"
#define PP_PIN_LOCK     "lock"
#define PP_PIN_ACCEPTED "accepted"

struct pp_pin {
	char *name;
	char key_id[65];
	int64_t since;
	char *how;
};
struct pp_pins pp_vec(struct pp_pin);
void pp_pins_fini(struct pp_pins *v);
/* Texts copied. */
void pp_pins_add(
    struct pp_pins *v, const char *name, const char *key_id, int64_t since, const char *how);
const struct pp_pin *pp_pins_get(const struct pp_pins *v, const char *name);

/* All of them, sorted by name. */
enum plugpkg_code pp_state_pins(struct pp_state *s, struct pp_pins *out, plugpkg_error **err);
/* Each takes the place of what was expected before. One SQL transaction, durable on return. */
enum plugpkg_code pp_state_pin(struct pp_state *s, const struct pp_pins *pins, plugpkg_error **err);
/* None of a plugin that has none is OK. Durable on return. */
enum plugpkg_code pp_state_unpin(struct pp_state *s, const char *name, plugpkg_error **err);

#endif
