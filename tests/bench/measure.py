# SPDX-License-Identifier: MIT
"""One command, and what it cost: time, memory, instructions, system calls. And on what machine."""
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", HERE + "/../../build"))
# Signed metadata expires: publisher and client live at one fixed moment, so that what was prepared once
# can be used for ever, and is the same bytes each time.
NOW = "1767225600"


def program(name):
    """A program of the build."""
    for folder in ("/", "/tests/bench/"):
        path = BUILD + folder + name
        if os.access(path, os.X_OK):
            return path
    sys.exit("%s is not in %s: use make bench, or set top_builddir" % (name, BUILD))


def ours():
    """The environment of our own programs."""
    return {"PLUGPKG_LIBEXEC": os.path.dirname(program("plugpkg-fetch")),
            "PLUGPKG_NOW": NOW, "SOURCE_DATE_EPOCH": NOW}


def environment(extra):
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env.update(LC_ALL="C.UTF-8", no_proxy="*", **extra)
    env.pop("PLUGPKG_ROOT", None)
    env.pop("PLUGPKG_REPO", None)
    return env


def quiet(cmd, env=None, **kw):
    """Run what is not measured; its failure ends the run."""
    done = subprocess.run(cmd, env=environment(env or {}), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kw)
    if done.returncode != 0:
        sys.exit("status %d: %s\n%s" % (done.returncode, " ".join(cmd)[:400],
                                        done.stdout.decode(errors="replace")[-2000:]))
    return done.stdout.decode(errors="replace")


class Meter:
    """Runs commands below `folder`, which also keeps the log of what failed."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.log = open(folder + "/run.log", "a")
        self.scratch = tempfile.mkdtemp(prefix="plugpkg-bench-")

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.log.close()

    def failed(self, cmd, what, text=""):
        self.log.write("FAILED, %s: %s\n%s\n" % (what, " ".join(cmd)[:500], text[-3000:]))
        self.log.flush()

    def cost(self, cmd, env, codes=(0,), together=False):
        """Wall, user and system seconds and peak KiB of the largest process, of all with `together`;
        and what it printed."""
        out, told = self.scratch + "/out", self.scratch + "/cost"
        with open(out, "wb") as o:
            subprocess.run([program("cost"), *(["-m"] if together else []), told, *cmd],
                           env=environment(env), stdin=subprocess.DEVNULL, stdout=o,
                           stderr=subprocess.STDOUT, check=True)
        with open(told) as f:
            got = json.load(f)
        with open(out, errors="replace") as f:
            text = f.read()
        if got["code"] not in codes:
            self.failed(cmd, "status %d" % got["code"], text)
            got["failed"] = True
        got["cpu"] = got["user"] + got["sys"]
        return got, text

    def under(self, tool, cmd, env, codes):
        done = subprocess.run(tool + cmd, env=environment(env), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace")
        if done.returncode not in codes:
            self.failed(cmd, "status %d under %s" % (done.returncode, tool[0]), done.stderr)
            return None
        return done.stderr

    def instructions(self, cmd, env, codes=(0,)):
        """Of the process, not of its children; None on failure."""
        told = self.under(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"], cmd, env,
                          codes)
        return told and sum(int(n) for n in re.findall(r"Collected : (\d+)", told))

    def system_calls(self, cmd, env, codes=(0,)):
        """Of the process and all its children, {name: count}; None on failure."""
        out = self.scratch + "/strace"
        if self.under(["strace", "-f", "-c", "-o", out], cmd, env, codes) is None:
            return None
        with open(out) as f:
            rows = [line.split() for line in f]
        return {r[-1]: int(r[3]) for r in rows
                if len(r) >= 5 and re.match(r"^[0-9.]+$", r[0]) and r[-1] != "total"}


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def first_line(*cmd):
    try:
        done = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=environment(ours()))
    except OSError:
        return None
    lines = [x.strip(" .|-") for x in done.stdout.splitlines() if re.search(r"[0-9]\.[0-9]", x)]
    return lines[0] if lines else ""


def machine():
    """What the figures depend on."""
    model = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            model = next((x.split(":", 1)[1].strip() for x in f if x.startswith("model name")), "")
    system = platform.platform()
    if os.path.exists("/etc/os-release"):
        with open("/etc/os-release") as f:
            system = next((x[13:-2] for x in f if x.startswith('PRETTY_NAME="')), system)
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) // 1024
    return {"cores": os.cpu_count(), "processor": model, "memory_mb": memory,
            "kernel": platform.release(), "system": system, "load": round(os.getloadavg()[0], 2)}
