/* SPDX-License-Identifier: MIT */
/* The life of a pp_net, and small files of unknown digest: into memory, from one mirror, once. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "lib/net/net.h"
#include "lib/net/url.h"

#define PATIENCE_SECONDS     20
#define MAX_PATIENCE_SECONDS 3600

/* PLUGPKG_FETCH_PATIENCE: for lines that sleep longer, and for tests that cannot wait. */
static unsigned
read_patience(void)
{
	uint64_t seconds;
	struct pp_str text = pp_str_of(secure_getenv("PLUGPKG_FETCH_PATIENCE"));

	if (pp_parse_u64(text, MAX_PATIENCE_SECONDS, &seconds) < 0 || seconds == 0)
		return PATIENCE_SECONDS;
	return (unsigned)seconds;
}

struct pp_net *
pp_net_new(plugpkg_context *ctx, int cache_fd)
{
	struct pp_net *net = pp_xmalloc(sizeof(*net));

	*net = (struct pp_net){
		.ctx = ctx,
		.cache_fd = cache_fd,
		.to_fd = ctx != NULL && ctx->is_dry_run ? ctx->scratch_fd : cache_fd,
		.helper = PP_HELPER_INIT,
		.patience = read_patience(),
	};
	return net;
}

void
pp_net_free(struct pp_net *net)
{
	if (net == NULL)
		return;
	pp_helper_end(&net->helper);
	pp_map_fini(&net->faults, NULL);
	free(net);
}

void
pp_net_blame(struct pp_net *net, const char *base_url)
{
	void **count = pp_map_put(&net->faults, base_url);

	*count = (void *)((uintptr_t)*count + 1);
}

void
pp_net_set_patience(struct pp_net *net, unsigned seconds)
{
	net->patience = seconds > 0 ? seconds : 1;
}

uintptr_t
pp_net_faults(const struct pp_net *net, const char *base_url)
{
	return (uintptr_t)pp_map_get(&net->faults, base_url);
}

/* Asks for the one file and waits for its last answer. */
static enum plugpkg_code
run(struct pp_net *net, const char *base_url, const char *path, const struct pp_ask *ask,
    struct pp_answer *out, plugpkg_error **err)
{
	enum plugpkg_code rc;

	if (pp_url_is_file(base_url))
		return pp_file_fetch(net->ctx, base_url, path, ask, out, err);
	rc = pp_helper_ask(&net->helper, ask, err);
	if (rc != PLUGPKG_OK)
		return rc;
	do {
		rc = pp_helper_answer(&net->helper, net->ctx, out, err);
	} while (rc == PLUGPKG_OK && (out->id != ask->id || out->type == PP_ANSWER_PROGRESS));
	return rc;
}

static enum plugpkg_code
fail_get(struct pp_net *net, const char *base_url, const char *path, const struct pp_answer *a,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *shown = pp_url_redacted(base_url);

	if (a->fault == PP_FAULT_LOCAL)
		return pp_fail(err, PLUGPKG_E_IO, a->errnum, "cannot hold '%s'", path);
	pp_net_blame(net, base_url);
	pp_fail(err, PLUGPKG_E_NETWORK, a->errnum, "cannot fetch '%s' from '%s'%s%s", path, shown,
	    a->text[0] != '\0' ? ": " : "", a->text);
	return pp_retryable(err, PLUGPKG_E_NETWORK);
}

enum plugpkg_code
pp_net_get(struct pp_net *net, const char *base_url, const char *path, size_t max_bytes,
    struct pp_buf *out, int *out_status, plugpkg_error **err)
{
	PP_AUTO_FREE char *url = pp_url_join(base_url, path);
	PP_AUTO_FD int fd = memfd_create("plugpkg-metadata", MFD_CLOEXEC);
	struct pp_answer a;

	if (fd < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot hold '%s'", path);

	struct pp_ask ask = {
		.id = ++net->last_id,
		.url = url,
		.fd = fd,
		.max = max_bytes,
		.patience = net->patience,
	};
	enum plugpkg_code rc = run(net, base_url, path, &ask, &a, err);
	if (rc != PLUGPKG_OK)
		return rc;
	*out_status = a.status;
	if (a.type == PP_ANSWER_FAILED && a.fault == PP_FAULT_HTTP &&
	    (a.status == 404 || a.status == 403))
		return PLUGPKG_OK;
	if (a.type == PP_ANSWER_FAILED)
		return fail_get(net, base_url, path, &a, err);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return pp_fail(err, PLUGPKG_E_IO, errno, "cannot read '%s'", path);
	/* Read once and checked there: the helper could still write into the file. */
	PP_AUTO_BUF struct pp_buf body = PP_BUF_INIT(max_bytes);
	int r = pp_fd_read_all(fd, &body);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot read '%s'", path);
	pp_buf_add(out, pp_buf_cstr(&body), body.n);
	if (out->overflow)
		return pp_fail(err, PLUGPKG_E_IO, EFBIG, "cannot hold '%s'", path);
	return PLUGPKG_OK;
}
