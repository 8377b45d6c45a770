dnl SPDX-License-Identifier: MIT
dnl Compiler and linker flags: each is kept only where the tool chain accepts it.

dnl PP_ADD_CFLAG(VARIABLE, FLAG): appends FLAG when the compiler knows it.
dnl Tried together with what is there already: -Wformat-nonliteral means nothing without -Wformat.
AC_DEFUN([PP_ADD_CFLAG], [
  AS_VAR_PUSHDEF([pp_known], [pp_cv_cflag_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [pp_known], [
    pp_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $$1 -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([pp_known], [yes])],
      [AS_VAR_SET([pp_known], [no])])
    CFLAGS=$pp_saved_CFLAGS
  ])
  AS_VAR_IF([pp_known], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([pp_known])
])

dnl PP_ADD_LDFLAG(VARIABLE, FLAG): appends FLAG when a program links with it.
AC_DEFUN([PP_ADD_LDFLAG], [
  AS_VAR_PUSHDEF([pp_known], [pp_cv_ldflag_$2])
  AC_CACHE_CHECK([whether $CC links with $2], [pp_known], [
    pp_saved_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS $$1 -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([pp_known], [yes])],
      [AS_VAR_SET([pp_known], [no])])
    LDFLAGS=$pp_saved_LDFLAGS
  ])
  AS_VAR_IF([pp_known], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([pp_known])
])

dnl PP_CHECK_COMPILER: the whole tree rests on the cleanup attribute.
AC_DEFUN([PP_CHECK_COMPILER], [
  AC_CACHE_CHECK([for the cleanup attribute], [pp_cv_cleanup], [
    pp_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror -std=gnu11"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM(
      [[static void done(int *p) { *p = 0; }]],
      [[__attribute__((cleanup(done))) int x = 1; return x;]])],
      [pp_cv_cleanup=yes], [pp_cv_cleanup=no])
    CFLAGS=$pp_saved_CFLAGS
  ])
  AS_IF([test "x$pp_cv_cleanup" != xyes], [AC_MSG_ERROR([plugpkg needs gcc or clang])])
])

dnl PP_CHECK_LINUX: what the path and process code of src/base asks of the system.
AC_DEFUN([PP_CHECK_LINUX], [
  AC_CHECK_HEADERS([linux/openat2.h])
])

dnl PP_CHECK_SECCOMP: filters of system calls. Not every architecture has them: without libseccomp the
dnl walls stand on Landlock and limits alone, and `plugpkg check` says so. Its headers are enough:
dnl the library itself is loaded where a filter is made.
AC_DEFUN([PP_CHECK_SECCOMP], [
  AC_ARG_WITH([seccomp],
    [AS_HELP_STRING([--without-seccomp], [do not filter the system calls of helpers and scripts])],
    [], [with_seccomp=yes])
  AS_IF([test "x$with_seccomp" != xno], [
    PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.4],
      [AC_DEFINE([HAVE_SECCOMP], [1], [Define to filter system calls by libseccomp.])])
  ])
])

dnl PP_CHECK_CURL_CRYPTO: half of the symbols that are looked up when libcurl is loaded are libcrypto's,
dnl by itself, if OpenSSL is what libcurl was built with. Linked first, it is searched first, not behind
dnl a dozen others. As one word, for libtool moves libraries behind the flags. Whoever compiles for
dnl another system cannot know, and has it as it comes.
AC_DEFUN([PP_CHECK_CURL_CRYPTO], [
  AC_CACHE_CHECK([whether libcurl uses libcrypto], [pp_cv_curl_crypto], [
    pp_saved_CPPFLAGS=$CPPFLAGS
    pp_saved_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $CURL_CFLAGS"
    pp_first=`echo $CRYPTO_LIBS | tr ' ' ,`
    LIBS="-Wl,--push-state,--no-as-needed,$pp_first,--pop-state $CURL_LIBS $LIBS"
    AC_RUN_IFELSE([AC_LANG_PROGRAM([[#include <string.h>
#include <curl/curl.h>]],
      [[const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
        return v->ssl_version == NULL || strncmp(v->ssl_version, "OpenSSL/", 8) != 0;]])],
      [pp_cv_curl_crypto=yes], [pp_cv_curl_crypto=no], [pp_cv_curl_crypto=no])
    CPPFLAGS=$pp_saved_CPPFLAGS
    LIBS=$pp_saved_LIBS
  ])
  CURL_FIRST_LDFLAGS=
  AS_IF([test "x$pp_cv_curl_crypto" = xyes], [
    pp_first=`echo $CRYPTO_LIBS | tr ' ' ,`
    CURL_FIRST_LDFLAGS="-Wl,--push-state,--no-as-needed,$pp_first,--pop-state"
  ])
  AC_SUBST([CURL_FIRST_LDFLAGS])
])

dnl PP_ARG_WARNINGS: style.md's list; --enable-werror for developers and CI only.
AC_DEFUN([PP_ARG_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [compiler warnings are errors])],
    [], [enable_werror=no])
  WARN_CFLAGS=
  m4_foreach_w([pp_flag], [-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
    -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wundef -Wvla -Wformat=2 -Wformat-nonliteral -Wformat-signedness
    -Wimplicit-fallthrough -Wjump-misses-init -Wlogical-op -Wduplicated-cond
    -Wduplicated-branches -Wdate-time -fno-common -fvisibility=hidden], [PP_ADD_CFLAG([WARN_CFLAGS], pp_flag)])
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

dnl PP_CHECK_FORTIFY: the highest level that the C library knows; it warns of those it does not.
AC_DEFUN([PP_CHECK_FORTIFY], [
  AC_CACHE_CHECK([for the level of _FORTIFY_SOURCE], [pp_cv_fortify], [
    pp_saved_CPPFLAGS=$CPPFLAGS
    for pp_cv_fortify in 3 2; do
      CPPFLAGS="$pp_saved_CPPFLAGS -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$pp_cv_fortify"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [])], [break])
    done
    CPPFLAGS=$pp_saved_CPPFLAGS
  ])
  HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$pp_cv_fortify"
])

dnl PP_HARDENING: after PP_ARG_SANITIZERS, whose checks and _FORTIFY_SOURCE exclude each other. What
dnl CPPFLAGS and CFLAGS say of their own comes later on the command line, or is left as it is.
dnl -fcf-protection is x86, -mbranch-protection ARM.
AC_DEFUN([PP_HARDENING], [
  HARDEN_CPPFLAGS=
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  PIE_CFLAGS=
  PIE_LDFLAGS=
  AS_CASE([" $CPPFLAGS $CFLAGS "], [*_FORTIFY_SOURCE*], [], [*" -O0 "*], [], [*" -O"*],
    [AS_IF([test "x$SAN_FLAGS$COV_FLAGS" = x], [PP_CHECK_FORTIFY])])
  m4_foreach_w([pp_flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
    -mbranch-protection=standard], [PP_ADD_CFLAG([HARDEN_CFLAGS], pp_flag)])
  PP_ADD_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,relro])
  PP_ADD_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,now])
  PP_ADD_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
  PP_ADD_LDFLAG([HARDEN_LDFLAGS], [-Wl,--as-needed])
  PP_ADD_CFLAG([PIE_CFLAGS], [-fPIE])
  AS_IF([test "x$PIE_CFLAGS" != x], [PP_ADD_LDFLAG([PIE_LDFLAGS], [-pie])])
  AC_SUBST([HARDEN_CPPFLAGS])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
  AC_SUBST([PIE_CFLAGS])
  AC_SUBST([PIE_LDFLAGS])
])
