"""A run: what it says of itself, and where it lies in Git."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.tree import Tree, Value, merge, nest, unite

if TYPE_CHECKING:
    from exptrack.model.data import Omission, Pointer
    from exptrack.model.pipeline import StageRun
    from exptrack.model.seeding import Seeding

SCHEMA = 1
SEALED = "sealed"  # what stands for the value of a holdout
PIPELINE = "the DVC pipeline"  # what stands for the command of a run that had none


class Status(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"


class Links(NamedTuple):
    """Names of other runs that this one stands in a relation to."""

    reproduces: str | None = None
    resumes: str | None = None
    copied_from: str | None = None
    parent: str | None = None


class Record(NamedTuple):
    """What a run says of itself (`.exptrack/run.json`).

    Paths are relative to the root of the repository, with forward slashes; the root itself is `.`. Times are UTC, `duration` in
    seconds. `branch` is the one that was checked out at the start. `params` is nested, by source (`{"params.yaml": {"lr": 0.1}, "args": {...}}`); `metrics` is nested, its leaves are numbers.
    `overrides` are words such as `train.lr=0.2`, which were applied to files of parameters before the snapshot was taken.
    `seeding` is what the script set by `seed_everything`.
    `sealed` are the dotted names of holdouts that were measured: their values are in `.exptrack/holdout.json`, and nowhere in the record.
    `thinned` says of histories with more points than Git holds of them how many were logged; `kept` is what exptrack itself put into the
    DVC cache, the whole of these histories among it: it belongs to the run, and never lies in a work tree. `artifacts` are the names of files that the script
    logged: they lie below `.exptrack/artifacts/`, or are among `kept`.
    `stages` are those that a run of the DVC pipeline came to; None for a run of a command.
    """

    name: str
    status: Status
    started: datetime
    ended: datetime | None = None
    duration: float | None = None
    exit_code: int | None = None
    signal: str | None = None
    author: str = ""
    host: str = ""
    command: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    project: str = "."
    directory: str = "."
    branch: str | None = None
    experiment: str | None = None
    seed: int | str | None = None
    seeding: Seeding | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    params: Mapping[str, Tree] = {}
    metrics: Tree = {}
    sealed: tuple[str, ...] = ()
    data: tuple[Pointer, ...] = ()
    outputs: tuple[Pointer, ...] = ()
    not_captured: tuple[Omission, ...] = ()
    changed: tuple[str, ...] = ()
    concurrent: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    thinned: Mapping[str, int] = {}
    kept: tuple[Pointer, ...] = ()
    artifacts: tuple[str, ...] = ()
    links: Links = Links()
    stages: tuple[StageRun, ...] | None = None
    schema: int = SCHEMA

    @property
    def is_pipeline(self) -> bool:
        """Whether the DVC pipeline ran, and no command of the user's."""
        return self.stages is not None

    @property
    def shown_metrics(self) -> Tree:
        """The metrics as people see them: with the word `sealed` for each holdout."""
        return merge(nest(dict.fromkeys(self.sealed, SEALED)), self.metrics) if self.sealed else self.metrics

    @property
    def pointers(self) -> tuple[Pointer, ...]:
        """Those of its data, then those of its outputs."""
        return (*self.data, *self.outputs)

    @property
    def all_pointers(self) -> tuple[Pointer, ...]:
        """Those, and what exptrack kept itself: all data that has to go where the run goes."""
        return (*self.data, *self.outputs, *self.kept)


class Run(NamedTuple):
    """A record together with the commit and ref that hold it, and what was put on it since.

    `snapshot` is the commit's parent, `base` the snapshot's; both are looked up only where one run is loaded. `annotations` are those
    that stand: tags and note of the start first, then the others by their time.
    """

    record: Record
    oid: str
    ref: str
    snapshot: str | None = None
    base: str | None = None
    annotations: tuple[Annotation, ...] = ()

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def status(self) -> Status:
        return self.record.status

    @property
    def started(self) -> datetime:
        return self.record.started

    @property
    def params(self) -> dict[str, Value]:
        """The parameters of all sources in one tree, `params.yaml` first; what clashes stands below the name of its source."""
        return unite("params.yaml", self.record.params)

    @property
    def metrics(self) -> Tree:
        """The last value of each metric, nested."""
        return self.record.metrics

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that it carries, each once, oldest first."""
        return self._values(AnnotationKind.TAG)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on it, oldest first."""
        return self._values(AnnotationKind.NOTE)

    @property
    def is_removed(self) -> bool:
        """Whether somebody removed it: it carries a tombstone."""
        return self.removed_by is not None

    @property
    def removed_by(self) -> str | None:
        """Who removed it, though its ref is still here; None if nobody did."""
        return next((one.author for one in self.annotations if one.kind is AnnotationKind.TOMBSTONE), None)

    @property
    def is_unshared(self) -> bool:
        """Whether it was pushed without its data."""
        return any(one.kind is AnnotationKind.UNSHARED for one in self.annotations)

    def _values(self, kind: AnnotationKind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(one.value) for one in self.annotations if one.kind is kind))


class BrokenRun(NamedTuple):
    """A ref below `refs/exptrack/runs/` that holds no readable run, and why."""

    name: str
    oid: str
    ref: str
    reason: str


class Ending(NamedTuple):
    """How a command ended: an exit code, or the number of the signal that ended it.

    `interrupted`: Ctrl-C or SIGINT came while it ran. `timed_out`: it was ended since its time was over.
    """

    exit_code: int | None = None
    signal: int | None = None
    interrupted: bool = False
    timed_out: bool = False

    @property
    def status(self) -> Status:
        if self.timed_out:
            return Status.FAILED
        if self.interrupted and self.exit_code != 0:
            return Status.INTERRUPTED
        return Status.COMPLETED if self.exit_code == 0 else Status.FAILED

    @property
    def shell_code(self) -> int:
        """The exit status that a shell gives: the command's own, 128 + n for signal n, or 124 as `timeout` gives."""
        if self.timed_out:
            return 124
        return self.exit_code if self.exit_code is not None else 128 + (self.signal or 0)
