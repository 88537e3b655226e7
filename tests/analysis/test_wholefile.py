"""Whole histories come back as they were logged, from either kind of file, and a broken file is told from a good one."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis import wholefile
from exptrack.analysis.points import Point, Points
from exptrack.analysis.wholefile import PARQUET, TSV, decode_whole
from exptrack.errors import DataError

pytest.importorskip("pyarrow")

EXACT = 2**53
NUMBERS = st.floats() | st.integers(-EXACT, EXACT).map(float)
WHOLE = st.integers(-EXACT + 1, EXACT - 1)
EPOCHS = (
    st.none()
    | WHOLE
    | st.floats(allow_nan=False).filter(lambda number: number != int(number) if abs(number) < EXACT else True)
)
STEPS = st.sampled_from([st.integers(-(2**63), 2**63 - 1), WHOLE | st.floats(), st.integers() | st.just("a b")])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
HISTORIES = STEPS.flatmap(
    lambda steps: st.dictionaries(
        NAMES, st.lists(st.builds(Point, st.floats(allow_nan=False), steps, NUMBERS, EPOCHS), min_size=1, max_size=6), max_size=3
    )
)  # fmt: skip
KINDS = {PARQUET: wholefile._encode_parquet, TSV: wholefile._encode_tsv}


def _name(metric: str) -> str:
    return metric.replace("\t", " ").replace("\n", " ")


def _plain(points: object) -> str:
    """Numbers by their value: a step of 3.0 may come back as 3, and minus zero as zero."""
    return repr([
        (time + 0.0, step if isinstance(step, str) else _number(step), value, epoch) for time, step, value, epoch in points
    ])  # type: ignore[attr-defined]  # fmt: skip


def _number(step: float) -> float:
    return int(step) if abs(step) < EXACT and step == int(step) else step


def _count(histories: Mapping[str, object]) -> int:
    return sum(len(points) for points in histories.values())  # type: ignore[arg-type]


@pytest.mark.parametrize("path", KINDS)
@given(HISTORIES)
def test_what_was_written_is_read_back(path, histories):
    histories = {
        name: points for name, points in histories.items() if _name(name) not in histories or name == _name(name)
    }
    histories = {_name(name): points for name, points in histories.items()}
    data = KINDS[path]({name: Points(points) for name, points in histories.items()})
    found = decode_whole(path, data, _count(histories))
    assert {name: _plain(points) for name, points in found.items()} == {
        name: _plain(points) for name, points in histories.items()
    }
    for name in histories:
        [(only, points)] = decode_whole(path, data, _count(histories), name).items()
        assert (only, _plain(points)) == (name, _plain(histories[name]))
    assert decode_whole(path, data, _count(histories), "no such") == {}


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize(
    "change", [b"", b"PAR1", lambda data: data[:-9], lambda data: data[9:], lambda data: b"x" + data]
)
def test_a_broken_file_is_named(path, change):
    data = KINDS[path]({"a": Points(Point(float(step), step, 0.5) for step in range(50))})
    with pytest.raises(DataError, match=r"^\.exptrack/history\.\S+ is broken: "):
        decode_whole(path, change(data) if callable(change) else change, 50)


@pytest.mark.parametrize("path", KINDS)
def test_a_file_with_more_points_than_were_logged_is_not_read(path):
    data = KINDS[path]({"a": Points(Point(float(step), step, 0.5) for step in range(50))})
    with pytest.raises(DataError, match=r"is broken"):
        decode_whole(path, data, 49)


def test_a_line_without_end_is_not_read_into_memory():
    data = gzip.compress(b"metric\ttime\tstep\tepoch\tvalue\n" + b"x" * 1_000_000)
    with pytest.raises(DataError, match=r"is broken"):
        decode_whole(TSV, data, 50)


def test_a_name_that_no_file_can_hold_is_written_all_the_same():
    for path, encode in KINDS.items():
        data = encode({"\ud800": Points([Point(1.0, "\ud800", 0.5)])})
        assert decode_whole(path, data, 1) == {"?": [Point(1.0, "?", 0.5)]}
