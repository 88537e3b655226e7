"""Experiments and how far they have come, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Any

from exptrack.analysis.fields import finite
from exptrack.analysis.wording import counted, name_few
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.experimentstate import ConfigurationState, ExperimentState, Progress
from exptrack.model.tree import Value
from exptrack.render.text import align, clip, display_width, format_value, inert, pad

_WIDEST = 60
_NARROWEST = 12  # cells of a hypothesis
_MOST = 100  # configurations of a table
_MOST_OUTSIDE = 10
_NAMED = 8
_GAP = "  "


def format_experiments(states: Sequence[ExperimentState], *, width: int | None = None) -> str:
    """A line for each: how far it is, configurations that have the runs they are planned to have, runs, failures, hypothesis.

    Hypotheses are cut, so that a line has at most `width` cells (None: as many as it needs), down to their first words.
    """
    header = ("experiment", "state", "configurations", "recorded", "failed", "metric")
    lines = _table([header, *map(_summarise, states)])
    start = max(map(display_width, lines)) + len(_GAP)
    room = _WIDEST if width is None else max(_NARROWEST, min(_WIDEST, width - start))
    hypotheses = ["hypothesis", *(clip(_tell_hypothesis(one), room) for one in states)]
    return "\n".join(pad(line, start) + hypothesis for line, hypothesis in zip(lines, hypotheses, strict=True))


def format_experiment(state: ExperimentState) -> str:
    """One in full: what is declared, then a line for each configuration, then runs that are none of them."""
    lines = [*_describe(state)]
    shown = _sort(state.configurations)[:_MOST]
    if shown:
        lines += ["", *_tabulate(shown, state)]
        if more := max(len(state.configurations), state.grid) - len(shown):
            lines.append(f"  {counted(more, 'more configuration')}; --json lists all that have runs")
    if state.outside:
        lines += ["", "runs that are none of its configurations:"]
        lines += [f"  {one.run}  {inert(one.reason)}" for one in state.outside[:_MOST_OUTSIDE]]
        if more := len(state.outside) - _MOST_OUTSIDE:
            lines += [f"  {more:,} more; --json lists all"] if more > 0 else []
    if advice := _advise(state):
        lines += ["", advice]
    return "\n".join(lines)


def _advise(state: ExperimentState) -> str | None:
    """What comes next, where that is plain."""
    declared, name = state.declared, quote(inert(state.name))
    if state.progress is Progress.COMPLETE:
        return f"next: `exptrack compare -e {name}`"
    is_planned = declared is not None and declared.seeds and declared.pair_by in {Pairing.NONE, Pairing.SEED}
    if is_planned and state.progress in {Progress.INCOMPLETE, Progress.NOT_STARTED}:
        command = "" if state.runs else " python train.py"
        return f"next: the missing runs, which `exptrack experiments {name} --commands{command}` prints"
    return None


def format_experiments_json(states: Sequence[ExperimentState]) -> str:
    """As JSON; `docs/json.md` names the keys."""
    return json.dumps([_fields(one) for one in states], indent=2)


def _summarise(state: ExperimentState) -> tuple[str, ...]:
    declared = state.declared
    recorded = sum(one.recorded for one in state.configurations) if declared else state.runs
    each = next((one.planned for one in state.configurations), declared.seeds if declared else None)
    planned = each * state.grid if each else None
    return (
        inert(state.name),
        str(state.progress)
        + (f": {inert(state.answer)}" if state.progress is Progress.CONCLUDED and state.answer else ""),
        str(max(state.grid, len(state.configurations))) if declared else "-",
        _tell_recorded(recorded, planned),
        str(sum(one.failed for one in state.configurations)) if declared else "-",
        inert(declared.metric) if declared and declared.metric else "-",
    )


def _tell_hypothesis(state: ExperimentState) -> str:
    return inert(state.declared.hypothesis) if state.declared and state.declared.hypothesis else "-"


def _tell_recorded(recorded: int, planned: int | None) -> str:
    """`6 of 15`, `25 (15 planned)`, `6`."""
    if planned is None:
        return str(recorded)
    return f"{recorded} of {planned}" if recorded <= planned else f"{recorded} ({planned} planned)"


def _describe(state: ExperimentState) -> Iterator[str]:
    declared = state.declared
    facts: dict[str, str | None] = {"experiment": state.name, "state": str(state.progress)}
    if declared is None:
        facts["runs"] = f"{state.runs:,}, filed under a name that exptrack.yaml does not declare"
    else:
        facts |= _tell_declared(declared, state)
    facts["removed"] = f"{counted(state.removed, 'run')}, which count nowhere" if state.removed else None
    facts |= {"chosen": state.chosen, "conclusion": state.answer}
    known = {label: value for label, value in facts.items() if value}
    width = max(map(len, known)) + len(_GAP)
    for label, value in known.items():
        yield f"{label:<{width}}{inert(value)}"


def _tell_declared(declared: Experiment, state: ExperimentState) -> dict[str, str | None]:
    baseline = declared.baseline
    seen = (
        f", unsealed {'once' if state.unsealed == 1 else f'{state.unsealed} times'}" if state.unsealed else ", sealed"
    )
    paired = declared.pair_by if declared.pair_key is None else f"{declared.pair_by} ({declared.pair_key})"
    on_each = " on each dataset" if declared.pair_by is Pairing.DATASET else ""
    return {
        "hypothesis": declared.hypothesis,
        "metric": declared.metric,
        "secondary": ", ".join(declared.secondary),
        "variables": "; ".join(
            f"{key}: {name_few([*map(format_value, values)], _NAMED)}" for key, values in declared.variables.items()
        ),
        "static": _join(declared.static),
        "baseline": baseline if isinstance(baseline, str) else _join(baseline) if baseline else None,
        "pairs": None if declared.pair_by is Pairing.NONE else paired,
        "seeds": None if declared.seeds is None else f"{declared.seeds} planned for each configuration{on_each}",
        "looks": ", ".join(map(str, declared.looks)),
        "alpha": str(declared.alpha),
        "noise": None if declared.noise == "unequal" else str(declared.noise),
        "holdout": None if declared.holdout is None else declared.holdout + seen,
        "predictions": declared.predictions and declared.predictions.path,
    }


def _join(params: Mapping[str, Value]) -> str:
    return ", ".join(f"{key}={format_value(value)}" for key, value in params.items())


def _sort(configurations: Sequence[ConfigurationState]) -> list[ConfigurationState]:
    """The baseline first; all others as they are declared."""
    return sorted(configurations, key=lambda one: not one.is_baseline)


def _tabulate(shown: Sequence[ConfigurationState], state: ExperimentState) -> list[str]:
    columns = {"planned": "planned", "recorded": "recorded"}
    columns |= {key: key for key in ("failed", "running", "repeated") if any(getattr(one, key) for one in shown)}
    if any(one.missing for one in shown):
        columns["missing"] = "without the metric"
    if state.declared is None or state.declared.seeds is None:
        del columns["planned"]
    rows = [("configuration", *columns.values())]
    for one in shown:
        label = clip(inert(_join(one.params) or "(no variables)"), _WIDEST)
        cells = (str(value) if (value := getattr(one, key)) is not None else "-" for key in columns)
        rows.append((label + (" (baseline)" if one.is_baseline else ""), *cells))
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = [align(cells) for cells in zip(*rows, strict=True)]
    return [_GAP.join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _fields(state: ExperimentState) -> dict[str, Any]:
    return {
        "name": state.name,
        "state": state.progress.value,
        "declared": None if state.declared is None else _declared_fields(state.declared),
        "grid": state.grid,
        "runs": state.runs,
        "configurations": [_configuration_fields(one) for one in state.configurations],
        "outside": [{"run": one.run, "reason": one.reason} for one in state.outside],
        "chosen": state.chosen,
        "conclusion": state.answer,
        "unsealed": state.unsealed,
        "removed": state.removed,
    }


def _configuration_fields(one: ConfigurationState) -> dict[str, Any]:
    return {
        "params": finite(one.params),
        "baseline": one.is_baseline,
        "planned": one.planned,
        "recorded": one.recorded,
        "repeated": one.repeated,
        "missing": one.missing,
        "failed": one.failed,
        "running": one.running,
        "runs": list(one.runs),
    }


def _declared_fields(declared: Experiment) -> dict[str, Any]:
    """As `exptrack.yaml` has it."""
    keyed = {declared.pair_by.value: declared.pair_key}
    keyed |= {} if declared.test_share is None else {"test_share": declared.test_share}  # type: ignore[dict-item]
    baseline = declared.baseline
    return {
        "hypothesis": declared.hypothesis or None,
        "metric": declared.metric,
        "secondary": list(declared.secondary),
        "variables": {key: list(values) for key, values in declared.variables.items()},
        "static": finite(declared.static),
        "seeds": declared.seeds,
        "baseline": finite(baseline) if isinstance(baseline, Mapping) else baseline,
        "pair_by": declared.pair_by.value if declared.pair_key is None else keyed,
        "alpha": declared.alpha,
        "looks": list(declared.looks),
        "noise": declared.noise.value,
        "holdout": declared.holdout,
        "predictions": None if declared.predictions is None else declared.predictions._asdict(),
    }
