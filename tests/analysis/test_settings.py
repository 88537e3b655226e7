"""`exptrack.yaml`: what it may say, and what it says when it says something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.settings import parse_settings, parse_size
from exptrack.errors import SettingsError
from exptrack.model.experiment import Experiment
from exptrack.model.settings import (
    ENVIRONMENT_VARIABLES,
    MIB,
    SECRET_PATTERNS,
    Capture,
    Goal,
    Keep,
    Large,
    Limits,
    MetricDeclaration,
    Settings,
)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "{}", "metrics:\ncapture:\nseed:\ncheck:\n", "capture: {limits: , patterns: }"]
)
def test_a_file_that_says_nothing_gives_the_defaults(text):
    assert parse_settings(text) == Settings()


def test_a_full_file_is_read_key_by_key():
    text = r"""
metrics:
  accuracy: {goal: maximize, unit: "%", min_effect: 0.5, evaluated_on: [data/test.npz], holdout: true}
  loss: minimize
  speed: {unit: img/s, evaluated_on: data/a.csv}
  val.loss:
capture:
  patterns:
    - 'epoch \d+ loss=(?P<loss>\S+)'
    - 'val (?P<val__loss>\S+)'
  outputs: [model.pkl]
  links: [data/large]
  large: list
  limits: {file_size: 2 MiB, total_size: 500KB, files: 10, cached_file_size: 1 GB, cached_total_size: 2048}
  secrets: [default, '*.tok', '!public.tok']
  environment: [MY_FLAG, LANG]
  system: 1m
