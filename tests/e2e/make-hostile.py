#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make-hostile.py DIR: writes archives that break the archive policy, each in one way.

Beside them DIR/LIST.json names each with the row of the threat list (S29 to S46) that it stands for and a
part of the message that refuses it. Nothing but the standard library; zstd is written by hand, in raw
and run-length blocks.
"""
import gzip
import io
import json
import os
import struct
import sys

MANIFEST = b"""{
  "name": "hostile", "version": "1.0.0", "summary": "Breaks the archive policy", "license": "MIT"
}
"""
MIB = 1 << 20
GIB = 1 << 30
ZERO = b"\0" * 512


# ---- tar, block by block ---------------------------------------------------------------------

def pad(data):
    return data + b"\0" * (-len(data) % 512)


def header(name, type="0", size=0, link="", mode=None, size_field=None, magic=b"ustar\x0000"):
    name = name if isinstance(name, bytes) else name.encode()
    if mode is None:
        mode = 0o755 if type == "5" else 0o644
    h = bytearray(512)
    h[0:100] = name[:100].ljust(100, b"\0")
    h[100:108] = b"%07o\0" % mode
    h[108:124] = b"0000000\0" * 2
    h[124:136] = size_field if size_field is not None else b"%011o\0" % size
    h[136:148] = b"00000000000\0"
    h[148:156] = b" " * 8
    h[156:157] = type.encode()
    h[157:257] = link.encode()[:100].ljust(100, b"\0")
    h[257:265] = magic
    h[329:345] = b"0000000\0" * 2
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def entry(name, data=b"x", **how):
    if how.get("type", "0") not in "07xgLKS":
        data = b""
    return header(name, size=len(data), **how) + pad(data)


def file(name, data=b"x", **how):
    return entry(name, data, **how)


def directory(name, **how):
    return entry(name, type="5", **how)


def link(name, target):
    return entry(name, type="2", link=target)


def pax(*pairs, type="x"):
    body = b""
    for key, value in pairs:
        record = b" " + key.encode() + b"=" + value.encode() + b"\n"
        n = len(record) + 1
        while len(str(n)) + len(record) != n:
            n = len(str(n)) + len(record)
        body += str(n).encode() + record
    return entry("PaxHeader/x", body, type=type)


def long_name(name):
    return entry("././@LongLink", name.encode() + b"\0", type="L", magic=b"ustar  \0")


PLUGIN_JSON = file("plugin.json", MANIFEST)
END = ZERO * 2


def tar(*parts):
    """A whole tar: plugin.json first, the parts, the end."""
    return PLUGIN_JSON + b"".join(parts) + END


# ---- compression -----------------------------------------------------------------------------

def zstd(*parts):
    """A zstd frame. Bytes become raw blocks; (byte, count) becomes run-length blocks."""
    blocks = []
    for part in parts:
        if isinstance(part, tuple):
            byte, count = part
            for at in range(0, count, 128 << 10):
                n = min(128 << 10, count - at)
                blocks.append((1, n, bytes([byte])))
        else:
            for at in range(0, len(part), 128 << 10):
                piece = part[at:at + (128 << 10)]
                blocks.append((0, len(piece), piece))
    if not blocks:
        blocks = [(0, 0, b"")]
    # No checksum, no size; a window of 2 MiB.
    out = [b"\x28\xb5\x2f\xfd\x00\x58"]
    for i, (kind, n, piece) in enumerate(blocks):
        out.append(struct.pack("<I", (i == len(blocks) - 1) | kind << 1 | n << 3)[:3] + piece)
    return b"".join(out)


def gz(data):
    return gzip.compress(data, 1, mtime=0)


# ---- the archives ----------------------------------------------------------------------------

corpus = []


def add(row, name, content, want, compress=zstd):
    corpus.append((row, name, compress(content) if compress else content, want))


def paths():
    bad = "'.' or '..'"
    add("S29", "absolute", tar(file("/etc/plugpkg-hostile")), "absolute path")
    add("S29", "absolute-gzip", tar(file("/etc/plugpkg-hostile")), "absolute path", gz)
    add("S29", "double-slash", tar(file("//etc/plugpkg-hostile")), "absolute path")
    add("S29", "parent", tar(file("../outside")), bad)
    add("S29", "parent-deep", tar(directory("a"), file("a/../../outside")), bad)
    add("S29", "parent-last", tar(file("a/..")), bad)
    add("S29", "parent-dir", tar(directory("../outside")), bad)
    add("S29", "dot", tar(directory("./")), bad)
    add("S29", "parent-pax", tar(pax(("path", "../outside")), file("inside")), bad)
    add("S29", "parent-gnu", tar(long_name("../outside"), file("inside")), bad)
    add("S29", "many-parents", tar(file("../" * 20 + "outside")), bad)
    add("S33", "other-plugin", tar(file("../../other/1.0.0/plugin.json")), bad)
    add("S33", "current", tar(file("../../../current")), bad)


def links():
    leaves, below = "leaves the plugin", "no directory"
    add("S30", "link-then-write", tar(link("d", "/etc"), file("d/plugpkg-hostile")), "absolute")
    add("S30", "link-up-then-write", tar(link("d", "../.."), file("d/outside")), leaves)
    add("S30", "link-inside-then-write",
        tar(directory("e"), link("d", "e"), file("d/outside")), below)
    add("S30", "write-then-link", tar(file("d/f"), link("d", "e")), "twice")
    add("S30", "link-itself-up", tar(link("d", "..")), leaves)
    add("S30", "link-deep-up", tar(link("a/b/c", "../../..")), leaves)
    add("S30", "link-dots", tar(link("a/b", "./.././../x")), leaves)
    add("S30", "link-chain", tar(directory("a"), directory("a/b"), link("a/b/up", "../.."),
                                 link("out", "a/b/up/..")), "'..' after a name")
    # Each link climbs one more level through the one before: past PATH_MAX when written out.
    deep = "/".join(["d" * 240] * 4)
    chain = [link("l0", deep)]
    chain += [link(f"l{i}", f"l{i - 1}/../" * 40) for i in range(1, 20)]
    add("S30", "link-chain-long", tar(*chain), "'..' after a name")
    add("S30", "link-empty", tar(link("l", "")), "link to nothing")
    add("S30", "link-newline", tar(link("l", "a\nb")), "no valid path")
    add("S30", "link-escape", tar(link("l", "\x1b]0;x\x07")), "no valid path")
    add("S30", "link-pax-target", tar(pax(("linkpath", "/etc/shadow")), link("l", "x")), "absolute")
    add("S31", "hardlink-outside", tar(entry("h", type="1", link="/etc/passwd"), file("h")),
        "hard link")
    add("S31", "hardlink-inside", tar(entry("h", type="1", link="plugin.json")), "hard link")
    add("S31", "hardlink-with-data",
        tar(header("h", type="1", size=4, link="plugin.json") + pad(b"data")), "hard link")
    add("S31", "hardlink-to-link", tar(link("l", "plugin.json"), entry("h", type="1", link="l")),
        "hard link")
    add("S32", "link-then-dir", tar(link("d", "e"), directory("d", mode=0o700)), "twice")
    add("S32", "dir-then-link", tar(directory("d"), link("d", "e")), "twice")


def kinds():
    for mode, name in ((0o4755, "setuid"), (0o2755, "setgid"), (0o1644, "sticky"),
                       (0o666, "world-writable"), (0o6777, "all")):
        add("S35", name, tar(file("x", mode=mode)), "setuid, setgid, sticky or writable")
        add("S35", name + "-dir", tar(directory("x", mode=mode)),
            "setuid, setgid, sticky or writable")
    add("S36", "char-device", tar(entry("null", type="3")), "device")
    add("S36", "block-device", tar(entry("disk", type="4")), "device")
    add("S36", "fifo", tar(entry("pipe", type="6")), "FIFO")
    add("S36", "contiguous", tar(file("x", type="7")), "another kind")


def sizes():
    add("S37", "bomb-file", (tar()[:-1024] + header("zeros", size=5 * GIB), (0, 5 * GIB), END),
        "bytes", lambda parts: zstd(*parts))
    add("S37", "bomb-padding", (tar(), (0, 6 * GIB)), "more bytes", lambda parts: zstd(*parts))
    add("S37", "bomb-long-name",
        (PLUGIN_JSON + header("././@LongLink", type="L", size=GIB, magic=b"ustar  \0"),
         (0x61, GIB), file("x") + END), "", lambda parts: zstd(*parts))
    add("S37", "bomb-pax", (PLUGIN_JSON + header("pax", type="x", size=GIB), (0x61, GIB), END), "",
        lambda parts: zstd(*parts))
    add("S37", "bomb-gzip", tar(file("zeros", b"\0" * (64 * MIB))) + ZERO + b"x", "after its end",
        lambda data: gzip.compress(data, 9, mtime=0))
    add("S37", "many-entries", b"".join([PLUGIN_JSON] + [
        header(f"f{i:06}") for i in range(100001)] + [END]), "files", gz)
    add("S37", "many-directories", b"".join([PLUGIN_JSON] + [
        header(f"{i:05}" + "/d" * 40) for i in range(3000)] + [END]), "files", gz)
    add("S37", "sparse-gnu",
        tar(header("s", type="S", size=0, magic=b"ustar  \0")), "sparse")
    old = bytearray(header("s", type="S", size=512, magic=b"ustar  \0"))
    old[386:398] = b"00000000000\0"
    old[398:410] = b"00000001000\0"
    old[483:495] = b"16432451210\0"
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    add("S37", "sparse-gnu-1tb", tar(bytes(old) + pad(b"x" * 512)), "")
    add("S37", "sparse-pax-0.1", tar(
        pax(("GNU.sparse.size", "1000000000000"), ("GNU.sparse.numblocks", "1"),
            ("GNU.sparse.map", "0,1")), file("s")), "")
    add("S37", "sparse-pax-1.0", tar(
        pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"),
            ("GNU.sparse.realsize", "1000000000000")),
        file("GNUSparseFile.0/s", pad(b"1\n0\n1\n") + b"x")), "")
    add("S38", "long-component", tar(pax(("path", "n" * 256)), file("x")), "255 bytes")
    add("S38", "long-path", tar(pax(("path", "/".join(["n" * 100] * 11))), file("x")), "1024 bytes")
    add("S38", "deep-path", tar(pax(("path", "d/" * 64 + "f")), file("x")), "64 levels")
    add("S38", "long-70000", tar(pax(("path", "n" * 70000)), file("x")), "1024 bytes")
    add("S38", "deep-8000", tar(pax(("path", "d/" * 4000 + "f")), file("x")), "1024 bytes")


def names():
    add("S39", "twice", tar(file("a"), file("a")), "twice")
    add("S39", "twice-dir", tar(directory("a"), directory("a")), "twice")
    add("S39", "file-then-dir", tar(file("a"), directory("a")), "twice")
    add("S39", "file-then-below", tar(file("a"), file("a/b")), "no directory")
    add("S39", "below-then-file", tar(file("a/b"), file("a")), "twice")
    add("S39", "plugin-json-twice", tar(file("plugin.json", b"{}")), "twice")
    only = "only in case"
    add("S40", "case-file", tar(file("File"), file("file")), only)
    add("S40", "case-dir", tar(file("Dir/a"), file("dir/b")), only)
    add("S40", "case-manifest", tar(file("PLUGIN.JSON")), only)
    add("S40", "case-unicode", tar(file("\u00c4"), file("\u00e4")), only)
    add("S40", "case-kelvin", tar(file("k"), file("\u212a")), "")
    add("S40", "decomposed", tar(file("e\u0301")), "combining")
    add("S40", "two-forms", tar(file("\u00e9"), pax(("path", "e\u0301")), file("x")), "")
    for name, text in (("newline", "a\nb"), ("escape", "a\x1b]0;x\x07"), ("tab", "a\tb"),
                       ("delete", "a\x7f"), ("c1", "a\u009bm"), ("bidi", "a\u202eb"),
                       ("zero-width", "a\u200bb"), ("line-separator", "a\u2028b"),
                       ("no-break-space", "a\u00a0b")):
        add("S51", "name-" + name, tar(file(text)), "control, invisible or combining")
    add("S50", "name-option", tar(file("-rf")), "option")
    add("S50", "name-option-dir", tar(directory("--no-preserve-root")), "option")
    add("S51", "name-blank", tar(file(" ")), "blank")
    add("S51", "name-trailing-blank", tar(file("a ")), "blank")
    add("S51", "name-empty", tar(file("")), "")
    for name, text in (("ff", b"a\xff"), ("overlong", b"\xc0\xaf"), ("surrogate", b"\xed\xa0\x80"),
                       ("cut", b"a\xe2\x82")):
        add("S22", "name-utf8-" + name, tar(file(text)), "no UTF-8")


def readings():
    two = "two sizes"
    add("S41", "pax-size-larger", tar(pax(("size", "600")), header("a", size=1) + pad(b"x" * 600)),
        two)
    add("S41", "pax-size-smaller", tar(pax(("size", "1")), file("a", b"x" * 600)), two)
    add("S41", "pax-size-zero", tar(pax(("size", "0")), file("a", file("../outside"))), "")
    add("S41", "size-base256", tar(
        header("a", size_field=b"\x80" + b"\0" * 10 + b"\x01") + pad(b"x")), two)
    add("S41", "size-negative", tar(header("a", size_field=b"\xff" * 12)), "")
    add("S41", "size-huge", tar(header("a", size_field=b"77777777777\0")), "")
    add("S41", "dir-with-data", tar(header("d", type="5", size=512) + pad(b"x" * 512)), "")
    add("S41", "link-with-data",
        tar(header("l", type="2", size=512, link="x") + file("../outside")[:512]), "")
    add("S41", "after-the-end", tar() + tar(file("x")), "after its end")
    add("S41", "after-the-end-text", tar() + b"text", "after its end")
    add("S41", "second-frame", zstd(tar()) + zstd(tar(file("x"))), "after its end", None)
    add("S41", "second-member", gz(tar()) + gz(tar(file("x"))), "after its end", None)
    add("S41", "after-gzip", gz(tar()) + b"more", "after the compressed data", None)
    add("S41", "after-zstd", zstd(tar()) + b"more", "damaged", None)
    add("S41", "bad-checksum", tar(b"\x01" * 512), "")
    add("S41", "one-end-block", tar()[:-512], "end is missing")
    add("S46", "no-end", tar()[:-1024], "end is missing")
    add("S42", "no-plugin-json", file("a") + END, "first entry")
    add("S42", "plugin-json-second", file("a") + PLUGIN_JSON + END, "first entry")
    add("S42", "plugin-json-link", link("plugin.json", "a") + file("a") + END, "first entry")
    add("S42", "plugin-json-dir", directory("plugin.json") + END, "first entry")
    add("S42", "plugin-json-dot", file("./plugin.json", MANIFEST) + END, "")
    add("S42", "nothing", END, "holds no 'plugin.json'")


def formats():
    none = "no tar compressed with zstd or gzip"
    iso = bytearray(40 * 2048)
    iso[16 * 2048:16 * 2048 + 7] = b"\x01CD001\x01"
    cpio = b"070701" + b"0" * 104 + b"TRAILER!!!\0\0\0\0"
    raw = {
        "tar": tar(),
        "zip": b"PK\x05\x06" + b"\0" * 18,
        "zip-with-file": b"PK\x03\x04\x14" + b"\0" * 25 + b"plugin.json",
        "cpio": cpio,
        "cpio-old": b"\xc7\x71" + b"\0" * 62,
        "ar": b"!<arch>\nplugin.json/    0           0     0     644     2         `\n{}",
        "rar4": b"Rar!\x1a\x07\x00" + b"\0" * 64,
        "rar5": b"Rar!\x1a\x07\x01\x00" + b"\0" * 64,
        "7z": b"7z\xbc\xaf\x27\x1c" + b"\0" * 64,
        "iso": bytes(iso),
        "cab": b"MSCF" + b"\0" * 64,
        "lha": b"\x16\x00-lh0-" + b"\0" * 64,
        "xar": b"xar!\x00\x1c\x00\x01" + b"\0" * 64,
        "mtree": b"#mtree\n./plugin.json type=file\n",
        "shar": b"#!/bin/sh\n# This is a shell archive\n",
        "xz": b"\xfd7zXZ\x00" + b"\0" * 64,
        "bzip2": b"BZh91AY&SY" + b"\0" * 64,
        "compress": b"\x1f\x9d\x90" + b"\0" * 64,
        "lz4": b"\x04\x22\x4d\x18" + b"\0" * 64,
        "lzip": b"LZIP\x01" + b"\0" * 64,
        "lzop": b"\x89LZO\0\r\n\x1a\n" + b"\0" * 64,
        "rpm": b"\xed\xab\xee\xdb" + b"\0" * 128,
        "uuencode": b"begin 644 plugin.json\n`\nend\n",
        "skippable-frame": b"\x50\x2a\x4d\x18\x04\0\0\0abcd",
        "empty": b"",
        "one-byte": b"\x28",
        "text": b"<!DOCTYPE html>\n<title>404 Not Found</title>\n",
        "zeros": b"\0" * 4096,
    }
    for name, data in raw.items():
        add("S42", "raw-" + name, data, none, None)
        add("S42", "zstd-" + name, data if name != "tar" else b"\x01" * 1024, "")
    add("S42", "gzip-in-gzip", gz(tar()), "holds no tar", gz)
    add("S42", "zstd-in-zstd", zstd(tar()), "holds no tar")
    add("S42", "gzip-in-zstd", gz(tar()), "holds no tar")
    add("S42", "zstd-in-gzip", zstd(tar()), "holds no tar", gz)
    # A window of 2 GiB that the decoder would have to keep.
    add("S42", "zstd-window", b"\x28\xb5\x2f\xfd\x00\xa8" + zstd(tar())[6:], "damaged", None)


def truncations():
    whole = tar(directory("d"), file("d/f", b"y" * 1500), link("l", "d/f"))
    for n in range(0, len(whole), 512):
        add("S46", f"cut-tar-{n:05}", whole[:n], "")
    for name, compress in (("zstd", zstd), ("gzip", gz)):
        data = compress(whole)
        for i in range(1, 25):
            add("S46", f"cut-{name}-{i:02}", data[:len(data) * i // 25], "", None)


def main(out):
    for group in (paths, links, kinds, sizes, names, readings, formats, truncations):
        group()
    os.makedirs(out, exist_ok=True)
    listed = []
    for row, name, data, want in corpus:
        file_name = f"{row}-{name}.plug"
        with io.open(os.path.join(out, file_name), "wb") as f:
            f.write(data)
        listed.append({"file": file_name, "row": row, "want": want})
    assert len({e["file"] for e in listed}) == len(listed), "two archives of one name"
    with io.open(os.path.join(out, "LIST.json"), "w") as f:
        json.dump(listed, f, indent=1)


main(sys.argv[1])
