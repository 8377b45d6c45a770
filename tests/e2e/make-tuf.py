#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes TUF repositories that plugpkg-repo would never make, signed as they should be.

usage: make-tuf.py DIR CASE [VALUE...]

DIR/metadata and DIR/targets are what is served; DIR/root.json is the root that a client begins with. The
target file.txt holds "content\n". Signatures come from openssl(1).
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

CONTENT = b"content\n"
FAR, PAST = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def canonical(v):
    """OLPC canonical JSON: only quotes and backslashes are escaped."""
    if isinstance(v, dict):
        return "{%s}" % ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v))
    if isinstance(v, list):
        return "[%s]" % ",".join(map(canonical, v))
    if isinstance(v, str):
        return '"%s"' % v.replace("\\", "\\\\").replace('"', '\\"')
    return json.dumps(v)


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


class Key:
    def __init__(self, name, keyid=None):
        seed = hashlib.sha256(name.encode()).digest()
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes.fromhex("302e020100300506032b657004220420") + seed)
        self.file.flush()
        der = openssl("pkey", "-inform", "DER", "-in", self.file.name, "-pubout", "-outform", "DER")
        self.public = {
            "keytype": "ed25519",
            "scheme": "ed25519",
            "keyval": {"public": der[-32:].hex()},
        }
        true_id = hashlib.sha256(canonical(self.public).encode()).hexdigest()
        self.keyid = keyid or true_id

    def sign(self, body):
        with tempfile.NamedTemporaryFile() as text:
            text.write(canonical(body).encode())
            text.flush()
            how = ("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", self.file.name)
            sig = openssl(*how, "-in", text.name)
        return {"keyid": self.keyid, "sig": sig.hex()}


