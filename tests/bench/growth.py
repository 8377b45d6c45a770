#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How time and memory of plugpkg grow: with versions, plugins, bytes, and downloads at once.

    growth.py WORK [--quick] [--rounds N] [--only versions,plugins,bytes,downloads] [--ram FOLDER]

  versions   1,000 to 1,000,000 versions in a repository: plans on a warm cache, refresh, first plans
  plugins    10 to 3,000 small plugins installed: queries, a plan of one more, switching generations
  bytes      1 to 1,000 MB in one archive, in four files that do not compress
  downloads  1, 4 and 16 at once of 100 small archives, each held for 50 ms before it comes

The last column says how wall time grew since the row before it: 0 not at all, 1 with the size, 2 with its
square. `make bench-growth` builds what this needs and runs it.
"""
import argparse
import json
import math
import os
import random
import shutil
import sys

import measure
import peers
import web
import work

SIZES = {
    "versions": [(200, 5), (2000, 5), (20000, 5), (100000, 10)],    # names, versions of each
    "plugins": [10, 100, 1000, 3000],
    "bytes": [1, 10, 100, 1000],
    "downloads": [1, 4, 16],
}
QUICK = {"versions": [(200, 5), (2000, 5)], "plugins": [10, 100], "bytes": [1, 10], "downloads": [1, 4, 16]}
MORE = "one-more"


def plugin(folder, name, files, requires=None):
    """A plugin's source: files are {path: bytes}."""
    os.makedirs(folder)
    for path, data in files.items():
        with open(folder + "/" + path, "wb") as f:
            f.write(data)
    with open(folder + "/plugin.json", "w") as f:
        json.dump({"name": name, "version": "1.0.0", "summary": "Plugin " + name, "license": "MIT",
                   "requires": requires or {}}, f)


