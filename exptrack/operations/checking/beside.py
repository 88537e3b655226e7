"""What `compare` says of a claimed run beside the run that the base claims: a help for those who review, and no part of the verdict on the claim."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from exptrack.backends.git import transport
from exptrack.backends.git.remotes import find_remote
from exptrack.errors import ExptrackError
from exptrack.model.checking import Beside
from exptrack.model.run import Run
from exptrack.model.settings import Settings
from exptrack.operations.context import Context
from exptrack.operations.fetch import Order, fetch
from exptrack.operations.sharing.arriving import Filter
from exptrack.operations.sharing.selecting import list_here
from exptrack.store.runs import RUNS, name_of

# More runs than these are not fetched for those of an experiment among them.
_MOST = 500
_FEWEST = 2


def bring_replicates(context: Context, runs: Sequence[Run], remote: str | None) -> None:
    """Fetch the other runs of the experiments that these are of: comparisons rest on them, and the statistical and the conceptual level.

    Nothing is raised: what does not come does not count. Only experiments that are declared are asked for; of a remote with more than
    `_MOST` runs that are not here only the months in which the runs started, or nothing.
    """
    experiments: dict[str, list[Run]] = {}
    for one in runs:
        if one.record.experiment in context.settings.experiments:
            experiments.setdefault(str(one.record.experiment), []).append(one)
    for name, members in experiments.items():
        try:
            _bring(context._replace(notice=_silence), name, members, remote)
        except ExptrackError:
            return


def _bring(context: Context, name: str, members: Sequence[Run], remote: str | None) -> None:
    found = transport.list_remote(context.repository, find_remote(context.repository, remote), f"{RUNS}*")
    here = {name_of(ref) for ref in list_here(context.repository)}
    wanted = choose([ref for ref in found if name_of(ref) not in here], name, [one.ref for one in members])
    if wanted is not None:
        fetch(context, Order(remote, wanted))


def choose(new: Sequence[str], experiment: str, members: Sequence[str]) -> Filter | None:
    """What to fetch of the `new` refs of a remote for an experiment of which `members` are refs; None if there is nothing, or too much."""
    months = {_month(ref) for ref in members}
    if 0 < len(new) <= _MOST:
        return Filter(experiment=experiment)
    if 0 < sum(_month(ref) in months for ref in new) <= _MOST:
        return Filter(months=tuple(sorted(months)), experiment=experiment)
    return None


def _month(ref: str) -> str:
    return ref.removeprefix(RUNS).partition("/")[0]


def _silence(_line: str) -> None:
    """Of what a fetch has to tell the one of the claimed runs has told."""


class Comparer:
    """Compares the configurations of claimed runs with that of the base's run, each configuration once."""

    def __init__(self, context: Context, baseline: Run) -> None:
        self.context, self.baseline = context, baseline
        self._known: list[tuple[Collection[str], Beside | None]] = []

    def compare(self, run: Run, settings: Settings) -> Beside | None:
        """What may be said of the run's configuration; None if it is the base's own, one of them has no replicates, or nothing can be said.

        Metrics that are sealed are not compared, and reproductions are none of the runs.
        """
        for names, beside in self._known:
            if run.name in names:
                return beside
        names, beside = {run.name}, None
        if run.oid != self.baseline.oid:
            context = self.context._replace(settings=settings, project=run.record.project)
            try:
                names, beside = _compare(context, run, self.baseline)
            except ExptrackError:  # as where no metric is declared: a check does not depend on it
                beside = None
        self._known.append((names, beside))
        return beside


def _compare(context: Context, run: Run, baseline: Run) -> tuple[set[str], Beside | None]:
    from exptrack.operations.compare import Asked, compare

    asked = Asked((run.name, baseline.name), baseline=baseline.name)
    found = compare(context, asked)
    own, base = (
        next((one for one in found.configurations if name in one.runs), None) for name in (run.name, baseline.name)
    )
    names = {run.name, *(own.runs if own else ())}
    verdict = next((one for one in found.verdicts if own and one.label == own.label), None)
    if own is None or base is None or own == base or verdict is None:
        return names, None
    if min(len(one.sample.values) for one in (own, base)) < _FEWEST:
        return names, None
    runs = len(own.runs) + len(base.runs)
    return names, Beside(baseline.name, found.rules.metric, verdict, runs, found.experiment)
