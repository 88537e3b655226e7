"""All versions of some files that a repository holds anywhere: in the history of all refs and reflogs, in every index and work tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import FOREIGN, Repository
from exptrack.backends.git.unfinished import find_unfinished
from exptrack.errors import RepositoryError

# Settings of the user's that would show less: `log` is no plumbing, but the only one that looks at reflogs and paths at once.
_PLAIN = (
    "log.showRoot=true",
    "log.showSignature=false",
    "diff.relative=false",
    "log.diffMerges=separate",
    "diff.ignoreSubmodules=none",
)
_LOG = (
    *(word for setting in _PLAIN for word in ("-c", setting)),
    "log", "--full-history", "-m", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-color", "--no-ext-diff", "-O/dev/null", "--format=",
)  # fmt: skip

Wanted = Callable[[str], bool]


class Place(NamedTuple):
    """A work tree of a repository: its root, None if that is gone, and its git dir."""

    top: Path | None
    git_dir: Path


def list_places(repository: Repository) -> list[Place]:
    """All work trees; that of a bare repository is none."""
    places = []
    if repository.git_dir == repository.common_dir:
        places.append(_place(repository.top, repository.git_dir))
    elif (main := _list_worktrees(repository)[0]).get("bare") is None:
        places.append(_place(Path(main["worktree"]), repository.common_dir))
    for link in sorted(repository.common_dir.glob("worktrees/*/gitdir")):
        # Relative to its own folder, if it is.
        end = os.path.normpath(link.parent / os.fsdecode(link.read_bytes()).removesuffix("\n"))
        places.append(_place(Path(end).parent, link.parent))
    return places


def _place(top: Path, git_dir: Path) -> Place:
    return Place(top if top.is_dir() else None, git_dir)


def _list_worktrees(repository: Repository) -> list[dict[str, str]]:
    out = os.fsdecode(command.run(repository.top, "worktree", "list", "--porcelain", "-z"))
    return [
        {line.partition(" ")[0]: line.partition(" ")[2] for line in block.split("\0")}
        for block in out.split("\0\0")
        if block
    ]


def list_history(
    repository: Repository,
    pathspecs: Sequence[str],
    wanted: Wanted,
    *,
    without: Collection[str] = (),
    also: Collection[str] = (),
) -> dict[str, str]:
    """Oids of all blobs at wanted paths in the history of all refs and of what reflogs name, each with one of its paths.

    What Git works with just now (a merge, a rebase) counts as well. Refs `without` do not count; the objects `also` do. Raises
    RepositoryError if anything of the history is missing.
    """
    tips, trees = _find_tips(repository, set(without), also)
    tips |= {head for tree in _list_worktrees(repository) if (head := tree.get("HEAD", "")).strip("0")}
    found = _search(repository, tips, [], pathspecs, wanted)
    for tree in trees:
        found |= _search_tree(repository, tree, wanted)
    names = find_unfinished(repository, [place.git_dir for place in list_places(repository)])
    loose, trees = _sort(repository, names)
    found |= _search_loose(repository, loose - tips, sorted(tips), pathspecs, wanted)
    for tree in trees:
        with suppress(RepositoryError):
            found |= _search_tree(repository, tree, wanted)
    return found


def _search(
    repository: Repository, tips: Collection[str], known: Sequence[str], pathspecs: Sequence[str], wanted: Wanted
) -> dict[str, str]:
    """Blobs in the history of `tips` and of reflogs; or, if something is `known`, of `tips` alone as far as it is not in that."""
    # Without any tip it would begin with HEAD, and fail before the first commit, if it were not asked for refs, too.
    all_else = () if known else ("--reflog", "--glob=refs/exptrack/none/*")
    words = (*_LOG, *all_else, "--stdin", "--", *pathspecs)
    lines = "".join([*(f"{oid}\n" for oid in sorted(tips)), *(f"^{oid}\n" for oid in known)])
    out = command.run(repository.top, *words, stdin=lines.encode(), environ={"GIT_NO_REPLACE_OBJECTS": "1"})
    found: dict[str, str] = {}
    for oid, path in _parse_raw(out):
        if wanted(path):
            found.setdefault(oid, path)
    return found


def _search_loose(
    repository: Repository, tips: Collection[str], known: Sequence[str], pathspecs: Sequence[str], wanted: Wanted
) -> dict[str, str]:
    """As `_search`, for commits of which Git does not keep the whole history for ever: of each what is there."""
    if not tips:
        return {}
    try:
        return _search(repository, tips, known, pathspecs, wanted)
    except RepositoryError:
        ordered = sorted(tips)
        halves = (ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]) if len(ordered) > 1 else ()
        return {
            oid: path
            for half in halves
            for oid, path in _search_loose(repository, half, known, pathspecs, wanted).items()
        }


def _search_tree(repository: Repository, tree: str, wanted: Wanted) -> dict[str, str]:
    listed = command.split(command.run(repository.top, "ls-tree", "-r", "-z", "--full-tree", f"{tree}^{{tree}}"))
    lines = (line.partition("\t") for line in listed)
    return {facts.split(" ")[2]: path for facts, _, path in lines if wanted(path)}


def _find_tips(repository: Repository, without: set[str], also: Collection[str]) -> tuple[set[str], set[str]]:
    """What refs are at, and `also`: commits, or tags of commits, and trees, or tags of trees."""
    form = "%(objectname) %(objecttype) %(*objecttype) %(refname)"
    tips, trees, unclear = set(), set(), set(also)
    for line in os.fsdecode(command.run(repository.top, "for-each-ref", f"--format={form}")).split("\n")[:-1]:
        oid, kind, peeled, ref = line.split(" ", 3)
        if ref in without:
            continue
        if "tree" in {kind, peeled}:
            trees.add(oid)
        elif "commit" in {kind, peeled}:
            tips.add(oid)
        elif peeled == "tag":
            unclear.add(oid)
    more_tips, more_trees = _sort(repository, unclear)
    return tips | more_tips, trees | more_trees


def _sort(repository: Repository, names: Collection[str]) -> tuple[set[str], set[str]]:
    """The commits and the trees that are meant by names or oids; what is not there, or something else, is left out."""
    found: list[set[str]] = []
    left = sorted(names)
    for kind in ("commit", "tree"):
        oids = resolve(repository, [f"{name}^{{{kind}}}" for name in left])
        found.append({oid for oid in oids if oid is not None})
        left = [name for name, oid in zip(left, oids, strict=True) if oid is None]
    return found[0], found[1]


def _parse_raw(out: bytes) -> Iterator[tuple[str, str]]:
    """The blobs before and after each change, with their path."""
    words = iter(out.split(b"\0"))
    for word in words:
        if (fields := word.strip()).startswith(b":"):
            _, _, old, new, _ = fields.split(b" ")
            path = os.fsdecode(next(words))
            for oid in (old, new):
                if oid.strip(b"0"):
                    yield oid.decode(), path


def list_staged(repository: Repository, place: Place, wanted: Wanted) -> tuple[dict[str, str], list[str]]:
    """Oids of the blobs at wanted paths in the index of a work tree, conflicts included, each with its path; and paths of submodules."""
    staged, submodules = {}, []
    for line in _ls_files(repository, place, "-s"):
        facts, _, path = line.partition("\t")
        mode, oid, _ = facts.split(" ")
        if mode == "160000":
            submodules.append(path)
        elif wanted(path):
            staged[oid] = path
    return staged, submodules


def list_on_disk(
    repository: Repository, place: Place, pathspecs: Sequence[str], wanted: Wanted
) -> list[tuple[Path, str]]:
    """The files at wanted paths in a work tree, with these, whether Git tracks, ignores or does not know them.

    What lies in other repositories inside it is not among them.
    """
    if place.top is None:
        return []
    paths = _ls_files(repository, place, "-c", "-o", "--exclude=.dvc/", "--", *pathspecs)
    return [(place.top / path, path) for path in sorted(set(paths)) if wanted(path)]


def find_folders_with(repository: Repository, place: Place, name: str) -> list[Path]:
    """The folders of a work tree that hold a file of this name, which Git tracks; the root also if it does not."""
    if place.top is None:
        return []
    paths = {name, *_ls_files(repository, place, "-c", "--", f":(glob)**/{name}")}
    return [place.top / path.removesuffix(name) for path in sorted(paths) if (place.top / path).is_file()]


def list_remotes(repository: Repository) -> list[str]:
    """The names of all Git remotes, the URLs that are only pushed to, and what `exptrack.remote` says, which may be a URL."""
    names = os.fsdecode(command.run(repository.top, "remote")).split("\n")[:-1]
    said = os.fsdecode(command.call(repository.top, "config", "exptrack.remote").out).strip()
    urls = [url for name in names for url in _list_push_urls(repository, name)]
    return list(dict.fromkeys([*names, *urls, *([said] if said else [])]))


def _list_push_urls(repository: Repository, name: str) -> list[str]:
    """Where a push to a remote goes and a fetch from it does not come from."""
    answers = [
        os.fsdecode(command.call(repository.top, "remote", "get-url", *words, name).out).split("\n")[:-1]
        for words in (("--all",), ("--push", "--all"))
    ]
    return [url for url in answers[1] if url not in answers[0][:1]]


def _ls_files(repository: Repository, place: Place, *words: str) -> list[str]:
    top = place.top or repository.top
    # Given, since the link of one of our slots may be cut just now.
    environ = {**dict.fromkeys(FOREIGN), "GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": str(top)}
    return command.split(command.run(top, "ls-files", "-z", *words, environ=environ))
