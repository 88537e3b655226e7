"""DVC projects with data in them, made without the dvc command line; and which data is used, found in another way than exptrack's."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import yaml

from exptrack.backends import dvc
from exptrack.backends.dvc.cache import is_cached
from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.model.collection import Collected
from exptrack.model.data import Pointer
from exptrack.operations.collect import collect
from exptrack.operations.context import Context
from exptrack.project import Project

DAY = 86_400


def git(folder: Path, *words: str) -> str:
    """Run git and give its standard output."""
    done = subprocess.run(["git", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_project(folder: Path) -> Path:
    """Make a DVC project of a folder in a Git repository, and commit that."""
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (folder / ".gitignore").write_text("*.bin\n")
    git(folder, "add", ".dvc", ".gitignore")
    git(folder, "commit", "-qm", "dvc")
    return folder


def add_data(project: Path, path: str, content: str | dict[str, str]) -> Pointer:
    """Data at a path of the project, of a file or a folder, with its pointer file, as `dvc add` leaves them."""
    target = project / path
    if isinstance(content, dict):
        shutil.rmtree(target, ignore_errors=True)
        for name, text in content.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    pointer = dvc.add_to_cache(project, target, project)
    (project / f"{path}.dvc").write_text(dvc.dvc_file_text(pointer))
    return pointer


def objects(folder: Path) -> set[str]:
    """The digests of all objects in a cache or remote."""
    return {file.parent.name + file.name for file in (folder / "files" / "md5").glob("??/*")}


def gc(project: Path, days: float = 15, **options: object) -> Collected:
    """Collect garbage as if it were so many days later."""
    context: Context = Project(project).context
    return collect(context, force=True, now=time.time() + days * DAY, **options)  # type: ignore[arg-type]


class Oracle:
    """Which data a repository uses: of each commit the whole tree is read, each once."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._commits: dict[str, set[Pointer]] = {}

    def pointers(self, *revs: str) -> set[Pointer]:
        """All pointers of the commits that the revs reach."""
        loose = ["ORIG_HEAD"] if (self._project / ".git" / "ORIG_HEAD").is_file() else []
        commits = git(self._project, "rev-list", *(revs or ("--all", "--reflog", *loose))).split()
        return set().union(*(self._of_commit(commit) for commit in commits))

    def here(self) -> set[Pointer]:
        """Those of index and work tree."""
        found = {
            pointer for file in self._project.glob("*.dvc") if file.is_file() for pointer in _parse(file.read_text())
        }
        for line in git(self._project, "ls-files", "-s", "*.dvc").splitlines():
            found |= self._of_blob(line.split()[1])
        return found

    def _of_commit(self, commit: str) -> set[Pointer]:
        if commit not in self._commits:
            lines = git(self._project, "ls-tree", "-r", commit).splitlines()
            blobs = [line.split()[2] for line in lines if line.endswith(".dvc")]
            self._commits[commit] = set().union(*map(self._of_blob, blobs))
        return self._commits[commit]

    def _of_blob(self, blob: str) -> set[Pointer]:
        return _parse(git(self._project, "cat-file", "blob", blob))


def _parse(text: str) -> set[Pointer]:
    return {Pointer("", out["md5"]) for out in yaml.safe_load(text)["outs"]}


def closure(place: Path, pointers: set[Pointer]) -> set[str]:
    """The digests of the pointers, and of the files in folders whose listing is in a cache or remote."""
    cache = Cache(place)
    found = {pointer.digest for pointer in pointers}
    for digest in [digest for digest in found if digest.endswith(".dir")]:
        found |= set((read_listing(cache.object(digest, "md5")) or {}).values())
    return found


def check_whole(place: Path, pointers: set[Pointer], besides: set[str] = frozenset()) -> None:
    """All data of the pointers is in a cache or remote, and nothing else but what is there `besides`."""
    for pointer in pointers:
        assert is_cached(Cache(place), pointer), pointer
    assert objects(place) == closure(place, pointers) | besides


