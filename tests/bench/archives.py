# SPDX-License-Identifier: MIT
"""Packs the trees of gen_tree.py for plugpkg and each peer, and indexes them.

v1 becomes a repository of all packages, v2 one in which the upgraded packages are newer (the other files
are hard links).

  plain     NAME-VERSION.tar.gz and .tar.zst, for the limits
  plug      .plug and a published repository   (plugpkg, plugpkg-repo of the build)
  pacman    .pkg.tar.zst and bench.db          (tar, zstd, repo-add, bsdtar)
  apk       .apk (v3, deflate) and bench.adb   (apk)
  xbps      .xbps and repodata, signed         (xbps-create, xbps-rindex, openssl)
  deb       .deb (zstd) and Packages           (dpkg-deb, dpkg-scanpackages)
  rpm       .rpm (zstd) and repodata           (rpmbuild, createrepo_c)
  composer  .zip and packages.json             (zip)
"""
import concurrent.futures
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

import emit_index
import measure
import web

PREFIX = "opt/host/plugins"
EPOCH = "1767225600"


def sh(*args, **kw):
    kw.setdefault("stdout", subprocess.DEVNULL)
    kw.setdefault("stderr", subprocess.DEVNULL)
    try:
        subprocess.run(args, check=True, **kw)
    except subprocess.CalledProcessError as err:
        sys.exit("failed: %s" % " ".join(map(str, err.cmd))[:400])


def stage(p):
    """A root folder with hard links of one package's files."""
    root = tempfile.mkdtemp(dir=p["scratch"])
    os.chmod(root, 0o755)
    os.makedirs(os.path.join(root, PREFIX))
    sh("cp", "-al", p["tree"], os.path.join(root, PREFIX, p["name"]))
    return root


def tar(root, out, compressor, first=()):
    names = list(first) + sorted(set(os.listdir(root)) - set(first))
    with open(out, "wb") as f:
        a = subprocess.Popen(["tar", "--owner=0", "--group=0", "--numeric-owner",
                              "--sort=name", "--mtime=@" + EPOCH, "-C", root,
                              "-cf", "-"] + names, stdout=subprocess.PIPE)
        subprocess.run(compressor, stdin=a.stdout, stdout=f, check=True)
        if a.wait():
            sys.exit("tar failed")


def deps(p, form, joint=" "):
    return joint.join(emit_index.terms(p["requires"], form))


def plain(p):
    root = stage(p)
    full = "%s-%s" % (p["name"], p["version"])
    with open(os.path.join(root, "plugin.json"), "w") as f:
        json.dump({k: p[k] for k in ("name", "version", "summary", "requires")}, f)
    base = os.path.join(p["out"], full)
    tar(root, base + ".tar.gz", ["gzip", "-n", "-6"], ["plugin.json"])
    tar(root, base + ".tar.zst", ["zstd", "-q", "-3", "-c"], ["plugin.json"])
    return root


def pacman(p):
    root = stage(p)
    lines = ["pkgname = " + p["name"], "pkgbase = " + p["name"],
             "pkgver = %s-1" % p["version"], "pkgdesc = " + p["summary"],
             "url = " + p["homepage"], "builddate = " + EPOCH, "packager = bench",
             "size = %d" % p["unpacked"], "arch = any", "license = MIT"]
    lines += ["depend = " + d for d in emit_index.terms(p["requires"], "%s%s%s")]
    with open(os.path.join(root, ".PKGINFO"), "w") as f:
        f.write("\n".join(lines) + "\n")
    tar(root, os.path.join(p["out"], "%s-%s-1-any.pkg.tar.zst" % (p["name"], p["version"])),
        ["zstd", "-q", "-3", "-c"], [".PKGINFO"])
    return root


def apk(p):
    root = stage(p)
    args = ["apk", "mkpkg", "-F", root, "-o", os.path.join(
        p["out"], "%s-%s-r0.apk" % (p["name"], p["version"]))]
    info = {"name": p["name"], "version": p["version"] + "-r0", "arch": "noarch",
            "description": p["summary"], "license": "MIT", "url": p["homepage"],
            "origin": p["name"]}
    if p["requires"]:
        info["depends"] = deps(p, "%s%s%s")
    for k, v in info.items():
        args += ["-I", "%s:%s" % (k, v)]
    sh(*args)
    return root


def xbps(p):
    root = stage(p)
    args = ["xbps-create", "-A", "noarch", "-n", "%s-%s_1" % (p["name"], p["version"]),
            "-s", p["summary"], "-q"]
    if p["requires"]:
        args += ["-D", " ".join(
            k + "".join("%s%s_1" % b for b in emit_index.parts(v))
            for k, v in p["requires"].items())]
    sh(*args, root, cwd=p["out"])
    return root


