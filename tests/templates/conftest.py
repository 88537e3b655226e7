"""A team whose branches claim runs, truly and falsely, and a machine on which steps of CI can install and execute exptrack."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from processes import run
from workflows import ROOT, environment

EXPTRACK = (sys.executable, "-m", "exptrack")
TRAIN = """\
import hashlib, json, pathlib
data = pathlib.Path("data.bin").read_bytes()
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": int(hashlib.md5(data).hexdigest()[:4], 16) / 65536}))
"""
NOISY = TRAIN.replace("import ", "import os, ").replace(
    "65536}", "65536 + int.from_bytes(os.urandom(6), 'big') / 1e20}"
)
EXACT = "check:\n  require: exact\n"
LOWER = "check:\n  require: methodological\n"
CLOSED = "http://127.0.0.1:1"
DVC_FILE = "outs:\n- md5: {digest}\n  size: {size}\n  hash: md5\n  path: data.bin\n"


class Machine:
    """Programs of a runner: `python` of a virtual environment that pip can install into, and `wheel`, the one exptrack that pip finds."""

    def __init__(self, folder: Path) -> None:
        self.tools, self.lab = folder / "tools", folder / "lab"
        for venv in (self.tools, self.lab):
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        here = sysconfig.get_path("purelib")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        (self.tools / "lib" / f"python{version}" / "site-packages" / "here.pth").write_text(f"{here}\n")
        self.wheel = make_wheel(folder)

    def environment(self, folder: Path) -> dict[str, str]:
        """What steps see; their commands find a Python without packages, as the recorded runs did."""
        links = {"PIP_FIND_LINKS": str(self.wheel.parent), "PIP_IGNORE_INSTALLED": "1"}
        return {**environment(folder, self.tools / "bin"), **links}


def make_wheel(folder: Path) -> Path:
    """A wheel whose modules are those of this checkout."""
    wheel = folder / "exptrack-0.0.1-py3-none-any.whl"
    info = "exptrack-0.0.1.dist-info"
    files = {
        "exptrack_checkout.pth": f"{ROOT}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: exptrack\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nexptrack = exptrack.cli:entry\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


class Team:
    """A bare repository, a DVC remote, and branches; `commits` are their tips by name.

    `true` claims a run that is exact; `code`, `data`, `lowered`, `missing`, `gone` and `closed` are what their tests say;
    `squashed` is `true` as one commit on main, `queued` a merge of `true` after a change of others on main. The run and the branch of `guest` are in a fork.
    """

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.hub, self.fork = folder / "hub.git", folder / "fork.git"
        self.store, self.ada = folder / "store", folder / "ada"
        self.environ = environment(folder, machine.lab / "bin")
        self.environ |= {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
                         {"NAME": "Ada Lovelace", "EMAIL": "ada@example.com"}.items()}  # fmt: skip
        self.commits: dict[str, str] = {}
        self._begin()
        self._add_claims()
        self._add_branches()

    def __call__(self, *words: str, check: bool = True) -> str:
        done = run(
            words, cwd=self.ada, env=self.environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0 or not check, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    def git(self, *words: str) -> str:
        return self("git", *words)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.ada / name.replace("_", ".")).write_text(text)

    def put_data(self, text: str) -> None:
        """`data.bin` with its pointer, in the cache and in the store."""
        digest = hashlib.md5(text.encode()).hexdigest()
        for place in (self.ada / ".dvc" / "cache", self.store):
            path = place / "files" / "md5" / digest[:2] / digest[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.write(data_bin=text)
        (self.ada / "data.bin.dvc").write_text(DVC_FILE.format(digest=digest, size=len(text)))

    def set_remote(self, url: str | Path) -> None:
        (self.ada / ".dvc" / "config").write_text(
            f"[core]\n    remote = store\n['remote \"store\"']\n    url = {url}\n"
        )

    def commit(self, branch: str, message: str = "a change") -> None:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.commits[branch] = self.git("rev-parse", "HEAD")

    def start(self, branch: str, base: str = "main") -> None:
        self.git("checkout", "--quiet", "-B", branch, base)
        self.put_data("first")

    def claim(self, name: str) -> None:
        """Record a run of what is there, and make the branch that claims it."""
        self(*EXPTRACK, "run", "-q", "--name", name, "--", "python", "train.py")
        self.git("reset", "--quiet", "--hard")
        (self.ada / "metrics.json").unlink(missing_ok=True)
        self(*EXPTRACK, "branch", name, name)
        self.commits[name] = self.git("rev-parse", name)

    def drop_data(self, text: str) -> None:
        digest = hashlib.md5(text.encode()).hexdigest()
        (self.store / "files" / "md5" / digest[:2] / digest[2:]).unlink()

    def _begin(self) -> None:
        for repository in (self.hub, self.fork, self.ada):
            bare = [] if repository == self.ada else ["--bare"]
            subprocess.run(["git", "init", "--quiet", "-b", "main", *bare, repository], check=True, env=self.environ)
        (self.ada / ".dvc").mkdir()
        (self.ada / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
        self.set_remote(self.store)
        self.put_data("first")
        self.write(train_py=TRAIN, exptrack_yaml=EXACT)
        (self.ada / ".gitignore").write_text("/data.bin\n/metrics.json\n")
        self.commit("main", "first")
        self.git("remote", "add", "origin", str(self.hub))

    def _add_claims(self) -> None:
        self.write(train_py=f"{TRAIN}# the same, said otherwise\n")
        self.claim("true")
        self.start("main")
        self.write(train_py=NOISY, exptrack_yaml=LOWER)
        self.claim("lowered")
        self.start("main")
        self.put_data("gone")
        self.claim("gone")
        self.drop_data("gone")
        self.start("main")
        self.set_remote(CLOSED)
        self.claim("closed")
        self.start("main")
        self.write(train_py=f"{TRAIN}# a guest's\n")
        self.claim("guest")

    def _add_branches(self) -> None:
        self.start("code", "true")
        self.write(train_py=f"{TRAIN}# the same, said otherwise still\n")
        self.commit("code")
        self.start("data", "true")
        self.put_data("firsu")
        self.commit("data")
        self.start("missing")
        self.commit("missing", f"never\n\nExptrack-Run: never {'1' * 40}")
        self.start("other")
        self.write(README_md="read\n")
        self.commit("other")
        self.git("merge", "--quiet", "--no-ff", "-m", "Merge true", "true")
        self.commits["queued"] = self.git("rev-parse", "HEAD")
        self.git("reset", "--quiet", "--hard", self.commits["other"])
        self.start("squashed")
        self.git("checkout", "--quiet", "true", "--", ".")
        body = self.git("log", "-1", "--format=* %B", "true")
        self.commit("squashed", f"Say it otherwise (#7)\n\n* a first try\n\n{body}")
        [guest] = self.git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs/*/guest").split()
        self.git("push", "--quiet", str(self.fork), guest)
        self.git("push", "--quiet", "origin", f"{self.commits['guest']}:refs/pull/7/head")
        self.git("update-ref", "-d", guest)
        self.git("checkout", "--quiet", "--detach")
        self.git("branch", "--quiet", "-D", "guest")
        for name, commit in self.commits.items():
            if name != "guest":
                self.git("update-ref", f"refs/heads/{name}", commit)
        self.git("push", "--quiet", "origin", "refs/heads/*:refs/heads/*", "refs/exptrack/runs/*:refs/exptrack/runs/*")


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> Team:
    return Team(tmp_path_factory.mktemp("team"), machine)
