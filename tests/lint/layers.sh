#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may include whom: base <- lib/model <- lib/{trust,net,index,solve,store,state} <- lib/{txn,repo}
# <- lib/api <- term <- programs; and one door for each foreign library.
. "${top_srcdir:?}/tests/lint/lib.sh"

# includes_outside DIR ALLOWED-ERE: "file:line:#include" of our own headers that DIR must not include.
includes_outside() {
	[ -d "$1" ] || return 0
	grep -rnE '^#include "' "$1" --include='*.[ch]' | grep -vE "#include \"($2)" || :
}

# door HEADER-ERE PATH-ERE: who includes the header and is not behind the door.
door() {
	grep -rnE "^#[ 	]*include <($1)" src include --include='*.[ch]' | grep -vE "^($2)" || :
}

sides='lib/(trust|net|index|solve|store|state)/'
rule "base includes base only" "$(includes_outside src/base 'base/')"
rule "model includes base and model only" "$(includes_outside src/lib/model 'base/|lib/model/')"
for side in trust net index solve store state; do
	rule "$side includes no transaction, publisher or api" \
		"$(includes_outside "src/lib/$side" "base/|lib/model/|$sides")"
done
for upper in txn repo; do
	rule "$upper includes no api" "$(includes_outside "src/lib/$upper" "base/|lib/model/|$sides|lib/$upper/")"
done
rule "api includes the library only" "$(includes_outside src/lib/api 'base/|lib/')"
rule "term includes base and term only" "$(includes_outside src/term 'base/|term/')"
for program in cli repo; do
	rule "$program includes base, term and its own directory only" \
		"$(includes_outside "src/$program" "base/|term/|$program/|[^/]*\"")"
done
for helper in fetch unpack; do
	rule "$helper includes base and its own directory only" \
		"$(includes_outside "src/$helper" "base/|$helper/|[^/]*\"")"
done
rule "the helpers do not know the public api" \
	"$(grep -rnE '#include <plugpkg' src/base src/fetch src/unpack --include='*.[ch]' || :)"
rule "nobody includes by a path that climbs" \
	"$(grep -rnE '#include "(\.\./|[^"]*/\.\./)' src include tests --include='*.[ch]' || :)"

rule "libsolv is met in lib/solve, and where little is digested" \
	"$(door 'solv/' 'src/lib/solve/|src/lib/trust/crypto_small\.c')"
rule "libcurl is met in fetch only" "$(door 'curl/' 'src/fetch/')"
rule "libarchive is met in unpack only" "$(door 'archive(_entry)?\.h' 'src/unpack/')"
rule "sqlite is met in lib/state only" "$(door 'sqlite3\.h' 'src/lib/state/')"
rule "openssl is met in lib/trust/crypto.c and unpack/digest.c only" \
	"$(door 'openssl/' 'src/lib/trust/crypto(\.c|_calls\.h)|src/unpack/digest\.c')"
rule "jansson is met in base/json.c only" "$(door 'jansson\.h' 'src/base/json[a-z_]*\.c')"
rule "zstd is met in lib/index/zstd.c only" "$(door 'zstd\.h' 'src/lib/index/zstd\.c')"
rule "libseccomp is met in base/filter.c only" "$(door 'seccomp\.h' 'src/base/filter\.c')"
rule "SQL stays in lib/state" "$(c_files src | grep -v '^src/lib/state/' | xargs -r grep -nE \
	'"[^"]*(SELECT [^"]* FROM|INSERT (OR [A-Z]+ )?INTO|CREATE TABLE|DELETE FROM|UPDATE [a-z]+ SET) ' || :)"
finish
