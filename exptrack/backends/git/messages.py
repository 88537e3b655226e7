"""The messages of commits that mention a run, and what Git leaves out of a message that somebody writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.objects import read_many
from exptrack.backends.git.repository import Repository

_LIST = (
    "-c", "i18n.logOutputEncoding=UTF-8", "rev-list", "--grep=Exptrack-Run", "--regexp-ignore-case", "--fixed-strings",
)  # fmt: skip
_HEADER = re.compile(rb"^(author|encoding) (.*)$", re.MULTILINE)
_AUTO = "#;@!$%^&|:"  # what Git chooses from if it is left to it


class Message(NamedTuple):
    """The message of a commit (its oid in full), and its author, as `Name <mail>`."""

    oid: str
    author: str
    text: str


def read_messages(
    repository: Repository, tip: str, *, without: str | None = None, number: int | None = None
) -> Iterator[Message]:
    """The messages of the commits that `tip` has and `without` has not, in which the words `Exptrack-Run` are; the newest first.

    At most `number`. Only git looks at all commits: 100,000 of them take it 0.8 s. Raises RepositoryError if a commit is missing.
    """
    # In a range no commit comes before those that stand on it, whatever the clocks said; the whole history would have to be sorted for it.
    order, ends = (("--date-order",), (tip, f"^{without}")) if without else ((), (tip,))
    most = () if number is None else (f"--max-count={number}",)
    oids = command.run(repository.top, *_LIST, *order, *most, "--end-of-options", *ends).decode().split()
    for oid, content in zip(oids, read_many(repository, oids), strict=True):
        if content is not None:
            yield _parse(oid, content)


def _parse(oid: str, content: bytes) -> Message:
    """A commit's headers end with the first empty line; those of a signature or a merged tag have a blank in front of each."""
    head, _, text = content.partition(b"\n\n")
    headers = dict(reversed(_HEADER.findall(head)))  # of two the first counts, as in git
    encoding = headers.get(b"encoding", b"UTF-8").decode(errors="replace")
    person = _decode(headers.get(b"author", b""), encoding)
    return Message(oid, person.rpartition(">")[0] + ">" if ">" in person else person, _decode(text, encoding))


def _decode(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding, errors="replace")
    except (LookupError, ValueError):
        return text.decode(errors="replace")


def find_comment_signs(repository: Repository) -> tuple[str, ...]:
    """What a line begins with that Git leaves out of a message; several where Git chooses one for each message."""
    words = ("config", "--null", "--get-regexp", r"^core\.comment(char|string)$")
    said = command.split(command.call(repository.top, *words, environ=repository.environ).out)
    sign = said[-1].partition("\n")[2] if said else ""
    return tuple(_AUTO) if sign == "auto" else (sign or "#",)
