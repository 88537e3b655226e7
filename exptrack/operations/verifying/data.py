"""The data of runs: in the DVC cache, in a remote, or nowhere; and whether the cache is what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.analysis.trust import is_sound
from exptrack.analysis.wording import counted
from exptrack.backends import dvc
from exptrack.backends.dvc.remote import GET_REMOTE, NO_REMOTE
from exptrack.backends.dvc.verifying import find_cached, has_remotes, prove
from exptrack.backends.git.objects import read_many
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.progress import Progress
from exptrack.model.run import Run
from exptrack.model.verification import Check, Data, Finding, Severity
from exptrack.operations.context import Context
from exptrack.operations.recording.needs import by_root, list_kept


class Seen(NamedTuple):
    """Where the data is, how many files were read, the DVC projects that have some, and what is wrong."""

    data: Data
    hashed: int
    roots: tuple[Path, ...]
    findings: tuple[Finding, ...]


class _Use(NamedTuple):
    """A run that has a pointer; `is_absent` says that the data was not on disk when it ran."""

    run: Run
    is_absent: bool


class _Object:
    """What several pointers stand for: the same data in the cache of one DVC project."""

    def __init__(self) -> None:
        self.pointers: dict[Pointer, None] = {}
        self.uses: list[_Use] = []

    @property
    def first(self) -> Pointer:
        return next(iter(self.pointers))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(use.run.name for use in self.uses))

    @property
    def is_missed(self) -> bool:
        """Whether some run had it, and it is meant to be shared."""
        return not all(use.is_absent for use in self.uses) and not all(one.is_private for one in self.pointers)


def look(context: Context, runs: Sequence[Run], progress: Progress, *, full: bool, offline: bool) -> Seen:
    """Find the data of these runs, each object once; with `full` all that the cache has of it is read, unless `offline` remotes are asked."""
    projects, homeless = _gather(context, runs)
    findings: list[Finding] = [_homeless(homeless)] if homeless else []
    here = remote = nowhere = unknown = hashed = 0
    for root, objects in projects.items():
        try:
            cached = find_cached(root, [one.first for one in objects])
            away = [one for one in objects if not cached[one.first]]
            if full:
                proof = prove(root, [one.first for one in objects], progress)
                hashed += proof.read
                for file, pointers in proof.spoilt.items():
                    needed = [one for one in objects if one.first in pointers]
                    findings.append(_spoilt(file, needed))
                    away = [one for one in away if one not in needed]
        except DataError as error:
            findings.append(_unreadable(root, str(error), objects))
            unknown += len(objects)
            continue
        here += len(objects) - len(away)
        stored, unasked, problem = _ask(root, away, offline=offline) if away else ({}, frozenset[_Object](), None)
        if problem is not None:
            unknown += len(away)
            findings.append(problem)
            continue
        remote += sum(stored.values())
        unknown += len(unasked)
        lost = [one for one in away if not stored[one] and one not in unasked]
        nowhere += len(lost)
        findings += [*map(_lost, lost), *_remoteless([one for one in away if one in unasked])]
    findings += _unshared(runs, findings)
    data = Data(here, remote, nowhere, unknown + len(homeless))
    return Seen(data, hashed, tuple(projects), tuple(findings))


def _gather(context: Context, runs: Sequence[Run]) -> tuple[dict[Path, list[_Object]], list[_Object]]:
    """The data of all runs by the root of its DVC project, and that for which there is no project in this work tree."""
    top = context.repository.top
    home = dvc.find_root(context.folder, top)
    found: dict[Path | None, dict[tuple[str, str], _Object]] = {}
    roots: dict[str, Path | None] = {}
    for run, pointer, is_absent in _pointers(context, runs):
        if not is_sound(pointer):
            continue  # its record was refused for that
        if pointer.source not in roots:
            roots[pointer.source] = next(iter(reversed(by_root(top, home, [pointer]))), None)
        objects = found.setdefault(roots[pointer.source], {})
        one = objects.setdefault((pointer.algorithm, pointer.digest), _Object())
        one.pointers[pointer._replace(modified=None, stage=None)] = None
        one.uses.append(_Use(run, is_absent))
    homeless = list(found.pop(None, {}).values())
    return {root: list(objects.values()) for root, objects in found.items() if root is not None}, homeless


def _pointers(context: Context, runs: Sequence[Run]) -> Iterator[tuple[Run, Pointer, bool]]:
    for run in runs:
        for pointer in run.record.data:
            yield run, pointer, pointer.modified is None
        for pointer in (*run.record.outputs, *list_kept(run.record)):
            yield run, pointer, False
    for run, pointer in _large(context, runs):
        yield run, pointer, False


def _large(context: Context, runs: Sequence[Run]) -> Iterator[tuple[Run, Pointer]]:
    """Files that were too large for Git: their pointer files are in the runs' commits."""
    wanted = [(run, f"{one.path}.dvc") for run in runs for one in run.record.not_captured if one.pointer]
    wanted = [(run, path) for run, path in wanted if "\n" not in path]
    contents = read_many(context.repository, [f"{run.oid}:{path}" for run, path in wanted])
    for (run, path), content in zip(wanted, contents, strict=True):
        try:
            pointers = parse_pointers(path, (content or b"").decode(), None, context.yaml.load)
        except (UnicodeDecodeError, DataError):
            continue
        for pointer in pointers:
            yield run, pointer


