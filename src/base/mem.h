/* SPDX-License-Identifier: MIT */
/* Memory. Allocation aborts when there is none; untrusted sizes are bounded by their callers. */
#ifndef PP_BASE_MEM_H
#define PP_BASE_MEM_H

#include "base/compiler.h"

void *pp_xmalloc(size_t n);
void *pp_xcalloc(size_t n, size_t size);
void *pp_xrealloc(void *p, size_t n, size_t size);
char *pp_xstrdup(const char *s);            /* NULL gives NULL */
char *pp_xstrndup(const char *s, size_t n); /* at most n bytes, always terminated */
char *pp_concat(const char *a, const char *b, const char *c); /* quicker than pp_asprintf() */
char *pp_asprintf(const char *fmt, ...) PP_PRINTF(1, 2);

/* Takes the pointer out of *p and leaves NULL: the only way to hand out a PP_AUTO_FREE pointer. */
#define pp_steal(p)                                                                                \
	({                                                                                         \
		__typeof__(*(p)) pp_stolen = *(p);                                                 \
		*(p) = NULL;                                                                       \
		pp_stolen;                                                                         \
	})

void pp_auto_free(void *p); /* p is the address of the pointer */

#endif
