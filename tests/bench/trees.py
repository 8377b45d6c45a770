# SPDX-License-Identifier: MIT
"""The workloads with files: installing, asking, upgrading, removing, rolling back, publishing."""
import os
import shutil
import subprocess

import measure
import peers
import web

ENDS = {"plug": ".plug", "pacman": ".zst", "apk": ".apk", "xbps": ".xbps", "deb": ".deb", "rpm": ".rpm"}
CURL = ["curl", "-sf", "--parallel", "--parallel-max", "8", "-K"]


class Trees:
    """In `folder`. On a disk, what does not see to it by itself is synced as part of its time, and nothing
    is deleted before the end: on ext4 a new file is slow where many were just deleted, and that would
    count against whoever comes next."""

    def __init__(self, bench, folder, is_disk):
        self.b, self.work, self.folder, self.is_disk = bench, bench.work, folder, is_disk
        self.packages = self.work.packages()
        self.names = [p["name"] for p in self.packages]
        self.n_files = len(self.names) * self.work.size["tree"][1]
        self.fresh = 0
        self.plain = self.work.repo + "/plain/v1"

    def space(self, label):
        self.fresh += 1
        path = "%s/%s-%d" % (self.folder, label, self.fresh)
        os.makedirs(path)
        return path

    def drop(self, path):
        if not self.is_disk:
            shutil.rmtree(path, ignore_errors=True)

    def url(self, p, version):
        return "%s/%s/%s/%s" % (web.URL, self.work.relative(self.work.repo), p.archives, version)

    def task(self, p, label):
        t = peers.Task(self.space("%s-%s" % (label, p.name)), self.url(p, "v1"),
                       "%s/%s/v1" % (self.work.repo, p.archives), "w2", self.names)
        p.setup(t)
        self.untimed(p, t, p.refresh(t))
        return t

    def untimed(self, p, t, cmd):
        return self.b.run(None, p.name, cmd, p.environ(t)) if cmd else {}

    def installed(self, p, label):
        t = self.task(p, label)
        if self.untimed(p, t, p.install(t)).get("failed") or p.count_files(t) < self.n_files:
            self.b.meter.failed(p.install(t), "nothing to work on")
            return None
        return t

    def with_sync(self, cmd, folder, is_durable=False):
        """The command, and on a disk the sync that it needs."""
        if not self.is_disk:
            return cmd
        subprocess.run(["sync", "-f", self.folder], check=True)
        return cmd if is_durable else ["sh", "-c", '"$@" && sync -f "$0"', folder] + cmd

    def with_archives(self):
        return [p for p in self.b.peers if p.archives]

    # ---- installing

    def install_steps(self):
        case = "install-disk" if self.is_disk else "install"
        steps = [lambda p=p: self.install(case, p) for p in self.with_archives()]
        return steps + [lambda f=f: f(case) for f in self.install_limits()]

    def install(self, case, p):
        t = self.task(p, case)
        cmd = self.with_sync(p.install(t), t.root, p.is_durable)
        self.b.run(case, p.name, cmd, p.environ(t), ok=lambda: p.count_files(t) >= self.n_files)
        self.drop(t.base)

    def archives(self, end):
        return sorted(self.plain + "/" + n for n in os.listdir(self.plain) if n.endswith(end))

    def install_limits(self):
        if not self.b.limits:
            return []
        urls = self.work.path + "/urls"
        base = "%s/%s" % (web.URL, self.work.relative(self.plain))
        with open(urls, "w") as f:
            for path in self.archives(".zst"):
                name = os.path.basename(path)
                f.write('url = "%s/%s"\noutput = "%s"\n' % (base, name, name))
        unpack = measure.program("limit-unpack")
        fetch = 'mkdir "$0/a" && cd "$0/a" && %s %s' % (" ".join(CURL), urls)

        def limit(label, make):
            def step(case):
                d = self.space("limit")
                self.b.run(case, label, self.with_sync(make(d), d))
                self.drop(d)
            return step

        found = [
            limit("= curl", lambda d: ["sh", "-c", fetch, d]),
            limit("= cp -r", lambda d: ["cp", "-r", self.tree("v1"), d + "/tree"]),
            limit("= unpack x2", lambda d: [unpack, "-h", "-t", "2", d + "/o", *self.archives(".zst")]),
            limit("= curl, unpack x2", lambda d: [
                "sh", "-c", "%s && exec %s -h -t 2 ../out *.zst" % (fetch, unpack), d])]
        if self.is_disk:
            found.append(limit("= unpack, fsync each", lambda d: [
                unpack, "-h", "-s", "-t", "2", d + "/o", *self.archives(".zst")]))
        return found

    def tree(self, label):
        return self.work.tree + "/" + label

    # ---- asking

    def query_steps(self):
        steps = []
        for p in self.with_archives():
            t = self.installed(p, "query") if p.name != "apt-unsafe-io" else None
            if t is None:
                continue
            t.offline = True
            if p.upgrade(t):
                self.untimed(p, t, p.upgrade(t))
            for case, cmd in (("list", p.listed(t)), ("show", p.show(t)), ("nothing", p.upgrade(t)),
                              ("again", p.again(t)), ("sync", p.sync(t)), ("refresh", p.refresh(t))):
                if cmd:
                    steps.append(lambda p=p, t=t, case=case, cmd=cmd: self.b.run(
                        case, p.name, cmd, p.environ(t)))
        return steps + (self.query_limits() if self.b.limits else [])

    def query_limits(self):
        empty, linked = [[measure.program("limit-" + n)] for n in ("empty", "linked")]
        steps = [lambda case=case: self.b.run(case, "= empty program", empty)
                 for case in ("list", "show", "nothing", "again", "sync")]
        url = "%s/%s" % (web.URL, self.work.relative(self.archives(".zst")[0]))
        # curl comes first: "linked" maps the same libraries, and whoever follows it is a tenth quicker.
        return [lambda: self.b.run("refresh", "= curl 304", [
            "curl", "-sf", "-o", "/dev/null", "-z", "2040-01-01", url])] + steps + [
                lambda: self.b.run("list", "= linked, no work", linked)]

    # ---- changing

    def change_steps(self):
        steps = [lambda p=p: self.change(p) for p in self.with_archives()]
        return steps + ([self.change_limits] if self.b.limits else [])

    def change(self, p):
        t = self.installed(p, "change")
        if t is None:
            return
        env, case = p.environ(t), "rollback"
        if isinstance(p, peers.Plugpkg):
            self.b.run(case + "-off", p.name, p.rollback(t, 0), env, ok=lambda: p.count_files(t) == 0)
            self.b.run(case, p.name, p.rollback(t, 1), env, ok=lambda: p.count_files(t) >= self.n_files)
        p.repoint(t, self.url(p, "v2"))
        self.untimed(p, t, p.refresh(t))
        if not p.upgrade(t):
            return
        upgraded = self.b.run("upgrade", p.name, self.with_sync(p.upgrade(t), t.root, p.is_durable), env)
        if p.clean(t):
            cleaned = self.b.run(None, p.name, self.with_sync(p.clean(t), t.root, p.is_durable), env)
            self.b.note("upgrade", p.name + ", clean", upgraded, cleaned)
        if p.remove(t):
            self.remove(p, t, env)
        self.drop(t.base)

    def remove(self, p, t, env):
        removed = self.b.run("remove", p.name, self.with_sync(p.remove(t), t.root, p.is_durable), env,
                             p.remove_codes, lambda: p.count_files(t) == 0)
        gone = [removed]
        if p.clean(t):
            gone.append(self.b.run(None, p.name, self.with_sync(p.clean(t), t.root, p.is_durable), env))
        self.b.note("remove-files", p.name, *gone)

    def change_limits(self):
        d = self.space("limit")
        shutil.copytree(self.tree("v1"), d + "/tree")
        v2 = self.work.repo + "/plain/v2"
        newer = ["%s/%s-1.1.0.tar.zst" % (v2, p["name"]) for p in self.work.packages("v2")]
        self.b.run("upgrade", "= unpack x2", self.with_sync(
            [measure.program("limit-unpack"), "-h", "-t", "2", d + "/o", *newer], d))
        for case in ("rollback-off", "rollback", "remove"):
            os.symlink("tree", d + "/new")
            self.b.run(case, "= mv", ["mv", "-T", d + "/new", d + "/current"])
        self.b.run("remove-files", "= rm -rf", self.with_sync(["rm", "-rf", d + "/tree"], d))
        self.drop(d)

    # ---- publishing

    def publish_steps(self):
        steps = [lambda p=p: self.publish(p) for p in self.with_archives()
                 if p.archives in ENDS and type(p).index is not peers.Peer.nothing]
        return steps + ([self.publish_limits] if self.b.limits else [])

    def publish(self, p):
        base, end = self.space("publish-" + p.name), ENDS[p.archives]
        source = "%s/%s" % (self.work.repo, p.archives)
        t = peers.Task(base, "", base + "/repo", "w2", [])
        os.makedirs(t.path)
        os.makedirs(base + "/newer")
        for n in sorted(os.listdir(source + "/v1")):
            if n.endswith(end):
                shutil.copy2(source + "/v1/" + n, t.path + "/" + n)
        self.b.run("publish", p.name, p.index(t), p.environ(t))
        new = next(n for n in sorted(os.listdir(source + "/v2")) if n.endswith(end) and "1.1.0" in n)
        if p.name == "apt":     # fills its cache: not timed
            self.untimed(p, t, p.reindex(t))
        shutil.copy2(source + "/v2/" + new, t.path + "/" + new)
        open(base + "/newer/" + new, "w").close()
        self.b.run("publish-one", p.name, p.reindex(t), p.environ(t))
        self.drop(base)

    def publish_limits(self):
        found = self.archives(".zst")
        self.b.run("publish", "= sha256sum", ["sha256sum", *found])
        self.b.run("publish-one", "= sha256sum", ["sha256sum", found[0]])
