#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write GRAPH_FOLDER/graph.jsonl as an rpm-md repository in GRAPH_FOLDER/rpm, for zypper and dnf."""
import calendar
import gzip
import hashlib
import json
import os
import sys
from xml.sax.saxutils import escape

TIME = calendar.timegm((2026, 1, 1, 0, 0, 0, 0, 0, 0))


def parts(spec):
    """'>=1.0.0 <2.0.0' -> [('>=', '1.0.0'), ('<', '2.0.0')]; '*' -> []"""
    out = []
    for part in spec.split():
        if part != "*":
            op = part.rstrip("0123456789.")
            out.append((op, part[len(op):]))
    return out


def rpm(graph, out):
    ops = {">=": "GE", "<": "LT"}

    def entries(tag, deps):
        if not deps:
            return ""
        lines = []
        for name, spec in deps.items():
            bounds = parts(spec)
            for op, v in bounds:
                lines.append('<rpm:entry name="%s" flags="%s" epoch="0" ver="%s"/>'
                             % (name, ops[op], v))
            if not bounds:
                lines.append('<rpm:entry name="%s"/>' % name)
        return "<rpm:%s>%s</rpm:%s>\n" % (tag, "".join(lines), tag)

    text = ['<?xml version="1.0" encoding="UTF-8"?>\n<metadata '
            'xmlns="http://linux.duke.edu/metadata/common" '
            'xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="%d">\n'
            % len(graph)]
    for p in graph:
        own = "".join('<rpm:entry name="%s" flags="EQ" epoch="0" ver="%s" rel="1"/>'
                      % kv for kv in [(p["name"], p["version"])] + list(p["provides"].items()))
        text.append(
            '<package type="rpm"><name>{name}</name><arch>noarch</arch>'
            '<version epoch="0" ver="{version}" rel="1"/>'
            '<checksum type="sha256" pkgid="YES">{sha256}</checksum>'
            '<summary>{s}</summary><description>{s}</description><packager/>'
            '<url>{homepage}</url><time file="{t}" build="{t}"/>'
            '<size package="{size}" installed="{unpacked}" archive="{unpacked}"/>'
            '<location href="{name}-{version}-1.noarch.rpm"/>\n<format>'
            '<rpm:license>{license}</rpm:license><rpm:group>x</rpm:group>'
            '<rpm:header-range start="4504" end="9000"/>\n'
            '<rpm:provides>{own}</rpm:provides>\n{req}{con}</format></package>\n'
            .format(s=escape(p["summary"]), t=TIME, own=own,
                    req=entries("requires", p["requires"]),
                    con=entries("conflicts", p["conflicts"]), **p))
    text.append("</metadata>\n")
    data = "".join(text).encode()
    packed = gzip.compress(data, 6, mtime=0)
    folder = os.path.join(out, "repodata")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "primary.xml.gz"), "wb") as f:
        f.write(packed)
    with open(os.path.join(folder, "repomd.xml"), "w") as f:
        f.write('<?xml version="1.0" encoding="UTF-8"?>\n<repomd '
                'xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>'
                '<data type="primary"><checksum type="sha256">%s</checksum>'
                '<open-checksum type="sha256">%s</open-checksum>'
                '<location href="repodata/primary.xml.gz"/><timestamp>%d</timestamp>'
                '<size>%d</size><open-size>%d</open-size></data></repomd>\n' % (
                    hashlib.sha256(packed).hexdigest(),
                    hashlib.sha256(data).hexdigest(), TIME, len(packed), len(data)))


if __name__ == "__main__":
    with open(sys.argv[1] + "/graph.jsonl") as lines:
        rpm([json.loads(line) for line in lines], sys.argv[1] + "/rpm")
