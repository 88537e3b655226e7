"""When a rule fires: from the entries of a run's journal, one after the other, each rule at most once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.model.rules import Bar, Condition, Firing, Rule
from exptrack.model.settings import Goal
from exptrack.model.tree import Value


class Point(NamedTuple):
    """What was logged of one metric: its value, the step (the number of values before it, if none was given), and the epoch."""

    value: float
    step: Value
    epoch: Value = None


class Seen(NamedTuple):
    """The best value of a metric so far, and where it was; None before the first one."""

    value: float | None = None
    place: float | None = None


class Watch:
    """The rules of a run under way. `find_bar` gives what a new best of a rule's metric has to beat, None if there is nothing."""

    def __init__(self, rules: Sequence[Rule], find_bar: Callable[[Rule], Bar | None]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.metric, []).append(rule)
        self._find_bar = find_bar
        self._bars: dict[int, Bar | None] = {}
        self._seen: dict[int, Seen] = {}
        self._counts = dict.fromkeys(self._rules, 0)

    @property
    def is_over(self) -> bool:
        """Whether all of them have fired."""
        return not self._rules

    def take(self, entries: Iterable[Mapping[str, Value]]) -> Iterator[Firing]:
        """The rules that fire on the next entries of the journal."""
        for entry in entries:
            values = entry.get("values")
            if entry.get("kind") != "metrics" or not isinstance(values, Mapping):
                continue
            for name in [name for name in self._rules if name in values]:
                number = _number(values[name])
                if number is not None:
                    step, count = entry.get("step"), self._counts[name]
                    self._counts[name] = count + 1
                    yield from self._judge(name, Point(number, count if step is None else step, entry.get("epoch")))

    def _judge(self, metric: str, point: Point) -> list[Firing]:
        found = [(rule, self._look(rule, point)) for rule in self._rules[metric]]
        fired = [
            Firing(rule, point.value, point.step, f"rule {rule.number}: {metric} {text}")
            for rule, text in found
            if text
        ]
        if fired:
            left = [rule for rule, text in found if text is None]
            self._rules = {**self._rules, metric: left} if left else _without(self._rules, metric)
        return fired

    def _look(self, rule: Rule, point: Point) -> str | None:
        """What there is to be said after the name of the metric; None if the rule does not fire."""
        if rule.condition is Condition.NAN:
            return f"is nan at step {point.step}" if math.isnan(point.value) else None
        if rule.condition is Condition.NOT_FINITE:
            return f"is {point.value} at step {point.step}" if not math.isfinite(point.value) else None
        if rule.condition is Condition.NEW_BEST:
            return self._look_at_best(rule, point)
        seen = advance(rule, self._seen.get(rule.number, Seen()), point)
        self._seen[rule.number] = seen
        return tell_stale(rule, seen, point)

    def _look_at_best(self, rule: Rule, point: Point) -> str | None:
        if rule.number not in self._bars:
            self._bars[rule.number] = self._find_bar(rule)
        bar = self._bars[rule.number]
        if bar is None or not is_better(rule, point.value, bar.value):
            return None
        return f"is a new best: {point.value:g} at step {point.step}, {bar.owner} had {bar.value:g}"


def _without(rules: Mapping[str, list[Rule]], metric: str) -> dict[str, list[Rule]]:
    return {name: kept for name, kept in rules.items() if name != metric}


def is_better(rule: Rule, value: float, other: float) -> bool:
    """Whether a value is better than another by more than the metric's `min_effect`; NaN never is."""
    if math.isinf(value) and value == other:
        return False
    gain = other - value if rule.goal is Goal.MINIMIZE else value - other
    return gain > rule.min_effect


def advance(rule: Rule, seen: Seen, point: Point) -> Seen:
    """What is the best after this point. A value that is NaN is none; until there is one, the wait counts from the first point."""
    place = _place(rule, point)
    if place is None:
        return seen
    if seen.value is None:
        if math.isnan(point.value):
            return seen if seen.place is not None else Seen(None, place)
        return Seen(point.value, place)
    return Seen(point.value, place) if is_better(rule, point.value, seen.value) else seen


def tell_stale(rule: Rule, seen: Seen, point: Point) -> str | None:
    """What is said if the metric has not improved for as long as the rule waits."""
    place = _place(rule, point)
    if place is None or seen.place is None or rule.patience is None or place - seen.place < rule.patience:
        return None
    unit = rule.unit.removesuffix("s")
    best = "no number so far" if seen.value is None else f"best {seen.value:g} at {unit} {seen.place:g}"
    return f"has not improved for {rule.patience:g} {rule.unit}: {point.value:g} at {unit} {place:g}, {best}"


def _place(rule: Rule, point: Point) -> float | None:
    place = _number(point.epoch if rule.unit == "epochs" else point.step)
    return place if place is not None and math.isfinite(place) else None


def _number(value: Value) -> float | None:
    """A number of the journal, in which NaN and infinities are texts."""
    if type(value) is float:  # as nearly all are
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
