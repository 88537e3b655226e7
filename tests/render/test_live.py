"""Runs under way as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exptrack.analysis.live import Live, Series
from exptrack.model.run import Record, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.operations.follow import Sight, State
from exptrack.render.live import format_live, format_table, format_view
from exptrack.render.page import Page
from exptrack.render.text import display_width

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def sight(state: State = State.RUNNING, **metrics: list[float]) -> Sight:
    series: dict[str, Series] = {}
    for name, values in metrics.items():
        series[name] = Series()
        for value in values:
            series[name].add(value)
    record = Record("one", Status.CRASHED, NOW - timedelta(seconds=90), command=("python", "train.py"))
    progress = Live(lambda _name: False).progress({}, 0.0)
    return Sight("one", state, record, 7, None, series, {}, {}, progress, None, False, (), ())


def test_declared_metrics_come_first() -> None:
    text = format_live(sight(loss=[1], acc=[2]), NOW, declared={"acc": MetricDeclaration("acc")}, page=Page())
    assert text.index("acc") < text.index("loss")


def test_it_is_said_how_long_nothing_was_logged() -> None:
    silent = sight()._replace(heard=NOW.timestamp() - 75)
    assert "running for 1min 30s, nothing was logged for 1min" in format_live(silent, NOW, declared={}, page=Page())


def test_a_run_that_ended_is_being_recorded() -> None:
    assert "being recorded" in format_live(sight()._replace(has_ended=True), NOW, declared={}, page=Page())
    dead = sight(State.DIED)._replace(has_ended=True)
    assert "died: `exptrack recover one`" in format_live(dead, NOW, declared={}, page=Page())


def test_before_the_command_starts_little_is_known() -> None:
    text = format_live(sight()._replace(record=None, pid=None), NOW, declared={}, page=Page())
    assert text == "run       one\nstate     running, its command has not started yet"


def test_a_view_keeps_to_its_lines_and_columns() -> None:
    metrics = {f"a long name 损失 {number}": [float(number), 1e-300, float("nan")] for number in range(100)}
    full = sight(**metrics)._replace(output=[f"line {number} 损失" * 9 for number in range(100)])
    for lines in (1, 5, 12, 24, 60):
        view = format_view(full, NOW, declared={}, page=Page(50), lines=lines)
        assert len(view) <= lines
        assert all(display_width(line) <= 50 for line in view)
    assert view[-1].startswith("  line 99")


def test_a_table_has_a_line_for_each_run_and_none_for_how_long_one_is_dead() -> None:
    header, running, dead = format_table([sight(loss=[0.5]), sight(State.DIED)], NOW, page=Page())
    assert header.split() == ["run", "state", "for", "progress", "metrics"]
    assert running.split() == ["one", "running", "1min", "30s", "-", "loss=0.5"]
    assert dead.split() == ["one", "died", "-", "-"]
