/* SPDX-License-Identifier: MIT */
/* Which keys count: new ones, others in their place, fewer, and how many have to agree. */
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "lib/model/context.h"
#include "lib/repo/renewal.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define MAX_SEATS      3

/* One place where a role lists its keys, in the body of root or targets. */
struct seat {
	pp_json *keys, *role;
};

struct changing {
	plugpkg_repo *repo;
	const struct plugpkg_repo_key_change *change;
	struct pp_renewal renewal;
	struct seat seats[MAX_SEATS];
	size_t n_seats;
};

static void
changing_fini(struct changing *c)
{
	pp_renewal_fini(&c->renewal);
}

/* ---- keys in roles ---- */

/* The list without `old` (NULL = all stay), `new` (NULL = none) in its place or at the end. */
static void
replace_id(struct seat *s, const char *old, const struct pp_signer *new)
{
	const pp_json *was = pp_json_get(s->role, "keyids");
	pp_json *ids = pp_json_array();
	bool is_placed = new == NULL;

	for (size_t i = 0; i < pp_json_len(was); i++) {
		const char *id = pp_json_string(pp_json_at(was, i));
		if (id == NULL || old == NULL || strcmp(id, old) != 0) {
			pp_json_push(ids, pp_json_ref(pp_json_at(was, i)));
		} else if (!is_placed) {
			pp_json_push_str(ids, new->id);
			is_placed = true;
		}
	}
	if (!is_placed)
		pp_json_push_str(ids, new->id);
	pp_json_set(s->role, "keyids", ids);
	if (new != NULL)
		pp_json_set(s->keys, new->id, pp_json_ref(new->public));
}

static pp_json *
role_of(const pp_json *root_body, const char *role)
{
	return pp_json_get(pp_json_get(root_body, "roles"), role);
}

static void
add_seat(struct changing *c, pp_json *keys, pp_json *role)
{
	if (keys != NULL && role != NULL && c->n_seats < MAX_SEATS)
		c->seats[c->n_seats++] = (struct seat){ keys, role };
}

/*
 * "root", "targets", or "online": what signs by itself, and is listed in both files. Other keys for
 * targets: then targets has to be signed by them, and so is new as well.
 */
static enum plugpkg_code
take_seats(struct changing *c, const char *group, plugpkg_error **err)
{
	pp_json *root = NULL, *targets = NULL;

	assert(group != NULL); /* find_old() and check_group() see to it */
	enum plugpkg_code rc = pp_renewal_edit(c->repo, &c->renewal, PP_ROLE_ROOT, &root, err);
	if (rc == PLUGPKG_OK && strcmp(group, "root") != 0)
		rc = pp_renewal_edit(c->repo, &c->renewal, PP_ROLE_TARGETS, &targets, err);
	if (rc != PLUGPKG_OK)
		return rc;
	pp_json *keys = pp_json_get(root, "keys");
	if (strcmp(group, "online") != 0) {
		add_seat(c, keys, role_of(root, group));
		return PLUGPKG_OK;
	}
	const pp_json *delegations = pp_json_get(targets, "delegations");
	pp_json *index = pp_json_at(pp_json_get(delegations, "roles"), 0);
	/* Another key stands here where an older plugpkg was cut off between the two files. */
	if (index != NULL)
		pp_json_set(index, "keyids",
		    pp_json_copy(pp_json_get(role_of(root, "timestamp"), "keyids")));
	add_seat(c, keys, role_of(root, "snapshot"));
	add_seat(c, keys, role_of(root, "timestamp"));
	add_seat(c, pp_json_get(delegations, "keys"), index);
	return PLUGPKG_OK;
}

