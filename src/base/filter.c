/* SPDX-License-Identifier: MIT */
/*
 * libseccomp turns rules into a program for the kernel; it is met here only, and loaded when the
 * first filter is made: most commands make none. Entering needs no library: between fork and exec
 * nothing may be allocated.
 */
#include "base/filter.h"

#include "base/fd.h"
#include "base/library.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

struct pp_filter {
	struct sock_fprog program;
};

void
pp_filter_free(struct pp_filter *f)
{
	if (f == NULL)
		return;
	free(f->program.filter);
	free(f);
}

int
pp_filter_enter(const struct pp_filter *f)
{
	/* The long way round: a pointer as the third word, whatever its type. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->program, 0L, 0L) < 0 ? -errno : 0;
}

int
pp_filter_import(int fd, struct pp_filter **out)
{
	PP_AUTO_BUF struct pp_buf bytes = PP_BUF_INIT(BPF_MAXINSNS * sizeof(struct sock_filter));
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : pp_fd_read_all(fd, &bytes);

	if (r < 0)
		return r;
	struct pp_filter *f = pp_xcalloc(1, sizeof(*f));
	f->program.len = (unsigned short)(bytes.n / sizeof(struct sock_filter));
	f->program.filter = pp_xmalloc(bytes.n);
	memcpy(f->program.filter, bytes.s, bytes.n);
	*out = f;
	return 0;
}

#ifdef HAVE_SECCOMP
#define SONAME "libseccomp.so.2"

PP_LIBRARY_NOTE(SONAME, "seccomp", "recommended", "Filters of system calls");

#define CALLS(_)                                                                                   \
	_(seccomp_attr_set)                                                                        \
	_(seccomp_export_bpf)                                                                      \
	_(seccomp_init)                                                                            \
	_(seccomp_release)                                                                         \
	_(seccomp_rule_add_array)                                                                  \
	_(seccomp_syscall_resolve_name)

struct calls {
#define MEMBER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): declares it */
	CALLS(MEMBER)
#undef MEMBER
};

static bool
load(struct calls *c)
{
	static const struct pp_library_call rows[] = {
#define ROW(name) { #name, offsetof(struct calls, name) },
		CALLS(ROW)
#undef ROW
	};

	return pp_library_load(SONAME, rows, PP_LEN(rows), c);
}

bool
pp_filter_is_there(void)
{
	struct calls c;

	/* The variable: for tests of what a system without them would do. */
	return secure_getenv("PLUGPKG_NO_SECCOMP") == NULL &&
	       prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L) >= 0 && load(&c);
}

static struct scmp_arg_cmp
comparison(const struct pp_filter_arg *a)
{
	static const enum scmp_compare ops[] = {
		[PP_FILTER_EQ] = SCMP_CMP_EQ,
		[PP_FILTER_NE] = SCMP_CMP_NE,
		[PP_FILTER_GT] = SCMP_CMP_GT,
		[PP_FILTER_MASKED] = SCMP_CMP_MASKED_EQ,
	};
	bool is_masked = a->op == PP_FILTER_MASKED;

	return (struct scmp_arg_cmp){
		.arg = a->at,
		.op = ops[a->op],
		.datum_a = is_masked ? a->mask : a->value,
		.datum_b = is_masked ? a->value : 0,
	};
}

static int
add_rule(const struct calls *c, scmp_filter_ctx scmp, const struct pp_filter_rule *rule,
    uint32_t otherwise)
{
	struct scmp_arg_cmp args[PP_FILTER_MAX_ARGS];
	uint32_t action =
	    rule->errnum == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)rule->errnum);
	int nr = c->seccomp_syscall_resolve_name(rule->call);

	if (nr == __NR_SCMP_ERROR || nr < 0 || action == otherwise)
		return 0;
	for (size_t i = 0; i < rule->n_args; i++)
		args[i] = comparison(&rule->args[i]);
	return c->seccomp_rule_add_array(scmp, action, nr, (unsigned)rule->n_args, args);
}

int
pp_filter_export(const struct pp_filter_spec *spec, int *out_fd)
{
	uint32_t otherwise =
	    spec->otherwise == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)spec->otherwise);
	struct calls c;

	if (!pp_filter_is_there() || !load(&c))
		return -ENOSYS;
	PP_AUTO_FD int fd = memfd_create("filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	scmp_filter_ctx scmp = c.seccomp_init(otherwise);
	if (scmp == NULL)
		return -ENOSYS; /* an architecture that libseccomp does not know */
	int r = c.seccomp_attr_set(scmp, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/* A tree: the kernel goes through it for every call there is when it is entered. */
	if (r == 0)
		r = c.seccomp_attr_set(scmp, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; r == 0 && i < spec->n_rules; i++)
		r = add_rule(&c, scmp, &spec->rules[i], otherwise);
	if (r == 0)
		r = c.seccomp_export_bpf(scmp, fd);
	c.seccomp_release(scmp);
	if (r == 0)
		*out_fd = pp_fd_steal(&fd);
	return r;
}
#else
bool
pp_filter_is_there(void)
{
	return false;
}

int
pp_filter_export(const struct pp_filter_spec *spec PP_UNUSED, int *out_fd PP_UNUSED)
{
	return -ENOSYS;
}
#endif

int
pp_filter_new(const struct pp_filter_spec *spec, struct pp_filter **out)
{
	PP_AUTO_FD int fd = -1;
	int r = pp_filter_export(spec, &fd);

	return r < 0 ? r : pp_filter_import(fd, out);
}
