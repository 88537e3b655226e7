"""Links from a slot into the user's work tree, for what Git ignores there and a run needs (`capture.links`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from exptrack.errors import ExptrackError
from exptrack.store.slots import Slot, explained


def link_paths(slot: Slot, main_top: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Link files and folders of the user's work tree into a slot that was prepared; gives back those that are not there.

    Paths are relative to the root. Raises ExptrackError, before anything is linked, for one that leads out of the repository or that
    the slot's commit holds itself, in whole or in part.
    """
    top = slot.repository.top
    wanted = {_check_link(path) for path in paths}
    inner = {path for path in wanted if any(path.startswith(f"{other}/") for other in wanted)}
    missing = {path for path in wanted if not os.path.lexists(main_top / path)}
    chosen = sorted(wanted - inner - missing)
    for path in chosen:
        _check_place(top, path, main_top)
    with explained(slot):
        for path in chosen:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(top / path):
                (top / path).symlink_to(main_top / path)
    return tuple(path for path in paths if _check_link(path) in missing)


def _check_link(path: str) -> str:
    """A path to be linked, in its plain form."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts or "\0" in path or not parts:
        raise ExptrackError(f"{path!r} cannot be linked: name a file or folder below the root of the repository")
    if ".git" in (part.lower() for part in parts):
        raise ExptrackError(f"{path!r} cannot be linked: it belongs to Git")
    return "/".join(parts)


def _check_place(top: Path, path: str, main_top: Path) -> None:
    """Raise, unless there is room for the link."""
    place = top / path
    for folder in reversed(place.relative_to(top).parents[:-1]):
        if (top / folder).is_symlink():
            raise ExptrackError(
                f"{path!r} cannot be linked: {str(folder)!r} is a link, which may lead out of the repository"
            )
        if os.path.lexists(top / folder) and not (top / folder).is_dir():
            raise ExptrackError(f"{path!r} cannot be linked: {str(folder)!r} is a file that Git tracks")
    if os.path.lexists(place) and not (place.is_symlink() and os.readlink(place) == str(main_top / path)):  # noqa: PTH115
        part = " files of" if place.is_dir() and not place.is_symlink() else ""
        raise ExptrackError(
            f"{path!r} cannot be linked: the snapshot holds{part} it already; name only what Git ignores"
        )
