"""Decide the hypothesis of an experiment, and record that as a look at its runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from exptrack.analysis.experiments.choosing import screen
from exptrack.analysis.experiments.concluding import answer, find_look, list_threats
from exptrack.analysis.rows import RunRows
from exptrack.analysis.verdicts.words import choose_unit, write_line
from exptrack.backends.git.repository import find_identity
from exptrack.model.annotation import AnnotationKind
from exptrack.model.comparison import Comparison, Rules, Verdict, Word
from exptrack.model.run import Run, Status
from exptrack.model.selection import Conclusion, Look, PastConclusion, PastUnsealing, Selected
from exptrack.operations.compare import Asked, compare
from exptrack.operations.comparing.beside import name_differences
from exptrack.operations.comparing.confirming import Fresh, confirm, confirming_rules, gather_fresh
from exptrack.operations.comparing.material import Known, Material, gather_material
from exptrack.operations.comparing.members import Members, read_experiment
from exptrack.operations.comparing.past import digest_runs, find_conclusions, find_unsealings, tell_conclusion
from exptrack.operations.comparing.removed import count_removed, tell_removed
from exptrack.operations.context import Context
from exptrack.operations.select import describe
from exptrack.store import annotation as store

_FEWEST = 3
_SPENT = "nothing of alpha is left, earlier conclusions spent it"


def conclude(context: Context, name: str) -> Conclusion:
    """Accepted, rejected or not yet, with all that it rests on. What is concluded is recorded with the experiment's runs.

    Where a configuration was selected, its confirmation on fresh runs decides, else the comparison of all with the baseline. On the same
    runs as before nothing new is recorded, and it is decided as it was. Raises ExptrackError.
    """
    members = read_experiment(context, name)
    material = gather_material(context, name, members, has_several=True)
    known = Known(members, material.rules.metric, {row.name: row for row in material.rows})
    earlier = find_conclusions(material.runs, name)
    comparison = compare(context, Asked(experiment=name), known)
    selected = _describe(context, material)
    fresh = gather_fresh(context, material, material.choices) if selected else None
    rules = confirming_rules(material, selected.chosen) if selected else material.rules
    evidence, count = _find_evidence(material, comparison, fresh)
    look = find_look(rules, count, earlier, evidence)
    alpha = look.alpha or rules.alpha
    if fresh is not None:
        confirmed = confirm(rules._replace(alpha=alpha), fresh)
        verdicts: tuple[Verdict, ...] = (confirmed,) if confirmed else ()
    else:
        if alpha != rules.alpha:
            comparison = compare(context, Asked(experiment=name), known, alpha)._replace(rules=rules)
        verdicts = comparison.verdicts
    if look.alpha == 0:
        verdicts = tuple(_withhold(rules, one, comparison) for one in verdicts)
        comparison = comparison._replace(verdicts=verdicts)
    threats = _list_threats(context, material, comparison, members)
    if fresh is not None:
        comparison = comparison._replace(verdicts=())  # words of the runs that it was chosen by decide nothing
    found, reason = answer(verdicts)
    if selected and fresh and fresh.baseline is not None and not verdicts:
        reason = f"{selected.chosen.label} was selected, and it takes fresh runs of it and of the baseline: `exptrack select -e {name}` prints their commands"
    time, author = _record(context, material, earlier, (found, _tell(verdicts)), evidence, look)
    return Conclusion(
        material.experiment,
        found,
        reason,
        comparison,
        verdicts,
        look,
        time,
        author,
        selected=selected._replace(confirmed=next(iter(verdicts), None)) if selected else None,
        unsealings=_list_unsealings(context, material),
        earlier=tuple(one for one in earlier if one.time < time),
        threats=threats,
        runs=len(material.runs),
    )


def _find_evidence(material: Material, comparison: Comparison, fresh: Fresh | None) -> tuple[str, int]:
    """A digest of the runs that are decided on, and how many replicates there are of each configuration at least."""
    if fresh is not None:
        return digest_runs(_usable(material, fresh.names)), min(fresh.counts)
    used = _usable(material, [run for one in comparison.configurations for run in one.runs])
    return digest_runs(used), min((min(one.n) for one in comparison.verdicts if min(one.n) >= _FEWEST), default=0)


def _describe(context: Context, material: Material) -> Selected | None:
    """What was selected; None also where that is the baseline: then all are compared with it."""
    if not material.choices or material.choices[-1].is_baseline:
        return None
    screened = screen(material.grouped.configurations, material.rules, material.baseline)
    return describe(context, material, material.choices, screened)


def _list_threats(context: Context, material: Material, comparison: Comparison, members: Members) -> tuple[str, ...]:
    threats = list_threats(comparison, _list_differences(material), _list_modified(material))
    return (*threats, *tell_removed(count_removed(context, RunRows(members.runs)).get(material.experiment.name, {})))


def _usable(material: Material, names: Collection[str]) -> tuple[Run, ...]:
    """Those of the runs whose values are decided on."""
    wanted = {
        row.name
        for row in material.rows
        if row.status is Status.COMPLETED and row.value is not None and math.isfinite(row.value)
    }
    return material.named([*wanted.intersection(names)])


def _withhold(rules: Rules, verdict: Verdict, comparison: Comparison) -> Verdict:
    if verdict.p is None:
        return verdict
    samples = [one.sample for one in comparison.configurations if one.is_baseline or one.label == verdict.label]
    withheld = verdict._replace(word=Word.WITHHELD, p=None, adjusted=None, flags=(*verdict.flags, "alpha_spent"))
    return withheld._replace(line=write_line(rules, withheld, choose_unit(rules, samples), _SPENT))


def _tell(verdicts: Sequence[Verdict]) -> str:
    """The line of the claim, or that of the first verdict."""
    return next((one.line for one in verdicts if one.word is Word.BETTER), verdicts[0].line if verdicts else "")


def _record(
    context: Context,
    material: Material,
    earlier: Sequence[PastConclusion],
    told: tuple[str, str],
    evidence: str,
    look: Look,
) -> tuple[datetime, str]:
    """Put the conclusion on the runs of the experiment, unless it is the same on the same runs; when and by whom it was recorded."""
    found, line = told
    same = [one for one in earlier if (one.evidence, one.answer, one.line) == (evidence, found, line)]
    if look.is_repeated and same:
        return same[-1].time, same[-1].author
    identity = find_identity(context.repository)
    one = PastConclusion(
        "", material.runs[0].started, str(identity), material.rules.metric, found, evidence, look.spent, line
    )
    made = store.make(AnnotationKind.CONCLUSION, tell_conclusion(one, material.experiment.name), identity)
    store.add(context.repository, identity, [(run, made) for run in material.runs])
    return made.time, made.author


def _list_unsealings(context: Context, material: Material) -> tuple[PastUnsealing, ...]:
    sealed = [key for key, one in context.settings.metrics.items() if one.holdout]
    metrics = [material.experiment.holdout] if material.experiment.holdout else sealed
    return tuple(one for metric in metrics for one in find_unsealings(material.runs, material.experiment.name, metric))


def _list_differences(material: Material) -> Mapping[str, Sequence[str]]:
    if material.baseline is None:
        return {}
    found = name_differences(material.rows, material.grouped, material.baseline)
    return {label: names for label, names in found.items() if names}


def _list_modified(material: Material) -> list[str]:
    return [path for row in material.rows for path, digest in row.data.items() if digest.endswith(" modified")]
