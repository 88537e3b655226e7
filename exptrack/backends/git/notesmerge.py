"""Merge two notes trees by their lines, and swap the result in.

What is merged may be an enemy's: only files whose path is an oid count, of its side none above a limit, and a tree that never ends is
refused. Trees are read level by level, each once, since git itself would walk such a tree for ever.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from exptrack.backends.git import command, refs
from exptrack.backends.git.importing import import_commit
from exptrack.backends.git.objects import empty_oid, parse_tree, read, read_many, resolve
from exptrack.backends.git.repository import Identity, Repository
from exptrack.errors import RepositoryError

_LARGEST = 1024 * 1024  # bytes of another's note
_MOST = 1_000_000  # entries of a tree
_FILES = frozenset({"100644", "100755"})
_HEX = re.compile(r"[0-9a-f]+")


_Content = str | bytes  # of a note: the oid of a blob that is there, or a text


class _Side(NamedTuple):
    """The notes of one commit: by what each is on its blobs (mostly one), each with its paths. `odd` are the paths that hold none."""

    notes: dict[str, dict[str, list[str]]]
    odd: tuple[str, ...] = ()


def merge_notes(repository: Repository, ref: str, other: str, identity: Identity) -> str:
    """Merge the notes commit `other`, whose objects are here, into `ref` by compare-and-swap, and give the new tip.

    Each note has the lines of both, ours first. Notes that are new come as they are; one above 1 MiB, and what is no note, is left out.
    Where one side has all of the other, it is taken as it is. Raises RepositoryError if `other` holds no notes that can be read.
    """
    [commit] = resolve(repository, [f"{other}^{{commit}}"])
    if commit is None:
        raise RepositoryError(f"{other} holds no annotations: it is no commit, or not in the repository")
    return refs.swap_ref(repository, ref, lambda tip: _merge(repository, tip, commit, identity), "merge annotations")


def _merge(repository: Repository, tip: str | None, other: str, identity: Identity) -> str:
    """The oid of a commit that has the lines of both: one of them, or a new one."""
    common = None if tip is None else _find_common(repository, tip, other)
    if tip is not None and common == other:
        return tip
    ours = _Side({}) if tip is None else _list_notes(repository, tip)
    theirs = _list_notes(repository, other)
    changes = _unite(repository, ours, theirs)
    if (tip is None or common == tip) and _is_all_in(theirs, ours, changes):
        return other
    people = f"committer {identity} {int(time.time())} +0000\n".encode()
    start = b"deleteall\n" if tip is None else b"merge %s\n" % other.encode()
    return import_commit(repository, people, "merge annotations\n", tip or other, start + _place(ours, changes))


def _is_all_in(theirs: _Side, ours: _Side, changes: Mapping[str, _Content]) -> bool:
    """Whether their notes are just what the merge would be."""
    if theirs.odd or not ours.notes.keys() <= theirs.notes.keys():
        return False
    merged = {noted: next(iter(blobs)) for noted, blobs in ours.notes.items()} | dict(changes)
    return all([merged.get(noted)] == list(blobs) for noted, blobs in theirs.notes.items())


def _find_common(repository: Repository, tip: str, other: str) -> str | None:
    done = command.call(repository.top, "merge-base", tip, other)
    if done.code > 1:
        command.output(done, "merge-base")
    return done.out.decode().strip() or None


def _list_notes(repository: Repository, commit: str) -> _Side:
    """The notes of a commit, and what else is there; raises RepositoryError if there is more than any notes tree holds."""
    width = len(empty_oid(repository))
    root = read(repository, f"{commit}^{{tree}}")
    if root is None:
        raise RepositoryError(f"the tree of {commit} is not in the repository: run `git fsck`")
    notes: dict[str, dict[str, list[str]]] = {}
    odd: list[str] = []
    level = [("", root)]
    count = 0
    while level:
        below: list[tuple[str, str]] = []
        for folder, content in level:
            for entry in parse_tree(content, width // 2):
                path = folder + entry.name
                noted = path.replace("/", "") if _HEX.fullmatch(entry.name) else ""
                if entry.mode in _FILES and len(noted) == width:
                    notes.setdefault(noted, {}).setdefault(entry.oid, []).append(path)
                elif entry.is_folder and len(entry.name) == 2 and noted and len(noted) < width:
                    below.append((f"{path}/", entry.oid))
                else:
                    odd.append(path)
                count += 1
            if count > _MOST:
                raise RepositoryError(f"the annotations of {commit} are more than {_MOST:,}: they are not merged")
        level = list(_read_trees(repository, below))
    return _Side(notes, tuple(odd))


def _read_trees(repository: Repository, folders: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    """The content of each tree, each read once."""
    oids = list(dict.fromkeys(oid for _, oid in folders))
    contents = dict(zip(oids, read_many(repository, oids), strict=True))
    for path, oid in folders:
        content = contents[oid]
        if content is None:
            raise RepositoryError(f"the tree {oid} of the annotations is not in the repository: run `git fsck`")
        yield path, content


def _unite(repository: Repository, ours: _Side, theirs: _Side) -> dict[str, _Content]:
    """What has to change of our notes, by what they are on."""
    new = {
        noted: [oid for oid in blobs if oid not in ours.notes.get(noted, ())] for noted, blobs in theirs.notes.items()
    }
    large = _find_large(repository, list(dict.fromkeys(oid for oids in new.values() for oid in oids)))
    news = {noted: kept for noted, oids in new.items() if (kept := [oid for oid in oids if oid not in large])}
    changes: dict[str, _Content] = {}
    both: dict[str, list[str]] = {}
    for noted, oids in news.items():
        if len(oids) == 1 and noted not in ours.notes:
            changes[noted] = oids[0]
        else:
            both[noted] = [*ours.notes.get(noted, ()), *oids]
    contents = read_many(repository, [oid for oids in both.values() for oid in oids])
    for noted, oids in both.items():
        content = _unite_texts({oid: _demand(next(contents), oid) for oid in oids})
        if [content] != list(ours.notes.get(noted, ())):
            changes[noted] = content
    return changes


def _find_large(repository: Repository, oids: list[str]) -> set[str]:
    """The blobs that are too large, and what is no blob."""
    if not oids:
        return set()
    words = ("cat-file", "--buffer", "--batch-check=%(objecttype) %(objectsize)")
    out = command.run(repository.top, *words, stdin="".join(f"{oid}\n" for oid in oids).encode()).decode()
    large = set()
    for oid, line in zip(oids, out.splitlines(), strict=True):
        kind, _, size = line.partition(" ")
        if not size.isdigit():
            raise RepositoryError(_missing(oid))
        if kind != "blob" or int(size) > _LARGEST:
            large.add(oid)
    return large


def _demand(content: bytes | None, oid: str) -> bytes:
    if content is None:
        raise RepositoryError(_missing(oid))
    return content


def _missing(oid: str) -> str:
    return f"the note {oid} is not in the repository: run `git fsck`"


def _unite_texts(texts: Mapping[str, bytes]) -> _Content:
    """The oid of the first text that has all lines of the others, or the first one with what it lacks behind it."""
    lines = {oid: dict.fromkeys(_split(text)) for oid, text in texts.items()}
    every = dict.fromkeys(line for one in lines.values() for line in one)
    for oid, some in lines.items():
        if len(some) == len(every):
            return oid
    first, *_ = texts
    text = texts[first]
    more = b"".join(line + b"\n" for line in every if line not in lines[first])
    return text + (b"" if text.endswith(b"\n") or not text else b"\n") + more


def _split(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n") if text else []


def _place(ours: _Side, changes: Mapping[str, _Content]) -> bytes:
    """The commands that write the changes, and move what is not where fast-import's `N`, which adds the next line, would look for it.

    `N` itself takes notes on commits only, and only on those that are here.
    """
    every = ours.notes.keys() | changes.keys()
    fanout = max(0, len(every).bit_length() - 1) // 8  # as fast-import reckons
    removed: list[bytes] = []
    written: list[bytes] = []
    for noted in every:
        path = "/".join([*(noted[2 * i : 2 * i + 2] for i in range(fanout)), noted[2 * fanout :]])
        blobs = ours.notes.get(noted, {})
        paths = [one for several in blobs.values() for one in several]
        removed += [b"D %s\n" % one.encode() for one in paths if one != path]
        content = changes.get(noted)
        if content is None and paths != [path]:
            content = next(iter(blobs))
        if isinstance(content, bytes):
            written.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
        elif content is not None:
            written.append(b"M 100644 %s %s\n" % (content.encode(), path.encode()))
    return b"".join([*removed, *written])
