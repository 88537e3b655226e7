"""Parameter and metric files of any format as trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exptrack.analysis.fields import DEEPEST, LONGEST_NUMBER, is_deeper, parse_json
from exptrack.model.tree import Tree, Value

KINDS = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def decode_tree(data: bytes, kind: str, load: Callable[[str], Value] | None = None) -> Tree:
    """The tree in a parameter or metric file; `kind` is `json`, `yaml` or `toml`. Numbers may be NaN or infinite; dates are texts.

    ValueError, one line, says why it cannot be read. An empty YAML or TOML file is an empty tree.
    `load` parses YAML in place of `load_yaml`, by the same rules.
    """
    try:
        value = _parse(data.decode("utf-8-sig"), kind, load)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8") from None
    if isinstance(value, dict):
        return value
    found = "a list" if isinstance(value, list) else "a single value"
    raise ValueError(f"the file holds {found}, not a mapping")


def _parse(text: str, kind: str, load: Callable[[str], Value] | None) -> Any:
    if kind == "yaml":
        from exptrack.analysis.yaml12 import load_yaml

        value = (load or load_yaml)(text)
        return {} if value is None else value
    if kind == "toml":
        import tomllib

        try:
            tree = tomllib.loads(text)
        except RecursionError:
            raise ValueError(f"nested more than {DEEPEST} deep") from None
        if is_deeper(tree):
            raise ValueError(f"nested more than {DEEPEST} deep")
        return _text_for_dates(tree)
    if kind == "json":
        return parse_json(text)
    raise ValueError(f"{kind} is a format that exptrack does not read")


def _text_for_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text_for_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_for_dates(item) for item in value]
    if isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER:
        return str(value)
    return value if isinstance(value, str | int | float) else value.isoformat()
