"""What is executed when a run is executed again: its own snapshot, or other code; and whether all of it is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exptrack.analysis.secretshapes import MASK
from exptrack.analysis.wording import name_few
from exptrack.backends import dvc
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.operations.context import SETTINGS, Context, read_settings
from exptrack.operations.files import Disk
from exptrack.operations.recording.needs import is_made
from exptrack.operations.sides import WORK_TREE, find
from exptrack.operations.sources import Reader, below
from exptrack.store import runs
from exptrack.store.private_index import survey
from exptrack.store.snapshot import take

_NAMED = 3
# What was there when the run started, is no secret, and is neither in Git nor in the DVC cache.
_MISSING = frozenset({Reason.TOO_LARGE, Reason.TOO_MANY, Reason.UNREADABLE, Reason.DIRTY_SUBMODULE, Reason.SPECIAL})


class Code(NamedTuple):
    """What is executed: `commit` has its files, `base` is the commit that the new run's snapshot will stand on.

    `run` is the run whose snapshot that is; `missing` are lines about what it should have and has not, or has otherwise.
    """

    commit: str
    base: str | None
    run: Run | None = None
    missing: tuple[str, ...] = ()


def check_complete(run: Run) -> None:
    """Raise ExptrackError if what the run used is not all in Git and the DVC cache."""
    missing = find_missing(run.record.not_captured)
    if missing:
        raise ExptrackError(
            f"'{run.name}' cannot be reproduced: it has no copy of {_name(missing)}; record a new run after `dvc add` or `git add` of it, "
            "or try with --anyway"
        )


def check_command(run: Run) -> None:
    """Raise ExptrackError if the command of the run is not known."""
    if masked := next((word for word in run.record.command if MASK in word), None):
        raise ExptrackError(
            f"'{run.name}' cannot be reproduced: its command held a credential, which is not recorded ({masked}); pass such things in "
            "the environment"
        )


def find_missing(omissions: Sequence[Omission]) -> list[Omission]:
    """What was used, as far as is known, and is nowhere."""
    return [one for one in omissions if one.reason in _MISSING and not one.pointer]


def _name(missing: Sequence[Omission]) -> str:
    return name_few(list(map(_describe, missing)), _NAMED)


def _describe(omission: Omission) -> str:
    if omission.files:
        return f"{omission.path} ({omission.reason}, {omission.files:,} files)"
    return f"{omission.path} ({omission.reason}{'' if omission.size is None else f', {omission.size:,} bytes'})"


def weaknesses(run: Run) -> tuple[str, ...]:
    """Lines about what the run may have used and a reproduction has otherwise, or not at all."""
    record = run.record
    missing = find_missing(record.not_captured)
    own = {one.path for one in record.outputs}
    modified = [one.path for one in record.data if one.modified and not is_made(record, one) and one.path not in own]
    lines = [f"{run.name} has no copy of {_name(missing)}"] if missing else []
    lines += [
        f"{path} was not what its pointer says when {run.name} ran, or its command changed it: the pointer's data is taken"
        for path in modified
    ]
    lines += [f"{path} changed while {run.name} ran: it is taken as it was at the start" for path in record.changed]
    secret = [one.path for one in record.not_captured if one.reason is Reason.SECRET]
    if secret:
        lines.append(f"left out, since it looks secret: {', '.join(secret)}")
    return tuple(lines)


def find_code(context: Context, run: Run, at: str | None) -> Code:
    """The run's own snapshot; or what `at` names: the work tree (`worktree`), a run's snapshot, a commit.

    Raises RevError, ExptrackError if the run's overrides are not known there.
    """
    if at is None:
        if run.snapshot is None:
            raise RepositoryError(
                f"the snapshot of '{run.name}' is not in this repository: run `git fetch --unshallow` first"
            )
        if run.base is not None and objects.resolve(context.repository, [f"{run.base}^{{commit}}"]) == [None]:
            raise RepositoryError(
                f"the base of '{run.name}' is not in this repository: run `git fetch --unshallow` first"
            )
        return Code(run.snapshot, run.base, run)
    if masked := next((word for word in run.record.overrides if MASK in word), None):
        raise ExptrackError(
            f"'{run.name}' cannot be reproduced elsewhere: an override held a credential, which is not recorded ({masked}); leave out --at"
        )
    found = find(context, WORK_TREE if at == "worktree" else at)
    if found.run is not None:
        return find_code(context, found.run, None)._replace(missing=weaknesses(found.run))
    if found.commit is not None:
        return Code(found.commit, found.commit)
    return _build_work_tree(context)


def settings_at(context: Context, commit: str, name: str = "") -> Settings | None:
    """What `exptrack.yaml` says in a commit, None if it has none; raises SettingsError, which calls the commit `name`."""
    path = below(context.project, SETTINGS)
    data = runs.read_files(context.repository, commit, [path]).get(path)
    if data is None:
        return None
    from exptrack.analysis.settings import parse_settings

    return parse_settings(
        data.decode(errors="replace"), f"{path} of {name or commit[: runs.ABBREVIATED]}", context.yaml.load
    )


def _build_work_tree(context: Context) -> Code:
    """A commit of the work tree as it is; only objects are written."""
    repository = context.repository
    settings = read_settings(context.folder / SETTINGS, context.yaml.load)
    [base] = objects.resolve(repository, ["HEAD^{commit}"])
    with TemporaryDirectory(prefix="exptrack-") as scratch:
        found = survey(repository, base, settings.capture, Path(scratch))
        reader = Reader(Disk(repository.top), context.project, context.yaml.load)
        sources = reader.find_sources(found.dvc_files, context.project)
        excluded = frozenset([*sources.outs, *settings.capture.links])
        taken = take(repository, "the work tree", found, settings.capture, excluded)
    missing = find_missing(taken.omissions)
    lines = [f"the copy of the work tree is without {_name(missing)}"] if missing else []
    lines += _find_modified(context, sources.pointers)
    return Code(taken.oid, base, missing=tuple(lines))


def _find_modified(context: Context, pointers: Sequence[Pointer]) -> list[str]:
    """A line for each data in the work tree that is not what its pointer says."""
    top = context.repository.top
    root = dvc.find_root(context.folder, top)
    known = dvc.StatCache(context.repository.shared / "cache" / "digests")
    looked = dvc.look(pointers, top, dvc.cache_dir(root) if root else None, known)
    return [
        f"{one.path} in the work tree is not what its pointer says: the pointer's data is taken; `dvc add {one.path}` renews the pointer"
        for one in looked
        if one.modified and one.stage is None
    ]
