"""The words of a command where they name places: what they named in a work tree is taken from the slot."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.operations.recording.surroundings import Move, is_environment

_BEFORE = r"(?:(?<![\w./-])|(?<=^-[A-Za-z])|(?<=[\s'\"]-[A-Za-z]))"  # the second and third: -I/path
_AFTER = r"(?P<inside>(?:/[^\s'\":;,()&|<>]*)?)(?=$|[\s'\":;,()&|<>])"
_SYSTEM = ("/bin/", "/dev/", "/lib/", "/opt/", "/proc/", "/sbin/", "/sys/", "/usr/")


class Led(NamedTuple):
    """The words to execute; lines on what else is taken than they say, and on what is used that lies outside of the repository."""

    command: tuple[str, ...]
    taken: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def lead(move: Move, directory: Path, command: Sequence[str], files: Collection[str]) -> Led:
    """The command of a run as it is to be executed in `directory` of a slot; `files` are those of the commit there.

    A path in the user's work tree, also within a longer word, becomes the slot's, whether it is there or not: else the command would
    read what lies there now, and write there. Only programs of a virtual environment stay. An absolute path that this machine has not
    and that ends as a file of the commit does is that file. A relative path that leaves the repository leads where it led, and so does
    one to a program of a virtual environment.
    """
    words: list[str] = []
    taken: dict[str, None] = {}
    outside: dict[str, None] = {}
    for position, word in enumerate(command):
        led = _lead_inside(move, word)
        name, equals, path = word.rpartition("=")
        if led != word:
            taken[f"{word} is taken from the snapshot, not from the work tree"] = None
        elif program := _find_program(move, directory, word):
            led = program
        elif path.startswith("../") and (place := _leave(move, directory, path)):
            led = f"{name}{equals}{place}"
            outside[_say_outside(path)] = None
        elif path.startswith("/") and move.inside(path) is None:
            if os.path.lexists(path):
                if position and not path.startswith(_SYSTEM):
                    outside[_say_outside(path)] = None
            elif found := _find_elsewhere(path, files):
                led = f"{name}{equals}{move.top / found}"
                taken[f"{path} is not on this machine: {found} of the snapshot is taken for it"] = None
        words.append(led)
    return Led(tuple(words), tuple(taken), tuple(outside))


def find_named(move: Move, text: str) -> str | None:
    """The first path in the user's work tree that a text names, such as a `dvc.yaml`; None if it names none."""
    return next((path for path, stays in _paths(move, text) if not stays), None)


def _roots(move: Move) -> Iterator[str]:
    yield from sorted({str(move.main), os.path.realpath(move.main)}, key=len, reverse=True)


def _paths(move: Move, text: str) -> Iterator[tuple[str, bool]]:
    for root in _roots(move):
        for found in re.finditer(_BEFORE + re.escape(root) + _AFTER, text):
            yield found[0], _stays(move, found[0])


def _stays(move: Move, path: str) -> bool:
    inside = move.inside(path)
    return inside is None or (move.find(path) is None and is_environment(move.main, inside))


def _lead_inside(move: Move, word: str) -> str:
    for root in (root for root in _roots(move) if root in word):  # compiling the pattern takes 1 ms
        word = re.sub(
            _BEFORE + re.escape(root) + _AFTER,
            lambda found: found[0] if _stays(move, found[0]) else _move_path(move, found[0]),
            word,
        )
    return word


def _move_path(move: Move, path: str) -> str:
    place = os.path.normpath(move.top / (move.inside(path) or ""))
    return f"{place}/" if path.endswith("/") else place


def _find_program(move: Move, directory: Path, word: str) -> str | None:
    """Where a relative path leads in a virtual environment in the user's work tree, which the slot has not."""
    if word.startswith("/") or "/" not in word or os.path.lexists(directory / word):
        return None
    inside = os.path.normpath(os.path.join(os.path.relpath(directory, move.top), word))  # noqa: PTH118 - as text
    is_program = not inside.startswith("../") and is_environment(move.main, inside)
    return str(move.main / inside) if is_program and os.path.lexists(move.main / inside) else None


def _leave(move: Move, directory: Path, path: str) -> str | None:
    """Where a relative path leads from the user's work tree, if that is outside of it and there."""
    here = os.path.relpath(directory, move.top)
    place = os.path.normpath(move.main / here / path)
    return place if move.inside(place) is None and os.path.lexists(place) else None


def _find_elsewhere(path: str, files: Collection[str]) -> str | None:
    """The file of a commit as whose path this one ends, the longest."""
    parts = path.strip("/").split("/")
    return next((found for start in range(1, len(parts)) if (found := "/".join(parts[start:])) in files), None)


def _say_outside(path: str) -> str:
    return f"{path} lies outside of the repository: it is used as it is now"
