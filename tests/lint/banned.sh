#!/bin/sh
# SPDX-License-Identifier: MIT
# Calls and forms that the style guide bans, looked for in code (comments and strings do not count).
. "${top_srcdir:?}/tests/lint/lib.sh"

code=$(c_code src include)
calls() {
	printf '%s\n' "$code" | grep -E "(^|[^A-Za-z0-9_>.])($1)[ 	]*\(" || :
}
outside() {
	grep -vE "^($1)" || :
}

rule "no unbounded or locale-dependent string calls" "$(calls \
	'strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|strtok|strtok_r|gets|alloca')"
rule "text of any length is built in base only" "$(calls 'asprintf|vasprintf' | outside 'src/base/')"
rule "numbers are parsed by pp_parse only" \
	"$(calls 'atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull|sscanf' |
		outside 'src/base/')"
rule "no shell, no unsafe temporary names" "$(calls 'system|popen|tmpnam|tempnam|mktemp')"
rule "no chdir, access, strerror" "$(calls 'chdir|access|strerror')"
# Absolute on purpose: /dev/null and /proc for children, /dev/tty, file:// URLs, a scratch directory in TMPDIR.
rule "files are reached from a directory descriptor" "$(calls \
	'open|creat|stat|lstat|rename|unlink|rmdir|mkdir|symlink|link|readlink|chmod|chown|truncate|opendir|mkdtemp|mkstemp' |
	outside 'src/base/proc\.c|src/lib/solve/run\.c|src/lib/net/file\.c|src/lib/api/context\.c|src/lib/txn/sandbox\.c|src/lib/repo/(author|verify)\.c|src/repo/repo_cli\.c')"
rule "changes of the disk go through base/sys" "$(calls \
	'unlinkat|renameat|renameat2|symlinkat|mkdirat|linkat|fsync|fdatasync|syncfs|fchmodat|fchmod|fchownat|fchown|mknodat|fsetxattr|fremovexattr' |
		outside 'src/base/|src/(fetch|unpack)/')"
rule "memory comes from pp_x calls, which abort" \
	"$(calls 'malloc|calloc|realloc|strdup|strndup' | outside 'src/base/mem\.[ch]')"
rule "no goto, no longjmp" "$(printf '%s\n' "$code" |
	grep -E '(^|[^A-Za-z0-9_])(goto[ 	]+[a-z]|setjmp|sigsetjmp|longjmp|siglongjmp)' || :)"
# solve/run.c sets signals in the child that it forks.
rule "the library prints nothing, never exits, leaves the process alone" "$(calls \
	'printf|puts|putchar|fputs|fprintf|vprintf|vfprintf|perror|exit|setlocale|umask|signal|sigaction|fchdir' |
		grep -E '^src/lib/' | outside 'src/lib/solve/run\.c:[0-9]+:.*signal')"
rule "attributes only through base/compiler.h" "$(printf '%s\n' "$code" |
	grep -E '__attribute__' | outside 'src/base/compiler\.h|include/plugpkg\.h')"
rule "no line comments" "$(printf '%s\n' "$code" | grep -E '//' || :)"
rule "TODO only with an issue number" "$(grep -rnE '(^|[^A-Za-z_])(TODO|FIXME|XXX)([^A-Za-z_]|$)' src include --include='*.[ch]' |
	grep -vE '(TODO|FIXME) \(?(issue )?#?[0-9]+' || :)"
rule "no mutable globals in the library" "$(printf '%s\n' "$code" | grep -E '^src/lib/' |
	grep -E ':[0-9]+:static [^(=]*(=|;|\[)' | grep -vE ':static (inline|const |.*(\*const|const) ?[a-z_]*(\[|=| =))' || :)"
rule "no absolute paths of a machine" "$(grep -rnE '"/(home|root|tmp|work)/' src include --include='*.[ch]' || :)"
finish
