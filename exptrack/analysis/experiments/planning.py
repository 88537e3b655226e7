"""Which runs an experiment still lacks, as the command lines that make them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice

from exptrack.analysis.arguments import ARGUMENTS
from exptrack.analysis.experiments.rerunning import spell, write_rerun
from exptrack.errors import ExptrackError
from exptrack.model.experiment import Experiment, Pairing
from exptrack.model.experimentstate import ConfigurationState, ExperimentState
from exptrack.model.run import Record
from exptrack.model.tree import Value, flatten

_BY_SEED = frozenset({Pairing.NONE, Pairing.SEED})


def write_missing(
    state: ExperimentState, records: Mapping[str, Record], command: Sequence[str] = (), seed_name: str | None = None
) -> tuple[str, ...]:
    """A command line for each run that is planned and neither recorded nor under way, the configurations in their order.

    Those of one configuration have different seeds, all configurations the same, as far as they have not had them: what ran with a seed
    is not made again, failed or not. `records` are the experiment's runs by name. `command` is what they execute, with each variable given
    by `-S`; without one they execute what runs before them did. Raises ExptrackError where that cannot be known, or nothing is planned.
    """
    experiment = _check(state)
    seeds = sorted({one.seed for one in records.values() if isinstance(one.seed, int) and one.seed >= 0})
    latest = sorted(records.values(), key=lambda one: (one.started, one.name))
    lines: list[str] = []
    for one in state.configurations:
        own = [record for record in latest if record.name in one.runs]
        for seed in _missing_seeds(one, own, seeds):
            if own and not command:
                lines.append(write_rerun(own[-1], seed, state.name, one.params, seed_name))
            else:
                lines.append(_write(state.name, one.params, seed, command or _known_command(experiment, latest)))
    return tuple(lines)


def _check(state: ExperimentState) -> Experiment:
    name, declared = state.name, state.declared
    if declared is None:
        raise ExptrackError(f"exptrack.yaml does not declare the experiment {name}, so no run of it is planned")
    if declared.pair_by not in _BY_SEED:
        raise ExptrackError(
            f"the runs of {name} are of each {declared.pair_by}: which of them are missing is seen by `exptrack experiments {name}` alone"
        )
    if not any(one.planned for one in state.configurations):
        raise ExptrackError(
            f"no number of runs is planned for {name}: write `seeds: 5` below it in exptrack.yaml, and values below its `variables`"
        )
    return declared


def _missing_seeds(one: ConfigurationState, own: Sequence[Record], seeds: Sequence[int]) -> list[int]:
    had = {str(record.seed) for record in own}
    free = (seed for seed in _all_seeds(seeds) if str(seed) not in had)
    return list(islice(free, max(0, (one.planned or 0) - one.recorded - one.running)))


def _all_seeds(seeds: Sequence[int]) -> Iterator[int]:
    """Those that others have had, then all that are left from 0 on."""
    yield from seeds
    yield from (seed for seed in count() if seed not in seeds)


def _known_command(experiment: Experiment, latest: Sequence[Record]) -> Sequence[str]:
    """What the last run executed, if it says nothing of a variable."""
    how = f"give it: `exptrack experiments {experiment.name} --commands python train.py`"
    if not latest:
        raise ExptrackError(f"no run of {experiment.name} says which command is to be run: {how}")
    said = flatten(latest[-1].params.get(ARGUMENTS, {})).keys() & experiment.variables.keys()
    if said:
        raise ExptrackError(
            f"the command of {latest[-1].name} gives {', '.join(sorted(said))} itself, which other configurations have otherwise: {how}, "
            "without it, and each variable in params.yaml"
        )
    return latest[-1].command


def _write(name: str, params: Mapping[str, Value], seed: int, command: Sequence[str]) -> str:
    words = ["exptrack", "run", "-e", name]
    words += [word for key, value in params.items() for word in ("-S", f"{key}={spell(value)}")]
    words += ["--seed", str(seed)]
    return shlex.join([*words, "--", *command] if command else words)
