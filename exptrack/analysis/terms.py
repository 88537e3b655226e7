"""The terms on which a run counts as reproduced: `check` of `exptrack.yaml`, and the patterns of what may differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from exptrack.analysis.settings import Section
from exptrack.model.reproduction import Terms, Tolerance
from exptrack.model.tree import Tree

# All keys of `check`; what claims are asked to meet besides is read in `bar.py`.
KEYS = ("tolerance", "similar", "volatile", "require", "reruns", "timeout", "ignore")

_METRICS = "metrics."
_SHARE = "a share such as 0.05, or a percentage such as '5%'"
_TOLERANCE = "a number, a percentage such as '1%', or a mapping with absolute and relative"
_PERCENTAGE = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}) ?%")
_PIECE = re.compile(r"(?:(?<=/)|^)\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]/]*\]|\\.|.", re.DOTALL)


def parse_terms(check: Tree, name: str = "exptrack.yaml") -> Terms:
    """What `check` says of reproducing; an empty tree gives the defaults. `name` is what messages call the file.

    `tolerance` maps a metric, by its dotted name, to a number (absolute), a text such as `1%` (relative to the recorded value), or
    a mapping with `absolute` and `relative`, of which the wider counts. `similar` is a share or a text such as `5%`. `volatile` is a
    list of patterns, see `is_volatile_path` and `is_volatile_metric`. Other keys of `check` are for `parse_bar` to read.

    Raises SettingsError, one line, that names the file and the key.
    """
    section = Section(name, "check", dict(check))
    section.allow(*KEYS)
    similar = section.read("similar", _share, _SHARE)
    tolerances = section.section("tolerance")
    return Terms(
        tolerance={metric: _tolerance(tolerances, metric) for metric in tolerances.values},
        similar=Terms().similar if similar is None else similar,
        volatile=section.texts("volatile") or (),
    )


def is_volatile_path(path: str, patterns: Sequence[str]) -> bool:
    """Whether a file may differ; see `matches_path` for the patterns."""
    return matches_path(path, patterns)


def is_volatile_metric(metric: str, patterns: Sequence[str]) -> bool:
    """Whether a metric may differ: one of the patterns is `metrics.` and a glob that matches its whole dotted name.

    A metric that is logged as `a/b` is also meant by `metrics.a.b`.
    """
    globs = [pattern.removeprefix(_METRICS) for pattern in patterns if pattern.startswith(_METRICS)]
    return any(fnmatchcase(name, glob) for glob in globs for name in {metric, metric.replace("/", ".")})


def matches_path(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path is meant by patterns like those of `.gitignore`; the last one that matches counts, `!pattern` makes an exception.

    A pattern without a slash (but at its end) is matched at any depth, another one from the root. `*` takes no slash, `**` does.
    What matches a folder matches all that is in it.
    """
    matched = False
    for pattern in patterns:
        excepted = pattern.startswith("!")
        if matched is excepted and _compile(pattern[excepted:]).fullmatch(path):
            matched = not excepted
    return matched


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    body = pattern.rstrip("/")
    anywhere = "" if "/" in body else "(?:.*/)?"
    pieces = "".join(_translate(piece) for piece in _PIECE.findall(body.removeprefix("/")))
    try:
        return re.compile(f"{anywhere}(?:{pieces})(?:/.*)?", re.DOTALL)
    except re.error:  # a range such as [z-a] is no expression: git matches nothing with it
        return re.compile("(?!)")


def _translate(piece: str) -> str:
    if piece.startswith("[") and len(piece) > 1:
        inner = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner}]"
    if piece == "**/":
        return "(?:.*/)?"
    if piece == "/**":
        return "/.*"
    if piece.startswith("*"):
        return "[^/]*"
    return "[^/]" if piece == "?" else re.escape(piece[1:] if len(piece) == 2 else piece)


def _share(value: object) -> float | None:
    """A number from 0 to 1, or a percentage as a text: a bare 5 would mean 500 %, which nobody wants."""
    if isinstance(value, str):
        found = _PERCENTAGE.fullmatch(value.strip())
        return float(found[1]) / 100 if found else None
    return float(value) if type(value) in {int, float} and 0 <= value <= 1 else None  # type: ignore[operator,arg-type]


def _tolerance(parent: Section, metric: str) -> Tolerance:
    value = parent.values[metric]
    if isinstance(value, dict) and value:
        section = parent.section(metric)
        section.allow("absolute", "relative")
        return Tolerance(section.number("absolute"), section.read("relative", _share, _SHARE))
    if isinstance(value, str):
        relative = _share(value)
        if relative is not None:
            return Tolerance(relative=relative)
    elif value is not None and not isinstance(value, dict):
        return Tolerance(absolute=parent.number(metric))
    return parent.fail(metric, _TOLERANCE)
