# SPDX-License-Identifier: MIT
"""A run as a small bar chart: in SVG, to be read on light and on dark, and as text for the README.

    chart.py RESULTS.json [wall|cpu]     puts a run into chart.svg here and under "How fast" of the README

cpu, the processor time, is for a machine that was busy with other things."""
import json
import math
import os
import re
import sys
import textwrap
from xml.sax.saxutils import escape

import report

# What the chart shows: the cases that somebody who looks on asks for.
SHOWN = ("plan-many", "first-plan", "install", "install-disk", "list", "nothing", "refresh", "upgrade",
         "remove-files", "publish")
IN_README = ("plan-many", "first-plan", "install", "install-disk", "list", "upgrade", "remove-files",
             "publish")
KEYS = {"wall": "wall", "cpu": "processor"}
WIDTH, LEFT, RIGHT, BAR, GAP = 720, 178, 76, 13, 14
STYLE = """text{font:11px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.m{fill:#6e7781}
.o{fill:#0969da}.p{fill:#afb8c1}.l{fill:none;stroke:#6e7781;stroke-dasharray:3 2}.g{stroke:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.m{fill:#8d96a0}.o{fill:#4493f8}.p{fill:#545d68}
.g{stroke:#30363d}}"""


def seconds(x):
    return "%.2g ms" % (x * 1000) if x < 0.0995 else "%.0f ms" % (x * 1000) if x < 1 else "%.2f s" % x


def bars_of(one, most_peers, key):
    """plugpkg, the fastest peers, the limit: (name, seconds)."""
    walls = {n: r[key] for n, r in one["rows"].items() if key in r}
    found = [(report.OURS, walls[report.OURS])] if report.OURS in walls else []
    fastest = sorted((n for n in walls if report.is_peer(n) and n != "apt-unsafe-io"), key=walls.get)
    found += [(n, walls[n]) for n in fastest[:most_peers]]
    if one["limit"] in walls:
        found.append((one["limit"], walls[one["limit"]]))
    return found


def shown(out, most_peers, key, which):
    """The cases with their bars, and the powers of ten between which all lie."""
    cases = [(out["cases"][c], bars_of(out["cases"][c], most_peers, key)) for c in which if c in out["cases"]]
    walls = [wall for _, bars in cases for _, wall in bars] or [0.001, 1]
    low = math.floor(math.log10(min(walls)))
    return cases, low, max(math.ceil(math.log10(max(walls))), low + 1)


def text(out, key="wall", width=30):
    cases, low, high = shown(out, 1, key, IN_README)
    lines = []
    for one, bars in cases:
        title = one["title"]
        for name, wall in bars:
            n = max(round((math.log10(wall) - low) / (high - low) * width), 1)
            kind = "#" if name == report.OURS else "." if name.startswith("=") else "="
            lines.append("    %-27s %-19s %s %s" % (title, name.lstrip("= "), kind * n, seconds(wall)))
            title = ""
    return "\n".join(lines) + "\n"


def svg(out, key="wall"):
    """`key` is wall, or cpu: for a machine that was busy with other things."""
    cases, low, high = shown(out, 3, key, SHOWN)
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def x(wall):
        return LEFT + (math.log10(wall) - low) * scale

    body, y = ['<text class="m" x="8" y="14">%s time</text>' % KEYS[key]], 34
    for one, bars in cases:
        body.append('<text class="t" x="8" y="%d">%s</text>' % (y + 10, escape(one["title"])))
        y += BAR + 2
        for name, wall in bars:
            kind = "o" if name == report.OURS else "l" if name.startswith("=") else "p"
            body.append('<text x="%d" y="%d" text-anchor="end"%s>%s</text>' % (
                LEFT - 6, y + 10, ' class="m"' if kind == "l" else "", escape(name.lstrip("= "))))
            body.append('<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>' % (
                kind, LEFT, y + 1, max(x(wall) - LEFT, 1), BAR - 3))
            body.append('<text x="%.1f" y="%d">%s</text>' % (x(wall) + 5, y + 10, seconds(wall)))
            y += BAR
        y += GAP
    grid = ['<path class="g" d="M%.1f 20V%d"/><text class="m" x="%.1f" y="14" text-anchor="middle">%s'
            '</text>' % (x(10 ** p), y - GAP, x(10 ** p), seconds(10.0 ** p)) for p in range(low, high + 1)]
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" '
            'aria-label="Times of plugpkg, other package managers and bare limits, logarithmic">\n'
            '<style>%s</style>\n%s\n</svg>\n' % (WIDTH, y, WIDTH, y, STYLE, "\n".join(grid + body)))


# ---- the README ----

def names_of(words):
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def quicker_peers(out, key):
    """Titles of the cases in which a peer needs less."""
    found = []
    for one in out["cases"].values():
        rows = one["rows"]
        peers = [r[key] for n, r in rows.items() if report.is_peer(n) and key in r]
        if peers and key in rows.get(report.OURS, {}) and min(peers) < rows[report.OURS][key]:
            found.append(one["title"])
    return found


def readme(out, key):
    peers = [n for n in out["programs"] if n not in (report.OURS, "apt-unsafe-io")]
    quicker = quicker_peers(out, key)
    before = ("%s time, on a logarithmic scale, of plugpkg (#), the quickest of %s (=), and a bare limit "
              "(.); tests/bench/chart.svg has more of them:" % (KEYS[key].capitalize(), names_of(peers)))
    after = ("Repositories of {0[names]:,} plugins with {0[versions]} versions each; {0[plugins]} plugins of "
             "{1} files. Medians of {2} rounds on a machine of {3[cores]} cores ({3[processor]}). {4} plugpkg "
             "verifies signatures and each archive, keeps what was there for `undo`, and is durable when it "
             "returns; most peers are not. `make bench` measures all of it where you are, tests/bench/README "
             "tells what and how.").format(
                 out["sizes"], out["sizes"]["files"], out["rounds"], out["machine"],
                 "A peer is quicker in: %s." % "; ".join(quicker) if quicker else "No peer is quicker.")
    return "%s\n\n%s\n%s\n" % (textwrap.fill(before, 106), text(out, key), textwrap.fill(after, 106))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    key = sys.argv[2] if len(sys.argv) > 2 else "wall"
    with open(sys.argv[1]) as f:
        out = json.load(f)
    with open(here + "/chart.svg", "w") as f:
        f.write(svg(out, key))
    with open(here + "/../../README") as f:
        was = f.read()
    found = re.search(r"How fast\n-+\n\n(.*?\n)\n[A-Z][^\n]*\n---+\n", was, re.S)
    with open(here + "/../../README", "w") as f:
        f.write(was[:found.start(1)] + readme(out, key) + was[found.end(1):])


if __name__ == "__main__":
    main()
