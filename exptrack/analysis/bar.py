"""What claims are asked to meet: `require`, `reruns`, `timeout` and `ignore` below `check`, and what two `exptrack.yaml` ask otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from sys import float_info
from typing import NamedTuple, TypeAlias

from exptrack.analysis.configurations import CODE, code_patterns
from exptrack.analysis.diff import diff
from exptrack.analysis.settings import Section
from exptrack.analysis.terms import KEYS, parse_terms
from exptrack.model.change import Change, Kind
from exptrack.model.checking import Bar
from exptrack.model.reproduction import Level
from exptrack.model.settings import MetricDeclaration, Settings
from exptrack.model.tree import Tree, Value

AREA = "check"

_TIME = "a time, such as 90 (seconds), '30m' or '2h'"
_PATTERNS = "a list of texts, or one text"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_UNSET = {"similar": "5%"}  # as the documentation has it


class _Fact(NamedTuple):
    """A setting: what it means, by which two are compared, and how it was written, which is shown."""

    meaning: object
    written: Value


_Facts: TypeAlias = dict[tuple[str, ...], _Fact]


def parse_bar(check: Tree, name: str = "exptrack.yaml") -> Bar:
    """What `check` asks of claims; an empty tree gives the defaults. `name` is what messages call the file.

    `require` is one of the four levels, `reruns` a whole number from 1, `timeout` a number of seconds or a text that `parse_time` reads,
    `ignore` patterns of paths, see `matches_path`. Other keys of `check` are for `parse_terms` to read.

    Raises SettingsError, one line, that names the file and the key.
    """
    section = Section(name, "check", dict(check))
    section.allow(*KEYS)
    default = Bar()
    return Bar(
        require=section.choice("require", Level) or default.require,
        reruns=section.whole("reruns", default.reruns, least=1),
        timeout=section.read("timeout", _time, _TIME),
        ignore=section.read("ignore", _patterns, _PATTERNS) or default.ignore,
    )


def parse_time(text: str) -> float | None:
    """Seconds, from a text such as `90`, `1.5m` or `2h`; None if it is no time, or none that passes."""
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def diff_bars(old: Settings, new: Settings) -> tuple[Change, ...]:
    """The settings by which claims are judged, and that `new` has otherwise; those of both can be read.

    These are `check`, `metrics`, `seed` and `compare`. Values are as somebody wrote them, or the default, where there is one: a default
    that is written out is no change, nor is another way to write the same.
    """
    before, after = _gather(old), _gather(new)
    changes = [
        Change(AREA, key, *_change(before.get(key), after.get(key)))
        for key in {**before, **after}
        if before.get(key, _Fact(None, None)).meaning != after.get(key, _Fact(None, None)).meaning
    ]
    return (*changes, *_diff_metrics(old.metrics, new.metrics), *_diff_comparison(old.compare, new.compare))


def _change(old: _Fact | None, new: _Fact | None) -> tuple[Kind, Value, Value]:
    kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
    return kind, old and old.written, new and new.written


def _gather(settings: Settings) -> _Facts:
    """What is in force, of `check` and `seed`; what has no default and is not said is left out."""
    check, bar, terms = settings.check, parse_bar(settings.check), parse_terms(settings.check)
    said = {key: value for key, value in check.items() if value is not None}
    facts = {
        "require": _Fact(bar.require, bar.require.value),
        "reruns": _Fact(bar.reruns, bar.reruns),
        "timeout": _Fact(bar.timeout, said.get("timeout")),
        "ignore": _Fact(bar.ignore or None, said.get("ignore")),
        "similar": _Fact(terms.similar, said.get("similar", _UNSET["similar"])),
        "volatile": _Fact(terms.volatile or None, said.get("volatile")),
    }
    found: _Facts = {("check", key): fact for key, fact in facts.items() if fact.meaning is not None}
    written = said.get("tolerance")
    for metric, tolerance in terms.tolerance.items():
        found["check", "tolerance", metric] = _Fact(
            tolerance, written[metric] if isinstance(written, Mapping) else None
        )
    if settings.seed is not None:
        found["seed",] = _Fact(settings.seed, settings.seed)
    return found


def _diff_metrics(old: Mapping[str, MetricDeclaration], new: Mapping[str, MetricDeclaration]) -> list[Change]:
    """A declaration that is only on one side is one change: that a metric is declared says already that it counts."""
    changes = []
    for name in {**old, **new}:
        key = ("metrics", name)
        if name not in old:
            changes.append(Change(AREA, key, Kind.ADDED, new=_describe(new[name])))
        elif name not in new:
            changes.append(Change(AREA, key, Kind.REMOVED, old=_describe(old[name])))
        else:
            changes += [
                one._replace(key=(*key, *one.key)) for one in diff(_fields(old[name]), _fields(new[name]), AREA)
            ]
    return changes


def _describe(declared: MetricDeclaration) -> Value:
    fields = _fields(declared)
    return fields["goal"] if fields.keys() == {"goal"} else fields


def _fields(declared: MetricDeclaration) -> dict[str, Value]:
    """What a declaration says, as it stands in the file."""
    values: dict[str, Value] = {
        "goal": declared.goal and declared.goal.value,
        "unit": declared.unit,
        "min_effect": declared.min_effect,
        "evaluated_on": list(declared.evaluated_on) or None,
        "holdout": declared.holdout or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _diff_comparison(old: Tree, new: Tree) -> list[Change]:
    changes = diff(_without_code(old), _without_code(new), AREA)
    found = [one._replace(key=("compare", *one.key)) for one in changes]
    if code_patterns(old) != code_patterns(new):
        found.append(Change(AREA, ("compare", "code"), Kind.CHANGED, _code(old), _code(new)))
    return found


def _without_code(compare: Tree) -> dict[str, Value]:
    return {key: value for key, value in compare.items() if key != "code" and value is not None}


def _code(compare: Tree) -> Value:
    return ["default"] if code_patterns(compare) == CODE else compare["code"]


def _time(value: object) -> float | None:
    if isinstance(value, str):
        return parse_time(value.strip())
    return float(value) if type(value) in {int, float} and 0 < value <= float_info.max else None  # type: ignore[operator,arg-type]


def _patterns(value: object) -> tuple[str, ...] | None:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(item, str) and item for item in entries):
        return None
    return tuple(entries)
