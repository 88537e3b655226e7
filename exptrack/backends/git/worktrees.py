"""Worktrees of our own, made to be exactly a commit.

Their links are written by hand, as gitrepository-layout(5) describes them: `git worktree add` copies the user's sparse checkout, names
the worktree as it likes, and leaves a locked entry behind when it is killed. Here each file is written whole or not at all, in an order
in which git takes half a link for none, and what is missing or wrong is written again.

What git remembers of the work tree lies in an index beside the worktree's own, so that nothing a command did to that (flags that hide
changes, a sparse or broken index) outlives it.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git import command
from exptrack.backends.git.clearing import Listing, remove
from exptrack.backends.git.index import copy_index
from exptrack.backends.git.repository import FOREIGN, Repository
from exptrack.errors import RepositoryError

_OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")

# A checkout is the same whatever the user has set for his own work tree; what decides on the bytes of a file stays as he has it.
_SETTINGS = (
    "core.sparseCheckout=false", "index.sparse=false", "core.untrackedCache=false", "core.trustctime=true", "core.checkStat=default",
    "core.ignoreStat=false", "core.logAllRefUpdates=false", "submodule.recurse=false",
)  # fmt: skip
_DECIDING = r"^(core\.(autocrlf|eol|attributesfile|symlinks|filemode|checkroundtripencoding)|filter\..*|lfs\..*)$"

_MARK = "exptrack-slot"  # in a worktree's git dir: it is one of ours
_INDEX = "exptrack-index"
_KEY = "exptrack-key"
_OURS = frozenset(
    {_MARK, _INDEX, _KEY, "exptrack", "HEAD", "commondir", "gitdir", "index", "locked", "reftable", "config.worktree"}
)
_HEAD = re.compile(r"(ref: refs/[^\n]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")


class Worktree(NamedTuple):
    """A worktree of our own.

    `hold` is a descriptor whose lock each git that works there holds too, so that none of them meets the next user of the worktree.
    `settings` is the `config.worktree` of the user's own work tree.
    """

    repository: Repository
    hold: int
    settings: Path | None = None
    is_submodule: bool = False


def find_git_dir(common_dir: Path, name: str, top: Path) -> Path:
    """Where the git dir of our worktree `name` at `top` is, or can be made; one of the user's that is called the same is left alone."""
    for number in count():
        folder = common_dir / "worktrees" / (f"{name}-{number}" if number else name)
        if not os.path.lexists(folder) or _is_ours(folder, top):
            return folder
    raise AssertionError


def _is_ours(git_dir: Path, top: Path) -> bool:
    if (git_dir / _MARK).exists() or _read(git_dir / "gitdir") == f"{top}/.git\n":
        return True
    return git_dir.is_dir() and not any(git_dir.iterdir())  # killed before it was marked


def link(tree: Worktree, commit: str) -> None:
    """Make a folder a worktree, or mend it: both ends of its link; what an earlier command left in its git dir goes.

    `commit` is where HEAD will be if it is nowhere. Raises OSError.
    """
    git_dir, top = tree.repository.git_dir, tree.repository.top
    git_dir.mkdir(parents=True, exist_ok=True)
    (git_dir / _MARK).touch()
    _write(git_dir / "commondir", "../..\n")
    if not _HEAD.fullmatch(_read(git_dir / "HEAD") or ""):
        _write(git_dir / "HEAD", f"{commit}\n")
    if (tree.repository.common_dir / "reftable").is_dir():
        _prepare_reftable(git_dir)
    _write(top / ".git", f"gitdir: {git_dir}\n")
    _write(git_dir / "gitdir", f"{top}/.git\n")  # from now on git knows it
    for path in git_dir.iterdir():
        if path.name not in _OURS:
            remove(path)
    _copy_settings(tree.settings, git_dir / "config.worktree")


def _prepare_reftable(git_dir: Path) -> None:
    """As git does for a worktree of a repository that keeps its refs in a table."""
    (git_dir / "reftable").mkdir(exist_ok=True)
    _write(git_dir / "HEAD", "ref: refs/heads/.invalid\n")


def lock(repository: Repository, reason: str) -> None:
    """Keep the user's `git worktree remove`, `move` and `prune` away, as `git worktree lock` does."""
    _write(repository.git_dir / "locked", f"{reason}\n")


def unlock(repository: Repository) -> None:
    """The inverse of `lock`."""
    with suppress(OSError):
        (repository.git_dir / "locked").unlink()


def list_commit(tree: Worktree, commit: str) -> Listing:
    """What a commit holds; raises RepositoryError if there is no such commit here. The worktree need not be there yet."""
    listing = _start(tree, "ls-tree", "-r", "-z", "--full-tree", f"{commit}^{{commit}}", is_inside=False)
    asking = _start(tree, "config", "-z", "--get-regexp", _DECIDING, is_inside=False)
    listed, settings = command.finish(listing), command.finish(asking)
    lines = os.fsdecode(command.output(listed, "ls-tree")).split("\0")[:-1]
    files = frozenset([line.partition("\t")[2] for line in lines])
    submodules = {path: facts.split(" ")[2] for facts, _, path in (x.partition("\t") for x in lines if x[:2] == "16")}
    folders = {path.rpartition("/")[0] for path in files}
    for path in list(folders):
        folders.update(path[:end] for end, letter in enumerate(path) if letter == "/")
    attributes = [line for line in lines if line.endswith(".gitattributes")]
    own = _read(tree.settings) if tree.settings else None
    key = [
        *sorted(attributes),
        os.fsdecode(settings.out),
        own,
        *_stamp_attributes(tree.repository, os.fsdecode(settings.out)),
    ]
    return Listing(files - submodules.keys(), frozenset(folders - {""}), submodules, repr(key))


