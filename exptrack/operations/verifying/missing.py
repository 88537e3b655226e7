"""Objects that should lie behind runs and do not: which, and whose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from exptrack.backends.git import verifying as git
from exptrack.backends.git.objects import measure, parse_tree
from exptrack.backends.git.repository import Repository
from exptrack.model.progress import Progress
from exptrack.model.verification import Check, Finding, Severity
from exptrack.store import runs

_ROLES = ("the commit of the run", "the snapshot", "the base")


class Missing(NamedTuple):
    """Objects that are not there, and the refs of runs behind which they should lie."""

    findings: tuple[Finding, ...] = ()
    touched: frozenset[str] = frozenset()


def find_missing(repository: Repository, tips: Mapping[str, str], progress: Progress, *, full: bool) -> Missing:
    """What should lie behind the commits at some refs and does not, or is not what its oid says.

    One walk by git over all of them together, which takes 0.4 s for 10,000 runs. Only if that meets a fault, each tree is read here, so
    that it is known whose the fault is. With `full` all objects are read and compared with their oids.
    """
    if not tips:
        return Missing()
    is_partial = git.is_partial(repository)
    reached = git.reach(repository, sorted(set(tips.values())), is_partial=is_partial)
    broken = set(_find_broken(repository, reached.oids, progress)) if full and not is_partial else set()
    if not (reached.missing or reached.failure or broken):
        return Missing()
    if is_partial:
        return Missing((_unknown(reached.failure or "", "fetch what is lacking, or clone without a filter"),))
    walk = _Walk(repository, tips, broken)
    found = list(_describe(walk))
    rest = {*reached.missing, *broken} - walk.gone.keys()
    if rest or not found:
        said = f"{len(rest):,} objects are missing or broken" if rest else reached.failure or ""
        found.append(_unknown(said, "`git fsck` tells more"))
    return Missing(tuple(found), frozenset(ref for oid in walk.gone for ref in walk.refs(oid)))


def _unknown(said: str, advice: str) -> Finding:
    problem = f"not all of it is there, beyond the commits that the runs started from: {said}"
    return Finding(Severity.ERROR, Check.OBJECTS, "the history", problem, advice)


def _find_broken(repository: Repository, oids: Sequence[str], progress: Progress) -> Iterator[str]:
    """Those objects whose content is not what their oid says."""
    progress.begin("reading objects of git", len(oids))
    by_kind: dict[str, list[str]] = {}
    for oid, known in zip(oids, measure(repository, oids), strict=True):
        if known is not None:
            by_kind.setdefault(known.kind, []).append(oid)
    for kind, some in by_kind.items():
        for oid, content in zip(some, git.read_whole(repository, kind, some), strict=True):
            progress.advance(1)
            if content is None:
                yield oid


def _describe(walk: _Walk) -> Iterator[Finding]:
    for oid, kind in walk.gone.items():
        refs = walk.refs(oid)
        path = walk.path(oid)
        what = f": '{path}'" if path else f": {walk.roles[oid]}" if oid in walk.roles else ""
        names = tuple(runs.name_of(ref) for ref in refs if ref.startswith(runs.RUNS))
        severity, advice = (
            Severity.ERROR,
            f"`git fetch --refetch REMOTE {refs[0]}` brings it from a repository that has it",
        )
        if not names:  # only removed runs need it
            severity, advice = Severity.WARNING, f"`git update-ref -d {refs[0]}` gives up the removed run that needs it"
        subject = f"{kind} {oid[: runs.ABBREVIATED]}"
        yield Finding(severity, Check.OBJECTS, subject, f"missing or broken{what}", advice, names)


class _Walk:
    """From each commit its snapshot, base and all their trees; `gone` has the oid of each object that is not there, with its kind."""

    def __init__(self, repository: Repository, tips: Mapping[str, str], broken: set[str]) -> None:
        self.gone: dict[str, str] = {}
        self.roles: dict[str, str] = {}  # of commits
        self._repository = repository
        self._broken = broken
        self._above: dict[str, list[tuple[str, str]]] = {}  # of each object those that name it, and how
        self._refs: dict[str, list[str]] = {}
        for ref, oid in tips.items():
            self._refs.setdefault(oid, []).append(ref)
        trees = self._walk_commits()
        self._measure(self._walk_trees(trees))

    def refs(self, oid: str) -> list[str]:
        """The refs behind which an object lies."""
        seen, waiting = {oid}, [oid]
        while waiting:
            for above, _ in self._above.get(waiting.pop(), ()):
                if above not in seen:
                    seen.add(above)
                    waiting.append(above)
        return sorted(ref for one in seen for ref in self._refs.get(one, ()))

    def path(self, oid: str) -> str:
        """Where an object lies in a commit that has it; empty of a commit and of its root."""
        names = []
        while (above := self._above.get(oid)) and above[0][1]:
            oid, name = above[0]
            names.append(name)
        return "/".join(reversed(names))

    def _walk_commits(self) -> list[str]:
        shallow = _read_shallow(self._repository)
        known = measure(self._repository, list(self._refs))
        # What is there and is no commit is no run; that is found where runs are read.
        level = [oid for oid, one in zip(self._refs, known, strict=True) if one is None or one.kind == "commit"]
        seen = set(level)
        trees: dict[str, None] = {}
        for depth in range(len(_ROLES)):
            following: list[str] = []
            self.roles |= dict.fromkeys(level, _ROLES[depth])
            for oid, content in self._read("commit", level):
                commit = git.parse_commit(content)
                self._add(commit.tree, oid)
                trees[commit.tree] = None
                for parent in commit.parents if oid not in shallow and depth + 1 < len(_ROLES) else ():
                    self._add(parent, oid)
                    following += [] if parent in seen else [parent]
                    seen.add(parent)
            level = following
        return list(trees)

    def _walk_trees(self, level: list[str]) -> list[str]:
        width = 32 if self._repository.object_format == "sha256" else 20
        seen = set(level)
        blobs: dict[str, None] = {}
        while level:
            following: list[str] = []
            for oid, content in self._read("tree", level):
                for entry in parse_tree(content, width):
                    if entry.is_elsewhere:
                        continue
                    self._add(entry.oid, oid, entry.name)
                    if not entry.is_folder:
                        blobs[entry.oid] = None
                    elif entry.oid not in seen:
                        seen.add(entry.oid)
                        following.append(entry.oid)
            level = following
        return list(blobs)

    def _measure(self, blobs: list[str]) -> None:
        for oid, known in zip(blobs, measure(self._repository, blobs), strict=True):
            if known is None or oid in self._broken:
                self.gone[oid] = "blob"

    def _read(self, kind: str, oids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for oid, content in zip(oids, git.read_whole(self._repository, kind, oids), strict=True):
            if content is None:
                self.gone[oid] = kind
            else:
                yield oid, content

    def _add(self, oid: str, above: str, name: str = "") -> None:
        self._above.setdefault(oid, []).append((above, name))


def _read_shallow(repository: Repository) -> frozenset[str]:
    """Commits whose parents a shallow clone has left out."""
    with suppress(OSError):
        return frozenset((repository.common_dir / "shallow").read_text().split())
    return frozenset()
