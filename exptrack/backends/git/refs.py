"""List, create, move and delete refs.

`git update-ref <ref> <new> <old>` is the one primitive: with zeros for `old` it creates, and exactly one of many processes wins
(pygit2's `create(force=False)` let several win in 13 of 150 rounds).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TypeVar, cast

from exptrack.backends.git import command
from exptrack.backends.git.objects import empty_oid
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

T = TypeVar("T")
_ATTEMPTS = 3
_SWAPS = 200
_FAILURES = 5  # to write, before a swap is given up
_BATCH = 1000


def list_refs(repository: Repository, *prefixes: str, sort: str = "refname") -> dict[str, str]:
    """Ref names below the prefixes, with the oid each points at, in the order of names, or of another field of git's."""
    return parse_refs(command.together(repository.top, ask_refs(*prefixes, sort=sort))[0])


def ask_refs(*prefixes: str, sort: str = "refname") -> command.Question:
    """As `list_refs`."""
    return ("for-each-ref", f"--sort={sort}", "--format=%(objectname) %(refname)", *prefixes), b""


def parse_refs(answer: command.Done) -> dict[str, str]:
    """The answer to `ask_refs`."""
    pairs = (line.partition(" ") for line in os.fsdecode(command.output(answer, "for-each-ref")).split("\n")[:-1])
    return {name: oid for oid, _, name in pairs}


def count_below(repository: Repository, prefix: str) -> dict[str, int]:
    """The parts of names that follow `prefix`, in order, with the number of refs of each: 100,000 refs are never in memory at once."""
    child = command.start(repository.top, "for-each-ref", "--format=%(refname)", prefix)
    counts: dict[str, int] = {}
    for line in cast(IO[bytes], child.stdout):
        part = os.fsdecode(line).rstrip("\n").removeprefix(prefix).partition("/")[0]
        counts[part] = counts.get(part, 0) + 1
    command.output(command.finish(child), "for-each-ref")
    return counts


def find_branch(repository: Repository) -> str | None:
    """The branch that is checked out, None if HEAD is detached. Read from the file that git keeps for HEAD: a git for it takes 2 ms."""
    try:
        text = os.fsdecode((repository.git_dir / "HEAD").read_bytes()).strip()
    except OSError:
        return None
    branch = text.removeprefix("ref: refs/heads/")
    # A reftable keeps HEAD elsewhere, and in the file a name that no branch can have.
    if branch == ".invalid":
        done = command.call(repository.top, "symbolic-ref", "--quiet", "--short", "HEAD")
        branch = os.fsdecode(done.out).strip()
    return branch if branch and branch != text else None


def create_ref(repository: Repository, ref: str, oid: str, reason: str) -> bool:
    """Create a ref; False if it exists already. Raises RepositoryError for any other failure."""
    return move_ref(repository, ref, oid, empty_oid(repository), reason)


def move_ref(repository: Repository, ref: str, new: str, old: str, reason: str) -> bool:
    """Compare and swap: point `ref` at `new` if it is at `old`; False if it is elsewhere by now.

    Raises RepositoryError with git's own words if the ref stays at `old` and cannot be moved: a lock in the way, a full disk.
    """
    said = ""
    for _ in range(_ATTEMPTS):
        done = command.call(repository.top, "update-ref", "-m", f"exptrack: {reason}", ref, new, old)
        if done.code == 0:
            return True
        if list_refs(repository, ref).get(ref, empty_oid(repository)) != old:
            return False
        said = command.reason(done.err)  # the ref is where it was, but who holds its lock may be moving it: once more
    raise RepositoryError(f"{ref} cannot be written: {said}")


def swap_ref(repository: Repository, ref: str, build: Callable[[str | None], str | None], reason: str) -> str:
    """Point `ref` at what `build` makes of the oid that it is at (None if there is no such ref), and give that.

    If somebody was quicker, or `build` gives None for having seen so, it is all done again. Raises RepositoryError if that does not end,
    or git cannot write.
    """
    failures = 0
    for attempt in range(_SWAPS):
        tip = list_refs(repository, ref).get(ref)
        if (new := build(tip)) is None:
            continue
        try:
            if new == tip or move_ref(repository, ref, new, tip or empty_oid(repository), reason):
                return new
        except RepositoryError:  # a lock in the way: of somebody slow, or one that a killed git has left
            failures += 1
            if failures == _FAILURES:
                raise
        time.sleep(os.urandom(1)[0] / 256 * 0.02 * min(attempt + 1, 8))
    raise RepositoryError(f"{ref} is changed by others without pause: try again")


