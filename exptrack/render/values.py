"""Values beside each other: as short as can be, but never alike where they differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from os.path import commonprefix

from exptrack.analysis.diff import same
from exptrack.model.tree import Value
from exptrack.render.text import clip, display_width, inert

MISSING = "-"

# What a text must not be to stand without quotes: it would read as a value of another type, or as none.
_WORDS = frozenset({"", MISSING, "null", "true", "false"})
# Marks without a shape of their own, which Python still calls printable: fillers and variation selectors.
_SHAPELESS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def format_plain(value: Value) -> str:
    """A value on one line: numbers to six digits, text as it is unless it reads as something else, the rest as JSON."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return format_whole(value)
    return inert(value) if isinstance(value, str) and _reads_as_text(value) else format_exact(value)


def format_loose(value: Value) -> str:
    """A value where texts are expected, such as versions: these stand without quotes even if they read as a number."""
    if isinstance(value, str) and value not in {"", MISSING} and not _needs_quotes(value):
        return inert(value)
    return format_plain(value)


def format_whole(number: int) -> str:
    """All digits of a whole number; one of more than 4,300 digits, which Python does not write, in base 16."""
    try:
        return str(number)
    except ValueError:
        return hex(number)


def format_exact(value: Value) -> str:
    """A value as JSON on one line, every digit of it."""
    return inert(_dump(value, ascii_only=False))


def tell_apart(values: Sequence[Value], form: Callable[[Value], str] = format_plain) -> tuple[str, ...]:
    """Each value in this form if those that differ then read differently, else exactly, else without a letter beyond ASCII."""
    texts = tuple(map(form, values))
    forms: tuple[Callable[[Value], str], ...] = (format_exact, lambda value: _dump(value, ascii_only=True))
    for exact in forms:
        if not _are_alike(values, texts):
            break
        texts = tuple(map(exact, values))
    return texts


def clip_apart(texts: Sequence[str], width: int) -> tuple[str, ...]:
    """Texts cut to `width` cells (at least 12); those that differ still do: what is shown lies around the first difference."""
    width = max(width, 12)
    if all(display_width(text) <= width for text in texts):
        return tuple(texts)
    start = _find_start(texts, width)
    cut = tuple(_view(text, start, width) for text in texts)
    if len(set(cut)) == len(set(texts)):
        return cut
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts), 1)}
    return tuple(f"{_view(text, start, width - 5)} #{numbers[text]}" for text in texts)


def name_keys(keys: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Each path of keys with dots between; with quotes where a key is empty, or two paths would read alike."""
    plain = [".".join(map(inert, key)) for key in keys]
    count: dict[str, int] = {}
    for name in plain:
        count[name] = count.get(name, 0) + 1
    return tuple(
        name if count[name] == 1 and not any(map(_needs_quotes, key)) else _quote(key)
        for name, key in zip(plain, keys, strict=True)
    )


def name_path(path: str) -> str:
    """A path on one line; with quotes if its ends could not be seen."""
    return format_exact(path) if _needs_quotes(path) else inert(path)


def _needs_quotes(part: str) -> bool:
    return not part or '"' in part or part[0] == " " or part[-1] == " "


def _quote(key: tuple[str, ...]) -> str:
    return ".".join(
        format_exact(part) if _needs_quotes(part) or "." in part or "\\" in part or not part.isprintable() else part
        for part in key
    )


def _reads_as_text(text: str) -> bool:
    if text in _WORDS or text[0] in ' "[{' or text[-1] == " ":
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def _dump(value: Value, *, ascii_only: bool) -> str:
    try:
        return json.dumps(value, ensure_ascii=ascii_only)
    except ValueError:
        return json.dumps(_spell(value), ensure_ascii=ascii_only)


def _spell(value: Value) -> Value:
    """The value with its whole numbers as text."""
    if isinstance(value, Mapping):
        return {key: _spell(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_spell(item) for item in value]
    return format_whole(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _are_alike(values: Sequence[Value], texts: Sequence[str]) -> bool:
    """Whether two values that differ read alike."""
    seen: dict[str, Value] = {}
    return any(not same(seen.setdefault(_look(text), value), value) for value, text in zip(values, texts, strict=True))


def _look(text: str) -> str:
    if text.isascii():
        return text
    from unicodedata import normalize

    return normalize("NFC", _SHAPELESS.sub("", text))


def _find_start(texts: Sequence[str], width: int) -> int:
    """Where to begin, so that the first difference is in view: at the beginning if it can be seen from there."""
    shared = len(commonprefix(list(texts)))  # noqa: RUF071 - by letters is what is meant
    if len(set(texts)) == 1 or (shared < width and all(display_width(text[: shared + 1]) < width for text in texts)):
        return 0
    late = max(0, shared - width // 3)
    early = max(map(len, texts)) - width + 1
    is_whole = 0 < early < late and all(display_width(text[early:]) < width for text in texts)
    return early if is_whole else late


def _view(text: str, start: int, width: int) -> str:
    before = "…" if start else ""
    window = text[start : start + 4 * width]  # a text of a megabyte is not measured as a whole
    shown = clip(window, width - len(before))
    return f"{before}{shown}" + ("…" if len(window) < len(text) - start and shown == window else "")
