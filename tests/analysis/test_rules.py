"""When rules fire, by example and by laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.rules import Watch
from exptrack.analysis.settings import parse_settings
from exptrack.errors import SettingsError
from exptrack.model.rules import Bar, Condition, Firing, Reaction, Rule
from exptrack.model.settings import Goal

VALUES = st.lists(st.floats(-5, 5) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=30)


def rules(when, goal="minimize", min_effect=0.0, then="stop"):
    settings = f"metrics: {{loss: {{goal: {goal}, min_effect: {min_effect}}}}}\nrules: [{{when: {when}, then: {then}}}]"
    return parse_settings(settings).rules


def entries(values, name="loss", **more):
    return [{"kind": "metrics", "time": 1.0, "values": {name: _plain(value)}, **more} for value in values]


def _plain(value):
    return value if math.isfinite(value) else str(value)


def fire(when, stream, bar=None, **more):
    return list(Watch(rules(when, **more), lambda _: bar).take(stream))


def test_what_is_said_in_the_file_is_what_is_meant():
    text = """
metrics: {val/loss: {goal: minimize, min_effect: 0.1}, my score: maximize}
rules:
  - {when: a.b  is not finite, then: stop}
  - {when: val/loss has not improved for 1 step, then: stop}
  - {when: val/loss has not improved for 20 epochs, then: run, command: [say, "no $HOME"]}
  - {when: my score is a new best, then: run, command: 'echo $EXPTRACK_VALUE'}