def _ask(
    root: Path, away: Sequence[_Object], *, offline: bool
) -> tuple[Mapping[_Object, bool], frozenset[_Object], Finding | None]:
    """Which objects are in a remote, those for which there is none to ask, or why nothing is known."""
    if offline:
        return {}, frozenset(), _not_asked(away)
    stored, asked_for = dict.fromkeys(away, False), set[_Object]()
    groups: dict[str | None, list[_Object]] = {}
    for one in away:
        for name in {pointer.remote for pointer in one.pointers}:
            groups.setdefault(name, []).append(one)
    for name, objects in groups.items():
        if not has_remotes(root, [name]):
            continue
        asked = {next(pointer for pointer in one.pointers if pointer.remote == name): one for one in objects}
        try:
            found = dvc.find_stored(root, list(asked))
            asked_for.update(objects)
        except DataError as error:
            return {}, frozenset(), _unreadable(root, str(error), away)
        for pointer, one in asked.items():
            stored[one] = stored[one] or found[pointer]
    return stored, frozenset(one for one in away if one not in asked_for and one.is_missed), None


def _names(objects: Iterable[_Object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in objects for name in one.names))


def _not_asked(objects: Sequence[_Object]) -> Finding:
    problem = f"{counted(len(objects), 'data object')} not in the DVC cache, and no remote was asked"
    return Finding(
        Severity.NOTE,
        Check.DATA,
        "data",
        problem,
        "leave out `--offline` to know whether a remote has them",
        _names(objects),
    )


def _remoteless(objects: Sequence[_Object]) -> Iterator[Finding]:
    """What may be in a remote of others, which this clone does not know."""
    if not objects:
        return
    problem = f"{counted(len(objects), 'data object')} not in the DVC cache, and {NO_REMOTE}"
    yield Finding(Severity.ERROR, Check.DATA, "data", problem, GET_REMOTE, _names(objects))


def _homeless(objects: Sequence[_Object]) -> Finding:
    problem = f"{counted(len(objects), 'data object')} belong to DVC projects that are not in this work tree"
    advice = "check out a commit that has them (`.dvc` beside their pointers), and try again"
    return Finding(Severity.WARNING, Check.DATA, "data", problem, advice, _names(objects))


def _unreadable(root: Path, said: str, objects: Sequence[_Object]) -> Finding:
    problem = f"whether a remote has {counted(len(objects), 'data object')} is not known: {said}"
    return Finding(Severity.WARNING, Check.DATA, str(root), problem, "mend that, and try again", _names(objects))


def _spoilt(file: Path, objects: Sequence[_Object]) -> Finding:
    problem = f"is not what its name says, and part of {objects[0].first.path}"
    advice = f"delete it, and `exptrack pull {objects[0].names[0]}` fetches it again if a remote has it"
    return Finding(Severity.ERROR, Check.HASHES, str(file), problem, advice, _names(objects))


def _lost(one: _Object) -> Finding:
    """What is nowhere. It weighs less where the run never had it, and where it was never meant to be shared."""
    pointer = one.first
    subject = f"{pointer.path} ({pointer.algorithm}:{pointer.digest[:10]})"
    had = [use.run for use in one.uses if not use.is_absent]
    if not had:
        problem = "it was not on disk when its runs ran, and is nowhere"
        return Finding(Severity.NOTE, Check.DATA, subject, problem, "who has it can `dvc push` it", one.names)
    last = max(had, key=lambda run: run.record.started)
    where = f" on {last.record.host}" if last.record.host else ""
    if all(pointer.is_private for pointer in one.pointers):
        advice = f"{last.record.author or 'its author'} may have it{where}: it is never pushed (`push: false`)"
        return Finding(Severity.NOTE, Check.DATA, subject, "it is not in the DVC cache, and private", advice, one.names)
    how = "pushed without its data" if last.is_unshared else "recorded"
    nowhere = "not all of it is" if pointer.is_folder else "it is neither"
    nowhere += " in the DVC cache or in a remote" if pointer.is_folder else " in the DVC cache nor in a remote"
    problem = f"{nowhere}; '{last.name}' was {how} by {last.record.author or 'somebody'}{where}"
    advice = f"`exptrack push {last.name}` in the repository that has it shares it"
    if any(out.digest == pointer.digest for out in last.record.outputs):
        advice += f"; if it is lost, `exptrack reproduce {last.name}` makes it again"
    return Finding(Severity.ERROR, Check.DATA, subject, problem, advice, one.names)


def _unshared(runs: Sequence[Run], findings: Sequence[Finding]) -> Iterator[Finding]:
    """Runs that were pushed without their data, unless it is told already that this is nowhere."""
    told = {name for one in findings for name in one.runs}
    for run in runs:
        if run.is_unshared and run.name not in told:
            advice = f"`exptrack push {run.name}` shares its data, where that is in the cache"
            yield Finding(Severity.NOTE, Check.DATA, run.name, "it was pushed without its data", advice, (run.name,))
