"""Put tags and notes on runs, and take them off."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.analysis.message import check_note
from exptrack.analysis.names import check_tag
from exptrack.analysis.secrets import mask
from exptrack.backends.git.repository import find_identity
from exptrack.errors import ExptrackError
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.store import annotation as store


def tag(context: Context, runs: Sequence[Run], add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Give each run the tags of `add` and take those of `remove` off; raises ExptrackError if a run has no such tag."""
    identity = find_identity(context.repository)
    changes: list[tuple[Run, Annotation]] = []
    for run in store.annotate(context.repository, runs):
        has = run.tags
        changes += [(run, store.make(AnnotationKind.TAG, check_tag(one), identity)) for one in add if one not in has]
        for one in remove:
            ids = [line.id for line in run.annotations if line.kind is AnnotationKind.TAG and line.value == one]
            if not ids:
                raise ExptrackError(f"'{run.name}' has no tag '{one}'; it has: {', '.join(has) or 'none'}")
            changes.append((run, store.make(AnnotationKind.REMOVAL, None, identity, ids)))
    store.add(context.repository, identity, changes)


def note(context: Context, run: Run, text: str) -> None:
    """Add a note to a run; what was noted before stays."""
    if not text.strip():
        raise ExptrackError("the note is empty: give its text with `-m`")
    identity = find_identity(context.repository)
    annotation = store.make(AnnotationKind.NOTE, mask(check_note(text.strip())), identity)
    store.add(context.repository, identity, [(run, annotation)])
