"""What was chosen, unsealed and concluded of an experiment before, as the annotations on its runs say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from exptrack.backends.git import notes
from exptrack.backends.git.repository import Repository
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Run
from exptrack.model.selection import Chosen, PastConclusion, PastUnsealing
from exptrack.model.tree import Tree, Value
from exptrack.store import annotation

_SKEW = timedelta(1)  # by which clocks may differ
MOST = 10_000  # fresh runs; what others wrote may ask for any number

_DECISIONS = frozenset({AnnotationKind.SELECTION, AnnotationKind.UNSEALING, AnnotationKind.CONCLUSION})
_WORDS = tuple(f'"{kind}"' for kind in _DECISIONS)

T = TypeVar("T", Chosen, PastUnsealing, PastConclusion)


def find_choices(runs: Iterable[Run], experiment: str) -> tuple[Chosen, ...]:
    """The choices that were made of the configurations of an experiment, in the order of time. What cannot be read is left out."""
    return _read(runs, experiment, AnnotationKind.SELECTION, _choice)


def find_unsealings(runs: Iterable[Run], experiment: str, metric: str | None = None) -> tuple[PastUnsealing, ...]:
    """When this holdout (None: any) was unsealed, in the order of time."""
    found = _read(runs, experiment, AnnotationKind.UNSEALING, _unsealing)
    return tuple(one for one in found if metric in {None, one.metric})


def find_conclusions(runs: Iterable[Run], experiment: str) -> tuple[PastConclusion, ...]:
    """What was concluded of an experiment, in the order of time; a conclusion once more on the same runs is one of its own here."""
    return _read(runs, experiment, AnnotationKind.CONCLUSION, _conclusion)


def find_all(run: Run) -> tuple[Chosen | PastUnsealing | PastConclusion, ...]:
    """What was chosen, unsealed and concluded with this run, of whichever experiment, in the order of time."""
    values = [one.value for one in run.annotations if one.kind in _DECISIONS]
    names = dict.fromkeys(_text(value, "experiment") for value in values if isinstance(value, Mapping))
    finders = (find_choices, find_unsealings, find_conclusions)
    found = [one for name in names for find in finders for one in find([run], name)]
    return tuple(sorted(found, key=lambda one: one.time))


def find_decided(repository: Repository) -> frozenset[str]:
    """The oids of the runs by which anything may have been chosen, unsealed or concluded, so that the others need not be read."""
    found = notes.read_notes(repository, annotation.NOTES, lost=set())
    return frozenset(oid for oid, text in found.items() if any(word in text for word in _WORDS))


def tell_choice(chosen: Chosen, experiment: str) -> Tree:
    """The value of the annotation that records a choice."""
    return {
        "experiment": experiment,
        "metric": chosen.metric,
        "configuration": chosen.label,
        "runs": list(chosen.runs),
        "baseline": list(chosen.baseline_runs),
        "planned": chosen.planned,
        "among": chosen.among,
        "mean": chosen.mean,
        "difference": chosen.difference,
        "noise": chosen.noise,
    }


def tell_conclusion(conclusion: PastConclusion, experiment: str) -> Tree:
    """The value of the annotation that records a conclusion."""
    return {
        "experiment": experiment,
        "metric": conclusion.metric,
        "answer": conclusion.answer,
        "verdict": conclusion.line,
        "runs": conclusion.evidence,
        "alpha": conclusion.spent,
    }


def digest_runs(runs: Iterable[Run]) -> str:
    """A short digest of which runs these are."""
    import hashlib  # here, since what shows a run reads its annotations, and digests nothing

    return hashlib.sha256("\n".join(sorted(run.oid for run in runs)).encode()).hexdigest()[:16]


def _read(
    runs: Iterable[Run], experiment: str, kind: AnnotationKind, make: Callable[[Annotation, Tree, frozenset[str]], T]
) -> tuple[T, ...]:
    """Each annotation once, with the names of the runs that carry it."""
    lines: dict[str, Annotation] = {}
    names: dict[str, set[str]] = {}
    for run in runs:
        for one in run.annotations:
            if one.kind is kind and isinstance(one.value, Mapping) and one.value.get("experiment") == experiment:
                lines.setdefault(one.id, one)
                names.setdefault(one.id, set()).add(run.name)
    # One that claims a time to come counts, and is never the last: nothing could be chosen after it.
    latest = datetime.now(UTC) + _SKEW
    ordered = sorted(lines.values(), key=lambda one: (one.time <= latest, one.time, one.id))
    return tuple(make(one, one.value, frozenset(names[one.id])) for one in ordered if isinstance(one.value, Mapping))


def _choice(one: Annotation, value: Tree, names: frozenset[str]) -> Chosen:
    return Chosen(
        one.id,
        one.time,
        one.author,
        metric=_text(value, "metric"),
        label=_text(value, "configuration"),
        runs=_texts(value, "runs"),
        baseline_runs=_texts(value, "baseline"),
        planned=min(MOST, max(3, int(_number(value, "planned") or 0))),
        among=int(_number(value, "among") or 1),
        mean=_number(value, "mean"),
        difference=_number(value, "difference"),
        noise=_number(value, "noise"),
        took_part=names,
    )


def _unsealing(one: Annotation, value: Tree, _names: frozenset[str]) -> PastUnsealing:
    seen = value.get("seen")
    means = {key: mean for key in seen if (mean := _number(seen, key)) is not None} if isinstance(seen, Mapping) else {}
    metric, reason, line = (_text(value, key) for key in ("metric", "reason", "verdict"))
    return PastUnsealing(one.id, one.time, one.author, metric, reason, line, means)


def _conclusion(one: Annotation, value: Tree, _names: frozenset[str]) -> PastConclusion:
    metric, answer, evidence, line = (_text(value, key) for key in ("metric", "answer", "runs", "verdict"))
    spent = max(0.0, _number(value, "alpha") or 0.0)
    return PastConclusion(one.id, one.time, one.author, metric, answer, evidence, spent, line)


def _text(value: Tree, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _texts(value: Tree, key: str) -> tuple[str, ...]:
    found: Value = value.get(key)
    return (
        tuple(one for one in found if isinstance(one, str))
        if isinstance(found, Sequence) and not isinstance(found, str)
        else ()
    )


def _number(value: Tree, key: str) -> float | None:
    found = value.get(key)
    return float(found) if type(found) in {int, float} and math.isfinite(found) else None  # type: ignore[arg-type]
