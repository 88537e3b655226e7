"""What was put on a run after it ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.tree import Value


class AnnotationKind(StrEnum):
    """What an annotation is; `removal` names the ids of those that it takes away.

    `tombstone`: the run was removed. `unshared`: it was pushed without its data. `selection`: a configuration was chosen, and the run was
    looked at for it. `unsealing`: its holdout was seen. `conclusion`: an experiment was decided on it.
    """

    TAG = "tag"
    NOTE = "note"
    LOOK = "look"
    CONCLUSION = "conclusion"
    TOMBSTONE = "tombstone"
    UNSHARED = "unshared"
    SELECTION = "selection"
    UNSEALING = "unsealing"
    REMOVAL = "removal"


class Annotation(NamedTuple):
    """One line of the note on a run's commit. `id` is random; `removes` holds ids, of a removal only."""

    id: str
    kind: AnnotationKind
    time: datetime
    author: str
    value: Value = None
    removes: tuple[str, ...] = ()
