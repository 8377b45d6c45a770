#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The digest of its tree that an archive states.

stated.py show ARCHIVE            prints it; an empty line when it states none
stated.py set ARCHIVE [VALUE]     makes the archive state that, or nothing
stated.py twice ARCHIVE           makes it state the same by libarchive's own name besides, as bsdtar does

`set` and `twice` leave all else as it was, but for gzip in place of zstd, so that Python alone can write it.
"""
import base64
import io
import subprocess
import sys
import tarfile

KEY = "SCHILY.xattr.user.plugpkg.tree"
OTHER_KEY = "LIBARCHIVE.xattr.user.plugpkg.tree"


def plain(archive):
    with open(archive, "rb") as f:
        data = f.read()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def main(what, archive, value=None):
    with tarfile.open(fileobj=io.BytesIO(plain(archive))) as old:
        entries = [(m, old.extractfile(m).read() if m.isreg() else None) for m in old]
    first = entries[0][0]
    if what == "show":
        print(first.pax_headers.get(KEY, ""))
        return
    if what == "twice":
        value = first.pax_headers[KEY]
    first.pax_headers = {KEY: value} if value is not None else {}
    if what == "twice":
        first.pax_headers[OTHER_KEY] = base64.b64encode(value.encode()).decode()
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT) as new:
        for member, contents in entries:
            new.addfile(member, io.BytesIO(contents) if contents is not None else None)


main(*sys.argv[1:])
