"""Put files in place of others so that all of it can be undone."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git.clearing import remove
from exptrack.errors import ExptrackError, explain


class Step(NamedTuple):
    """`new` takes the place of `target`; None removes it. `new` is a file, a link, or a folder beside its target."""

    target: Path
    new: Path | None


class _Done(NamedTuple):
    """A step that was taken: where the old content lies, if there was any, and the folders that were made for the new."""

    step: Step
    old: Path | None
    made: tuple[Path, ...]


def exchange(steps: Sequence[Step], top: Path, aside: Path) -> None:
    """Take all steps, in this order, or none: after an error or an interrupt what was there is put back.

    Files are replaced in one instant. What they replace lies in `aside` meanwhile; a folder beside its place. Folders below `top` that
    become empty go. Raises ExptrackError, which names what could not be put back.
    """
    done: list[_Done] = []
    try:
        for number, step in enumerate(steps):
            _take(step, top, aside / str(number), done)
    except BaseException as error:
        stuck = _undo(done, top)
        if stuck:
            raise ExptrackError(f"{explain_error(error)}; these could not be put back: {', '.join(stuck)}") from error
        if isinstance(error, OSError):
            raise ExptrackError(f"{explain_error(error)}; all files are as they were") from error
        raise
    for one in done:
        if one.old is not None:
            with suppress(OSError):
                remove(one.old)


def explain_error(error: BaseException) -> str:
    """What went wrong, in some words."""
    return explain(error) if isinstance(error, Exception) else "interrupted"


def _take(step: Step, top: Path, aside: Path, done: list[_Done]) -> None:
    target, new = step
    made = tuple(_make_folders(target.parent))
    old = None
    if _is_folder(target):
        old = target.with_name(f".{target.name}.{aside.parent.name}-{aside.name}")
    elif os.path.lexists(target):
        old = aside
        _copy(target, old)
    # From here on it is undone with the others.
    done.append(_Done(step, old, made))
    if old is not None and old != aside:
        target.rename(old)
    if new is None:
        if old == aside:
            target.unlink()
        _remove_empty(target.parent, top)
    elif _is_folder(new):
        target.unlink(missing_ok=True)
        new.rename(target)
    else:
        _replace(new, target)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives the new ones, the innermost last."""
    missing = []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    made: list[Path] = []
    try:
        for one in reversed(missing):
            one.mkdir()
            made.append(one)
    except OSError:
        for one in reversed(made):
            one.rmdir()
        raise
    return made


def _copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _replace(new: Path, target: Path) -> None:
    try:
        new.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.exptrack-new")  # the repository lies on another file system
        try:
            shutil.copy2(new, beside, follow_symlinks=False)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder that is empty now, and those above it; not the one that the user is in, nor `top`."""
    with suppress(OSError):
        here = Path.cwd()
        while folder != top and not here.is_relative_to(folder):
            folder.rmdir()
            folder = folder.parent


def _undo(done: Sequence[_Done], top: Path) -> list[str]:
    """Put back what was there; gives what could not be, with the place of its content."""
    stuck = []
    for step, old, made in reversed(done):
        try:
            _put_back(step, old)
            for folder in reversed(made):
                with suppress(OSError):
                    folder.rmdir()
        except OSError as error:
            where = f", its content is in {old}" if old is not None and os.path.lexists(old) else ""
            stuck.append(f"{step.target.relative_to(top)} ({explain(error)}{where})")
    return stuck


def _put_back(step: Step, old: Path | None) -> None:
    target, new = step
    if old is None:
        if new is not None and not os.path.lexists(new):
            target.rename(new) if _is_folder(target) else remove(target)
        return
    if not os.path.lexists(old):
        return  # it was not moved yet
    target.parent.mkdir(parents=True, exist_ok=True)
    if _is_folder(target):
        target.rename(new) if new is not None else remove(target)
    if _is_folder(old):
        remove(target)
        old.rename(target)
    else:
        _replace(old, target)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
