"""Whether objects are there and are what their oids say: git itself believes the content of a loose object."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha1, sha256
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.objects import read, read_many
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_MOST_FAILURES = 100
_IGNORED = re.compile(r"^warning: ignoring (?:broken ref|ref with broken name) (.*)$", re.MULTILINE)
_MEASURE = ("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)")
_FACTS = re.compile(r"([0-9a-f]+) (blob|tree|commit|tag) (\d+)")
_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"
_PLAIN = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}  # what git says is looked at


class Measure(NamedTuple):
    """What is known of an object without reading it."""

    oid: str
    kind: str
    size: int


class Commit(NamedTuple):
    """A commit as it is stored; `signature` is `openpgp`, `ssh` or `x509`, None if it is not signed."""

    tree: str
    parents: tuple[str, ...]
    message: str
    signature: str | None


class Entry(NamedTuple):
    """What a tree names: a file, link, folder or submodule (then `is_elsewhere`)."""

    name: str
    oid: str
    is_folder: bool
    is_elsewhere: bool


class Reached(NamedTuple):
    """The oids that lie behind some commits, those of them that are missing, and what git says if it could not go on."""

    oids: tuple[str, ...]
    missing: tuple[str, ...]
    failure: str | None


def list_all_refs(repository: Repository, *prefixes: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The refs below the prefixes with their oids, and the names of those that git passes over since they hold no oid."""
    words = ("for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
    done = command.call(repository.top, *words, environ=_PLAIN)
    pairs = (line.partition(" ") for line in os.fsdecode(command.output(done, "for-each-ref")).split("\n")[:-1])
    return {name: oid for oid, _, name in pairs}, tuple(dict.fromkeys(_IGNORED.findall(done.err)))


def is_partial(repository: Repository) -> bool:
    """Whether objects may be missing here since a remote has promised them."""
    return command.call(repository.top, "config", "--get-regexp", _PARTIAL).code == 0


def reach(repository: Repository, tips: Sequence[str], *, is_partial: bool) -> Reached:
    """All objects behind the tips, in one walk; what a remote has promised is not asked for, and not missing."""
    missing = "allow-promisor" if is_partial else "print"
    words = ("rev-list", "--objects", "--no-object-names", f"--missing={missing}", "--stdin")
    done = command.call(repository.top, *words, stdin="".join(f"{oid}\n" for oid in tips).encode(), environ=_PLAIN)
    lines = done.out.decode(errors="replace").splitlines()
    return Reached(
        tuple(line for line in lines if not line.startswith("?")),
        tuple(line[1:] for line in lines if line.startswith("?")),
        command.reason(done.err) or "it failed" if done.code else None,
    )


def measure_each(repository: Repository, names: Sequence[str]) -> list[Measure | None]:
    """Oid, kind and size of each named object (no name holds the end of a line), None where there is none."""
    if not names:
        return []
    done = command.call(repository.top, *_MEASURE, stdin=b"".join(os.fsencode(name) + b"\n" for name in names))
    lines = os.fsdecode(command.output(done, "cat-file")).split("\n")[:-1]
    found = (_FACTS.fullmatch(line) for line in lines)
    return [Measure(one[1], one[2], int(one[3])) if one else None for one in found]


def read_each(repository: Repository, names: Sequence[str]) -> Iterator[bytes | None]:
    """The content of each named object, in order, None where it is missing or git cannot read it.

    Over an object that is broken git gives up, and is started again behind it; raises RepositoryError if that happens again and again.
    """
    done = failures = 0
    while done < len(names):
        try:
            for content in read_many(repository, names[done:]):
                yield content
                done += 1
        except RepositoryError:
            failures += 1
            if failures > _MOST_FAILURES:
                raise
            yield _read_alone(repository, names[done])
            done += 1


def _read_alone(repository: Repository, name: str) -> bytes | None:
    try:
        return read(repository, name)
    except RepositoryError:
        return None


def read_whole(repository: Repository, kind: str, oids: Sequence[str]) -> Iterator[bytes | None]:
    """As `read_each`, for oids of objects of one kind; None also where the content is not what the oid says."""
    hasher = sha256 if repository.object_format == "sha256" else sha1
    for oid, content in zip(oids, read_each(repository, oids), strict=True):
        is_whole = (
            content is not None and hasher(b"%s %d\0" % (kind.encode(), len(content)) + content).hexdigest() == oid
        )
        yield content if is_whole else None


def parse_commit(data: bytes) -> Commit:
    """A commit from its content; what is not UTF-8 in its message is replaced."""
    head, _, message = data.partition(b"\n\n")
    lines = [line.partition(b" ") for line in head.split(b"\n")]
    signed = [value for key, _, value in lines if key in {b"gpgsig", b"gpgsig-sha256"}]
    return Commit(
        next((value.decode() for key, _, value in lines if key == b"tree"), ""),
        tuple(value.decode() for key, _, value in lines if key == b"parent"),
        message.decode(errors="replace"),
        _kind_of(signed[0]) if signed else None,
    )


def _kind_of(signature: bytes) -> str:
    return "ssh" if b"SSH" in signature else "x509" if b"SIGNED MESSAGE" in signature else "openpgp"


def parse_tree(data: bytes, width: int) -> Iterator[Entry]:
    """The entries of a tree from its content; an oid takes `width` bytes."""
    position = 0
    while position < len(data):
        blank, end = data.find(b" ", position), data.find(b"\0", position)
        mode = data[position:blank]
        oid = data[end + 1 : end + 1 + width].hex()
        yield Entry(os.fsdecode(data[blank + 1 : end]), oid, mode in {b"40000", b"040000"}, mode == b"160000")
        position = end + 1 + width


def check_signatures(repository: Repository, oids: Sequence[str]) -> dict[str, str]:
    """Of each commit the letter that git gives its signature: `G` good, `B` bad, `U`, `E` and `N` not to be judged, `X`, `Y`, `R`."""
    if not oids:
        return {}
    words = ["log", "--no-walk=unsorted", "--no-patch", "--format=%H %G?", "--stdin"]
    settings = ["-c", "log.showSignature=false"]
    if command.call(repository.top, "config", "gpg.ssh.allowedSignersFile").code:
        # Without such a file git says nothing of ssh signatures; by an empty one it tells at least those that are bad.
        settings += ["-c", "gpg.ssh.allowedSignersFile=/dev/null"]
    done = command.call(repository.top, *settings, *words, stdin="".join(f"{oid}\n" for oid in oids).encode())
    pairs = (line.split(" ") for line in command.output(done, "log").decode().splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
