"""The names that a query may have: fields, `metrics.KEY` and `params.KEY`; how they are written, and what to say of a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

FIELDS: Mapping[str, str] = {
    "name": "text", "status": "status", "experiment": "text", "tag": "text", "note": "text", "author": "text", "host": "text",
    "branch": "text", "command": "text", "commit": "text", "reproduces": "text", "parent": "text", "resumes": "text", "removed": "text", "seed": "any",
    "duration": "number", "started": "time", "ended": "time",
}  # fmt: skip
# Fields whose columns have another name than a query gives them: it asks about one tag, a column shows all.
ALIASES: Mapping[str, str] = {"tags": "tag", "notes": "note"}
AREAS: Mapping[str, str] = {"metrics": "number", "params": "any"}
WORDS = ("and", "or", "not")

_BARE = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./:+-]*[A-Za-z0-9_])?")
_MOST = 3  # names in an advice
# How other languages join terms.
_JOINING = {"&&": "and", "||": "or", ",": "and"}


def format_name(name: str) -> str:
    """A name as a query has it, its key quoted where that is needed."""
    area, dot, key = name.partition(".")
    return f"{area}.{format_text(key)}" if dot else name


def format_text(text: str) -> str:
    """A text as a query has it, bare if it can be."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text if _BARE.fullmatch(text) and text not in {*WORDS, "true", "false"} else quoted


def shown(text: str) -> str:
    """A text in quotes, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:60] + "…")


def advise_name(name: str, known: Iterable[str]) -> str:
    """What to do about a name that no run has: those of the `known` that may be meant, or where they are listed."""
    near = _find_near(name, known)
    return f"did you mean {_join(near)}?" if near else "`exptrack ls --all-columns` shows what they have"


def advise_field(field: str, known: Callable[[], Iterable[str]]) -> str:
    """What to say after "'lr' is no field"; `known` gives the names that runs have, and is called if it can matter."""
    area, dot, key = field.partition(".")
    if area in AREAS:
        return f": did you mean {shown(f'{area}.KEY')}?"
    if names := tuple(known()):
        near = _find_near(field, {*FIELDS, *names})
        return (
            f": did you mean {_join(near)}?"
            if near
            else " and no key of a run: `exptrack ls --all-columns` shows what they have"
        )
    close = find_nearest(area, AREAS if dot else [*FIELDS, *AREAS])
    if close is None:
        return f": use {shown(f'metrics.{field}')}, {shown(f'params.{field}')}" + (
            "" if dot else f" or {', '.join(FIELDS)}"
        )
    return f": did you mean {shown(f'{close}.{key}' if key else f'{close}.KEY' if close in AREAS else close)}?"


def advise_joining(word: str) -> str | None:
    """What to write in place of a sign that does not join terms here; None if the word has none."""
    if word.lower() in WORDS:
        return f"write it in small letters, {shown(word.lower())}"
    for sign, right in _JOINING.items():
        if sign in word and (sign != "," or word.endswith(sign)):
            return f"write '{right}' for '{sign}'"
    return None


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """The nearest of the `known` words, whatever the case of its letters; None if none is near."""
    from difflib import get_close_matches

    lower = {one.lower(): one for one in known}
    return next((lower[one] for one in get_close_matches(word[:100].lower(), lower, n=1)), None)


def _find_near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the `known` names that may be meant: a few whose key ends with `name`, or else the nearest one; none if none is near."""
    names = sorted(known, key=lambda one: (one.count("."), one))
    area, dot, key = name.partition(".")
    if not dot or area not in AREAS:
        return _ending(name, names) or _nearest_name(name, names)
    inside = [one for one in names if one.startswith(f"{area}.")]
    close = find_nearest(key, [one[len(area) + 1 :] for one in inside])
    return _ending(key, inside) or _ending(key, names) or (() if close is None else (f"{area}.{close}",))


def _join(names: Iterable[str]) -> str:
    return " or ".join(shown(format_name(name)) for name in names)


def _ending(key: str, names: Iterable[str]) -> tuple[str, ...]:
    end = f".{key.lower()}"
    return tuple(name for name in names if key and name.lower().endswith(end))[:_MOST]


def _nearest_name(word: str, names: list[str]) -> tuple[str, ...]:
    """By the last part of a key, the key, or the whole name, which counts most."""
    words: dict[str, str] = {}
    for start in (lambda one: one.rfind(".") + 1, lambda one: one.find(".") + 1, lambda _: 0):
        words |= {one[start(one) :]: one for one in reversed(names)}
    close = word if word in words else find_nearest(word, words)
    return () if close is None else (words[close],)
