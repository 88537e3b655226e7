"""Refs of a moment, from which many refs are pushed at once.

Git compares each refspec with each ref on both sides: 1,000 of them took 8 s where there were 10,000 refs, a pattern 0.2 s. But a pattern
would take along a run that was recorded meanwhile, so what it stands for is set up apart, below refs/exptrack/outgoing/.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from exptrack.backends.git import command
from exptrack.backends.git.refs import list_refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_PLACE = "refs/exptrack/outgoing/"
_ABANDONED = 3600  # seconds; a push needs them only while it begins
# They may get lost with the machine; to be sure that they do not took 3 s for 1,000 where others use the disk, and 0.2 without.
_SETTINGS = ("core.packedRefsTimeout=1000", "core.logAllRefUpdates=false", "core.fsync=-reference")
_WORDS = (*(word for setting in _SETTINGS for word in ("-c", setting)), "update-ref", "--stdin")


@contextmanager
def lent(repository: Repository, oids: Mapping[str, str]) -> Iterator[str]:
    """A refspec that creates these refs on a remote, each at its oid, and nothing else."""
    _sweep(repository)
    place = f"{_PLACE}{int(time.time())}-{os.urandom(8).hex()}/"
    copies = {place + ref.removeprefix("refs/"): oid for ref, oid in oids.items()}
    try:
        created = _update(repository, "".join(f"create {copy} {oid}\n" for copy, oid in copies.items()))
        if created.code:
            raise RepositoryError(f"the refs to push cannot be set up below {_PLACE}: {command.reason(created.err)}")
        yield f"{place}*:refs/*"
    finally:
        _delete(repository, copies)


def _sweep(repository: Repository) -> None:
    """Remove what killed pushes have left."""
    found = list_refs(repository, _PLACE)
    now = time.time()
    if old := [ref for ref in found if now - _started(ref) > _ABANDONED]:
        _delete(repository, old)


def _started(ref: str) -> int:
    text = ref.removeprefix(_PLACE).partition("-")[0]
    return int(text) if text.isdecimal() else 0


def _delete(repository: Repository, names: Mapping[str, str] | list[str]) -> None:
    # What a lock holds up is left for the next push.
    _update(repository, "".join(f"delete {name}\n" for name in names))


def _update(repository: Repository, lines: str) -> command.Done:
    return command.call(repository.top, *_WORDS, stdin=os.fsencode(lines), environ=repository.environ)
