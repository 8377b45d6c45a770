#!/bin/bash
# SPDX-License-Identifier: MIT
# Lets system calls fail that no wrapper of ours reaches: of libraries, of the two helpers, of the moments
# between fork and exec. For each CALL=ERRNO the commands are run as often as they make it, by loop.sh,
# which also judges what is left. Needs strace.
#
#	tests/fault/inject.sh [--every N] [--jobs N] [--calls "CALL=ERRNO..."] [SCENARIO...]
set -u

every=1
jobs=1
# What the kernel may answer at any time. Not EINTR where it would be a signal of ours that is missing.
calls="openat=EMFILE openat2=EMFILE read=EIO pread64=EIO pwrite64=ENOSPC fdatasync=EIO getdents64=EIO
	newfstatat=EIO readlinkat=EIO fcntl=ENOLCK flock=ENOLCK pipe2=EMFILE socketpair=EMFILE memfd_create=EMFILE
	clone=EAGAIN clone3=EAGAIN vfork=EAGAIN execve=EACCES dup3=EINTR sendmsg=ENOMEM recvmsg=ENOMEM
	poll=ENOMEM poll=EINTR read=EINTR write=EINTR wait4=EINTR waitid=EINTR recvmsg=EINTR
	ftruncate=EIO mmap=ENOMEM prlimit64=EACCES pidfd_open=EMFILE"
while [[ ${1-} == --* ]]; do
	case $1 in
	--every) every=$2 ;;
	--jobs) jobs=$2 ;;
	--calls) calls=$2 ;;
	*) exit 2 ;;
	esac
	shift 2
done
[ $# -gt 0 ] || set -- plain-install plain-upgrade plain-removal plain-return update publish mirror

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.bash
. "$here/common.bash"
# shellcheck source=scenarios.bash
. "$here/scenarios.bash"
make_plugins >/dev/null 2>&1 || { echo "cannot make the plugins" >&2; exit 1; }
mkdir out

# The point that it starts from differs, so that a sample does not try the first of each only.
n=0
for scenario; do
	for call in $calls; do
		n=$((n + 1))
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
		FAULT_WORLD=$SCRATCH bash "$here/loop.sh" --how "$call" --every "$every" --from $((n % every + 1)) \
			"$scenario" >"out/$n" 2>&1 &
	done
done
wait
cat out/* | grep -v '^[0-9]* points, '
cat out/* | awk -v runs="$n" '/^[0-9]+ points, / { n += $1; f += $3; seen++ }
	END { print n + 0 " points, " f + 0 " failures"; exit f > 0 || seen != runs }'
