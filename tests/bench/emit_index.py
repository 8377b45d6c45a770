# SPDX-License-Identifier: MIT
"""Writes a graph as the repository index of each peer. No archives stand behind them: for plans only.

  pacman/   bench.db (tar.gz of desc files; newest versions only: the format
            knows one version per name)
  apt/      Packages, Packages.gz, Release (flat repository, unsigned)
  rpm/      repodata/ (for dnf and zypper)
  apk/      noarch/APKINDEX.tar.gz (v2) and, if apk is on PATH, bench.adb (v3)
  xbps/     <arch>-repodata (newest versions only, as for pacman)
  composer/ packages.json and p2/bench/<name>.json (sharded by name)
"""
import base64
import calendar
import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
from xml.sax.saxutils import escape

TIME = calendar.timegm((2026, 1, 1, 0, 0, 0, 0, 0, 0))


def load(folder):
    with open(os.path.join(folder, "graph.jsonl")) as lines:
        return [json.loads(line) for line in lines]


def newest(graph):
    last = {}
    for p in graph:         # the graph lists the versions of a name in order
        last[p["name"]] = p
    return list(last.values())


def parts(spec):
    """'>=1.0.0 <2.0.0' -> [('>=', '1.0.0'), ('<', '2.0.0')]; '*' -> []"""
    out = []
    for part in spec.split():
        if part != "*":
            op = part.rstrip("0123456789.")
            out.append((op, part[len(op):]))
    return out


def terms(deps, form, bare="%s"):
    """Flatten {name: range} with a format of (name, operator, version)."""
    out = []
    for name, spec in deps.items():
        bounds = parts(spec)
        out += [form % (name, op, v) for op, v in bounds] or [bare % name]
    return out


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = TIME
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(data))


def pacman(graph, out):
    with tarfile.open(os.path.join(out, "bench.db"), "w:gz",
                      compresslevel=6, format=tarfile.USTAR_FORMAT) as tar:
        for p in newest(graph):
            full = "%s-%s-1" % (p["name"], p["version"])
            fields = [("FILENAME", [full + "-any.pkg.tar.zst"]),
                      ("NAME", [p["name"]]), ("BASE", [p["name"]]),
                      ("VERSION", [p["version"] + "-1"]),
                      ("DESC", [p["summary"]]), ("CSIZE", [str(p["size"])]),
                      ("ISIZE", [str(p["unpacked"])]),
                      ("SHA256SUM", [p["sha256"]]), ("URL", [p["homepage"]]),
                      ("LICENSE", [p["license"]]), ("ARCH", ["any"]),
                      ("BUILDDATE", [str(TIME)]), ("PACKAGER", ["bench"]),
                      ("CONFLICTS", terms(p["conflicts"], "%s%s%s")),
                      ("PROVIDES", ["%s=%s" % kv for kv in p["provides"].items()]),
                      ("DEPENDS", terms(p["requires"], "%s%s%s"))]
            data = "".join("%%%s%%\n%s\n\n" % (k, "\n".join(v))
                           for k, v in fields if v)
            add(tar, full + "/desc", data.encode())


