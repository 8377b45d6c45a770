# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion: the words come from the tables behind --help, the scripts only carry them.

setup() {
	load ../helpers
	setup_scratch
}

# words LINE...: what completes the last word, without explanations.
words() {
	plugpkg completion words -- "$@" | cut -f 1
}

# options of --help, as they are completed
help_options() {
	plugpkg "$@" --help | sed -nE 's/^ +(-[A-Za-z], )?(--[a-z-]+).*/\2/p' | sort -u
}

@test "every command of --help is completed, and nothing else" {
	assert_equal "$(words '' | sort)" \
		"$(plugpkg --help | sed -nE 's/^  ([a-z-]+) +.*/\1/p' | sort)"
	assert_equal "$(words inst)" install
	assert_equal "$(words --root x inst)" install
	assert_equal "$(words help pur)" purge
	assert_equal "$(words source r)" remove
	assert_equal "$(words nonsense '')" ""
}

@test "every option of --help is completed, and nothing else" {
	local command
	for command in $(words ''); do
		[[ $command != source && $command != mark && $command != history && $command != owner ]] || continue
		assert_equal "$(words "$command" -- | sort)" "$(help_options "$command")"
	done
	assert_equal "$(words source add -- | sort)" "$(help_options source add)"
	assert_equal "$(words owner accept -- | sort)" "$(help_options owner accept)"
	assert_equal "$(words history show -- | sort)" "$(help_options history show)"
	assert_equal "$(words mark auto -- | sort)" "$(help_options mark auto)"
	assert_equal "$(words install --dr)" --dry-run
	assert_equal "$(words install -- --dr)" ""
}

@test "values of options are completed by their kind" {
	assert_equal "$(words --root '')" :dirs
	assert_equal "$(words build -o '')" :dirs
	assert_equal "$(words source add --key '')" :files
	assert_equal "$(words clean --keep '')" ""
	assert_equal "$(words lint '')" :dirs
	assert_equal "$(words --root=)" :dirs
	assert_equal "$(words build --output=x)" :dirs
	assert_equal "$(words build -- --output=x)" :dirs
	assert_equal "$(words search --output=x)" ""
}

@test "names of plugins and sources are completed from the root" {
	make_repo
	publish "$(build_plugin @acme/animal 1.0.0)" "$(build_plugin user 2.0.0)"
	make_root
	assert_equal "$(words install '')" "@acme/animal
user"
	assert_equal "$(words install @a)" "@acme/animal"
	assert_equal "$(words remove '')" ""
	plugpkg install -y user
	assert_equal "$(words remove '')" user
	assert_equal "$(words source remove '')" test
	assert_equal "$(words mark auto '')" user
	assert_equal "$(words why '')" user
	local root=$PLUGPKG_ROOT
	unset PLUGPKG_ROOT
	assert_equal "$(words --root "$root" remove '')" user
}

@test "parallel majors are completed by their keys, where a name would mean several" {
	make_repo
	publish "$(build_plugin lib 1.0.0 '"parallel": "major"')" "$(build_plugin lib 2.0.0 '"parallel": "major"')"
	make_root
	plugpkg install -y lib@1 lib@2
	assert_equal "$(words remove '')" "lib@1
lib@2"
	assert_equal "$(words hold lib@)" "lib@1
lib@2"
	assert_equal "$(words install '')" lib
	assert_equal "$(words owner show '')" lib
}

@test "where there is no root there are no names, and no noise" {
	run -0 plugpkg completion words -- install ''
	assert_equal "$output" ""
}

@test "the scripts are printed for the shells that there are" {
	run -2 plugpkg completion tcsh
	assert_has "bash, zsh, fish"
	local shell
	for shell in bash zsh fish; do
		plugpkg completion "$shell" >script."$shell"
		[ -s "script.$shell" ]
	done
	bash -n script.bash
	if command -v zsh >/dev/null; then zsh -n script.zsh; fi
	if command -v fish >/dev/null; then fish --no-execute script.fish; fi
}

# complete_line LINE: what bash would offer at the end of LINE.
complete_line() {
	plugpkg completion bash >script.bash
	# shellcheck disable=SC2016 # expands in the other shell
	bash -c '. ./script.bash; COMP_LINE=$1 COMP_POINT=${#1}; _plugpkg; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$1"
}

@test "bash completes commands, options, and names with @" {
	make_repo
	publish "$(build_plugin @acme/animal 1.0.0)" "$(build_plugin user 2.0.0)"
	make_root
	assert_equal "$(complete_line "plugpkg inst")" install
	assert_equal "$(complete_line "plugpkg install --dr")" --dry-run
	assert_equal "$(complete_line "plugpkg install ")" "@acme/animal
user"
	assert_equal "$(complete_line "plugpkg install u")" user
	# Readline replaces from the @ on.
	assert_equal "$(complete_line "plugpkg install @a")" @acme/animal
}
