/* SPDX-License-Identifier: MIT */
/* Netrc files, and for which URLs their logins count. */
#include "lib/net/login.h"

#include "tap.h"

static const char *
user_for(const char *netrc, const char *url)
{
	static char found[64];
	struct pp_logins l = { 0 };

	pp_netrc_parse(pp_str_of(netrc), &l);
	const struct pp_login *one = pp_logins_find(&l, url);
	snprintf(found, sizeof(found), "%s%s%s", one != NULL ? one->user : "-",
	    one != NULL && one->password != NULL ? ":" : "",
	    one != NULL && one->password != NULL ? one->password : "");
	pp_logins_fini(&l);
	return found;
}

static void
entries_are_read_as_other_programs_write_them(void)
{
	static const struct {
		const char *netrc, *want;
	} rows[] = {
		{ "machine h login u password p", "u:p" },
		{ "machine h\n\tlogin u\n\tpassword p\n", "u:p" },
		{ "machine h password p account a login u", "u:p" },
		{ "machine h login \"a b\" password \"x\\\"y\"", "a b:x\"y" },
		{ "# machine h login no\nmachine h login u password p # rest", "u:p" },
		{ "macdef m\ncd /x\nmachine h login no\n\nmachine h login u password p", "u:p" },
		{ "machine other login no machine h login u", "u" },
		{ "machine h login first machine h login second", "first" },
		{ "machine h password p", "-" },
		{ "default login no password no", "-" },
		{ "machine h login u default login no", "u" },
		{ "machine", "-" },
		{ "machine h login", "-" },
		{ "login u machine h", "-" },
		{ "", "-" },
		{ "\"", "-" },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++)
		CHECK_STR(user_for(rows[i].netrc, "https://h/x"), rows[i].want);
}

static void
a_login_counts_for_one_origin(void)
{
	static const struct {
		const char *machine, *url;
		bool is_found;
	} rows[] = {
		{ "h", "https://h/", true },
		{ "h", "https://H:8443/x", true },
		{ "h", "http://h/", false },
		{ "h", "https://h.example/", false },
		{ "h", "https://xh/", false },
		{ "h:8443", "https://h:8443/", true },
		{ "h:8443", "https://h/", false },
		{ "h:8443", "https://h:84430/", false },
		{ "h:443", "https://h/", true },
		{ "http://h", "http://h/x", true },
		{ "http://h", "http://h:80/x", true },
		{ "http://h", "http://h:81/x", false },
		{ "http://h", "https://h/x", false },
		{ "https://h", "https://h:443/x", true },
		{ "https://h", "https://h:444/x", false },
		{ "h", "https://me@h/", false },
		{ "h", "file:///h/", false },
	};

	for (size_t i = 0; i < PP_LEN(rows); i++) {
		PP_AUTO_FREE char *netrc = pp_asprintf("machine %s login u", rows[i].machine);

		if (!CHECK_STR(user_for(netrc, rows[i].url), rows[i].is_found ? "u" : "-"))
			printf("# %s for %s\n", rows[i].machine, rows[i].url);
	}
}

TAP_MAIN(CASE(entries_are_read_as_other_programs_write_them) CASE(a_login_counts_for_one_origin))
