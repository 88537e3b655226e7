"""Build commits with `git fast-import`, one process for all their blobs and trees.

It runs in a repository of a moment that shares the object store: no ref of the user's is touched, no lock is taken, and what it made
becomes visible only when a ref is pointed at it afterwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_HERE = b"refs/heads/new"
_PREFIX = "import-"
_ABANDONED = 3600.0  # seconds; an import takes some milliseconds


def import_commit(repository: Repository, people: bytes, message: str, parent: str | None, changes: bytes) -> str:
    """Store a commit and give its oid.

    `people` are its author and committer lines, `parent` is what it stands on, and `changes` are fast-import's commands for its tree.
    """
    text = message.encode(errors="replace")
    parts = [b"commit %s\nmark :1\n%sdata %d\n%s\n" % (_HERE, people, len(text), text)]
    if parent:
        parts.append(b"from %s\n" % parent.encode())
    parts += [changes, b"get-mark :1\ndone\n"]
    folder = _make_scratch(repository)
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
        _remove(folder)


def format_files(files: Mapping[str, bytes | str], executable: Collection[str] = ()) -> bytes:
    """The commands that put regular files into a tree, byte for byte; those in `executable` with that bit. A text is the oid of a blob."""
    return b"".join(
        b"M %s %s %s\n" % (mode, data.encode(), _quote(path))
        if isinstance(data, str)
        else b"M %s inline %s\ndata %d\n%s\n" % (mode, _quote(path), len(data), data)
        for path, data in files.items()
        for mode in [b"100755" if path in executable else b"100644"]
    )


def store_files(repository: Repository, paths: Sequence[Path]) -> list[str]:
    """Store these files as blobs, byte for byte, however large they are; their oids."""
    listed = b"".join(_quote(str(path)) + b"\n" for path in paths)
    words = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    return command.run(repository.top, *words, stdin=listed).decode().split()


def format_notes(texts: Mapping[str, str]) -> bytes:
    """The commands that put a note on each object; git chooses where in the tree."""
    notes = ((oid.encode(), text.encode(errors="surrogateescape")) for oid, text in texts.items())
    return b"".join(b"N inline %s\ndata %d\n%s\n" % (oid, len(data), data) for oid, data in notes)


def sweep(repository: Repository) -> None:
    """Remove what killed imports have left."""
    for folder in repository.shared.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                _remove(folder)


def _remove(folder: Path) -> None:
    from shutil import rmtree  # 1.5 ms, which those who only read notes need not pay

    rmtree(folder, ignore_errors=True)


def _quote(path: str) -> bytes:
    escaped = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _find_sharing(repository: Repository) -> str:
    """Who may read and write the objects, if the repository is shared: git reads that from the config file of where it works."""
    if b"sharedrepository" not in (repository.common_dir / "config").read_bytes().lower():
        return ""
    said = command.call(repository.top, "config", "--get", "core.sharedRepository").out.decode(errors="replace").strip()
    return f"\tsharedRepository = {said}\n" if said.isalnum() else ""


def _make_scratch(repository: Repository) -> Path:
    """A bare repository without objects of its own."""
    folder = repository.shared / f"{_PREFIX}{os.urandom(8).hex()}"
    try:
        for path in (folder, folder / "refs", folder / "objects"):
            path.mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        version = "1\n[extensions]\n\tobjectFormat = sha256" if repository.object_format == "sha256" else "0"
        shared = _find_sharing(repository)
        (folder / "config").write_text(f"[core]\n\tbare = true\n{shared}\trepositoryFormatVersion = {version}\n")
    except OSError as error:
        _remove(folder)
        raise RepositoryError(f"cannot write below {repository.shared}: {error.strerror}") from error
    return folder