/* What roles list, of a file {"signed"} or its body. */
static const char *
group_of(const pp_json *root_body, const char *id)
{
	static const struct {
		const char *role, *group;
	} groups[] = { { "root", "root" }, { "targets", "targets" }, { "timestamp", "online" },
		{ "snapshot", "online" } };

	for (size_t i = 0; id != NULL && i < PP_LEN(groups); i++)
		if (pp_json_find_str(
			pp_json_get(role_of(root_body, groups[i].role), "keyids"), id) >= 0)
			return groups[i].group;
	return NULL;
}

/* The root that holds once all is signed. */
static const pp_json *
coming_root(const struct pp_renewal *r)
{
	return pp_json_get(r->root != NULL ? r->root : r->root_now, "signed");
}

/* Keys that no role of the root lists any more leave it. */
static void
prune(pp_json *root_body)
{
	const pp_json *was = pp_json_get(root_body, "keys");
	pp_json *keys = pp_json_object();

	for (void *it = pp_json_iter(was); it != NULL; it = pp_json_next(was, it))
		if (group_of(root_body, pp_json_iter_key(it)) != NULL)
			pp_json_set(
			    keys, pp_json_iter_key(it), pp_json_ref(pp_json_iter_value(it)));
	pp_json_set(root_body, "keys", keys);
}

static void
prune_delegation(pp_json *targets_body)
{
	pp_json *delegations = pp_json_get(targets_body, "delegations");
	const pp_json *was = pp_json_get(delegations, "keys");
	const pp_json *roles = pp_json_get(delegations, "roles");
	pp_json *keys = pp_json_object();

	for (void *it = pp_json_iter(was); it != NULL; it = pp_json_next(was, it))
		for (size_t i = 0; i < pp_json_len(roles); i++)
			if (pp_json_find_str(pp_json_get(pp_json_at(roles, i), "keyids"),
				pp_json_iter_key(it)) >= 0)
				pp_json_set(keys, pp_json_iter_key(it),
				    pp_json_ref(pp_json_iter_value(it)));
	pp_json_set(delegations, "keys", keys);
}

/* ---- the new key ---- */

static enum plugpkg_code
check_name(const struct changing *c, const char *name, plugpkg_error **err)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (n == 0 || name[n] != '\0' || n > NAME_MAX_BYTES || *name == '-') {
		pp_fail(err, PLUGPKG_E_BAD_NAME, 0, "'%s' is no name of a key", name);
		return pp_hint(err, PLUGPKG_E_BAD_NAME,
		    "lower-case letters, digits and '-', at most %d", NAME_MAX_BYTES);
	}
	if (pp_json_get(c->renewal.keys, name) != NULL || pp_key_is_here(c->repo, name))
		return pp_fail(
		    err, PLUGPKG_E_EXISTS, 0, "there is, or was, a key '%s' already", name);
	return PLUGPKG_OK;
}

/* root-1 is followed by the first free root-N, online by online-2. Owned. */
static char *
next_name(const struct changing *c, const char *old)
{
	size_t n = strlen(old);

	while (n > 0 && old[n - 1] >= '0' && old[n - 1] <= '9')
		n--;
	if (n > 0 && n < strlen(old) && old[n - 1] == '-')
		n--;
	else
		n = strlen(old);
	for (unsigned i = 2;; i++) {
		PP_AUTO_FREE char *name = pp_asprintf("%.*s-%u", (int)n, old, i);
		if (pp_json_get(c->renewal.keys, name) == NULL && !pp_key_is_here(c->repo, name))
			return pp_steal(&name);
	}
}

static enum plugpkg_code
get_key(struct changing *c, const char *name, struct pp_signer *out, plugpkg_error **err)
{
	const struct plugpkg_repo_key_change *change = c->change;
	pp_json *public = NULL;

	if (change->public_file == NULL)
		return pp_key_create(c->repo, name, change->encrypt != 0, out, err);
	enum plugpkg_code rc = pp_key_read_public(change->public_file, &public, err);
	if (rc == PLUGPKG_OK)
		rc = pp_signer_of_command(name, public, change->signer, out, err);
	if (rc == PLUGPKG_OK && change->signer != NULL)
		rc = pp_key_keep_command(c->repo, out, err);
	return rc;
}

