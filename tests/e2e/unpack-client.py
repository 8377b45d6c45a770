#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unpack-client.py HELPER ARCHIVE DIR [MAX_BYTES MAX_FILES [exact]]
   unpack-client.py HELPER --pack DIR OUTPUT [MTIME]

Plays plugpkg's side towards the unpack helper and prints its answer: one JSON line. The status is the
helper's own when it answers nothing (a crash), 0 for "done", 1 for "failed".
"""
import json
import os
import socket
import subprocess
import sys


def ask(helper, request, fds):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # The helper finds its socket at 3, wherever it is here.
    child = subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$0" 3<&{theirs.fileno()}', helper],
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
    ) if theirs.fileno() != 3 else subprocess.Popen(
        [helper], pass_fds=[3], stdin=subprocess.DEVNULL)
    theirs.close()
    socket.send_fds(ours, [json.dumps(request).encode()], fds)
    answer = ours.recv(65536)
    ours.close()
    status = child.wait()
    if not answer:
        print(json.dumps({"type": "crashed", "status": status}))
        sys.exit(status if status > 1 else 99)
    if status != 0:
        print(json.dumps({"type": "bad-exit", "status": status}))
        sys.exit(99)
    print(answer.decode())
    sys.exit(0 if json.loads(answer)["type"] == "done" else 1)


def main(helper, *args):
    if args[0] == "--pack":
        fds = [os.open(args[1], os.O_RDONLY | os.O_DIRECTORY),
               os.open(args[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
        mtime = int(args[3]) if len(args) > 3 else 0
        ask(helper, {"type": "pack", "id": 1, "mtime": mtime, "max_bytes": 4 << 30,
                     "max_files": 100000}, fds)
    fds = [os.open(args[0], os.O_RDONLY), os.open(args[1], os.O_RDONLY | os.O_DIRECTORY)]
    ask(helper, {"type": "unpack", "id": 1,
                 "max_bytes": int(args[2]) if len(args) > 2 else 64 << 20,
                 "max_files": int(args[3]) if len(args) > 3 else 20000,
                 "exact": len(args) > 4}, fds)


main(*sys.argv[1:])
