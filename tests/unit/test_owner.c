/* SPDX-License-Identifier: MIT */
#include "lib/trust/owner.h"

#include "base/mem.h"
#include "tap.h"

#include <string.h>

/* Two authors whose keys everybody knows: worth nothing but here. */
struct author {
	uint8_t seed[PP_ED25519_SEED_BYTES];
	pp_json *key;
	char id[65];
};

static void
author_init(struct author *a, uint8_t number)
{
	memset(a->seed, number, sizeof(a->seed));
	a->key = pp_ed25519_public(a->seed);
	CHECK_INT(pp_key_id(a->key, a->id), 0);
}

static enum plugpkg_code
sign(const void *user, const void *p, size_t n, char out_hex[129], plugpkg_error **err)
{
	return pp_ed25519_sign(user, p, n, out_hex, err);
}

static struct pp_sig_by
by(const struct author *a)
{
	return (struct pp_sig_by){ a->key, sign, a->seed };
}

static const char digest[] = "418f38feaa40e32ed9842e61e57c6f7b839e40cc44718af56d7c997d0334ef76";
static const struct pp_signed_archive photos = { "photos", "1.0.0", digest, 160 };

static char *
signature(const struct author *a)
{
	const struct pp_sig_by who = by(a);
	char *text = NULL;

	CHECK_INT(pp_sig_sign_archive(&who, &photos, &text, NULL), PLUGPKG_OK);
	return text;
}

static struct pp_sig *
rotation(const struct author *from, const struct author *to, const char *name)
{
	const struct pp_sig_by who = by(from);
	PP_AUTO_FREE char *text = NULL;
	struct pp_sig *s = NULL;

	CHECK_INT(pp_sig_sign_rotation(&who, name, to->key, &text, NULL), PLUGPKG_OK);
	CHECK_INT(pp_sig_parse(pp_str_of(text), "x", &s, NULL), PLUGPKG_OK);
	return s;
}

static enum plugpkg_code
parse(const char *text)
{
	struct pp_sig *s = NULL;
	enum plugpkg_code rc = pp_sig_parse(pp_str_of(text), "x.sig", &s, NULL);

	pp_sig_free(s);
	return rc;
}

/* repo-format/vectors/owner/photos-1.0.0.plug.sig: other implementations get these bytes too. */
static const char vector[] =
    "{\"_type\":\"plugpkg-signature\",\"key\":{\"keytype\":\"ed25519\",\"keyval\":{"
    "\"public\":\"ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea69"
    "1446d22c\"},\"scheme\":\"ed25519\"},\"signature\":\"68aba4fb7dffa868ad2706"
    "a6fc27541a959a10c9ac37d27f7d1301801783e10534afce21d9656803acc1ce59"
    "544452ab5f6fe4557f8c4ba04a8dbc9bde328404\",\"signed\":{\"_type\":\"plugp"
    "kg-archive\",\"name\":\"photos\",\"sha256\":\"418f38feaa40e32ed9842e61e57c"
    "6f7b839e40cc44718af56d7c997d0334ef76\",\"size\":160,\"version\":\"1.0.0\""
    "}}\n";

static void
a_known_key_signs_with_known_bytes(void)
{
	struct author a;

	author_init(&a, 7);
	PP_AUTO_FREE char *text = signature(&a);
	CHECK_STR(text, vector);
	pp_json_free(a.key);
}

static void
what_was_signed_is_read_back(void)
{
	struct author a;
	PP_AUTO(sig) struct pp_sig *s = NULL;

	author_init(&a, 7);
	PP_AUTO_FREE char *text = signature(&a);
	CHECK_INT(pp_sig_parse(pp_str_of(text), "x.sig", &s, NULL), PLUGPKG_OK);
	CHECK_STR(s->id, a.id);
	CHECK_INT(pp_sig_check_archive(s, &photos, a.id, "x.sig", NULL), PLUGPKG_OK);
	PP_AUTO_FREE char *again = pp_sig_text(s);
	CHECK_STR(again, text);
	pp_json_free(a.key);
}

static void
a_signature_is_about_one_archive_and_by_one_key(void)
{
	static const char other[] =
	    "518f38feaa40e32ed9842e61e57c6f7b839e40cc44718af56d7c997d0334ef76";
	const struct pp_signed_archive others[] = {
		{ "videos", "1.0.0", digest, 160 },
		{ "photos", "1.0.1", digest, 160 },
		{ "photos", "1.0.0", other, 160 },
		{ "photos", "1.0.0", digest, 161 },
	};
	struct author a, b;
	PP_AUTO(sig) struct pp_sig *s = NULL;

	author_init(&a, 7);
	author_init(&b, 8);
	PP_AUTO_FREE char *text = signature(&a);
	CHECK_INT(pp_sig_parse(pp_str_of(text), "x.sig", &s, NULL), PLUGPKG_OK);
	for (size_t i = 0; i < PP_LEN(others); i++)
		CHECK_INT(pp_sig_check_archive(s, &others[i], a.id, "x", NULL), PLUGPKG_E_OWNER);
	CHECK_INT(pp_sig_check_archive(s, &photos, b.id, "x", NULL), PLUGPKG_E_OWNER);
	PP_AUTO(sig) struct pp_sig *r = rotation(&a, &b, "photos");
	CHECK_INT(pp_sig_check_archive(r, &photos, a.id, "x", NULL), PLUGPKG_E_OWNER);
	pp_json_free(a.key);
	pp_json_free(b.key);
}