static void
send_key(const struct pp_signer *key, const char *role, plugpkg_row_fn row, void *user)
{
	pp_json *j = pp_row_new("key"), *roles = pp_json_array();

	if (role != NULL)
		pp_json_push_str(roles, role);
	pp_json_set_str(j, "name", key->name);
	pp_json_set_str(j, "id", key->id);
	pp_json_set_str(j, "keytype", pp_json_get_str(key->public, "keytype"));
	pp_json_set_str(j, "status", "waits");
	pp_json_set(j, "roles", roles);
	pp_row(row, user, j);
}

/* ---- actions ---- */

static enum plugpkg_code
check_role(const struct seat *s, const char *group, plugpkg_error **err)
{
	int64_t threshold = pp_json_get_int(s->role, "threshold", 1);
	size_t n = pp_json_len(pp_json_get(s->role, "keyids"));

	if (threshold >= 1 && (size_t)threshold <= n)
		return PLUGPKG_OK;
	pp_fail(err, PLUGPKG_E_REFUSED, 0, "%s would have %zu key%s, and %" PRId64 " %s to agree",
	    group, n, n == 1 ? "" : "s", threshold, threshold == 1 ? "has" : "have");
	return pp_hint(err, PLUGPKG_E_REFUSED,
	    "plugpkg-repo key rotate puts another key in the place of one; --threshold N lets "
	    "fewer "
	    "agree");
}

static enum plugpkg_code
change_group(struct changing *c, const char *group, const char *old, const struct pp_signer *new,
    plugpkg_error **err)
{
	enum plugpkg_code rc = take_seats(c, group, err);

	for (size_t i = 0; rc == PLUGPKG_OK && i < c->n_seats; i++) {
		if (old != NULL || new != NULL)
			replace_id(&c->seats[i], old, new);
		if (c->change->threshold > 0)
			pp_json_set_int(
			    c->seats[i].role, "threshold", (int64_t)c->change->threshold);
		rc = check_role(&c->seats[i], group, err);
	}
	if (rc != PLUGPKG_OK)
		return rc;
	prune(pp_json_get(c->renewal.root, "signed"));
	if (c->renewal.targets != NULL)
		prune_delegation(pp_json_get(c->renewal.targets, "signed"));
	return PLUGPKG_OK;
}

static enum plugpkg_code
find_old(struct changing *c, const char **out_id, const char **out_group, plugpkg_error **err)
{
	const char *name = c->change->name;

	*out_id = pp_json_get_str(pp_json_get(c->renewal.keys, name), "id");
	*out_group = group_of(coming_root(&c->renewal), *out_id);
	if (*out_group != NULL)
		return PLUGPKG_OK;
	if (group_of(pp_json_get(c->renewal.root_now, "signed"), *out_id) != NULL) {
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0,
		    "key '%s' leaves already, with the root that waits for signatures", name);
		return pp_hint(err, PLUGPKG_E_NOT_FOUND,
		    "plugpkg-repo sign says which keys can sign; plugpkg-repo key list names the "
		    "one that comes");
	}
	if (*out_id != NULL)
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "key '%s' counts nowhere any more", name);
	else
		pp_fail(err, PLUGPKG_E_NOT_FOUND, 0, "there is no key '%s'", name);
	return pp_hint(err, PLUGPKG_E_NOT_FOUND, "plugpkg-repo key list names them");
}

static enum plugpkg_code
check_group(const char *role, plugpkg_error **err)
{
	if (role != NULL && (strcmp(role, "root") == 0 || strcmp(role, "targets") == 0))
		return PLUGPKG_OK;
	pp_fail(
	    err, PLUGPKG_E_USAGE, 0, "'%s' is no role that takes keys", role != NULL ? role : "");
	return pp_hint(err, PLUGPKG_E_USAGE,
	    "root and targets do; the online key is replaced: plugpkg-repo key rotate online");
}

