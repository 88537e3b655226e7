"""An experiment: what is to be found out, by which metric, with which values of which parameters, and how it is to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.tree import Value


class Pairing(StrEnum):
    """What runs of two configurations have in common, so that they are compared by pairs."""

    NONE = "none"
    SEED = "seed"
    FOLD = "fold"
    DATASET = "dataset"
    SPLIT = "split"


class Noise(StrEnum):
    """Whether all configurations are taken to vary alike (`common`), which must be declared beforehand."""

    UNEQUAL = "unequal"
    COMMON = "common"


class Predictions(NamedTuple):
    """The file in which a run kept what it predicted: CSV or Parquet, a row an example. The names are those of its columns.

    `holdout`: they are those of examples that are kept for the end.
    """

    path: str
    id: str = "id"
    label: str = "label"
    prediction: str = "prediction"
    holdout: bool = False


class Experiment(NamedTuple):
    """A declared experiment. `metric` is the primary one, `secondary` are others that are looked at.

    `variables` are parameters, by dotted name, with the values that they may have; `static` those that stay. `baseline` is a configuration
    (values of variables), or a text that names a run, branch or commit. `seeds` is the planned number of runs of each configuration,
    `looks` the numbers at which it is declared that a conclusion will be tried. `pair_key` is the parameter that is the fold, dataset or split.
    `test_share` is n_test / n_train of the folds (Nadeau and Bengio).
    """

    name: str
    metric: str | None = None
    hypothesis: str = ""
    secondary: tuple[str, ...] = ()
    variables: Mapping[str, tuple[Value, ...]] = {}
    static: Mapping[str, Value] = {}
    seeds: int | None = None
    baseline: Mapping[str, Value] | str | None = None
    pair_by: Pairing = Pairing.NONE
    pair_key: str | None = None
    test_share: float | None = None
    alpha: float = 0.05
    looks: tuple[int, ...] = ()
    noise: Noise = Noise.UNEQUAL
    holdout: str | None = None
    predictions: Predictions | None = None
