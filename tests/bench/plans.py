# SPDX-License-Identifier: MIT
"""The workloads without files: the first fetch of an index, and plans on it."""
import json
import os
import shutil
import subprocess

import emit_index
import measure
import peers
import web
import work

# The case of each graph and request. In the capped graph 15 % of the plugins are wanted in an older version:
# who knows one version of each name only takes no part.
CASES = {("flat", "many"): "plan-many", ("flat", "one"): "plan-one",
         ("capped", "many"): "plan-many-capped", ("capped", "one"): "plan-one-capped"}


class Plans:
    def __init__(self, bench, folder):
        self.b, self.folder = bench, folder

    def steps(self):
        found = []
        for (graph, which), case in CASES.items():
            folder = self.b.work.graphs[graph]
            names = work.request(folder, which)
            for p in self.b.peers:
                if p.graph and not (graph == "capped" and p.one_version):
                    found += self.peer_steps(p, folder, names, case)
            if self.b.limits:
                found += self.limit_steps(folder, which, names, case)
        return found

    def peer_steps(self, p, folder, names, case):
        served = "%s/%s/%s" % (web.URL, self.b.work.relative(folder), p.graph)
        t = peers.Task("%s/%s-%s" % (self.folder, case, p.name), served, folder + "/" + p.graph, "w1",
                       names)
        os.makedirs(t.base)
        p.setup(t)
        env = p.environ(t)
        for cmd in (p.refresh(t), p.warm(t)):
            if cmd:
                self.b.run(None, p.name, cmd, env)

        def planned():
            self.b.run(case, p.name, p.plan(t), env, p.plan_codes)

        def first():
            p.forget(t)
            parts = [self.b.run(None, p.name, cmd, env, p.plan_codes)
                     for cmd in (p.refresh(t), p.plan(t)) if cmd]
            self.b.note("first-plan", p.name, *parts)
            if p.warm(t):
                self.b.run(None, p.name, p.warm(t), env)

        return [planned] + ([first] if case == "plan-many" else [])

    def limit_steps(self, folder, which, names, case):
        """libsolv alone, on the whole index and on the names in reach; fetching those."""
        reach = "%s/reach-%s" % (folder, which)
        if not os.path.exists(reach + "/graph.jsonl"):
            self.make_reach(folder, reach, names)
        urls = reach + "/urls"
        with open(urls, "w") as f, open(reach + "/graph.jsonl") as g:
            for name in sorted({json.loads(line)["name"] for line in g}):
                f.write('url = "%s/%s/composer/p2/bench/%s.json"\noutput = "/dev/null"\n' % (
                    web.URL, self.b.work.relative(folder), name))
        steps = []
        if case == "plan-many":
            steps.append(lambda: self.b.run("first-plan", "= curl what is needed", [
                "curl", "-sf", "--parallel", "--parallel-max", "16", "-K", urls]))
        if not shutil.which("rpmmd2solv"):
            return steps
        for label, index in (("= libsolv, all names", folder), ("= libsolv, in reach", reach)):
            if not os.path.exists(index + "/index.solv"):
                subprocess.run([
                    "sh", "-c", 'zcat "$0/rpm/repodata/primary.xml.gz" | rpmmd2solv >"$0/index.solv"',
                    index], check=True)
            steps.append(lambda label=label, index=index: self.b.run(case, label, [
                measure.program("limit-solve"), index + "/index.solv", *names]))
        return steps

    def make_reach(self, folder, reach, names):
        """Every version of every name that the request can reach."""
        group, provided = {}, {}
        with open(folder + "/graph.jsonl") as f:
            for line in f:
                p = json.loads(line)
                group.setdefault(p["name"], []).append((line, p))
                for v in p["provides"]:
                    provided.setdefault(v, set()).add(p["name"])
        seen, stack = set(), list(names)
        while stack:
            name = stack.pop()
            if name in seen or name not in group and name not in provided:
                continue
            seen.add(name)
            stack += provided.get(name, ())
            for _, p in group.get(name, ()):
                stack += p["requires"]
        os.makedirs(reach, exist_ok=True)
        with open(reach + "/graph.jsonl", "w") as f:
            for name in sorted(seen & set(group)):
                f.writelines(line for line, _ in group[name])
        emit_index.emit(reach, "rpm", "")
