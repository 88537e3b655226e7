"""Which commits lie behind which, and in what order they were made."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository

_LIST = ("rev-list", "--ignore-missing", "--stdin")


def find_reachable(repository: Repository, commits: Collection[str], tip: str) -> set[str]:
    """Those of `commits` (full oids) that are `tip` or an ancestor of it; one process for all.

    Git lists what is *not* behind `tip`: of a branch with a million commits that is little, and the walk ends where they meet.
    """
    wanted = set(commits)
    if not wanted:
        return wanted
    lines = "".join(f"{oid}\n" for oid in [*sorted(wanted), f"^{tip}"])
    return wanted - set(command.run(repository.top, *_LIST, stdin=lines.encode()).decode().split())


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Whether a commit lies behind another, or is it; not if one of them is not in the repository."""
    return command.call(repository.top, "merge-base", "--is-ancestor", old, new).code == 0


def sort_by_date(repository: Repository, commits: Iterable[str]) -> list[str]:
    """The commits, each once, the one that was committed last first; what is no commit, or is not there, is left out."""
    lines = "".join(f"{oid}\n" for oid in commits)
    return command.run(repository.top, *_LIST, "--no-walk=sorted", stdin=lines.encode()).decode().split()


def find_merge_base(repository: Repository, one: str, other: str) -> str | None:
    """The commit from which two others (oids) went apart, None if they have none in common here."""
    return command.call(repository.top, "merge-base", one, other).out.decode().strip() or None


def is_shallow(repository: Repository) -> bool:
    """Whether the history ends where its clone was told to."""
    return bool(_read_ends(repository))


def is_cut(repository: Repository, tip: str, without: str) -> bool:
    """Whether the history of a shallow clone ends among the commits that `tip` has and `without` has not (oids), or before these meet."""
    ends = _read_ends(repository)
    if not ends:
        return False
    if find_merge_base(repository, tip, without) is None:
        return True
    return not ends.isdisjoint(command.run(repository.top, "rev-list", tip, f"^{without}").decode().split())


def _read_ends(repository: Repository) -> set[str]:
    """The commits without whose parents a repository was cloned."""
    try:
        return set((repository.common_dir / "shallow").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()
