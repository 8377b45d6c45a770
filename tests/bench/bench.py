#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure plugpkg beside other package managers and bare limits, all in one run.

    bench.py WORK [--rounds N] [--quick] [--groups plan,install,query,change,publish]
             [--peers a,b] [--ram FOLDER] [--disk FOLDER] [--chart FILE.svg] [--prepare]

WORK keeps the generated workloads (about 3 GB; some minutes to make: --prepare makes those of plugpkg
anew and what else is missing, and ends) and takes results.json, results.txt, chart.svg and, for the
README, chart.txt. What is installed goes below --ram, a memory file system; with --disk, which may be
WORK, the installation is measured there too, with everything on the disk at the end. Each round runs
every program once, in turn, so that a busy moment of the machine hits all of them; a last round that is
not timed takes the memory of all processes together. Peers that are not installed are left out and named.
`make bench BENCH_FLAGS=…` builds what this needs and runs it; README in this directory tells the rest.
"""
import argparse
import json
import os
import shutil
import sys

import chart
import measure
import peers
import plans
import report
import trees
import web
import work

GROUPS = ("plan", "install", "query", "change", "publish")


class Bench:
    """What the groups share: the options, the meter, and the results by case and name."""

    def __init__(self, args):
        self.args, self.results, self.is_memory = args, {}, False
        self.work = work.Work(args.work, args.size)
        self.meter = measure.Meter(self.work.path)
        self.left_out = []
        wanted = args.peers.split(",") if args.peers else None
        self.peers, self.limits = [], wanted is None or "limits" in wanted
        for p in peers.PEERS:
            if wanted is not None and p.name not in wanted:
                continue
            why = "no " + ", ".join(p.missing()) if p.missing() else ""
            if not why and p.needs_root and os.geteuid() != 0:
                why = "wants root"
            if why:
                self.left_out.append("%s (%s)" % (p.name, why))
            else:
                self.peers.append(p)

    def run(self, case, label, cmd, env=None, codes=(0,), ok=None):
        """One command of one round; `ok` says whether it did what it should."""
        got, text = self.meter.cost(cmd, env or {}, codes, together=self.is_memory)
        if not got.get("failed") and ok is not None and not ok():
            self.meter.failed(cmd, "did not do its work", text)
            got["failed"] = True
        if case is not None:
            self.note(case, label, got)
        return got

    def note(self, case, label, *runs):
        """What the commands in `runs` cost one after the other."""
        sums = {k: sum(r[k] for r in runs) for k in ("wall", "user", "sys", "cpu")}
        tops = {k: max(r[k] for r in runs) for k in ("rss_kb", "together_kb")}
        total = dict(sums, **tops, failed=any(r.get("failed") for r in runs))
        kind = "memory" if self.is_memory else "runs"
        self.results.setdefault(case, {}).setdefault(label, {"runs": [], "memory": []})[kind].append(total)
        if self.args.verbose or total["failed"]:
            print("%-16s %-20s %9.4f s  cpu %8.4f  %7.1f MiB%s" % (
                case, label, total["wall"], total["cpu"], total["rss_kb"] / 1024,
                "  FAILED" if total["failed"] else ""), flush=True)

    def rounds(self, name, steps):
        for number in range(self.args.rounds + (0 if self.args.no_memory else 1)):
            self.is_memory = number == self.args.rounds
            print("%s: %s" % (name, "memory" if self.is_memory else "round %d of %d" % (
                number + 1, self.args.rounds)), file=sys.stderr, flush=True)
            for step in steps:
                step()
        self.is_memory = False


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("work")
    p.add_argument("--rounds", type=int, help="default: 7, with --quick 2")
    p.add_argument("--size", default="full", choices=work.SIZES)
    p.add_argument("--quick", dest="size", action="store_const", const="quick",
                   help="small sizes: something to see in two minutes")
    p.add_argument("--groups", default=",".join(GROUPS))
    p.add_argument("--peers", help="of %s, limits; default: all" % ", ".join(p.name for p in peers.PEERS))
    p.add_argument("--ram", help="a folder in memory; default: in /dev/shm")
    p.add_argument("--disk", help="measure installation on that disk, too")
    p.add_argument("--chart", help="default: WORK/chart.svg")
    p.add_argument("--prepare", action="store_true",
                   help="make our own workloads anew and those that are missing, and measure nothing")
    p.add_argument("--no-memory", action="store_true", help="leave out the last round")
    p.add_argument("--verbose", action="store_true", help="print each run")
    a = p.parse_args()
    for group in set(a.groups.split(",")) - set(GROUPS):
        p.error("no group '%s': it is one of %s" % (group, ", ".join(GROUPS)))
    a.rounds = a.rounds or (7 if a.size == "full" else 2)
    return a


def save(b):
    """After each group, so that a run that was broken off is not lost."""
    out = report.collect(b)
    with open(b.work.path + "/results.json", "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")
    text = report.text(out)
    with open(b.work.path + "/results.txt", "w") as f:
        f.write(text)
    with open(b.args.chart or b.work.path + "/chart.svg", "w") as f:
        f.write(chart.svg(out))
    with open(b.work.path + "/chart.txt", "w") as f:
        f.write(chart.text(out))
    return text


def main():
    args = parse()
    b = Bench(args)
    if args.prepare and "plugpkg" in [p.name for p in b.peers]:
        b.work.forget("plug")
    b.work.prepare(args.groups.split(","), b.peers, b.limits)
    if args.prepare:
        print("left out: " + (", ".join(b.left_out) or "none"))
        return
    ram = (args.ram or work.default_ram(args.work)) + "/plugpkg-bench-%d" % os.getpid()
    disk = args.disk and args.disk + "/plugpkg-bench-%d" % os.getpid()
    try:
        with web.Nginx(b.work.path, b.work.path):
            in_ram = trees.Trees(b, ram, False)
            makers = {"plan": plans.Plans(b, ram).steps, "query": in_ram.query_steps,
                      "change": in_ram.change_steps, "publish": in_ram.publish_steps,
                      "install": in_ram.install_steps}
            for group in args.groups.split(","):
                b.rounds(group, makers[group]())
                shutil.rmtree(ram, ignore_errors=True)
                save(b)
            if disk and "install" in args.groups:
                b.rounds("install on disk", trees.Trees(b, disk, True).install_steps())
    finally:
        b.meter.close()
        for folder in (ram, disk):
            shutil.rmtree(folder or "", ignore_errors=True)
    print(save(b))


if __name__ == "__main__":
    main()
