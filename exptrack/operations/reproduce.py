"""Execute a recorded run again, from its snapshot alone, and say at which level it reproduces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from exptrack.analysis.bar import parse_bar
from exptrack.analysis.configurations import code_patterns
from exptrack.analysis.divergence import find_divergence
from exptrack.analysis.holdout import find_holdouts, with_sealed
from exptrack.analysis.levels import judge
from exptrack.analysis.terms import parse_terms
from exptrack.analysis.trust import check_run
from exptrack.backends.git import objects
from exptrack.errors import CommandError, ExptrackError
from exptrack.model.difference import Area, Difference
from exptrack.model.reproduction import RECORDED, Answer, Divergence, Level, LevelAnswer, Reproduction, Terms
from exptrack.model.run import Run, Status
from exptrack.model.settings import Settings
from exptrack.operations.context import SETTINGS, Context
from exptrack.operations.diff import diff
from exptrack.operations.record import record
from exptrack.operations.recording.isolate import explain_failure
from exptrack.operations.recording.needs import find_spoilt
from exptrack.operations.recording.request import Request
from exptrack.operations.reproducing.code import check_command, check_complete, find_code, settings_at, weaknesses
from exptrack.operations.reproducing.conclusion import gather_conclusion
from exptrack.operations.reproducing.evidence import (
    describe_unrun,
    find_replicates,
    gather_histories,
    gather_outcome,
    name_differences,
    without_idle,
    without_metrics,
    without_unkept,
)
from exptrack.operations.reproducing.replay import Manner, Replay, read_environment
from exptrack.store import revs


class Plan(NamedTuple):
    """A run that is to be executed again, and the settings that it is judged by."""

    replay: Replay
    settings: Settings


def reproduce(context: Context, rev: str | Run, manner: Manner) -> Reproduction:
    """Execute the run again as often as asked, record each rerun, and judge them: `plan` and `execute`."""
    return execute(plan(context, rev, manner))


def plan(context: Context, rev: str | Run, manner: Manner, settings: Settings | None = None) -> Plan:
    """Find all that can be known before anything is executed; `settings` are what the run is judged by, else those of HEAD.

    Raises RevError, SettingsError, RecordError for a run that cannot be trusted, ExptrackError if the run cannot be executed again: what it used is not all there.
    """
    run = rev if isinstance(rev, Run) else revs.load(context.repository, rev)
    check_run(run)
    if not manner.anyway:
        check_complete(run)
    check_command(run)
    context = context._replace(project=run.record.project)
    settings, name = _settings(context, run) if settings is None else (settings, SETTINGS)
    parse_terms(settings.check, name)
    parse_bar(settings.check, name)
    code_patterns(settings.compare, name)
    code = find_code(context, run, manner.at)
    weak = dict.fromkeys([*weaknesses(run), *code.missing])
    return Plan(Replay(context, run, code, read_environment(context, run), manner, weak, dict(weak)), settings)


def execute(planned: Plan) -> Reproduction:
    """Execute a run as planned, record each rerun, and judge them.

    Raises ExptrackError if it cannot be executed, DataError if data is in no cache and on no remote: then nothing is left behind.
    """
    replay, settings = planned
    reruns: list[Run] = []
    for number in range(1, max(replay.manner.reruns, 1) + 1):
        if replay.manner.reruns > 1:
            replay.context.notice(f"rerun {number} of {replay.manner.reruns}")
        reruns.append(_execute(replay))
        if reruns[-1].status is Status.INTERRUPTED:
            break
    judged = replay._replace(context=replay.context._replace(settings=settings))
    return _judge(judged, reruns, parse_terms(settings.check))


def _settings(context: Context, run: Run) -> tuple[Settings, str]:
    """What the run is judged by, and where that stands: `exptrack.yaml` of HEAD, else of the run's snapshot.

    The work tree may hold anything.
    """
    for commit, name in (("HEAD", "HEAD"), (f"{run.oid}^", f"the snapshot of {run.name}")):
        [oid] = objects.resolve(context.repository, [f"{commit}^{{commit}}"])
        found = settings_at(context, oid, name) if oid else None
        if found is not None:
            return found, f"{SETTINGS} of {name}"
    return Settings(), SETTINGS


def _execute(replay: Replay) -> Run:
    run, context, manner = replay.run, replay.context, replay.manner
    told, environment = run.record, replay.environment
    is_seeded = environment is not None and environment.variables.get("EXPTRACK_SEED") == str(told.seed)
    request = Request(
        command=told.command,
        directory=context.folder,
        environ=manner.environ,
        experiment=told.experiment,
        seed=told.seed if is_seeded and isinstance(told.seed, int) else None,
        reproduces=run.name,
        timeout=manner.timeout,
        is_forced=told.is_pipeline,
        holdouts=told.sealed,
    )
    try:
        recorded = record(context, request, replay.arrange)
    except CommandError as error:
        if environment is None or manner.environment == RECORDED or "/bin/" not in f"/{told.command[0]}":
            raise
        raise ExptrackError(f"{error}; `--environment recorded` builds the packages that it ran with") from error
    if recorded.finished is None:
        raise ExptrackError(
            f"{recorded.name} ended, but could not be recorded: {recorded.failure}; all of it is kept for `exptrack recover`"
        )
    return recorded.finished.run


def _judge(replay: Replay, reruns: Sequence[Run], terms: Terms) -> Reproduction:
    context, run, manner = replay.context, replay.run, replay.manner
    declared = with_sealed(context.settings.metrics, [name for one in (run, *reruns) for name in one.record.sealed])
    hidden = {*find_holdouts(declared)}
    difference = without_metrics(diff(context, run, reruns[0], patch=False), hidden)
    ignored = parse_bar(context.settings.check).ignore
    differing = name_differences(difference, ignored)
    outcomes, idle = without_idle(
        gather_outcome(context, run), [gather_outcome(context, one) for one in reruns], reruns
    )
    unrun = describe_unrun(run, reruns)
    outcomes, unkept = without_unkept(outcomes, (run, *reruns))
    levels = judge(
        outcomes[0],
        outcomes[1:],
        find_replicates(context, run, context.settings.seed, {one.name for one in reruns}),
        declared,
        terms,
        differences=differing,
        exact_doubts=unkept,
        conclusion=gather_conclusion(context, run, reruns),
    )
    divergence = None
    spoilt: tuple[str, ...] = ()
    if not _is_exact(levels):
        divergence = _find_divergence(context, run, reruns, terms, hidden)
        spoilt = tuple(find_spoilt(context, replay.find_needs()))
    return Reproduction(
        original=run,
        reruns=tuple(reruns),
        levels=levels,
        difference=difference,
        divergence=divergence,
        nondeterministic=_explain_nondeterminism(
            run, reruns, levels, difference, (*differing, *replay.doubts, *spoilt, *unrun)
        ),
        at=manner.at,
        environment=manner.environment,
        notes=tuple(dict.fromkeys([*spoilt, *replay.notes, *idle, *unrun, *_hints(run, reruns)])),
        declared=declared,
    )


def _is_exact(levels: Sequence[LevelAnswer]) -> bool:
    return any(one.level is Level.EXACT and one.answer is Answer.YES for one in levels)


def _find_divergence(
    context: Context, run: Run, reruns: Sequence[Run], terms: Terms, hidden: Collection[str]
) -> Divergence | None:
    """Where the first rerun that differs left the run; metrics that are `hidden` are not looked at."""
    histories = gather_histories(context, run, hidden)
    for rerun in reruns:
        again = gather_histories(context, rerun, hidden)
        found = find_divergence(run.record.stages, rerun.record.stages, histories, again, terms.volatile)
        if found is not None:
            return found
    return None


def _explain_nondeterminism(
    run: Run, reruns: Sequence[Run], levels: Sequence[LevelAnswer], difference: Difference, differing: Sequence[str]
) -> str | None:
    """Why exact was expected and is missed, as STATISTICS 3.6 says; None where that is not so.

    Only the seed's absence does not excuse a miss: a command that draws from the clock is not deterministic, and that is to be known.
    """
    exact = next(one for one in levels if one.level is Level.EXACT)
    if exact.answer is not Answer.NO or differing or any(one.status is not run.status for one in reruns):
        return None
    if Area.ENVIRONMENT in difference.skipped or any(one.area == Area.ENVIRONMENT for one in difference.changes):
        return None
    seed = f"seed {run.record.seed} is recorded" if run.record.seed is not None else "no seed is recorded"
    return f"code, data, parameters and environment are the same ({seed}), and the results are not"


def _hints(run: Run, reruns: Sequence[Run]) -> tuple[str, ...]:
    """What went otherwise in the reruns, and what they may have missed if they failed."""
    lines = [
        f"{rerun.name}: {problem}"
        for rerun in reruns
        for problem in rerun.record.problems
        if problem not in run.record.problems
    ]
    if run.status is not Status.FAILED and any(one.status is Status.FAILED for one in reruns):
        missed = explain_failure(run.record.not_captured, ())
        lines += [missed] if missed else []
    return tuple(lines)
