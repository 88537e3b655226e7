"""What came of sharing runs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exptrack.analysis.wording import counted, name_few
from exptrack.model.sharing import Held
from exptrack.render.text import format_size, inert

_SHOWN = 5


def enumerate_names(names: Sequence[str]) -> str:
    """The names, commas between; of many the first few."""
    return inert(name_few(names, _SHOWN))


def explain_held(held: Iterable[Held], verb: str) -> Iterator[str]:
    """A line for each reason, with the runs that it holds for; `verb` as in "is not pushed"."""
    names: dict[str, list[str]] = {}
    for one in held:
        names.setdefault(one.reason, []).append(one.name)
    for reason, some in names.items():
        yield f"{enumerate_names(some)} {'is' if len(some) == 1 else 'are'} {verb}: {inert(reason)}"


def format_data(objects: int, size: int) -> str:
    """How much data went along, behind a semicolon; nothing if there was none."""
    return f"; {counted(objects, 'file')}, {format_size(size)} of data" if objects else ""
