"""Words such as `model.lr=0.1`, read by Hydra's own parser, with values as YAML 1.2 has them."""

from __future__ import annotations

import math
import re
from typing import Any

from exptrack.analysis.fields import DEEPEST, is_deeper
from exptrack.analysis.yaml12 import parse_scalar
from exptrack.model.tree import Value

# What Hydra's lexer takes for a key (or a group); what it says itself of another one means nothing to a user.
_PART = r"(?:[A-Za-z_$][\w$-]*|0|[1-9]\d*)"
_KEY = re.compile(rf"[A-Za-z_$][\w$/-]*|{_PART}(?:\.{_PART})+", re.ASCII)


def read_assignment(text: str) -> tuple[str, Value]:
    """The dotted key and the value of `key=value`, also with `+`, `++` or `~` before it; None is the value of `~key`.

    A plain word has the type that it would have in a YAML 1.2 file: `1e-5` is a float, `010` ten and `0x1F` 31 (Hydra: texts), `on` a
    text; but `key=` is an empty text. `nan` and `inf` are the numbers that Hydra means. In quotes all is text. Hydra's casts count
    (`str(1)`, `int(2.0)`, …), and `sort([…])`.

    Raises ValueError, which goes on after the word ("is a sweep: …"), if this is not in Hydra's grammar, or more than one value, the
    override of a group, an interpolation, or not finite.
    """
    key, _, value = text.lstrip("+~").partition("=")
    if not all(_KEY.fullmatch(part) for part in key.split("@") if part):
        raise ValueError(
            f"has a key that Hydra's grammar lacks (letters a to z, digits, _, - and dots): change {key!r} in its file"
        )
    if not _is_unicode(text):
        raise ValueError("is not UTF-8: change the value in its file")
    parsed = _parsed(text, key, value)
    if parsed.package is not None:
        raise ValueError("overrides a config group, which only Hydra has: write KEY=VALUE")
    if not parsed.key_or_group:
        raise ValueError("names no parameter: write KEY=VALUE")
    # Only the private value tells a text in quotes from a plain word.
    typed = _typed(parsed._value)  # noqa: SLF001
    if is_deeper(typed):
        raise ValueError(f"is nested more than {DEEPEST} deep: give less at once")
    return parsed.key_or_group, typed


def _parsed(text: str, key: str, value: str) -> Any:
    from hydra.errors import HydraException

    try:
        return _parser().parse_override(text)
    except RecursionError:
        raise ValueError(f"is nested more than {DEEPEST} deep: give less at once") from None
    except (HydraException, ValueError) as error:
        said = str(error).partition("\n")[0]
        if "while evaluating" in said and "Unknown function" not in said:
            raise ValueError(f"cannot be read: {said}") from None
        quoted = value.strip().replace("'", "\\'")
        example = f"{key}='{quoted}'" if text.isprintable() else f"{key}='…'"
        raise ValueError(
            f"cannot be read: if the value is a text, put it in quotes, {example}, and those in quotes of the shell"
        ) from None


def _parser() -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Quote, QuotedString, Sweep

    def quoted(value: Any) -> Any:
        if isinstance(value, list):
            return [quoted(item) for item in value]
        if isinstance(value, dict):
            return {key: quoted(item) for key, item in value.items()}
        return QuotedString(value, Quote.double) if isinstance(value, str) else value

    parser: Any = OverridesParser.create()
    functions = parser.functions.functions
    # What `str` gives stays a text, and a value by chance is none that a command line could ask for twice.
    as_text = functions["str"]
    functions["str"] = lambda *args, **kwargs: quoted(as_text(*args, **kwargs))
    functions["shuffle"] = lambda *_args, **_kwargs: Sweep()
    return parser


def _typed(value: Any) -> Value:
    from hydra.core.override_parser.types import Glob, QuotedString, Sweep

    if isinstance(value, QuotedString):
        return str(value.text)
    if isinstance(value, Sweep | Glob):
        raise ValueError("is a sweep, and those come later: give one value, a list in brackets, or a text in quotes")  # noqa: TRY004
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, dict):
        return {_name(key): _typed(item) for key, item in value.items()}
    if isinstance(value, str) and "${" in value:
        raise ValueError(
            "has an interpolation, which only Hydra resolves: give the value itself, or put the text in quotes"
        )
    typed: Value = parse_scalar(value) if isinstance(value, str) and value else value
    if isinstance(typed, float) and not math.isfinite(typed):
        raise ValueError(
            "gives a number that is not finite, and parameters are: give another, or put the text in quotes"
        )
    return typed


def _name(key: Any) -> str:
    if isinstance(key, bool | float) or key is None:
        raise ValueError(f"has the key {key!r} in a mapping: keys must be words or whole numbers")
    return str(key)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
