"""Holdouts: metrics that are measured on data which is kept for the end, so that nobody chooses by them.

It is a discipline, and no encryption: what is sealed lies in a file of its own, which no command reads but to compare or unseal it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from exptrack.analysis.patterns import NESTING
from exptrack.model.run import SEALED
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Tree, Value, flatten


def find_holdouts(declared: Mapping[str, MetricDeclaration]) -> tuple[str, ...]:
    """The names of the metrics that are declared as holdout."""
    return tuple(name for name, one in declared.items() if one.holdout)


def is_holdout(key: str, holdouts: Iterable[str], files: Iterable[str] = ()) -> bool:
    """Whether a dotted name is one of the holdouts, or lies below one.

    Of two files of metrics that give one name, that of the later stands below its path: `files` are paths that may stand before it.
    """
    places = [name for one in holdouts for name in (one, *(f"{file}.{one}" for file in files))]
    return any(key == place or key.startswith(f"{place}.") for place in places)


def split(
    tree: Tree, holdouts: Collection[str], files: Collection[str] = ()
) -> tuple[dict[str, Value], dict[str, Value]]:
    """A tree of metrics as two: what may be seen, and what is sealed."""
    return _split(tree, holdouts, files, "") if holdouts else (dict(tree), {})


def hide(tree: Tree, holdouts: Collection[str], files: Collection[str] = ()) -> Tree:
    """A tree of metrics with the word `sealed` in the place of each holdout."""
    return _hide(tree, holdouts, files, "") if holdouts else tree


def list_names(sealed: Tree) -> tuple[str, ...]:
    """The dotted names of what is sealed."""
    return tuple(flatten(sealed))


def with_sealed(declared: Mapping[str, MetricDeclaration], sealed: Iterable[str]) -> Mapping[str, MetricDeclaration]:
    """The declarations, with what runs have sealed as holdouts, whatever `exptrack.yaml` says of it by now."""
    kept = {name: declared.get(name, MetricDeclaration(name))._replace(holdout=True) for name in sealed}
    return {**declared, **kept}


def seal_output(text: str, patterns: Sequence[str], holdouts: Collection[str]) -> str:
    """Output in which the values that a pattern reads as a holdout are replaced by the word `sealed`."""
    wanted = []
    for pattern in map(re.compile, patterns):
        groups = [name for name in pattern.groupindex if is_holdout(NESTING.sub(".", name), holdouts)]
        if groups:
            wanted.append((pattern, groups))
    return "\n".join(_seal_line(line, wanted) for line in text.split("\n")) if wanted else text


def seal_file(path: str, content: bytes, holdouts: Collection[str]) -> bytes | None:
    """The content of a file of metrics without its holdouts, laid out as before where that can be; None if it holds none.

    A file that holds one and cannot be written is given up: all of it goes (`b""`).
    """
    from exptrack.analysis.editing.fileedit import edit_text
    from exptrack.analysis.trees import KINDS, decode_tree
    from exptrack.errors import ExptrackError

    try:
        tree = decode_tree(content, KINDS.get(PurePosixPath(path).suffix.lower(), "yaml"))
    except ValueError:
        return None
    kept, sealed = split(tree, holdouts)
    if not sealed:
        return None
    try:
        return edit_text(path, content.decode("utf-8"), kept).encode()
    except (ExptrackError, UnicodeError):
        return b""


def _split(
    tree: Tree, holdouts: Collection[str], files: Collection[str], prefix: str
) -> tuple[dict[str, Value], dict[str, Value]]:
    seen: dict[str, Value] = {}
    sealed: dict[str, Value] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if is_holdout(name, holdouts, files):
            sealed[key] = value
        elif isinstance(value, Mapping) and value:
            open_part, sealed_part = _split(value, holdouts, files, f"{name}.")
            seen |= {key: open_part} if open_part else {}
            sealed |= {key: sealed_part} if sealed_part else {}
        else:
            seen[key] = value
    return seen, sealed


def _hide(tree: Tree, holdouts: Collection[str], files: Collection[str], prefix: str) -> dict[str, Value]:
    hidden: dict[str, Value] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            hidden[key] = _hide(value, holdouts, files, f"{name}.")
        else:
            hidden[key] = SEALED if is_holdout(name, holdouts, files) else value
    return hidden


def _seal_line(line: str, wanted: Sequence[tuple[re.Pattern[str], Sequence[str]]]) -> str:
    for pattern, groups in wanted:
        match = pattern.search(line)
        spans = (
            sorted({match.span(group) for group in groups if match.span(group)[0] >= 0}, reverse=True) if match else []
        )
        for start, end in spans:
            line = f"{line[:start]}{SEALED}{line[end:]}"
    return line
