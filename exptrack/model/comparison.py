"""Configurations compared by a metric: what each gave, and what may be said of the difference to the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.experiment import Noise, Pairing
from exptrack.model.settings import Goal
from exptrack.model.tree import Value


class Word(StrEnum):
    """What may be said of a candidate beside the baseline, and nothing else (STATISTICS 3.5)."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    NO_DIFFERENCE = "no detectable difference"
    NOT_ENOUGH = "not enough runs"
    IDENTICAL = "identical"
    DETERMINISTIC = "deterministic difference"
    NOT_COMPARABLE = "not comparable"
    WITHHELD = "withheld"


class Interval(NamedTuple):
    """An interval of this confidence (0.95), in the metric's own unit and sign."""

    low: float
    high: float
    confidence: float


class Rules(NamedTuple):
    """By what a comparison is decided. `is_declared`: in the `exptrack.yaml` of the first run's snapshot; `changed` are lines on what was changed later.

    `planned` is the number of runs of each configuration, `looks` declared numbers of runs at which it may be decided.
    `test_share` is n_test / n_train of folds.
    """

    metric: str
    goal: Goal | None = None
    unit: str | None = None
    min_effect: float | None = None
    alpha: float = 0.05
    pair_by: Pairing = Pairing.NONE
    noise: Noise = Noise.UNEQUAL
    test_share: float | None = None
    planned: int | None = None
    looks: tuple[int, ...] = ()
    is_declared: bool = False
    changed: tuple[str, ...] = ()


class Sample(NamedTuple):
    """The usable runs of a configuration as numbers.

    `values` is the metric by unit (seed, fold, dataset; a run without one by its name), reruns of a unit averaged (`collapsed` counts
    those). `failed` are runs that did not complete, `missing` those without a finite value.

    `evaluated` are the digests of the evaluation data by path, each run's that is found, for gate 1.
    """

    label: str
    values: Mapping[str, float] = {}
    failed: int = 0
    missing: int = 0
    collapsed: int = 0
    unseeded: int = 0
    evaluated: Mapping[str, tuple[str, ...]] = {}


class Verdict(NamedTuple):
    """What is to be said of one candidate beside the baseline. Differences are candidate minus baseline in the metric's own sign.

    `line` is the sentence of STATISTICS 3.5. `p` is raw, `adjusted` after the correction over `among` configurations. `more` is about how
    many more runs each needs, `detectable` the difference that could have been detected. `simultaneous` is the interval that holds for all of
    several differences at once. `flags` are words such as `tests_disagree`,
    `duplicate_seeds_collapsed`, `conditional_on_completion`; `notes` lines about them.
    """

    label: str
    word: Word
    line: str
    n: tuple[int, int] = (0, 0)
    difference: float | None = None
    interval: Interval | None = None
    simultaneous: Interval | None = None
    test: str = ""
    p: float | None = None
    adjusted: float | None = None
    among: int = 1
    alpha: float = 0.05
    hedges_g: float | None = None
    better_share: float | None = None
    cliffs_delta: float | None = None
    beside: Mapping[str, float] = {}
    equivalence: Interval | None = None
    min_effect: str = ""
    more: int | None = None
    detectable: float | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Configuration(NamedTuple):
    """One set of parameters without the seed, and one state of the code; `runs` are names of all its runs, failed ones too.

    `params` are those in which the configurations differ, `code` the state of the code in short (empty where all have the same). `mixed`
    says what differs inside it: data, environment, merged code. `is_baseline`; statistics are of the metric, None without a usable run.
    """

    label: str
    params: Mapping[str, Value]
    code: str
    runs: tuple[str, ...]
    sample: Sample
    mixed: tuple[str, ...] = ()
    is_baseline: bool = False
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    median: float | None = None
    high: float | None = None
    interval: Interval | None = None


class Comparison(NamedTuple):
    """Configurations by one metric, best first, and a verdict for each candidate. `shared` are parameters and data that all have.

    `described` are lines on a suite of datasets, which test nothing. `tried` counts all configurations, with single runs too. `winner` says what pure noise would give the best of them. `notes` are lines.
    """

    rules: Rules
    configurations: tuple[Configuration, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    experiment: str | None = None
    baseline: str | None = None
    shared: Mapping[str, Value] = {}
    tried: int = 0
    winner: str = ""
    secondary: Mapping[str, tuple[Verdict, ...]] = {}
    described: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