def target(data):
    return {"length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}


class Repository:
    def __init__(self, directory):
        self.directory = directory
        self.key = Key("all")
        self.spec = {}
        self.raw = {}
        self.contents = {"file.txt": CONTENT}
        self.consistent = True
        self.meta_extra = {}
        self.version = dict.fromkeys(("root", "timestamp", "snapshot", "targets"), 1)
        self.expires = {}
        self.threshold = {}
        self.targets = {"targets": {"file.txt": target(CONTENT)}}
        self.delegations = {}

    def body(self, role, kind, **more):
        return {
            "_type": kind,
            "spec_version": self.spec.get(role, "1.0.31"),
            "version": self.version.get(role, 1),
            "expires": self.expires.get(role, FAR),
            **more,
        }

    def grant(self, role):
        return {"keyids": [self.key.keyid], "threshold": self.threshold.get(role, 1)}

    def keys(self):
        return {self.key.keyid: self.key.public}

    def root(self):
        roles = {r: self.grant(r) for r in ("root", "timestamp", "snapshot", "targets")}
        more = {"keys": self.keys(), "roles": roles, "consistent_snapshot": self.consistent}
        return self.body("root", "root", **more)

    def delegate(self, parent, role, paths=("*",), **more):
        one = {"name": role, "terminating": False, **self.grant(role), **more}
        if "path_hash_prefixes" not in more:
            one["paths"] = list(paths)
        d = self.delegations.setdefault(parent, {"keys": self.keys(), "roles": []})
        d["roles"].append(one)
        self.targets.setdefault(role, {})

    def signed(self, body):
        return {"signed": body, "signatures": [self.key.sign(body)]}

    def text(self, role, body):
        made = json.dumps(self.signed(body)).encode()
        return self.raw.get(role, lambda b: b)(made)

    def put(self, path, data):
        full = os.path.join(self.directory, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(data)

    def put_role(self, role, body, versioned=True):
        prefix = "%d." % body["version"] if versioned else ""
        data = self.text(role, body)
        self.put("metadata/%s%s.json" % (prefix, role), data)
        return data

    def entry(self, parent, role, data):
        more = self.meta_extra.get(parent)
        return {"version": self.version.get(role, 1), **(more(data) if more else {})}

    def write(self):
        root = self.put_role("root", self.root())
        if self.version["root"] == 1:
            self.put("root.json", root)
        listed = {}
        for role, names in self.targets.items():
            more = {"targets": names}
            if role in self.delegations:
                more["delegations"] = self.delegations[role]
            data = self.put_role(role, self.body(role, "targets", **more), self.consistent)
            listed[role + ".json"] = self.entry("snapshot", role, data)
        body = self.body("snapshot", "snapshot", meta=listed)
        data = self.put_role("snapshot", body, self.consistent)
        meta = {"snapshot.json": self.entry("timestamp", "snapshot", data)}
        self.put_role("timestamp", self.body("timestamp", "timestamp", meta=meta), False)
        for name, content in self.contents.items():
            head, _, last = name.rpartition("/")
            digest = hashlib.sha256(content).hexdigest() + "." if self.consistent else ""
            self.put("targets/" + (head + "/" if head else "") + digest + last, content)


# ---- cases: what is wrong ----


def case_good(r):
    r.write()


def case_spec(r, role, version):
    """The role says that it follows VERSION of the specification."""
    r.spec[role] = version
    if role == "d":
        case_delegated(r)
    else:
        r.write()


def case_length(r, parent, by):
    """The parent tells another length of what it lists, and no digest."""
    r.meta_extra[parent] = lambda data: {"length": len(data) + int(by)}
    r.write()


def case_target_length(r, by):
    """The digest of the target is right, its length is not."""
    r.targets["targets"]["file.txt"]["length"] += int(by)
    r.write()


def case_delegated(r, expires=FAR):
    r.targets["targets"] = {}
    r.delegate("targets", "d")
    r.targets["d"] = {"file.txt": target(CONTENT)}
    r.expires["d"] = expires
    r.write()


def case_delegated_expired(r):
    case_delegated(r, PAST)


def case_roots(r, n):
    """N roots, each signed by the one before."""
    r.write()
    for version in range(2, int(n) + 1):
        r.version["root"] = version
        r.put_role("root", r.root())


def case_chain(r, n):
    """d1 delegates to d2, and so on; the last one has the target."""
    r.targets["targets"] = {}
    names = ["targets"] + ["d%d" % i for i in range(1, int(n) + 1)]
    for parent, child in zip(names, names[1:]):
        r.delegate(parent, child)
    r.targets[names[-1]] = {"file.txt": target(CONTENT)}
    r.write()


def case_hash_prefix(r, match):
    digest = hashlib.sha256(b"file.txt").hexdigest()
    prefix = digest[:2] if match == "yes" else "%02x" % (int(digest[:2], 16) ^ 1)
    r.targets["targets"] = {}
    r.delegate("targets", "d", path_hash_prefixes=[prefix])
    r.targets["d"] = {"file.txt": target(CONTENT)}
    r.write()


def case_plain(r):
    """consistent_snapshot false: names without versions, digests in timestamp and snapshot."""
    r.consistent = False
    for parent in ("timestamp", "snapshot"):
        r.meta_extra[parent] = target
    r.write()


def case_target_name(r, name):
    r.targets["targets"] = {name: target(CONTENT)}
    r.contents = {name: CONTENT}
    r.write()


def case_role_name(r, name):
    r.targets["targets"] = {}
    r.delegate("targets", name)
    r.targets[name] = {"file.txt": target(CONTENT)}
    r.write()


def case_keyid(r):
    """The only key stands under an id that is not its digest."""
    r.key = Key("all", "ab" * 32)
    r.write()


def case_threshold(r, role, n):
    r.threshold[role] = int(n)
    if role == "d":
        case_delegated(r)
    else:
        r.write()


def case_duplicate(r, role, member):
    """A member stands twice in a file that is signed well."""
    twice = ('"%s": ' % member).encode()

    def spoil(data):
        at = data.index(twice)
        return data[:at] + twice + b'"x", ' + data[at:]

    r.raw[role] = spoil
    r.write()


def case_text(r, role, old, new):
    """Bytes of a role's file are replaced: \\x escapes in NEW."""
    new = new.encode().decode("unicode_escape").encode("latin-1")
    r.raw[role] = lambda data: data.replace(old.encode(), new, 1)
    r.write()


def main():
    r = Repository(sys.argv[1])
    globals()["case_" + sys.argv[2].replace("-", "_")](r, *sys.argv[3:])


if __name__ == "__main__":
    main()
