"""Write notes by compare-and-swap.

`git notes append` by eight processes kept 22 to 27 of 120 lines. So the new commit is built apart, with `git fast-import` in a
repository of a moment that shares the object store (no ref of the user's is touched, no lock taken), and only then swapped in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from exptrack.backends.git import command, refs
from exptrack.backends.git.importing import format_notes, import_commit
from exptrack.backends.git.objects import read_many
from exptrack.backends.git.repository import Identity, Repository
from exptrack.errors import RepositoryError


def list_notes(repository: Repository, ref: str) -> dict[str, str]:
    """The note blob of each annotated commit."""
    out = command.run(repository.top, "notes", f"--ref={ref}", "list")
    pairs = (line.split(" ") for line in out.decode().splitlines())
    return {noted: blob for blob, noted in pairs}


def read_notes(
    repository: Repository, ref: str, oids: Sequence[str] | None = None, lost: set[str] | None = None
) -> dict[str, str]:
    """The text of each note, or of those on `oids` only. What is not UTF-8 comes as surrogates, and is written back as it was.

    A note that is not in the repository raises RepositoryError, or, if there is a set for these, puts what it is on into `lost`.
    """
    listed = list_notes(repository, ref)
    wanted = listed if oids is None else {oid: listed[oid] for oid in oids if oid in listed}
    texts = read_many(repository, list(wanted.values()))
    found: dict[str, str] = {}
    for oid, text in zip(wanted, texts, strict=True):
        if text is not None:
            found[oid] = text.decode(errors="surrogateescape")
        elif lost is None:
            raise RepositoryError(f"the note on {oid} in {ref} is not in the repository: run `git fsck`")
        else:
            lost.add(oid)
    return found


def add_to_notes(repository: Repository, ref: str, lines: Mapping[str, str], identity: Identity) -> None:
    """Append a text (lines, each ended) to the note on each commit, all at once, whatever others do meanwhile."""

    def append(texts: Mapping[str, str]) -> dict[str, str]:
        return {oid: _ended(texts.get(oid, "")) + text for oid, text in lines.items()}

    change_notes(repository, ref, append, list(lines), identity)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def change_notes(
    repository: Repository,
    ref: str,
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
    oids: Sequence[str],
    identity: Identity,
) -> None:
    """Read the notes on `oids`, let `change` give new texts, and swap the result in; from the start again if somebody was quicker."""

    def build(tip: str | None) -> str | None:
        texts = change(read_notes(repository, ref, oids) if tip else {})
        if refs.list_refs(repository, ref).get(ref) != tip:
            return None
        return _build(repository, tip, texts, identity)

    refs.swap_ref(repository, ref, build, "annotate")


def _build(repository: Repository, tip: str | None, texts: Mapping[str, str], identity: Identity) -> str:
    """Store a notes commit on `tip` and give its oid."""
    people = f"committer {identity} {int(time.time())} +0000\n".encode()
    return import_commit(repository, people, "annotate\n", tip, format_notes(texts))
