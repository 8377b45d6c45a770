# SPDX-License-Identifier: MIT
"""How plugpkg and each peer is told to do the same work.

A peer has a name, the programs it needs and these methods; each that returns a command returns an
argument list, or None if the peer can't do that. `t` is a Task.

  setup(t)      write the configuration and an empty database in t.root
  refresh(t)    fetch the index
  forget(t)     remove what refresh left, so that the next one is a first one
  plan(t)       print what installing t.names would do
  install(t)    install t.names
  listed(t)     list what is installed
  show(t)       show one installed package
  upgrade(t)    upgrade everything (also the 'nothing to do' case)
  again(t)      install what is there
  remove(t)     remove t.names
  index(t)      index the archives in t.path from nothing
  reindex(t)    index again when one archive is new

To put a new package manager beside the others, add a class and list it in PEERS; for its index add a
function to emit_index.py, for its archives one to archives.py.
"""
import glob
import json
import os
import platform
import shutil
import subprocess

import archives
import measure


class Task:
    """Where one peer works: `root` is the target, `conf` what configures it, `url` the repository and
    `path` the same as a folder, `kind` w1 (plans only) or w2, `names` what to install."""

    def __init__(self, base, url, path, kind, names):
        self.root, self.conf = base + "/root", base + "/conf"
        self.base, self.url, self.path = base, url, path
        self.kind, self.names, self.offline = kind, names, False

    def files(self, end):
        """The archives in `path` but for those marked as newer."""
        return [f for f in self.all_files(end) if not os.path.exists(self.mark(f))]

    def newer(self, end):
        return [f for f in self.all_files(end) if os.path.exists(self.mark(f))]

    def all_files(self, end):
        return sorted(os.path.join(self.path, n) for n in os.listdir(self.path) if n.endswith(end))

    def mark(self, path):
        return os.path.join(self.base, "newer", os.path.basename(path))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def replace(path, old, new):
    try:
        with open(path) as f:
            text = f.read()
    except (OSError, UnicodeDecodeError):
        return
    if old in text:
        write(path, text.replace(old, new))


def quiet(*args, **kw):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **kw)


class Peer:
    needs = ()
    one_version = False     # knows one version per name: no capped graphs
    graph = archives = None     # folders under a graph, and under w2/repo
    is_durable = False      # what it did is on the disk when it ends; others get a sync
    needs_root = True
    plan_codes = remove_codes = (0,)

    def missing(self):
        """The programs without which it cannot take part."""
        return [n for n in self.needs if not shutil.which(n)] + archives.missing(self.archives)

    def environ(self, t):
        return {}

    def nothing(self, t):
        return None

    warm = refresh = plan = install = listed = show = upgrade = sync = remove = clean = nothing
    index = reindex = nothing

    def again(self, t):
        return self.install(t)

    def version(self):
        return measure.first_line(self.needs[0], "--version")

    def setup(self, t):
        pass

    def forget(self, t):
        pass

    def repoint(self, t, url):
        """The repository moved on: rewrite its address wherever the configuration has it."""
        old, t.url = t.url, url
        for folder, _, names in os.walk(t.conf):
            if "/cache" not in folder and "/lists" not in folder:
                for n in names:
                    replace(os.path.join(folder, n), old, url)
        for n in ("composer.json", "plugpkg.json", "etc/zypp/repos.d/bench.repo"):
            replace(os.path.join(t.root, n), old, url)

    def installed_files(self, t):
        return os.path.join(t.root, "opt/host/plugins")

    def count_files(self, t):
        return sum(len(f) for _, _, f in os.walk(self.installed_files(t)))


