"""`rules` of `exptrack.yaml` as values: which metric, what it comes to, and what is done then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from exptrack.analysis.holdout import find_holdouts, is_holdout
from exptrack.analysis.settings import Section
from exptrack.errors import SettingsError
from exptrack.model.rules import Condition, Reaction, Rule
from exptrack.model.settings import MetricDeclaration

_SHELL = ("/bin/sh", "-c")
_FORMS = "'METRIC is nan', 'METRIC is not finite', 'METRIC has not improved for N steps' (or epochs) or 'METRIC is a new best'"
_WHEN = re.compile(
    r"(?P<metric>\S.*?) (?:(?P<state>is nan|is not finite|is a new best)|has not improved for (?P<patience>\d{1,15}) (?P<unit>step|epoch)s?)"
)


def parse_rules(top: Section, metrics: Mapping[str, MetricDeclaration]) -> tuple[Rule, ...]:
    """The rules in the file; raises SettingsError, one line, that names the rule by its number and the key.

    A rule that needs to know which way a metric is better needs its goal, which `metrics` declares. None may be about a holdout: what
    it does would tell of it.
    """
    values = top.values["rules"]
    if not isinstance(values, list):
        top.fail("rules", "a list, each with 'when' and 'then'")
    return tuple(_Parser(top.file, number, value, metrics).parse() for number, value in enumerate(values, 1))


class _Parser:
    """One rule of the file."""

    def __init__(self, file: str, number: int, value: object, metrics: Mapping[str, MetricDeclaration]) -> None:
        self.number = number
        self.section = Section(file, f"rules[{number}]", value)
        self.section.allow("when", "then", "command")
        self.metrics = metrics

    def refuse(self, key: str, message: str) -> NoReturn:
        raise SettingsError(f"{self.section.file}: {self.section.where(key)!r}: {message}")

    def parse(self) -> Rule:
        when = self.section.text("when")
        if when is None:
            self.refuse("when", f"is missing: give {_FORMS}")
        found = _WHEN.fullmatch(" ".join(when.split()))
        if found is None:
            self.refuse("when", f"{when!r} is not understood: give {_FORMS}")
        condition = Condition(found["state"] or Condition.NOT_IMPROVED)
        patience, unit = found["patience"], f"{found['unit'] or 'step'}s"
        if patience is not None and int(patience) == 0:
            self.refuse("when", f"give a number of {unit} from 1")
        reaction = self.section.choice("then", Reaction)
        if reaction is None:
            self.refuse("then", "is missing: give stop or run")
        declared = self.look_up(found["metric"], needs_goal=condition in {Condition.NOT_IMPROVED, Condition.NEW_BEST})
        return Rule(
            self.number, found["metric"], condition, reaction, float(patience) if patience else None, unit,
            declared.goal, declared.min_effect or 0.0, self.read_command(reaction),
        )  # fmt: skip

    def look_up(self, metric: str, *, needs_goal: bool) -> MetricDeclaration:
        if is_holdout(metric, find_holdouts(self.metrics)):
            self.refuse("when", f"{metric} is a holdout, which nothing may tell of before it is unsealed")
        declared = self.metrics.get(metric, MetricDeclaration(metric))
        if needs_goal and declared.goal is None:
            self.refuse(
                "when", f"which way {metric} is better is not declared: write `{metric}: maximize` or `minimize` below 'metrics'"
            )  # fmt: skip
        return declared

    def read_command(self, reaction: Reaction) -> tuple[str, ...]:
        """A list of words as it is, a text as words for the shell."""
        value = self.section.values.get("command")
        if reaction is Reaction.STOP:
            if value is not None:
                self.refuse("command", "goes with `then: run` alone: write a rule of its own for it")
            return ()
        if value is None:
            self.refuse("command", "is missing: give what is to be run")
        if isinstance(value, str) and value.strip():
            return (*_SHELL, value)
        words = self.section.texts("command") if isinstance(value, list) else None
        if not words:
            self.section.fail("command", "a text for the shell, or a list of words")
        return words