def _stamp_attributes(repository: Repository, settings: str) -> list[str]:
    """The state of the files of attributes that no commit holds."""
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    named = [line.partition("\n")[2] for line in settings.split("\0") if line.startswith("core.attributesfile\n")]
    paths = [
        repository.common_dir / "info" / "attributes",
        Path("/etc/gitattributes"),
        *map(Path, named or [f"{config}/git/attributes"]),
    ]
    return [_stamp(path) for path in paths]


def _stamp(path: Path) -> str:
    try:
        status = path.expanduser().stat()
    except (OSError, RuntimeError):
        return ""
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def check_out(tree: Worktree, commit: str, listing: Listing) -> None:
    """Files, index and HEAD become those of the commit; what else lies in the folder must be gone already. Raises RepositoryError, OSError.

    Where the attributes and filters are other ones than the last time, all files are written anew.
    """
    git_dir = tree.repository.git_dir
    index = git_dir / _INDEX
    if _read(git_dir / _KEY) != listing.key:
        (git_dir / _KEY).unlink(
            missing_ok=True
        )  # first, so that a kill leaves no index under a key that is not its own
        index.unlink(missing_ok=True)
    head = _read(git_dir / "HEAD") or ""
    moving = None if head.strip() == commit else _start(tree, "update-ref", "--no-deref", "HEAD", commit)
    reading = _start(tree, "read-tree", "--reset", "-u", "--no-recurse-submodules", commit, index=index)
    read, moved = command.finish(reading), moving and command.finish(moving)
    command.output(read, "read-tree")
    if moved:
        command.output(moved, "update-ref")
    _write(git_dir / _KEY, listing.key)
    copy = git_dir / f"{_INDEX}.copy"
    copy_index(index, copy)
    copy.replace(git_dir / "index")


def find_submodule(main: Repository, top: Path, path: str) -> Path | None:
    """The git dir of a submodule, where the user's work tree has it or once had it; None if there is none. `top` holds `.gitmodules`."""
    candidates = [_follow(main.top / path)]
    if (name := _find_name(top, path)) is not None:
        candidates += [folder / "modules" / name for folder in (main.git_dir, main.common_dir)]
    for folder in candidates:
        if folder is not None:
            common = folder / (_read(folder / "commondir") or "").rstrip("\n")
            if (common / "objects").is_dir():
                return Path(os.path.realpath(common))
    return None


def _follow(folder: Path) -> Path | None:
    """The git dir of the work tree whose root is `folder`."""
    place = folder / ".git"
    if place.is_dir():
        return place
    text = _read(place) or ""
    return folder / text.removeprefix("gitdir: ").rstrip("\r\n") if text.startswith("gitdir: ") else None


def _find_name(top: Path, path: str) -> str | None:
    """The name of the submodule at `path`; not one that would lead out of the folder of submodules."""
    words = ("config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    done = command.call(top, *words, environ=dict.fromkeys(FOREIGN))
    for line in command.split(done.out):
        key, _, value = line.partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        if value == path and ".." not in name.split("/") and not name.startswith("/"):
            return name
    return None


def _copy_settings(source: Path | None, target: Path) -> None:
    """The user's settings for his work tree, but for where that is and how much of it is checked out."""
    text = _read(source) if source is not None else None
    if text is None:
        target.unlink(missing_ok=True)
        return
    _write(target, text)
    words = ("config", "-f", str(target))
    environ = dict.fromkeys(FOREIGN)
    command.call(target.parent, *words, "--unset-all", "core.worktree", environ=environ)
    for setting in ("core.bare", "core.sparseCheckout", "core.sparseCheckoutCone", "index.sparse"):
        command.run(target.parent, *words, "--replace-all", setting, "false", environ=environ)


def _start(tree: Worktree, *words: str, index: Path | None = None, is_inside: bool = True) -> subprocess.Popen[bytes]:
    """As `command.start`, with git holding the lock of the worktree; one that is not `is_inside` it works on the repository as such."""
    common_dir = tree.repository.common_dir
    git_dir, top = (tree.repository.git_dir, tree.repository.top) if is_inside else (common_dir, common_dir)
    unset = {*FOREIGN, *(_OBJECTS if tree.is_submodule else ())}
    environ = {name: value for name, value in os.environ.items() if name not in unset}
    environ |= {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(top)}
    settings = list(_SETTINGS)
    if index is not None:
        environ["GIT_INDEX_FILE"] = str(index)
    if tree.is_submodule:
        settings.append("protocol.allow=never")
    try:
        return subprocess.Popen(
            [*command._PREFIX, *(word for setting in settings for word in ("-c", setting)), *words],  # noqa: SLF001
            cwd=top,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(tree.hold,),
        )
    except OSError as error:
        raise RepositoryError(f"git cannot be started in {top}: {error.strerror}") from error


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, if it does not say that already; what else is in its place goes."""
    if not path.is_symlink() and _read(path) == text:
        return
    partial = path.with_name(f"{path.name}.exptrack-new")
    remove(partial)
    partial.write_bytes(text.encode("utf-8", "surrogateescape"))
    if path.is_dir() and not path.is_symlink():
        remove(path)
    partial.replace(path)