class Plugpkg(Peer):
    name, graph, archives = "plugpkg", "plug", "plug"
    is_durable, needs_root = True, False

    def environ(self, t):
        return measure.ours()

    def version(self):
        return measure.first_line(measure.program("plugpkg"), "--version")

    def base(self, t):
        return [measure.program("plugpkg"), "--root", t.root, "-y", "-q"]

    def repo(self, t):
        return [measure.program("plugpkg-repo"), "--repo", t.base + "/publisher", "-q"]

    def setup(self, t):
        measure.quiet([measure.program("plugpkg"), "init", t.root], self.environ(t))
        measure.quiet(self.base(t) + ["source", "add", "bench", t.url + "/public/", "--key",
                                      t.path + "/public/metadata/1.root.json"], self.environ(t))

    def refresh(self, t):
        return self.base(t) + ["update"]

    def warm(self, t):
        """A dry run keeps nothing of what it fetched; a question does."""
        return self.base(t) + ["why-not"] + t.names

    def forget(self, t):
        shutil.rmtree(t.root + "/var/cache")
        os.mkdir(t.root + "/var/cache")
        for name in ("timestamp", "snapshot", "targets", "index"):
            path = t.root + "/var/trust/bench/%s.json" % name
            if os.path.exists(path):
                os.remove(path)

    def plan(self, t):
        return [measure.program("plugpkg"), "--root", t.root, "install", "--dry-run"] + t.names

    def install(self, t):
        return self.base(t) + ["install"] + t.names

    def listed(self, t):
        return [measure.program("plugpkg"), "--root", t.root, "list"]

    def show(self, t):
        return [measure.program("plugpkg"), "--root", t.root, "show", t.names[0]]

    def upgrade(self, t):
        return self.base(t) + ["upgrade"]

    def sync(self, t):
        return self.base(t) + ["sync"]

    def remove(self, t):
        return self.base(t) + ["remove", "--all"]

    def clean(self, t):
        return self.base(t) + ["clean"]

    def rollback(self, t, generation):
        return self.base(t) + ["rollback", str(generation)]

    def publish(self, t, archives):
        repo = self.repo(t)
        return ["sh", "-c", '"$@" add %s && "$@" publish' % " ".join(archives), "sh"] + repo

    def index(self, t):
        measure.quiet([measure.program("plugpkg-repo"), "init", t.base + "/publisher", "--name", "bench"],
                      self.environ(t))
        return self.publish(t, t.files(".plug"))

    def reindex(self, t):
        return self.publish(t, t.newer(".plug"))

    def count_files(self, t):
        """Of what is active; an old version in the store is not."""
        total = 0
        for entry in os.scandir(t.root + "/current/"):
            if entry.is_symlink():
                total += sum(len(f) for _, _, f in os.walk(os.path.realpath(entry.path)))
        return total


class Pacman(Peer):
    name, needs, one_version = "pacman", ("pacman",), True
    graph, archives = "pacman", "pacman"

    def query(self, t):
        return ["pacman", "--config", t.conf + "/pacman.conf"]

    def base(self, t):
        return self.query(t) + ["--noconfirm", "--noprogressbar"]

    def setup(self, t):
        os.makedirs(t.root + "/var/lib/pacman", exist_ok=True)
        os.makedirs(t.root + "/var/cache/pacman/pkg", exist_ok=True)
        write(t.conf + "/pacman.conf", "\n".join([
            "[options]", "RootDir = " + t.root,
            "DBPath = %s/var/lib/pacman/" % t.root,
            "CacheDir = %s/var/cache/pacman/pkg/" % t.root,
            "LogFile = %s/pacman.log" % t.conf, "HookDir = %s/hooks/" % t.conf,
            "GPGDir = %s/gpg/" % t.conf, "Architecture = auto",
            "SigLevel = Never", "ParallelDownloads = 5",
            "[bench]", "Server = " + t.url, ""]))

    def refresh(self, t):
        return self.base(t) + ["-Sy"]

    def forget(self, t):
        shutil.rmtree(t.root + "/var/lib/pacman/sync", ignore_errors=True)

    def plan(self, t):
        return self.base(t) + ["-Sp", "--print-format", "%n %v"] + t.names

    def install(self, t):
        return self.base(t) + ["-S", "--noscriptlet"] + t.names

    def again(self, t):
        return self.base(t) + ["-S", "--needed", "--noscriptlet"] + t.names

    def listed(self, t):
        return self.query(t) + ["-Q"]

    def show(self, t):
        return self.query(t) + ["-Qi", t.names[0]]

    def upgrade(self, t):
        return self.base(t) + ["-Su", "--noscriptlet"]

    def remove(self, t):
        return self.base(t) + ["-R", "--noscriptlet"] + t.names

    def index(self, t):
        return ["repo-add", "-q", t.path + "/bench.db.tar.gz"] + t.files(".zst")

    def reindex(self, t):
        return ["repo-add", "-q", t.path + "/bench.db.tar.gz"] + t.newer(".zst")


