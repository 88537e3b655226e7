"""Choose a configuration of an experiment, and confirm the choice by runs that did not take part in it."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.analysis.experiments.choosing import FEWEST, FRESH, Screen, fresh_seeds, gain, screen
from exptrack.analysis.experiments.declaration import configuration_of
from exptrack.analysis.experiments.labels import tell_value
from exptrack.analysis.experiments.rerunning import write_rerun
from exptrack.analysis.wording import counted
from exptrack.backends.git.repository import find_identity
from exptrack.errors import ExptrackError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.comparison import Configuration, Sample
from exptrack.model.run import Run, Status
from exptrack.model.selection import Chosen, Selected
from exptrack.operations.comparing.confirming import (
    KEYED,
    ON_THIS_SPLIT,
    Fresh,
    confirm,
    confirming_rules,
    find_sides,
    gather_fresh,
    is_confirmed,
)
from exptrack.operations.comparing.material import Material, gather_material
from exptrack.operations.comparing.past import MOST, find_unsealings, tell_choice
from exptrack.operations.context import Context
from exptrack.store import annotation as store


def select(context: Context, name: str, *, fresh: int | None = None, is_again: bool = False) -> Selected:
    """Choose the best configuration by the primary metric and record that, or say how far the choice made before is confirmed.

    `fresh` is the planned number of fresh runs of the chosen configuration and the baseline (else the experiment's `seeds`, else 10); with
    `is_again` a new choice is made, in which all runs take part that there are now. Raises ExptrackError.
    """
    material = gather_material(context, name)
    before = material.choices
    is_new = is_again or not before
    if fresh is not None and not is_new:
        raise ExptrackError(
            f"{counted(before[-1].planned, 'fresh run')} of each were planned when '{name}' was selected from: add --again to choose anew"
        )
    if fresh is not None and not FEWEST <= fresh <= MOST:
        raise ExptrackError(
            f"{counted(fresh, 'fresh run')} of each cannot be planned: give a number from {FEWEST} to {MOST}"
        )
    screened = screen(material.grouped.configurations, material.rules, material.baseline)
    if not is_new:
        return describe(context, material, before, screened, is_new=False)
    if not screened.candidates:
        raise ExptrackError(
            f"no configuration of '{name}' has three usable runs of {material.rules.metric}: record more with `exptrack run -e {name}`"
        )
    chosen = _choose(context, material, screened, fresh)
    return describe(context, material, [*before, chosen], screened, is_new=True)


def describe(
    context: Context, material: Material, choices: Sequence[Chosen], screened: Screen, *, is_new: bool = False
) -> Selected:
    """The last of the choices, with what its fresh runs say and the commands for those that are missing."""
    chosen = choices[-1]
    rules = confirming_rules(material, chosen)
    fresh = gather_fresh(context, material, choices)
    verdict = confirm(rules, fresh)
    commands = _write_commands(context, material, chosen, fresh) if not chosen.is_baseline else ()
    notes = [*material.grouped.notes, *screened.left_out]
    if material.rules.changed:
        notes += [f"declared later: {line}" for line in material.rules.changed]
    return Selected(
        material.experiment.name,
        material.rules,
        chosen,
        is_new,
        screened.candidates,
        baseline=material.baseline.label if material.baseline else None,
        fresh=fresh.counts,
        confirmed=verdict,
        commands=commands,
        flags=() if is_confirmed(material, chosen, fresh, verdict) else (ON_THIS_SPLIT,),
        notes=tuple(notes),
        sealed=_find_sealed(material),
    )


def _find_sealed(material: Material) -> str | None:
    """The experiment's holdout, if it was not unsealed yet."""
    name, holdout = material.experiment.name, material.experiment.holdout
    return None if holdout is None or find_unsealings(material.runs, name, holdout) else holdout


def _choose(context: Context, material: Material, screened: Screen, fresh: int | None) -> Chosen:
    best, baseline = screened.candidates[0], material.baseline
    planned = fresh or material.experiment.seeds or FRESH
    if material.rules.pair_by in KEYED:
        planned = max(FEWEST, len(best.sample.values))  # a fresh run for each fold, dataset or split
    identity = find_identity(context.repository)
    chosen = Chosen(
        "",
        material.runs[0].started,
        str(identity),
        material.rules.metric,
        best.label,
        best.runs,
        baseline.runs if baseline else (),
        min(MOST, max(FEWEST, planned)),
        len(screened.candidates),
        best.mean,
        gain(material.rules, best, baseline) if baseline else None,
        screened.noise,
        frozenset(run.name for run in material.runs),
    )
    line = store.make(AnnotationKind.SELECTION, tell_choice(chosen, material.experiment.name), identity)
    store.add(context.repository, identity, [(run, line) for run in material.runs])
    return chosen._replace(id=line.id, time=line.time)


def _write_commands(context: Context, material: Material, chosen: Chosen, fresh: Fresh) -> tuple[str, ...]:
    """A command for each fresh run that is missing, of the chosen configuration and of the baseline, with the same seeds for both."""
    sides = zip(find_sides(material, chosen), (fresh.chosen, fresh.baseline), strict=True)
    wanted = [(one, chosen.planned - len(has.values), has) for one, has in sides if one is not None and has is not None]
    others = (row.seed for row in material.rows if row.name in fresh.names)
    seeds = sorted({seed for seed in others if isinstance(seed, int)})
    seeds += fresh_seeds(material.rows, max((number for _, number, _ in wanted), default=0))
    lines = []
    for one, number, has in wanted:
        had = {str(row.seed) for row in material.rows if row.name in one.runs}
        own = [seed for seed in seeds if str(seed) not in had][: max(0, number)]
        for run, seed in _pair(material, one, has, own):
            variables = configuration_of(material.experiment, run.params)
            lines.append(write_rerun(run.record, seed, material.experiment.name, variables, context.settings.seed))
    return tuple(lines)


def _pair(material: Material, one: Configuration, has: Sample, seeds: Sequence[int]) -> list[tuple[Run, int]]:
    """A run to be made once more for each seed; of folds, datasets or splits one of each that has no fresh run, all with one seed."""
    runs = sorted(material.named(one.runs), key=lambda run: run.status is not Status.COMPLETED)
    key = material.experiment.pair_key
    if material.rules.pair_by not in KEYED or key is None:
        return [(runs[0], seed) for seed in seeds]
    params = {row.name: row.params for row in material.rows}
    units: dict[str, Run] = {}
    for run in runs:
        if key in params[run.name]:
            units.setdefault(tell_value(params[run.name][key]), run)
    return [(run, seeds[0]) for unit, run in sorted(units.items()) if unit not in has.values and seeds]
