"""How far an experiment is, by what makes a replicate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.analysis.experiments.states import describe_experiment
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.experimentstate import Progress
from exptrack.model.run import Record, Status

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
SEVERAL = Experiment("e", metric="loss", variables={"model": ["a", "b"]}, seeds=2)


def record(model, seed, **params):
    name = f"{model}-{seed}-{len(params)}-{'-'.join(map(str, params.values()))}"
    values = {"params.yaml": {"model": model, **params}}
    return Record(name, Status.COMPLETED, START, seed=seed, params=values, metrics={"loss": 0.5})


def count(pair_by, key, records):
    state = describe_experiment(SEVERAL._replace(pair_by=pair_by, pair_key=key), records)
    return state.progress, [(one.planned, one.recorded, one.repeated) for one in state.configurations]


def test_seeds_are_planned_on_each_dataset_that_there_is():
    records = [record(model, seed, data=data) for model in "ab" for data in "xyz" for seed in (0, 1)]
    assert count(Pairing.DATASET, "data", records) == (Progress.COMPLETE, [(6, 6, 0), (6, 6, 0)])
    assert count(Pairing.DATASET, "data", records[1:]) == (Progress.INCOMPLETE, [(6, 5, 0), (6, 6, 0)])
    again = records[0]._replace(name="again")
    assert count(Pairing.DATASET, "data", [*records, again])[1] == [(6, 6, 1), (6, 6, 0)]
    lacking = record("a", 7)
    assert count(Pairing.DATASET, "data", [*records, lacking])[1] == [(6, 7, 0), (6, 6, 0)]
    assert count(Pairing.DATASET, "data", []) == (Progress.NOT_STARTED, [(2, 0, 0), (2, 0, 0)])


@pytest.mark.parametrize("pair_by", [Pairing.FOLD, Pairing.SPLIT])
def test_folds_and_splits_are_what_is_planned(pair_by):
    records = [record(model, seed, fold=fold) for model in "ab" for fold in (0, 1) for seed in (0, 1)]
    assert count(pair_by, "fold", records) == (Progress.COMPLETE, [(2, 2, 2), (2, 2, 2)])
