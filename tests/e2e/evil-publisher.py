#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a publisher can do who has the online key and a text editor: any bytes, properly signed.

usage: evil-publisher.py P pool|roomy NAME VERSION ARCHIVE [NAME VERSION ARCHIVE...]
       evil-publisher.py P edit LAYER [--unpacked N] COMMAND [ARGUMENT...]

P is a publisher's directory with one shard a kind. `pool` lists each archive as a release, by nothing but
name and version; `roomy` also what is no archive, with room for a hundred files of a megabyte. `edit` sends a layer through a command: planning,
details and search (JSON Lines, without their compression), index-root, or the signed half of the roles
index, snapshot, timestamp and targets. All that is above the layer is counted, listed and signed anew,
under a version that was never there, whatever is served. --unpacked: the size that is signed for the shard.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile

SHARDS = ("planning", "details", "search")


def canonical(v):
    if isinstance(v, dict):
        return "{%s}" % ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v))
    if isinstance(v, list):
        return "[%s]" % ",".join(map(canonical, v))
    if isinstance(v, str):
        return '"%s"' % v.replace("\\", "\\\\").replace('"', '\\"')
    return json.dumps(v)


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def digest(data):
    return hashlib.sha256(data).hexdigest()


def plain(data):
    return json.dumps(data, separators=(",", ":")).encode()


def described(version, data):
    return {"version": version, "length": len(data), "hashes": {"sha256": digest(data)}}


def next_number(name):
    number = 100
    if os.path.exists(name):
        with open(name, "r", encoding="ascii") as f:
            number = int(f.read()) + 1
    with open(name, "w", encoding="ascii") as f:
        f.write(str(number))
    return number


def contents(archive):
    """How many bytes and entries an honest archive unpacks to."""
    import tarfile  # slow to load, seldom needed

    with tarfile.open(fileobj=io.BytesIO(run(["zstd", "-dc"], archive))) as tar:
        members = tar.getmembers()
    return sum(m.size for m in members), len(members)


class Publisher:
    def __init__(self, directory):
        self.number = next_number(os.path.join(directory, "evil.count"))
        self.public = os.path.join(directory, "public")
        self.keys = os.path.join(directory, "keys")
        self.roles = {"timestamp": self.read("metadata/timestamp.json")["signed"]}
        for role, parent in (("snapshot", "timestamp"), ("targets", "snapshot"),
                             ("index", "snapshot")):
            version = self.roles[parent]["meta"][role + ".json"]["version"]
            self.roles[role] = self.read("metadata/%d.%s.json" % (version, role))["signed"]
        listed = self.roles["index"]["targets"]["index/root.json"]["hashes"]["sha256"]
        self.root = self.read("targets/index/%s.root.json" % listed)
        self.root_bytes = None

    def path(self, name):
        return os.path.join(self.public, name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return json.loads(f.read())

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(data)

    def sign(self, role, body):
        name = "targets.key" if role == "targets" else "online.key"
        with open(os.path.join(self.keys, name), "rb") as f:
            key = json.load(f)
        with tempfile.TemporaryDirectory() as scratch:
            der, text = os.path.join(scratch, "key"), os.path.join(scratch, "text")
            with open(der, "wb") as f:
                f.write(bytes.fromhex("302e020100300506032b657004220420" + key["seed"]))
            with open(text, "wb") as f:
                f.write(canonical(body).encode())
            sig = run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", der,
                       "-in", text], None)
        return plain({"signatures": [{"keyid": key["id"], "sig": sig.hex()}], "signed": body})

    def shard(self, kind):
        entry = self.root[kind]
        return entry if kind == "search" else entry[0]

    def lines(self, kind):
        with open(self.path("targets/index/%s.%s.zst" % (self.shard(kind)["sha256"], kind)),
                  "rb") as f:
            return run(["zstd", "-dc"], f.read())

    def put_lines(self, kind, text, unpacked=None):
        packed = run(["zstd", "-qc", "--stream-size=%d" % len(text)], text)
        self.shard(kind).update(sha256=digest(packed), size=len(packed),
                                unpacked=len(text) if unpacked is None else unpacked)
        self.write("targets/index/%s.%s.zst" % (digest(packed), kind), packed)

    def publish(self, edited="planning"):
        """All roles above the index root, anew; a role that was edited keeps what was written."""
        root = self.root_bytes or plain(self.root)
        self.write("targets/index/%s.root.json" % digest(root), root)
        index, snapshot, timestamp = (self.roles[r] for r in ("index", "snapshot", "timestamp"))
        if edited not in ("index", "snapshot", "timestamp"):
            index["targets"]["index/root.json"].update(
                hashes={"sha256": digest(root)}, length=len(root))
        for role in ("targets", "index"):
            body = self.roles[role]
            if edited == role or (role == "index" and edited not in ("snapshot", "timestamp")):
                body["version"] = self.number
                data = self.sign(role, body)
                self.write("metadata/%d.%s.json" % (body["version"], role), data)
                snapshot["meta"][role + ".json"] = described(body["version"], data)
        if edited != "timestamp":
            if edited != "snapshot":
                snapshot["version"] = self.number
            data = self.sign("snapshot", snapshot)
            self.write("metadata/%d.snapshot.json" % snapshot["version"], data)
            timestamp["meta"]["snapshot.json"] = described(snapshot["version"], data)
            timestamp["version"] = self.number
        self.write("metadata/timestamp.json", self.sign("timestamp", timestamp))

    def pool(self, releases, room=None):
        """Releases (name, version, archive file) beside those that are listed."""
        listed = {}
        for name, version, archive in releases:
            with open(archive, "rb") as f:
                data = f.read()
            self.write("targets/pool/%s/%s/%s.plug" % (name, version, digest(data)), data)
            unpacked, files = room or contents(data)
            listed.setdefault(name, []).insert(0, {
                "version": version, "sha256": digest(data), "size": len(data),
                "unpacked": unpacked, "files": files, "summary": "x", "license": "MIT"})
        rows = {
            "planning": lambda n, v: {"name": n, "versions": [
                {"version": r["version"], "published": 1} for r in v]},
            "details": lambda n, v: {"name": n, "versions": v},
            "search": lambda n, v: {"name": n, "version": v[0]["version"], "summary": "x"},
        }
        for kind, row in rows.items():
            by_name = {json.loads(line)["name"]: line for line in self.lines(kind).splitlines()}
            by_name.update((n, plain(row(n, v))) for n, v in listed.items())
            self.put_lines(kind, b"".join(by_name[n] + b"\n" for n in sorted(by_name)))
        self.publish()

    def edit(self, layer, unpacked, command):
        if layer in SHARDS:
            self.put_lines(layer, run(command, self.lines(layer)), unpacked)
        elif layer == "index-root":
            self.root_bytes = run(command, plain(self.root))
        else:
            self.roles[layer] = json.loads(run(command, plain(self.roles[layer])))
        self.publish(layer)


def main(directory, what, *words):
    publisher = Publisher(directory)
    if what in ("pool", "roomy"):
        publisher.pool(zip(words[0::3], words[1::3], words[2::3]),
                       (100 << 20, 100) if what == "roomy" else None)
        return
    layer, *words = words
    unpacked = None
    if words[0] == "--unpacked":
        unpacked, words = int(words[1]), words[2:]
    publisher.edit(layer, unpacked, words)


if __name__ == "__main__":
    main(*sys.argv[1:])
