"""People who share a bare repository and a DVC remote; what these hold is read without exptrack and without DVC."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import run

EXPTRACK = (sys.executable, "-m", "exptrack")


class Remote:
    """A bare repository and a folder of data."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.store = folder / "hub.git", folder / "store"
        subprocess.run(["git", "init", "--quiet", "--bare", self.bare], check=True)

    def git(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=self.bare, input=stdin, capture_output=True, text=True, check=True)
        return done.stdout

    def refs(self, below: str = "refs/exptrack/runs") -> dict[str, str]:
        """The refs with their oids."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", below).splitlines()
        return dict(line.split(" ") for line in lines)

    def names(self) -> set[str]:
        return {ref.rpartition("/")[2] for ref in self.refs()}

    def lacking(self) -> list[str]:
        """Data that a run of the remote points at, and that is not in the store with the content that its name says."""
        return [
            f"{ref} {pointer['path']}"
            for ref in self.refs()
            for record in [json.loads(self.git("show", f"{ref}:.exptrack/run.json"))]
            for pointer in [*record.get("data", []), *record.get("outputs", [])]
            if not self.holds(pointer["digest"])
        ]

    def holds(self, digest: str) -> bool:
        path = self.place(digest)
        if not path.is_file() or hashlib.md5(path.read_bytes()).hexdigest() != digest.removesuffix(".dir"):
            return False
        return not digest.endswith(".dir") or all(self.holds(one["md5"]) for one in json.loads(path.read_bytes()))

    def place(self, digest: str) -> Path:
        return self.store / "files" / "md5" / digest[:2] / digest[2:]

    def unlock(self) -> None:
        """Do what git asks of the owner of a repository in which a git was killed: take away the locks that it left on refs."""
        for path in [*(self.bare / "refs").rglob("*.lock"), *self.bare.glob("*.lock")]:
            path.unlink()

    def annotations(self, oid: str) -> list[dict[str, Any]]:
        """The lines on a run's commit."""
        found = self.git("ls-tree", "-r", "refs/notes/exptrack").splitlines()
        [blob] = [line.split()[2] for line in found if line.split("\t")[1].replace("/", "") == oid] or [None]
        return [json.loads(line) for line in self.git("cat-file", "blob", blob).splitlines()] if blob else []


class Person:
    """Somebody's clone."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.folder, self.remote = folder, remote

    def __call__(
        self, *words: str, code: int | None = 0, prefix: Sequence[str] = (), **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run exptrack, by the command `prefix` if there is one; `code` is the exit status that it must have."""
        done = run(
            [*prefix, *EXPTRACK, *words], cwd=self.folder, capture_output=True, text=True, check=False, **options
        )
        assert code is None or done.returncode == code, (words, done.stdout, done.stderr)
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            [*EXPTRACK, *words], cwd=self.folder, stdout=quiet, stderr=quiet, start_new_session=True
        )

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def run(self, name: str, *options: str, out: str | None = None) -> None:
        """Record a run; with `out` one that writes that text into `out.bin`, kept by DVC."""
        command = ["true"] if out is None else ["sh", "-c", f"printf %s {out} > out.bin"]
        kept = [] if out is None else ["-o", "out.bin"]
        self("run", "-q", "--name", name, *options, *kept, "--", *command)

    def names(self) -> set[str]:
        return {
            ref.rpartition("/")[2]
            for ref in self.git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs").split()
        }

    def oid(self, name: str) -> str:
        [line] = [
            line for line in self.git("for-each-ref", "refs/exptrack/runs").splitlines() if line.endswith(f"/{name}")
        ]
        return line.split(" ")[0]

    def state(self) -> tuple[str, bytes, bool]:
        """What a push or fetch must leave alone: branches, tags, remote-tracking branches and HEAD, the index, FETCH_HEAD."""
        others = self.git("for-each-ref", "refs/heads", "refs/tags", "refs/remotes") + self.git("rev-parse", "HEAD")
        return others, (self.folder / ".git/index").read_bytes(), (self.folder / ".git/FETCH_HEAD").exists()

    def cached(self, digest: str) -> Path:
        return self.folder / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def make_team(folder: Path, repository: Path) -> tuple[Remote, Person, Person]:
    """A remote, Ada with `repository`, and Bob, who cloned it; both have a DVC project whose remote is the store."""
    remote = Remote(folder)
    dvc = repository / ".dvc"
    dvc.mkdir()
    (dvc / "config").write_text(f"[core]\n    remote = store\n['remote \"store\"']\n    url = {remote.store}\n")
    (dvc / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    with (repository / ".gitignore").open("a") as file:
        file.write("out.bin\n")
    ada = Person(repository, remote)
    ada.git("add", ".")
    ada.git("commit", "--quiet", "-m", "dvc")
    ada.git("remote", "add", "origin", str(remote.bare))
    ada.git("push", "--quiet", "origin", "main")
    return remote, ada, clone(folder / "bob", remote, "Bob")


def clone(folder: Path, remote: Remote, name: str) -> Person:
    subprocess.run(
        ["git", "clone", "--quiet", "--branch", "main", remote.bare, folder], check=True, env=dict(os.environ)
    )
    person = Person(folder, remote)
    person.git("config", "user.name", name)
    person.git("config", "user.email", f"{name.lower()}@example.com")
    return person


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
