"""What Git knows before a run starts: who commits, where HEAD is, which names are taken. Asked all at once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from exptrack.backends.git import command, objects, refs, repository
from exptrack.backends.git.packed import has_packed
from exptrack.backends.git.repository import Committing, Repository
from exptrack.store.names import possible_refs
from exptrack.store.runs import ACTIVE, TRASH, name_of


class Outset(NamedTuple):
    """`base` is the commit that HEAD is at (None before the first), `branch` the branch, if any, `taken` the ref that has the name already."""

    committing: Committing
    base: str | None
    branch: str | None
    taken: str | None


def find_outset(place: Repository, name: str, now: datetime) -> Outset:
    """Look before a run of this name starts; raises RepositoryError if Git knows no identity.

    Looks up one possible ref a month instead of listing all runs, so that recording costs the same with 100 and with 100,000 of them.
    """
    candidates = [*possible_refs(name, now), ACTIVE + name]
    questions = [repository.ask_committing(), objects.ask_oids(["HEAD^{commit}", *candidates])]
    if _may_have_trash(place):
        questions.append(refs.ask_refs(TRASH))
    how, found, *listed = command.together(place.top, *questions)
    base, *oids = objects.parse_oids(found)
    taken = [ref for ref, oid in zip(candidates, oids, strict=True) if oid]
    taken += [ref for answer in listed for ref in refs.parse_refs(answer) if name_of(ref) == name]
    return Outset(repository.parse_committing(place, how), base, refs.find_branch(place), taken[0] if taken else None)


def _may_have_trash(place: Repository) -> bool:
    """Whether any run was ever removed: saves a git command where the refs are files. Packed or in a reftable, they may be there."""
    files = place.common_dir / TRASH
    return files.exists() or (place.common_dir / "reftable").exists() or has_packed(place.common_dir, TRASH)
