"""What the index answers is what the runs themselves say: random runs, queries and orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import inventedruns as invented
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from madeindex import make_index

from exptrack.analysis.facts import Facts, sort_facts
from exptrack.analysis.matching import matches
from exptrack.analysis.query import Comparison, Operand, names_in
from exptrack.analysis.rows import Rows, RunRows
from exptrack.model.run import Record, Run, Status
from exptrack.store.catalog import Asked, Unanswered, asks_keys, format_month, month_of
from exptrack.store.index.indexcatalog import IndexCatalog
from exptrack.store.runs import ref_of


def find_plainly(runs: Sequence[Run], asked: Asked) -> RunRows:
    """What is asked for, without any SQL."""
    rows = [Facts(run) for run in sorted(runs, key=lambda run: run.ref)]
    if asked.since is not None:
        rows = [row for row in rows if row.run.started >= asked.since]
        if not asks_keys(asked):
            rows = [row for row in rows if month_of(row.run.ref) >= format_month(asked.since)]
    chosen = [row for row in rows if asked.query is None or matches(asked.query, row)]
    chosen.sort(key=lambda row: row.run.started, reverse=True)
    if asked.sort is not None:
        chosen = sort_facts(chosen, asked.sort, descending=asked.is_descending)
    return RunRows.of(chosen[: asked.number])


def spell(rows: Rows) -> dict[str, Any]:
    """All that rows tell, with types and NaN in plain sight."""
    names = (*invented.FIELDS, *invented.NAMES)
    columns = {name: [repr(value) for value in rows.column(name)] for name in names}
    return {
        **columns,
        "notes": [*map(tuple, rows.notes())],
        "keys": [[*rows.keys(area).items()] for area in ("metrics", "params")],
        "varying": [*rows.varying()],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(chance=st.integers(0, 2**32))
def test_an_index_answers_what_the_runs_say(folder, chance):
    random = Random(chance)
    runs = invented.invent_runs(random, random.choice((0, 1, 2, 9, 14)))
    with make_index(folder, runs) as catalog:
        check_names(catalog, runs)
        for number in range(40):
            asked = invented.invent_asked(random, runs)
            try:
                found = catalog.select(asked).rows
            except Unanswered:
                assert has_large(runs, asked)
                continue
            plain = find_plainly(runs, asked)
            assert [*found.column("name")] == [*plain.column("name")], asked
            if number % 8 == 0:
                assert spell(found) == spell(plain)
                places = random.choices(range(len(found)), k=min(3, len(found)))
                assert spell(found.pick(places)) == spell(plain.pick(places))


def check_names(catalog: IndexCatalog, runs: Sequence[Run]) -> None:
    facts = [Facts(run) for run in runs]
    assert set(catalog.names()) == {name for row in facts for name in row if "." in name}
    keys = {key for row in facts for key in (*row.metrics, "none")}
    assert set(catalog.sealed(keys)) == {
        key
        for key in keys
        if any(key in run.record.sealed for run in runs)
        and all(key in row.run.record.sealed for row in facts if key in row.metrics)
    }
    for tag in ("a", "\udcff", ""):
        assert list(catalog.tagged(tag).items()) == [(run.ref, run.oid) for run in runs if tag in run.tags]


def has_large(runs: Sequence[Run], asked: Asked) -> bool:
    """Whether a number of more than 64 bits is asked about."""

    def is_large(value: object) -> bool:
        return type(value) is int and not -(2**63) <= value < 2**63

    def operands(query: Any) -> Iterator[object]:
        if isinstance(query, Comparison):
            yield query.operand.value
        else:
            for term in query.terms:
                yield from operands(term)

    names = {*(names_in(asked.query) if asked.query else ()), asked.sort or ""}
    inside = any(is_large(Facts(run).get(name)) for run in runs for name in names)
    return inside or (asked.query is not None and any(map(is_large, operands(asked.query))))


@pytest.mark.parametrize("sign", ["=", "!=", "<", "<=", ">", ">=", "~"])
def test_a_day_is_compared_from_its_first_microsecond_to_its_last(folder, sign):
    day = datetime(1969, 12, 31, tzinfo=UTC)
    after = (-1, 0, 1, 86_399_999_999, 86_400_000_000)
    moments = [day + timedelta(microseconds=number) for number in after]
    runs = [
        Run(
            Record(f"run-{place}", Status.COMPLETED, moment, ended=moments[-place]),
            f"{place:040}",
            ref_of(f"run-{place}", moment),
        )
        for place, moment in enumerate(moments)
    ]
    with make_index(folder, runs) as catalog:
        for field, kind in product(("started", "ended"), ("day", "time", "text")):
            asked = Asked(Comparison(field, sign, Operand(kind, day)))
            assert [*catalog.select(asked).rows.refs()] == [*find_plainly(runs, asked).refs()], asked
