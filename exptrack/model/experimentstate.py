"""How far an experiment has come: what is planned, what is recorded, what failed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.experiment import Experiment
from exptrack.model.tree import Value


class Progress(StrEnum):
    """How far an experiment is: `complete` has the planned runs of each configuration, `open` runs, and no number of them is planned."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    OPEN = "open"
    CONCLUDED = "concluded"
    NOT_DECLARED = "not declared"


class ConfigurationState(NamedTuple):
    """The runs with these values of the variables. What is not set is not among `params`.

    `recorded` are those that completed and have the metric, reruns of a unit (a seed, fold or split, a seed on a dataset) counted once:
    `repeated` are the others. `missing` completed without a finite value of the metric, `failed` did not complete, `running` have not ended.
    """

    params: Mapping[str, Value]
    planned: int | None = None
    recorded: int = 0
    repeated: int = 0
    missing: int = 0
    failed: int = 0
    running: int = 0
    is_baseline: bool = False
    runs: tuple[str, ...] = ()


class Outside(NamedTuple):
    """A run that is filed under the experiment, and why it is none of its configurations."""

    run: str
    reason: str


class ExperimentState(NamedTuple):
    """An experiment and its runs. `declared` is None if runs are filed under it and `exptrack.yaml` does not know it.

    `grid` is how many configurations the values of the variables give, `configurations` are these, as far as they are few, and all others that have runs.
    `answer` is the last conclusion, `unsealed` how often its holdout was looked at. `removed` runs are none of its `runs`.
    """

    name: str
    progress: Progress
    declared: Experiment | None = None
    configurations: tuple[ConfigurationState, ...] = ()
    outside: tuple[Outside, ...] = ()
    grid: int = 0
    runs: int = 0
    chosen: str | None = None
    answer: str | None = None
    unsealed: int = 0
    removed: int = 0
