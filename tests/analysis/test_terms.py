"""The terms of reproducing are read, and wrong ones are named."""

from __future__ import annotations

import pytest

from exptrack.analysis.terms import is_volatile_metric, matches_path, parse_terms
from exptrack.errors import SettingsError
from exptrack.model.reproduction import Terms, Tolerance


@pytest.mark.parametrize(
    "check", [{}, {"tolerance": None, "similar": None, "volatile": []}, {"require": "exact", "reruns": 3}]
)
def test_what_is_not_said_is_the_default(check):
    assert parse_terms(check) == Terms()


def test_all_terms_are_read():
    check = {
        "tolerance": {
            "accuracy": 0.005,
            "val.loss": "1%",
            "f1": {"absolute": 1, "relative": "0.5 %"},
            "auc": {"relative": 0.01},
            "count": 0,
        },
        "similar": "2.5%",
        "volatile": ["logs/", "metrics.time_*"],
        "timeout": 60,
        "ignore": [],
    }
    assert parse_terms(check) == Terms(
        tolerance={
            "accuracy": Tolerance(absolute=0.005),
            "val.loss": Tolerance(relative=0.01),
            "f1": Tolerance(1, 0.005),
            "auc": Tolerance(relative=0.01),
            "count": Tolerance(absolute=0),
        },
        similar=0.025,
        volatile=("logs/", "metrics.time_*"),
    )


@pytest.mark.parametrize(
    ("value", "similar"), [(0, 0.0), (0.1, 0.1), (1, 1.0), ("5%", 0.05), ("150 %", 1.5), (".5%", 0.005)]
)
def test_a_share_is_a_number_or_a_percentage(value, similar):
    assert parse_terms({"similar": value}).similar == pytest.approx(similar)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"tolerence": {}}, "exptrack.yaml: unknown key 'check.tolerence', did you mean 'tolerance'?"),
        (
            {"speed": 1},
            "exptrack.yaml: unknown key 'check.speed', known are tolerance, similar, volatile, require, reruns, timeout, ignore",
        ),
        ({"tolerance": 0.1}, "exptrack.yaml: 'check.tolerance' must be a mapping"),
        (
            {"tolerance": {"a": {"relativ": 1}}},
            "exptrack.yaml: unknown key 'check.tolerance.a.relativ', did you mean 'relative'?",
        ),
        (
            {"tolerance": {"a": {"absolute": -1}}},
            "exptrack.yaml: 'check.tolerance.a.absolute' must be a number that is not negative",
        ),
        *(
            (
                {"tolerance": {"a": value}},
                "exptrack.yaml: 'check.tolerance.a' must be a number, a percentage such as '1%', or a mapping with absolute and relative",
            )
            for value in ("0.1", "x%", {}, None)
        ),
        ({"tolerance": {"a": -0.1}}, "exptrack.yaml: 'check.tolerance.a' must be a number that is not negative"),
        ({"tolerance": {"a": True}}, "exptrack.yaml: 'check.tolerance.a' must be a number that is not negative"),
        *(
            (
                {"similar": value},
                "exptrack.yaml: 'check.similar' must be a share such as 0.05, or a percentage such as '5%'",
            )
            for value in (5, -0.1, "5", "five%", True, [0.1], float("nan"), float("inf"))
        ),
        ({"volatile": "a"}, "exptrack.yaml: 'check.volatile' must be a list of texts"),
        ({"volatile": [1]}, "exptrack.yaml: 'check.volatile' must be a list of texts"),
    ],
)
def test_a_wrong_term_is_named(check, message):
    with pytest.raises(SettingsError) as raised:
        parse_terms(check)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("*.log", "a/b/train.log", True),
        ("*.log", "train.log.txt", False),
        ("/train.log", "a/train.log", False),
        ("/train.log", "train.log", True),
        ("logs", "a/logs/x/y.txt", True),
        ("logs/", "logs/x.txt", True),
        ("logs/", "logs", True),  # DVC answers for a whole folder by its name
        ("out/*.png", "out/a.png", True),
        ("out/*.png", "out/deep/a.png", False),
        ("out/*.png", "b/out/a.png", False),
        ("out/**/*.png", "out/a.png", True),
        ("out/**/*.png", "out/deep/er/a.png", True),
        ("**/tmp", "a/b/tmp", True),
        ("**/tmp", "tmp/x", True),
        ("out/**", "out/a/b", True),
        ("out/**", "out", False),
        ("model?.pt", "model1.pt", True),
        ("model?.pt", "model/.pt", False),
        ("model[0-3].pt", "model2.pt", True),
        ("model[!0-3].pt", "model2.pt", False),
        ("model[!0-3].pt", "model7.pt", True),
        ("a[!b]c", "a/c", False),
        ("[z-a]", "z", False),
        ("a[", "a[", True),
        ("\\*.pt", "*.pt", True),
        ("\\*.pt", "a.pt", False),
        ("a+(b).txt", "a+(b).txt", True),
        ("Model.pt", "model.pt", False),
        ("", "a", False),
        ("/", "a", False),
    ],
)
def test_a_pattern_of_paths_reads_like_one_of_gitignore(pattern, path, matched):
    assert matches_path(path, [pattern]) is matched


def test_the_last_pattern_that_matches_counts():
    patterns = ["*.log", "!keep.log", "a/keep.log"]
    assert [matches_path(path, patterns) for path in ("x.log", "keep.log", "a/keep.log", "b")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("pattern", "metric", "matched"),
    [
        ("metrics.time", "time", True),
        ("metrics.time", "val.time", False),
        ("metrics.*time", "val.time", True),
        ("metrics.val.*", "val.loss", True),
        ("metrics.val.*", "val/loss", True),
        ("time", "time", False),
    ],
)
def test_a_pattern_of_metrics_begins_with_metrics(pattern, metric, matched):
    assert is_volatile_metric(metric, [pattern]) is matched
