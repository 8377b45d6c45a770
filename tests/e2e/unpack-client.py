#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plays plugpkg's side towards the unpack helper.

unpack-client.py HELPER unpack ARCHIVE DIR [MAX_BYTES MAX_FILES]
unpack-client.py HELPER pack DIR OUTPUT [MTIME]
    prints the helper's answer; status 0 for "done", 1 for "failed"
unpack-client.py HELPER corpus CORPUS SCRATCH
    unpacks every archive of make-hostile.py; each has to be refused as policy, with the words that its
    list wants, leaving nothing beside its directory. TAP.

Status 99: the helper broke down.
"""
import json
import os
import shutil
import socket
import subprocess
import sys

MAX_BYTES = 4 << 30
MAX_FILES = 100000


class Helper:
    def __init__(self, path):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # The helper looks for its socket at 3, wherever it is here.
        self.child = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$0" 3<&{theirs.fileno()}', path],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def ask(self, request, fds):
        socket.send_fds(self.ours, [json.dumps(request | {"id": 1}).encode()], fds)
        for fd in fds:
            os.close(fd)
        answer = self.ours.recv(65536)
        if not answer:
            sys.stderr.write(f"the helper broke down: status {self.child.wait()}\n")
            sys.exit(99)
        return json.loads(answer)

    def unpack(self, archive, directory, max_bytes=MAX_BYTES, max_files=MAX_FILES, within=None):
        fds = [os.open(archive, os.O_RDONLY), os.open(directory, os.O_RDONLY | os.O_DIRECTORY)]
        if within:
            fds.append(os.open(within, os.O_RDONLY | os.O_DIRECTORY))
        return self.ask({"type": "unpack", "max_bytes": max_bytes, "max_files": max_files}, fds)

    def pack(self, directory, output, mtime=0):
        return self.ask({"type": "pack", "mtime": mtime, "max_bytes": MAX_BYTES,
                         "max_files": MAX_FILES}, [
            os.open(directory, os.O_RDONLY | os.O_DIRECTORY),
            os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)])

    def end(self):
        self.ours.close()
        if self.child.wait() != 0:
            sys.stderr.write(f"the helper ended with status {self.child.returncode}\n")
            sys.exit(99)


def flaw(answer, want, beside):
    if answer["type"] != "failed":
        return f"was accepted: {answer}"
    if answer["kind"] != "archive":
        return f"failed otherwise: {answer}"
    if want not in answer["text"]:
        return f"was refused with other words than '{want}': {answer}"
    if beside != ["plugin"]:
        return f"wrote beside its directory: {beside}"
    return None


def corpus(helper, directory, scratch):
    with open(os.path.join(directory, "LIST.json")) as f:
        listed = json.load(f)
    print(f"1..{len(listed)}")
    failed = False
    for i, entry in enumerate(listed):
        outside = os.path.join(scratch, "outside")
        plugin = os.path.join(outside, "plugin")
        os.makedirs(plugin)
        answer = helper.unpack(os.path.join(directory, entry["file"]), plugin, MAX_BYTES, 2000, scratch)
        why = flaw(answer, entry["want"], os.listdir(outside))
        shutil.rmtree(outside)
        print(f"{'not ok' if why else 'ok'} {i + 1} - {entry['file']}: "
              f"{why or answer.get('entry', 'it')!r} {'' if why else answer['text']}")
        failed = failed or why is not None
    return failed


def main(path, verb, *args):
    helper = Helper(path)
    if verb == "corpus":
        status = corpus(helper, *args)
    else:
        numbers = [int(a) for a in args[2:]]
        answer = (helper.pack if verb == "pack" else helper.unpack)(*args[:2], *numbers)
        print(json.dumps(answer))
        status = answer["type"] != "done"
    helper.end()
    return int(status)


sys.exit(main(*sys.argv[1:]))
