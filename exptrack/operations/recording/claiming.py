"""The name of a new run, and the words that go with it, before anything is started."""

from __future__ import annotations

import os
from datetime import datetime

from exptrack.analysis.message import check_note
from exptrack.analysis.names import check_name, check_tag, make_up
from exptrack.backends.git.repository import Repository
from exptrack.errors import NameTakenError
from exptrack.operations.recording.request import Request
from exptrack.store import journal as journals
from exptrack.store.journal import Journal
from exptrack.store.outset import Outset, find_outset

_ATTEMPTS = 20


def check_request(request: Request) -> None:
    """Nothing that the user named may break the message of the commit, or be taken for something else later; raises ExptrackError."""
    check_note(request.note or "")
    for tag in request.tags:
        check_tag(tag)
    if request.experiment is not None:
        check_tag(request.experiment, "experiment")


def claim_name(repository: Repository, wanted: str | None, now: datetime) -> tuple[Journal, Outset]:
    """Take a name nobody has, and the journal that goes with it; raises NameTakenError."""
    if wanted is not None:
        check_name(wanted)
    for _ in range(_ATTEMPTS):
        name = wanted or make_up(_randbelow)
        # Claimed before looking, so that nobody can take it between the two.
        journal = journals.claim(repository.shared, name)
        try:
            outset = find_outset(repository, name, now)
        except BaseException:
            _let_go(journal)
            raise
        if outset.taken is None:
            return journal, outset
        _let_go(journal)
        if wanted:
            raise NameTakenError(f"a run named '{name}' exists already ({outset.taken}): choose another name")
    raise NameTakenError("no free name was found in 20 attempts: give one with `--name`")


def _let_go(journal: Journal) -> None:
    journal.remove()
    journal.close()


def _randbelow(bound: int) -> int:
    """A random number below a small bound; the module `secrets` takes 4 ms to import for it."""
    return int.from_bytes(os.urandom(8)) % bound
