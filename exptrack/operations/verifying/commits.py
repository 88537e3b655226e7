"""Each run by itself: its commit, its record, the files beside it, its snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC
from typing import NamedTuple

from exptrack.analysis.codec import decode_environment, decode_record
from exptrack.analysis.message import format_message
from exptrack.analysis.names import is_name
from exptrack.analysis.trust import LARGEST_FILE, LARGEST_RECORD, judge_record
from exptrack.analysis.wording import mebibytes
from exptrack.backends.git import verifying as git
from exptrack.backends.git.browse import find_entry
from exptrack.backends.git.objects import Measure, measure
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError, RepositoryError
from exptrack.model.run import Record, Run
from exptrack.model.verification import Check, Finding, Severity
from exptrack.operations.sources import below
from exptrack.store.holdout import HOLDOUT
from exptrack.store.runs import ENVIRONMENT, RECORD, name_of, ref_of

_OUTPUT, _REQUIREMENTS = ".exptrack/output.log", ".exptrack/requirements.txt"
_FILES = (RECORD, _OUTPUT, ENVIRONMENT, _REQUIREMENTS)
_LIMITS = {RECORD: LARGEST_RECORD, _OUTPUT: 1024 * 1024, ENVIRONMENT: LARGEST_RECORD, _REQUIREMENTS: LARGEST_RECORD}
_SNAPSHOT = "snapshot of "
_CLAIMS = ("Exptrack-Run:", "Exptrack-Status:", "Exptrack-Experiment:")
_EXPLAINED = 100  # runs
_BROKEN = f"its {RECORD} is missing, or broken: not the bytes that its commit names"
_RESTORE = "`git fetch --refetch REMOTE {ref}` brings it anew from a repository where it is whole"
_FORGED = "no exptrack makes such a run: ask who pushed it, and `exptrack rm {name}` if nobody knows"


class Looked(NamedTuple):
    """What came of looking at runs: those whose record can be read, the oids of those that are signed, and what is wrong."""

    runs: tuple[Run, ...]
    signed: Mapping[str, str]
    findings: tuple[Finding, ...]


class _Suspect(NamedTuple):
    """A run that is looked at; `files` has what is known of those beside the record and of the record itself."""

    ref: str
    oid: str
    commit: git.Commit
    files: Mapping[str, Measure | None]

    @property
    def name(self) -> str:
        return name_of(self.ref)

    @property
    def snapshot(self) -> str:
        return self.commit.parents[0]

    def fault(self, check: Check, problem: str, advice: str = _RESTORE, severity: Severity = Severity.ERROR) -> Finding:
        said = advice.format(ref=self.ref, name=self.name)
        return Finding(severity, check, self.name, problem, said, (self.name,))


def look(repository: Repository, refs: Mapping[str, str], touched: Collection[str]) -> Looked:
    """Read the commit, record and files of each run. Of those at `touched` refs it is known that something is missing."""
    faults: list[Finding] = []
    suspects = list(_read_commits(repository, refs, touched, faults))
    whole: list[tuple[_Suspect, Record]] = []
    explained = 0
    for suspect, record, problem in _read_records(repository, suspects):
        if record is not None:
            whole.append((suspect, record))
        elif problem is not None:
            faults.append(suspect.fault(Check.RECORD, problem, _FORGED))
        elif suspect.ref not in touched:
            explained += 1
            # To look once more takes a process.
            if explained <= _EXPLAINED and not _is_named(repository, suspect, RECORD):
                faults.append(suspect.fault(Check.RECORD, f"there is no {RECORD} in it", _FORGED))
            else:
                faults.append(suspect.fault(Check.RECORD, _BROKEN))
    for suspect, record in whole:
        faults += _judge_place(suspect, record, refs)
        faults += _judge_claims(suspect, record)
    # What leads elsewhere is not followed.
    refused = {suspect.ref: reason for suspect, record in whole if (reason := _judge_paths(record))}
    faults += (one.fault(Check.RECORD, refused[one.ref], _FORGED) for one, _ in whole if one.ref in refused)
    whole = [(suspect, record) for suspect, record in whole if suspect.ref not in refused]
    faults += _judge_files(repository, whole, touched)
    faults += _judge_environments(repository, suspects, touched)
    faults += _judge_snapshots(repository, whole, touched)
    signed = {suspect.oid: suspect.commit.signature for suspect in suspects if suspect.commit.signature}
    return Looked(tuple(Run(record, one.oid, one.ref) for one, record in whole), signed, tuple(faults))


def _read_commits(
    repository: Repository, refs: Mapping[str, str], touched: Collection[str], faults: list[Finding]
) -> Iterator[_Suspect]:
    """The runs whose commits can be read and have one parent; the others are `faults`."""
    oids = list(refs.values())
    known = iter(measure(repository, [f"{oid}:{path}" for oid in oids for path in _FILES]))
    for (ref, oid), content in zip(refs.items(), git.read_whole(repository, "commit", oids), strict=True):
        files = {path: next(known) for path in _FILES}
        suspect = _Suspect(ref, oid, git.parse_commit(content or b""), files)
        if content is None:
            if ref not in touched:
                faults.append(suspect.fault(Check.REF, f"{ref} points at no commit", _FORGED))
        elif len(suspect.commit.parents) != 1:
            count = len(suspect.commit.parents)
            faults.append(
                suspect.fault(Check.OBJECTS, f"its commit has {count} parents, not its snapshot alone", _FORGED)
            )
        else:
            yield suspect


def _read_records(
    repository: Repository, suspects: Sequence[_Suspect]
) -> Iterator[tuple[_Suspect, Record | None, str | None]]:
    """The record of each run, or why there is none; neither if it is not there, or broken."""
    readable = [one for one in (suspect.files[RECORD] for suspect in suspects) if one and _is_small(RECORD, one)]
    oids = list(dict.fromkeys(one.oid for one in readable))
    contents = dict(zip(oids, git.read_whole(repository, "blob", oids), strict=True))
    for suspect in suspects:
        known = suspect.files[RECORD]
        if known is None:
            yield suspect, None, None
        elif not _is_small(RECORD, known):
            yield suspect, None, f"its {RECORD} is no file, or has more than {mebibytes(LARGEST_RECORD)}"
        else:
            yield suspect, *_decode(suspect.name, contents[known.oid])


def _is_small(path: str, known: Measure) -> bool:
    return known.kind == "blob" and known.size <= _LIMITS.get(path, LARGEST_FILE)


def _decode(name: str, content: bytes | None) -> tuple[Record | None, str | None]:
    if content is None:
        return None, None
    try:
        record = decode_record(content)
    except RecordError as error:
        return None, str(error)
    return (record, None) if record.name == name else (None, f"its record is that of '{record.name}'")


def _is_named(repository: Repository, suspect: _Suspect, path: str) -> bool:
    """Whether the trees of a run name a file, be it there or not."""
    try:
        return find_entry(repository, suspect.oid, path) is not None
    except RepositoryError:
        return True


def _judge_place(suspect: _Suspect, record: Record, refs: Mapping[str, str]) -> Iterator[Finding]:
    """Where it should be filed, if that is elsewhere."""
    right = ref_of(record.name, record.started)
    if right != suspect.ref:
        delete = f"git update-ref -d {suspect.ref}"
        mend = f"`git update-ref {right} {suspect.oid} && {delete}` files it there"
        if refs.get(right) == suspect.oid:
            mend = f"it lies there as well, so `{delete}`"
        month = f"{record.started.astimezone(UTC):%Y-%m}"
        yield suspect.fault(Check.REF, f"{suspect.ref} is not where a run of {month} belongs", mend)


def _judge_paths(record: Record) -> str | None:
    """Why nothing that the record names is looked at."""
    return judge_record(record, ref_of(record.name, record.started))


def _judge_claims(suspect: _Suspect, record: Record) -> Iterator[Finding]:
    """Where the message does not say what the record says."""
    bare = record._replace(params={}, metrics={}, note=None, overrides=(), command=())
    expected = format_message(bare).rstrip().rpartition("\n\n")[2].split("\n")
    message = suspect.commit.message
    lines = message.rstrip().rpartition("\n\n")[2].split("\n")
    claims = [line for line in lines if line.startswith(_CLAIMS)]
    if claims != expected:
        wrong = next((line for line in claims if line not in expected), None)
        said = f"its message says '{wrong}', and its record does not" if wrong else "its message lacks a trailer"
        yield suspect.fault(Check.RECORD, said, "the record wins; " + _FORGED)
    elif not message.startswith(f"{record.name}: "):
        yield suspect.fault(Check.RECORD, "its message does not begin with its name", "the record wins; " + _FORGED)


def _judge_files(
    repository: Repository, whole: Sequence[tuple[_Suspect, Record]], touched: Collection[str]
) -> Iterator[Finding]:
    """Files that are never missing and not there, and those that are larger than exptrack makes them."""
    beside = [_beside(record) for _, record in whole]
    asked = [f"{one.oid}:{path}" for (one, _), paths in zip(whole, beside, strict=True) for path in paths]
    known = iter(measure(repository, asked))
    for (suspect, _), paths in zip(whole, beside, strict=True):
        files = {**suspect.files, **{path: next(known) for path in paths}}
        lacking = [path for path in (_OUTPUT, *paths) if files[path] is None]
        pair = (ENVIRONMENT, _REQUIREMENTS)
        if sum(files[path] is None for path in pair) == 1:
            lacking += [path for path in pair if files[path] is None]
        large = [path for path in (_OUTPUT, *pair) if (one := files[path]) and not _is_small(path, one)]
        if lacking and suspect.ref not in touched:
            yield suspect.fault(Check.FILES, f"there is no {' and no '.join(lacking)} in it, or it is broken")
        if large:
            yield suspect.fault(
                Check.FILES, f"its {large[0]} is no file, or larger than any that exptrack makes", _FORGED
            )


def _beside(record: Record) -> tuple[str, ...]:
    """The files for people that are never missing. A pipeline's `metrics.json` may be an out that DVC caches."""
    names = ("params.yaml",) if record.is_pipeline else ("params.yaml", "metrics.json")
    # A name with the end of a line would be two questions; no such project is asked for.
    plain = () if "\n" in record.project else tuple(below(record.project, name) for name in names)
    return (*plain, HOLDOUT) if record.sealed else plain


