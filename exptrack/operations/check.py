"""Check the runs that commits claim: whether they are there, are what ran, and still give what was claimed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from exptrack.analysis.terms import matches_path
from exptrack.analysis.trust import check_run
from exptrack.analysis.wording import name_few
from exptrack.backends.git.ancestry import find_merge_base
from exptrack.backends.git.repository import NOBODY, Repository, find_identity
from exptrack.errors import DataError, ExptrackError, RecordError, RepositoryError, SettingsError
from exptrack.model.change import Change
from exptrack.model.checking import SELDOM_READ, Bar, Checked, CheckedClaim, Claim, Verdict
from exptrack.model.difference import Difference
from exptrack.model.progress import Progress, Silence
from exptrack.model.reproduction import PRESENT
from exptrack.model.run import Run, Status
from exptrack.model.settings import Settings
from exptrack.operations.checking import trial
from exptrack.operations.checking.arrive import locate
from exptrack.operations.checking.bar import DEFAULTS, compare_bars, find_project, read_bar
from exptrack.operations.checking.beside import Comparer, bring_replicates
from exptrack.operations.checking.claimed import find_recent
from exptrack.operations.checking.code import Compared, compare_code
from exptrack.operations.checking.intact import find_lie
from exptrack.operations.checking.scope import Scope, find_scope
from exptrack.operations.context import Context
from exptrack.operations.diff import diff
from exptrack.operations.reproducing.replay import Manner
from exptrack.operations.sharing.selecting import list_here
from exptrack.operations.verify import verify
from exptrack.store.runs import shorten

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


class _Rules(NamedTuple):
    """What the claims of one project's runs are judged by, whose that is, what the head would have otherwise, and the folder that has it."""

    settings: Settings
    bar: Bar
    of: str
    changes: tuple[Change, ...] = ()
    place: str = "."


def check(context: Context, asked: Asked, progress: Progress = _SILENCE) -> Checked:
    """Look at each claim until something is wrong with it; those with which nothing is are executed again, which is recorded.

    Raises ExptrackError for words that cannot be read, RepositoryError for commits that are not here, SettingsError if the
    `exptrack.yaml` that counts cannot be used.
    """
    context = context._replace(repository=_have_somebody(context.repository))
    scope = find_scope(context, asked.words, asked.recent)
    work = _Check(context, asked, scope, progress)
    claims = tuple(work.judge_all())
    rules = work.rules_of(context.project)
    others = [other.changes for project, other in work.rules.items() if project != context.project]
    return Checked(
        base=scope.base,
        head=scope.head,
        base_oid=scope.base_oid,
        head_oid=scope.head_oid,
        bar=rules.bar,
        bar_of=rules.of,
        changes=tuple(change for changes in (rules.changes, *others) for change in changes),
        claims=claims,
        broken=scope.claims.broken,
        baseline=work.baseline.name if work.baseline else None,
        at=asked.at,
        environment=asked.environment,
        declared=rules.settings.metrics,
        notes=tuple(work.notes),
    )


def _have_somebody(repository: Repository) -> Repository:
    """The repository with somebody to record reruns: a CI runner has nobody."""
    try:
        find_identity(repository)
    except RepositoryError:
        return repository._replace(stand_in=NOBODY)
    return repository


