"""What annotations say of the sharing of runs: which were removed, and which were pushed without their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from exptrack.analysis.annotationlines import decode_annotations
from exptrack.backends.git import notes
from exptrack.backends.git.repository import Repository, find_identity
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Run
from exptrack.store import annotation

_WORDS = tuple(f'"{kind}"' for kind in (AnnotationKind.TOMBSTONE, AnnotationKind.UNSHARED))


class Marks(NamedTuple):
    """Oids of runs that carry a tombstone, with who set it; and of those pushed without their data, with the ids of the lines."""

    removed: Mapping[str, str] = MappingProxyType({})
    unshared: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def read_marks(repository: Repository) -> Marks:
    """The marks that stand, of all annotations that are here."""
    removed: dict[str, str] = {}
    unshared: dict[str, tuple[str, ...]] = {}
    for oid, text in notes.read_notes(repository, annotation.NOTES, lost=set()).items():
        if any(word in text for word in _WORDS):
            for one in annotation.surviving(decode_annotations(text)):
                if one.kind is AnnotationKind.TOMBSTONE:
                    removed.setdefault(oid, one.author)
                elif one.kind is AnnotationKind.UNSHARED:
                    unshared[oid] = (*unshared.get(oid, ()), one.id)
    return Marks(removed, unshared)


def mark_unshared(repository: Repository, runs: Sequence[Run]) -> None:
    """Note on each run that it was pushed without its data."""
    if not runs:
        return
    identity = find_identity(repository)
    lines = [(run, annotation.make(AnnotationKind.UNSHARED, None, identity)) for run in runs]
    annotation.add(repository, identity, lines)


def mark_shared(repository: Repository, runs: Sequence[Run], marks: Marks) -> None:
    """Take that off again, where it stands."""
    marked = [run for run in runs if run.oid in marks.unshared]
    if not marked:
        return
    identity = find_identity(repository)
    lines = [(run, annotation.make(AnnotationKind.REMOVAL, None, identity, marks.unshared[run.oid])) for run in marked]
    annotation.add(repository, identity, lines)
