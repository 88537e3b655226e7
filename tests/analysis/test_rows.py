from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from exptrack.analysis.rows import RunRows, rank_keys
from exptrack.model.run import Record, Run, Status

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def rows(*values):
    """Runs with these values of the parameter x, without it where that is ..."""
    trees = [{} if value is ... else {"x": value} for value in values]
    records = [
        Record(f"r{place}", Status.COMPLETED, NOW, params={"params.yaml": tree}) for place, tree in enumerate(trees)
    ]
    return RunRows(Run(record, "0" * 40, f"refs/exptrack/runs/2026-11/{record.name}") for record in records)


def test_keys_come_by_the_number_of_rows_and_then_by_name_as_people_count():
    shapes = {("layer10", "layer2", "b"): 2, ("a",): 1, ("b", "c"): 1}
    assert list(rank_keys(shapes).items()) == [("b", 3), ("layer2", 2), ("layer10", 2), ("a", 1), ("c", 1)]


def test_a_key_of_more_digits_than_python_reads_has_a_place():
    assert list(rank_keys({("1" * 5000, "2"): 1})) == ["2", "1" * 5000]


@pytest.mark.parametrize("values", [(1, 1.0), (1, True), (None, 1), (..., 1), (1, math.nan), ([], {}), ("1", 1)])
def test_different_values_vary(values):
    assert rows(*values).varying() == ["x"]
    assert rows(*reversed(values)).varying() == ["x"]


@pytest.mark.parametrize("values", [(1, 1), (None, ...), (math.nan, float("nan")), ([], []), ("a", "a", "a")])
def test_equal_values_do_not(values):
    assert rows(*values).varying() == []


def test_rows_are_picked_in_any_order_with_all_that_belongs_to_them():
    picked = rows(1, 2, 3).pick([2, 0])
    assert picked.column("params.x") == [3, 1]
    assert picked.column("name") == ["r2", "r0"]
    assert picked.column("metrics.x") == [None, None]
    assert [ref.rpartition("/")[2] for ref in picked.refs()] == ["r2", "r0"]
    assert [run.name for run in picked.load(0, 9)] == ["r2", "r0"]
