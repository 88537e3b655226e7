"""Read and write objects: blobs, trees through an index file, commits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository
from exptrack.backends.git.streaming import stream
from exptrack.errors import RepositoryError

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Without `--buffer` git writes each line by itself: 8,000 took 77 ms instead of 67.
_RESOLVE = ("cat-file", "--buffer", "--batch-check=%(objectname)")
_MEASURE = ("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)")
_MEASURED = re.compile(r"([0-9a-f]+) (blob|tree|commit|tag) (\d+)")
_MOST_FAILURES = 100
_MANY = 2000  # names, from which on two processes are quicker than one: 8,000 took 40 ms instead of 67

LARGEST = 64 * 1024 * 1024  # bytes; what is larger is not read into memory unless somebody asked for just that


class Measure(NamedTuple):
    """What is known of an object without reading it: what it is (`blob`, `tree`, `commit`, `tag`), and its size in bytes."""

    oid: str
    kind: str
    size: int


class Entry(NamedTuple):
    """What a tree names: a file, link, folder or submodule, by its mode in octal digits without a zero in front."""

    mode: str
    name: str
    oid: str

    @property
    def is_folder(self) -> bool:
        return self.mode == "40000"

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is the commit of a submodule, which another repository has."""
        return self.mode == "160000"


def resolve(repository: Repository, names: Sequence[str]) -> list[str | None]:
    """The oid of each name (a ref, `HEAD^{commit}`, `<oid>:<path>`), None where there is none; one process for all."""
    return parse_oids(
        command.call(repository.top, *_RESOLVE, stdin=b"".join(line + b"\n" for line in _lines(repository, names)))
    )


def measure(repository: Repository, names: Sequence[str]) -> list[Measure | None]:
    """Oid, kind and size of each named object, None where there is none; nothing is read, and it is one process, of many names two."""
    middle = len(names) // 2 if len(names) >= _MANY else 0
    if not middle:
        return _measure(repository, names)
    from threading import Thread

    later: list[list[Measure | None] | Exception] = []

    def measure_later() -> None:
        try:
            later.append(_measure(repository, names[middle:]))
        except Exception as error:  # noqa: BLE001 - raised below
            later.append(error)

    thread = Thread(target=measure_later)
    thread.start()
    try:
        first = _measure(repository, names[:middle])
    finally:
        thread.join()
    if isinstance(later[0], Exception):
        raise later[0]
    return first + later[0]


def _measure(repository: Repository, names: Sequence[str]) -> list[Measure | None]:
    done = _ask_measures(repository, names, "--buffer")
    if done.code == 0:
        return _parse_measures(done)
    # Over a loose object whose header is broken git gives up, and what it has in its buffer is lost.
    found: list[Measure | None] = []
    for _ in range(_MOST_FAILURES):
        done = _ask_measures(repository, names[len(found) :])
        found += _parse_measures(done)
        if done.code == 0:
            return found
        found.append(None)
        if len(found) == len(names):
            return found
    command.output(done, "cat-file")
    return found


def _ask_measures(repository: Repository, names: Sequence[str], *words: str) -> command.Done:
    asked = b"".join(line + b"\n" for line in _lines(repository, names))
    return command.call(repository.top, *_MEASURE, *words, stdin=asked)


def _parse_measures(done: command.Done) -> list[Measure | None]:
    lines = (_MEASURED.fullmatch(line) for line in os.fsdecode(done.out).split("\n")[:-1])
    return [Measure(one[1], one[2], int(one[3])) if one else None for one in lines]


def find_commit(repository: Repository, rev: str) -> str | None:
    """The commit that Git understands by `rev` (a branch, `HEAD~2`, the beginning of an oid), None if it understands none."""
    if "\0" in rev:
        return None
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    done = command.call(repository.top, *words)
    return done.out.decode().strip() or None


def find_parent(repository: Repository, commit: str) -> str | None:
    """The first parent that a commit names, also where a shallow clone does not have it."""
    found = re.match(rb"tree [0-9a-f]+\nparent ([0-9a-f]+)\n", read(repository, commit) or b"")
    return found[1].decode() if found else None


