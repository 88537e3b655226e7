"""Runs by a tag, searched in all records and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.backends.git import notes
from exptrack.backends.git.repository import Repository
from exptrack.model.run import Run
from exptrack.store import annotation, runs


def find_tagged(repository: Repository, listed: Mapping[str, str], tag: str) -> dict[str, str]:
    """Those of the refs, with their oids, whose runs carry the tag now: those of the start are in the records, later ones and removals in the notes.

    Both are searched as bytes first, since to decode 10,000 records takes longer than to read them.
    """
    noted = notes.read_notes(repository, annotation.NOTES)
    records = runs.gather_records(repository, list(listed.values()))
    spellings = _spellings(tag)
    found = {}
    for (ref, oid), data in zip(listed.items(), records, strict=True):
        note = noted.get(oid, "")
        if not isinstance(data, bytes) or not _may_hold(data + note.encode(errors="surrogateescape"), spellings):
            continue
        run = runs.parse_run(ref, oid, data)
        if isinstance(run, Run) and tag in _tags(run, note):
            found[ref] = oid
    return found


def _spellings(tag: str) -> tuple[bytes, ...]:
    """How JSON may write a tag. One that is not ASCII, or has what JSON escapes, may be written in more ways than are worth listing."""
    return (f'"{tag}"'.encode(),) if tag.isascii() and not set(tag) & set('"\\/') else ()


def _may_hold(data: bytes, spellings: Sequence[bytes]) -> bool:
    return not spellings or any(spelling in data for spelling in spellings)


def _tags(run: Run, note: str) -> tuple[str, ...]:
    return run._replace(annotations=annotation.standing_in(run, note)).tags