class Apk(Peer):
    name, needs = "apk", ("apk",)
    graph, archives = "apk", "apk"

    def base(self, t):
        return ["apk", "--root", t.root, "--arch", "noarch", "--allow-untrusted",
                "--repositories-file", t.conf + "/repositories",
                "--cache-max-age", "100000"]

    def setup(self, t):
        write(t.conf + "/repositories", t.url + "/bench.adb\n")
        os.makedirs(t.root, exist_ok=True)
        quiet("apk", "--root", t.root, "--arch", "noarch", "--allow-untrusted",
              "--no-network", "--repositories-file", "/dev/null", "add", "--initdb")
        os.makedirs(t.root + "/var/cache/apk", exist_ok=True)

    def refresh(self, t):
        return self.base(t)[:-2] + ["update"]

    def forget(self, t):
        for path in glob.glob(t.root + "/var/cache/apk/*"):
            os.unlink(path)

    def plan(self, t):
        return self.base(t) + ["add", "--simulate"] + t.names

    def install(self, t):
        return self.base(t) + ["add", "--no-scripts"] + t.names

    def listed(self, t):
        return self.base(t) + ["list", "--installed"]

    def show(self, t):
        return self.base(t) + ["info", "-a", t.names[0]]

    def upgrade(self, t):
        return self.base(t) + ["upgrade"]

    def remove(self, t):
        return self.base(t) + ["del"] + t.names

    def index(self, t):
        return ["apk", "--allow-untrusted", "mkndx", "-o", t.path + "/bench.adb"] \
            + t.files(".apk")

    def reindex(self, t):
        return ["apk", "--allow-untrusted", "mkndx", "-x", t.path + "/bench.adb",
                "-o", t.path + "/new.adb"] + t.files(".apk") + t.newer(".apk")


class Xbps(Peer):
    name, needs, one_version = "xbps", ("xbps-install",), True
    graph, archives = "xbps", "xbps"

    def tool(self, t, which):
        return ["xbps-" + which, "-C", t.conf + "/xbps.d", "-r", t.root]

    def base(self, t):
        return self.tool(t, "install") + ["-i", "-y", "-R", t.url]

    def environ(self, t):
        return {"XBPS_ARCH": platform.machine()}

    def setup(self, t):
        os.makedirs(t.conf + "/xbps.d", exist_ok=True)
        os.makedirs(t.root, exist_ok=True)
        # the first sight of a repository asks whether to trust its key
        quiet(*self.refresh(t), input=b"y\n", env=dict(os.environ, **self.environ(t)))

    def refresh(self, t):
        return self.base(t) + ["-S"]

    def forget(self, t):
        for path in glob.glob(t.root + "/var/db/xbps/http*"):
            shutil.rmtree(path)

    def plan(self, t):
        return self.base(t) + ["-n"] + t.names

    def install(self, t):
        return self.base(t) + t.names

    def listed(self, t):
        return self.tool(t, "query") + ["-l"]

    def show(self, t):
        return self.tool(t, "query") + [t.names[0]]

    def upgrade(self, t):
        return self.base(t) + ["-u"]

    def remove(self, t):
        return self.tool(t, "remove") + ["-y"] + t.names

    def index(self, t):
        return ["xbps-rindex", "-a"] + t.files(".xbps")

    def reindex(self, t):
        return ["xbps-rindex", "-a"] + t.newer(".xbps")


