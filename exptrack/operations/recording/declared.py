"""Whether a run that is filed under an experiment is one that this declares."""

from __future__ import annotations

from collections.abc import Mapping

from exptrack.errors import ExptrackError
from exptrack.model.experiment import Experiment
from exptrack.model.tree import Tree, unite
from exptrack.operations.recording.request import Request

_NAMED = 3


def check_declared(
    experiments: Mapping[str, Experiment], request: Request, params: Mapping[str, Tree]
) -> tuple[str, ...]:
    """Lines for the user and the record on parameters (by source) that are not as the run's experiment declares them.

    Raises ExptrackError if a value is none of those declared, unless the run is wanted anyway. A rerun is as the run was.
    """
    if request.experiment is None or request.reproduces is not None or not experiments:
        return ()
    experiment = experiments.get(request.experiment)
    if experiment is None:
        return (_describe_unknown(request.experiment, experiments),)
    from exptrack.analysis.experiments.declaration import find_missing, find_outside
    from exptrack.analysis.wording import name_few

    united = unite("params.yaml", params)
    outside, missing = find_outside(experiment, united), find_missing(experiment, united)
    said = [f"outside of the experiment '{experiment.name}': {name_few(outside, _NAMED)}"] if outside else []
    if outside and not request.is_anyway:
        raise ExptrackError(
            f"{said[0]}; declare it in exptrack.yaml, or say --anyway and the run is filed under it all the same"
        )
    if missing:
        named = name_few(missing, _NAMED)
        said.append(
            f"the experiment '{experiment.name}' varies {named}, which is no parameter of this run: its configuration is not known"
        )
    return tuple(said)


def _describe_unknown(name: str, experiments: Mapping[str, Experiment]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, experiments, n=1)
    advice = f": did you mean '{near[0]}'?" if near else ""
    return f"exptrack.yaml declares no experiment '{name}'{advice}"
