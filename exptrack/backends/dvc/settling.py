"""A DVC project in a work tree of its own: the cache and the remotes of the user's, by absolute paths."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.project import one_line
from exptrack.errors import DataError

_WORD = re.compile(r"[\w/.+-]+", re.ASCII)  # needs no quotes in a config file


def settle(main: Path, root: Path) -> None:
    """Write `.dvc/config.local` of the project at `root`, a copy of the one at `main`: the user's own, with all paths absolute.

    Raises DataError if a config file is broken or cannot be written.
    """
    _check_settings(root / ".dvc")
    if _is_plain(main):
        try:
            (root / ".dvc" / "config.local").write_text(
                f"[cache]\n    dir = {find_cache(main).folder}\n", encoding="utf-8"
            )
        except OSError as error:
            raise DataError(f"the DVC config of a run of its own cannot be written: {one_line(error)}") from error
        return
    from configobj import ConfigObj, ConfigObjError

    local = ConfigObj(interpolation=False, encoding="utf-8", list_values=False)
    remotes: dict[str, dict[str, Any]] = {}
    try:
        for name in ("config", "config.local"):
            file = main / ".dvc" / name
            if not file.is_file():
                continue
            found = ConfigObj(str(file), interpolation=False, encoding="utf-8", list_values=False)
            for section, values in found.items():
                if isinstance(values, dict) and "remote" in section and _is_relative(str(values.get("url", "://"))):
                    url = os.path.normpath(file.parent / str(values["url"]))
                    remotes.setdefault(section, {})["url"] = url
            if name == "config.local":
                local.merge(found.dict())
        local.merge({**remotes, "cache": {"dir": str(find_cache(main).folder)}})
        local.filename = str(root / ".dvc" / "config.local")
        local.write()
    except (ConfigObjError, OSError) as error:
        raise DataError(f"the DVC config in {main} cannot be used for a run of its own: {one_line(error)}") from error


def _check_settings(folder: Path) -> None:
    """Somebody else may have made the snapshot: its links are not followed where something is written."""
    for place in (folder, folder / "config"):
        if place.is_symlink():
            raise DataError(
                f"{place.relative_to(folder.parent)} is a symbolic link in the snapshot: do not trust this run"
            )
    try:
        (folder / "config.local").unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"the DVC config of a run of its own cannot be written: {one_line(error)}") from error


def _is_plain(main: Path) -> bool:
    """Whether the place of the cache is all there is to say; the import of configobj, 5 ms, is saved then."""
    try:
        says_nothing = b"remote" not in (main / ".dvc" / "config").read_bytes()
    except OSError:
        return False
    return (
        says_nothing
        and not (main / ".dvc" / "config.local").exists()
        and bool(_WORD.fullmatch(str(find_cache(main).folder)))
    )


def _is_relative(url: str) -> bool:
    return "://" not in url and not url.startswith(("/", "~"))