"""
    assert parse_settings(text).rules == (
        Rule(1, "a.b", Condition.NOT_FINITE, Reaction.STOP),
        Rule(2, "val/loss", Condition.NOT_IMPROVED, Reaction.STOP, 1, "steps", Goal.MINIMIZE, 0.1),
        Rule(3, "val/loss", Condition.NOT_IMPROVED, Reaction.RUN, 20, "epochs", Goal.MINIMIZE, 0.1, ("say", "no $HOME")),
        Rule(4, "my score", Condition.NEW_BEST, Reaction.RUN, goal=Goal.MAXIMIZE, command=("/bin/sh", "-c", "echo $EXPTRACK_VALUE")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("capture: {system: 0}", "'capture.system' must be seconds between two looks, such as 10 or '1m', or off"),
        ("capture: {system: often}", "'capture.system' must be seconds"),
        ("rules: {when: x}", "'rules' must be a list, each with 'when' and 'then'"),
        ("rules: [1]", "'rules[1]' must be a mapping"),
        ("rules: [{when: x is nan, than: stop}]", "unknown key 'rules[1].than', did you mean 'then'?"),
        ("rules: [{then: stop}]", "'rules[1].when': is missing"),
        ("rules: [{when: x is nan}]", "'rules[1].then': is missing: give stop or run"),
        ("rules: [{when: x is nan, then: halt}]", "'rules[1].then' must be stop or run"),
        ("rules: [{when: x is big, then: stop}]", "'rules[1].when': 'x is big' is not understood: give 'METRIC is nan'"),
        ("rules: [{when: x has not improved, then: stop}]", "is not understood"),
        ("rules: [{when: x has not improved for 0 steps, then: stop}]", "'rules[1].when': give a number of steps from 1"),
        ("rules: [{when: x has not improved for 5 epochs, then: stop}]", "which way x is better is not declared: write `x: maximize`"),
        ("metrics: {x: {goal: maximize, holdout: true}}\nrules: [{when: x is a new best, then: stop}]", "x is a holdout"),
        ("experiments: {e: {holdout: x}}\nrules: [{when: x.y is nan, then: stop}]", "x.y is a holdout"),
        ("rules: [{when: x is nan, then: run}]", "'rules[1].command': is missing: give what is to be run"),
        ("rules: [{when: x is nan, then: run, command: []}]", "'rules[1].command' must be a text for the shell, or a list of words"),
        ("rules: [{when: x is nan, then: run, command: [1]}]", "'rules[1].command' must be a list of texts"),
        ("rules: [{when: x is nan, then: stop, command: ls}]", "'rules[1].command': goes with `then: run` alone"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_named_in_one_line(text, message):
    with pytest.raises(SettingsError) as raised:
        parse_settings(text)
    assert message in str(raised.value)
    assert str(raised.value).startswith("exptrack.yaml: ")
    assert "\n" not in str(raised.value)


def test_the_first_nan_fires_once_and_names_its_step():
    stream = [
        *entries([0.5], step=10),
        *entries([math.inf], step=15),
        *entries([math.nan], step=20),
        *entries([math.nan]),
    ]
    [fired] = fire("loss is nan", stream)
    assert (fired.step, fired.text) == (20, "rule 1: loss is nan at step 20")
    [fired] = fire("loss is not finite", stream)
    assert (fired.value, fired.text) == (math.inf, "rule 1: loss is inf at step 15")


def test_other_metrics_kinds_and_what_is_no_number_count_for_nothing():
    stream = [
        {"kind": "system", "time": 1.0, "values": {"loss": "nan"}},
        {"kind": "metrics", "time": 1.0, "values": {"other": "nan", "loss": "sealed"}},
        {"kind": "metrics", "time": 1.0, "values": {"loss": True}},
        {"kind": "metrics", "time": 1.0, "values": None},
        {"kind": "metrics", "time": 1.0},
        {"kind": "ended", "time": 1.0},
    ]
    assert fire("loss is nan", stream) == []


def test_a_metric_that_stands_still_fires_after_that_many_steps():
    stream = [
        entry
        for step, value in ((0, 1.0), (100, 0.5), (300, 0.6), (599, 0.5), (600, 0.7))
        for entry in entries([value], step=step)
    ]
    [fired] = fire("loss has not improved for 500 steps", stream)
    assert (fired.step, fired.value) == (600, 0.7)
    assert fired.text == "rule 1: loss has not improved for 500 steps: 0.7 at step 600, best 0.5 at step 100"


def test_less_than_the_smallest_effect_is_no_improvement():
    stream = entries([1.0, 0.95, 0.91, 0.905])
    assert fire("loss has not improved for 3 steps", stream, min_effect=0.1)
    assert not fire("loss has not improved for 3 steps", stream)
    assert fire("loss has not improved for 3 steps", entries([1.0, 0.5, 0.4, 0.3]), goal="maximize")


def test_epochs_count_where_they_are_logged():
    stream = [entry for epoch in range(5) for entry in entries([1.0], epoch=epoch, step=1000 * epoch)]
    [fired] = fire("loss has not improved for 3 epochs", stream)
    assert (fired.step, fired.text.endswith("1 at epoch 3, best 1 at epoch 0")) == (3000, True)
    assert not fire("loss has not improved for 3 epochs", entries([1.0] * 50))


def test_a_metric_that_is_never_a_number_does_not_improve():
    [fired] = fire("loss has not improved for 3 steps", entries([math.nan] * 9))
    assert (fired.step, fired.text.endswith("no number so far")) == (3, True)


@pytest.mark.parametrize("step", ["a", "nan", None, True, [1], -5])
def test_steps_may_be_anything(step):
    fire("loss has not improved for 3 steps", [*entries([1.0], step=3), *entries([1.0] * 4, step=step)])


def test_a_new_best_beats_the_bar_by_more_than_the_smallest_effect():
    bar = Bar(0.5, "quick-fox")
    [fired] = fire("loss is a new best", entries([0.6, 0.45, 0.3, 0.2]), bar, min_effect=0.1)
    assert (fired.step, fired.text) == (2, "rule 1: loss is a new best: 0.3 at step 2, quick-fox had 0.5")
    assert not fire("loss is a new best", entries([0.5, 0.6, math.nan]), bar)
    assert not fire("loss is a new best", entries([0.1]), None)
    assert not fire("loss is a new best", entries([-math.inf]), Bar(-math.inf, "x"))


def test_the_bar_is_looked_for_once_and_only_if_the_metric_is_logged():
    asked = []
    watch = Watch(rules("loss is a new best"), asked.append)
    assert list(watch.take(entries([1.0], "other"))) == []
    assert not asked
    assert list(watch.take(entries([1.0, 0.5]))) == []
    assert len(asked) == 1


def _numbers(fired: list[Firing]) -> list[tuple[object, str]]:
    return [(one.step, one.text) for one in fired]


@given(VALUES, st.integers(1, 5), st.data())
def test_it_does_not_matter_how_often_one_looks(values, patience, data):
    cut = data.draw(st.integers(0, len(values)))
    for when in (
        "loss is nan",
        "loss is not finite",
        f"loss has not improved for {patience} steps",
        "loss is a new best",
    ):
        watch = Watch(rules(when), lambda _: Bar(0.0, "x"))
        parts = [*watch.take(entries(values[:cut])), *watch.take(entries(values[cut:]))]
        assert _numbers(parts) == _numbers(fire(when, entries(values), Bar(0.0, "x")))
        assert len(parts) <= 1
        assert watch.is_over == bool(parts)


@given(VALUES, st.integers(1, 5))
def test_a_rule_about_standing_still_fires_where_the_plain_definition_says(values, patience):
    def is_stale(at):
        best, place = math.inf, 0
        for step, value in enumerate(values[: at + 1]):
            if value < best or (value == best == math.inf and place == 0 and all(map(math.isnan, values[:step]))):
                best, place = value, step
        return at - place >= patience

    expected = next((at for at in range(len(values)) if is_stale(at)), None)
    fired = fire(f"loss has not improved for {patience} steps", entries(values))
    assert [one.step for one in fired] == ([] if expected is None else [expected])


@given(VALUES)
def test_which_way_is_better_is_a_matter_of_sign(values):
    def mirrored(goal, sign):
        when = "loss has not improved for 2 steps"
        return [one.step for one in fire(when, entries([sign * value for value in values]), goal=goal)]

    assert mirrored("minimize", 1) == mirrored("maximize", -1)