static enum plugpkg_code
enter(struct changing *c, const char *group, const char *old, struct pp_signer *key,
    plugpkg_error **err)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", key->name);
	const char *known = pp_keyring_name_of(c->renewal.keys, key->id);
	enum plugpkg_code rc = PLUGPKG_OK;

	if (known != NULL)
		rc = pp_fail(err, PLUGPKG_E_EXISTS, 0, "that key is here already, as '%s'", known);
	if (rc == PLUGPKG_OK)
		rc = change_group(c, group, old, key, err);
	if (rc == PLUGPKG_OK) {
		pp_keyring_add(c->renewal.keys, key, c->repo->now);
		return pp_keyring_write(c->repo, c->renewal.keys, err);
	}
	/* Made a moment ago, and used nowhere; its name stays free. */
	PP_IGNORE(pp_unlinkat(c->repo->dir_fd, path, 0));
	return rc;
}

static enum plugpkg_code
act(struct changing *c, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_signer_fini) struct pp_signer key = { 0 };
	const char *old = NULL, *group = c->change->role;
	PP_AUTO_FREE char *name = NULL;
	enum plugpkg_code rc = PLUGPKG_OK;

	switch (c->change->action) {
	case PLUGPKG_REPO_KEY_NEW:
		rc = check_group(group, err);
		name = pp_xstrdup(c->change->name);
		break;
	case PLUGPKG_REPO_KEY_ROTATE:
		rc = find_old(c, &old, &group, err);
		name = c->change->as != NULL ? pp_xstrdup(c->change->as)
					     : next_name(c, c->change->name);
		break;
	case PLUGPKG_REPO_KEY_REVOKE:
		rc = find_old(c, &old, &group, err);
		break;
	case PLUGPKG_REPO_KEY_THRESHOLD:
		rc = check_group(group, err);
		break;
	}
	if (rc != PLUGPKG_OK)
		return rc;
	if (name == NULL)
		return change_group(c, group, old, NULL, err);
	rc = check_name(c, name, err);
	if (rc == PLUGPKG_OK)
		rc = get_key(c, name, &key, err);
	if (rc == PLUGPKG_OK)
		rc = enter(c, group, old, &key, err);
	if (rc == PLUGPKG_OK)
		send_key(&key, group, row, user);
	return rc;
}

