"""What claims are asked to meet is read, wrong values are named, and what two files ask otherwise is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.bar import diff_bars, parse_bar, parse_time
from exptrack.analysis.settings import parse_settings
from exptrack.analysis.terms import KEYS, parse_terms
from exptrack.errors import SettingsError
from exptrack.model.change import Kind
from exptrack.model.checking import Bar
from exptrack.model.reproduction import Level
from exptrack.model.settings import Settings

ALL = """\
check: {require: exact, reruns: 3, timeout: 30m, ignore: [docs/], similar: 0.1, volatile: [logs/], tolerance: {loss: 1%, auc: 0.1}}
metrics: {loss: minimize, auc: {goal: maximize, min_effect: 0.01, holdout: true}}
seed: train.seed
compare: {code: ["*.R", default], level: 0.9}
"""


@pytest.mark.parametrize("check", [{}, {"tolerance": {"a": 1}, "similar": "1%"}, dict.fromkeys(KEYS)])
def test_what_is_not_said_is_the_default(check):
    assert parse_bar(check) == Bar(Level.STATISTICAL, 1, None, ())


def test_the_whole_bar_is_read():
    check = {"require": "exact", "reruns": 3, "timeout": "1.5m", "ignore": ["docs/", "!docs/a.py"], "volatile": ["a"]}
    assert parse_bar(check) == Bar(Level.EXACT, 3, 90.0, ("docs/", "!docs/a.py"))


@pytest.mark.parametrize("level", Level)
def test_each_level_may_be_required(level):
    assert parse_bar({"require": level.value}).require is level


def test_one_pattern_needs_no_list():
    assert parse_bar({"ignore": "*.md"}) == parse_bar({"ignore": ["*.md"]})


@pytest.mark.parametrize(
    ("time", "seconds"), [(90, 90), (0.5, 0.5), ("90", 90), ("30m", 1800), ("2h", 7200), ("45s", 45), (" 1m ", 60)]
)
def test_a_time_is_a_number_of_seconds_or_has_a_unit(time, seconds):
    assert parse_bar({"timeout": time}).timeout == seconds


@pytest.mark.parametrize("text", ["", "h", "-1", "0", "0h", "nan", "inf", "1e999", "1d", "1h30m", "1:30", "1 0"])
def test_what_is_no_time_is_none(text):
    assert parse_time(text) is None


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"requires": "exact"}, "unknown key 'check.requires', did you mean 'require'?"),
        *(
            (
                {"require": value},
                "'check.require' must be exact or statistical or methodological or conceptual",
            )
            for value in ("Exact", "", 1, ["exact"], "none", True)
        ),
        *(
            ({"reruns": value}, "'check.reruns' must be a whole number from 1")
            for value in (0, -1, 1.0, "3", True, [2], float("nan"))
        ),
        *(
            ({"timeout": value}, "'check.timeout' must be a time, such as 90 (seconds), '30m' or '2h'")
            for value in (0, -5, "soon", True, [60], float("inf"), float("nan"), 10**400, {"hours": 1})
        ),
        *(
            ({"ignore": value}, "'check.ignore' must be a list of texts, or one text")
            for value in ("", [""], [1], 1, {"a": "b"}, [["a"]], True)
        ),
    ],
)
def test_a_wrong_value_is_named(check, message):
    with pytest.raises(SettingsError) as raised:
        parse_bar(check, "exptrack.yaml of main")
    assert str(raised.value) == f"exptrack.yaml of main: {message}"


def test_a_misspelt_key_reads_the_same_wherever_it_is_found():
    said = []
    for parse in (parse_terms, parse_bar):
        with pytest.raises(SettingsError) as raised:
            parse({"rerun": 2})
        said.append(str(raised.value))
    assert said == ["exptrack.yaml: unknown key 'check.rerun', did you mean 'reruns'?"] * 2


@given(st.dictionaries(st.sampled_from(KEYS), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_any_value_is_read_or_refused_in_one_line(check):
    said = ""
    try:
        bar = parse_bar(check)
    except SettingsError as error:
        bar, said = Bar(), str(error)
    assert len(said.splitlines()) <= 1
    assert bar.reruns >= 1
    assert bar.timeout is None or 0 < bar.timeout < float("inf")


def changes(old: str, new: str) -> list[tuple]:
    found = diff_bars(parse_settings(old), parse_settings(new))
    assert all(one.area == "check" for one in found)
    return [(".".join(one.key), str(one.kind), one.old, one.new) for one in found]


def test_a_file_and_itself_ask_the_same():
    assert changes(ALL, ALL) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "check: {require: statistical, reruns: 1, similar: 5%, timeout: , ignore: [], volatile: [], tolerance: }"),
        ("check: {similar: 5%}", "check: {similar: 0.05}"),
        ("check: {timeout: 30m}", "check: {timeout: 1800}"),
        ("check: {ignore: a}", "check: {ignore: [a]}"),
        ("check: {tolerance: {a: 1%, b: 1}}", "check: {tolerance: {b: {absolute: 1.0}, a: {relative: 0.01}}}"),
        (
            "metrics: {a: maximize, b: }",
            "metrics: {a: {goal: maximize, holdout: false, unit: }, b: {evaluated_on: []}}",
        ),
        ("metrics: {a: {evaluated_on: x}}", "metrics: {a: {evaluated_on: [x]}}"),
        ("", "compare: {code: [default]}"),
        ("compare: {level: 1}", "compare: {level: 1.0, code: }"),
        ("", "capture: {outputs: [a]}\nkeep: {days: 3}"),
    ],
)
def test_the_same_in_other_words_is_no_change(old, new):
    assert changes(old, new) == []
    assert changes(new, old) == []


def test_what_is_asked_otherwise_is_told_as_it_was_written():
    assert changes(ALL, "check: {require: methodological, ignore: '*', timeout: 2h, tolerance: {loss: 50%}}") == [
        ("check.require", "changed", "exact", "methodological"),
        ("check.reruns", "changed", 3, 1),
        ("check.timeout", "changed", "30m", "2h"),
        ("check.ignore", "changed", ["docs/"], "*"),
        ("check.similar", "changed", 0.1, "5%"),
        ("check.volatile", "removed", ["logs/"], None),
        ("check.tolerance.loss", "changed", "1%", "50%"),
        ("check.tolerance.auc", "removed", 0.1, None),
        ("seed", "removed", "train.seed", None),
        ("metrics.loss", "removed", "minimize", None),
        ("metrics.auc", "removed", {"goal": "maximize", "min_effect": 0.01, "holdout": True}, None),
        ("compare.level", "removed", 0.9, None),
        ("compare.code", "changed", ["*.R", "default"], ["default"]),
    ]


def test_what_is_asked_anew_is_told():
    assert changes(
        "", "check: {timeout: 90, tolerance: {a: {absolute: 1}}}\nmetrics: {a: {unit: s}, b: }\nseed: s"
    ) == [
        ("check.timeout", "added", None, 90),
        ("check.tolerance.a", "added", None, {"absolute": 1}),
        ("seed", "added", None, "s"),
        ("metrics.a", "added", None, {"unit": "s"}),
        ("metrics.b", "added", None, {}),
    ]


def test_of_a_metric_that_both_declare_the_fields_are_told():
    old, new = "metrics: {a: {goal: maximize, min_effect: 0.1}}", "metrics: {a: {goal: minimize, holdout: true}}"
    assert changes(old, new) == [
        ("metrics.a.goal", "changed", "maximize", "minimize"),
        ("metrics.a.holdout", "added", None, True),
        ("metrics.a.min_effect", "removed", 0.1, None),
    ]


def test_the_order_of_patterns_counts():
    [change] = diff_bars(Settings(check={"ignore": ["*.md", "!a.md"]}), Settings(check={"ignore": ["!a.md", "*.md"]}))
    assert (change.key, change.kind) == (("check", "ignore"), Kind.CHANGED)
