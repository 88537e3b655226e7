"""What a run was looked at for: the choices, unsealings and conclusions that were made with it, a line each."""

from __future__ import annotations

from exptrack.analysis.wording import counted, name_few
from exptrack.model.run import Run
from exptrack.model.selection import Chosen, PastConclusion, PastUnsealing
from exptrack.operations.comparing.past import find_all

_NAMED = 5


def list_decisions(run: Run) -> list[tuple[str, str]]:
    """A word and a line for each, in the order of time: `looked at`, `selected`, `unsealed` or `concluded`.

    A holdout is told of as far as it was seen and noted. The lines are what somebody wrote: not inert.
    """
    return [(_name(run, one), _tell(run, one)) for one in find_all(run)]


def _name(run: Run, one: Chosen | PastUnsealing | PastConclusion) -> str:
    if isinstance(one, Chosen):
        return "selected" if run.name in one.runs else "looked at"
    return "unsealed" if isinstance(one, PastUnsealing) else "concluded"


def _tell(run: Run, one: Chosen | PastUnsealing | PastConclusion) -> str:
    made = f"on {one.time:%Y-%m-%d %H:%M} UTC by {one.author.partition(' <')[0]}"
    if isinstance(one, Chosen):
        way = f"{counted(one.among, 'configuration')} by {one.metric}"
        best = f"the best of {way}, {made}" if one.among > 1 else f"by {one.metric}, {made}"
        return f"{one.label}, {best}" if run.name in one.runs else f"when {one.label} was selected of {way}, {made}"
    if isinstance(one, PastUnsealing):
        seen = name_few([f"{label} {mean:.6g}" for label, mean in one.seen.items()], _NAMED)
        return f"the holdout {one.metric}, {made}, because: {one.reason}" + (f"; seen: {seen}" if seen else "")
    return f"{one.answer}, {made}" + (f": {one.line}" if one.line else "")