def deb(p):
    root = stage(p)
    os.mkdir(os.path.join(root, "DEBIAN"))
    text = ("Package: %(name)s\nVersion: %(version)s\nArchitecture: all\n"
            "Maintainer: bench <bench@example.org>\nDescription: %(summary)s\n"
            "Priority: optional\nSection: misc\n" % p)
    if p["requires"]:
        text += "Depends: %s\n" % deps(p, "%s (%s %s)", ", ").replace("(< ", "(<< ")
    with open(os.path.join(root, "DEBIAN", "control"), "w") as f:
        f.write(text)
    sh("dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "-b", root, os.path.join(
        p["out"], "%s_%s_all.deb" % (p["name"], p["version"])))
    return root


def plug(p):
    root = tempfile.mkdtemp(dir=p["scratch"])
    sh("cp", "-al", p["tree"] + "/.", root)
    with open(os.path.join(root, "plugin.json"), "w") as f:
        json.dump({k: p[k] for k in ("name", "version", "summary", "license", "homepage", "requires")}, f)
    measure.quiet([measure.program("plugpkg"), "build", "-q", "-o", p["out"], root], measure.ours())
    return root


def composer(p):
    with open(os.path.join(p["tree"], "..", "%s.composer" % p["name"]), "w") as f:
        json.dump({"name": "bench/" + p["name"], "version": p["version"],
                   "type": "library"}, f)
    root = tempfile.mkdtemp(dir=p["scratch"])
    folder = os.path.join(root, p["name"])
    sh("cp", "-al", p["tree"], folder)
    shutil.move(os.path.join(p["tree"], "..", "%s.composer" % p["name"]),
                os.path.join(folder, "composer.json"))
    sh("zip", "-q", "-r", "-X", os.path.join(
        p["out"], "%s-%s.zip" % (p["name"], p["version"])), p["name"], cwd=root)
    return root


def rpm_all(rows, out, scratch):
    """One spec with a subpackage for each package: one rpmbuild run."""
    top = os.path.join(scratch, "rpm")
    tree = os.path.join(scratch, "rpmtree")
    os.makedirs(os.path.join(tree, PREFIX))
    spec = ["Name: bench-set", "Version: 1", "Release: 1", "Summary: bench",
            "License: MIT", "BuildArch: noarch", "AutoReqProv: no",
            "%description", "bench"]
    files = []
    for p in rows:
        sh("cp", "-al", p["tree"], os.path.join(tree, PREFIX, p["name"]))
        spec += ["%package -n " + p["name"], "Version: " + p["version"],
                 "Release: 1", "Summary: " + p["summary"], "AutoReqProv: no"]
        spec += ["Requires: " + t for t in emit_index.terms(p["requires"], "%s %s %s")]
        spec += ["%description -n " + p["name"], p["summary"]]
        files += ["%files -n " + p["name"], "/%s/%s" % (PREFIX, p["name"])]
    spec += ["%install", "rm -rf %{buildroot}", "cp -a %s %%{buildroot}" % tree] + files
    path = os.path.join(scratch, "bench.spec")
    with open(path, "w") as f:
        f.write("\n".join(spec) + "\n")
    sh("rpmbuild", "-bb", "--define", "_topdir " + top,
       "--define", "_binary_payload w3.zstdio", "--define", "debug_package %{nil}",
       "--define", "__os_install_post %{nil}", "--define", "_rpmdir " + out,
       "--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm", path)


def publish(folder, rows):
    """A publisher's directory of its own, served from public/; v2 is v1 some time later."""
    repo = [measure.program("plugpkg-repo"), "-q"]
    if folder.endswith("/v2"):
        before = folder[:-1] + "1"
        for name in os.listdir(before):
            if not name.endswith(".plug"):
                sh("cp", "-a", os.path.join(before, name), folder)
    else:
        measure.quiet(repo + ["init", folder + ".new", "--name", "bench"], measure.ours())
        for name in os.listdir(folder + ".new"):
            os.rename(os.path.join(folder + ".new", name), os.path.join(folder, name))
        os.rmdir(folder + ".new")
    archives = [os.path.join(folder, "%s-%s.plug" % (p["name"], p["version"])) for p in rows]
    measure.quiet(repo + ["--repo", folder, "add"] + archives, measure.ours())
    measure.quiet(repo + ["--repo", folder, "publish"], measure.ours())


