"""What a check of claims costs: in a fresh clone beside the claimed run's pipeline alone, and where nothing is claimed beside git."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from benchmarks.invent import AUTHOR, BEGAN
from benchmarks.measure import Case, Group, Target
from benchmarks.pipelines import EXAMPLE, shell
from benchmarks.sizes import Sizes
from benchmarks.streams import Commit, format_commit, import_stream, pack
from benchmarks.worlds import ask, call, program
from exptrack.backends.git.importing import format_files

_ROUNDS, _ROUNDS_OF_DVC = 3, 2  # of what takes a second and more
_COMMIT = ("git", "commit", "--quiet", "--allow-empty", "-m")
_RANGE = "origin/main..HEAD"
_BEYOND = Target(5.0, is_added=True)
_QUICK = Target(0.2)
_FREE = Target(0.02, is_added=True)
_ASKED = Target(0.4, is_added=True)
_DVC_REPRO = "dvc pull && dvc repro -f"


def check(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """A claimed run of the example in a fresh clone; a branch, commits and a history that claim nothing."""
    world = _World(place, environ)
    exptrack, dvc = program("exptrack"), program("dvc")
    alone, fresh = world.clone("alone"), world.folder("fresh")
    call(alone, environ, *dvc, "pull", "--quiet")
    # Only what the first stage needs: the others write theirs anew.
    both = f"{shlex.join((*dvc, 'pull', '--quiet', f'{EXAMPLE.data}.dvc'))} && {shlex.join((*dvc, 'repro', '--force'))}"
    yield Group(
        "a claimed run of the example, in a fresh clone",
        (
            Case("the stages alone", shell(EXAMPLE.own), alone, rounds=_ROUNDS),
            Case("exptrack check", (*exptrack, "check", _RANGE), fresh, world.renew("fresh"),
                 (_BEYOND, Target(of=_DVC_REPRO)), _ROUNDS),
            Case(_DVC_REPRO, shell(both), fresh, world.renew("fresh"), rounds=_ROUNDS_OF_DVC),
        ),
    )  # fmt: skip
    quiet = world.clone("quiet", "main")
    call(quiet, environ, *_COMMIT, "no claim")
    yield Group(
        "a branch without a claim",
        (
            Case(f"git log {_RANGE}", ("git", "log", _RANGE), quiet),
            Case("exptrack check", (*exptrack, "check", _RANGE), quiet, targets=(_QUICK,)),
        ),
    )
    yield _commits(world)
    yield _history(place / "history", environ, max(sizes.runs))


class _World:
    """The example, and a run of it that the branch `claim` claims, all pushed with the data."""

    def __init__(self, place: Path, environ: Mapping[str, str]) -> None:
        self._place, self.environ = place, environ
        ours, self._remote = place / "ours", place / "remote.git"
        exptrack = program("exptrack")
        EXAMPLE.make(ours, environ)
        for words in (
            (*program("dvc"), "remote", "add", "--quiet", "--default", "storage", str(place / "data")),
            ("git", "commit", "--quiet", "--all", "-m", "a remote for data"),
            ("git", "init", "--quiet", "--bare", str(self._remote)),
            ("git", "remote", "add", "origin", str(self._remote)),
            (*exptrack, "run", "--name", "wanted", "-S", "model.hidden=64"),
            (*exptrack, "branch", "wanted", "claim"),
            (*exptrack, "push"),
            ("git", "push", "--quiet", "origin", "main", "claim"),
        ):
            call(ours, environ, *words)
        oid = ask(ours, environ, "git", "for-each-ref", "--format=%(objectname)", "refs/exptrack/runs/*/wanted")
        self.claim = f"Exptrack-Run: wanted {oid}"

    def folder(self, name: str) -> Path:
        return self._place / name

    def clone(self, name: str, branch: str = "claim") -> Path:
        """A new clone of a branch, in which the remote's `main` is the base."""
        folder = self.folder(name)
        words = ("git", "clone", "--quiet", "--branch", branch, str(self._remote), str(folder))
        call(self._place, self.environ, *words)
        return folder

    def renew(self, name: str) -> Callable[[], None]:
        """What makes that clone anew, and forgets what DVC and exptrack keep outside of clones."""
        kept = (self.environ["DVC_SITE_CACHE_DIR"], self.environ["XDG_CACHE_HOME"], self.folder(name))

        def remake() -> None:
            for path in kept:
                shutil.rmtree(path, ignore_errors=True)
            self.clone(name)

        return remake


def _commits(world: _World) -> Group:
    """What the hook adds to a commit: where nothing is claimed, and where the remote is asked for the claimed run."""
    bare, hooked = world.clone("bare", "main"), world.clone("hooked", "main")
    call(hooked, world.environ, *program("exptrack"), "init", "--hooks")
    return Group(
        "a commit",
        (
            Case("git commit", (*_COMMIT, "a commit"), bare),
            Case("git commit, with the hook", (*_COMMIT, "a commit"), hooked, targets=(_FREE,)),
            Case("git commit of a claim", (*_COMMIT, f"a commit\n\n{world.claim}"), hooked, targets=(_ASKED,)),
        ),
    )


def _history(folder: Path, environ: Mapping[str, str], number: int) -> Group:
    """The newest claim is looked for in a history that has none, so that all of it has to be looked at."""
    call(folder.parent, environ, "git", "init", "--quiet", "--initial-branch=main", str(folder))
    import_stream(folder, environ, map(_format, range(1, number + 1)))
    call(folder, environ, "git", "reset", "--quiet", "--hard", "main")
    pack(folder, environ)
    return Group(
        f"a history of {number:,} commits without a claim",
        (
            Case("git log --grep", ("git", "log", "-i", "--grep=exptrack-run"), folder),
            Case("exptrack check --all-recent 1", (*program("exptrack"), "check", "--all-recent", "1"), folder,
                 targets=(_QUICK,)),
        ),
    )  # fmt: skip


def _format(number: int) -> bytes:
    """A commit on the one before it, as a person might have made it an hour later."""
    message = f"change {number}\n\nwhat was changed, and why that was to be done\n"
    parent = f":{number - 1}" if number > 1 else None
    changes = format_files({"train.py": b"number = %d\n" % number})
    when = BEGAN + timedelta(hours=number)
    return format_commit(Commit("refs/heads/main", number, AUTHOR, when, message, parent, changes))
