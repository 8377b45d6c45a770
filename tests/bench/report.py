# SPDX-License-Identifier: MIT
"""The figures of a run as data and as a table: medians, beside the fastest peer, the limit and the aim."""
import measure

# case: title, the aim in seconds or as (factor, limit), the limit that the table compares with
CASES = {
    "plan-many": ("plan many, cache warm", 0.030, "= libsolv, in reach"),
    "plan-one": ("plan one, cache warm", 0.012, "= libsolv, in reach"),
    "plan-many-capped": ("plan many, 15 % capped", 0.030, "= libsolv, in reach"),
    "plan-one-capped": ("plan one, 15 % capped", 0.012, "= libsolv, in reach"),
    "first-plan": ("first plan, nothing cached", 0.100, "= curl what is needed"),
    "install": ("install all, memory", 1.2, "= curl, unpack x2"),
    "install-disk": ("install all, disk, durable", 1.1, "= curl, unpack x2"),
    "list": ("list", 0.003, "= empty program"),
    "show": ("show", 0.003, "= empty program"),
    "nothing": ("upgrade, nothing to do", 0.003, "= empty program"),
    "again": ("install what is there", 0.003, "= empty program"),
    "sync": ("sync, nothing to do", 0.003, "= empty program"),
    "refresh": ("refresh, nothing new", 1.2, "= curl 304"),
    "upgrade": ("upgrade a third", 1.3, "= unpack x2"),
    "remove": ("remove all, nothing active", 0.020, "= mv"),
    "remove-files": ("remove all, files gone", 1.2, "= rm -rf"),
    "rollback": ("rollback, all come back", 0.020, "= mv"),
    "rollback-off": ("rollback, all go", 0.020, "= mv"),
    "publish": ("publish all", 0.150, "= sha256sum"),
    "publish-one": ("publish one more", 0.020, "= sha256sum"),
}
OURS = "plugpkg"


def is_peer(name):
    return not name.startswith("=") and not name.startswith(OURS)


def row_of(runs, memory):
    good = [r for r in runs if not r["failed"]]
    if not good:
        return {"failed": len(runs)}
    return {"wall": round(measure.median(good, "wall"), 5), "best": round(min(r["wall"] for r in good), 5),
            "cpu": round(measure.median(good, "cpu"), 5), "sys": round(measure.median(good, "sys"), 5),
            "peak_mb": round(max(r["rss_kb"] for r in good) / 1024, 1),
            "together_mb": round(max([r["together_kb"] for r in memory] or [0]) / 1024, 1),
            "runs": len(good), "failed": len(runs) - len(good)}


def collect(b):
    """Everything that JSON holds."""
    packages, files, upgraded = b.work.size["tree"]
    names, versions, closure = b.work.size["graph"]
    out = {"format": 1, "workload": b.work.label, "rounds": b.args.rounds, "machine": measure.machine(),
           "sizes": {"names": names, "versions": versions, "plan": closure, "plugins": packages,
                     "files": files, "upgraded": upgraded},
           "programs": {p.name: p.version() for p in b.peers}, "left_out": b.left_out, "cases": {}}
    for case, (title, aim, limit) in CASES.items():
        if case not in b.results:
            continue
        rows = {name: row_of(**got) for name, got in b.results[case].items()}
        walls = {n: r["wall"] for n, r in rows.items() if "wall" in r}
        one = {"title": title, "limit": limit if limit in walls else None, "rows": rows}
        if limit in walls and aim >= 1:
            one.update(aim_factor=aim, aim=round(aim * walls[limit], 5))
        elif aim < 1:
            one["aim"] = aim
        fastest = [n for n in sorted(walls, key=walls.get) if is_peer(n)]
        one["fastest_peer"] = fastest[0] if fastest else None
        out["cases"][case] = one
    return out


def ratio(value, base):
    return "%.2f" % (value / base) if base else ""


def table(one):
    walls = {n: r["wall"] for n, r in one["rows"].items() if "wall" in r}
    peer, limit, aim = walls.get(one["fastest_peer"]), walls.get(one["limit"]), one.get("aim")
    lines = ["%-27s %9s %9s %8s %8s %8s %7s %7s %7s" % (
        one["title"], "median s", "best s", "cpu s", "MiB", "MiB all", "x peer", "x limit", "x aim")]
    for name in sorted(one["rows"], key=lambda n: (walls.get(n, 9e9), n)):
        r = one["rows"][name]
        if "wall" not in r:
            lines.append("  %-25s failed" % name)
            continue
        lines.append("  %-25s %9.4f %9.4f %8.4f %8.1f %8.1f %7s %7s %7s%s" % (
            name, r["wall"], r["best"], r["cpu"], r["peak_mb"], r["together_mb"],
            ratio(r["wall"], peer) if not name.startswith("=") else "", ratio(r["wall"], limit),
            ratio(r["wall"], aim) if name.startswith(OURS) else "",
            "  %d failed" % r["failed"] if r["failed"] else ""))
    return lines


def summary(out):
    """One line a case: plugpkg beside the fastest peer, the limit and the aim; wall seconds, and after a
    slash those of processors."""
    def cell(rows, name):
        r = rows.get(name, {})
        return "%.4f / %.4f" % (r["wall"], r["cpu"]) if "wall" in r else "-"

    lines = ["%-28s %-17s %-27s %-37s %-8s" % ("wall / processor seconds", OURS, "fastest peer", "limit",
                                              "aim")]
    for one in out["cases"].values():
        rows, peer, limit = one["rows"], one["fastest_peer"], one["limit"]
        own, verdict = rows.get(OURS, {}).get("wall"), ""
        if own and "aim" in one:
            verdict = "met" if own <= one["aim"] else "x %.1f" % (own / one["aim"])
        lines.append("%-28s %-17s %-27s %-37s %-8s %s" % (
            one["title"], cell(rows, OURS), "%s %s" % (cell(rows, peer), peer) if peer else "none has it",
            "%s %s" % (cell(rows, limit), limit[2:]) if limit else "",
            "%.4f" % one["aim"] if "aim" in one else "", verdict))
    return lines


def text(out):
    m, s = out["machine"], out["sizes"]
    lines = ["%d cores, %s, %d MB, Linux %s, load %.1f; medians of %d rounds" % (
        m["cores"], m["processor"], m["memory_mb"], m["kernel"], m["load"], out["rounds"]),
        "graphs of %(names)d plugins with %(versions)d versions each, plans of some %(plan)d; %(plugins)d "
        "plugins of %(files)d files, %(upgraded)d of them upgraded" % s,
        "; ".join("%s: %s" % kv for kv in out["programs"].items()),
        "left out: " + (", ".join(out["left_out"]) or "none"), ""]
    for one in out["cases"].values():
        lines += table(one) + [""]
    return "\n".join(lines + summary(out)) + "\n"
