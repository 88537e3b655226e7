"""What a run was looked at for: the choices, unsealings and conclusions that were made with it, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exptrack.analysis.wording import counted, name_few
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Run

if TYPE_CHECKING:
    from exptrack.model.selection import Chosen, PastConclusion, PastUnsealing

_NAMED = 5
_DECISIONS = frozenset({AnnotationKind.SELECTION, AnnotationKind.UNSEALING, AnnotationKind.CONCLUSION})


def list_decisions(run: Run) -> list[tuple[str, str]]:
    """A word and a line for each, in the order of time: `looked at`, `selected`, `unsealed` or `concluded`.

    A holdout is told of as far as it was seen and noted. The lines are what somebody wrote: not inert.
    """
    if not any(one.kind in _DECISIONS for one in run.annotations):
        return []  # most runs, for which `show` and `log` need not import what a choice is: 3 ms
    from exptrack.operations.comparing.past import find_all

    return [_tell(run, one) for one in find_all(run)]


def _tell(run: Run, one: Chosen | PastUnsealing | PastConclusion) -> tuple[str, str]:
    from exptrack.model.selection import Chosen, PastUnsealing

    made = f"on {one.time:%Y-%m-%d %H:%M} UTC by {one.author.partition(' <')[0]}"
    if isinstance(one, Chosen):
        way = f"{counted(one.among, 'configuration')} by {one.metric}"
        if run.name not in one.runs:
            return "looked at", f"when {one.label} was selected of {way}, {made}"
        return "selected", f"{one.label}, the best of {way}, {made}"
    if isinstance(one, PastUnsealing):
        seen = name_few([f"{label} {mean:.6g}" for label, mean in one.seen.items()], _NAMED)
        told = f"the holdout {one.metric}, {made}, because: {one.reason}"
        return "unsealed", told + (f"; seen: {seen}" if seen else "")
    return "concluded", f"{one.answer}, {made}" + (f": {one.line}" if one.line else "")
