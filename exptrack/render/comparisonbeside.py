"""What was looked at beside the verdicts of a comparison, as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exptrack.analysis.experiments.parameters import CAVEAT, Association, describe
from exptrack.analysis.experiments.predictions import Models, Split
from exptrack.operations.comparing.looking import Beside
from exptrack.render.gfm import code_span, sentence
from exptrack.render.sheet import Block, Items
from exptrack.render.text import inert, wrap

_PIPE_WIDTH = 200
_NOTHING = "all configurations have the same parameters"


def format_beside(beside: Beside, *, width: int | None = None) -> str:
    """A paragraph for each thing that was looked at, folded at `width` cells (None: 200); empty if nothing was."""
    room = width or _PIPE_WIDTH
    paragraphs = []
    for title, lines in list_parts(beside):
        folded = [
            ("  " if place else "- ") + piece
            for line in lines
            for place, piece in enumerate(wrap(inert(line).split(" "), room - 2))
        ]
        paragraphs.append("\n".join([*wrap(f"{title}:".split(" "), room), *folded]))
    return "\n\n".join(paragraphs)


def list_blocks(beside: Beside) -> list[Block]:
    """The same as parts of a page of Markdown."""
    return [Items([*map(_quote, lines)], title) for title, lines in list_parts(beside)]


def _quote(line: str) -> str:
    """What a line is about in words, and its numbers as they stand."""
    about, colon, numbers = line.partition(": ")
    return f"{sentence(about)}: {code_span(numbers)}" if colon else sentence(line)


def list_parts(beside: Beside) -> Iterator[tuple[str, list[str]]]:
    """A title and lines for each thing that was looked at."""
    if beside.associations is not None:
        yield f"by parameter ({CAVEAT})", [describe(one) for one in beside.associations] or [_NOTHING]
    if beside.examined is not None:
        found = beside.examined
        yield (
            "example by example",
            [*(one.line for one in found.models), *(one.line for one in found.splits), *found.notes],
        )


def encode_beside(beside: Beside) -> dict[str, Any]:
    """What `--json` has of it: `parameters` and `predictions`, each only if it was asked for."""
    encoded: dict[str, Any] = {}
    if beside.associations is not None:
        encoded["parameters"] = [_encode_association(one) for one in beside.associations]
    if beside.examined is not None:
        encoded["predictions"] = {
            "models": [_encode_models(one) for one in beside.examined.models],
            "splits": [_encode_split(one) for one in beside.examined.splits],
            "notes": [*beside.examined.notes],
        }
    return encoded


def _encode_association(one: Association) -> dict[str, Any]:
    interval = None if one.interval is None else [*one.interval]
    return {**one._asdict(), "measure": one.measure or None, "interval": interval, "note": one.note or None}


def _encode_models(one: Models) -> dict[str, Any]:
    gaps = [{**gap._asdict(), "interval": [*gap.interval]} for gap in one.gaps]
    return {**one._asdict(), "runs": [*one.runs], "gaps": gaps}


def _encode_split(one: Split) -> dict[str, Any]:
    return one._asdict()
