#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What may be left of a directory when the power fails while a command works in it.

    power.py WORLD BEFORE TRACE [--seeds N] [--every N] [--model NAME]...

TRACE is what strace saw of the command and all its children (see power.sh), BEFORE a copy of WORLD
from before it. The recorded changes are replayed in memory; all of them together have to give WORLD
as it is now, else the record is not complete and nothing is tried. Then WORLD becomes, one after the
other, each state that a loss of power could leave. For each a line

    LABEL either|new

is printed, and a line read before the next one. `new` are states after the end of the command. The
file TRACE.lost tells which changes a state lacks. The models, from gentle to cruel, differ in what
happens to changes that nobody made durable yet:

    ordered  as a journalling file system has it: names, modes and truncations up to any one moment
             in their order; written bytes of files without fsync are lost, zero, torn, or there
    strict   all of them are lost: a file's content without fsync of the file, a name without fsync
             of its directory
    random   any of them may be there, in part (seeded)

Everywhere: a rename is atomic; syncfs makes durable what lies below the same first component in
WORLD, each of which stands for a file system of its own.
"""

import argparse
import dataclasses
import hashlib
import os
import random
import re
import shutil
import stat
import sys
import typing

SECTOR = 512
NEVER = 1 << 60
ZERO = object()
DATA_FATES = ("lost", "zero", "torn", "there")


class NotUnderstood(Exception):
    """The record has something that this program cannot replay."""


# ---- trees in memory ---------------------------------------------------------------------------


@dataclasses.dataclass
class Node:
    """A file (content: its bytes), a directory (content: None) or a link (content: its target)."""

    kind: str
    mode: int
    content: object = None


class Tree:
    """Nodes by number, names by the number of their directory. Directory 0 is the top."""

    def __init__(self, births):
        self.births = births
        self.nodes = {}
        self.names = {}

    def copy(self):
        other = Tree(self.births)
        other.nodes = dict(self.nodes)
        other.names = {number: dict(names) for number, names in self.names.items()}
        return other

    def node(self, number):
        return self.nodes.get(number) or self.births[number]

    def change(self, number, **members):
        self.nodes[number] = dataclasses.replace(self.node(number), **members)

    def entries(self, directory):
        return self.names.setdefault(directory, {})

    def walk(self, directory=0, prefix=""):
        for name, number in sorted(self.entries(directory).items()):
            yield prefix + name, self.node(number)
            if self.node(number).kind == "d":
                yield from self.walk(number, prefix + name + "/")

    def digest(self):
        h = hashlib.sha1()
        for path, node in self.walk():
            content = node.content if node.kind == "f" else str(node.content).encode()
            h.update(f"{path}\0{node.kind}{node.mode:o}\0{len(content)}\0".encode())
            h.update(content)
        return h.digest()

    def store(self, top):
        for name in os.listdir(top):
            shutil.rmtree(os.path.join(top, name))
        modes = []
        for path, node in self.walk():
            full = os.path.join(top, path)
            if node.kind == "l":
                os.symlink(node.content, full)
                continue
            if node.kind == "d":
                os.mkdir(full)
                modes.append((full, node.mode))
                continue
            with open(full, "wb") as f:
                f.write(node.content)
            os.chmod(full, node.mode)
        for full, mode in reversed(modes):
            os.chmod(full, mode)


def load(top):
    births = {0: Node("d", 0o755)}
    tree = Tree(births)

    def add(directory, path):
        for name in sorted(os.listdir(path)):
            full = os.path.join(path, name)
            st = os.lstat(full)
            mode = stat.S_IMODE(st.st_mode)
            number = len(births)
            tree.entries(directory)[name] = number
            if stat.S_ISLNK(st.st_mode):
                births[number] = Node("l", 0o777, os.readlink(full))
            elif stat.S_ISDIR(st.st_mode):
                births[number] = Node("d", mode)
                add(number, full)
            else:
                with open(full, "rb") as f:
                    births[number] = Node("f", mode, f.read())

    add(0, top)
    return tree


# ---- changes -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Change:
    """One effect. An fsync of any of `holders`, or a syncfs of `place`, makes it durable."""

    what: str
    place: str
    holders: tuple
    apply: object
    into: int = -1  # the directory that gets a name by it, if one does
    number: int = -1  # that name's file; of data, whose it is
    is_data: bool = False
    at: int = 0
    data: bytes = b""
    durable_at: int = NEVER


@dataclasses.dataclass
class Barrier:
    what: str
    holder: int = -1
    place: str = ""


def write(tree, number, at, data):
    old = tree.node(number).content
    old = old + b"\0" * (at - len(old))
    tree.change(number, content=old[:at] + data + old[at + len(data) :])


def resize(tree, number, size):
    old = tree.node(number).content
    tree.change(number, content=old[:size] + b"\0" * (size - len(old)))


class Place(typing.NamedTuple):
    """A name in a directory, whether there is anything or not."""

    directory: int
    name: str
    path: str  # below the world


# ---- the record --------------------------------------------------------------------------------

CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)$")
UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
DESCRIPTOR = re.compile(r"^(?:-?\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?$")


def unhex(text):
    if text.endswith("..."):
        raise NotUnderstood("strace cut a string short")
    return bytes.fromhex(text.strip('"').replace("\\x", ""))


def path_of(argument):
    """Of a descriptor; None when its file has no name any more, or is no file."""
    m = DESCRIPTOR.match(argument.strip())
    if m is None or m.group(2):
        return None
    path = os.fsdecode(unhex(m.group(1)))
    return None if path.endswith(" (deleted)") else path


def number_of(text):
    return int(text, 8 if text.startswith("0") else 10)


def calls(trace):
    """(name, arguments, result, rest) of each call that came to its end, in that order."""
    begun = {}
    with open(trace, encoding="ascii") as f:
        for line in f:
            line = line.rstrip("\n")
            m = UNFINISHED.match(line)
            if m:
                begun[m.group(1)] = line[: -len(" <unfinished ...>")]
                continue
            m = RESUMED.match(line)
            if m:
                line = begun.pop(m.group(1)) + m.group(2)
            m = CALL.match(line)
            if m and m.group(4) not in ("-1", "?"):
                yield m.group(2), m.group(3).split(", "), int(m.group(4)), m.group(5)


class Record:
    """Follows the calls in `tree`; `events` are the changes and barriers among them."""

    def __init__(self, world, tree):
        self.world = world + "/"
        self.tree = tree
        self.events = []
        self.offsets = {}

    # -- places

    def inside(self, path):
        return path[len(self.world) :] if path and path.startswith(self.world) else None

    def find(self, path, depth=0):
        """The place of an absolute path, links on the way followed; None: not ours."""
        rest = self.inside(os.path.normpath(path))
        if rest is None or depth > 8:
            return None
        parts = rest.split("/")
        directory = 0
        for i, name in enumerate(parts):
            if i == len(parts) - 1:
                return Place(directory, name, rest)
            directory = self.tree.entries(directory).get(name)
            if directory is None:
                return None
            node = self.tree.node(directory)
            if node.kind == "l":
                base = self.world + "/".join(parts[:i])
                return self.find(os.path.join(base, node.content, *parts[i + 1 :]), depth + 1)
        return None

    def at(self, descriptor, name):
        """The place of a name given to a call that takes a directory's descriptor, or none."""
        name = os.fsdecode(unhex(name))
        if not os.path.isabs(name):
            base = path_of(descriptor) if descriptor else None
            if base is None:
                return None
            name = os.path.join(base, name)
        if name.startswith("/proc/"):
            return None
        return self.find(name)

    def look_up(self, place):
        return self.tree.entries(place.directory).get(place.name) if place else None

    def opened(self, descriptor):
        """(path, number) of a descriptor's file in our world, or (None, None)."""
        path = path_of(descriptor)
        if self.inside(path) is None:
            return None, None
        number = self.look_up(self.find(path))
        if number is None:
            raise NotUnderstood(f"{path} came from nowhere")
        return path, number

    # -- notes

    def change(self, what, holders, apply, **members):
        change = Change(what, self.current.split("/")[0], holders, apply, **members)
        apply(self.tree)
        self.events.append(change)

    def born(self, place, node):
        number = len(self.tree.births)
        self.tree.births[number] = node
        self.enter("create" if node.kind == "f" else "make", place, number)
        return number

    def enter(self, verb, place, number):
        def apply(tree):
            tree.entries(place.directory)[place.name] = number

        what = f"{verb} {self.current}"
        self.change(what, (place.directory,), apply, into=place.directory, number=number)

    def resize(self, number, size):
        self.change(
            f"truncate {self.current} to {size}", (number,), lambda t: resize(t, number, size)
        )

    def write(self, path, number, at, data):
        self.change(
            f"write {len(data)} bytes at {at} of {self.inside(path)}",
            (number,),
            lambda t: write(t, number, at, data),
            is_data=True,
            number=number,
            at=at,
            data=data,
        )

    # -- calls

    def replay(self, trace):
        for name, arguments, result, rest in calls(trace):
            handler = getattr(self, "on_" + name, None)
            if handler is None:
                raise NotUnderstood(f"call {name}")
            self.current = None
            handler(arguments, result, rest)

    def about(self, place):
        """Notes whom the next changes are about; False when it is not ours."""
        if place is None:
            return False
        self.current = place.path
        return True

    def about_opened(self, descriptor):
        path, number = self.opened(descriptor)
        if number is None or not self.about(self.find(path)):
            return None, None
        return path, number

    def on_openat(self, arguments, _result, rest):
        path = path_of("0" + rest)
        if "O_TMPFILE" in arguments[2] and self.inside(path):
            raise NotUnderstood("O_TMPFILE")
        place = self.find(path) if path else None
        if "O_CREAT" not in arguments[2] and "O_TRUNC" not in arguments[2] or not self.about(place):
            return
        number = self.look_up(place)
        if number is None:
            number = self.born(place, Node("f", number_of(arguments[3]) & ~0o022, b""))
        elif "O_TRUNC" in arguments[2] and self.tree.node(number).content:
            self.resize(number, 0)
        self.offsets[path] = None if "O_APPEND" in arguments[2] else 0

    def on_open(self, arguments, result, rest):
        self.on_openat([""] + arguments, result, rest)

    def on_openat2(self, arguments, result, rest):
        how = ", ".join(arguments[2:])
        flags = re.search(r"flags=([^,}]*)", how).group(1)
        mode = re.search(r"mode=(\d+)", how)
        self.on_openat(arguments[:2] + [flags, mode.group(1) if mode else "0"], result, rest)

    def on_creat(self, arguments, result, rest):
        self.on_openat(["", arguments[0], "O_CREAT|O_TRUNC", arguments[1]], result, rest)

    def on_lseek(self, arguments, result, _rest):
        path = path_of(arguments[0])
        if path in self.offsets and self.offsets[path] is not None:
            self.offsets[path] = result

    def on_write(self, arguments, result, _rest):
        path, number = self.about_opened(arguments[0])
        if number is None:
            return
        at = self.offsets.get(path)
        if at is None:
            at = len(self.tree.node(number).content)
        else:
            self.offsets[path] += result
        self.write(path, number, at, unhex(arguments[1])[:result])

    def on_pwrite64(self, arguments, result, _rest):
        path, number = self.about_opened(arguments[0])
        if number is not None:
            self.write(path, number, int(arguments[3]), unhex(arguments[1])[:result])

    def on_ftruncate(self, arguments, _result, _rest):
        _, number = self.about_opened(arguments[0])
        if number is not None:
            self.resize(number, int(arguments[1]))

    def on_fallocate(self, arguments, _result, _rest):
        path, number = self.about_opened(arguments[0])
        if number is None:
            return
        if arguments[1] != "0":
            raise NotUnderstood(f"fallocate {arguments[1]} of {path}")
        size = int(arguments[2]) + int(arguments[3])
        if size > len(self.tree.node(number).content):
            self.resize(number, size)

    def not_inside(self, what, *descriptors):
        for descriptor in descriptors:
            if self.inside(path_of(descriptor)) is not None:
                raise NotUnderstood(f"{what} of {path_of(descriptor)}")

    def on_mmap(self, arguments, _result, _rest):
        if "PROT_WRITE" in arguments[2] and "MAP_SHARED" in arguments[3]:
            self.not_inside("mmap", arguments[4])

    def on_ioctl(self, arguments, _result, _rest):
        if "CLONE" in arguments[1]:
            self.not_inside(arguments[1], arguments[0])

    def on_copy_file_range(self, arguments, _result, _rest):
        self.not_inside("copy_file_range", arguments[2])

    def on_sendfile(self, arguments, _result, _rest):
        self.not_inside("sendfile", arguments[0])

    def on_writev(self, arguments, _result, _rest):
        self.not_inside("writev", arguments[0])

    def on_pwritev(self, arguments, _result, _rest):
        self.not_inside("pwritev", arguments[0])

    def make(self, place, node):
        if self.about(place):
            self.born(place, node)

    def on_mkdirat(self, arguments, _result, _rest):
        place = self.at(arguments[0], arguments[1])
        self.make(place, Node("d", number_of(arguments[2]) & ~0o022))
        if place:
            self.tree.entries(self.look_up(place))

    def on_mkdir(self, arguments, result, rest):
        self.on_mkdirat([""] + arguments, result, rest)

    def on_symlinkat(self, arguments, _result, _rest):
        target = os.fsdecode(unhex(arguments[0]))
        self.make(self.at(arguments[1], arguments[2]), Node("l", 0o777, target))

    def on_symlink(self, arguments, result, rest):
        self.on_symlinkat([arguments[0], "", arguments[1]], result, rest)

    def on_linkat(self, arguments, _result, _rest):
        old, new = self.at(*arguments[0:2]), self.at(*arguments[2:4])
        if self.about(new):
            self.enter("link", new, self.look_up(old))

    def on_link(self, arguments, result, rest):
        self.on_linkat(["", arguments[0], "", arguments[1]], result, rest)

    def on_unlinkat(self, arguments, _result, _rest):
        place = self.at(*arguments[0:2])
        if not self.about(place):
            return
        number = self.look_up(place)

        def apply(tree):
            names = tree.entries(place.directory)
            if names.get(place.name) == number:
                del names[place.name]

        self.change(f"delete {self.current}", (place.directory,), apply)

    def on_unlink(self, arguments, result, rest):
        self.on_unlinkat([""] + arguments, result, rest)

    on_rmdir = on_unlink

    def on_renameat2(self, arguments, _result, _rest):
        old, new = self.at(*arguments[0:2]), self.at(*arguments[2:4])
        if (old is None) != (new is None):
            raise NotUnderstood(f"rename into or out of the world: {old}, {new}")
        if not self.about(old):
            return
        number, other = self.look_up(old), self.look_up(new)
        is_swap = "RENAME_EXCHANGE" in arguments[4]

        def apply(tree):
            names = tree.entries(old.directory)
            if names.get(old.name) == number:
                del names[old.name]
            if is_swap:
                names[old.name] = other
            tree.entries(new.directory)[new.name] = number

        what = f"rename {old.path} to {new.path}"
        holders = (old.directory, new.directory)
        self.change(what, holders, apply, into=new.directory, number=number)

    def on_renameat(self, arguments, result, rest):
        self.on_renameat2(arguments + ["0"], result, rest)

    def on_rename(self, arguments, result, rest):
        self.on_renameat2(["", arguments[0], "", arguments[1], "0"], result, rest)

    def on_fchmodat(self, arguments, _result, _rest):
        place = self.at(*arguments[0:2])
        number = self.look_up(place)
        if number is not None and self.about(place):
            self.chmod(number, number_of(arguments[2]))

    def on_chmod(self, arguments, result, rest):
        self.on_fchmodat([""] + arguments, result, rest)

    def on_fchmod(self, arguments, _result, _rest):
        path = path_of(arguments[0])
        if path and path + "/" == self.world:
            return
        _, number = self.about_opened(arguments[0])
        if number is not None:
            self.chmod(number, number_of(arguments[1]))

    def chmod(self, number, mode):
        self.change(
            f"chmod {mode:o} {self.current}", (number,), lambda t: t.change(number, mode=mode)
        )

    def on_fsync(self, arguments, _result, _rest):
        path, number = self.about_opened(arguments[0])
        if number is not None:
            self.events.append(Barrier(f"fsync {self.inside(path)}", holder=number))

    on_fdatasync = on_fsync

    def on_syncfs(self, arguments, _result, _rest):
        path, number = self.about_opened(arguments[0])
        if number is not None:
            name = self.inside(path).split("/")[0]
            self.events.append(Barrier(f"syncfs {name}", place=name))

    def on_sync(self, _arguments, _result, _rest):
        for name in self.tree.entries(0):
            self.events.append(Barrier(f"sync {name}", place=name))