class Growth:
    def __init__(self, args):
        self.args = args
        self.sizes = QUICK if args.quick else SIZES
        self.path = args.work + "/growth"
        self.folder = (args.ram or work.default_ram(args.work)) + "/plugpkg-growth-%d" % os.getpid()
        self.meter = measure.Meter(args.work)
        self.peer = peers.Plugpkg()
        self.tables = {}
        self.fresh = 0

    def close(self):
        self.meter.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def task(self, public, names=(), url=web.URL):
        self.fresh += 1
        base = "%s/%d" % (self.folder, self.fresh)
        os.makedirs(base)
        served = os.path.relpath(public, self.args.work)
        t = peers.Task(base, "%s/%s" % (url, served), public, "w2", list(names))
        self.peer.setup(t)
        return t

    def quiet(self, cmd):
        measure.quiet(cmd, measure.ours())

    def note(self, table, what, size, makes):
        """What a command costs; `makes` gives it anew for each round, after what it needs."""
        runs = []
        for number in range(self.args.rounds + 1):
            got, text = self.meter.cost(makes(), measure.ours(), together=number == self.args.rounds)
            if got.get("failed"):
                sys.exit("%s, %s: %s" % (what, size, text[-1500:]))
            runs.append(got)
        row = {"what": what, "size": size, "wall": measure.median(runs[:-1], "wall"),
               "cpu": measure.median(runs[:-1], "cpu"), "peak_mb": runs[0]["rss_kb"] / 1024,
               "together_mb": runs[-1]["together_kb"] / 1024}
        self.tables.setdefault(table, []).append(row)
        print("%-10s %-26s %9d %9.4f s  cpu %8.4f  %7.1f MiB" % (
            table, what, size, row["wall"], row["cpu"], row["peak_mb"]), flush=True)

    # ---- versions

    def versions(self):
        for names, each in self.sizes["versions"]:
            folder = "%s/versions-%d" % (self.path, names * each)
            work.make_graph(folder, names, each, 400, "0.15")
            if not os.path.exists(folder + "/plug/done"):
                work.publish_graph(folder, folder + "/plug")
                open(folder + "/plug/done", "w").close()
            self.plans(folder, names * each)

    def plans(self, folder, size):
        p = self.peer
        for which in ("one", "many"):
            t = self.task(folder + "/plug", work.request(folder, which))
            for cmd in (p.refresh(t), p.warm(t)):
                self.quiet(cmd)
            self.note("versions", "plan " + which, size, lambda: p.plan(t))
        self.note("versions", "refresh, nothing new", size, lambda: p.refresh(t))

        def from_nothing():
            p.forget(t)
            return p.refresh(t)

        def first():
            p.forget(t)
            self.quiet(p.refresh(t))
            return p.plan(t)

        self.note("versions", "update from nothing", size, from_nothing)
        self.note("versions", "first plan many after it", size, first)

    # ---- plugins

    def small(self):
        """A repository of small plugins, each of which needs one of the ten before it; and their names."""
        count = max(self.sizes["plugins"] + [100])
        folder, names = "%s/plugins-%d" % (self.path, count), ["p%04d" % i for i in range(count)]
        if not os.path.exists(folder + "/done"):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder + "/archives")
            for i, name in enumerate(names + [MORE]):
                files = {"f%d.txt" % k: (name * 200).encode() for k in range(4)}
                requires = {names[i - i % 10 - 1]: "^1"} if i >= 10 else {}
                self.build(folder, name, files, requires)
            self.publish(folder)
        return folder + "/publisher", names

    def build(self, folder, name, files, requires=None):
        shutil.rmtree(folder + "/source", ignore_errors=True)
        plugin(folder + "/source", name, files, requires)
        self.quiet([measure.program("plugpkg"), "build", "-q", "-o", folder + "/archives",
                    folder + "/source"])
        shutil.rmtree(folder + "/source")

    def publish(self, folder):
        repo = [measure.program("plugpkg-repo"), "--repo", folder + "/publisher", "-q"]
        self.quiet([repo[0], "init", folder + "/publisher", "--name", "bench"])
        found = sorted(os.listdir(folder + "/archives"))
        self.quiet(repo + ["add"] + [folder + "/archives/" + n for n in found])
        self.quiet(repo + ["publish"])
        shutil.rmtree(folder + "/archives")
        open(folder + "/done", "w").close()

    def plugins(self):
        public, names = self.small()
        p = self.peer
        for count in self.sizes["plugins"]:
            t = self.task(public, names[:count])
            for cmd in (p.refresh(t), p.install(t)):
                self.quiet(cmd)
            more = [measure.program("plugpkg"), "--root", t.root, "install", "--dry-run", MORE]
            self.quiet(p.base(t) + ["why-not", MORE])
            for what, cmd in (("list", p.listed(t)), ("show", p.show(t)),
                              ("upgrade, nothing to do", p.upgrade(t)),
                              ("sync, nothing to do", p.sync(t)), ("plan of one more", more)):
                self.note("plugins", what, count, lambda cmd=cmd: cmd)
            self.note("plugins", "switch: all come back", count, lambda: self.switch(t, 0, 1))
            self.note("plugins", "switch: all go", count, lambda: self.switch(t, 1, 0))

    def switch(self, t, first, then):
        if os.readlink(t.root + "/current") != "generations/%d" % first:
            self.quiet(self.peer.rollback(t, first))
        return self.peer.rollback(t, then)

    # ---- bytes

    def bytes(self):
        for size in self.sizes["bytes"]:
            folder, name = "%s/bytes-%d" % (self.path, size), "big-%dmb" % size
            if not os.path.exists(folder + "/done"):
                shutil.rmtree(folder, ignore_errors=True)
                os.makedirs(folder + "/archives")
                rng = random.Random(size)
                self.build(folder, name, {"f%d.bin" % k: rng.randbytes(size * 250000) for k in range(4)})
                self.publish(folder)
            self.install("bytes", "install one archive, MB", size, folder + "/publisher", [name])

    def install(self, table, what, size, public, names, url=web.URL, options=()):
        p, last = self.peer, []

        def fresh():
            for t in last:
                shutil.rmtree(t.base)
            last[:] = [self.task(public, names, url)]
            self.quiet(p.refresh(last[0]))
            return p.install(last[0]) + list(options)

        self.note(table, what, size, fresh)
        shutil.rmtree(last[0].base)

    # ---- downloads

    def downloads(self):
        public, names = self.small()
        proxy = web.SlowProxy(0.05, spread=False)
        try:
            for jobs in self.sizes["downloads"]:
                self.install("downloads", "install 100 at 50 ms", jobs, public, names[:100], web.SLOW_URL,
                             ["--jobs", str(jobs)])
        finally:
            proxy.close()


def text(tables):
    lines = []
    for table, rows in tables.items():
        lines += ["", "%-26s %9s %9s %9s %9s %9s %7s" % (table, "size", "wall s", "cpu s", "MiB", "MiB all",
                                                        "growth")]
        for what in dict.fromkeys(r["what"] for r in rows):
            last = None
            for r in (r for r in rows if r["what"] == what):
                grew = last and "%.2f" % (
                    math.log(r["wall"] / last["wall"]) / math.log(r["size"] / last["size"]))
                lines.append("%-26s %9d %9.4f %9.4f %9.1f %9.1f %7s" % (
                    what, r["size"], r["wall"], r["cpu"], r["peak_mb"], r["together_mb"], grew or ""))
                last = r
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("work")
    p.add_argument("--quick", action="store_true", help="the smaller sizes")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", default=",".join(SIZES))
    p.add_argument("--ram", help="a folder in memory; default: in /dev/shm")
    args = p.parse_args()
    args.work = os.path.abspath(args.work)
    g = Growth(args)
    try:
        with web.Nginx(args.work, args.work):
            for name in args.only.split(","):
                getattr(g, name)()
    finally:
        g.close()
        with open(args.work + "/growth.json", "w") as f:
            json.dump({"format": 1, "machine": measure.machine(), "rounds": args.rounds,
                       "tables": g.tables}, f, indent=1)
            f.write("\n")
        print(text(g.tables))


if __name__ == "__main__":
    main()