def apt(graph, out):
    def dep(deps):
        return ", ".join(terms(
            deps, "%s (%s %s)")).replace("(< ", "(<< ")

    text = []
    for p in graph:
        lines = ["Package: " + p["name"], "Version: " + p["version"],
                 "Architecture: all", "Maintainer: bench <bench@example.org>",
                 "Installed-Size: %d" % (p["unpacked"] // 1024)]
        for field, deps in (("Depends", p["requires"]), ("Conflicts", p["conflicts"])):
            if deps:
                lines.append("%s: %s" % (field, dep(deps)))
        if p["provides"]:
            lines.append("Provides: " + ", ".join(
                "%s (= %s)" % kv for kv in p["provides"].items()))
        lines += ["Filename: ./%s_%s_all.deb" % (p["name"], p["version"]),
                  "Size: %d" % p["size"], "SHA256: " + p["sha256"],
                  "Section: misc", "Priority: optional",
                  "Homepage: " + p["homepage"], "Description: " + p["summary"]]
        text.append("\n".join(lines) + "\n")
    data = "\n".join(text).encode()
    files = {"Packages": data, "Packages.gz": gzip.compress(data, 6, mtime=0)}
    release = "Origin: bench\nSuite: bench\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
    for name, blob in files.items():
        with open(os.path.join(out, name), "wb") as f:
            f.write(blob)
        release += " %s %d %s\n" % (hashlib.sha256(blob).hexdigest(), len(blob), name)
    with open(os.path.join(out, "Release"), "w") as f:
        f.write(release)


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


def apk(graph, out):
    text = []
    for p in graph:
        mark = "Q1" + base64.b64encode(hashlib.sha1(p["sha256"].encode()).digest()).decode()
        lines = ["C:" + mark, "P:" + p["name"], "V:" + p["version"] + "-r0",
                 "A:noarch", "S:%d" % p["size"], "I:%d" % p["unpacked"],
                 "T:" + p["summary"], "U:" + p["homepage"], "L:" + p["license"],
                 "o:" + p["name"], "t:%d" % TIME]
        deps = terms(p["requires"], "%s%s%s")
        # a conflict with a range is '!name<2' in this format
        deps += terms(p["conflicts"], "!%s%s%s", "!%s")
        if deps:
            lines.append("D:" + " ".join(deps))
        if p["provides"]:       # unversioned, so that several may be installed
            lines += ["p:" + " ".join(p["provides"]), "k:10"]
        text.append("\n".join(lines) + "\n")
    folder = os.path.join(out, "noarch")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "APKINDEX.tar.gz")
    with tarfile.open(path, "w:gz", compresslevel=6,
                      format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "DESCRIPTION", b"bench")
        add(tar, "APKINDEX", ("\n".join(text) + "\n").encode())
    if shutil.which("apk"):
        with open(os.path.join(out, "bench.adb"), "wb") as f:
            subprocess.run(["apk", "--allow-untrusted", "convndx", path],
                           stdout=f, check=True)


def plist(value):
    if isinstance(value, dict):
        return "<dict>%s</dict>\n" % "".join(
            "<key>%s</key>%s" % (k, plist(v)) for k, v in sorted(value.items()))
    if isinstance(value, list):
        return "<array>%s</array>" % "".join(plist(v) for v in value)
    if isinstance(value, int):
        return "<integer>%d</integer>" % value
    return "<string>%s</string>" % escape(value)


def xbps(graph, out):
    def deps(wanted):
        lines = []
        for name, spec in wanted.items():
            bounds = "".join("%s%s_1" % b for b in parts(spec))
            lines.append(name + (bounds or ">=0"))
        return lines

    index = {}
    for p in newest(graph):
        item = {"architecture": "noarch", "pkgver": "%s-%s_1" % (p["name"], p["version"]),
                "short_desc": p["summary"], "homepage": p["homepage"],
                "license": p["license"], "maintainer": "bench <bench@example.org>",
                "build-date": "2026-01-01 00:00 UTC", "filename-sha256": p["sha256"],
                "filename-size": p["size"], "installed_size": p["unpacked"]}
        if p["requires"]:
            item["run_depends"] = deps(p["requires"])
        if p["conflicts"]:
            item["conflicts"] = deps(p["conflicts"])
        if p["provides"]:
            item["provides"] = ["%s-%s_1" % kv for kv in p["provides"].items()]
        index[p["name"]] = item
    head = ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC '
            '"-//Apple Computer//DTD PLIST 1.0//EN" '
            '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n')
    blob = (head + plist(index) + "</plist>\n").encode()
    empty = (head + plist({}) + "</plist>\n").encode()
    path = os.path.join(out, "%s-repodata" % platform.machine())
    with tarfile.open(path + ".tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "index.plist", blob)
        add(tar, "index-meta.plist", empty)
        add(tar, "stage.plist", empty)
    subprocess.run(["zstd", "-q", "-f", "--rm", "-9", path + ".tar", "-o", path], check=True)
    if shutil.which("xbps-rindex"):     # it takes no unsigned index from afar
        key = os.path.join(out, "key.pem")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], **quiet)
        subprocess.run(["xbps-rindex", "--privkey", key, "--sign", "--signedby", "bench",
                        out], env=dict(os.environ, XBPS_ARCH=platform.machine()), **quiet)


def composer(graph, out, served):
    # A lazy Composer repository can't find who provides a virtual package, so such a requirement
    # names the first provider here.
    provider, group = {}, {}
    for p in graph:
        for v in p["provides"]:
            provider.setdefault(v, p["name"])
        group.setdefault(p["name"], []).append(p)
    folder = os.path.join(out, "p2", "bench")
    os.makedirs(folder, exist_ok=True)
    for name, versions in group.items():
        full = "bench/" + name
        rows = []
        for p in reversed(versions):
            row = {"name": full, "version": p["version"],
                   "version_normalized": p["version"] + ".0", "type": "library",
                   "description": p["summary"], "license": [p["license"]],
                   "homepage": p["homepage"],
                   "dist": {"type": "zip", "url": "http://127.0.0.1/none.zip",
                            "shasum": ""},
                   "require": {"bench/" + provider.get(k, k): v.replace(" ", ", ")
                               for k, v in p["requires"].items()}}
            if p["conflicts"]:
                row["conflict"] = {"bench/" + k: v.replace(" ", ", ")
                                   for k, v in p["conflicts"].items()}
            rows.append(row)
        with open(os.path.join(folder, name + ".json"), "w") as f:
            json.dump({"packages": {full: rows}}, f, separators=(",", ":"))
    with open(os.path.join(out, "packages.json"), "w") as f:
        json.dump({"packages": [],
                   "metadata-url": "/%s/composer/p2/%%package%%.json" % served}, f)


WRITERS = {f.__name__: f for f in (pacman, apt, rpm, apk, xbps)}


def emit(folder, name, served):
    """FOLDER/graph.jsonl as FOLDER/NAME; the web server names the folder `served`."""
    out = os.path.join(folder, name)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    if name == "composer":
        composer(load(folder), out, served)
    else:
        WRITERS[name](load(folder), out)
