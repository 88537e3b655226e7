"""Whether the runs that a message claims exist and were pushed, before it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from exptrack.analysis.claims import SHAPE, find_claims, strip_comments
from exptrack.backends.git import transport
from exptrack.backends.git.everywhere import list_remotes
from exptrack.backends.git.messages import find_comment_signs
from exptrack.backends.git.remotes import GitRemote, find_remote
from exptrack.errors import RepositoryError
from exptrack.model.checking import Claim
from exptrack.operations.context import Context
from exptrack.operations.sharing.selecting import list_here
from exptrack.store.runs import ABBREVIATED, RUNS, name_of


class _Side(NamedTuple):
    """The oids of runs by their names, here or on a remote, and how to call that."""

    where: str
    oids: Mapping[str, tuple[str, ...]]


def check_message(context: Context, text: str, remote: str | None = None) -> tuple[str, ...]:
    """What stands against the claims of a message that is to be committed: a line for each, none if all is well.

    Each claimed run must exist, with this oid, and be on the remote for runs, which is asked once and if there is any. If it does not
    answer, that is a notice, and only lines that claim nothing are told.
    """
    found = find_claims(strip_comments(text, find_comment_signs(context.repository)))
    refused = [f"'{one.line}' claims no run: write it as `{SHAPE}`" for one in found.broken]
    if not found.claims:
        return tuple(refused)
    here = _Side("here", _group(list_here(context.repository)))
    try:
        place = _find_remote(context, remote)
        there = _look(context, place) if place else None
    except RepositoryError as error:
        context.notice(f"whether the claimed runs were pushed is not known: {error}")
        return tuple(refused)
    judged = (_judge(claim, here, there) for claim in found.claims)
    return (*refused, *(f"{claim.name}: {why}" for claim, why in zip(found.claims, judged, strict=True) if why))


def _find_remote(context: Context, word: str | None) -> GitRemote | None:
    """The remote for runs, None if the repository has no remote at all."""
    if word is None and not list_remotes(context.repository):
        return None
    return find_remote(context.repository, word)


def _look(context: Context, remote: GitRemote) -> _Side:
    return _Side(f"on {remote.name}", _group(transport.list_remote(context.repository, remote, f"{RUNS}*")))


def _group(refs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for ref, oid in refs.items():
        found[name_of(ref)] = (*found.get(name_of(ref), ()), oid)
    return found


def _judge(claim: Claim, here: _Side, there: _Side | None) -> str | None:
    """Why a claim is refused; None if its run is where it should be."""
    name, oid = claim.name, claim.oid
    for side in (there, here):
        if side is None or name not in side.oids:
            continue
        if oid not in side.oids[name]:
            if side is there and oid in here.oids.get(name, ()):
                return (
                    f"{side.where} is another run of this name ({side.oids[name][0][:ABBREVIATED]}): share yours "
                    f"by `exptrack push {name} --as NAME`, and claim that"
                )
            return (
                f"the run of this name {side.where} is {side.oids[name][0][:ABBREVIATED]}, and the message claims {oid[:ABBREVIATED]}: "
                f"`exptrack show {name}` prints the oid to claim"
            )
        if side is there or there is None:
            return None
        return f"it is not {there.where} yet: run `exptrack push {name}` first"
    return f"there is no such run {here.where}{f' or {there.where}' if there else ''}: `exptrack ls` lists the runs"
