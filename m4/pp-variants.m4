dnl SPDX-License-Identifier: MIT
dnl The variants of a build: sanitizers, coverage, fuzzers, failpoints.

dnl PP_ARG_SANITIZERS: --enable-sanitizers[=address,undefined | thread]
AC_DEFUN([PP_ARG_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
      [run-time checks of the compiler; LIST is address,undefined (default) or thread])],
    [], [enable_sanitizers=no])
  AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
  SAN_FLAGS=
  AS_IF([test "x$enable_sanitizers" != xno], [
    SAN_FLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all"
    pp_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SAN_FLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [],
      [AC_MSG_ERROR([$CC cannot build with -fsanitize=$enable_sanitizers])])
    CFLAGS=$pp_saved_CFLAGS
  ])
  AC_SUBST([SAN_FLAGS])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
])

dnl PP_ARG_COVERAGE: --enable-coverage; `make coverage` then reports.
AC_DEFUN([PP_ARG_COVERAGE], [
  AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [count executed lines for `make coverage'])],
    [], [enable_coverage=no])
  COV_FLAGS=
  AS_IF([test "x$enable_coverage" = xyes], [
    COV_FLAGS="--coverage -DPP_COVERAGE"
    PP_ADD_CFLAG([COV_FLAGS], [-fprofile-update=atomic])
    CFLAGS="$CFLAGS -O0"
  ])
  AC_SUBST([COV_FLAGS])
  AM_CONDITIONAL([COVERAGE], [test "x$enable_coverage" = xyes])
])

dnl PP_ARG_FUZZERS: --enable-fuzzers; the build then makes the fuzzers of `make fuzz' and no other
dnl test. LIB_FUZZING_ENGINE is the usual name for an engine other than libFuzzer.
AC_DEFUN([PP_ARG_FUZZERS], [
  AC_ARG_ENABLE([fuzzers],
    [AS_HELP_STRING([--enable-fuzzers], [build the fuzz targets with libFuzzer (clang)])],
    [], [enable_fuzzers=no])
  AC_ARG_VAR([LIB_FUZZING_ENGINE], [linker flags of the fuzzing engine])
  FUZZ_CFLAGS=
  AS_IF([test "x$enable_fuzzers" = xyes], [
    FUZZ_CFLAGS=-fsanitize=fuzzer-no-link
    AS_IF([test "x$LIB_FUZZING_ENGINE" = x], [LIB_FUZZING_ENGINE=-fsanitize=fuzzer])
    pp_saved_LIBS=$LIBS
    LIBS="$LIBS $LIB_FUZZING_ENGINE"
    AC_MSG_CHECKING([whether $CC links a fuzzer])
    AC_LINK_IFELSE([AC_LANG_SOURCE(
      [[int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n);
        int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n)
        { return p != 0 && n == 0; }]])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([--enable-fuzzers needs clang with libFuzzer; try CC=clang])])
    LIBS=$pp_saved_LIBS
  ])
  AC_SUBST([FUZZ_CFLAGS])
  AM_CONDITIONAL([FUZZERS], [test "x$enable_fuzzers" = xyes])
])

dnl PP_ARG_FAILPOINTS: --enable-failpoints; PLUGPKG_CRASH_AT=N then kills the process just before
dnl the N-th change of the disk.
AC_DEFUN([PP_ARG_FAILPOINTS], [
  AC_ARG_ENABLE([failpoints],
    [AS_HELP_STRING([--enable-failpoints], [obey PLUGPKG_CRASH_AT and PLUGPKG_FAIL_AT; for tests only])],
    [], [enable_failpoints=no])
  AS_IF([test "x$enable_failpoints" = xyes],
    [AC_DEFINE([PP_FAILPOINTS], [1], [Define to obey PLUGPKG_CRASH_AT.])])
  AM_CONDITIONAL([FAILPOINTS], [test "x$enable_failpoints" = xyes])
])

dnl PP_SUMMARY: the last words of configure.
AC_DEFUN([PP_SUMMARY], [
  AC_MSG_NOTICE([
  plugpkg $PACKAGE_VERSION
    compiler     $CC $CFLAGS
    prefix       $prefix
    werror       $enable_werror
    sanitizers   $enable_sanitizers
    coverage     $enable_coverage
    fuzzers      $enable_fuzzers
    failpoints   $enable_failpoints
  ])
])
