#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the trees of the install workload (W2), reproducibly.

    gen_tree.py OUT [--packages 300] [--files 40] [--upgraded 100] [--seed 1]

OUT/v1/<name>/ has the files of each package at version 1.0.0; OUT/v2/<name>/
those of the first --upgraded packages at version 1.1.0, in which every fourth
file differs.  OUT/packages-v1.jsonl and OUT/packages-v2.jsonl list them in the
graph format (README.md).  Contents are made-up source text that compresses
about as well as real code does (about 3.4 : 1 with gzip).
"""
import argparse
import json
import os
import random

SYL = ("ab ac ad al am an ar as at au be ca ce co de di do du ed el em en er es "
       "ex fa fi fo ge ha he hi ho id il im in is it ke la le li lo ma me mi mo "
       "na ne ni no od of on op or pa pe po qu ra re ri ro sa se si so ta te th "
       "ti to tr un up ur us ut va ve vi wa we wi yo").split()
FORMS = [
    "    if (%(a)s->%(b)s == NULL || %(a)s->%(c)s < %(n)d) {\n",
    "        return %(f)s(%(a)s, %(b)s, %(n)d);\n",
    "    %(a)s.%(b)s = %(f)s(%(c)s);\n",
    "    }\n",
    "\n",
    "    // %(w)s %(x)s %(a)s %(w)s %(b)s %(x)s\n",
    "    for (int i = 0; i < %(a)s.%(c)s; i++)\n",
    "        %(f)s(\"%(w)s %(x)s %(w)s\", %(a)s[i], &%(b)s);\n",
    "    const %(a)s = await %(f)s({ %(b)s: '%(x)s', %(c)s: %(n)d });\n",
    "static int %(f)s(struct %(a)s *%(b)s, const char *%(c)s)\n{\n",
    "}\n",
    "    \"%(a)s\": \"%(w)s %(x)s %(w)s\",\n",
    "    <div class=\"%(a)s-%(b)s\" id=\"%(c)s\">%(w)s %(x)s</div>\n",
    "    throw new %(f)s('%(w)s %(x)s: ' + %(a)s.%(b)s);\n",
]
DIRS = ["src", "lib", "lib/util", "templates", "assets", "lang", "tests"]
ENDS = [".php", ".js", ".c", ".json", ".html", ".css", ".md"]


def words(rng, count, parts):
    return ["".join(rng.choice(SYL) for _ in range(rng.randrange(*parts)))
            for _ in range(count)]


class Writer:
    """Makes source text with the vocabulary of one package."""

    def __init__(self, rng, common, prose):
        self.rng, self.prose = rng, prose
        own = ["_".join(words(rng, 2, (2, 4))) for _ in range(250)]
        self.names = common + own
        self.weights = []
        total = 0.0
        for rank in range(len(self.names)):
            total += 1.0 / (rank + 8)
            self.weights.append(total)
        rng.shuffle(self.names)
        self.memory = [self.line() for _ in range(400)]

    def line(self):
        rng = self.rng
        a, b, c, f = rng.choices(self.names, cum_weights=self.weights, k=4)
        w, x = rng.choice(self.prose), rng.choice(self.prose)
        return rng.choice(FORMS) % {"a": a, "b": b, "c": c, "f": f, "w": w,
                                    "x": x, "n": rng.randrange(2000)}

    def text(self, size):
        out, got = [], 0
        while got < size:
            line = (self.rng.choice(self.memory) if self.rng.random() < 0.25
                    else self.line())
            out.append(line)
            got += len(line)
        return "".join(out)[:size]


def write(folder, files):
    for path, data in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as out:
            out.write(data)


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--packages", type=int, default=300)
    ap.add_argument("--files", type=int, default=40)
    ap.add_argument("--upgraded", type=int, default=100)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("out")
    args = ap.parse_args(argv)
    rng = random.Random(args.seed)
    common, prose = words(rng, 1500, (2, 5)), words(rng, 3000, (1, 5))
    names, lists = [], {"v1": [], "v2": []}
    total = 0
    while len(names) < args.packages:
        name = "-".join(words(rng, 2, (2, 4)))
        if name not in names:
            names.append(name)
    for i, name in enumerate(names):
        writer = Writer(rng, common, prose)
        files = {}
        while len(files) < args.files:
            path = "%s/%s%s" % (rng.choice(DIRS), rng.choice(writer.names),
                                rng.choice(ENDS))
            if path in files:
                continue
            size = int(500 * 40 ** rng.random())            # 0.5 to 20 KB
            if not files and i % 5 < 2:                     # a few of 1 MB
                path, size = "assets/bundle.js", 1 << 20
            files[path] = writer.text(size)
        requires = {names[rng.randrange(i)]: ">=1.0.0 <2.0.0"
                    for _ in range(rng.randrange(3)) if i}
        for label, version in (("v1", "1.0.0"), ("v2", "1.1.0")):
            if label == "v2":
                if i >= args.upgraded:
                    continue
                for path in list(files)[::4]:
                    files[path] = writer.text(len(files[path]))
            write(os.path.join(args.out, label, name), files)
            size = sum(map(len, files.values()))
            total += size if label == "v1" else 0
            lists[label].append({
                "name": name, "version": version, "summary": "Plugin " + name,
                "license": "MIT", "homepage": "https://plugins.example.org/" + name,
                "requires": requires, "provides": {}, "conflicts": {},
                "unpacked": size})
    for label, rows in lists.items():
        with open(os.path.join(args.out, "packages-%s.jsonl" % label), "w") as out:
            for row in rows:
                out.write(json.dumps(row, separators=(",", ":")) + "\n")
    print("%d packages, %d files, %.1f MB" % (
        len(names), len(names) * args.files, total / 1e6))


if __name__ == "__main__":
    main()
