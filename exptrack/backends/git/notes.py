"""Write notes by compare-and-swap.

`git notes append` by eight processes kept 22 to 27 of 120 lines. So the new commit is built apart, with `git fast-import` in a
repository of a moment that shares the object store (no ref of the user's is touched, no lock taken), and only then swapped in.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exptrack.backends.git import command, refs
from exptrack.backends.git.objects import read_many
from exptrack.backends.git.repository import Identity, Repository
from exptrack.errors import RepositoryError

_ATTEMPTS = 200


def list_notes(repository: Repository, ref: str) -> dict[str, str]:
    """The note blob of each annotated object."""
    out = command.call(repository.top, "notes", f"--ref={ref}", "list")
    pairs = (line.split(" ") for line in out.out.decode().splitlines())
    return {noted: blob for blob, noted in pairs}


def read_notes(repository: Repository, ref: str, oids: Sequence[str] | None = None) -> dict[str, str]:
    """The text of each note, or of those on `oids` only."""
    listed = list_notes(repository, ref)
    wanted = listed if oids is None else {oid: listed[oid] for oid in oids if oid in listed}
    texts = read_many(repository, list(wanted.values()))
    return {oid: (text or b"").decode(errors="replace") for oid, text in zip(wanted, texts, strict=True)}


def add_to_notes(repository: Repository, ref: str, lines: Mapping[str, str], identity: Identity) -> None:
    """Append a text (lines, each ended) to the note of each object, in one commit, whatever others do meanwhile."""
    change_notes(
        repository,
        ref,
        lambda texts: {oid: texts.get(oid, "") + line for oid, line in lines.items()},
        list(lines),
        identity,
    )


def change_notes(
    repository: Repository,
    ref: str,
    change: Callable[[Mapping[str, str]], Mapping[str, str]],
    oids: Sequence[str],
    identity: Identity,
) -> None:
    """Read the notes on `oids`, let `change` give new texts, and swap the result in; from the start again if somebody was quicker."""
    zeros = "0" * len(oids[0])
    for attempt in range(_ATTEMPTS):
        tip = refs.list_refs(repository, ref).get(ref)
        texts = change(read_notes(repository, ref, oids) if tip else {})
        if refs.list_refs(repository, ref).get(ref) != tip:
            continue
        new = _build(repository, tip, texts, identity)
        try:
            if refs.move_ref(repository, ref, new, tip or zeros, "annotate"):
                return
        except RepositoryError:
            if attempt == _ATTEMPTS - 1:
                raise
        time.sleep(random.uniform(0, 0.02) * min(attempt + 1, 8))  # noqa: S311 - jitter, not a secret
    raise RepositoryError(f"{ref} is changed by others without pause: try again")


def _build(repository: Repository, tip: str | None, texts: Mapping[str, str], identity: Identity) -> str:
    """Store a notes commit on `tip` and give its oid."""
    who = f"{identity.name} <{identity.email}> {int(time.time())} +0000".encode()
    parts = [b"commit refs/notes/new\nmark :1\ncommitter %s\ndata 8\nannotate\n" % who]
    if tip:
        parts.append(b"from %s\n" % tip.encode())
    for oid, text in texts.items():
        data = text.encode(errors="replace")
        parts.append(b"N inline %s\ndata %d\n%s\n" % (oid.encode(), len(data), data))
    parts.append(b"get-mark :1\ndone\n")
    folder = _scratch(repository)
    try:
        out = command.run(
            folder, "fast-import", "--quiet", "--done", stdin=b"".join(parts),
            environ={
                "GIT_DIR": str(folder), "GIT_COMMON_DIR": None, "GIT_WORK_TREE": None, "GIT_INDEX_FILE": None,
                "GIT_OBJECT_DIRECTORY": str(repository.common_dir / "objects"),
            },
        )  # fmt: skip
        return out.decode().strip()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _scratch(repository: Repository) -> Path:
    """A bare repository without objects of its own."""
    repository.shared.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="notes-", dir=repository.shared))
    (folder / "refs").mkdir()
    (folder / "objects").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    version = "1\n[extensions]\n\tobjectFormat = sha256" if repository.object_format == "sha256" else "0"
    (folder / "config").write_text(f"[core]\n\tbare = true\n\trepositoryFormatVersion = {version}\n")
    return folder