def ask_oids(names: Sequence[str]) -> command.Question:
    """As `resolve`, for names that hold no end of a line."""
    return _RESOLVE, "".join(f"{name}\n" for name in names).encode()


def parse_oids(answer: command.Done) -> list[str | None]:
    """The answer to `ask_oids`."""
    lines = os.fsdecode(command.output(answer, "cat-file")).split("\n")[:-1]
    return [line if _OID.fullmatch(line) else None for line in lines]


def _lines(repository: Repository, names: Sequence[str]) -> list[bytes]:
    """Names as `cat-file` reads them; one that holds the end of a line is looked up first, and stands there by its oid."""
    return [os.fsencode(_find(repository, name) if "\n" in name or name.endswith("\r") else name) for name in names]


def _find(repository: Repository, name: str) -> str:
    done = command.call(repository.top, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return done.out.decode().strip() or empty_oid(repository)


def read_many(repository: Repository, names: Sequence[str], most: int | None = LARGEST) -> Iterator[bytes | None]:
    """The content of each named object, in order; None where it is missing, or has more than `most` bytes.

    Raises RepositoryError if git fails, after what it had given.
    """
    return stream(repository, _lines(repository, names), most)


def read(repository: Repository, name: str, most: int | None = LARGEST) -> bytes | None:
    """The content of one object, or None."""
    return next(iter(read_many(repository, [name], most)))


def read_each(repository: Repository, names: Sequence[str]) -> Iterator[bytes | RepositoryError | None]:
    """As `read_many`, and what git says of an object that it cannot read.

    Over one that is broken in its pack `git cat-file` gives up; it is started again behind that one. Raises RepositoryError if it gives up
    again and again: not some objects are wrong then, but the repository, as a partial clone without its remote.
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


def _read_alone(repository: Repository, name: str) -> bytes | RepositoryError | None:
    try:
        return read(repository, name)
    except RepositoryError as error:
        return error


def parse_tree(content: bytes, width: int) -> Iterator[Entry]:
    """The entries of a tree from its content; an oid takes `width` bytes. What is no entry ends it."""
    start = 0
    while (end := content.find(b"\0", start)) >= 0 and end + width < len(content):
        mode, _, name = content[start:end].partition(b" ")
        start = end + 1 + width
        yield Entry(mode.decode(errors="replace").lstrip("0"), os.fsdecode(name), content[end + 1 : start].hex())


def list_blobs(repository: Repository, commit: str) -> tuple[dict[str, str], dict[str, str]]:
    """The oid of each regular file in the tree of a commit, by its path, and that of each symbolic link."""
    out = command.run(repository.top, "ls-tree", "-r", "-z", "--full-tree", commit)
    lines = [line.partition("\t") for line in command.split(out)]
    files, links = (
        {path: facts.rpartition(" ")[2] for facts, _, path in lines if facts.startswith(mode)}
        for mode in ("100", "120")
    )
    return files, links


def write_tree(repository: Repository, index: Path) -> str:
    """The tree that an index file describes; raises RepositoryError if the repository lacks an object of it."""
    return command.run(repository.top, "write-tree", environ=index_environ(repository, index)).decode().strip()


def index_environ(repository: Repository, index: Path) -> dict[str, str | None]:
    """The variables that make git work on this index file; None unsets one."""
    return {**repository.environ, "GIT_INDEX_FILE": str(index)}


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
            environ=_name_stand_in(repository),
        )
        .decode()
        .strip()
    )


def _name_stand_in(repository: Repository) -> dict[str, str]:
    """The variables by which git commits for somebody whom it does not know."""
    one = repository.stand_in
    if one is None:
        return {}
    return {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in zip(("NAME", "EMAIL"), one, strict=True)
    }


def empty_oid(repository: Repository) -> str:
    """The oid of zeros, which stands for `no such object`."""
    return "0" * (64 if repository.object_format == "sha256" else 40)
