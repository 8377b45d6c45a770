# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Malformed manifests through `plugpkg lint`: each field wrong in one way, and the answer names the file,
# the field, the value and what would be right.

setup() {
	load ../helpers
	setup_scratch
	mkdir plugin
	printf '#!/bin/sh\n' >plugin/ok.sh
	chmod 755 plugin/ok.sh
}

# manifest MEMBERS: a manifest that is sound but for MEMBERS.
manifest() {
	cat >plugin/plugin.json <<-END
		{ "name": "me", "version": "1.0.0"${1:+, $1} }
	END
}

# refused TEXT...: lint fails with the error bad-manifest, and one finding that holds each TEXT.
refused() {
	local text line
	run -1 plugpkg lint plugin
	assert_has "[bad-manifest]"
	line=$(grep '^error: plugin/plugin.json: ' <<<"$output") || {
		show_run
		fail "no finding names the file"
	}
	for text; do
		[[ $line == *"$text"* ]] || {
			show_run
			fail "wanted in a finding: $text"
		}
	done
	assert_lacks "AddressSanitizer" "runtime error"
}

# wrong MEMBERS TEXT...: the manifest with MEMBERS is refused with a finding that holds each TEXT.
wrong() {
	manifest "$1"
	shift
	refused "$@"
}

# table: lines "MEMBERS | FIELD | TEXT" on standard input, each refused with the field and the text.
table() {
	local members field text rows=0
	while IFS='|' read -r members field text; do
		[[ $members =~ [^[:space:]] ]] || continue
		field=$(xargs <<<"$field")
		text=${text# }
		wrong "$members" "field '$field'" "$text"
		rows=$((rows + 1))
	done
	[ "$rows" -gt 0 ]
}

@test "a manifest that is right in every field passes without a word of complaint" {
	manifest '"summary": "Me", "license": "MIT", "description": "Two\nlines", "homepage": "https://me.example/", "authors": ["A"],
		"keywords": ["k"], "type": "theme", "requires": {"user": "^2.1", "host:cms": ">=0.1 <0.3"},
		"recommends": {"@acme/photos": "*"}, "suggests": {"exif": "1.x"}, "conflicts": {"zoo": "<2"},
		"provides": {"species-list": "1.0", "list": ""}, "replaces": {"animal": "<1.4"},
		"os": ["linux"], "arch": ["any"], "min-client": "0.1",
		"scripts": {"install": "ok.sh", "verify": "ok.sh", "upgrade": "ok.sh", "uninstall": "ok.sh",
			"post-install": [{"level": 0, "run": "ok.sh"}], "post-uninstall": []},
		"on": {"uninstall-before": "ok.sh"}, "data": {"tables": ["animal"]}, "timeout": 300,
		"extra": {"mine": 1.5}'
	run -0 plugpkg lint plugin
	assert_lacks "error" "warning"
}

@test "what is no JSON is shown by line and column" {
	local text
	for text in '' '{' '{"name": "me",}' "{'name': 'me'}" '{} {}' '{"name": "me", "name": "you"}' \
		'{"name": "me" "version": "1"}' '{"name": nul}'; do
		printf '%s\n' "$text" >plugin/plugin.json
		refused "no valid JSON: line "
	done
}

@test "bytes that are no UTF-8 are no JSON" {
	printf '{"name": "me\xff"}' >plugin/plugin.json
	refused "no valid JSON: line 1"
}

@test "JSON that is no object is refused" {
	printf '["name"]' >plugin/plugin.json
	refused "expected an object, found a list"
}

@test "a directory without plugin.json is told so" {
	rm -f plugin/plugin.json
	refused "is missing"
}

@test "a plugin.json that is a directory, a link or a pipe is refused" {
	mkdir plugin/plugin.json
	refused "is no regular file"
	rmdir plugin/plugin.json
	ln -s /etc/passwd plugin/plugin.json
	refused "is no regular file"
	rm plugin/plugin.json
	mkfifo plugin/plugin.json
	refused "is no regular file"
}

@test "a manifest of more than 256 KiB is refused" {
	manifest "\"description\": \"$(head -c 300000 /dev/zero | tr '\0' x)\""
	refused "262144"
}

@test "name and version have to be there" {
	echo '{}' >plugin/plugin.json
	refused "field 'name' is missing" "field 'version' is missing"
}

@test "a wrong name is explained" {
	local name
	for name in '"Gallery"' '"-x"' '".x"' '"a b"' '""' '"@acme"' '"@/x"' '"a/b"' '"../x"' '"x\u001b[0m"' '1' \
		'null' '["a"]' "\"$(head -c 215 /dev/zero | tr '\0' a)\""; do
		echo "{\"name\": $name, \"version\": \"1.0.0\"}" >plugin/plugin.json
		refused "field 'name': "
	done
	assert_has "hint: a name is NAME or @SCOPE/NAME"
}

@test "a wrong version is explained" {
	local version
	for version in '"v1.0.0"' '"1.x"' '"^1.0"' '""' '"latest"' '"1.0.0-"' '"01.0.0"' '"1..0"' '1' '1.5' 'null' \
		"\"$(head -c 300 /dev/zero | tr '\0' 1)\""; do
		echo "{\"name\": \"me\", \"version\": $version}" >plugin/plugin.json
		refused "field 'version': "
	done
}

@test "texts of the wrong kind are named" {
	table <<-'END'
		"summary": 7                  | summary     | found the number 7
		"summary": "a\nb"             | summary     | control character
		"description": ["a"]          | description | expected a text, found a list
		"description": "\u0007"       | description | control character
		"license": {}                 | license     | found an object
		"homepage": "me.example"      | homepage    | 'me.example' is no web address: expected https://
		"homepage": "javascript:x"    | homepage    | expected https://
		"homepage": 1                 | homepage    | found the number 1
		"authors": "me"               | authors     | expected a list of texts, found 'me'
		"authors": [null]             | authors[0]  | expected a line of text
		"keywords": ["a", 1]          | keywords[1] | found the number 1
		"type": "Plug In"             | type        | 'Plug In' is no type
		"type": true                  | type        | expected a word
	END
}

@test "relations of the wrong form are named" {
	local relation
	for relation in requires recommends suggests conflicts replaces; do
		table <<-END
			"$relation": ["user"]         | $relation      | expected an object of names, found a list
			"$relation": {"User": "*"}    | $relation      | 'User' is no plugin name
			"$relation": {"user": "^^2"}  | $relation.user | '^^2' is no range: expected a version after '^' at position 2
			"$relation": {"user": 2}      | $relation.user | expected a range such as "^1.2" or "*", found the number 2
			"$relation": {"user": "git:x"}| $relation.user | 'git:x' is no range
		END
	done
}

@test "what a plugin provides has versions, not ranges" {
	table <<-'END'
		"provides": "x"               | provides   | expected an object of names
		"provides": {"x": "^1"}       | provides.x | '^1' is no version
		"provides": {"x": null}       | provides.x | expected a version such as "1.0", or "" for none
		"provides": {"X": "1"}        | provides   | 'X' is no plugin name
		"provides": {"host:cms": "1"} | provides   | a host: name may stand in 'requires' and 'conflicts' only
	END
}

@test "a plugin does not need, suggest or replace itself, and names of the application stand in two places only" {
	table <<-'END'
		"requires": {"me": "*"}         | requires   | 'me' is the plugin itself
		"recommends": {"me": "*"}       | recommends | 'me' is the plugin itself
		"suggests": {"me": "*"}         | suggests   | 'me' is the plugin itself
		"replaces": {"me": "*"}         | replaces   | 'me' is the plugin itself
		"requires": {"host:": "*"}      | requires   | 'host:' is no name of an application
		"recommends": {"host:cms": "*"} | recommends | a host: name may stand
		"suggests": {"host:cms": "*"}   | suggests   | a host: name may stand
		"replaces": {"host:cms": "*"}   | replaces   | a host: name may stand
	END
}

@test "more than 1000 dependencies are too many" {
	wrong "\"requires\": {$(seq -s, 1001 | sed -E 's/([0-9]+)/"p\1": "*"/g')}" \
		"field 'requires': 1001 entries are too many: 1000 is the most"
}

@test "platforms of the wrong form are named" {
	table <<-'END'
		"os": "linux"         | os         | expected a list of names, found 'linux'
		"os": ["Linux"]       | os         | 'Linux' is no name of a platform
		"arch": {"any": 1}    | arch       | expected a list of names, found an object
		"arch": [64]          | arch       | found the number 64
		"arch": [""]          | arch       | '' is no name of a platform
		"min-client": "newest"| min-client | 'newest' is no version
		"min-client": 1       | min-client | expected a version of plugpkg
	END
}

@test "scripts of the wrong form are named" {
	table <<-'END'
		"scripts": ["ok.sh"]                            | scripts                        | expected an object of scripts, found a list
		"scripts": {"install": "../ok.sh"}              | scripts.install                | '../ok.sh' is no path inside the plugin
		"scripts": {"install": "/bin/sh"}               | scripts.install                | '/bin/sh' is no path inside the plugin
		"scripts": {"verify": ""}                       | scripts.verify                 | '' is no path inside the plugin
		"scripts": {"upgrade": true}                    | scripts.upgrade                | expected a path inside the plugin
		"scripts": {"uninstall": "./ok.sh"}             | scripts.uninstall              | './ok.sh' is no path inside the plugin
		"scripts": {"uninstall": "-ok.sh"}              | scripts.uninstall              | is no path inside the plugin
		"scripts": {"post-install": "ok.sh"}            | scripts.post-install           | expected a list of {"level": NUMBER, "run": PATH}
		"scripts": {"post-install": ["ok.sh"]}          | scripts.post-install[0]        | expected an object
		"scripts": {"post-install": [{"run": "ok.sh"}]} | scripts.post-install[0].level  | is missing
		"scripts": {"post-uninstall": [{"level": 1}]}   | scripts.post-uninstall[0].run  | is missing
		"scripts": {"post-uninstall": [{"level": -1, "run": "ok.sh"}]} | scripts.post-uninstall[0].level | expected a number from 0 to 1000, found the number -1
		"on": ["ok.sh"]                                 | on                             | expected an object of events
		"on": {"Before!": "ok.sh"}                      | on                             | 'Before!' is no event
		"on": {"uninstall-before": "../x"}              | on.uninstall-before            | '../x' is no path inside the plugin
	END
}

@test "the rest of the fields are named as well" {
	table <<-'END'
		"data": ["animal"]             | data           | expected an object
		"data": {"tables": "animal"}   | data.tables    | expected a list of texts, found 'animal'
		"data": {"tables": [1]}        | data.tables[0] | found the number 1
		"timeout": 0                   | timeout        | expected seconds from 1 to 86400, found the number 0
		"timeout": 86401               | timeout        | expected seconds from 1 to 86400
		"timeout": "5m"                | timeout        | expected seconds from 1 to 86400, found '5m'
		"timeout": 1.5                 | timeout        | expected seconds from 1 to 86400
		"extra": 1                     | extra          | expected an object, found the number 1
	END
}

@test "all mistakes are told at once" {
	echo '{"name": "A", "version": 1, "summary": 2, "requires": {"b": "!"}, "timeout": -1}' >plugin/plugin.json
	run -1 plugpkg lint plugin
	assert_has "field 'name'" "field 'version'" "field 'summary'" "field 'requires.b'" "field 'timeout'" "5 errors"
}

@test "foreign text in a message cannot steer the terminal" {
	wrong '"type": "\u001b]0;pwned\u0007\u202ex"' "field 'type'"
	[[ $output != *$'\x1b'* ]]
	[[ $output != *$'\xe2\x80\xae'* ]]
}

@test "the same findings are rows for programs" {
	need jq
	manifest '"summary": "Me", "license": "MIT", "requires": {"user": "^^2"}'
	run -1 --separate-stderr plugpkg lint --json plugin
	assert_equal "$(json_get 'select(.type == "finding") | "\(.level) \(.file) \(.field)"')" \
		"error plugin/plugin.json requires.user"
	assert_equal "$(json_get 'select(.type == "result").code')" bad-manifest
}
