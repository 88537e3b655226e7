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

_REPLACED = "refs/replace/"
_OF_RUNS = f" {RUNS}".encode()


class Listing(NamedTuple):
    """Lines of oid and ref, one for each ref of a run, in the order of refs.

    `digest` stands for it all, `notes` is the oid of the annotations, `replaced` stands for what `git replace` put in the place of objects.
    """

    lines: bytes
    notes: str | None
    digest: str
    replaced: str

    @property
    def among(self) -> int:
        """How many refs of runs there are."""
        return self.lines.count(b"\n")


def start(repository: Repository) -> Popen[bytes]:
    """Let git list the refs, while something else is done."""
    replaced = () if "GIT_NO_REPLACE_OBJECTS" in os.environ else (_REPLACED,)  # as in `exptrack check`
    words, _ = refs.ask_refs(RUNS, NOTES, *replaced)
    return command.start(repository.top, *words)


def finish(child: Popen[bytes]) -> Listing:
    """What it listed. Raises RepositoryError."""
    data = command.output(command.finish(child), "for-each-ref")
    end = len(data)
    while end and not data.startswith(_OF_RUNS, data.find(b" ", begin := data.rfind(b"\n", 0, end - 1) + 1)):
        end = begin
    others = dict(map(parse, data[end:].split(b"\n")[:-1]))  # behind those of runs, in the order of refs
    notes = others.pop(NOTES, None)
    replaced = "\n".join(f"{ref} {oid}" for ref, oid in others.items() if ref.startswith(_REPLACED))
    return Listing(data[:end], notes, _digest(data), replaced and _digest(os.fsencode(replaced)))


def parse(line: bytes) -> tuple[str, str]:
    """Ref and oid of a line."""
    oid, _, ref = line.partition(b" ")
    return os.fsdecode(ref), oid.decode()


def parse_all(listing: Listing) -> dict[str, str]:
    """The oid of each ref, in the order of refs."""
    return dict(map(parse, listing.lines.split(b"\n")[:-1]))


def _digest(data: bytes) -> str:
    try:
        from _blake2 import blake2b  # without OpenSSL, which `hashlib` loads: 2 ms
    except ImportError:
        from hashlib import blake2b

    return blake2b(data, digest_size=16).hexdigest()
