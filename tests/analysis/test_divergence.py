"""The first place where an execution left the recorded one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.divergence import find_divergence
from exptrack.analysis.points import Point, Points
from exptrack.analysis.thinning import thin
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.reproduction import Divergence


def stage(name, deps, outs, state=StageState.RAN):
    return StageRun(name, state, deps=deps, outs=outs)


PIPELINE = (
    stage("train", {"train.py": "md5:1", "data": "md5:2.dir"}, {"model.pt": "md5:3", "log.txt": "md5:4"}),
    stage("evaluate", {"model.pt": "md5:3"}, {"scores.csv": "md5:5"}),
)


def changed(number, deps=None, outs=None, **more):
    old = PIPELINE[number]
    new = old._replace(deps={**old.deps, **(deps or {})}, outs={**old.outs, **(outs or {})}, **more)
    return (*PIPELINE[:number], new, *PIPELINE[number + 1 :])


def history(*values, first=0):
    """Points whose times nobody else has."""
    history.clock = getattr(history, "clock", 0.0) + 1
    return [Point(history.clock, step, value) for step, value in enumerate(values, first)]


def stages(new, volatile=()):
    return find_divergence(PIPELINE, new, {}, {}, volatile)


def steps(old, new, volatile=()):
    return find_divergence(None, None, old, new, volatile)


def test_what_agrees_has_no_divergence():
    assert stages(PIPELINE) is None
    assert steps({"loss": history(1.0, math.nan)}, {"loss": history(1.0, math.nan)}) is None
    assert find_divergence(None, None, {}, {}, ()) is None


# Stages


def test_it_is_the_first_stage_whose_outs_differ_while_its_dependencies_agree():
    new = changed(0, outs={"model.pt": "md5:9", "log.txt": "md5:8"})
    assert stages(new) == Divergence("train", "log.txt", old="md5:4", new="md5:8")
    assert stages(new, ["*.txt"]) == Divergence("train", "model.pt", old="md5:3", new="md5:9")
    late = changed(1, outs={"scores.csv": "md5:9"})
    assert stages(late) == Divergence("evaluate", "scores.csv", old="md5:5", new="md5:9")


def test_a_stage_that_was_given_something_else_comes_after_one_that_was_not():
    given_other = PIPELINE[0]._replace(deps={"train.py": "md5:9"}, outs={"model.pt": "md5:9", "log.txt": "md5:4"})
    by_itself = PIPELINE[1]._replace(outs={"scores.csv": "md5:9"})
    assert stages((given_other, by_itself)) == Divergence("evaluate", "scores.csv", old="md5:5", new="md5:9")
    found = stages((given_other, PIPELINE[1]))
    assert found == Divergence("train", "model.pt", old="md5:3", new="md5:9", input="data")


def test_another_order_of_the_rerun_does_not_matter():
    new = changed(0, outs={"model.pt": "md5:9"})
    assert stages(new[::-1]) == stages(new)


def test_an_output_that_is_not_there_differs():
    failed = stage("train", PIPELINE[0].deps, {}, StageState.FAILED)
    assert stages((failed,)) == Divergence("train", "log.txt", old="md5:4", new=None)
    assert stages(PIPELINE[:1]) == Divergence("evaluate", "scores.csv", old="md5:5", new=None)
    assert stages(changed(1, outs={"a.csv": "md5:9"})) == Divergence("evaluate", "a.csv", old=None, new="md5:9")


def test_a_volatile_dependency_does_not_excuse_a_stage():
    new = (
        changed(0, outs={"log.txt": "md5:8"})[0],
        PIPELINE[1]._replace(deps={"model.pt": "md5:9"}, outs={"scores.csv": "md5:9"}),
    )
    assert stages(new, ["*.txt", "model.pt"]) == Divergence("evaluate", "scores.csv", old="md5:5", new="md5:9")


def test_stages_beside_none_are_not_compared():
    assert find_divergence(PIPELINE, None, {}, {}, ()) is None
    assert find_divergence(None, PIPELINE, {}, {}, ()) is None


# Histories


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([1.0, 0.5, 0.25], [1.0, 0.6, 0.3], ("loss", 1, 0.5, 0.6)),
        ([1.0, 0.5], [1.0, 0.5000000000000001], ("loss", 1, 0.5, 0.5000000000000001)),
        ([1.0, 0.5], [1.0], ("loss", 1, 0.5, None)),
        ([1.0], [1.0, 0.5], ("loss", 1, None, 0.5)),
        ([math.nan], [1.0], ("loss", 0, math.nan, 1.0)),
        ([0.0], [-0.0], ("loss", 0, 0.0, -0.0)),
        ([], [1.0], ("loss", 0, None, 1.0)),
    ],
)
def test_it_is_the_first_step_at_which_a_value_differs_in_its_last_bit(old, new, found):
    divergence = steps({"loss": history(*old)}, {"loss": history(*new)})
    assert (divergence.metric, divergence.step, repr(divergence.old), repr(divergence.new)) == (
        *found[:2],
        *map(repr, found[2:]),
    )


def test_of_all_metrics_the_smallest_step_counts_and_then_the_name():
    old = {"b": history(1, 2, 3), "a": history(1, 2, 3), "c": history(1, 2, 3)}
    new = {"b": history(1, 9, 3), "a": history(1, 2, 9), "c": history(1, 9, 3)}
    assert steps(old, new) == Divergence(metric="b", step=1, old=2, new=9)
    assert steps(old, new, ["metrics.b"]) == Divergence(metric="c", step=1, old=2, new=9)
    assert steps(old, {**old, "d": history(5, first=2)}) == Divergence(metric="d", step=2, new=5)
    assert steps(old, {"a": old["a"], "b": old["b"]}) == Divergence(metric="c", step=0, old=1)


def test_a_step_may_be_logged_twice_and_out_of_order():
    old = [Point(1, 0, 1.0), Point(2, 0, 2.0), Point(3, 10, 3.0), Point(4, 5, 4.0)]
    assert steps({"a": old}, {"a": sorted(old, key=lambda point: point.step)}) is None
    assert steps({"a": old}, {"a": [*old[:1], *old[2:]]}) == Divergence(metric="a", step=0, old=2.0)
    assert steps({"a": old}, {"a": [*old[:2], Point(9, 10, 9.0), Point(9, 5, 9.0)]}).step == 5


def test_of_thinned_histories_no_point_differs_that_was_only_left_out():
    values = [(step * 37 % 101) / 101 for step in range(5000)]
    whole = Points(history(*values))
    other = Points(history(*values[:3000], 99.0, *values[3001:]))
    for old, new in ((whole, thin(other)), (thin(whole), other), (thin(whole), thin(other))):
        found = steps({"a": old}, {"a": new})
        assert found is not None
        assert abs(found.step - 3000) < 10
    assert steps({"a": whole}, {"a": thin(Points(history(*values)))}) is None
    assert steps({"a": whole}, {"a": other}) == Divergence(metric="a", step=3000, old=values[3000], new=99.0)


def test_a_step_that_is_no_whole_number_counts_by_its_position():
    old = [Point(1, "warm", 1.0), Point(1, 0.5, 2.0)]
    assert steps({"a": old}, {"a": [old[0], Point(1, 0.5, 3.0)]}) == Divergence(metric="a", step=1, old=2.0, new=3.0)
    assert steps({"a": [Point(1, 2.0, 1.0)]}, {"a": [Point(1, 2, 1.0)]}) is None


def test_where_stage_and_step_are_known_both_are_given():
    found = find_divergence(
        PIPELINE, changed(0, outs={"model.pt": "md5:9"}), {"loss": history(1, 2)}, {"loss": history(1, 3)}, ()
    )
    assert found == Divergence("train", "model.pt", "loss", 1, 2, 3)


points = st.lists(
    st.builds(Point, st.floats(0, 9), st.one_of(st.integers(0, 5), st.floats(), st.none()), st.floats()), max_size=5
)
histories = st.dictionaries(st.sampled_from(["a", "b"]), points)


@given(histories, histories)
def test_a_divergence_reads_the_same_from_both_sides(old, new):
    assert steps(old, old) is None
    there, back = steps(old, new), steps(new, old)
    if there is None or back is None:
        assert there is back
    else:
        assert repr(there) == repr(back._replace(old=back.new, new=back.old))
