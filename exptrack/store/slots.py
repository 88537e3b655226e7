"""Slots: Git worktrees that isolated runs use one after the other, below `<git common dir>/exptrack/worktrees/`.

```
w0          the work tree; its git dir is `<git common dir>/worktrees/exptrack-w0`
w0.lock     held with flock by the run that works there, by its command, and by each git that fills it
w0.owner    the name of that run, or of the last one
w0.kept     there if the work tree is to stay as it is: no run takes the slot as long as its folder is there
w0.aside/   checkouts of submodules, while no run has put them in their place
```

A slot is free if nobody holds its lock, and its owner has no journal any more: of a run that died, `recover` reads the results there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from exptrack.backends.git import worktrees
from exptrack.backends.git.clearing import Listing, clear, open_folder, remove
from exptrack.backends.git.repository import Repository
from exptrack.backends.git.worktrees import Worktree
from exptrack.errors import ExptrackError, RepositoryError, explain
from exptrack.store import journal, locks

_PROBE = 1 << 20  # bytes
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class Slot:
    """A claimed slot, whose lock this process holds until `close`, and whoever inherits the descriptor `lock` until it ends."""

    def __init__(self, number: int, repository: Repository, main: Repository, owner: str, lock: int) -> None:
        self.number = number
        self.repository = repository
        self.main = main
        self.owner = owner
        self.lock = lock
        self.submodules: Mapping[str, str] = MappingProxyType(
            {}
        )  # the commit of each, by path; known once it is prepared
        self._is_open = True

    def close(self) -> None:
        """Let go of the slot. It stays taken while the command, or a process that this left behind, still runs."""
        if self._is_open:
            self._is_open = False
            os.close(self.lock)
            with locks.opened(_folder(self.main) / f"w{self.number}.lock", os.O_RDWR) as lock:
                if lock is not None and locks.take(lock):
                    worktrees.unlock(self.repository)

    def keep(self) -> None:
        """Have the work tree stay as it is, for the user to look at, until its folder is deleted."""
        _kept(_folder(self.main), self.number).touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _folder(repository: Repository) -> Path:
    return repository.shared / "worktrees"


def claim(repository: Repository, name: str) -> Slot:
    """Take the first free slot for the run `name`, whose journal exists already; raises ExptrackError if none can be written."""
    folder = _folder(repository)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count():
            lock = _try(repository.shared, folder, number, name)
            if lock is not None:
                return _open(repository, number, name, lock)
    except OSError as error:
        raise ExptrackError(f"cannot write below {folder}: {error.strerror}; nothing was started") from error
    raise AssertionError


def _try(shared: Path, folder: Path, number: int, name: str) -> int | None:
    """The lock of a slot that is free, which is held now, with the run's name beside it; None if it is taken."""
    path = folder / f"w{number}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        if path.exists():  # another user's
            return None
        raise
    try:
        if locks.take(lock) and locks.lies_at(lock, path) and not _is_kept(folder, number):
            owner = _read_owner(folder, number)
            if owner == name or _is_done(shared, owner):
                _write_owner(folder, number, name)
                return lock
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _kept(folder: Path, number: int) -> Path:
    return folder / f"w{number}.kept"


def _is_kept(folder: Path, number: int) -> bool:
    """Whether the user wanted to look at the work tree, and has not deleted it."""
    mark = _kept(folder, number)
    if not mark.exists():
        return False
    if (folder / f"w{number}").is_dir():
        return True
    mark.unlink(missing_ok=True)
    return False


def _is_done(shared: Path, owner: str | None) -> bool:
    """Whether this is no run that is under way or waits for recovery."""
    return owner is None or not journal.folder_of(shared, owner).exists()


def _read_owner(folder: Path, number: int) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        owner = (folder / f"w{number}.owner").read_text(encoding="utf-8").strip()
        return owner if _NAME.fullmatch(owner) else None
    return None


def _write_owner(folder: Path, number: int, name: str) -> None:
    partial = folder / f"w{number}.owner.new"
    partial.write_text(f"{name}\n", encoding="utf-8")
    partial.replace(folder / f"w{number}.owner")


def _open(main: Repository, number: int, name: str, lock: int) -> Slot:
    top = _folder(main) / f"w{number}"
    git_dir = worktrees.find_git_dir(main.common_dir, f"exptrack-w{number}", top)
    repository = main._replace(top=top, git_dir=git_dir, index_file=git_dir / "index")
    return Slot(number, repository, main, name, lock)


def prepare(slot: Slot, commit: str, *, keep: Collection[str] = ()) -> None:
    """Make the slot's work tree exactly `commit` (a full oid), whatever it is now, with HEAD detached there and the index equal to it.

    What lies at or below the paths in `keep` stays, unless it is in the way of the commit. Submodules are empty folders until
    `add_submodules`. Raises RepositoryError if there is no such commit or git cannot check it out, ExptrackError if files cannot be
    written.
    """
    tree = Worktree(slot.repository, slot.lock, settings=slot.main.git_dir / "config.worktree")
    slot.submodules = MappingProxyType({})
    with explained(slot):
        for path in _folder(slot.main).glob(f".w{slot.number}.*.gone"):
            _try_to_remove(path)
        slot.submodules = _make(tree, commit, frozenset(keep), _aside(slot, ""))
        worktrees.lock(slot.repository, f"the run {slot.owner} of exptrack works here")


