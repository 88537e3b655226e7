"""Read and write objects: blobs, trees through an index file, commits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as it is stored. `message` is decoded leniently."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    message: str


def resolve(repository: Repository, names: Sequence[str]) -> list[str | None]:
    """The oid of each name (a ref, `HEAD^{commit}`, `<oid>:<path>`), None where there is none; one process for all."""
    out = command.run(
        repository.top,
        "cat-file",
        "--batch-check=%(objectname)",
        stdin="".join(f"{name}\n" for name in names).encode(errors="surrogateescape"),
    )
    answers = out.decode(errors="surrogateescape").splitlines()
    return [None if answer.endswith((" missing", " ambiguous")) else answer for answer in answers]


def read_many(repository: Repository, names: Sequence[str]) -> Iterator[bytes | None]:
    """The content of each named object, in order; None where it is missing."""
    if not names:
        return
    data = command.run(
        repository.top,
        "cat-file",
        "--batch",
        stdin="".join(f"{name}\n" for name in names).encode(errors="surrogateescape"),
    )
    position = 0
    for _ in names:
        end = data.index(b"\n", position)
        header = data[position:end].rsplit(b" ", 2)
        position = end + 1
        if header[-1] in {b"missing", b"ambiguous"} or not header[-1].isdigit():
            yield None
            continue
        size = int(header[-1])
        yield data[position : position + size]
        position += size + 1


def read(repository: Repository, name: str) -> bytes | None:
    """The content of one object, or None."""
    return next(iter(read_many(repository, [name])))


def parse_commit(oid: str, data: bytes) -> Commit:
    """A commit object's content as a value."""
    header, _, message = data.partition(b"\n\n")
    fields = [line.partition(b" ") for line in header.split(b"\n")]
    tree = next((value.decode() for key, _, value in fields if key == b"tree"), "")
    parents = tuple(value.decode() for key, _, value in fields if key == b"parent")
    return Commit(oid, tree, parents, message.decode(errors="replace"))


def write_blobs(repository: Repository, contents: Sequence[bytes], scratch: Path) -> list[str]:
    """Store each content as a blob, byte for byte (no filters); `scratch` is a folder for the hand-over."""
    if not contents:
        return []
    paths = [scratch / f"blob-{number}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    names = "".join(f"{path}\n" for path in paths)
    out = command.run(repository.top, "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=os.fsencode(names))
    for path in paths:
        path.unlink()
    return out.decode().split()


def write_tree(repository: Repository, index: Path) -> str:
    """The tree that an index file describes. Objects that a partial clone has left on the server may stay there."""
    return command.run(repository.top, "write-tree", "--missing-ok", environ=index_environ(index)).decode().strip()


def index_environ(index: Path) -> dict[str, str]:
    """The variables that make git work on this index file."""
    return {"GIT_INDEX_FILE": str(index)}


def put_into_index(repository: Repository, index: Path, blobs: Mapping[str, str]) -> None:
    """Enter blobs by path as regular files; an oid of zeros takes the path out."""
    lines = (
        f"{'0' if not oid.strip('0') else '100644'} {oid}\t".encode() + os.fsencode(path) + b"\0"
        for path, oid in blobs.items()
    )
    command.run(
        repository.top,
        "update-index",
        "--add",
        "--replace",
        "-z",
        "--index-info",
        stdin=b"".join(lines),
        environ=index_environ(index),
    )


def write_commit(
    repository: Repository, tree: str, parents: Sequence[str], message: str, *, signed: bool = False
) -> str:
    """Store a commit by the user's Git identity and give its oid; raises RepositoryError (a failing signer included)."""
    words = ["-S"] if signed else []
    for parent in parents:
        words += ["-p", parent]
    return (
        command.run(
            repository.top,
            "-c",
            "i18n.commitEncoding=UTF-8",
            "commit-tree",
            *words,
            "-F",
            "-",
            tree,
            stdin=message.encode(errors="replace"),
        )
        .decode()
        .strip()
    )


def empty_oid(repository: Repository) -> str:
    """The oid of zeros, which stands for `no such object`."""
    return "0" * (64 if repository.object_format == "sha256" else 40)


def require(oid: str | None, what: str) -> str:
    """`oid`, or RepositoryError if the object is gone."""
    if oid is None:
        raise RepositoryError(f"{what} is not in the repository")
    return oid