class Walk:
    """A random history of one repository, as a user and exptrack make it."""

    def __init__(self, project: Path, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)
        self.oracle = Oracle(project)
        self.count = 0
        self._start = git(project, "rev-parse", "HEAD")
        self.steps = (
            self.write, self.write, self.write, self.commit, self.commit, self.run, self.run, self.amend, self.branch, self.drop_branch,
            self.tag, self.drop_tag, self.stash, self.drop_stash, self.remove, self.restore, self.forget, self.stage, self.merge, self.unlink,
        )  # fmt: skip

    def step(self) -> None:
        """Do something."""
        self.count += 1
        self.random.choice(self.steps)()

    def write(self) -> None:
        """New data, some of whose content is that of other data."""
        pool = [f"content {number}" for number in range(12)]
        name = self.random.choice(["a.bin", "b.bin", "c.bin"])
        if self.random.random() < 0.5:
            add_data(self.project, name, self.random.choice([*pool, f"own {self.count}"]))
            return
        files = {f"{number}/x": self.random.choice(pool) for number in range(self.random.randint(1, 4))}
        path = self.project / "folder.bin"
        if path.is_file():
            path.unlink()
        add_data(self.project, "folder.bin", files)

    def unlink(self) -> None:
        for file in self.project.glob("*.dvc"):
            if file.is_file() and self.random.random() < 0.5:
                file.unlink()

    def stage(self) -> None:
        git(self.project, "add", "-A", ".")

    def commit(self) -> None:
        self.stage()
        git(self.project, "commit", "-q", "--allow-empty", "-m", f"step {self.count}")

    def amend(self) -> None:
        self.stage()
        git(self.project, "commit", "-q", "--amend", "--allow-empty", "-m", f"amended {self.count}")

    def run(self) -> None:
        """A run of the work tree as it is, with the data of its snapshot or without it in its own commit."""
        self.stage()
        tree = git(self.project, "write-tree")
        snapshot = git(self.project, "commit-tree", tree, "-p", "HEAD", "-m", "snapshot")
        tree = tree if self.random.random() < 0.5 else git(self.project, "rev-parse", "HEAD^{tree}")
        commit = git(self.project, "commit-tree", tree, "-p", snapshot, "-m", f"run {self.count}")
        ref = self.random.choice(["runs/2026-01", "runs/2026-02", "active"])
        git(self.project, "update-ref", f"refs/exptrack/{ref}/run-{self.count}", commit)

    def refs(self, prefix: str) -> list[str]:
        return git(self.project, "for-each-ref", "--format=%(refname)", prefix).split()

    def _move(self, old: str, new: str) -> None:
        refs = self.refs(f"refs/exptrack/{old}")
        if refs:
            ref = self.random.choice(refs)
            git(self.project, "update-ref", f"refs/exptrack/{new}/{ref.rpartition('/')[2]}", ref)
            git(self.project, "update-ref", "-d", ref)

    def remove(self) -> None:
        # Half of them so long ago that they expire; others stay.
        self._move("runs", self.random.choice(["trash/20200101", "trash/29990101"]))

    def restore(self) -> None:
        self._move("trash/29990101", "runs/2026-03")

    def branch(self) -> None:
        self.commit()
        branches = self.refs("refs/heads")
        if len(branches) < 4 and self.random.random() < 0.6:
            git(self.project, "checkout", "-q", "-b", f"branch-{self.count}")
        else:
            git(self.project, "checkout", "-q", self.random.choice(branches).removeprefix("refs/heads/"))

    def merge(self) -> None:
        self.commit()
        other = self.random.choice(self.refs("refs/heads"))
        git(self.project, "merge", "-q", "-s", "ours", "--no-ff", "-m", "merged", other)

    def drop_branch(self) -> None:
        current = git(self.project, "symbolic-ref", "HEAD")
        others = [ref for ref in self.refs("refs/heads") if ref != current]
        if others:
            git(self.project, "branch", "-qD", self.random.choice(others).removeprefix("refs/heads/"))

    def tag(self) -> None:
        git(self.project, "tag", *self.random.choice([[], ["-a", "-m", "tag"]]), f"tag-{self.count}")

    def drop_tag(self) -> None:
        tags = self.refs("refs/tags")
        if tags:
            git(self.project, "tag", "-d", self.random.choice(tags).removeprefix("refs/tags/"))

    def stash(self) -> None:
        self.write()
        git(self.project, "stash", "-q", "-u")

    def drop_stash(self) -> None:
        count = len(git(self.project, "stash", "list").splitlines())
        if count:
            git(self.project, "stash", "drop", "-q", f"stash@{{{self.random.randrange(count)}}}")

    def forget(self) -> None:
        """As time does: commits that no ref reaches are in no reflog any more. That of the stash is the stash."""
        git(self.project, "reflog", "expire", "--expire=now", "HEAD", *self.refs("refs/heads"))

    def forget_expired(self) -> None:
        for ref in self.refs("refs/exptrack/trash/20200101"):
            git(self.project, "update-ref", "-d", ref)

    def churn(self) -> None:
        """Much goes, also from the reflogs."""
        for act in (
            self.commit,
            self.forget,
            self.drop_branch,
            self.drop_branch,
            self.drop_tag,
            self.drop_tag,
            self.drop_stash,
        ):
            act()
        for ref in self.refs("refs/exptrack"):
            if self.random.random() < 0.3:
                git(self.project, "update-ref", "-d", ref)
        if self.random.random() < 0.5:
            self.stash()
            self.stash()
        if self.random.random() < 0.7:
            git(self.project, "reset", "-q", "--hard", self._start)
            git(self.project, "clean", "-fdq")
        self.forget()

    def used(self) -> set[Pointer]:
        """What refs, reflogs, index and work tree use, removed runs whose time is over left out."""
        self.forget_expired()
        return self.oracle.pointers() | self.oracle.here()
