"""What the stream of a run under way comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.live import Live, Progress, Series


def live(*entries: dict[str, Any], hidden: Sequence[str] = ()) -> Live:
    """Entries of metrics, a second apart."""
    made = Live(lambda name: name in hidden)
    for number, entry in enumerate(entries):
        made.take({"kind": "metrics", "time": 100.0 + number, "values": {"loss": 1.0}, **entry})
    return made


def steps(*numbers: float, **more: object) -> list[dict[str, Any]]:
    return [{"step": number, **more} for number in numbers]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(1, 500))
def test_a_curve_is_of_all_values_and_has_at_most_so_many_points(values: list[float], often: int) -> None:
    series = Series()
    for number, value in enumerate(values):
        series.add(value)
        if number % often == 0:
            series.settle()
    curve = series.curve
    assert len(curve) <= 241
    assert (series.count, series.value) == (len(values), values[-1])
    assert min(values) - 1e-6 <= min(curve) <= max(curve) <= max(values) + 1e-6
    if len(values) < 240:
        assert curve == values


def test_a_constant_stays_just_that_and_a_nan_is_seen_among_many() -> None:
    constant, broken = Series(), Series()
    for number in range(10_000):
        constant.add(0.001)
        broken.add(math.nan if number == 5000 else 1.0)
    assert set(constant.curve) == {0.001}
    assert sum(map(math.isnan, broken.curve)) == 1


def test_the_last_values_are_known_and_what_is_no_number_is_left_out() -> None:
    made = live(
        {"values": {"loss": 1, "acc": "nan"}}, {"values": {"loss": 0.5, "word": "x", "none": None, "list": [1]}},
        {"values": "nothing"}, {"values": {"acc": "inf", "huge": 10**400}},
    )  # fmt: skip
    assert {name: series.value for name, series in made.metrics.items()} == {"loss": 0.5, "acc": math.inf}


def test_holdouts_are_in_nothing() -> None:
    made = live({"values": {"loss": 1.0, "secret": 0.9}}, hidden=["secret"])
    assert list(made.metrics) == ["loss"]
    assert made.shown({"loss": 1.0, "secret": 0.9}) == {"loss": 1.0}


def test_other_entries_are_understood_and_unknown_ones_skipped() -> None:
    made = Live(lambda _name: False)
    for entry in (
        {"kind": "command", "pid": 5}, {"kind": "params", "params": {"lr": 0.1, "a": {"b": 1}}},
        {"kind": "params", "params": {"lr": 0.2, "a": {"c": 2}}}, {"kind": "problem", "text": "oh"},
        {"kind": "system", "values": {"system/cpu": 50}}, {"kind": "new", "what": 1}, {"kind": "params", "params": 3},
        {"kind": "ended"},
    ):  # fmt: skip
        made.take({"time": 1.0, **entry})
    assert (made.pid, made.problems, made.has_ended) == (5, ["oh"], True)
    assert made.params == {"lr": 0.1, "a": {"b": 1, "c": 2}}
    assert made.system["system/cpu"].value == 50
    assert not made.metrics


def test_steps_against_a_parameter_give_share_and_time_left() -> None:
    progress = live(*steps(0, 10, 20, 30)).progress({"trainer": {"max_steps": 100}}, 103.0)
    assert progress == Progress(30, None, 10, "step", 31, 100, "trainer.max_steps", 0.31, 6.9)
    later = live(*steps(0, 10, 20, 30)).progress({"trainer": {"max_steps": 100}}, 105.0)
    assert later.left == pytest.approx(4.9)


def test_epochs_count_before_steps() -> None:
    entries = [{"step": 10 * epoch, "epoch": epoch} for epoch in (1, 2, 3)]
    progress = live(*entries).progress({"epochs": 12, "steps": 1000}, 102.0)
    assert (progress.unit, progress.done, progress.total, progress.share) == ("epoch", 3, 12, 0.25)
    assert progress.left == pytest.approx(9)


def test_an_epoch_that_goes_on_is_not_done() -> None:
    counted_from_0 = live(*[{"step": step, "epoch": step // 4} for step in range(10)])
    assert counted_from_0.progress({"epochs": 4}, 110.0).done == 2
    counted_from_1 = live(*[{"step": step, "epoch": 1 + step // 4} for step in range(10)])
    assert counted_from_1.progress({"epochs": 4}, 110.0).done == 2
    one_entry_each = live(*[{"step": 100 * epoch, "epoch": epoch} for epoch in range(3)])
    assert one_entry_each.progress({"epochs": 4}, 110.0).done == 3
    fraction = live({"epoch": 0.5}, {"epoch": 1.25})
    assert fraction.progress({"num_train_epochs": 5.0}, 101.0).share == 0.25


def test_the_time_left_runs_down_while_an_epoch_goes_on() -> None:
    made = live(*[{"step": step, "epoch": step // 4} for step in range(11)])
    assert made.progress({"epochs": 5}, 110.0).left == pytest.approx(10)


def test_an_epoch_may_be_a_metric() -> None:
    progress = live({"values": {"epoch": 1, "loss": 1}}, {"values": {"epoch": 2, "loss": 1}}).progress(
        {"epochs": 4}, 101.0
    )
    assert (progress.epoch, progress.share) == (2, 0.5)


def test_steps_alone_against_epochs_are_a_guess_that_says_so() -> None:
    progress = live(*steps(1, 2)).progress({"epochs": 4}, 101.0)
    assert (progress.is_guess, progress.share, progress.parameter) == (True, 0.5, "epochs")


@pytest.mark.parametrize("params", [{}, {"max_steps": -1}, {"steps": "many"}, {"max_steps": 10}, {"steps": True}])
def test_nothing_is_guessed_where_no_parameter_says_it(params: dict[str, Any]) -> None:
    progress = live(*steps(11, 12)).progress(params, 101.0)
    assert (progress.share, progress.left, progress.step) == (None, None, 12)


def test_a_step_that_goes_back_begins_anew() -> None:
    progress = live(*steps(100, 200, 5, 6, 7)).progress({}, 104.0)
    assert (progress.step, progress.rate) == (7, 1)


def test_without_steps_the_values_are_counted() -> None:
    assert live({}, {}, {}).progress({}, 102.0).step == 2