/* One byte of a good one at a time: none of what comes out is a signature of something else. */
static void
no_byte_can_be_changed(void)
{
	struct author a;
	size_t n_read = 0;

	author_init(&a, 7);
	PP_AUTO_FREE char *text = signature(&a);
	for (size_t i = 0; text[i] != '\n'; i++) {
		char was = text[i];
		text[i] = was == '1' ? '2' : '1';
		n_read += parse(text) == PLUGPKG_OK;
		text[i] = was;
	}
	CHECK_INT(n_read, 0);
	for (size_t n = strlen(text) - 1; n > 0; n--) {
		struct pp_sig *s = NULL;
		n_read += pp_sig_parse((struct pp_str){ text, n - 1 }, "x", &s, NULL) == PLUGPKG_OK;
		pp_sig_free(s);
	}
	CHECK_INT(n_read, 0);
	pp_json_free(a.key);
}

static void
members_that_do_not_belong_there_are_refused(void)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"_type\":\"plugpkg-signature\"}",
		"{\"_type\":\"plugpkg-signature\",\"key\":1,\"signature\":2,\"signed\":3}",
		"{\"_type\":\"plugpkg-signature\",\"key\":{},\"signature\":\"\",\"signed\":{}}",
	};
	struct author a;

	for (size_t i = 0; i < PP_LEN(wrong); i++)
		CHECK_INT(parse(wrong[i]), PLUGPKG_E_OWNER);
	author_init(&a, 7);
	PP_AUTO_FREE char *text = signature(&a);
	PP_AUTO_FREE char *more = pp_asprintf("{\"x\":1,%s", text + 1);
	CHECK_INT(parse(more), PLUGPKG_E_OWNER);
	PP_AUTO_FREE char *twice = pp_asprintf("%s%s", text, text);
	CHECK_INT(parse(twice), PLUGPKG_E_OWNER);
	pp_json_free(a.key);
}

static void
an_owner_follows_what_the_old_key_signed_and_nothing_else(void)
{
	struct author a, b, c;

	author_init(&a, 7);
	author_init(&b, 8);
	author_init(&c, 9);
	PP_AUTO(owner) struct pp_owner *o = pp_owner_new(a.key);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&b, &c, "photos"), NULL), PLUGPKG_E_OWNER);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&a, &b, "videos"), NULL), PLUGPKG_E_OWNER);
	CHECK_STR(o->id, a.id);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&a, &b, "photos"), NULL), PLUGPKG_OK);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&b, &a, "photos"), NULL), PLUGPKG_E_OWNER);
	CHECK_STR(o->id, b.id);
	CHECK(pp_owner_follows(o, a.id));
	CHECK(pp_owner_follows(o, b.id));
	CHECK(!pp_owner_follows(o, c.id));
	pp_json_free(a.key);
	pp_json_free(b.key);
	pp_json_free(c.key);
}

/* What an index hands in: links left out, in another order, of another plugin, to another key. */
static void
a_chain_of_rotations_has_no_gap(void)
{
	struct author a, b, c;
	struct pp_owner *read = NULL;

	author_init(&a, 7);
	author_init(&b, 8);
	author_init(&c, 9);
	PP_AUTO(owner) struct pp_owner *o = pp_owner_new(a.key);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&a, &b, "photos"), NULL), PLUGPKG_OK);
	CHECK_INT(pp_owner_rotate(o, "photos", rotation(&b, &c, "photos"), NULL), PLUGPKG_OK);
	PP_AUTO_JSON pp_json *j = pp_owner_json(o);
	CHECK_INT(pp_owner_parse(j, "photos", "x", &read, NULL), PLUGPKG_OK);
	CHECK_STR(read->id, c.id);
	pp_owner_free(read);

	CHECK_INT(pp_owner_parse(j, "videos", "x", &read, NULL), PLUGPKG_E_BAD_METADATA);
	PP_AUTO_JSON pp_json *swapped = pp_json_copy(j);
	pp_json *list = pp_json_array();
	pp_json_push(list, pp_json_copy(pp_json_at(pp_json_get(j, "rotations"), 1)));
	pp_json_push(list, pp_json_copy(pp_json_at(pp_json_get(j, "rotations"), 0)));
	pp_json_set(swapped, "rotations", list);
	CHECK_INT(pp_owner_parse(swapped, "photos", "x", &read, NULL), PLUGPKG_E_BAD_METADATA);
	PP_AUTO_JSON pp_json *other = pp_json_copy(j);
	pp_json_set(other, "key", pp_json_copy(b.key));
	CHECK_INT(pp_owner_parse(other, "photos", "x", &read, NULL), PLUGPKG_E_BAD_METADATA);
	pp_json_free(a.key);
	pp_json_free(b.key);
	pp_json_free(c.key);
}

TAP_MAIN(CASE(a_known_key_signs_with_known_bytes) CASE(what_was_signed_is_read_back)
	CASE(a_signature_is_about_one_archive_and_by_one_key) CASE(no_byte_can_be_changed)
	    CASE(members_that_do_not_belong_there_are_refused)
		CASE(an_owner_follows_what_the_old_key_signed_and_nothing_else)
		    CASE(a_chain_of_rotations_has_no_gap))