@contextmanager
def explained(slot: Slot) -> Iterator[None]:
    """Raise ExptrackError for an OSError: the slot cannot be filled."""
    try:
        yield
    except OSError as error:
        raise ExptrackError(f"the slot {slot.repository.top} cannot be filled: {explain(error)}") from error


def _make(tree: Worktree, commit: str, keep: frozenset[str], aside: Callable[[str], Path]) -> Mapping[str, str]:
    """Make a worktree exactly a commit, if need be from nothing; gives its submodules."""
    listing = worktrees.list_commit(tree, commit)
    if _is_foreign(tree):
        _put_away(tree)
    try:
        _fill(tree, commit, listing, keep, aside)
    except (OSError, RepositoryError):
        _put_away(tree)
        try:
            _fill(tree, commit, listing, keep, aside)
        except (OSError, RepositoryError) as error:
            reason = _probe(tree.repository.top)
            _put_away(tree)
            raise reason or error from error
    return listing.submodules


def _is_foreign(tree: Worktree) -> bool:
    """Whether a part of the worktree belongs to another user than the folder it lies in: git would not work there."""
    top = tree.repository.top
    owner = top.parent.stat().st_uid
    places = (top, top / ".git", tree.repository.git_dir)
    return any(os.path.lexists(place) and place.lstat().st_uid != owner for place in places)


def _probe(top: Path) -> OSError | None:
    """Why git could not write there, which it does not say: a full disk, a quota; None if it is nothing of the kind."""
    probe = _gone(top)
    try:
        probe.write_bytes(b"x" * _PROBE)
    except OSError as error:
        return OSError(error.errno, error.strerror)
    finally:
        _try_to_remove(probe)
    return None


def _fill(tree: Worktree, commit: str, listing: Listing, keep: frozenset[str], aside: Callable[[str], Path]) -> None:
    top = tree.repository.top
    if top.is_symlink() or not top.is_dir():
        remove(top)
        top.mkdir(parents=True)
    open_folder(str(top), top.parent.stat().st_dev)
    worktrees.link(tree, commit)
    clear(top, listing, keep, aside)
    worktrees.check_out(tree, commit, listing)


def _put_away(tree: Worktree) -> None:
    """Take a work tree that cannot be mended out of the way, with its git dir; what of it cannot be deleted now is tried again later."""
    remove(tree.repository.git_dir)
    top = tree.repository.top
    if os.path.lexists(top) and not tree.is_submodule:
        top = top.rename(_gone(top))
    _try_to_remove(top)


def _gone(top: Path) -> Path:
    """A name beside a work tree for what is to be deleted, now or when the slot is prepared again."""
    return top.with_name(f".{top.name}.{os.urandom(4).hex()}.gone")


def _try_to_remove(path: Path) -> None:
    with suppress(OSError):
        remove(path)


def _aside(slot: Slot, prefix: str) -> Callable[[str], Path]:
    """Where the checkout of a submodule is kept while no run has put it in its place."""
    folder = _folder(slot.main) / f"w{slot.number}.aside"
    return lambda path: folder / (prefix + path).replace("%", "%25").replace("/", "%2f")


def add_submodules(slot: Slot, main: Repository) -> tuple[str, ...]:
    """Check out the submodules of a slot that was prepared, at the commits it says, nested ones too, from what is on disk.

    `main` is the user's work tree. Nothing is fetched: paths of submodules whose commit is not there stay empty, and are given back.
    """
    with explained(slot):
        return tuple(_add(slot, slot.submodules, main, "", 1))


def _add(slot: Slot, submodules: Mapping[str, str], main: Repository, prefix: str, depth: int) -> Iterator[str]:
    for path, commit in submodules.items():
        common_dir = worktrees.find_submodule(main, slot.repository.top / prefix, path)
        inner = Repository(main.top / path, common_dir or Path(), common_dir or Path(), Path(), main.object_format)
        nested = _add_one(slot, inner, prefix + path, commit, depth) if common_dir else None
        if nested is None:
            yield prefix + path
        else:
            yield from _add(slot, nested, inner, f"{prefix}{path}/", depth + 1)


def _add_one(slot: Slot, module: Repository, path: str, commit: str, depth: int) -> Mapping[str, str] | None:
    """Check out a submodule and give its own submodules; None, and an empty folder, if its commit is not all there."""
    # It may be a project that has slots itself, and so may the one between: each level has its own name there.
    top, aside = slot.repository.top / path, _aside(slot, "")(path)
    git_dir = worktrees.find_git_dir(module.common_dir, f"exptrack-outer{depth}-w{slot.number}", top)
    repository = Repository(top, git_dir, module.common_dir, git_dir / "index", module.object_format)
    tree = Worktree(repository, slot.lock, is_submodule=True)
    remove(top)
    if aside.is_dir():
        aside.rename(top)
    try:
        return _make(tree, commit, frozenset(), _aside(slot, f"{path}/"))
    except RepositoryError:
        for rest in (top, git_dir):
            remove(rest)
        top.mkdir()
        return None
