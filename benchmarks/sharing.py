"""What pushing and fetching runs costs, beside `git push` and `git fetch` of the same refs, and beside `dvc exp push`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.experiments import make_experiments
from benchmarks.measure import Case, Group, Target
from benchmarks.populate import make_runs, store_data
from benchmarks.sizes import Sizes
from benchmarks.worlds import call, program

_LARGEST = 1_000
_FEW = 100
_ROUNDS = 3
_REFS = "refs/exptrack/*:refs/exptrack/*"
_BEYOND_GIT = Target(0.5, is_added=True)
_IDLE = Target(0.4)
_DVC_PUSH = "dvc exp push"


def share(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """All runs of a repository to a remote that has none, to a clone that has none, and with nothing to do."""
    number = min(_LARGEST, max(sizes.runs))
    world = _World(place, environ, number)
    push, fetch = (*program("exptrack"), "push"), (*program("exptrack"), "fetch")
    git = ("git", "push", "--quiet", "origin", _REFS)
    yield Group(
        f"{number:,} runs to a remote",
        (
            Case("git push", git, world.folder, world.empty, rounds=_ROUNDS),
            Case("exptrack push", push, world.folder, world.empty, (_BEYOND_GIT,), _ROUNDS),
        ),
    )
    world.fill()
    yield Group(
        f"{number:,} runs, shared already",
        (
            Case("git ls-remote", ("git", "ls-remote", "origin"), world.folder),
            Case("exptrack push, nothing to do", push, world.folder, targets=(_IDLE,)),
            Case("exptrack fetch, nothing to do", fetch, world.folder, targets=(_IDLE,)),
        ),
    )
    yield Group(
        f"{number:,} runs to a clone",
        (
            Case("git fetch", ("git", "fetch", "--quiet", "origin", _REFS), world.clone, world.forget, rounds=_ROUNDS),
            Case("exptrack fetch", fetch, world.clone, world.forget, (_BEYOND_GIT,), _ROUNDS),
        ),
    )


class _World:
    """A repository with runs and their data, its two remotes, and a clone of its branch."""

    def __init__(self, place: Path, environ: Mapping[str, str], number: int) -> None:
        self.environ = environ
        self.folder, self.clone = place / "ours", place / "clone"
        self.remote, self._data = place / "remote.git", place / "data"
        make_runs(self.folder, number, environ)
        call(self.folder, environ, *program("dvc"), "init", "--quiet")
        store_data(self.folder, number)
        call(self.folder, environ, *program("dvc"), "remote", "add", "--default", "storage", str(self._data))
        call(self.folder, environ, "git", "commit", "--quiet", "--all", "-m", "a DVC project")
        call(self.folder, environ, "git", "remote", "add", "origin", str(self.remote))

    def empty(self) -> None:
        """Make both remotes anew; the branch is there already, as it is in a team."""
        for folder in (self.remote, self._data):
            shutil.rmtree(folder, ignore_errors=True)
        call(self.folder.parent, self.environ, "git", "init", "--quiet", "--bare", str(self.remote))
        call(self.folder, self.environ, "git", "push", "--quiet", "origin", "main")

    def fill(self) -> None:
        """Have everything on the remotes."""
        call(self.folder, self.environ, *program("exptrack"), "push")

    def forget(self) -> None:
        """Make the clone anew."""
        shutil.rmtree(self.clone, ignore_errors=True)
        call(self.folder.parent, self.environ, "git", "clone", "--quiet", str(self.remote), str(self.clone))


def share_dvc(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """The same beside DVC, without any data, since `dvc exp push` of data leaves out what it cannot find."""
    number = min(_FEW, max(sizes.runs))
    ours, theirs = place / "ours", place / "theirs"
    make_runs(ours, number, environ)
    make_experiments(theirs, number, environ)
    exptrack, dvc = program("exptrack"), (*program("dvc"), "exp", "push", "--all", "--no-cache", "origin")
    cases = (
        Case("git push", ("git", "push", "--quiet", "origin", _REFS), ours, _new_remote(ours, environ)),
        Case("exptrack push --no-data", (*exptrack, "push", "--no-data"), ours, _new_remote(ours, environ),
             (Target(of=_DVC_PUSH),)),
        Case(_DVC_PUSH, dvc, theirs, _new_remote(theirs, environ), rounds=_ROUNDS),
    )  # fmt: skip
    yield Group(f"{number:,} runs without their data", cases)


def _new_remote(folder: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    remote = folder.with_suffix(".git")

    def renew() -> None:
        shutil.rmtree(remote, ignore_errors=True)
        call(folder.parent, environ, "git", "init", "--quiet", "--bare", str(remote))
        call(folder, environ, "git", "config", "remote.origin.url", str(remote))
        call(folder, environ, "git", "push", "--quiet", "origin", "main")

    return renew