class _Check:
    """One check: its claims, where their runs are, the run that the base claims, and the rules by the project that a run belongs to."""

    def __init__(self, context: Context, asked: Asked, scope: Scope, progress: Progress) -> None:
        self.context, self.asked, self.scope, self.progress = context, asked, scope, progress
        self.rules: dict[str, _Rules] = {}
        self.there: dict[str, bool] = {}
        self.notes: list[str] = []
        self.rules_of(context.project)  # what cannot be read there is an error before anything is fetched
        newest: tuple[Claim, ...] = ()
        if scope.base_oid is not None and scope.claims.claims:  # else there is nothing to compare it with
            newest = find_recent(context.repository, scope.base_oid, 1).claims
        before = list_here(context.repository) if scope.claims.claims else {}
        self.located = locate(context, [*scope.claims.claims, *newest], asked.remote, progress)
        found = (self.located[claim].run for claim in scope.claims.claims)
        self.runs = tuple(run for run in found if run is not None)
        self.baseline = next((self.located[claim].run for claim in newest), None)
        self.comparer = Comparer(context, self.baseline) if self.baseline is not None else None
        known = [*self.runs, *([self.baseline] if self.baseline else [])]
        if any(run.ref not in before for run in known):
            bring_replicates(context._replace(settings=self.rules_of(context.project).settings), known, asked.remote)
        if newest and self.baseline is None:
            self.notes.append(
                f"{newest[0].name}, which {scope.base} claims, is not compared: {self.located[newest[0]].reason}"
            )

    def rules_of(self, project: str) -> _Rules:
        """What the runs of a project are judged by."""
        if project not in self.rules:
            context = self.context._replace(project=project)
            place = find_project(context, self.scope.bar[0])
            settings, bar, source = read_bar(context._replace(project=place), *self.scope.bar)
            changes = compare_bars(context, settings, self.scope.head_oid) if self.scope.base is not None else ()
            if project != self.context.project:
                changes = tuple(change._replace(key=(project, *change.key)) for change in changes)
            self.rules[project] = _Rules(settings, bar, source, changes, place)
        return self.rules[project]

    def judge_all(self) -> list[CheckedClaim]:
        """Each claim, judged; once somebody interrupts it, the others are not executed any more."""
        looked = [self._try(claim) for claim in self.scope.claims.claims]
        waiting = [one.run.oid for one in looked if one.verdict is Verdict.HOLDS and one.run is not None]
        findings = verify(self.context, waiting, progress=self.progress).findings if waiting else ()
        judged: list[CheckedClaim] = []
        for one in looked:
            if one.verdict is not Verdict.HOLDS:
                judged.append(one)
            elif any(map(trial.is_interrupted, judged)):
                judged.append(one._replace(verdict=Verdict.UNKNOWN, reason=trial.INTERRUPTED))
            else:
                weighed = trial.weigh(one, findings)
                judged.append(self._prove(weighed) if weighed.verdict is Verdict.HOLDS else weighed)
        return judged

    def _prove(self, one: CheckedClaim) -> CheckedClaim:
        if one.run is None:
            return one
        rules = self.rules_of(one.run.record.project)
        manner = Manner(
            environ=self.asked.environ,
            at=self.asked.at,
            environment=self.asked.environment,
            reruns=rules.bar.reruns,
            timeout=rules.bar.timeout,
        )
        self.context.notice(f"executing {one.claim.name}")
        return trial.prove(self.context, one, manner, rules.settings, rules.bar, shorten(rules.of))

    def _try(self, claim: Claim) -> CheckedClaim:
        """As `_look`; what stands in the way of one claim costs the others nothing."""
        try:
            return self._look(claim)
        except (RepositoryError, DataError, SettingsError) as error:
            return CheckedClaim(claim, Verdict.UNKNOWN, str(error), run=self.located[claim].run)

    def _look(self, claim: Claim) -> CheckedClaim:
        """What can be said of a claim before its run is executed."""
        found = self.located[claim]
        run = found.run
        if run is None:
            return CheckedClaim(claim, found.verdict, found.reason)
        one = CheckedClaim(claim._replace(oid=run.oid), Verdict.HOLDS, run=run, notes=tuple(_note(claim, run)))
        try:
            check_run(run)
            rules = self.rules_of(run.record.project)
        except RecordError as error:
            return one._replace(verdict=Verdict.FAILS, reason=str(error))
        if lie := find_lie(self.context, run):
            return one._replace(verdict=Verdict.FAILS, reason=lie)
        if run.record.project != self.context.project:
            one = one._replace(bar=rules.bar, notes=(*one.notes, _say_rules(rules, run.record.project)))
        if self.scope.base is None or self.scope.base_oid is None:
            return one
        beside = self.comparer.compare(run, rules.settings) if self.comparer else None
        one = one._replace(difference=self._diff(run, self.scope.base, self.scope.base_oid), beside=beside)
        return self._compare(one, run, rules.bar, self.scope.base_oid)

    def _diff(self, run: Run, base: str, base_oid: str) -> Difference:
        """What the run changes: of what the base claims, or of the commit of it that the run stands on."""
        if self.baseline is not None:
            return diff(self.context, self.baseline, run, patch=False)
        repository = self.context.repository
        forks = (find_merge_base(repository, base_oid, other) for other in (run.oid, self.scope.head_oid))
        fork = next(filter(None, forks), base_oid)
        difference = diff(self.context, fork, run, patch=False)
        skipped = {area: why.replace(fork, base) for area, why in difference.skipped.items()}
        return difference._replace(old=difference.old._replace(name=base), skipped=skipped)

    def _compare(self, one: CheckedClaim, run: Run, bar: Bar, base_oid: str) -> CheckedClaim:
        """The claim after the head, which should be what ran, was compared with that."""
        compared = self._compare_code(run, bar, base_oid)
        one = one._replace(files=compared.files, notes=(*one.notes, *compared.given))
        if not compared.files:
            return one
        if self._is_superseded(one.claim, run, bar):
            return one._replace(verdict=Verdict.SUPERSEDED)
        if self.asked.at is not None:
            return one
        head = shorten(self.scope.head)
        named = name_few([compared.describe(file) for file in compared.files], _NAMED)
        reason = f"{head} is not what ran, it differs in {named}; {self._advise(compared, run, head)}"
        return one._replace(verdict=Verdict.FAILS, reason=reason)

    def _advise(self, compared: Compared, run: Run, head: str) -> str:
        """What to do about files that are not as they were."""
        base = shorten(self.scope.base or "")
        if compared.is_base_newer:
            return f"{base} brought that since: record a run of {head} and claim that, or check the merged code by `--at {head}`"
        if compared.are_results and len(compared.files) <= _NAMED:
            paths = shlex.join(file.path for file in compared.files)
            return f"`git restore --source={shorten(run.oid)} -- {paths}` takes the run's own results, which can be committed"
        more = ""
        if all(matches_path(file.path, SELDOM_READ) for file in compared.files):
            more = f", or let check.ignore of {base} name what no command reads"
        return f"record a run of {head} and claim that{more}"

    def _compare_code(self, run: Run, bar: Bar, base_oid: str) -> Compared:
        """How the head differs from what ran. It can have the results of one run only: another one's, if it has the code of that, too."""
        head = self.scope.head_oid
        alone = compare_code(self.context, run, head, bar.ignore, base=base_oid)
        others = [other for other in self.runs if other.oid != run.oid and self._is_there(other)] if alone.files else []
        return compare_code(self.context, run, head, bar.ignore, others=others, base=base_oid) if others else alone

    def _is_there(self, run: Run) -> bool:
        """Whether the head has the code of a run, whichever results it has: if not, nobody executes it to prove them."""
        if run.oid not in self.there:
            others = [other for other in self.runs if other.oid != run.oid]
            head = self.scope.head_oid
            try:
                ignore = self.rules_of(run.record.project).bar.ignore
                found = compare_code(self.context, run, head, ignore, others=others, base=self.scope.base_oid)
                self.there[run.oid] = not found.files
            except ExptrackError:  # which is told when its own claim is looked at
                self.there[run.oid] = False
        return self.there[run.oid]

    def _is_superseded(self, claim: Claim, run: Run, bar: Bar) -> bool:
        """Whether the claim was true of its own commit, and a newer commit claims another run."""
        if claim.commit == self.scope.claims.claims[0].commit:
            return False
        return not compare_code(self.context, run, claim.commit, bar.ignore).files


def _say_rules(rules: _Rules, project: str) -> str:
    """A note on what judges the run of another project."""
    if rules.of == DEFAULTS:
        return f"it is judged by the defaults: there is no exptrack.yaml for {project}/"
    folder = "" if rules.place == "." else f" in {rules.place}/"
    return f"it is judged by the exptrack.yaml{folder} of {shorten(rules.of)}"


def _note(claim: Claim, run: Run) -> list[str]:
    """What a reviewer should know of a run that is claimed."""
    record = run.record
    notes = []
    # Without addresses: the page may be public, and a forge gives people who merge there one of its own.
    recorder, claimer = (author.partition(" <")[0] or author for author in (record.author or "", claim.author))
    if recorder and claimer and recorder != claimer:
        where = f" on {record.host}" if record.host else ""
        notes.append(f"it was recorded by {recorder}{where}, and is claimed by {claimer}")
    if record.status is not Status.COMPLETED:
        notes.append(f"it did not complete when it was recorded: its status is {record.status}")
    if run.is_removed:
        notes.append(f"it was removed by {run.removed_by}, and is still here")
    return notes