enum plugpkg_code
plugpkg_repo_key_change(plugpkg_repo *repo, const struct plugpkg_repo_key_change *change,
    plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(changing_fini) struct changing c = { .repo = repo, .change = change };

	enum plugpkg_code rc = pp_repo_lock(repo, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_read(repo, &c.renewal, err);
	if (rc == PLUGPKG_OK)
		rc = act(&c, row, user, err);
	if (rc == PLUGPKG_OK)
		rc = pp_renewal_write(repo, &c.renewal, err);
	if (rc == PLUGPKG_OK)
		pp_renewal_send(&c.renewal, row, user);
	return rc;
}

/* ---- looking ---- */

static const char *
place_of(plugpkg_repo *repo, const char *name)
{
	PP_AUTO_FREE char *path = pp_asprintf("keys/%s.key", name);
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(65536);

	if (!pp_key_is_here(repo, name))
		return "elsewhere";
	if (pp_read_file_at(repo->dir_fd, path, &text) < 0)
		return "unreadable";
	PP_AUTO_JSON pp_json *file = pp_json_parse(pp_buf_cstr(&text), text.n, NULL);
	explicit_bzero(text.s, text.n);
	if (pp_json_get(file, "signer") != NULL)
		return "signer";
	if (pp_json_get(file, "sealed") != NULL)
		return "encrypted";
	return pp_json_get(file, "seed") != NULL ? "here" : "unreadable";
}

static void
send_listed(
    plugpkg_repo *repo, const struct pp_renewal *r, void *it, plugpkg_row_fn row, void *user)
{
	const char *name = pp_json_iter_key(it);
	const pp_json *key = pp_json_iter_value(it);
	const char *id = pp_json_get_str(key, "id");
	const char *now = group_of(pp_json_get(r->root_now, "signed"), id);
	const char *next = group_of(coming_root(r), id);
	pp_json *j = pp_row_new("key"), *roles = pp_json_array();
	const char *status = "gone";

	if (now != NULL)
		status = next != NULL ? "active" : "leaves";
	else if (next != NULL)
		status = "waits";
	if (now != NULL || next != NULL)
		pp_json_push_str(roles, next != NULL ? next : now);
	pp_json_set_str(j, "name", name);
	pp_json_set_str(j, "id", id);
	pp_json_set_str(j, "keytype", pp_json_get_str(pp_json_get(key, "public"), "keytype"));
	pp_json_set_str(j, "status", status);
	pp_json_set(j, "roles", roles);
	pp_json_set_str(j, "private", place_of(repo, name));
	pp_json_set_str(j, "created", pp_json_get_str(key, "created"));
	pp_row(row, user, j);
}

static void
send_thresholds(const struct pp_renewal *r, plugpkg_row_fn row, void *user)
{
	static const char *const roles[] = { "root", "targets", "timestamp" };
	static const char *const groups[] = { "root", "targets", "online" };

	for (size_t i = 0; i < PP_LEN(roles); i++) {
		const pp_json *role = role_of(pp_json_get(r->root_now, "signed"), roles[i]);
		pp_json *j = pp_row_new("role");
		pp_json_set_str(j, "role", groups[i]);
		pp_json_set_int(j, "keys", (int64_t)pp_json_len(pp_json_get(role, "keyids")));
		pp_json_set_int(j, "threshold", pp_json_get_int(role, "threshold", 1));
		pp_row(row, user, j);
	}
}

enum plugpkg_code
plugpkg_repo_key_list(plugpkg_repo *repo, plugpkg_row_fn row, void *user, plugpkg_error **err)
{
	PP_CLEANUP(pp_renewal_fini) struct pp_renewal r = { 0 };

	enum plugpkg_code rc = pp_renewal_read(repo, &r, err);
	if (rc != PLUGPKG_OK)
		return rc;
	for (void *it = pp_json_iter(r.keys); it != NULL; it = pp_json_next(r.keys, it))
		send_listed(repo, &r, it, row, user);
	send_thresholds(&r, row, user);
	pp_renewal_send(&r, row, user);
	return PLUGPKG_OK;
}

/* ---- without a publisher's directory ---- */

enum plugpkg_code
plugpkg_repo_key_make(plugpkg_repo *repo, const char *path, int encrypt, plugpkg_row_fn row,
    void *user, plugpkg_error **err)
{
	const struct pp_key_file f = {
		.dir_fd = AT_FDCWD,
		.path = path,
		.name = path,
		.passphrase = repo->passphrase,
		.user = repo->passphrase_user,
	};
	PP_CLEANUP(pp_signer_fini) struct pp_signer key = { 0 };
	PP_AUTO_FREE char *public_path = pp_asprintf("%s.pub", path);

	if (pp_exists_at(AT_FDCWD, public_path) != 0)
		return pp_fail(err, PLUGPKG_E_EXISTS, 0, "'%s' is there already", public_path);
	enum plugpkg_code rc = pp_key_file_create(&f, encrypt != 0, &key, err);
	if (rc != PLUGPKG_OK)
		return rc;
	PP_AUTO_FREE char *text = pp_json_pretty(key.public);
	int r = pp_write_path(public_path, text, strlen(text), 0644);
	if (r < 0)
		return pp_fail(err, PLUGPKG_E_IO, -r, "cannot write '%s'", public_path);
	send_key(&key, NULL, row, user);
	return PLUGPKG_OK;
}