def delete_ref(repository: Repository, ref: str, old: str, patience: int = 100) -> bool:
    """Delete a ref if it is at `old`; False if it is not, or git cannot just now.

    A stale `packed-refs.lock` costs only a moment: `patience` is in milliseconds.
    """
    done = command.call(repository.top, "-c", f"core.packedRefsTimeout={patience}", "update-ref", "-d", ref, old)
    return done.code == 0


def create_and_delete(
    repository: Repository, created: tuple[str, str], deleted: tuple[str, str], reason: str
) -> tuple[bool, bool]:
    """Create one ref and, if that went well, delete another, each (name, oid), in two transactions of one process.

    Gives whether each was done. Two transactions, since a delete needs `packed-refs.lock`, and a stale one must not cost the new ref.
    """
    lines = f"start\ncreate {' '.join(created)}\ncommit\nstart\ndelete {' '.join(deleted)}\ncommit\n"
    words = ("-c", "core.packedRefsTimeout=100", "update-ref", "-m", f"exptrack: {reason}", "--stdin")
    done = command.call(repository.top, *words, stdin=lines.encode())
    committed = done.out.count(b"commit: ok")
    return committed > 0, committed > 1


def create_refs(repository: Repository, wanted: Mapping[str, str], reason: str) -> tuple[str, ...]:
    """Create many refs, in transactions of a thousand, and give those that were; one that exists already stays as it is.

    Raises RepositoryError with git's own words if some can neither be created nor are there.
    """
    pending, created = dict(wanted), []
    for _ in range(_ATTEMPTS):
        there = _list_exact(repository, pending)
        pending = {ref: oid for ref, oid in pending.items() if ref not in there}
        said = ""
        for some in _batches(list(pending.items())):
            lines = "".join(f"create {ref} {oid}\n" for ref, oid in some)
            words = ("update-ref", "-m", f"exptrack: {reason}", "--stdin")
            done = command.call(repository.top, *words, stdin=os.fsencode(lines))
            if done.code == 0:
                for ref, _ in some:
                    created.append(ref)
                    del pending[ref]
            else:
                said = command.reason(done.err)
        if not pending:
            return tuple(created)
    raise RepositoryError(f"{next(iter(pending))} cannot be written: {said}")


def _list_exact(repository: Repository, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the refs that there are; a few are asked for by name, of many all that lie beside them are listed."""
    if not wanted:
        return {}
    few = list(wanted) if len(wanted) <= _BATCH else sorted({ref.rpartition("/")[0] for ref in wanted})
    found = [refs for some in _batches(few) for refs in list_refs(repository, *some).items()]
    return {ref: oid for ref, oid in found if ref in wanted}


def _batches(items: list[T]) -> Iterator[list[T]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def delete_refs(repository: Repository, unwanted: Mapping[str, str], reason: str) -> None:
    """Delete many refs, in transactions of a thousand, each if it is at its oid; one that is elsewhere stays.

    Raises RepositoryError with git's own words if some are still at their oids.
    """
    pending = dict(unwanted)
    for _ in range(_ATTEMPTS):
        said = ""
        for some in _batches(list(pending.items())):
            lines = "".join(f"delete {ref} {oid}\n" for ref, oid in some)
            done = command.call(
                repository.top, "update-ref", "-m", f"exptrack: {reason}", "--stdin", stdin=os.fsencode(lines)
            )
            if done.code:
                said = command.reason(done.err)
        there = _list_exact(repository, pending) if said else {}
        pending = {ref: oid for ref, oid in pending.items() if there.get(ref) == oid}
        if not pending:
            return
    locks = " and ".join(map(str, find_locks(repository)))
    advice = f"; if no git is running, remove {locks}, and try again" if locks else ""
    raise RepositoryError(f"{next(iter(pending))} cannot be deleted: {said}{advice}")


def find_locks(repository: Repository) -> list[Path]:
    """Lock files that a killed git has left in the way of deleting refs."""
    return [
        path
        for path in (repository.common_dir / "packed-refs.lock", repository.common_dir / "packed-refs.new")
        if path.exists()
    ]
