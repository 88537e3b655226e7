"""What `gc` found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from exptrack.analysis.wording import counted, name_few
from exptrack.model.collection import Collected
from exptrack.render.text import format_size, inert

_NAMED = 5


def format_collected(collected: Collected, command: str, grace: int) -> str:
    """The lines that are printed. `command` is the one that deletes what is only listed, `grace` the days for which all data is kept."""
    return "\n".join(map(inert, _lines(collected, command, grace))) + "\n"


def format_json(collected: Collected) -> str:
    """The same as JSON (`docs/json.md`)."""
    fields = {"schema": 1, **collected._asdict(), "largest": [one._asdict() for one in collected.largest]}
    return json.dumps(fields, indent=2) + "\n"


def _lines(collected: Collected, command: str, grace: int) -> Iterator[str]:
    yield from _garbage(collected)
    yield f"kept {_amount(collected.kept, collected.kept_size)}, which {_is(collected.kept)} used"
    if collected.young:
        days = counted(grace, "day")
        yield f"kept {_amount(collected.young, collected.young_size)}, which nothing uses, for being younger than {days}"
    yield from _runs(collected)
    if collected.unlisted:
        folders = counted(collected.unlisted, "folder")
        yield f"{folders} of data {_is(collected.unlisted)} used and not there, with files that only the listing names"
    if collected.unreadable:
        yield f"what these use is not known: {name_few(collected.unreadable, _NAMED)}"
    if collected.objects and not collected.done:
        yield f"to delete it: {command}{' --force' if collected.unreadable else ''}"


def _garbage(collected: Collected) -> Iterator[str]:
    garbage = _amount(collected.objects, collected.size)
    if not collected.objects:
        yield f"nothing to delete in {collected.place}"
    elif collected.done:
        yield f"deleted {garbage} from {collected.place}"
    else:
        yield f"nothing uses {garbage} in {collected.place}"
        sizes = [format_size(one.size) for one in collected.largest]
        for one, size in zip(collected.largest, sizes, strict=True):
            yield f"  {size:>{max(map(len, sizes))}}  {one.path or one.digest}"
        if collected.objects > len(collected.largest):
            yield f"  and {collected.objects - len(collected.largest):,} more"


def _runs(collected: Collected) -> Iterator[str]:
    if collected.losing:
        verb = "lost" if collected.done else "would lose"
        yield f"{counted(len(collected.losing), 'run')} {verb} data, by `keep` in exptrack.yaml: {name_few(collected.losing, _NAMED)}"
    if collected.expired:
        verb = "cannot be restored any more" if collected.done else "can no longer be restored then"
        yield f"{counted(len(collected.expired), 'removed run')} {verb}: {name_few(collected.expired, _NAMED)}"


def _amount(objects: int, size: int) -> str:
    return f"{counted(objects, 'object')} ({format_size(size)})"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