def index(kind, folder, args_key):
    run = {"cwd": folder}
    names = sorted(os.listdir(folder))
    if kind == "pacman":
        sh("repo-add", "-q", "bench.db.tar.gz",
           *[n for n in names if n.endswith(".zst")], **run)
        os.replace(os.path.join(folder, "bench.db.tar.gz"), os.path.join(folder, "bench.db"))
    elif kind == "apk":
        sh("apk", "--allow-untrusted", "mkndx", "-o", "bench.adb",
           *[n for n in names if n.endswith(".apk")], **run)
    elif kind == "xbps":
        found = [n for n in names if n.endswith(".xbps")]
        sh("xbps-rindex", "-a", *[os.path.join(folder, n) for n in found], **run)
        sh("xbps-rindex", "--privkey", args_key, "--sign", "--signedby", "bench", folder)
        sh("xbps-rindex", "--privkey", args_key, "--sign-pkg",
           *[os.path.join(folder, n) for n in found])
    elif kind == "deb":
        data = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=folder, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        text = "Origin: bench\nSuite: bench\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
        for name, blob in (("Packages", data), ("Packages.gz", gzip.compress(data, 6, mtime=0))):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(blob)
            text += " %s %d %s\n" % (hashlib.sha256(blob).hexdigest(), len(blob), name)
        with open(os.path.join(folder, "Release"), "w") as f:
            f.write(text)
    elif kind == "rpm":
        sh("createrepo_c", "-q", ".", **run)


def composer_index(folder, rows, url):
    packages = {}
    for p in rows:
        name = "%s-%s.zip" % (p["name"], p["version"])
        with open(os.path.join(folder, name), "rb") as f:
            digest = hashlib.sha1(f.read()).hexdigest()
        full = "bench/" + p["name"]
        packages[full] = {p["version"]: {
            "name": full, "version": p["version"], "type": "library",
            "dist": {"type": "zip", "shasum": digest,
                     "url": "%s/%s" % (url, name)},
            "require": {"bench/" + k: v.replace(" ", ", ")
                        for k, v in p["requires"].items()}}}
    with open(os.path.join(folder, "packages.json"), "w") as f:
        json.dump({"packages": packages}, f)


NEEDS = {"plain": ["zstd"], "pacman": ["zstd", "repo-add", "bsdtar"], "apk": ["apk"],
         "xbps": ["xbps-create", "xbps-rindex", "openssl"],
         "deb": ["dpkg-deb", "dpkg-scanpackages"],
         "rpm": ["rpmbuild", "createrepo_c"], "composer": ["zip"], "plug": []}


def upgraded_with_links(kind, out, rows):
    """What v2 shares with v1, linked."""
    newer = {p["name"] for p in rows["v2"]}
    for p in rows["v1"]:
        if p["name"] in newer:
            continue
        for name in os.listdir(os.path.join(out, kind, "v1")):
            if name.startswith((p["name"] + "-1", p["name"] + "_1")):
                os.link(os.path.join(out, kind, "v1", name), os.path.join(out, kind, "v2", name))


def pack(kind, work, folder, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    if kind == "rpm":
        return rpm_all(work, folder, scratch)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for root in pool.map(globals()[kind], [dict(p, out=folder) for p in work], chunksize=8):
            shutil.rmtree(root)


def missing(kind):
    """The programs that making archives of this kind lacks."""
    return [t for t in NEEDS.get(kind, ()) if not shutil.which(t)]


def build(trees, out, kind, served):
    """OUT/KIND/v1 and v2 of gen_tree.py's folder; the web server names OUT `served`."""
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    os.environ["XBPS_ARCH"] = platform.machine()
    shutil.rmtree(os.path.join(out, kind), ignore_errors=True)
    os.makedirs(os.path.join(out, kind))
    key, scratch, rows = os.path.join(out, "key.pem"), os.path.join(out, "scratch"), {}
    if not os.path.exists(key):
        sh("openssl", "genrsa", "-out", key, "2048")
    for label in ("v1", "v2"):
        with open(os.path.join(trees, "packages-%s.jsonl" % label)) as f:
            rows[label] = [json.loads(line) for line in f]
        for p in rows[label]:
            p.update(tree=os.path.join(trees, label, p["name"]), scratch=scratch)
    for label in ("v1", "v2"):
        folder = os.path.join(out, kind, label)
        os.makedirs(folder)
        pack(kind, rows[label], folder, scratch)
        if label == "v2":
            upgraded_with_links(kind, out, rows)
        if kind == "composer":
            newer = {p["name"]: p for p in rows[label]}
            composer_index(folder, [newer.get(p["name"], p) for p in rows["v1"]],
                           "%s/%s/composer/%s" % (web.URL, served, label))
        elif kind == "plug":
            publish(folder, rows[label])
        elif kind != "plain":
            index(kind, folder, key)
    shutil.rmtree(scratch, ignore_errors=True)
