"""Annotations to and from a remote. Two clones have what both of them wrote, in whatever order they meet."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from exptrack.backends.git import refs, transport
from exptrack.backends.git.ancestry import is_ancestor
from exptrack.backends.git.notesmerge import merge_notes
from exptrack.backends.git.remotes import GitRemote
from exptrack.backends.git.repository import NOBODY, Repository, find_identity
from exptrack.errors import RepositoryError
from exptrack.model.progress import Progress
from exptrack.store.annotation import NOTES

_ATTEMPTS = 12
_PAUSE = 0.05  # seconds, for the first time
_LONGEST = 2.0


class Shared(NamedTuple):
    """Where the remote's annotations are now, whether that was changed, and what went wrong."""

    there: str | None
    changed: bool = False
    warning: str | None = None


def find_tip(repository: Repository) -> str | None:
    """The commit that holds our annotations."""
    return refs.list_refs(repository, NOTES).get(NOTES)


def take(repository: Repository, remote: GitRemote, there: str | None, progress: Progress) -> bool:
    """Merge the remote's annotations, which are at `there`, into ours; whether that brought anything. Raises RepositoryError."""
    here = find_tip(repository)
    if there is None or there == here or (here is not None and is_ancestor(repository, there, here)):
        return False
    transport.fetch_objects(repository, remote, {NOTES: there}, progress)
    return merge(repository, there)


def merge(repository: Repository, there: str) -> bool:
    """As `take`, for annotations whose objects are here."""
    here = find_tip(repository)
    # Fetching needs no identity, and a merge says nothing by itself.
    identity = find_identity(repository._replace(stand_in=NOBODY))
    return merge_notes(repository, NOTES, there, identity) != here


def share(repository: Repository, remote: GitRemote, there: str | None, progress: Progress) -> Shared:
    """Have the remote hold ours too: fetch, merge, push, and again if somebody was quicker. What fails is told and not raised."""
    try:
        for attempt in range(_ATTEMPTS):
            take(repository, remote, there, progress)
            here = find_tip(repository)
            if here is None or here == there:
                return Shared(there, changed=False)
            if transport.push_notes(repository, remote, NOTES, here, there):
                return Shared(here, changed=True)
            time.sleep(min(_PAUSE * 2**attempt, _LONGEST) * (0.5 + os.urandom(1)[0] / 256))
            there = transport.list_remote(repository, remote, NOTES).get(NOTES)
    except RepositoryError as error:
        return Shared(there, warning=f"the annotations are not shared yet: {error}")
    return Shared(there, warning="the annotations are not shared yet: others change them without pause; push again")
