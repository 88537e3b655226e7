"""Whether anything but the runs by which the best of several was found says that it is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis.experiments.grouping import sort_best
from exptrack.model.comparison import Configuration, Verdict, Word
from exptrack.operations.comparing.confirming import (
    confirm,
    confirming_rules,
    find_seen,
    find_sides,
    gather_fresh,
    is_confirmed,
)
from exptrack.operations.comparing.material import Material
from exptrack.operations.context import Context

_FEWEST = 3


def flag_best(
    context: Context, material: Material, verdicts: Sequence[Verdict], partners: Mapping[str, Configuration]
) -> tuple[Verdict, ...]:
    """The verdicts; the winner of several was chosen by these runs, and is flagged until there is another result (STATISTICS 3.4).

    Where the last choice was this one, and its fresh runs or its holdout have been decided on, a note says what came of that instead.
    `partners` are by label what each candidate is held against.
    """
    ordered = sort_best(material.grouped.configurations, material.rules.goal)
    tried = [one for one in ordered if len(one.sample.values) >= _FEWEST]
    if len(tried) <= 2:
        return tuple(verdicts)
    best = tried[0].label
    return tuple(
        _flag(context, material, one, partners.get(best)) if one.label == best and one.word is Word.BETTER else one
        for one in verdicts
    )


def _flag(context: Context, material: Material, verdict: Verdict, baseline: Configuration | None) -> Verdict:
    note = _tell_result(context, material, verdict.label, baseline.label if baseline else "")
    if note:
        return verdict._replace(notes=(*verdict.notes, note))
    return verdict._replace(flags=(*verdict.flags, "selected_on_this_split"))


def _tell_result(context: Context, material: Material, label: str, baseline: str) -> str:
    """What fresh runs or a holdout say of this configuration beside this baseline; empty if they say nothing of just that."""
    if not material.choices:
        return ""
    chosen = material.choices[-1]
    sides = find_sides(material, chosen)
    if chosen.metric != material.rules.metric or [one.label if one else "" for one in sides] != [label, baseline]:
        return ""
    fresh = gather_fresh(context, material, material.choices)
    verdict = confirm(confirming_rules(material, chosen), fresh)
    if not is_confirmed(material, chosen, fresh, verdict):
        return ""
    when = f"selected on {chosen.time:%Y-%m-%d}"
    if verdict is not None and min(fresh.counts) >= chosen.planned:
        return f"{when}; on fresh runs alone: {verdict.line}"
    seen = find_seen(material, chosen)[0]
    return f"{when}; its holdout {seen.metric} was unsealed on {seen.time:%Y-%m-%d}: {seen.line or 'without a verdict'}"
