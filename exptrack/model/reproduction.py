"""What came of executing a run again: the four levels, each with its answer and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.difference import Difference
from exptrack.model.run import Run, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Tree, Value

# Which packages a run is executed again with: those that are here, or those that it had.
PRESENT, RECORDED = "present", "recorded"


class Level(StrEnum):
    """How well a run reproduces, the strongest first."""

    EXACT = "exact"
    STATISTICAL = "statistical"
    METHODOLOGICAL = "methodological"
    CONCEPTUAL = "conceptual"


class Answer(StrEnum):
    """What is to be said of one level. Only `yes` counts as reached."""

    YES = "yes"
    NO = "no"
    CANNOT_ASSESS = "cannot assess"
    TOO_WEAK = "too weak to tell"


class LevelAnswer(NamedTuple):
    """The answer for one level. `evidence` are lines, the most important first."""

    level: Level
    answer: Answer
    evidence: tuple[str, ...] = ()


class Tolerance(NamedTuple):
    """How far a metric may be from the recorded one: in its unit, or as a share of the recorded value."""

    absolute: float | None = None
    relative: float | None = None


class Terms(NamedTuple):
    """What `check` in `exptrack.yaml` says of reproducing.

    `tolerance` is by metric. `similar` is a share (0.05 is 5 %). `volatile` are patterns of paths and of metrics (`metrics.NAME`)
    that may differ in an exact reproduction.
    """

    tolerance: Mapping[str, Tolerance] = {}
    similar: float = 0.05
    volatile: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What came of one execution. `outputs` are the declared ones, digests by path (`md5:…`, `git:<oid>`); `metrics` is nested."""

    name: str
    status: Status
    seed: int | str | None = None
    metrics: Tree = {}
    outputs: Mapping[str, str] = {}


class Replicates(NamedTuple):
    """Earlier runs of the same configuration, completed; `left_out` says of others why they do not count, with their number."""

    outcomes: tuple[Outcome, ...] = ()
    left_out: Mapping[str, int] = {}


class Divergence(NamedTuple):
    """Where an execution first left the recorded one: a stage and its output, or a metric and the step in its history.

    Where a stage and a metric are known, both are given. `input` is a dependency of the stage that differs, None if they agree. `old` and `new` are values of the metric if one is given, else digests of the
    output; None where it is not there.
    """

    stage: str | None = None
    output: str | None = None
    metric: str | None = None
    step: int | None = None
    old: Value = None
    new: Value = None
    input: str | None = None


class Reproduction(NamedTuple):
    """A run, the runs that executed it again, and what is to be said of them.

    `levels` has all four, the strongest first. `difference` is between the run and the first of `reruns`. `at` is what was executed
    instead of the run's own snapshot, as it was typed. `environment` is `present` or `recorded`. `nondeterministic` says why exact was
    expected and missed, else it is None. `notes` are lines about what weakens the evidence. `declared` are the metrics that it was judged by.
    """

    original: Run
    reruns: tuple[Run, ...]
    levels: tuple[LevelAnswer, ...]
    difference: Difference
    divergence: Divergence | None = None
    nondeterministic: str | None = None
    at: str | None = None
    environment: str = "present"
    notes: tuple[str, ...] = ()
    declared: Mapping[str, MetricDeclaration] = {}

    @property
    def reached(self) -> Level | None:
        """The strongest level that holds."""
        return next((one.level for one in self.levels if one.answer is Answer.YES), None)

    def meets(self, required: Level) -> bool:
        """Whether `required` or a stronger level holds."""
        order = list(Level)
        return self.reached is not None and order.index(self.reached) <= order.index(required)