seed: train.seed
experiments: {lr-sweep: {metric: loss, seeds: 3, holdout: test}}
check: {require: [bitwise]}
compare: {alpha: 1e-2}
keep: {data: tag = paper or status = completed, days: 7, grace: 1, trash: 0}
"""
    assert parse_settings(text) == Settings(
        metrics={
            "accuracy": MetricDeclaration("accuracy", Goal.MAXIMIZE, "%", 0.5, ("data/test.npz",), holdout=True),
            "loss": MetricDeclaration("loss", Goal.MINIMIZE),
            "speed": MetricDeclaration("speed", unit="img/s", evaluated_on=("data/a.csv",)),
            "val.loss": MetricDeclaration("val.loss"),
            "test": MetricDeclaration("test", holdout=True),
        },
        capture=Capture(
            patterns=(r"epoch \d+ loss=(?P<loss>\S+)", r"val (?P<val__loss>\S+)"),
            outputs=("model.pkl",),
            links=("data/large",),
            large=Large.LIST,
            limits=Limits(2 * MIB, 500_000, 10, 1_000_000_000, 2048),
            secrets=(*SECRET_PATTERNS, "*.tok", "!public.tok"),
            environment=(*ENVIRONMENT_VARIABLES, "MY_FLAG"),
            system=60,
        ),
        seed="train.seed",
        experiments={"lr-sweep": Experiment("lr-sweep", "loss", seeds=3, holdout="test")},
        check={"require": ["bitwise"]},
        compare={"alpha": 0.01},
        keep=Keep("tag = paper or status = completed", 7, 1, 0),
    )


def test_a_list_of_secrets_stands_in_place_of_the_default():
    assert parse_settings("capture: {secrets: ['*.tok']}").capture.secrets == ("*.tok",)
    assert parse_settings("capture: {secrets: []}").capture.secrets == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metric: {}", "unknown key 'metric', did you mean 'metrics'?"),
        ("zzz: 1", "unknown key 'zzz', known are metrics, capture, seed, experiments, check, compare, keep, rules"),
        ("metrics: {acc: {gaol: maximize}}", "unknown key 'metrics.acc.gaol', did you mean 'goal'?"),
        ("capture: {limits: {filesize: 1}}", "unknown key 'capture.limits.filesize', did you mean 'file_size'?"),
        ("capture: {pattern: []}", "unknown key 'capture.pattern', did you mean 'patterns'?"),
        ("metrics: {acc: {goal: max}}", "'metrics.acc.goal' must be maximize or minimize"),
        ("metrics: {acc: up}", "'metrics.acc' must be maximize or minimize"),
        ("metrics: {acc: [a]}", "'metrics.acc' must be a mapping"),
        ("metrics: {acc: {goal: 1}}", "'metrics.acc.goal' must be maximize or minimize"),
        ("metrics: {acc: {holdout: yes}}", "'metrics.acc.holdout' must be true or false"),
        ("metrics: {acc: {min_effect: small}}", "'metrics.acc.min_effect' must be a number that is not negative"),
        ("metrics: {acc: {min_effect: -1}}", "'metrics.acc.min_effect' must be a number that is not negative"),
        ("metrics: {acc: {min_effect: .nan}}", "'metrics.acc.min_effect' must be a number that is not negative"),
        ("metrics: {acc: {evaluated_on: {a: b}}}", "'metrics.acc.evaluated_on' must be a list of texts"),
        ("metrics: [acc]", "'metrics' must be a mapping"),
        ("[1]", "the file must be a mapping"),
        ("seed: 5", "'seed' must be a text"),
        ("check: [a]", "'check' must be a mapping"),
        ("capture: {outputs: model.pkl}", "'capture.outputs' must be a list of texts"),
        ("capture: {links: [1]}", "'capture.links' must be a list of texts"),
        ("capture: {large: keep}", "'capture.large' must be cache or list"),
        ("keep: {data: [1]}", "'keep.data' must be a text"),
        ("keep: {grace: 0}", "'keep.grace' must be a whole number from 1"),
        ("keep: {days: 1.5}", "'keep.days' must be a whole number"),
        ("keep: {ever: true}", "unknown key 'keep.ever', known are data, days, grace, trash"),
        ("capture: {limits: {files: -1}}", "'capture.limits.files' must be a whole number"),
        ("capture: {limits: {file_size: 1 MX}}", "'capture.limits.file_size' must be a number of bytes, such as 500000 or '1 MiB'"),
        ("capture: {limits: {total_size: true}}", "'capture.limits.total_size' must be a number of bytes, such as 500000 or '1 MiB'"),
        ("capture: {patterns: ['loss=(']}",
         "'capture.patterns': 'loss=(' is no regular expression: missing ), unterminated subpattern at position 5"),
        ("capture: {patterns: ['loss=(.*)']}",
         r"'capture.patterns': 'loss=(.*)' names no metric: put it in a group such as (?P<loss>\S+)"),
        ("a: b: c", "line 1: mapping values are not allowed in this context"),
        ("seed: a\nseed: b", "line 2: key 'seed' stands here a second time, first in line 1"),
    ],
)  # fmt: skip
def test_what_it_should_not_say_is_named(text, message):
    with pytest.raises(SettingsError) as raised:
        parse_settings(text, "conf/exptrack.yaml")
    assert str(raised.value) == f"conf/exptrack.yaml: {message}"


@given(
    st.recursive(
        st.sampled_from(
            ["metrics", "capture", "limits", "goal", "seed", "patterns", "1", "true", "null", "1 MiB", "-1", "(?P<a>.)"]
        ),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
            | st.dictionaries(
                st.sampled_from(
                    ["metrics", "capture", "limits", "goal", "seed", "patterns", "files", "file_size", "large", "check"]
                ),
                inner,
                max_size=3,
            ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}")
        ),
        max_leaves=8,
    )
)
def test_any_file_gives_settings_or_one_line(text):
    reason = "exptrack.yaml: "
    try:
        assert isinstance(parse_settings(text), Settings)
    except SettingsError as error:
        reason = str(error)
    assert reason.startswith("exptrack.yaml: ")
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (0, 0), (500, 500), ("500", 500), ("1 MiB", MIB), ("1mib", MIB), ("500KB", 500_000), ("1GB", 10**9), ("1.5 KiB", 1536),
        ("2 tb", 2 * 10**12), ("7 B", 7), (" 7b ", 7), (-1, None), (1.5, None), (True, None), ("", None), ("MiB", None), ("1 M", None),
        ("-1 MB", None), ("1e5", None), ("9" * 400, None), (None, None), (["1"], None),
    ],
)  # fmt: skip
def test_a_size_is_bytes_or_a_number_with_its_unit(written, size):
    assert parse_size(written) == size
