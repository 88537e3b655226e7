"""Have the runs here that are claimed: those that are not come from the remote, and of one that does not it is known why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.names import is_name
from exptrack.backends.git.objects import find_parent, resolve
from exptrack.backends.git.remotes import GitRemote, find_remote
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.checking import Claim, Verdict
from exptrack.model.progress import Progress
from exptrack.model.run import BrokenRun, Run
from exptrack.model.sharing import Fetched
from exptrack.operations.context import Context
from exptrack.operations.fetch import Order, fetch
from exptrack.operations.sharing.arriving import Filter
from exptrack.operations.sharing.marks import read_marks
from exptrack.operations.sharing.selecting import list_here
from exptrack.store import annotation, runs
from exptrack.store.runs import ABBREVIATED, name_of

_Refs = Mapping[str, str]


class Located(NamedTuple):
    """The run of a claim, with its snapshot and base; or None, what is to be said of the claim then, and why in one line."""

    run: Run | None
    verdict: Verdict = Verdict.HOLDS
    reason: str = ""


class _Asked(NamedTuple):
    """What came of asking a remote: what it gave, or why there was no answer."""

    remote: GitRemote | None = None
    fetched: Fetched | None = None
    silence: str = ""


def locate(
    context: Context, wanted: Sequence[Claim], remote: str | None, progress: Progress | None = None
) -> Mapping[Claim, Located]:
    """The run of each claim. All that are not here are fetched at once, with annotations, and nothing else is; a claim without an oid means the name.

    Nothing is raised: a remote that does not answer is the reason of those that are not here.
    """
    repository = context.repository
    here = list_here(repository)
    places = {claim: _find_place(here, claim) for claim in wanted}
    absent = [claim for claim, ref in places.items() if ref is None]
    names = tuple(dict.fromkeys(claim.name for claim in absent if is_name(claim.name)))
    asked = _ask(context, names, remote, progress) if names else _Asked()
    here = list_here(repository) if names else here
    places |= {claim: _find_place(here, claim) for claim in absent}
    removed = read_marks(repository).removed
    lost = {claim: _explain(claim, here, asked, removed) for claim, ref in places.items() if ref is None}
    return _load(repository, here, places) | {claim: Located(None, *why) for claim, why in lost.items()}


def _find_place(here: _Refs, claim: Claim) -> str | None:
    """The ref of the run that is claimed, if it is here; by a name alone only one that no other run has."""
    named = [ref for ref, oid in here.items() if name_of(ref) == claim.name and claim.oid in {oid, ""}]
    return named[0] if (claim.oid and named) or len(named) == 1 else None


def _ask(context: Context, names: tuple[str, ...], word: str | None, progress: Progress | None) -> _Asked:
    remote = None
    try:
        remote = find_remote(context.repository, word)
        return _Asked(remote, fetch(context, Order(word, Filter(exactly=names)), progress))
    except RepositoryError as error:
        return _Asked(remote, silence=str(error))


def _explain(claim: Claim, here: _Refs, asked: _Asked, removed: Mapping[str, str]) -> tuple[Verdict, str]:
    """Why there is no run for a claim, and what to do."""
    name, oid = claim.name, claim.oid
    if not is_name(name):
        return Verdict.UNKNOWN, "no run can have this name: `exptrack ls` lists the runs"
    others = [other for ref, other in here.items() if name_of(ref) == name]
    if not oid and len(others) > 1:
        oids = " and ".join(other[:ABBREVIATED] for other in others)
        return Verdict.UNKNOWN, f"{len(others)} runs have this name, {oids}: name one by its oid"
    if oid in removed:
        return Verdict.UNKNOWN, (
            f"it was removed by {removed[oid]}: `exptrack rm --restore {name}` and `exptrack push {name}` where it was removed bring it back"
        )
    if asked.fetched is None:
        return _explain_silence(others, asked)
    return _explain_answer(claim, others, asked.fetched, asked.remote.name if asked.remote else "the remote")


def _explain_silence(others: Sequence[str], asked: _Asked) -> tuple[Verdict, str]:
    if others:
        return Verdict.UNKNOWN, f"the run of this name here is another ({others[0][:ABBREVIATED]}); {asked.silence}"
    return Verdict.UNKNOWN, f"it is not here; {asked.silence}"


def _explain_answer(claim: Claim, others: Sequence[str], fetched: Fetched, remote: str) -> tuple[Verdict, str]:
    name, claimed = claim.name, claim.oid[:ABBREVIATED]
    refused = [held.reason for held in fetched.refused if held.name == name]
    if refused:
        return Verdict.FAILS, f"it was refused when it came from {remote}, do not trust it: {refused[0]}"
    clashes = [clash for clash in fetched.clashes if clash.name == name]
    for clash in clashes:
        if claim.oid in {clash.there, ""}:
            return Verdict.UNKNOWN, (
                f"the name is taken here by another run ({clash.here[:ABBREVIATED]}), so that the one of {remote} "
                f"({clash.there[:ABBREVIATED]}) cannot come: remove that by `exptrack rm {name}`"
            )
    came = any(name in arrival.names for arrival in fetched.arrivals)
    there = [clash.there for clash in clashes] or (list(others) if came else [])
    if there or others:
        where, other = (f" on {remote}", there[0]) if there else (" here", others[0])
        return Verdict.FAILS, (
            f"the run of this name{where} is {other[:ABBREVIATED]}, and {claimed} is claimed: "
            f"claim the run whose results these are, as `exptrack show {name}` prints its oid"
        )
    if name in fetched.tombstoned:
        return Verdict.UNKNOWN, f"it was removed: `exptrack rm --restore {name}` brings it back"
    return Verdict.UNKNOWN, f"it is neither here nor on {remote}: who recorded it runs `exptrack push {name}`"


def _load(repository: Repository, here: _Refs, places: Mapping[Claim, str | None]) -> dict[Claim, Located]:
    """The runs at these refs, as `store.revs.load` gives them."""
    wanted = {ref: here[ref] for ref in places.values() if ref is not None}
    if not wanted:
        return {}
    read = list(runs.read_runs(repository, wanted))
    whole = annotation.annotate(repository, [run for run in read if isinstance(run, Run)])
    parents = iter(resolve(repository, [f"{run.oid}{what}" for run in whole for what in ("^1", "^1^1")]))
    found = {}
    for run in whole:
        snapshot, base = next(parents), next(parents)
        base = find_parent(repository, snapshot) if snapshot and not base else base
        found[run.ref] = Located(run._replace(snapshot=snapshot, base=base))
    for one in read:
        if isinstance(one, BrokenRun):
            found[one.ref] = Located(None, Verdict.FAILS, f"its record cannot be read: {one.reason}")
    return {claim: found[ref] for claim, ref in places.items() if ref is not None}