class Apt(Peer):
    name, needs, one_version = "apt", ("apt-get", "dpkg"), True
    graph, archives = "apt", "deb"
    unsafe_io = False

    def environ(self, t):
        return {"APT_CONFIG": t.conf + "/apt.conf", "DEBIAN_FRONTEND": "noninteractive"}

    def setup(self, t):
        for folder in ("/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/lists/partial",
                       "/cache/archives/partial", "/var/log"):
            os.makedirs((t.root if "/var" in folder else t.conf) + folder, exist_ok=True)
        for name in ("status", "available"):
            write(t.root + "/var/lib/dpkg/" + name, "")
        write(t.conf + "/sources.list", "deb [trusted=yes] %s ./\n" % t.url)
        lines = ['Dir::Etc::parts "/nonexistent";', 'Dir::Etc::main "/nonexistent";',
                 'Dir::Etc::sourcelist "%s/sources.list";' % t.conf,
                 'Dir::Etc::sourceparts "/nonexistent";',
                 'Dir::Etc::preferencesparts "/nonexistent";',
                 'Dir::State "%s";' % t.conf, 'Dir::State::lists "%s/lists";' % t.conf,
                 'Dir::State::status "%s/var/lib/dpkg/status";' % t.root,
                 'Dir::Cache "%s/cache";' % t.conf, 'Dir::Log "%s/var/log";' % t.root,
                 'APT::Architecture "amd64";', 'APT::Architectures { "amd64"; };',
                 'Acquire::Languages "none";', 'Acquire::http::Proxy "false";',
                 'APT::Sandbox::User "root";', 'APT::Install-Recommends "false";',
                 'Dpkg::Use-Pty "false";',
                 'DPkg::Options { "--root=%s"; "--no-debsig"; %s };' % (
                     t.root, '"--force-unsafe-io";' if self.unsafe_io else "")]
        write(t.conf + "/apt.conf", "\n".join(lines) + "\n")

    def refresh(self, t):
        return ["apt-get", "update", "-q"]

    def forget(self, t):
        for path in glob.glob(t.conf + "/lists/*") + glob.glob(t.conf + "/cache/*.bin"):
            if os.path.isfile(path):
                os.unlink(path)

    def plan(self, t):
        return ["apt-get", "-s", "-y", "-q", "install"] + t.names

    def install(self, t):
        return ["apt-get", "-y", "-q", "install"] + t.names

    def listed(self, t):
        return ["dpkg-query", "--root=" + t.root, "-W"]

    def show(self, t):
        return ["dpkg-query", "--root=" + t.root, "-s", t.names[0]]

    def upgrade(self, t):
        return ["apt-get", "-y", "-q", "upgrade"]

    def remove(self, t):
        return ["apt-get", "-y", "-q", "remove"] + t.names

    def index(self, t):
        return ["sh", "-c", 'cd "$0" && apt-ftparchive packages . >Packages', t.path]

    def reindex(self, t):
        return ["sh", "-c", 'cd "$0" && apt-ftparchive --db cache.db packages . '
                '>Packages', t.path]


class AptUnsafe(Apt):
    name, unsafe_io = "apt-unsafe-io", True
    graph = None
    listed = show = index = reindex = Peer.nothing

    def again(self, t):
        return None


class Dnf(Peer):
    name, needs = "dnf", ("dnf", "rpm")
    graph, archives = "rpm", "rpm"
    plan_codes = (0, 1)         # --assumeno ends with 1

    def base(self, t):
        return ["dnf", "-c", t.conf + "/dnf.conf", "--installroot", t.root,
                "--releasever", "1", "-y", "-q"]

    def setup(self, t):
        os.makedirs(t.root, exist_ok=True)
        write(t.conf + "/dnf.conf", "\n".join([
            "[main]", "cachedir=/var/cache/dnf", "logdir=/var/log",
            "persistdir=/var/lib/dnf", "reposdir=/nonexistent", "plugins=0",
            "gpgcheck=0", "metadata_expire=never", "install_weak_deps=0",
            "module_platform_id=platform:x", "[bench]", "name=bench",
            "baseurl=" + t.url, ""]))

    def refresh(self, t):
        return self.base(t) + ["makecache", "--refresh"]

    def forget(self, t):
        shutil.rmtree(t.root + "/var/cache/dnf", ignore_errors=True)

    def plan(self, t):
        args = self.base(t)
        args[args.index("-y")] = "-C"
        args.remove("-q")
        return args + ["--assumeno", "install"] + t.names

    def again(self, t):
        return self.base(t) + ["-C", "install"] + t.names

    def install(self, t):
        return self.base(t) + ["install"] + t.names

    def listed(self, t):
        return ["rpm", "--root", t.root, "-qa"]

    def show(self, t):
        return ["rpm", "--root", t.root, "-qi", t.names[0]]

    def upgrade(self, t):
        return self.base(t) + ["-C" if t.offline else "-y", "upgrade"]

    def remove(self, t):
        return self.base(t) + ["remove"] + t.names

    def index(self, t):
        return ["createrepo_c", "-q", t.path]

    def reindex(self, t):
        return ["createrepo_c", "-q", "--update", t.path]


