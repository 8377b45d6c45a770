# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # read by loop.sh; set there
# What loop.sh breaks besides: questions whose answers are remembered, changes of what they were about,
# and sources that are on the web.

questions="list show settled known-list known-settled"
remembered="known-hold known-remove known-update"
web="web-update web-install"

# ---- what is remembered ----------------------------------------------------------------------------

# Answers that var/listed and var/settled may know.
known=(list "upgrade -y --dry-run" "install side -y --dry-run")

# What has just changed is not relied on, so nothing is remembered at first.
settle() {
	sleep 0.15
	plugpkg list
	plugpkg upgrade -y
	plugpkg install side -y
} >/dev/null 2>&1

# answers FILE: of all of them.
answers() {
	local question
	for question in "${known[@]}"; do
		# shellcheck disable=SC2086 # words on purpose
		plugpkg $question </dev/null
		echo "left with $?"
	done >"$1" 2>&1
}

# What is remembered is what is found out again.
judge_known() {
	answers known
	rm -f "$PLUGPKG_ROOT/var/listed" "$PLUGPKG_ROOT/var/settled"
	answers afresh
	diff known afresh >checked || complain "what is remembered is not so any more"
}

# A question that was answered was answered rightly; whoever warns may have known less. (Only a signal
# that is to end plugpkg interrupts what it writes.)
judge_said() {
	[ "$how" != write=EINTR ] || return
	grep -v '^warning: ' out >said
	if grep -q '^warning: ' out; then
		grep -vxFf answer said >checked && complain "some of it is not of the answer"
	else
		diff answer said >checked || complain "that is not the answer"
	fi
}

# ---- scenarios -------------------------------------------------------------------------------------

begin_question() {
	plugpkg -q install side options -y
	ready="sleep 0.15" is_question=yes
	case $1 in
	*list) command="list" ;;
	show) command="show side" ;;
	*settled) command="upgrade -y" ;;
	esac
	[[ $1 != known-* ]] || ready=settle
}

begin_remembered() {
	plugpkg -q install side options plain -y
	edit '.plugins |= map_values("*")'
	ready=settle
	case $1 in
	known-hold) command="hold base side" ;;
	known-remove) command="remove side -y" ;;
	known-update)
		build_plugin plain 1.2.0
		publish plain-1.2.0.plug
		command=update goes_on=yes
		;;
	esac
	settle
	# Else there is nothing to break.
	[ "$(plugpkg --debug list 2>&1 | grep -c 'nothing has changed')" = 1 ] &&
		[ "$(plugpkg --debug upgrade -y 2>&1 | grep -c 'nothing has changed')" = 1 ]
}

# served NAME [MEMBERS]: one more source, on the web.
served() {
	make_repo "$SCRATCH/$1" "$1"
	plugpkg-repo --repo "$SCRATCH/$1" add "$(build_plugin "in-$1" 1.0.0)"
	plugpkg-repo --repo "$SCRATCH/$1" publish
	plugpkg -q source add "$1" "$URL/$1/public" --key "$SCRATCH/$1/public/metadata/1.root.json"
}

# The server is none of ours that may be left.
begin_web() {
	stop_servers
	rm -rf two three four
	export -n PLUGPKG_ROOT
	serve web "$SCRATCH"
	export PLUGPKG_ROOT
	case $1 in
	web-update)
		served two
		served three
		served four
		plugpkg -q update
		plugpkg-repo --repo two add "$(build_plugin in-two 1.1.0)"
		plugpkg-repo --repo two publish
		plugpkg-repo --repo three key rotate online
		plugpkg-repo --repo three publish
		command=update goes_on=yes
		;;
	web-install)
		plugpkg -q source remove test
		plugpkg -q source add test "$URL/repo/public" --key "$SCRATCH/repo/public/metadata/1.root.json"
		plugpkg -q update
		command="install leaf -y"
		;;
	esac
}
