"""Whether objects are there and are what their oids say: git itself believes the content of a loose object."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha1, sha256
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.objects import read_each
from exptrack.backends.git.repository import Repository

_IGNORED = re.compile(r"^warning: ignoring (?:broken ref|ref with broken name) (.*)$", re.MULTILINE)
_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"
_PLAIN = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}  # what git says is looked at


class Commit(NamedTuple):
    """A commit as it is stored; `signature` is `openpgp`, `ssh` or `x509`, None if it is not signed."""

    tree: str
    parents: tuple[str, ...]
    message: str
    signature: str | None


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


def read_whole(repository: Repository, kind: str, oids: Sequence[str]) -> Iterator[bytes | None]:
    """The content of objects of one kind, in order; None where there is none, git cannot read it, or it is not what the oid says."""
    hasher = sha256 if repository.object_format == "sha256" else sha1
    for oid, content in zip(oids, read_each(repository, oids), strict=True):
        if isinstance(content, bytes):
            found = hasher(b"%s %d\0" % (kind.encode(), len(content)) + content).hexdigest()
            yield content if found == oid else None
        else:
            yield None


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
