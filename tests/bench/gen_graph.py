#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a synthetic plugin repository as JSON Lines, plus install requests.

The same arguments always give the same bytes.  The format is described in
README.md ("The graph format").  Two kinds of graph are useful:

  --capped 0     the newest version of every plugin fits every newest
                 dependent: every peer can solve it, even those that only
                 know one version per name
  --capped 0.15  15 % of the plugins are wanted in an older version by those
                 that need them, so a solver must choose among versions

A solution is planted, so the requests are always solvable.
"""
import argparse
import hashlib
import json
import os
import random

FIRST = ("seo mail form cache shop page user media feed chart geo pay auth "
         "backup theme event forum gallery image import jobs lang map menu "
         "news note poll print queue rating search share slider social spam "
         "stats sync table task ticket tour video wiki zip audit badge board "
         "book calendar cart").split()
SECOND = ("tools kit bridge core pro lite manager helper engine api driver "
          "store block widget guard sync router loader builder panel hub "
          "link pack proxy agent view editor filter sender reader").split()
THIRD = ("redis smtp ldap pdf xml json csv oauth stripe azure kafka s3 git "
         "imap sms push dark fast mini next plus open free net web app "
         "cloud edge lab one").split()
LICENSES = ["MIT", "GPL-2.0-or-later", "Apache-2.0", "BSD-3-Clause"]
# how many dependencies a plugin has, and how often
DEPS = [(0, 25), (1, 20), (2, 18), (3, 12), (4, 9), (5, 6), (6, 4), (7, 3),
        (9, 2), (12, 1)]


def text(version):
    return "%d.%d.%d" % version


def make_names(rng, count):
    names, seen = [], set()
    while len(names) < count:
        name = "-".join((rng.choice(FIRST), rng.choice(SECOND)))
        if rng.random() < 0.7:
            name += "-" + rng.choice(THIRD)
        while name in seen:         # never ends in "-<digit>"
            name += rng.choice("abcdefghkmnprstvwxyz")
        seen.add(name)
        names.append(name)
    return names


def make_versions(rng, count):
    version = (rng.choice((0, 1, 1, 1, 2)), rng.randrange(4), rng.randrange(6))
    out = []
    for _ in range(count):
        out.append(version)
        kind = rng.random()
        if kind < 0.2:
            version = (version[0] + 1, 0, 0)
        elif kind < 0.6:
            version = (version[0], version[1] + 1, 0)
        else:
            version = (version[0], version[1], version[2] + 1 + rng.randrange(3))
    return out


def make_range(rng, versions, target, cap):
    """A range that holds versions[target]; with cap, not the newest."""
    at = versions[target]
    low = target
    while low > 0 and versions[low - 1][0] == at[0] and rng.random() < 0.5:
        low -= 1
    floor = versions[low]
    if cap and versions[-1] != at:
        return ">=%s <%s" % (text(floor), text(versions[target + 1]))
    style = rng.random()
    if style < 0.60 and floor[0] > 0:
        return ">=%s <%d.0.0" % (text(floor), floor[0] + 1)
    if style < 0.85:
        return ">=" + text(floor)
    if style < 0.95:
        return ">=%s <%d.0.0" % (text(floor), at[0] + 1)
    return "*"


def inside(version, spec):
    for part in spec.split():
        if part == "*":
            continue
        low = part.startswith(">=")
        bound = tuple(int(n) for n in part.lstrip("<>=").split("."))
        if (version < bound) if low else (version >= bound):
            return False
    return True


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--names", type=int, default=20000)
    ap.add_argument("--versions", type=int, default=5)
    ap.add_argument("--capped", type=float, default=0.0)
    ap.add_argument("--closure", type=int, default=400)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("out", help="folder for graph.jsonl, request-*.json")
    args = ap.parse_args(argv)
    rng = random.Random("%d/%d/%d" % (args.seed, args.names, args.versions))

    count = args.names
    names = make_names(rng, count)
    versions = [make_versions(rng, args.versions) for _ in names]
    planted = [args.versions - 1] * count
    for i in range(count):
        if rng.random() < args.capped and args.versions > 1:
            planted[i] = rng.randrange(max(0, args.versions - 3), args.versions - 1)

    # a virtual capability is provided by two to five plugins of like age;
    # it can be needed only by plugins younger than all of its providers
    virtuals = []           # (name, providers)
    provides = [[] for _ in names]
    for v in range(max(1, count // 100)):
        start = int((count - 6) * rng.random() ** 2)
        members = [start + k for k in range(rng.randrange(2, 6))]
        virtual = "cap-%s-%s" % (rng.choice(THIRD), "".join(
            rng.choice("bcdfghjklmnp") for _ in range(5)))
        virtuals.append((virtual, members))
        for m in members:
            provides[m].append(virtual)
    virtuals.sort(key=lambda v: v[1][-1])

    kinds, weights = [d for d, _ in DEPS], [w for _, w in DEPS]
    base = []               # per plugin: list of ("p", index) or ("v", index)
    for i in range(count):
        want = min(i, rng.choices(kinds, weights)[0])
        got = []
        while len(got) < want:
            if rng.random() < 0.05 and virtuals[0][1][-1] < i:
                top = max(k for k in (0, int(len(virtuals) * rng.random() ** 2))
                          if virtuals[k][1][-1] < i)
                pick = ("v", top)
            elif rng.random() < 0.8:        # power law: the old are popular
                pick = ("p", int(i * rng.random() ** 4))
            else:
                pick = ("p", int(i * rng.random()))
            if pick not in got:
                got.append(pick)
            elif len(got) + 1 >= i:
                break
        base.append(got)

    # requests: young plugins, until what they need holds enough plugins
    def closure_of(roots, providers=1):
        seen, stack = set(), list(roots)
        while stack:
            i = stack.pop()
            if i in seen:
                continue
            seen.add(i)
            for kind, d in base[i]:
                stack += [d] if kind == "p" else virtuals[d][1][:providers]
        return seen

    order = list(range(count // 2, count))
    rng.shuffle(order)
    roots, closure = [], set()
    target = min(args.closure, count // 3)
    for i in order:
        if len(closure) >= target:
            break
        grown = closure | closure_of([i])
        if len(grown) <= target * 1.05:
            roots.append(i)
            closure = grown
    single = min((i for i in order[:3000]),
                 key=lambda i: (abs(len(closure_of([i])) - 20), i))
    # no conflicts among these; with nothing capped, whichever providers a
    # solver picks, so that one without backtracking gets through
    safe = closure_of(roots + [single], 1 if args.capped else 9)

    conflicts = [dict() for _ in names]
    for _ in range(int(count * 0.03)):
        a, b = rng.randrange(count), rng.randrange(count)
        if a == b:
            continue
        older = versions[b][-2 if args.versions > 1 else 0]
        spec = "*" if rng.random() < 0.5 else "<" + text(older)
        if a in safe and b in safe and inside(versions[b][planted[b]], spec):
            continue
        conflicts[a][names[b]] = spec
    for _, members in virtuals:
        if rng.random() < 0.5:
            for a in members:
                for b in members:
                    if a != b and not (a in safe and b in safe):
                        conflicts[a][names[b]] = "*"

    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "graph.jsonl"), "w") as out:
        for i, name in enumerate(names):
            for k in range(args.versions):
                requires = {}
                for kind, d in base[i]:
                    if k < args.versions - 1 and k != planted[i] and rng.random() < 0.08:
                        continue            # not all versions need the same
                    if kind == "v":
                        requires[virtuals[d][0]] = "*"
                        continue
                    if k == planted[i]:
                        spec = make_range(rng, versions[d], planted[d],
                                          planted[d] < args.versions - 1)
                    else:
                        near = k + rng.choice((-1, 0, 0, 1))
                        if k == args.versions - 1:
                            near = k
                        near = min(args.versions - 1, max(0, near))
                        spec = make_range(rng, versions[d], near, False)
                    requires[names[d]] = spec
                size = int(2000 * 10 ** (rng.random() * 2.5))
                line = {"name": name, "version": text(versions[i][k]),
                        "summary": "Adds %s to the %s of a site" % (
                            name.replace("-", " "), rng.choice(SECOND)),
                        "license": rng.choice(LICENSES),
                        "homepage": "https://plugins.example.org/" + name,
                        "requires": requires,
                        "provides": {v: "1.0.0" for v in provides[i]},
                        "conflicts": conflicts[i],
                        "size": size, "unpacked": size * 4,
                        "sha256": hashlib.sha256(
                            ("%s-%s" % (name, text(versions[i][k]))).encode()).hexdigest()}
                out.write(json.dumps(line, separators=(",", ":")) + "\n")
    for label, picked in (("many", roots), ("one", [single])):
        with open(os.path.join(args.out, "request-%s.json" % label), "w") as out:
            json.dump({"install": [names[i] for i in picked],
                       "expected": len(closure_of(picked))}, out, indent=1)
            out.write("\n")
    print("%d names, %d versions; request many: %d plugins of %d, one: %d" % (
        count, count * args.versions, len(roots), len(closure_of(roots)),
        len(closure_of([single]))))


if __name__ == "__main__":
    main()
