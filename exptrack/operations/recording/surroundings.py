"""What surrounds a command that works in a slot: its variables lead to the slot where they led to the user's work tree."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.backends.git.repository import FOREIGN

# Lists of folders, or one folder, in which programs look for code.
_SEARCHED = (
    "PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "PKG_CONFIG_PATH", "MYPYPATH", "NODE_PATH",
    "CLASSPATH", "PERL5LIB", "RUBYLIB", "R_LIBS", "R_LIBS_USER", "JULIA_LOAD_PATH", "JULIA_PROJECT", "VIRTUAL_ENV", "CONDA_PREFIX",
    "DVC_ROOT", "OLDPWD",
)  # fmt: skip
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")


class Surroundings(NamedTuple):
    """The variables of a command, and lines about code that it takes from the user's work tree all the same."""

    environ: Mapping[str, str]
    problems: tuple[str, ...] = ()


class Move(NamedTuple):
    """From the user's work tree to a slot; both are roots."""

    main: Path
    top: Path

    def inside(self, path: str) -> str | None:
        """An absolute path in the user's work tree, relative to its root; None for any other, and for what belongs to Git."""
        plain = os.path.normpath(path) if path.startswith("/") else ""
        for root in {str(self.main), os.path.realpath(self.main)}:
            if plain == root or plain.startswith(f"{root}/"):
                inside = os.path.relpath(plain, root)
                return None if inside.partition("/")[0] == ".git" else inside
        return None

    def find(self, path: str) -> str | None:
        """Where the slot has what lies at this path in the user's work tree; None if it has not, or only by a link that leads out."""
        inside = self.inside(path)
        if inside is None:
            return None
        place = os.path.normpath(self.top / inside)
        real, root = os.path.realpath(place), os.path.realpath(self.top)
        return place if os.path.exists(place) and (real == root or real.startswith(f"{root}/")) else None  # noqa: PTH110


def surround(
    move: Move, directory: Path, command: Sequence[str], environ: Mapping[str, str], cache: Path
) -> Surroundings:
    """The variables for `command` in `directory` of a slot.

    Code that is installed from the user's work tree (in editable form) is put on PYTHONPATH as the slot has it. What still leads into
    the user's work tree is told. `cache` is the folder for answers about interpreters.
    """
    own = {name: value for name, value in environ.items() if name not in FOREIGN} | {"PWD": str(directory)}
    for name in _SEARCHED:
        if name in own:
            entries = own[name].split(os.pathsep)
            own[name] = os.pathsep.join(move.find(entry) or entry for entry in entries)
    if move.inside(own.get("OLDPWD", "")) is not None:
        del own["OLDPWD"]
    named = [_name_word(word) for word in command if move.find(word.rpartition("=")[2])]
    roots, left = _sources(move, directory, command, own, cache)
    if roots:
        own["PYTHONPATH"] = os.pathsep.join([*roots, *filter(None, [own.get("PYTHONPATH")])])
    return Surroundings(own, (*named, *map(_name_folder, left)))


def _sources(
    move: Move, directory: Path, command: Sequence[str], environ: Mapping[str, str], cache: Path
) -> tuple[list[str], list[str]]:
    """Folders of the slot to import from in place of the user's, and folders of the user's that stay."""
    from exptrack.backends.host.inplace import find_imports

    imports = find_imports(command, directory=directory, environ=environ, cache=cache)
    roots, left = [], []
    for folder in imports.folders:
        inside = move.inside(folder)
        if inside is None or is_environment(move.main, inside):
            continue
        place = move.find(folder)
        if place is not None and imports.is_heeding and not _hides_library(place):
            roots.append(place)
        elif not os.path.lexists(move.top / inside) or place is not None:  # a link was asked for
            left.append(inside)
    return roots, left


def is_environment(main: Path, inside: str) -> bool:
    """Whether a folder belongs to a virtual or conda environment."""
    folders = [main / inside, *(main / folder for folder in Path(inside).parents)]
    return any((folder / name).exists() for folder in folders for name in _ENVIRONMENTS)


def _hides_library(folder: str) -> bool:
    """Whether a module there would be taken for one of the standard library, before which PYTHONPATH comes."""
    names = {path.name.removesuffix(".py") for path in Path(folder).iterdir()}
    return not names.isdisjoint(sys.stdlib_module_names - {"test"})


def _name_word(word: str) -> str:
    return f"{word} is named by its path in the work tree: that is used, not the snapshot's; name it by a relative path"


def _name_folder(folder: str) -> str:
    return f"Python imports from {folder} in the work tree, not from the snapshot: what is imported there may have changed since"
