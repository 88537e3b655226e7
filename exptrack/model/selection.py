"""What is chosen, unsealed and concluded of an experiment: once as it was recorded with the runs, once as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.comparison import Comparison, Configuration, Rules, Verdict
from exptrack.model.experiment import Experiment


class Chosen(NamedTuple):
    """A choice as it was recorded. `took_part` are all runs that were looked at for it, `runs` those of the chosen configuration.

    `baseline_runs` are those of the baseline, none if there is none. `planned` is the number of fresh runs of each that shall confirm it.
    `among` is out of how many configurations it was chosen, `mean` the chosen one's, `difference` that to the baseline, `noise` by how
    much the best looks better by noise alone.
    """

    id: str
    time: datetime
    author: str
    metric: str
    label: str
    runs: tuple[str, ...]
    baseline_runs: tuple[str, ...] = ()
    planned: int = 0
    among: int = 1
    mean: float | None = None
    difference: float | None = None
    noise: float | None = None
    took_part: frozenset[str] = frozenset()

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was better than the baseline."""
        return bool(self.baseline_runs) and set(self.runs) == set(self.baseline_runs)


class Selected(NamedTuple):
    """What was chosen, and how far it is confirmed by runs that did not take part in the choice.

    `is_new`: chosen just now, else before. `candidates` are the configurations as they were looked at (of a choice made before: as they
    are now), best first. `confirmed` is the verdict on fresh runs beside the baseline's, None without any. `fresh` is the number of
    fresh runs of the chosen configuration and of the baseline. `commands` are those that make the runs which are missing. `sealed` is the
    experiment's holdout, if nobody has looked at it yet.
    """

    experiment: str
    rules: Rules
    chosen: Chosen
    is_new: bool
    candidates: tuple[Configuration, ...]
    baseline: str | None = None
    fresh: tuple[int, int] = (0, 0)
    confirmed: Verdict | None = None
    commands: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sealed: str | None = None


class Seen(NamedTuple):
    """What a holdout says of a configuration."""

    label: str
    n: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    median: float | None = None
    high: float | None = None
    is_baseline: bool = False


class PastUnsealing(NamedTuple):
    """An unsealing as it was recorded."""

    id: str
    time: datetime
    author: str
    metric: str
    reason: str
    line: str = ""
    seen: Mapping[str, float] = {}


class Unsealed(NamedTuple):
    """What a holdout says of the selected configuration and the baseline; `earlier` are unsealings before, by which it is spent."""

    experiment: str
    rules: Rules
    reason: str
    seen: tuple[Seen, ...]
    verdict: Verdict | None = None
    earlier: tuple[PastUnsealing, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_spent(self) -> bool:
        return bool(self.earlier)


class Answer(StrEnum):
    """What is concluded of a hypothesis."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_YET = "not yet"


class PastConclusion(NamedTuple):
    """A conclusion as it was recorded. `spent` is what it took of alpha, `evidence` a digest of the runs that it rests on."""

    id: str
    time: datetime
    author: str
    metric: str
    answer: str
    evidence: str
    spent: float = 0.0
    line: str = ""


class Look(NamedTuple):
    """The which conclusion this is of those that spent something of alpha, and at which alpha it was decided.

    `is_repeated`: it was concluded on the same runs before.
    """

    number: int
    alpha: float
    spent: float
    is_repeated: bool = False


class Conclusion(NamedTuple):
    """What is concluded, and everything that it rests on. `time` and `author` are those of the record of it.

    `verdicts` are those that decide: the confirmation where something was chosen, else all of the comparison.
    """

    experiment: Experiment
    answer: Answer
    reason: str
    comparison: Comparison
    verdicts: tuple[Verdict, ...]
    look: Look
    time: datetime
    author: str
    selected: Selected | None = None
    unsealings: tuple[PastUnsealing, ...] = ()
    earlier: tuple[PastConclusion, ...] = ()
    threats: tuple[str, ...] = ()
    runs: int = 0
