# SPDX-License-Identifier: MIT
"""Stands in for the unpack helper of a publisher who wants a hostile archive in his repository.

Does not look at the archive: whatever it is, what "comes out" is the plugin.json beside this program and
enough filler that the signed record leaves room for the hostile entries.
"""
import json
import os
import socket

FILLERS = 40
FILLER = b"\0" * 50000


def put(directory, name, data):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444, dir_fd=directory)
    os.write(fd, data)
    os.close(fd)
    return len(data)


def pretend(directory):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugin.json"), "rb") as f:
        total = put(directory, "plugin.json", f.read())
    for i in range(FILLERS):
        total += put(directory, f"filler-{i}", FILLER)
    return total, FILLERS + 1


os.umask(0o022)
near = socket.socket(fileno=3)
while True:
    message, fds, _, _ = socket.recv_fds(near, 65536, 4)
    if not message:
        break
    total, files = pretend(fds[1])
    for fd in fds:
        os.close(fd)
    near.send(json.dumps({"type": "done", "id": json.loads(message)["id"], "bytes": total,
                          "files": files}).encode())
