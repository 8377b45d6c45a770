#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count instructions and system calls of fixed workloads: figures that no busy machine moves.

    count.py WORK [--quick] [--ram FOLDER]

Instructions are those of plugpkg itself, by valgrind, in which SHA-256 runs without the processor's help; its
helpers for archives keep system calls to themselves that valgrind does not know, so they run outside.
System calls are those of all processes, by strace; "own" is what is left when as many as --version makes are
taken off. `make bench-count` builds what this needs and runs it.
"""
import argparse
import json
import os
import shutil

import measure
import peers
import web
import work


class Counter:
    def __init__(self, args):
        self.work = work.Work(args.work, "quick" if args.quick else "full")
        self.folder = (args.ram or work.default_ram(args.work)) + "/plugpkg-count-%d" % os.getpid()
        self.meter = measure.Meter(args.work)
        self.peer = peers.Plugpkg()
        self.rows = {}
        self.how = None

    def task(self, label, kind, served, names):
        base = "%s/%s-%s" % (self.folder, label, self.how)
        os.makedirs(base)
        t = peers.Task(base, "%s/%s" % (web.URL, self.work.relative(served)), served, kind, names)
        self.peer.setup(t)
        measure.quiet(self.peer.refresh(t), self.peer.environ(t))
        return t

    def count(self, title, cmd):
        got = getattr(self.meter, self.how)(cmd, measure.ours())
        self.rows.setdefault(title, {})[self.how] = got
        n = sum(got.values()) if isinstance(got, dict) else got
        print("%-28s %-14s %s" % (title, self.how, n), flush=True)

    def start(self):
        self.count("start (--version)", [measure.program("plugpkg"), "--version"])

    def plans(self):
        for which in ("one", "many"):
            folder = self.work.graphs["flat"]
            t = self.task("plan-" + which, "w1", folder + "/plug", work.request(folder, which))
            measure.quiet(self.peer.warm(t), self.peer.environ(t))
            self.count("plan " + which, self.peer.plan(t))

    def trees(self):
        p, repo = self.peer, self.work.repo + "/plug"
        t = self.task("tree", "w2", repo + "/v1", [x["name"] for x in self.work.packages()])
        self.count("install all", p.install(t))
        for title, cmd in (
                ("list", p.listed(t)), ("show", p.show(t)), ("upgrade, nothing to do", p.upgrade(t)),
                ("install what is there", p.again(t)), ("sync, nothing to do", p.sync(t)),
                ("refresh, nothing new", p.refresh(t)), ("rollback, all go", p.rollback(t, 0)),
                ("rollback, all come back", p.rollback(t, 1))):
            self.count(title, cmd)
        p.repoint(t, "%s/%s" % (web.URL, self.work.relative(repo + "/v2")))
        measure.quiet(p.refresh(t), p.environ(t))
        self.count("upgrade a third", p.upgrade(t))
        self.count("clean after it", p.clean(t))
        self.count("remove all", p.remove(t))
        self.count("clean after it all", p.clean(t))

    def publish(self):
        p, source = self.peer, self.work.repo + "/plug/"
        t = peers.Task("%s/publish-%s" % (self.folder, self.how), "", source + "v1", "w2", [])
        repo = p.repo(t)
        measure.quiet([repo[0], "init", t.base + "/publisher", "--name", "bench"], measure.ours())
        one = sorted(n for n in os.listdir(source + "v2") if n.endswith("-1.1.0.plug"))[0]
        self.count("publish all: add", repo + ["add", *t.all_files(".plug")])
        self.count("publish all: publish", repo + ["publish"])
        self.count("publish one: add", repo + ["add", source + "v2/" + one])
        self.count("publish one: publish", repo + ["publish"])


def table(rows):
    start = sum((rows["start (--version)"].get("system_calls") or {}).values())
    lines = ["%-26s %14s %9s %9s  %s" % ("", "M instructions", "calls", "own", "most of them")]
    for title, row in rows.items():
        calls = row.get("system_calls") or {}
        most = sorted(calls.items(), key=lambda c: -c[1])[:5]
        instructions = row.get("instructions")
        lines.append("%-26s %14s %9s %9s  %s" % (
            title, "%.2f" % (instructions / 1e6) if instructions else "-",
            sum(calls.values()) if calls else "-", sum(calls.values()) - start if calls else "-",
            ", ".join("%s %d" % c for c in most)))
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("work")
    p.add_argument("--quick", action="store_true", help="small sizes")
    p.add_argument("--ram", help="a folder in memory; default: in /dev/shm")
    args = p.parse_args()
    args.work = os.path.abspath(args.work)
    c = Counter(args)
    c.work.prepare(("plan", "install"), [c.peer], False)
    how = [h for h, tool in (("instructions", "valgrind"), ("system_calls", "strace")) if shutil.which(tool)]
    try:
        with web.Nginx(c.work.path, c.work.path):
            for c.how in how:
                c.start()
                c.plans()
                c.trees()
                c.publish()
    finally:
        c.meter.close()
        shutil.rmtree(c.folder, ignore_errors=True)
    print("\n" + table(c.rows))
    with open(args.work + "/counts.json", "w") as f:
        json.dump({"format": 1, "machine": measure.machine(), "workload": c.work.label, "rows": c.rows}, f,
                  indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
