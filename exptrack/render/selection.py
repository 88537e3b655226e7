"""What was selected and what its holdout says, for people and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from exptrack.analysis.fields import finite, format_time
from exptrack.analysis.wording import counted
from exptrack.model.comparison import Configuration, Rules
from exptrack.model.selection import Chosen, PastUnsealing, Seen, Selected, Unsealed
from exptrack.render.comparisonjson import encode_verdict
from exptrack.render.comparisonparts import find_decimals, format_numbers
from exptrack.render.text import align, clip, fill, inert, wrap

_MOST = 10
_MOST_COMMANDS = 20
_WIDEST = 60


def format_selected(selected: Selected, *, width: int | None = None) -> str:
    """The configurations that were chosen from, the choice, what noise alone would give it, and how far it is confirmed.

    Sentences are folded at `width` cells (None: not at all); commands are not.
    """
    rules = selected.rules
    way = _name_metric(rules)
    lines = [
        f"experiment {inert(selected.experiment)}: {counted(len(selected.candidates), 'configuration')} by {inert(way)}"
    ]
    shown = [*selected.candidates[:_MOST]]
    shown += [one for one in selected.candidates[_MOST:] if one.label in {selected.baseline, selected.chosen.label}]
    decimals = find_decimals(shown)
    lines += ["", *_table([_row(one, selected, decimals) for one in shown])]
    if left := len(selected.candidates) - len(shown):
        lines.append(f"  {left:,} more; --json lists all")
    told = ["", *_tell_choice(selected), *_tell_confirmation(selected)]
    told += ["", "also:", *(f"  {inert(note)}" for note in selected.notes)] if selected.notes else []
    lines += _fold(told, width)
    if selected.commands:
        lines += [
            "",
            *_fold(["these fresh runs are to confirm it; make them with the code that the chosen runs had:"], width),
            *(f"  {inert(one)}" for one in selected.commands[:_MOST_COMMANDS]),
        ]
    if more := selected.commands[_MOST_COMMANDS:]:
        again = f"exptrack select -e {inert(selected.experiment)}"
        lines.append(f"  {len(more):,} more; --json lists all, and when these are made, `{again}` prints the next")
    return "\n".join(lines)


def format_selected_json(selected: Selected) -> str:
    """As JSON; `docs/json.md` names the keys."""
    rules = selected.rules
    fields: dict[str, Any] = {
        "schema": 1,
        "experiment": selected.experiment,
        "metric": rules.metric,
        "goal": rules.goal.value if rules.goal else None,
        "unit": rules.unit,
        "new": selected.is_new,
        "chosen": _choice_fields(selected.chosen),
        "baseline": selected.baseline,
        "configurations": [_configuration_fields(one, selected) for one in selected.candidates],
        "fresh": {"chosen": selected.fresh[0], "baseline": selected.fresh[1]},
        "confirmation": None if selected.confirmed is None else encode_verdict(selected.confirmed),
        "commands": list(selected.commands),
        "flags": list(selected.flags),
        "notes": list(selected.notes),
    }
    return json.dumps(finite(fields), indent=2, sort_keys=True, allow_nan=False)


def format_unsealed(unsealed: Unsealed, *, width: int | None = None) -> str:
    """What the holdout says of each, the verdict, and whether it was seen before; sentences are folded at `width` cells."""
    rules = unsealed.rules
    lines = [f"experiment {inert(unsealed.experiment)}: the holdout {inert(_name_metric(rules))}", ""]
    decimals = find_decimals(unsealed.seen)
    lines += _table([_seen_row(one, decimals) for one in unsealed.seen])
    told: list[str] = []
    if unsealed.verdict is not None:
        told += ["", inert(unsealed.verdict.line)]
    notes = (*(unsealed.verdict.notes if unsealed.verdict else ()), *unsealed.notes)
    told += [*([] if unsealed.verdict else [""]), *(f"  {inert(note)}" for note in notes)] if notes else []
    if not unsealed.is_spent:
        told += [f"next: `exptrack conclude -e {inert(unsealed.experiment)}`"]
    else:
        told += [
            "",
            "the holdout is spent: what is chosen after it was seen is no longer confirmed by it. It was unsealed",
        ]
        told += [f"  {inert(tell_unsealing(one))}" for one in unsealed.earlier]
    return "\n".join([*lines, *_fold(told, width)])


def format_unsealed_json(unsealed: Unsealed) -> str:
    """As JSON; `docs/json.md` names the keys."""
    fields: dict[str, Any] = {
        "schema": 1,
        "experiment": unsealed.experiment,
        "metric": unsealed.rules.metric,
        "goal": unsealed.rules.goal.value if unsealed.rules.goal else None,
        "unit": unsealed.rules.unit,
        "reason": unsealed.reason,
        "spent": unsealed.is_spent,
        "configurations": [_seen_fields(one) for one in unsealed.seen],
        "verdict": None if unsealed.verdict is None else encode_verdict(unsealed.verdict),
        "earlier": [unsealing_fields(one) for one in unsealed.earlier],
        "notes": list(unsealed.notes),
    }
    return json.dumps(finite(fields), indent=2, sort_keys=True, allow_nan=False)


def tell_unsealing(one: PastUnsealing) -> str:
    """When, by whom and why."""
    return f"{format_time(one.time)[:16]}Z by {one.author.partition(' <')[0]}: {one.reason}"


def unsealing_fields(one: PastUnsealing) -> dict[str, Any]:
    """An unsealing that was recorded, as JSON has it."""
    return {
        "time": format_time(one.time),
        "author": one.author,
        "metric": one.metric,
        "reason": one.reason,
        "verdict": one.line,
        "seen": dict(one.seen),
    }


def format_alike(values: Sequence[float]) -> tuple[str, ...]:
    """Numbers with the decimals that three digits of what lies between them have, else with six digits."""
    between = max(values, default=0.0) - min(values, default=0.0)
    if not 1e-9 < between < 1e12:
        return tuple(f"{value:.6g}" for value in values)
    decimals = max(0, 2 - math.floor(math.log10(between)))
    return tuple(f"{value:.{decimals}f}" for value in values)


def _name_metric(rules: Rules) -> str:
    """`accuracy (maximize, in points)`."""
    about = ", ".join(filter(None, (rules.goal, f"in {rules.unit}" if rules.unit else "")))
    return f"{rules.metric} ({about})" if about else rules.metric


def _tell_choice(selected: Selected) -> list[str]:
    chosen = selected.chosen
    unit = f" {inert(selected.rules.unit)}" if selected.rules.unit else ""
    by = "" if selected.is_new else f", on {format_time(chosen.time)[:10]} by {chosen.author.partition(' <')[0]}"
    told = [f"selected: {inert(chosen.label)}, the best of {counted(chosen.among, 'configuration')}{inert(by)}"]
    if chosen.noise is not None:
        told.append(
            f"noise alone makes the best of {chosen.among:,} look {chosen.noise:.2g}{unit} better than it is (winner's curse)"
        )
        if chosen.difference is not None and not chosen.is_baseline:
            left = chosen.difference - chosen.noise
            told.append(
                f"it looks {chosen.difference:.2g}{unit} better than the baseline: without what noise gives, {left:.2g}"
            )
    return told


def _tell_confirmation(selected: Selected) -> list[str]:
    chosen = selected.chosen
    if chosen.is_baseline:
        return ["that is the baseline: no configuration looks better, and there is nothing to confirm"]
    mine, other = selected.fresh
    if selected.confirmed is None:
        ran = f"{mine:,} of {counted(chosen.planned, 'fresh run')} of it"
        beside = f", {other:,} of {chosen.planned:,} of the baseline" if chosen.baseline_runs else ""
        why = "" if chosen.baseline_runs else "; without a baseline there is no verdict"
        return [f"not confirmed yet: {ran}{beside}{why}"]
    lines = ["", "on fresh runs, which took no part in the choice:", f"  {inert(selected.confirmed.line)}"]
    lines += [f"  {inert(note)}" for note in selected.confirmed.notes]
    conclude = f"`exptrack conclude -e {inert(selected.experiment)}`"
    if selected.sealed is None:
        return [*lines, f"next: {conclude}"]
    unseal = f"`exptrack unseal -e {inert(selected.experiment)} --reason …`"
    return [*lines, f"next: {unseal} looks at {inert(selected.sealed)}, once; then {conclude}"]


def _fold(lines: Sequence[str], width: int | None) -> list[str]:
    """Lines of at most `width` cells, each with the indent that it begins with."""
    if width is None:
        return [*lines]
    folded = []
    for line in lines:
        text = line.lstrip(" ")
        indent = line[: len(line) - len(text)]
        folded += [f"{indent}{piece}".rstrip() for piece in wrap(text.split(" "), width - len(indent)) or [""]]
    return folded


def _row(one: Configuration, selected: Selected, decimals: int | None) -> list[str]:
    mark = "selected" if one.label == selected.chosen.label else "baseline" if one.label == selected.baseline else ""
    n = len(one.sample.values)
    failed = str(one.sample.failed) if any(each.sample.failed for each in selected.candidates) else ""
    return [clip(inert(one.label), _WIDEST), str(n), *format_numbers(one, (one.mean, one.sd), decimals), failed, mark]


def _seen_row(one: Seen, decimals: int | None) -> list[str]:
    mark = "baseline" if one.is_baseline else "selected"
    return [clip(inert(one.label), _WIDEST), str(one.n), *format_numbers(one, (one.mean, one.sd), decimals), "", mark]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    header = ["configuration", "n", "mean", "SD", "failed" if any(row[4] for row in rows) else "", ""]
    columns = list(zip(header, *rows, strict=True))
    shown = [fill(columns[0]), *(align(column) for column in columns[1:5] if any(column)), fill(columns[5])]
    return ["  " + "  ".join(line).rstrip() for line in zip(*shown, strict=True)]


def _choice_fields(chosen: Chosen) -> dict[str, Any]:
    return {
        "configuration": chosen.label,
        "runs": list(chosen.runs),
        "time": format_time(chosen.time),
        "author": chosen.author,
        "planned": chosen.planned,
        "among": chosen.among,
        "mean": chosen.mean,
        "difference": chosen.difference,
        "noise": chosen.noise,
    }


def _configuration_fields(one: Configuration, selected: Selected) -> dict[str, Any]:
    return {
        "configuration": one.label,
        "runs": list(one.runs),
        "n": len(one.sample.values),
        "mean": one.mean,
        "sd": one.sd,
        "failed": one.sample.failed,
        "baseline": one.label == selected.baseline,
    }


def _seen_fields(one: Seen) -> dict[str, Any]:
    keys = ("n", "mean", "sd", "low", "median", "high")
    fields: dict[str, Any] = {"configuration": one.label, "baseline": one.is_baseline}
    return fields | {key: getattr(one, key) for key in keys}
