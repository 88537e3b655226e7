"""The refs of runs and of their annotations, as git lists them: bytes that are compared whole, and only then looked into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from exptrack.backends.git import command, refs
from exptrack.backends.git.repository import Repository
from exptrack.store.annotation import NOTES
from exptrack.store.runs import RUNS

if TYPE_CHECKING:
    from subprocess import Popen

_NOTES = b" refs/notes/"


class Listing(NamedTuple):
    """Lines of oid and ref, one for each ref of a run, in the order of refs. `digest` stands for it all, `notes` is the oid of the annotations."""

    lines: bytes
    notes: str | None
    digest: str

    @property
    def among(self) -> int:
        """How many refs of runs there are."""
        return self.lines.count(b"\n")


def start(repository: Repository) -> Popen[bytes]:
    """Let git list the refs, while something else is done."""
    words, _ = refs.ask_refs(RUNS, NOTES)
    return command.start(repository.top, *words)


def finish(child: Popen[bytes]) -> Listing:
    """What it listed. Raises RepositoryError."""
    try:
        from _blake2 import blake2b  # without OpenSSL, which `hashlib` loads: 2 ms
    except ImportError:
        from hashlib import blake2b

    data = command.output(command.finish(child), "for-each-ref")
    lines, notes = data, None
    while (begin := lines.rfind(b"\n", 0, -1) + 1) < len(lines) and lines.startswith(_NOTES, lines.find(b" ", begin)):
        oid, _, ref = lines[begin:-1].partition(b" ")
        if ref == NOTES.encode():
            notes = oid.decode()
        lines = lines[:begin]
    return Listing(lines, notes, blake2b(data, digest_size=16).hexdigest())


def parse(line: bytes) -> tuple[str, str]:
    """Ref and oid of a line."""
    oid, _, ref = line.partition(b" ")
    return os.fsdecode(ref), oid.decode()


def parse_all(listing: Listing) -> dict[str, str]:
    """The oid of each ref, in the order of refs."""
    return dict(map(parse, listing.lines.split(b"\n")[:-1]))
