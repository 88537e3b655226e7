"""What may be said of the configurations of an experiment: how far it is, which is better, what is chosen, seen and concluded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exptrack.model.comparison import Comparison
    from exptrack.model.experimentstate import ExperimentState
    from exptrack.model.selection import Conclusion, Selected, Unsealed
    from exptrack.verbs.opened import Opened


def experiments(project: Opened, name: str | None = None) -> tuple[ExperimentState, ...]:
    """The experiments and how far each is, or the one of this name; raises ExptrackError if there is none of that name."""
    from exptrack.operations.experiments import list_experiments

    return list_experiments(project.context, name)


def compare(  # noqa: PLR0913 - the options of the command
    project: Opened,
    *words: str,
    experiment: str | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    group_by: Sequence[str] | None = None,
    merge_code: bool = False,
    strict: bool = False,
    force: bool = False,
    alpha: float | None = None,
    step: str | float = "final",
) -> Comparison:
    """The configurations of the runs that `words` mean (queries and revs; else all), and what may be said of each beside the baseline.

    The options are those of `exptrack compare`: `baseline` is values (`lr=0.1`), a run, a branch or a commit, `group_by` names of
    parameters, `step` is `final`, `best` or a number. What an experiment declares counts where nothing is given. Raises ExptrackError.
    """
    from exptrack.operations.compare import Asked, compare

    asked = Asked(
        words, experiment, metric, baseline, None if group_by is None else tuple(group_by), merge_code, strict, force, alpha, step
    )  # fmt: skip
    return compare(project.context, asked)


def select(project: Opened, experiment: str, *, fresh: int | None = None, again: bool = False) -> Selected:
    """Choose the best configuration of an experiment and record that with its runs, or say how far the earlier choice is confirmed.

    `fresh` is how many fresh runs of each shall confirm it (else the planned number of seeds, else 10); `again` chooses anew. The commands
    for runs that are missing are among the result. Raises ExptrackError.
    """
    from exptrack.operations.select import select

    return select(project.context, experiment, fresh=fresh, is_again=again)


def unseal(project: Opened, experiment: str, reason: str, metric: str | None = None) -> Unsealed:
    """Look at the holdout of the selected configuration and the baseline; who looked and why is recorded before anything is given.

    `metric` is the holdout, where there is more than one. What was seen before is spent: then there is no word. Raises ExptrackError.
    """
    from exptrack.operations.unseal import unseal

    return unseal(project.context, experiment, reason, metric)


def conclude(project: Opened, experiment: str) -> Conclusion:
    """Accept or reject the hypothesis of an experiment, or say not yet, with all that it rests on; recorded with its runs, it counts as a look.

    Raises ExptrackError.
    """
    from exptrack.operations.conclude import conclude

    return conclude(project.context, experiment)
