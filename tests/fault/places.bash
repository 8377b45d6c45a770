# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # read by loop.sh; set there
# What loop.sh breaks beside roots: commands that make or change another directory, the subject. A
# publisher's directory, a mirror, a new root, plugins as plain files.

places="add publish mirror init materialize"

# ---- as it is, as it was ---------------------------------------------------------------------------

put_by() {
	if [ -z "$subject" ]; then
		save
		return
	fi
	rm -rf kept
	mkdir kept
	[ ! -e "$subject" ] || cp -a "$subject" kept/subject
}

get_back() {
	if [ -z "$subject" ]; then
		restore
		$ready
		return
	fi
	rm -rf "$subject"
	[ ! -e kept/subject ] || cp -a kept/subject "$subject"
}

# Numbers of metadata only count, and the digest of the index depends on them.
look() {
	if [ -z "$subject" ]; then
		snapshot
		return
	fi
	[ -d "$subject" ] || return 0
	case $scenario in
	add | publish)
		plugpkg-repo list
		(cd "$subject" && find staged public/targets/pool | LC_ALL=C sort)
		;;
	mirror) (cd "$subject" && find . -type f -exec sha256sum {} + | LC_ALL=C sort) ;;
	*)
		tree_state "$subject"
		(cd "$subject" && find . -path ./var -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort)
		;;
	esac
}

# ---- judgement -------------------------------------------------------------------------------------

# What is made before it gets its name; only what could not be deleted is left, and named. What a mirror
# has fetched already is kept until it has ended.
judge_unfinished() {
	find "${subject%/*}" -mindepth 1 -name '.*' ! -name .plugins.json "$@" -printf '%f\n' >left
	if [ -s left ] && ! grep -Eq "^(warning|error): cannot delete .*$(head -n 1 left)" out; then
		complain "left beside it: $(tr '\n' ' ' <left)"
	fi
}

# A file system that cannot exchange two directories has a moment without either.
is_between() {
	[ -n "${PLUGPKG_NO_EXCHANGE:-}" ] && [ ! -e "$subject" ] && cmp -s <(subject=${subject%/*}/.${subject##*/}.plugpkg-old look) old
}

# What others see is whole at all times; done once more, it is done.
judge_place() {
	# Without its libraries it ends at once, wherever it is.
	[[ $how == @(kill|after|*+) ]] || grep -q '^plugpkg: cannot load ' out || judge_unfinished ! -name .mirror ! -path "*/.mirror/*"
	# shellcheck disable=SC2086 # words on purpose
	[ -z "$proof" ] || $proof >checked 2>&1 || complain "others see what is not whole"
	[ "$goes_on" = yes ] || is_old_or_new || is_between || complain "neither the old nor the new one"
	# shellcheck disable=SC2086 # words on purpose
	TMPDIR=$SCRATCH/tmp $program $command </dev/null >recovered 2>&1 ||
		grep -q 'already a plugpkg root' recovered || {
		complain "it cannot go on"
		return
	}
	rm -f out
	touch out
	judge_unfinished
	look >now
	if ! cmp -s now new; then complain "done again, it is not the new one"; fi
	# shellcheck disable=SC2086 # words on purpose
	[ -z "$proof" ] || $proof >checked 2>&1 || complain "done again, it is not whole"
}

# ---- scenarios -------------------------------------------------------------------------------------

begin_place() {
	local p
	goes_on=yes proof=''
	export PLUGPKG_REPO=$SCRATCH/places/pub
	rm -rf places
	mkdir places
	case $1 in
	add | publish | mirror)
		cp -a repo places/pub
		build_plugin fresh 1.0.0
		build_plugin fresh 1.1.0
		# More than there are helpers that look into them.
		for p in {1..6}; do build_plugin "fresh-$p" 1.0.0; done
		program=plugpkg-repo subject=$PLUGPKG_REPO
		proof="plugpkg-repo verify $PLUGPKG_REPO/public"
		;;
	esac
	case $1 in
	add) command="add $(cd "$SCRATCH" && echo fresh-*.plug)" ;;
	publish)
		plugpkg-repo add fresh-1.0.0.plug fresh-1.1.0.plug
		command=publish
		;;
	mirror)
		subject=$SCRATCH/places/mirror
		plugpkg-repo mirror "file://$PLUGPKG_REPO/public" "$subject" --key "$PLUGPKG_REPO/public/metadata/1.root.json"
		plugpkg-repo add fresh-1.0.0.plug fresh-1.1.0.plug
		plugpkg-repo publish
		command="mirror file://$PLUGPKG_REPO/public $subject"
		proof="plugpkg-repo verify $subject"
		;;
	init)
		subject=$SCRATCH/places/root
		command="init $subject"
		;;
	materialize)
		subject=$SCRATCH/places/flat goes_on=no
		plugpkg -q install mid@1 -y
		plugpkg materialize "$subject"
		plugpkg -q install options@1 -y
		command="materialize $subject"
		;;
	esac
}
