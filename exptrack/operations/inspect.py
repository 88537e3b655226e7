"""Runs that came from elsewhere, before there is a ref to them: which of them are what they should be.

Nothing of such a run is read before its size is known, and nothing of it is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis import trust
from exptrack.analysis.codec import decode_record
from exptrack.analysis.wording import mebibytes
from exptrack.backends.git import objects
from exptrack.backends.git.objects import Measure
from exptrack.backends.git.repository import Repository
from exptrack.errors import RecordError
from exptrack.model.run import Record, Run
from exptrack.operations.sources import below
from exptrack.store.holdout import HOLDOUT
from exptrack.store.runs import ENVIRONMENT, RECORD, read_records

_OUTPUT = ".exptrack/output.log"
_REQUIREMENTS = ".exptrack/requirements.txt"
_FILES = (ENVIRONMENT, _OUTPUT, _REQUIREMENTS, HOLDOUT)


class _Suspect(NamedTuple):
    """A run to be: where it is to be filed, and its commit."""

    ref: str
    oid: str

    def ask(self) -> list[str]:
        """The names of what is asked of before anything is read."""
        chain = [self.oid, f"{self.oid}^1", f"{self.oid}^2", f"{self.oid}^1^2"]
        return [*chain, *(f"{self.oid}:{path}" for path in (RECORD, *_FILES))]


def inspect(repository: Repository, refs: Mapping[str, str], good: list[Run] | None = None) -> dict[str, str]:
    """Which of these runs are refused, and why in a few words: from the name of each ref to the reason.

    `refs` maps names below `refs/exptrack/runs/`, which need not exist yet, to oids of objects that are here. Three git
    processes for all, five for many. The other runs go into `good`, if there is a list for these.
    """
    refused: dict[str, str] = {}
    suspects = []
    for ref, oid in refs.items():
        if (reason := trust.judge_ref(ref)) is not None:
            refused[ref] = reason
        else:
            suspects.append(_Suspect(ref, oid))
    suspects = list(_refuse(suspects, _judge_shapes(repository, suspects), refused))
    records: dict[_Suspect, Record] = {}
    suspects = list(_refuse(suspects, _judge_records(repository, suspects, records), refused))
    sizes = _judge_files(repository, {suspect: records[suspect] for suspect in suspects})
    whole = list(_refuse(suspects, sizes, refused))
    if good is not None:
        good += [Run(records[suspect], suspect.oid, suspect.ref) for suspect in whole]
    return {ref: refused[ref] for ref in refs if ref in refused}


def _refuse(suspects: Sequence[_Suspect], reasons: Iterator[str | None], refused: dict[str, str]) -> Iterator[_Suspect]:
    """Those that there is nothing against; the others go into `refused`."""
    for suspect, reason in zip(suspects, reasons, strict=True):
        if reason is None:
            yield suspect
        else:
            refused[suspect.ref] = reason


def _judge_shapes(repository: Repository, suspects: Sequence[_Suspect]) -> Iterator[str | None]:
    """What is wrong with the commits, and with the size of what lies at the places that the format knows."""
    asked = [suspect.ask() for suspect in suspects]
    facts = iter(objects.measure(repository, [name for names in asked for name in names]))
    for names in asked:
        commit, snapshot, second, merged, record, *others = [next(facts) for _ in names]
        if commit is None or commit.kind != "commit":
            yield "it is no commit" if commit else "it is not here"
        elif snapshot is None or second is not None or merged is not None:
            yield "its commits are not base, snapshot and run"
        elif record is None or record.kind != "blob":
            yield f"there is no {RECORD} in it"
        elif record.size > trust.LARGEST_RECORD:
            yield f"its record has {mebibytes(record.size)}, more than {mebibytes(trust.LARGEST_RECORD)}"
        else:
            yield _judge_sizes(_FILES, others, trust.LARGEST_RECORD)


def _judge_sizes(paths: Sequence[str], facts: Sequence[Measure | None], most: int) -> str | None:
    for path, one in zip(paths, facts, strict=True):
        if one is not None and one.size > most:
            return f"its {path} has {mebibytes(one.size)}, more than {mebibytes(most)}"
    return None


def _judge_records(
    repository: Repository, suspects: Sequence[_Suspect], records: dict[_Suspect, Record]
) -> Iterator[str | None]:
    """What is wrong with the records; each that can be read goes into `records`."""
    contents = read_records(repository, [suspect.oid for suspect in suspects])
    for suspect, data in zip(suspects, contents, strict=True):
        if not isinstance(data, bytes):
            yield f"its record cannot be read: {data or 'run `git fsck`'}"
            continue
        try:
            records[suspect] = record = decode_record(data)
        except RecordError as error:
            yield str(error)
        else:
            yield trust.judge_record(record, suspect.ref)


def _judge_files(repository: Repository, records: Mapping[_Suspect, Record]) -> Iterator[str | None]:
    """What is too large of the files that the records name, and that are read to show or compare them."""
    named = [list(_name_files(record)) for record in records.values()]
    asked = [f"{suspect.oid}:{path}" for suspect, paths in zip(records, named, strict=True) for path in paths]
    facts = iter(objects.measure(repository, asked))
    for paths in named:
        yield _judge_sizes(paths, [next(facts) for _ in paths], trust.LARGEST_FILE)


def _name_files(record: Record) -> Iterator[str]:
    sources = (below(record.project, source) for source in ("params.yaml", "metrics.json", "dvc.yaml", *record.params))
    pointers = (pointer.source for pointer in record.all_pointers if pointer.source)
    # To look up a name with an end of a line takes a process of its own; such a file is never read whole if it is large.
    return (path for path in dict.fromkeys([*sources, *pointers]) if "\n" not in path and not path.endswith("\r"))
