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
SIZES = {
    "full": {"graph": (20000, 5, 400), "tree": (300, 40, 100)},
    "quick": {"graph": (1000, 3, 150), "tree": (30, 40, 10)},
    "tiny": {"graph": (100, 2, 30), "tree": (3, 4, 1)},
}


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

    def __init__(self, path, label):
        self.path, self.label, self.size = os.path.abspath(path), label, SIZES[label]
        self.graphs = {k: "%s/%s/w1/%s" % (self.path, self.label, k) for k in ("flat", "capped")}
        self.tree = "%s/%s/tree" % (self.path, self.label)
        self.repo = "%s/%s/repo" % (self.path, self.label)

    def forget(self, kind):
        for folder in (*self.graphs.values(), self.repo):
            shutil.rmtree("%s/%s" % (folder, kind), ignore_errors=True)

    def relative(self, path):
        """As the web server names it."""
        return os.path.relpath(path, self.path)

    def prepare(self, groups, chosen, with_limits):
        if "plan" in groups:
            formats = {p.graph for p in chosen if p.graph} | ({"composer", "rpm"} if with_limits else set())
            for name, folder in self.graphs.items():
                self.prepare_graph(folder, "0.15" if name == "capped" else None, formats)
        if set(groups) - {"plan"}:
            formats = {p.archives for p in chosen if p.archives} | ({"plain"} if with_limits else set())
            self.prepare_trees(formats)

    def prepare_graph(self, folder, capped, formats):
        make_graph(folder, *self.size["graph"], capped)
        for name in sorted(formats):
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
        for kind in sorted(formats):
            done = "%s/%s/done" % (self.repo, kind)
            if not os.path.exists(done):
                print("making %s archives" % kind, file=sys.stderr, flush=True)
                archives.build(self.tree, self.repo, kind, self.relative(self.repo))
                open(done, "w").close()

    def packages(self, label="v1"):
        with open("%s/packages-%s.jsonl" % (self.tree, label)) as f:
            return [json.loads(line) for line in f]