def settle_durability(events):
    """When does each change become durable? At the first barrier after it that covers it."""
    pending = []
    for i, event in enumerate(events):
        if isinstance(event, Change):
            pending.append(event)
            continue
        still = []
        for change in pending:
            if event.place == change.place or event.holder in change.holders:
                change.durable_at = i
            else:
                still.append(change)
        pending = still


# ---- states ------------------------------------------------------------------------------------


class States:
    """All that may be left, each once. A crash point k is the moment before events[k]."""

    def __init__(self, before, events, seeds, models):
        self.before = before
        self.known = {0} | {n for names in before.names.values() for n in names.values()}
        self.events = events
        self.seeds = seeds
        self.models = models
        self.seen = set()
        self.lost = []

    def build(self, k, keep):
        """keep(change, index): True, False, ZERO, or the bytes of it that arrived."""
        tree = self.before.copy()
        there = set(self.known)
        self.lost = []
        for i, event in enumerate(self.events[:k]):
            if not isinstance(event, Change):
                continue
            # Nothing is moved into a directory that is not there, and away from where it was.
            can = event.into == -1 or event.into in there
            fate = event.durable_at < k or (can and keep(event, i))
            if fate is True:
                event.apply(tree)
                there.add(event.number)
                continue
            self.lost.append(event.what)
            if fate is ZERO:
                # Blocks that were never written come as zeros; others keep what they had.
                size = max(event.at + len(event.data), len(tree.node(event.number).content))
                resize(tree, event.number, size)
            elif fate is not False:
                write(tree, event.number, event.at, fate)
        return tree

    def points(self):
        """Before each barrier, where most is at risk; and after the end."""
        for k, event in enumerate(self.events):
            if isinstance(event, Barrier):
                yield k
        yield len(self.events)

    def strict(self, k):
        yield "", lambda change, i: False

    def ordered(self, k):
        """Each file system at any moment since its last durable change of names, others there."""
        names = [
            (i, e)
            for i, e in enumerate(self.events[:k])
            if isinstance(e, Change) and not e.is_data
        ]
        sure = {e.place: i for i, e in names if e.durable_at < k}
        moments = [(None, -1)] + [(e.place, i) for i, e in names if i > sure.get(e.place, -1)]
        for place, i in moments:
            for fate in DATA_FATES:
                yield f"/{i}-{fate}", self.ordered_keep({**sure, place: i}, fate)

    @staticmethod
    def ordered_keep(last, fate):
        def keep(change, i):
            if not change.is_data:
                return i <= last.get(change.place, -1)
            return {
                "lost": False,
                "zero": ZERO,
                "torn": change.data[: len(change.data) // 2],
                "there": True,
            }[fate]

        return keep

    def random(self, k):
        for seed in range(self.seeds):
            rng = random.Random(f"{k} {seed}")
            share = rng.choice((0.2, 0.5, 0.8))
            yield f"#{seed}", self.random_keep(rng, share)

    @staticmethod
    def random_keep(rng, share):
        def keep(change, _i):
            if rng.random() >= share:
                return False
            if change.is_data and rng.random() < 0.3:
                return change.data[: rng.randrange(len(change.data) // SECTOR + 1) * SECTOR]
            return True

        return keep

    def __iter__(self):
        for model in self.models:
            for k in self.points():
                is_over = k == len(self.events)
                for name, keep in getattr(self, model)(k):
                    tree = self.build(k, keep)
                    key = (is_over, tree.digest())
                    if key in self.seen:
                        continue
                    self.seen.add(key)
                    yield f"{model}@{k}{name}", "new" if is_over else "either", tree


def compare(replayed, real):
    a, b = dict(replayed.walk()), dict(real.walk())
    for path in sorted(a.keys() | b.keys()):
        if a.get(path) != b.get(path):
            raise NotUnderstood(f"the record does not give {path} as it is")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("world")
    parser.add_argument("before")
    parser.add_argument("trace")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--model", action="append")
    options = parser.parse_args()

    before = load(options.before)
    record = Record(options.world, before.copy())
    try:
        record.replay(options.trace)
        compare(record.tree, load(options.world))
    except NotUnderstood as e:
        sys.exit(f"power.py: not understood: {e}")
    settle_durability(record.events)
    models = options.model or ["strict", "ordered", "random"]
    states = States(before, record.events, options.seeds, models)
    for n, (label, want, tree) in enumerate(states):
        if want != "new" and n % options.every != 0:
            continue
        tree.store(options.world)
        with open(options.trace + ".lost", "w", encoding="utf-8") as f:
            f.write("\n".join(states.lost) + "\n")
        print(label, want, flush=True)
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    main()
