#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a repository of very many versions costs: bytes, requests, rounds, time and memory.

    repo.py WORK [--names N] [--versions N] [--delay MS] [--json FILE]

Publishes a generated graph through the publisher's own code, serves it with nginx behind a proxy that
holds every request for so long, and measures an update from nothing, one with nothing new, first plans
with some 20 and some 400 dependencies, all that again after 1 % of the plugins changed, and one more
archive. Rounds of a plan are the batches of downloads that plugpkg tells of with --debug, counted in a
second run; an update asks for one file after the other. The proxy counts requests and bytes and holds each
for between 0.7 and 1.3 of the delay, so that those of one round do not end all at once. WORK keeps the
graph for the next run. `make bench-repo` builds what this needs and runs it for 20,000 x 5 and
100,000 x 10.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

import measure
import web
import work


def next_day(graph, out):
    """A further version of every hundredth plugin, behind those it has."""
    number, name, lines, same = 0, None, [], 0

    def finish(f):
        if name is None or number % 100 != 0 or any(g["provides"] for g in lines):
            return 0
        new = dict(lines[-1])
        major, minor, patch = new["version"].split(".")
        new["version"] = "%s.%s.%d" % (major, minor, int(patch) + 1)
        for g in lines + [new]:
            f.write(json.dumps(g, separators=(",", ":")) + "\n")
        return 1

    with open(graph) as f, open(out, "w") as to:
        for line in f:
            start = line[:line.index(",")]
            if start != name:
                same += finish(to)
                name, lines, number = start, [], number + 1
            if number % 100 == 0:
                lines.append(json.loads(line))
        same += finish(to)
    return same


class Bench:
    def __init__(self, a):
        self.a = a
        self.rows = []
        self.graph = "%s/repo/%d-%d" % (a.work, a.names, a.versions)
        work.make_graph(self.graph, a.names, a.versions, 400, "0.15")
        self.repo = self.graph + "/publisher"
        self.root = self.graph + "/root"
        self.meter = measure.Meter(a.work)
        self.proxy = web.SlowProxy()
        self.count = self.proxy.count

    def run(self, name, *args):
        return measure.quiet([measure.program(name), *args], measure.ours())

    def cost(self, cmd):
        got, text = self.meter.cost(cmd, measure.ours())
        if got.get("failed"):
            sys.exit("status %d: %s\n%s" % (got["code"], " ".join(cmd)[:300], text[-2000:]))
        return got["wall"], got["cpu"], got["rss_kb"]

    def note(self, what, costs, is_client=True):
        row = {"what": what, "delay_ms": int(self.proxy.delay * 1000), "wall_s": round(costs[0], 3),
               "cpu_s": round(costs[1], 3), "peak_mib": round(costs[2] / 1024, 1)}
        if is_client:
            row.update(requests=self.requests, rounds=self.rounds, bytes=self.bytes)
        self.rows.append(row)
        print("%-34s %5d %9.3f %8.3f %8.1f %9s %7s %10s" % (
            what, row["delay_ms"], row["wall_s"], row["cpu_s"], row["peak_mib"],
            row.get("requests", ""), row.get("rounds", ""), row.get("bytes", "")), flush=True)

    def client(self, what, *args):
        command = [measure.program("plugpkg"), "--root", self.root, *args]
        self.count.reset()
        costs = self.cost(command)
        self.requests, self.rounds, self.bytes = self.count.requests, self.count.requests, self.count.bytes
        if "--dry-run" in args: # which keeps nothing: a second one asks for the same
            told = subprocess.run(command + ["--debug"], env=measure.environment(measure.ours()),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  check=True).stderr
            self.rounds = told.count("debug: a round of downloads: ")
        self.note(what, costs)

    def publish(self):
        shutil.rmtree(self.repo, ignore_errors=True)
        self.run("plugpkg-repo", "init", self.repo, "--name", "bench")
        self.note("publish everything", self.cost([
            measure.program("publish-graph"), self.graph + "/graph.jsonl", self.repo, measure.NOW]), False)

    def publish_one(self, number):
        folder = self.graph + "/one"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(folder + "/plugin.json", "w") as f:
            json.dump({"name": "one-more", "version": "1.0.%d" % number, "summary": "One more",
                       "license": "MIT", "requires": {self.request("one")[0]: "*"}}, f)
        self.run("plugpkg", "build", "-o", self.graph, folder)
        self.run("plugpkg-repo", "--repo", self.repo, "add",
                 "%s/one-more-1.0.%d.plug" % (self.graph, number))
        self.note("publish one archive more", self.cost([
            measure.program("plugpkg-repo"), "--repo", self.repo, "publish"]), False)

    def request(self, which):
        return work.request(self.graph, which)

    def fresh_root(self):
        shutil.rmtree(self.root, ignore_errors=True)
        self.run("plugpkg", "init", self.root)
        self.run("plugpkg", "--root", self.root, "source", "add", "bench", web.SLOW_URL + "/", "--key",
                 self.repo + "/public/metadata/1.root.json")

    def forget(self):
        """As after `source add`, with nothing of the index there."""
        shutil.rmtree(self.root + "/var/cache")
        os.mkdir(self.root + "/var/cache")
        for name in ("timestamp", "snapshot", "targets", "index"):
            path = "%s/var/trust/bench/%s.json" % (self.root, name)
            if os.path.exists(path):
                os.remove(path)

    def plans(self, when):
        self.client("first plan of some 20, " + when, "install", "--dry-run", *self.request("one"))
        self.client("first plan of some 400, " + when, "install", "--dry-run", *self.request("many"))

    def clients(self, delay):
        self.proxy.delay = delay / 1000
        self.fresh_root()
        self.forget()
        self.client("update from nothing", "update")
        self.plans("fresh")
        self.client("update with nothing new", "update")

    def yesterday(self, delay):
        self.proxy.delay = delay / 1000
        # A question keeps what it fetched, a dry run does not.
        for which in ("many", "one"):
            self.run("plugpkg", "--root", self.root, "why-not", *self.request(which))
        n = next_day(self.graph + "/graph.jsonl", self.graph + "/next-day.jsonl")
        self.note("publish %d versions more" % n, self.cost([
            measure.program("publish-graph"), self.graph + "/next-day.jsonl", self.repo, measure.NOW]),
            False)
        self.client("update from yesterday's", "update")
        self.plans("1 % new")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("work")
    p.add_argument("--names", type=int, default=20000)
    p.add_argument("--versions", type=int, default=5)
    p.add_argument("--delay", type=int, default=50)
    p.add_argument("--json")
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    b = Bench(a)
    print("%d plugins, %d versions of each; bytes with the heads of answers" % (a.names, a.versions))
    print("%-34s %5s %9s %8s %8s %9s %7s %10s" % ("", "delay", "wall s", "cpu s", "MiB", "requests",
                                                  "rounds", "bytes"))
    b.publish()
    with web.Nginx(b.repo + "/public", b.graph):
        b.clients(0)
        b.clients(a.delay)
        b.yesterday(a.delay)
        b.publish_one(1)
        b.publish_one(2)
    b.proxy.close()
    b.meter.close()
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"names": a.names, "versions": a.versions, "rows": b.rows}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
