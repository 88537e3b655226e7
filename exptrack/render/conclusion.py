"""What is concluded of an experiment as Markdown, to be committed and reviewed: the answer first, then all that it rests on."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from exptrack.analysis.experiments.labels import tell_value
from exptrack.analysis.fields import finite, format_time
from exptrack.analysis.wording import counted, name_few
from exptrack.model.experiment import Pairing
from exptrack.model.selection import Answer, Conclusion, Selected
from exptrack.render.comparisonjson import encode, encode_verdict
from exptrack.render.comparisonparts import HEADER, find_decimals, format_interval, list_rows, list_words
from exptrack.render.gfm import code_span, quote_names, sentence
from exptrack.render.selection import format_alike, tell_unsealing, unsealing_fields
from exptrack.render.sheet import Block, Items, Rows, fit

MARKER = "<!-- exptrack conclude -->"
_NAMED = 8
_LEFT_OUT = " left out: "  # of runs that count nowhere, which is said where runs are counted
_TOLD = ("failed", "declared later: ")  # stands among the threats already
_OWN = "differs from the baseline"  # of one configuration, though another may have the same line
_NUMBERS = (1, 2, 3, 4, 5, 6)
_SIGNS = {Answer.ACCEPTED: "✓", Answer.REJECTED: "✗", Answer.NOT_YET: "?"}


def format_markdown(conclusion: Conclusion, *, limit: int = 65_000) -> str:
    """The report: answer, hypothesis, design, runs and failures, table, verdict, holdout, threats, looks; at most `limit` characters."""
    name = code_span(f"exptrack compare -e {conclusion.experiment.name}")
    blocks: list[Block] = [
        MARKER,
        f"### {_SIGNS[conclusion.answer]} {code_span(conclusion.experiment.name)}: {conclusion.answer}",
        *(
            [f"**Hypothesis:** {sentence(conclusion.experiment.hypothesis)}"]
            if conclusion.experiment.hypothesis
            else []
        ),
        f"**{conclusion.answer.capitalize()}:** {_say(conclusion, conclusion.reason)}.",
        *_verdicts(conclusion),
        "#### Design",
        Items([sentence(line) for line in _design(conclusion)]),
        "#### Runs",
        Items([sentence(line) for line in _runs(conclusion)]),
        _table(conclusion),
        *_winner(conclusion),
        "#### Holdout",
        *_holdout(conclusion),
        "#### Threats",
        _items(
            [_say(conclusion, line) for line in (*conclusion.threats, *_notes(conclusion))],
            "None was found among code, environment, data, seeds and failures.",
        ),
        "#### Looks",
        _items([sentence(line) for line in _looks(conclusion)], ""),
        f"Concluded on {format_time(conclusion.time)[:10]} by {sentence(conclusion.author.partition(' <')[0])}.",
    ]
    return fit([one for one in blocks if one], limit, name)


def format_json(conclusion: Conclusion) -> str:
    """As JSON; `docs/json.md` names the keys."""
    look, chosen = conclusion.look, conclusion.selected
    fields: dict[str, Any] = {
        "schema": 1,
        "experiment": conclusion.experiment.name,
        "hypothesis": conclusion.experiment.hypothesis,
        "answer": conclusion.answer.value,
        "reason": conclusion.reason,
        "verdicts": [encode_verdict(one) for one in conclusion.verdicts],
        "comparison": encode(conclusion.comparison),
        "selected": None if chosen is None else chosen.chosen.label,
        "look": {"number": look.number, "alpha": look.alpha, "spent": look.spent, "repeated": look.is_repeated},
        "time": format_time(conclusion.time),
        "author": conclusion.author,
        "holdout": [unsealing_fields(one) for one in conclusion.unsealings],
        "threats": list(conclusion.threats),
        "runs": conclusion.runs,
    }
    return json.dumps(finite(fields), indent=2, sort_keys=True, allow_nan=False)


def _verdicts(conclusion: Conclusion) -> list[Block]:
    if not conclusion.verdicts:
        return []
    told = "On fresh runs, which took no part in the choice:" if conclusion.selected else "Beside the baseline:"
    return [told, Items([f"{code_span(one.label)}: {_tell(one.word.value, one.line)}" for one in conclusion.verdicts])]


def _say(conclusion: Conclusion, text: str) -> str:
    """A sentence with each configuration as one name."""
    labels = {one.label for one in conclusion.verdicts} | {one.label for one in conclusion.comparison.configurations}
    return sentence(quote_names(text, labels))


def _winner(conclusion: Conclusion) -> list[Block]:
    """By how much noise alone lifts the best; of a selection it is said where that is told."""
    winner = conclusion.comparison.winner
    return [] if not winner or conclusion.selected else [f"{sentence(winner)}."]


def _tell(word: str, line: str) -> str:
    basis = line.removeprefix(f"{word}:").strip()
    return f"**{word}** {code_span(basis)}"


def _design(conclusion: Conclusion) -> list[str]:
    experiment, rules = conclusion.experiment, conclusion.comparison.rules
    about = ", ".join(filter(None, (rules.goal, f"in {rules.unit}" if rules.unit else "")))
    effect = (
        "no smallest effect that matters is declared"
        if rules.min_effect is None
        else f"the smallest effect that matters is {rules.min_effect:g}"
    )
    lines = [f"metric: {rules.metric}{f' ({about})' if about else ''}; {effect}"]
    for key, values in experiment.variables.items():
        lines.append(f"variable `{key}`: {name_few([*map(tell_value, values)], _NAMED)}")
    lines += [f"static `{key}={tell_value(value)}`" for key, value in experiment.static.items()]
    lines.append(f"baseline: {f'`{conclusion.comparison.baseline}`' if conclusion.comparison.baseline else 'none'}")
    if rules.pair_by is not Pairing.NONE:
        lines.append(f"compared by pairs of the same {rules.pair_by}")
    planned = f"planned: {rules.planned} runs of each" if rules.planned else "the number of runs was not planned"
    looks = f"looks at {', '.join(map(str, rules.looks))} runs" if rules.looks else ""
    return [*lines, "; ".join(filter(None, (looks or planned, f"alpha {rules.alpha:g}")))]


def _runs(conclusion: Conclusion) -> list[str]:
    samples = [one.sample for one in conclusion.comparison.configurations]
    failed, missing = sum(one.failed for one in samples), sum(one.missing for one in samples)
    lines = [f"{counted(conclusion.runs, 'run')} in {counted(conclusion.comparison.tried, 'configuration')}"]
    if failed or missing:
        lines.append(f"{failed:,} did not complete, {missing:,} completed without a finite value")
    else:
        lines.append("all completed, with a finite value")
    lines += [note for note in conclusion.comparison.notes if _LEFT_OUT in note]
    return lines + _tell_selected(conclusion.selected, conclusion.comparison.rules.unit)


def _tell_selected(selected: Selected | None, unit: str | None) -> list[str]:
    if selected is None:
        return []
    chosen = selected.chosen
    mine, other = selected.fresh
    noise = (
        ""
        if chosen.noise is None
        else f"; noise alone makes the best of them look {chosen.noise:.2g}{f' {unit}' if unit else ''} better"
    )
    return [
        f"`{chosen.label}` was selected on {format_time(chosen.time)[:10]}, the best of {counted(chosen.among, 'configuration')}{noise}",
        f"fresh runs, which took no part in the choice: {mine:,} of {chosen.planned:,} of it, {other:,} of {chosen.planned:,} of the baseline",
    ]


def _table(conclusion: Conclusion) -> Rows:
    comparison = conclusion.comparison
    words, decimals = list_words(comparison), find_decimals(comparison.configurations)
    rows = [
        [_name(label), *numbers, format_interval(one, decimals), word]
        for (label, *numbers), one, word in zip(list_rows(comparison), comparison.configurations, words, strict=True)
    ]
    header = (*HEADER, "95% CI", "verdict")
    kept = len(header) if any(words) else -1  # where fresh runs are judged, which are some of these, no row has a word
    return Rows(header[:kept], [row[:kept] for row in rows], numbers=_NUMBERS)


def _name(label: str) -> str:
    end = " (baseline)"
    return f"{code_span(label.removesuffix(end))}{end}" if label.endswith(end) else code_span(label)


def _holdout(conclusion: Conclusion) -> list[Block]:
    if not conclusion.unsealings:
        return ["It was not unsealed." if conclusion.experiment.holdout else "None was unsealed."]
    first, *later = conclusion.unsealings
    means = zip(first.seen, format_alike([*first.seen.values()]), strict=True)
    seen = [f"{code_span(label)}: {mean}" for label, mean in means]
    lines = [f"Unsealed on {sentence(tell_unsealing(first))}", *seen, *([code_span(first.line)] if first.line else [])]
    blocks: list[Block] = [Items(lines)]
    if later:
        blocks.append(
            f"**It is spent:** it was unsealed {counted(len(later) + 1, 'time')}, and only the first of them says anything."
        )
    return blocks


def _notes(conclusion: Conclusion) -> list[str]:
    labels = tuple(f"{one.label}: " for one in conclusion.comparison.configurations)
    notes = [(one.label, note) for one in conclusion.verdicts for note in one.notes if not note.startswith(_TOLD)]
    seen = Counter(note for _, note in notes)
    shared = {note for note, count in seen.items() if count > 1 and not note.startswith(_OWN)}
    lines = [note if note.startswith(labels) or note in shared else f"{label}: {note}" for label, note in notes]
    if conclusion.selected is not None and conclusion.selected.flags:
        lines.append("the configuration was selected by runs that the table shows, and is not confirmed yet")
    return [*lines, *(note for note in conclusion.comparison.notes if _LEFT_OUT not in note)]


def _looks(conclusion: Conclusion) -> list[str]:
    look = conclusion.look
    if look.alpha == 0:
        told = "nothing of alpha is left for this one"
    elif look.is_repeated:
        told = f"conclusion {look.number}, on the same runs as before"
    elif not look.spent:
        told = "it is not time to decide, so nothing of alpha is spent"
    else:
        told = f"conclusion {look.number}, decided at {look.spent:.2g} of alpha {conclusion.comparison.rules.alpha:g}"
    before = [
        f"{format_time(one.time)[:10]}: {one.answer}{f', `{one.line}`' if one.line else ''}"
        for one in conclusion.earlier
    ]
    return [told, *before]


def _items(lines: list[str], otherwise: str) -> Block:
    told = list(dict.fromkeys(lines))
    return Items(told) if told else otherwise