class Zypper(Peer):
    name, needs = "zypper", ("zypper",)
    graph, archives = "rpm", "rpm"
    remove_codes = (0, 8)       # 8: can't cache the then empty rpm database

    def base(self, t):
        return ["zypper", "--root", t.root, "-n", "-q", "--no-gpg-checks"]

    def setup(self, t):
        os.makedirs(t.root, exist_ok=True)
        quiet(*(self.base(t) + ["addrepo", "-G", "-f", t.url, "bench"]))

    def refresh(self, t):
        return self.base(t) + ["refresh"]

    def forget(self, t):
        shutil.rmtree(t.root + "/var/cache/zypp", ignore_errors=True)

    def plan(self, t):
        return ["zypper", "--root", t.root, "-n", "--no-gpg-checks", "--no-refresh",
                "install", "--no-recommends", "--dry-run"] + t.names

    def install(self, t):
        return self.base(t) + ["--no-refresh", "install", "--no-recommends"] + t.names

    def upgrade(self, t):
        return self.base(t) + ["--no-refresh", "update", "--no-recommends"]

    def remove(self, t):
        return self.base(t) + ["--no-refresh", "remove"] + t.names


class Composer(Peer):
    name, needs = "composer", ("composer",)
    graph, archives = "composer", "composer"

    def environ(self, t):
        return {"COMPOSER_HOME": t.conf + "/home", "COMPOSER_CACHE_DIR": t.conf + "/cache",
                "COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_MEMORY_LIMIT": "-1"}

    def base(self, t):
        return ["composer", "-d", t.root, "--no-interaction", "--no-plugins", "-q"]

    def setup(self, t):
        os.makedirs(t.root, exist_ok=True)
        write(t.root + "/composer.json", json.dumps({
            "name": "bench/site", "repositories": [
                {"type": "composer", "url": t.url}, {"packagist.org": False}],
            "require": {"bench/" + n: "*" for n in t.names},
            "config": {"secure-http": False}}))
        if t.kind == "w2":
            quiet(*(self.base(t) + ["update", "--no-install"]),
                  env=dict(os.environ, **self.environ(t)))
            # the lock file is the plan; the archives are not in the cache yet
            shutil.rmtree(t.conf + "/cache/files", ignore_errors=True)

    def forget(self, t):
        shutil.rmtree(t.conf + "/cache", ignore_errors=True)

    def plan(self, t):
        args = self.base(t)
        args.remove("-q")
        return args + ["update", "--dry-run"]

    def install(self, t):
        return self.base(t) + ["install", "--no-scripts", "--no-autoloader"]

    def listed(self, t):
        return ["composer", "-d", t.root, "-n", "--no-plugins", "show"]

    def show(self, t):
        return ["composer", "-d", t.root, "-n", "--no-plugins", "show",
                "bench/" + t.names[0]]

    def upgrade(self, t):
        if t.offline:
            return self.install(t)
        return self.base(t) + ["update", "--no-scripts", "--no-autoloader"]

    def installed_files(self, t):
        return os.path.join(t.root, "vendor/bench")


PEERS = [c() for c in (Plugpkg, Pacman, Apk, Xbps, Apt, AptUnsafe, Dnf, Zypper, Composer)]