def _judge_environments(
    repository: Repository, suspects: Sequence[_Suspect], touched: Collection[str]
) -> Iterator[Finding]:
    """What the runs ran on, where that cannot be read. Many share one."""
    users: dict[str, list[_Suspect]] = {}
    for suspect in suspects:
        known = suspect.files[ENVIRONMENT]
        if known and _is_small(ENVIRONMENT, known) and suspect.ref not in touched:
            users.setdefault(known.oid, []).append(suspect)
    for oid, content in zip(users, git.read_whole(repository, "blob", list(users)), strict=True):
        try:
            problem = (
                None
                if content is not None and decode_environment(content)
                else "broken: not the bytes that its commit names"
            )
        except RecordError as error:
            problem = str(error)
        if problem:
            first = users[oid][0].fault(Check.FILES, f"its {ENVIRONMENT} cannot be read: {problem}")
            yield first._replace(runs=tuple(one.name for one in users[oid]))


def _judge_snapshots(
    repository: Repository, whole: Sequence[tuple[_Suspect, Record]], touched: Collection[str]
) -> Iterator[Finding]:
    """Parents that are no snapshot of the run, or of the one that it is a copy of."""
    oids = list(dict.fromkeys(suspect.snapshot for suspect, _ in whole))
    contents = dict(zip(oids, git.read_whole(repository, "commit", oids), strict=True))
    folders = dict(zip(oids, measure(repository, [f"{oid}:.exptrack" for oid in oids]), strict=True))
    for suspect, record in whole:
        content = contents[suspect.snapshot]
        if content is None:
            if suspect.ref not in touched:
                yield suspect.fault(Check.OBJECTS, "its snapshot is no commit", _FORGED)
            continue
        problem = _judge_snapshot(git.parse_commit(content), record)
        if problem is None and folders[suspect.snapshot] is not None:
            problem = "has a folder .exptrack"
        if problem:
            yield suspect.fault(Check.OBJECTS, f"its snapshot {problem}", _FORGED)


def _judge_snapshot(snapshot: git.Commit, record: Record) -> str | None:
    if len(snapshot.parents) > 1:
        return f"has {len(snapshot.parents)} parents, not its base alone"
    subject = snapshot.message.split("\n", 1)[0]
    name = subject.removeprefix(_SNAPSHOT)
    if not subject.startswith(_SNAPSHOT) or not is_name(name):
        return "is a commit that is no snapshot"
    return None if name == record.name or record.links.copied_from else f"is that of '{name}'"
