"""What must not be recorded: files that look secret by their name, and credentials in text, arguments and parameters.

No mask is complete. These know the shapes that credentials have in practice, and leave ordinary text alone.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from exptrack.analysis.secretshapes import ASSIGNMENT, ASSIGNMENT_WORDS, MASK, PARTS, TOKENS, is_secret
from exptrack.model.tree import Tree, Value

_OPTION = re.compile(r"--?([A-Za-z_][\w.-]*)")
_SETTING = re.compile(r"([-+]{0,2}([A-Za-z_][\w.-]*)=)(.*)", re.DOTALL)
_NAME_END = re.compile(r"[\w-]*\Z")
_NEVER = "(?!)"


def looks_secret(path: str, patterns: Sequence[str]) -> bool:
    """Whether the file at `path` looks secret by its name, in whatever case.

    Patterns are those of the shell. One without a slash is matched with the last part of the path, one with a slash with the whole
    path, where `*` also takes slashes, and one that ends in a slash with all below that folder. `!pattern` makes exceptions, which win
    wherever they stand in the list.
    """
    secret, excepted = _compiled(tuple(patterns))
    return _matches(secret, path) and not _matches(excepted, path)


def find_secret(paths: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Those of many paths that look secret, in their order; as `looks_secret`, three times as fast."""
    (names, whole), _ = _compiled(tuple(patterns))
    by_name, by_path = names.fullmatch, whole.fullmatch if whole.pattern != _NEVER else None
    found = [path for path in paths if by_name(path.rpartition("/")[2]) or (by_path and by_path(path))]
    return [path for path in found if looks_secret(path, patterns)]


def mask(text: str) -> str:
    """The text with `***` in place of its credentials.

    They are tokens of known shapes, private keys, user and password in URLs, signed queries, authorization headers, and what is
    assigned to `password`, `token`, `api_key` and the like. Takes time in proportion to the text, whatever it holds.
    """
    lower = text.lower()
    for needle, pattern in TOKENS:
        if needle in text:
            text = re.sub(pattern, MASK, text)
    for needle, pattern in PARTS:
        if needle in lower:
            text = re.sub(pattern, rf"\g<keep>{MASK}\g<after>", text)
    if any(word in lower for word in ASSIGNMENT_WORDS):
        text = re.sub(ASSIGNMENT, _mask_assignment, text)
    return text


def mask_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a command with their credentials masked: `--password X`, `--api-key=X`, `db.password=X`, and as in `mask`."""
    masked: list[str] = []
    name = ""
    for word in argv:
        option, setting = _OPTION.fullmatch(word), _SETTING.fullmatch(word)
        if name and not word.startswith("--") and is_secret(name, word):
            masked.append(MASK)
        elif setting and is_secret(setting[2], setting[3]):
            masked.append(setting[1] + MASK)
        else:
            masked.append(mask(word))
        name = option[1] if option and word.startswith("--") else ""
    return tuple(masked)


def mask_tree(tree: Tree) -> dict[str, Value]:
    """Parameters with their credentials masked: texts under names such as `password`, `token`, `api_key`, and as in `mask`.

    Below a name such as `credentials` or `secrets` every text counts as one.
    """
    return {key: _mask_value(key, value) for key, value in tree.items()}


def _mask_value(name: str, value: Value) -> Value:
    if isinstance(value, str):
        return MASK if is_secret(name, value) else mask(value)
    if isinstance(value, Mapping):
        all_secret = name.lower().endswith(("credentials", "secrets"))
        return {key: _mask_value(name if all_secret else key, item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_mask_value(name, item) for item in value]
    return MASK if type(value) is int and name.lower().endswith(("password", "passwd", "passphrase")) else value


def _mask_assignment(match: re.Match[str]) -> str:
    start = match.start()
    front = _NAME_END.search(match.string, max(0, start - 40), start)
    name = (front[0] if front else "") + match["name"]
    quote = match["quote"]
    if not is_secret(name, match["bare"] if quote is None else match["quoted"], in_text=True):
        return match[0]
    masked = match["open"] + MASK if quote is None else quote + MASK + quote
    return match["name"] + match["sign"] + masked


def _matches(names_and_paths: tuple[re.Pattern[str], re.Pattern[str]], path: str) -> bool:
    names, paths = names_and_paths
    return bool(names.fullmatch(path.rpartition("/")[2]) or paths.fullmatch(path))


@lru_cache(maxsize=16)
def _compiled(
    patterns: tuple[str, ...],
) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], tuple[re.Pattern[str], re.Pattern[str]]]:
    return (
        _any_of([pattern for pattern in patterns if not pattern.startswith("!")]),
        _any_of([pattern[1:] for pattern in patterns if pattern.startswith("!")]),
    )


def _any_of(patterns: Sequence[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = [fnmatch.translate(pattern) for pattern in patterns if "/" not in pattern]
    paths = [
        "(?:.*/)?" * pattern.endswith("/") + fnmatch.translate(pattern.lstrip("/") + "*" * pattern.endswith("/"))
        for pattern in patterns
        if "/" in pattern
    ]
    return _compile(names), _compile(paths)


def _compile(expressions: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(expressions) or _NEVER, re.IGNORECASE | re.DOTALL)
