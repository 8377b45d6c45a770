/* SPDX-License-Identifier: MIT */
/* Fills packets with answers. */
#include "post.h"

#include <stdlib.h>

/* A near side that is gone is noticed by the main loop. */
void
post_send(struct post *p)
{
	if (p->packet.n > 0)
		PP_IGNORE(pp_msg_send_packet(p->sock, &p->packet));
	pp_buf_clear(&p->packet);
}

void
post_add(struct post *p, pp_json *j, const char *body, size_t n)
{
	PP_AUTO_JSON pp_json *moved = j;

	if (pp_msg_add_part(&p->packet, moved, body, n))
		return;
	post_send(p);
	if (!pp_msg_add_part(&p->packet, moved, body, n))
		abort(); /* request_read() and the length of our texts see to it */
}
