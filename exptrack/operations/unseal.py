"""Look at the holdout of what was selected, once, and note who looked and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from exptrack.analysis.experiments.grouping import Row
from exptrack.analysis.fieldnames import shown
from exptrack.analysis.message import check_note
from exptrack.analysis.secrets import mask
from exptrack.analysis.stats import deviation, mean
from exptrack.analysis.verdicts import decide
from exptrack.analysis.verdicts.gates import clean
from exptrack.analysis.verdicts.words import choose_unit, write_line
from exptrack.analysis.wording import name_few
from exptrack.backends.git.repository import find_identity
from exptrack.errors import ExptrackError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Noise
from exptrack.model.run import Run
from exptrack.model.selection import PastUnsealing, Seen, Unsealed
from exptrack.model.tree import Tree, flatten
from exptrack.operations.comparing.confirming import find_sides, fresh_rows
from exptrack.operations.comparing.declared import make_rules
from exptrack.operations.comparing.gather import gather
from exptrack.operations.comparing.material import Material, gather_material, sample
from exptrack.operations.comparing.past import find_unsealings
from exptrack.operations.context import Context
from exptrack.store import annotation as store
from exptrack.store.holdout import read_holdout

_FEWEST = 3
_NAMED = 5


def unseal(context: Context, name: str, reason: str, metric: str | None = None) -> Unsealed:
    """What the holdout says of the selected configuration and the baseline. It is recorded with their runs before it is given.

    Fresh runs alone count where both have three of them. Where the holdout was seen before, it is spent: values are given, and no word.
    Raises ExptrackError if nothing was selected or no run has a holdout, RecordError.
    """
    text = mask(check_note(reason.strip()))
    if not text:
        raise ExptrackError("no reason is given: say with --reason why the holdout is looked at now")
    material = gather_material(context, name)
    if not material.choices:
        raise ExptrackError(
            f"nothing was selected of '{name}' yet, and what was seen can no longer be kept out of the choice: `exptrack select -e {name}` first"
        )
    sealed = find_sealed(context, material, metric)
    candidate, baseline = find_sides(material, material.choices[-1])
    if candidate is None:
        raise ExptrackError(
            f"no run of the configuration that was selected is here any more: choose anew with `exptrack select -e {name} --again`"
        )
    rules = make_rules(context.settings, material.experiment, sealed)._replace(
        looks=(), noise=Noise.UNEQUAL, is_declared=material.rules.is_declared
    )
    rows, notes = _choose_rows(context, material, sealed)
    sides = [one for one in (baseline, candidate) if one is not None]
    samples = [clean(sample(context, material, one, rows, sealed)) for one in sides]
    if not any(one.values for one in samples):
        raise ExptrackError(
            f"no run of the selected configuration has the holdout {shown(sealed)}: it is kept by runs that measured it after it was declared"
        )
    verdict = None
    if len(samples) == 2:
        verdict = decide(rules._replace(planned=_whole(samples)), samples[0], [samples[1]])[0]
    seen = tuple(_see(one, is_baseline=one is samples[0] and baseline is not None) for one in samples)
    held = {run for one in sides for run in one.runs}
    looked = [row.name for row in rows if row.name in held]
    value: Tree = {
        "experiment": name,
        "metric": sealed,
        "reason": text,
        "seen": {one.label: one.mean for one in seen},
        "verdict": verdict.line if verdict else "",
    }
    earlier = _record(context, material, looked, sealed, value)
    if earlier and verdict is not None:
        verdict = _withhold(rules, samples, verdict)
    if rules.goal is None:
        notes.append(f"no goal of {sealed} is declared, so no word is given")
    return Unsealed(name, rules, text, seen, verdict, earlier, tuple(notes))


def find_sealed(context: Context, material: Material, metric: str | None = None) -> str:
    """The metric that is the experiment's holdout; raises ExptrackError if there is none, or more than one and none is named."""
    declared = [key for key, one in context.settings.metrics.items() if one.holdout]
    chosen = metric or material.experiment.holdout
    if chosen is None and len(declared) == 1:
        return declared[0]
    if chosen is None and not declared:
        raise ExptrackError(
            f"'{material.experiment.name}' has no holdout: declare one with `holdout` below the experiment in exptrack.yaml"
        )
    if chosen is None:
        raise ExptrackError(
            f"which holdout? Name one with --metric: there is {name_few([*map(shown, declared)], _NAMED)}"
        )
    if chosen not in declared:
        raise ExptrackError(f"metric {shown(chosen)} is no holdout: `exptrack compare` shows it")
    return chosen


def _choose_rows(context: Context, material: Material, metric: str) -> tuple[tuple[Row, ...], list[str]]:
    """The rows with the holdout as their value: the fresh ones where both sides have enough of them, else all; and lines on that."""
    sides = [one for one in find_sides(material, material.choices[-1]) if one is not None]
    held = {name for one in sides for name in one.runs}
    runs = material.named([*held])
    values = _read_values(context, runs, metric)
    rows = tuple(row._replace(value=values.get(row.name)) for row in gather(context, runs, metric))
    fresh = {row.name for row in fresh_rows(material, material.choices)}
    only = tuple(row for row in rows if row.name in fresh)
    counts = [len(clean(sample(context, material, one, only, metric)).values) for one in sides]
    if min(counts) >= _FEWEST:
        return only, ["of fresh runs, which took no part in the choice"]
    return rows, [
        f"of runs that took part in the choice, too: of fresh ones there are {' and '.join(map(str, counts))}, and {_FEWEST} of each are needed"
    ]


def _read_values(context: Context, runs: Sequence[Run], metric: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        value = flatten(read_holdout(context.repository, run)).get(metric)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[run.name] = float(value)
    return found


def _whole(samples: Sequence[Sample]) -> int | None:
    """What there is was planned: a holdout is looked at once."""
    return min(len(one.values) for one in samples) or None


def _see(one: Sample, *, is_baseline: bool) -> Seen:
    values = tuple(one.values.values())
    if not values:
        return Seen(one.label, 0, is_baseline=is_baseline)
    sd = deviation(values) if len(values) > 1 else None
    return Seen(one.label, len(values), mean(values), sd, min(values), median(values), max(values), is_baseline)


def _record(
    context: Context, material: Material, names: Sequence[str], metric: str, value: Tree
) -> tuple[PastUnsealing, ...]:
    """Note it with the runs, and give the unsealings that were there before: also of who was quicker in between."""
    identity = find_identity(context.repository)
    line = store.make(AnnotationKind.UNSEALING, value, identity)
    store.add(context.repository, identity, [(run, line) for run in material.named(names)])
    now = find_unsealings(store.annotate(context.repository, material.runs), material.experiment.name, metric)
    # Not only those of an earlier time: of two at once the one that was quicker may have the later time, and was told that it is the first.
    return tuple(one for one in now if one.id != line.id)


def _withhold(rules: Rules, samples: Sequence[Sample], verdict: Verdict) -> Verdict:
    withheld = verdict._replace(
        word=Word.WITHHELD, p=None, adjusted=None, equivalence=None, flags=(*verdict.flags, "holdout_spent")
    )
    line = write_line(rules, withheld, choose_unit(rules, samples), "the holdout is spent, it was seen before")
    return withheld._replace(line=line)
