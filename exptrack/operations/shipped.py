"""Files that travel with the package, and their way into a project: nothing that is there is overwritten."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from exptrack.errors import ExptrackError, explain

_PACKAGE = Path(__file__).resolve().parent.parent


class Copied(Enum):
    """What came of a copy."""

    WRITTEN = "written"
    SAME = "there already"
    OTHER = "there already, with another text"


def find_template(name: str) -> Path:
    """A file of `templates/`, inside the installed package, or beside it in a checkout; raises ExptrackError."""
    for folder in (_PACKAGE / "_shipped" / "templates", _PACKAGE.parent / "templates"):
        if (folder / name).is_file():
            return folder / name
    raise ExptrackError(f"the template {name} is not part of this installation: install exptrack again")


def read_template(name: str) -> str:
    return find_template(name).read_text(encoding="utf-8")


def find_text(target: Path) -> str | None:
    """The text of a file, None if there is nothing; raises ExptrackError for what cannot be read."""
    try:
        return target.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        if not target.is_symlink():
            return None
        raise ExptrackError(f"{target} is a link that leads nowhere: remove it, and try again") from None
    except OSError as error:
        raise ExptrackError(f"cannot read {target}: {explain(error)}") from error


def copy_text(text: str, target: Path, *, is_executable: bool = False) -> Copied:
    """Write a new file with the folders above it, unless one is there; raises ExptrackError."""
    found = find_text(target)
    if found is not None:
        return Copied.SAME if found == text else Copied.OTHER
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777 if is_executable else 0o666)
        with os.fdopen(new, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ExptrackError(f"cannot write {target}: {explain(error)}") from error
    return Copied.WRITTEN
