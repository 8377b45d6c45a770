# SPDX-License-Identifier: MIT
"""The workloads, made once from one seed and kept: graphs, trees, archives, published repositories."""
import json
import os
import shutil
import sys

import archives
import emit_index
import gen_graph
import gen_tree
import measure

SEED = "1"
# names, versions of each, plugins that a plan of many needs
FULL = {"graph": (20000, 5, 400), "tree": (300, 40, 100)}
QUICK = {"graph": (1000, 3, 150), "tree": (30, 40, 10)}


def default_ram(path):
    """A folder in memory; where there is none, `path`."""
    return next((f for f in ("/dev/shm", "/run/user/%d" % os.getuid()) if os.access(f, os.W_OK)), path)


def publish_graph(folder, out):
    """The graph in `folder` as a signed repository: rows only, no archives behind them."""
    shutil.rmtree(out, ignore_errors=True)
    measure.quiet([measure.program("plugpkg-repo"), "init", out, "--name", "bench"], measure.ours())
    measure.quiet([measure.program("publish-graph"), folder + "/graph.jsonl", out, measure.NOW],
                  measure.ours())


def make_graph(folder, names, versions, closure, capped=None):
    if not os.path.exists(folder + "/graph.jsonl"):
        gen_graph.main(["--names", str(names), "--versions", str(versions), "--closure", str(closure),
                        "--seed", SEED, *(["--capped", capped] if capped else []), folder])


def request(folder, which):
    with open("%s/request-%s.json" % (folder, which)) as f:
        return json.load(f)["install"]


class Work:
    """Below `path`; what is there is taken as it is, so delete it after a change of the generators."""

    def __init__(self, path, is_quick):
        self.path = os.path.abspath(path)
        self.size = QUICK if is_quick else FULL
        self.label = "quick" if is_quick else "full"
        self.graphs = {k: "%s/%s/w1/%s" % (self.path, self.label, k) for k in ("flat", "capped")}
        self.tree = "%s/%s/tree" % (self.path, self.label)
        self.repo = "%s/%s/repo" % (self.path, self.label)

    def relative(self, path):
        """As the web server names it."""
        return os.path.relpath(path, self.path)

    def prepare(self, groups, chosen):
        if "plan" in groups:
            for name, folder in self.graphs.items():
                self.prepare_graph(folder, "0.15" if name == "capped" else None, chosen)
        if set(groups) - {"plan"}:
            self.prepare_trees({p.archives for p in chosen} | {"plain"})

    def prepare_graph(self, folder, capped, chosen):
        make_graph(folder, *self.size["graph"], capped)
        for name in sorted({p.graph for p in chosen if p.graph} | {"composer", "rpm"}):
            out = folder + "/" + name
            if os.path.exists(out + "/done"):
                continue
            print("making %s" % out, file=sys.stderr, flush=True)
            if name == "plug":
                publish_graph(folder, out)
            else:
                emit_index.emit(folder, name, self.relative(folder))
            open(out + "/done", "w").close()

    def prepare_trees(self, formats):
        packages, files, upgraded = self.size["tree"]
        if not os.path.exists(self.tree + "/packages-v2.jsonl"):
            gen_tree.main(["--packages", str(packages), "--files", str(files), "--upgraded", str(upgraded),
                           "--seed", SEED, self.tree])
        for kind in sorted(f for f in formats if f):
            done = "%s/%s/done" % (self.repo, kind)
            if not os.path.exists(done):
                print("making %s archives" % kind, file=sys.stderr, flush=True)
                archives.build(self.tree, self.repo, kind, self.relative(self.repo))
                open(done, "w").close()

    def packages(self, label="v1"):
        with open("%s/packages-%s.jsonl" % (self.tree, label)) as f:
            return [json.loads(line) for line in f]
