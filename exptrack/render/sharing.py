"""What came of sharing runs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exptrack.analysis.wording import counted, name_few
from exptrack.model.sharing import Held
from exptrack.render.text import format_size, inert

_SHOWN = 5
_MOST = 50  # reasons


def enumerate_names(names: Sequence[str]) -> str:
    """The names, commas between; of many the first few."""
    return inert(name_few(names, _SHOWN))


def list_names(said: str, names: Sequence[str], more: str) -> Iterator[str]:
    """What is said of runs, with all of their names: in the same line, or each in its own where `enumerate_names` would leave some out."""
    if len(names) <= _SHOWN + 1:
        yield f"{said}: {enumerate_names(names)}{more}"
        return
    yield f"{said}{more}:"
    yield from (f"  {inert(name)}" for name in names)


def shorten(remote: str) -> str:
    """A remote's name without its URL, which was told before."""
    return remote.partition(" (")[0]


def explain_held(held: Iterable[Held], one: str, many: str) -> Iterator[str]:
    """A line for each reason, with the runs that it holds for; `one` and `many` are as "is refused" and "are refused"."""
    names: dict[str, list[str]] = {}
    for run in held:
        names.setdefault(run.reason, []).append(run.name)
    shown = list(names.items())[:_MOST]
    for reason, some in shown:
        yield f"{enumerate_names(some)} {one if len(some) == 1 else many}: {inert(reason)}"
    if len(names) > len(shown):
        more = {name for some in list(names.values())[_MOST:] for name in some}
        yield f"{counted(len(more), 'more run')} {one if len(more) == 1 else many}, for other reasons"


def format_data(objects: int, size: int, *, is_most: bool = False) -> str:
    """How much data went along, behind a semicolon; nothing if there was none. `is_most` says that it may be less."""
    return f"; {'up to ' if is_most else ''}{counted(objects, 'file')}, {format_size(size)} of data" if objects else ""
