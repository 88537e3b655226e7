"""List, create, move and delete refs.

`git update-ref <ref> <new> <old>` is the one primitive: with zeros for `old` it creates, and exactly one of many processes wins
(pygit2's `create(force=False)` let several win in 13 of 150 rounds).
"""

from __future__ import annotations

from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.objects import empty_oid
from exptrack.backends.git.repository import Repository


def list_refs(repository: Repository, *prefixes: str) -> dict[str, str]:
    """Ref names below the prefixes, with the oid each points at, in the order of names."""
    out = command.run(repository.top, "for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
    pairs = (line.partition(" ") for line in out.decode(errors="surrogateescape").splitlines())
    return {name: oid for oid, _, name in pairs}


def create_ref(repository: Repository, ref: str, oid: str, reason: str) -> bool:
    """Create a ref; False if it exists already. Raises RepositoryError for any other failure."""
    return move_ref(repository, ref, oid, empty_oid(repository), reason)


def move_ref(repository: Repository, ref: str, new: str, old: str, reason: str) -> bool:
    """Compare and swap: point `ref` at `new` if it is at `old`; False if it is elsewhere by now."""
    done = command.call(repository.top, "update-ref", "-m", f"exptrack: {reason}", ref, new, old)
    if done.code == 0:
        return True
    if list_refs(repository, ref).get(ref, empty_oid(repository)) != old:
        return False
    # The ref is where it was: a lock was in the way, or the disk is full. Say so with git's own words.
    command.run(repository.top, "update-ref", "-m", f"exptrack: {reason}", ref, new, old)
    return True


def delete_ref(repository: Repository, ref: str, old: str) -> bool:
    """Delete a ref if it is at `old`; False if git cannot just now (a stale `packed-refs.lock` must not cost more than a moment)."""
    done = command.call(repository.top, "-c", "core.packedRefsTimeout=100", "update-ref", "-d", ref, old)
    return done.code == 0


def find_locks(repository: Repository) -> list[Path]:
    """Lock files that a killed git has left in the way of deleting refs."""
    return [
        path
        for path in (repository.common_dir / "packed-refs.lock", repository.common_dir / "packed-refs.new")
        if path.exists()
    ]
