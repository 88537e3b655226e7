"""Check the runs that commits claim: whether they are there, are what ran, and still give what was claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.names import is_name
from exptrack.analysis.trust import check_run
from exptrack.analysis.wording import name_few
from exptrack.backends.git import objects
from exptrack.backends.git.ancestry import find_merge_base
from exptrack.backends.git.repository import NOBODY, Repository, find_identity
from exptrack.errors import ExptrackError, RecordError, RepositoryError, RevError
from exptrack.model.checking import Bar, Checked, CheckedClaim, Claim, Claims, Verdict
from exptrack.model.run import Run, Status
from exptrack.model.settings import Settings
from exptrack.model.sharing import Progress, Silence
from exptrack.operations.checking import trial
from exptrack.operations.checking.arrive import Located, locate
from exptrack.operations.checking.bar import compare_bars, read_bar
from exptrack.operations.checking.claimed import default_range, find_claims_in, find_range, find_recent
from exptrack.operations.checking.code import compare_code
from exptrack.operations.context import Context
from exptrack.operations.diff import diff
from exptrack.operations.reproducing.replay import PRESENT, Manner
from exptrack.operations.verify import verify
from exptrack.store import revs

_SILENCE = Silence()
_NAMED = 5


class Asked(NamedTuple):
    """What is to be checked: a range of commits, or runs, in `words`; or the newest `recent` claims of HEAD's history.

    `at` is a commit whose code is executed instead of the runs' own, `environment` is `present` or `recorded`, `remote` the Git remote
    that runs are fetched from. `environ` are the variables that commands would have here.
    """

    environ: Mapping[str, str]
    words: tuple[str, ...] = ()
    at: str | None = None
    environment: str = PRESENT
    remote: str | None = None
    recent: int | None = None


class _Scope(NamedTuple):
    """The claims that are asked for, and the commits that they are judged by: a base only where a branch is checked."""

    claims: Claims
    head: str
    head_oid: str
    base: str | None = None
    base_oid: str | None = None


class _Judging(NamedTuple):
    """What claims are judged by, and the run that the base claims."""

    settings: Settings
    bar: Bar
    bar_of: str
    located: Mapping[Claim, Located]
    baseline: Run | None = None


def check(context: Context, asked: Asked, progress: Progress = _SILENCE) -> Checked:
    """Look at each claim until something is wrong with it; those with which nothing is are executed again, which is recorded.

    Raises ExptrackError for words that cannot be read, RepositoryError for commits that are not here, SettingsError if the
    `exptrack.yaml` that counts cannot be used.
    """
    context = context._replace(repository=_have_somebody(context.repository))
    scope = _find_scope(context, asked)
    bar_oid, bar_of = (scope.head_oid, scope.head) if scope.base is None else (scope.base_oid, scope.base)
    settings, bar, source = read_bar(context, bar_oid, bar_of)
    changes = compare_bars(context, settings, scope.head_oid) if scope.base is not None else ()
    newest = find_recent(context.repository, scope.base_oid, 1).claims if scope.base_oid else ()
    located = locate(context, [*scope.claims.claims, *newest], asked.remote, progress)
    baseline = located[newest[0]].run if newest else None
    judging = _Judging(settings, bar, source, located, baseline)
    return Checked(
        base=scope.base,
        head=scope.head,
        base_oid=scope.base_oid,
        head_oid=scope.head_oid,
        bar=bar,
        bar_of=source,
        changes=changes,
        claims=tuple(_judge_all(context, asked, scope, judging, progress)),
        broken=scope.claims.broken,
        baseline=baseline.name if baseline else None,
        at=asked.at,
        environment=asked.environment,
        declared=settings.metrics,
    )


def _have_somebody(repository: Repository) -> Repository:
    """The repository with somebody to record reruns: a CI runner has nobody."""
    try:
        find_identity(repository)
    except RepositoryError:
        return repository._replace(stand_in=NOBODY)
    return repository


def _find_scope(context: Context, asked: Asked) -> _Scope:
    repository = context.repository
    if asked.recent is not None or (asked.words and not any(".." in word for word in asked.words)):
        [head] = objects.resolve(repository, ["HEAD^{commit}"])
        if head is None:
            raise ExptrackError("there is no commit yet: what a check asks for stands in the exptrack.yaml of HEAD")
        if asked.recent is not None:
            return _Scope(find_recent(repository, head, asked.recent), "HEAD", head)
        return _Scope(Claims(_name_runs(context, asked.words)), "HEAD", head)
    if len(asked.words) > 1:
        raise ExptrackError(f"a range stands alone: leave out '{asked.words[1]}', or name runs only")
    range_ = find_range(context, asked.words[0]) if asked.words else default_range(context)
    claims = find_claims_in(repository, range_.base_oid, range_.head_oid)
    return _Scope(claims, range_.head, range_.head_oid, range_.base, range_.base_oid)


def _name_runs(context: Context, words: Sequence[str]) -> tuple[Claim, ...]:
    """The runs that were named; one that is not here may be on the remote."""
    found = []
    for word in words:
        try:
            run = revs.load(context.repository, word)
        except RevError:
            if not is_name(word):
                raise
            found.append(Claim(word, ""))
        else:
            found.append(Claim(run.name, run.oid))
    return tuple(dict.fromkeys(found))


def _judge_all(
    context: Context, asked: Asked, scope: _Scope, judging: _Judging, progress: Progress
) -> list[CheckedClaim]:
    looked = [_look(context, asked, scope, judging, claim) for claim in scope.claims.claims]
    waiting = [one for one in looked if one.verdict is Verdict.HOLDS]
    findings = (
        verify(context, [one.run.oid for one in waiting if one.run], progress=progress).findings if waiting else ()
    )
    judged = [trial.weigh(one, findings) if one.verdict is Verdict.HOLDS else one for one in looked]
    manner = Manner(
        environ=asked.environ,
        at=asked.at,
        environment=asked.environment,
        reruns=judging.bar.reruns,
        timeout=judging.bar.timeout,
    )
    is_over = False
    for number, one in enumerate(judged):
        if one.verdict is not Verdict.HOLDS:
            continue
        if is_over:
            judged[number] = one._replace(verdict=Verdict.UNKNOWN, reason=trial.INTERRUPTED)
            continue
        context.notice(f"executing {one.claim.name}")
        judged[number] = trial.prove(context, one, manner, judging.settings, judging.bar, judging.bar_of)
        is_over = trial.is_interrupted(judged[number])
    return judged


def _look(context: Context, asked: Asked, scope: _Scope, judging: _Judging, claim: Claim) -> CheckedClaim:
    """What can be said of a claim before its run is executed."""
    found = judging.located[claim]
    run = found.run
    if run is None:
        return CheckedClaim(claim, found.verdict, found.reason)
    one = CheckedClaim(claim._replace(oid=run.oid), Verdict.HOLDS, run=run, notes=tuple(_note(claim, run)))
    try:
        check_run(run)
    except RecordError as error:
        return one._replace(verdict=Verdict.FAILS, reason=str(error))
    return one if scope.base_oid is None else _compare(context, asked, scope, judging, one)


def _compare(context: Context, asked: Asked, scope: _Scope, judging: _Judging, one: CheckedClaim) -> CheckedClaim:
    """The claim after its run was compared with the base, and with the head, which should be what ran."""
    run, base = one.run, scope.base_oid
    if run is None or base is None or scope.base is None:
        return one
    # A commit of the base that claims nothing: that where the branch left it, since what came later is not the branch's.
    fork = find_merge_base(context.repository, base, scope.head_oid) or base
    difference = diff(context, judging.baseline or fork, run, patch=False)
    if judging.baseline is None:
        difference = difference._replace(old=difference.old._replace(name=scope.base))
    others = [
        each
        for claim in scope.claims.claims
        if (each := judging.located[claim].run) is not None and each.oid != run.oid
    ]
    compared = compare_code(context, run, scope.head_oid, judging.bar.ignore, others=others, base=base)
    one = one._replace(difference=difference, files=compared.files, notes=(*one.notes, *compared.given))
    if not compared.files:
        return one
    if _is_superseded(context, scope, judging, one.claim, run):
        return one._replace(verdict=Verdict.SUPERSEDED)
    if asked.at is not None:
        return one
    named = name_few([compared.describe(file) for file in compared.files], _NAMED)
    advice = (
        f"{scope.base} brought that since: `--at {scope.head}` checks the merged code"
        if compared.is_base_newer
        else f"record a run of {scope.head} and claim that"
    )
    return one._replace(verdict=Verdict.FAILS, reason=f"{scope.head} is not what ran, it differs in {named}; {advice}")


def _is_superseded(context: Context, scope: _Scope, judging: _Judging, claim: Claim, run: Run) -> bool:
    """Whether the claim was true of its own commit, and a newer commit claims another run."""
    if claim.commit == scope.claims.claims[0].commit:
        return False
    return not compare_code(context, run, claim.commit, judging.bar.ignore).files


def _note(claim: Claim, run: Run) -> list[str]:
    """What a reviewer should know of a run that is claimed."""
    record = run.record
    notes = []
    if claim.author and record.author and claim.author != record.author:
        where = f" on {record.host}" if record.host else ""
        notes.append(f"it was recorded by {record.author}{where}, and is claimed by {claim.author}")
    if record.status is not Status.COMPLETED:
        notes.append(f"it did not complete when it was recorded: its status is {record.status}")
    return notes
