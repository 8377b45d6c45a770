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
graph for the next run. Needs python3 and nginx, and on PATH the programs cost and publish-graph:
`make bench-repo` builds them and runs this for 20,000 x 5 and 100,000 x 10.
"""
import argparse
import http.client
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = int(os.environ.get("BENCH_PORT", "8398"))


def run(args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.DEVNULL, **kw)


def cost(args):
    """Wall seconds, processor seconds and peak KiB."""
    out = subprocess.run(["cost"] + args, stdout=subprocess.PIPE, text=True, check=True)
    wall, user, system, peak, status = out.stdout.split()
    if status != "0":
        sys.exit("status %s: %s" % (status, " ".join(args)))
    return float(wall), float(user) + float(system), int(peak)


class Count:
    """Of the requests since reset()."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.requests = self.bytes = 0

    def begin(self):
        with self.lock:
            self.requests += 1
            return 0.7 + 0.6 * (self.requests % 8) / 7

    def end(self, n_bytes):
        with self.lock:
            self.bytes += n_bytes


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


def make_proxy(count, delay):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        behind = None
        disable_nagle_algorithm = True

        def do_GET(self):
            time.sleep(delay[0] * count.begin())
            self.behind = self.behind or http.client.HTTPConnection("127.0.0.1", PORT)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            self.behind.request("GET", self.path, headers=kept)
            answer = self.behind.getresponse()
            body = answer.read()
            head = ["HTTP/1.1 %d %s" % (answer.status, answer.reason)]
            head += ["%s: %s" % h for h in answer.getheaders() if h[0].lower() != "connection"]
            head = ("\r\n".join(head) + "\r\n\r\n").encode()
            # Before the last byte leaves: the client's next request may be quicker than we are.
            count.end(len(head) + len(body))
            self.wfile.write(head + body)

        def log_message(self, *args):
            pass

    server = Proxy(("127.0.0.1", PORT + 1), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def start_nginx(folder, public):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/nginx.conf", "w") as f:
        f.write("""daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1;
events {} http { access_log off; sendfile on; keepalive_requests 100000; client_body_temp_path %s/t;
proxy_temp_path %s/t; fastcgi_temp_path %s/t; uwsgi_temp_path %s/t; scgi_temp_path %s/t;
server { listen 127.0.0.1:%d; root %s; } }
""" % ((folder,) * 7 + (PORT, public)))
    server = subprocess.Popen(["nginx", "-c", folder + "/nginx.conf", "-g", "user root;"],
                              stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return server


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
        self.graph = "%s/graph-%d-%d-400" % (a.work, a.names, a.versions)
        if not os.path.exists(self.graph + "/graph.jsonl"):
            run([sys.executable, HERE + "/gen-graph.py", "--capped", "0.15", "--names", str(a.names),
                 "--versions", str(a.versions), "--closure", "400", self.graph])
        self.repo = self.graph + "/repo"
        self.root = self.graph + "/root"
        self.count = Count()
        self.delay = [a.delay / 1000]

    def note(self, what, costs, is_client=True):
        row = {"what": what, "delay_ms": int(self.delay[0] * 1000), "wall_s": round(costs[0], 3),
               "cpu_s": round(costs[1], 3), "peak_mib": round(costs[2] / 1024, 1)}
        if is_client:
            row.update(requests=self.requests, rounds=self.rounds, bytes=self.bytes)
        self.rows.append(row)
        print("%-34s %5d %9.3f %8.3f %8.1f %9s %7s %10s" % (
            what, row["delay_ms"], row["wall_s"], row["cpu_s"], row["peak_mib"],
            row.get("requests", ""), row.get("rounds", ""), row.get("bytes", "")), flush=True)

    def client(self, what, *args):
        command = ["plugpkg", "--root", self.root] + list(args)
        self.count.reset()
        costs = cost(command)
        self.requests, self.rounds, self.bytes = self.count.requests, self.count.requests, self.count.bytes
        if "--dry-run" in args: # which keeps nothing: a second one asks for the same
            told = subprocess.run(command + ["--debug"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, check=True).stderr
            self.rounds = told.count("debug: a round of downloads: ")
        self.note(what, costs)

    def publish(self):
        shutil.rmtree(self.repo, ignore_errors=True)
        run(["plugpkg-repo", "init", self.repo, "--name", "bench"])
        self.now = int(time.time())
        self.note("publish everything", cost(
            ["publish-graph", self.graph + "/graph.jsonl", self.repo, str(self.now)]), False)

    def publish_one(self, number):
        folder = self.graph + "/one"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(folder + "/plugin.json", "w") as f:
            json.dump({"name": "one-more", "version": "1.0.%d" % number, "summary": "One more",
                       "license": "MIT", "requires": {self.request("one")[0]: "*"}}, f)
        run(["plugpkg", "build", folder], cwd=self.graph)
        run(["plugpkg-repo", "--repo", self.repo, "add",
             "%s/one-more-1.0.%d.plug" % (self.graph, number)])
        self.note("publish one archive more", cost(["plugpkg-repo", "--repo", self.repo, "publish"]),
                  False)

    def request(self, which):
        with open("%s/request-%s.json" % (self.graph, which)) as f:
            return json.load(f)["install"]

    def fresh_root(self):
        shutil.rmtree(self.root, ignore_errors=True)
        run(["plugpkg", "init", self.root])
        run(["plugpkg", "--root", self.root, "source", "add", "bench",
             "http://127.0.0.1:%d/" % (PORT + 1), "--key",
             self.repo + "/public/metadata/1.root.json"])

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
        self.delay[0] = delay / 1000
        self.fresh_root()
        self.forget()
        self.client("update from nothing", "update")
        self.plans("fresh")
        self.client("update with nothing new", "update")

    def yesterday(self, delay):
        self.delay[0] = delay / 1000
        # A question keeps what it fetched, a dry run does not.
        run(["plugpkg", "--root", self.root, "why-not"] + self.request("many"))
        run(["plugpkg", "--root", self.root, "why-not"] + self.request("one"))
        n = next_day(self.graph + "/graph.jsonl", self.graph + "/next-day.jsonl")
        self.note("publish %d versions more" % n, cost(
            ["publish-graph", self.graph + "/next-day.jsonl", self.repo, str(self.now)]), False)
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
    server = start_nginx(b.graph + "/nginx", b.repo + "/public")
    try:
        make_proxy(b.count, b.delay)
        b.clients(0)
        b.clients(a.delay)
        b.yesterday(a.delay)
        b.publish_one(1)
        b.publish_one(2)
    finally:
        server.terminate()
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"names": a.names, "versions": a.versions, "rows": b.rows}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
