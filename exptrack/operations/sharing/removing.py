"""Runs that were removed here leave the remote as well, into its trash."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from exptrack.backends.git import transport
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.remotes import GitRemote
from exptrack.backends.git.repository import Repository
from exptrack.model.progress import Progress
from exptrack.store import trash
from exptrack.store.runs import name_of


def find_gone(repository: Repository, there: Mapping[str, str], removed: Collection[str]) -> dict[str, str]:
    """The refs of a remote whose runs were removed and have their objects here: whoever has these can move them."""
    gone = {ref: oid for ref, oid in there.items() if oid in removed}
    here = resolve(repository, list(gone.values())) if gone else []
    return {ref: oid for (ref, oid), found in zip(gone.items(), here, strict=True) if found is not None}


def move_to_trash(
    repository: Repository, remote: GitRemote, gone: Mapping[str, str], there: Mapping[str, str], progress: Progress
) -> list[str]:
    """Move runs of a remote (refs and oids) into its trash, which holds `there`, and give the names of those that were.

    All at once, by two pushes; where somebody else has changed some of these refs just now, one by one.
    """
    kept, taken = set(there.values()), dict(there)
    places: dict[str, str] = {}
    for ref, oid in gone.items():
        if oid not in kept:
            places[ref] = place = trash.find_place(name_of(ref), taken)
            taken[place] = oid
    created = transport.push_refs(repository, remote, {place: gone[ref] for ref, place in places.items()}, {}, progress)
    deleted = transport.push_refs(repository, remote, {}, {} if created.rejected else gone, progress)
    if len(gone) > 1 and (created.rejected or deleted.rejected):
        there = {ref: oid for ref, oid in taken.items() if ref in there or ref in created.done}
        left = {ref: oid for ref, oid in gone.items() if ref not in deleted.done}
        singly = (move_to_trash(repository, remote, {ref: oid}, there, progress) for ref, oid in left.items())
        return [*map(name_of, deleted.done), *(name for names in singly for name in names)]
    return [name_of(ref) for ref in deleted.done]
