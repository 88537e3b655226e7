"""Rules of `exptrack.yaml`: what is done when a metric comes to something while a run is under way."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from exptrack.model.settings import Goal
from exptrack.model.tree import Value


class Condition(StrEnum):
    """What a metric may come to, in the words of the file."""

    NAN = "is nan"
    NOT_FINITE = "is not finite"
    NOT_IMPROVED = "has not improved"
    NEW_BEST = "is a new best"


class Reaction(StrEnum):
    """What is done then."""

    STOP = "stop"
    RUN = "run"


class Rule(NamedTuple):
    """The rule of this number, counted from 1. `patience` is in `unit`, `steps` or `epochs`; `command` are the words of what is run.

    `goal` and `min_effect` are those of the metric.
    """

    number: int
    metric: str
    condition: Condition
    reaction: Reaction
    patience: float | None = None
    unit: str = "steps"
    goal: Goal | None = None
    min_effect: float = 0.0
    command: tuple[str, ...] = ()


class Firing(NamedTuple):
    """A rule that fired: at which value and step, and what is said of it in one line."""

    rule: Rule
    value: float
    step: Value
    text: str


class Bar(NamedTuple):
    """What a new best has to beat, and whose it is."""

    value: float
    owner: str
