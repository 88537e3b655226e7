"""Annotations: JSON lines in the notes of `refs/notes/exptrack`, an observed-remove set.

A line adds something under a random id; a removal names the ids that it takes away. So two clones merge by putting their lines
together, whatever their clocks say.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from exptrack.analysis.annotationlines import decode_annotations, encode_annotation
from exptrack.backends.git import notes
from exptrack.backends.git.repository import Identity, Repository
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Run
from exptrack.model.tree import Value

NOTES = "refs/notes/exptrack"


def make(kind: AnnotationKind, value: Value, author: Identity, removes: Sequence[str] = ()) -> Annotation:
    """A new annotation with an id of its own."""
    return Annotation(os.urandom(8).hex(), kind, datetime.now(UTC), str(author), value, tuple(removes))


def add(repository: Repository, author: Identity, annotations: Sequence[tuple[Run, Annotation]]) -> None:
    """Put annotations on runs, all in one commit; many processes at once lose none."""
    add_to(repository, author, [(run.oid, annotation) for run, annotation in annotations])


def add_to(repository: Repository, author: Identity, annotations: Sequence[tuple[str, Annotation]]) -> None:
    """As `add`, by the oids of the runs' commits."""
    lines: dict[str, str] = {}
    for oid, annotation in annotations:
        lines[oid] = lines.get(oid, "") + encode_annotation(annotation) + "\n"
    if lines:
        notes.add_to_notes(repository, NOTES, lines, author)


def read(
    repository: Repository, oids: Sequence[str] | None = None, lost: set[str] | None = None
) -> dict[str, tuple[Annotation, ...]]:
    """Every line on each run's commit (or on those of `oids` only), removals included; `lost` as in `read_notes`."""
    return {oid: decode_annotations(text) for oid, text in notes.read_notes(repository, NOTES, oids, lost).items()}


def standing(run: Run, lines: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """What stands on a run: its tags and note of the start, then what came later in the order of time, less what a removal names.

    The same for the same lines, in whatever order and however often they come.
    """
    return surviving(lines, _of_start(run))


def standing_in(run: Run, note: str) -> tuple[Annotation, ...]:
    """As `standing`, from the text of the note on the run's commit, which is empty where there is none."""
    return standing(run, decode_annotations(note) if note else ())


def surviving(lines: Iterable[Annotation], start: Iterable[Annotation] = ()) -> tuple[Annotation, ...]:
    """What no removal names of the lines on a run's commit: those of its `start`, then the others in the order of time."""
    listed = [*start, *sorted(lines, key=lambda one: (one.time, one.id))]
    removed = {id_ for annotation in listed for id_ in annotation.removes}
    kept = {one.id: one for one in listed if one.kind is not AnnotationKind.REMOVAL and one.id not in removed}
    return tuple(kept.values())


def tombstones(lines: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """The tombstones that stand among the lines on a run's commit, in the order of time: with any, the run was removed."""
    return tuple(one for one in surviving(lines) if one.kind is AnnotationKind.TOMBSTONE)


_FEW = 100  # runs; of more, all notes are read


def annotate(repository: Repository, listed: Sequence[Run], lost: set[str] | None = None) -> list[Run]:
    """The runs, each with the annotations that stand on it; `lost` takes the oids of those whose note is not in the repository."""
    lines = read(repository, [run.oid for run in listed] if len(listed) < _FEW else None, lost)
    return [run._replace(annotations=standing(run, lines.get(run.oid, ()))) for run in listed]


def _of_start(run: Run) -> Iterator[Annotation]:
    record = run.record
    for tag in record.tags:
        yield Annotation(f"start:tag:{tag}", AnnotationKind.TAG, record.started, record.author, tag)
    if record.note:
        yield Annotation("start:note", AnnotationKind.NOTE, record.started, record.author, record.note)
