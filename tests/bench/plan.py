#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long a plan takes, and how much memory, beside zypper and dnf on the same graph.

    plan.py WORK [--rounds N] [--names N] [--versions N] [--closure N]

WORK keeps the graph, the signed repository and the peers' metadata for the next run. Each round runs
every program once, in turn, so that a busy moment of the machine hits all of them. Times are from the
start of a cold process to its end, the plan printed; memory is the largest of the process and its
children. Peers that are not installed are left out and named. Needs python3 and nginx, run as root
(zypper and dnf want that), and on PATH the programs cost and publish-graph from this directory:
`make bench-plan` builds them and runs this.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = int(os.environ.get("BENCH_PORT", "8398"))
URL = "http://127.0.0.1:%d" % PORT


def run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.DEVNULL, **kw)


def prepare(a):
    graph = "%s/graph-%d-%d-%d" % (a.work, a.names, a.versions, a.closure)
    if not os.path.exists(graph + "/graph.jsonl"):
        run([sys.executable, HERE + "/gen-graph.py", "--capped", "0.15", "--names", str(a.names),
             "--versions", str(a.versions), "--closure", str(a.closure), graph])
    if not os.path.exists(graph + "/rpm"):
        run([sys.executable, HERE + "/rpm-index.py", graph])
    shutil.rmtree(graph + "/repo", ignore_errors=True)
    run(["plugpkg-repo", "init", graph + "/repo", "--name", "bench"])
    run(["publish-graph", graph + "/graph.jsonl", graph + "/repo", str(int(time.time()))])
    with open(graph + "/request-many.json") as f:
        return graph, json.load(f)["install"]


def serve(graph):
    folder = graph + "/nginx"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/nginx.conf", "w") as f:
        f.write("""daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1;
events {} http { access_log off; sendfile on; client_body_temp_path %s/t;
proxy_temp_path %s/t; fastcgi_temp_path %s/t; uwsgi_temp_path %s/t; scgi_temp_path %s/t;
server { listen 127.0.0.1:%d; root %s;
location /plugpkg/ { alias %s/repo/public/; } location /rpm/ { alias %s/rpm/; } } }
""" % ((folder,) * 7 + (PORT, graph, graph, graph)))
    # A user of its own reads nothing of root's, so it stays root.
    server = subprocess.Popen(["nginx", "-c", folder + "/nginx.conf", "-g", "user root;"])
    time.sleep(0.5)
    return server


class Plugpkg:
    name = "plugpkg"

    def __init__(self, graph, names):
        self.root = graph + "/root"
        self.names = names
        shutil.rmtree(self.root, ignore_errors=True)
        run(["plugpkg", "init", self.root])
        run(["plugpkg", "--root", self.root, "source", "add", "bench", URL + "/plugpkg/",
             "--key", graph + "/repo/public/metadata/1.root.json"])
        run(["plugpkg", "--root", self.root, "update"])
        # A dry run keeps nothing; a question keeps what it fetched.
        run(["plugpkg", "--root", self.root, "why-not"] + names)

    def forget(self):
        shutil.rmtree(self.root + "/var/cache")
        os.mkdir(self.root + "/var/cache")

    def plan(self):
        return ["plugpkg", "--root", self.root, "install", "--dry-run"] + self.names

    refresh = None


class Zypper:
    name = "zypper"

    def __init__(self, graph, names):
        self.root = graph + "/zypper"
        self.names = names
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        base = ["zypper", "--root", self.root, "-n", "-q", "--no-gpg-checks"]
        run(base + ["addrepo", "-G", "-f", URL + "/rpm/", "bench"], stderr=subprocess.DEVNULL)
        self.refresh = base + ["refresh"]
        run(self.refresh, stderr=subprocess.DEVNULL)

    def forget(self):
        shutil.rmtree(self.root + "/var/cache/zypp", ignore_errors=True)

    def plan(self):
        return ["zypper", "--root", self.root, "-n", "--no-gpg-checks", "--no-refresh", "install",
                "--no-recommends", "--dry-run"] + self.names


class Dnf:
    name = "dnf"

    def __init__(self, graph, names):
        self.root = graph + "/dnf"
        self.names = names
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        self.conf = graph + "/dnf.conf"
        with open(self.conf, "w") as f:
            f.write("[main]\ncachedir=/var/cache/dnf\nlogdir=/var/log\npersistdir=/var/lib/dnf\n"
                    "reposdir=/nonexistent\nplugins=0\ngpgcheck=0\nmetadata_expire=never\n"
                    "install_weak_deps=0\nmodule_platform_id=platform:x\n"
                    "[bench]\nname=bench\nbaseurl=%s/rpm/\n" % URL)
        base = ["dnf", "-c", self.conf, "--installroot", self.root, "--releasever", "1"]
        self.refresh = base + ["-y", "-q", "makecache", "--refresh"]
        self.base = base
        run(self.refresh, stderr=subprocess.DEVNULL)

    def forget(self):
        shutil.rmtree(self.root + "/var/cache/dnf", ignore_errors=True)

    def plan(self):
        return self.base + ["-C", "--assumeno", "install"] + self.names


def measure(args):
    """Wall seconds, processor seconds and peak KiB."""
    out = subprocess.run(["cost"] + args, stdout=subprocess.PIPE, text=True, check=True)
    wall, user, system, peak, status = out.stdout.split()
    # dnf --assumeno ends with 1 when it has a plan.
    if status != "0" and not (status == "1" and args[0] == "dnf"):
        sys.exit("status %s: %s" % (status, " ".join(args)))
    return float(wall), float(user) + float(system), int(peak)


def cold(peer):
    """Nothing cached: for peers the refresh counts, plugpkg fetches what the plan needs."""
    peer.forget()
    total = [0.0, 0.0, 0]
    for args in [peer.refresh] * (peer.refresh is not None) + [peer.plan()]:
        wall, cpu, peak = measure(args)
        total = [total[0] + wall, total[1] + cpu, max(total[2], peak)]
    return total


def main():
    p = argparse.ArgumentParser()
    p.add_argument("work")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--names", type=int, default=20000)
    p.add_argument("--versions", type=int, default=5)
    p.add_argument("--closure", type=int, default=400)
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    graph, names = prepare(a)
    server = serve(graph)
    try:
        peers = []
        for kind in (Plugpkg, Zypper, Dnf):
            if shutil.which(kind.name):
                peers.append(kind(graph, names))
            else:
                print("%s is not installed and left out" % kind.name)
        results = {}
        for how, fn in (("warm", lambda x: measure(x.plan())), ("cold", cold)):
            for peer in peers:
                fn(peer)
            for _ in range(a.rounds):
                for peer in peers:
                    results.setdefault((how, peer.name), []).append(fn(peer))
    finally:
        server.terminate()
    print("%d names, %d versions of each, %d asked for, closure of some %d; medians of %d rounds"
          % (a.names, a.versions, len(names), a.closure, a.rounds))
    print("%-6s %-8s %9s %9s %9s %10s %7s" % ("cache", "program", "wall ms", "best ms", "cpu ms",
                                             "peak MiB", "ratio"))
    for (how, name), rows in results.items():
        wall = statistics.median(r[0] for r in rows) * 1000
        own = statistics.median(r[0] for r in results[(how, "plugpkg")]) * 1000
        print("%-6s %-8s %9.1f %9.1f %9.1f %10.1f %7.1f" % (
            how, name, wall, min(r[0] for r in rows) * 1000,
            statistics.median(r[1] for r in rows) * 1000,
            max(r[2] for r in rows) / 1024, wall / own))


if __name__ == "__main__":
    main()
