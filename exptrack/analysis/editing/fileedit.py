"""Parameter files of any format with other values, and everything else as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from exptrack.analysis.same import is_same
from exptrack.analysis.trees import decode_tree
from exptrack.errors import ExptrackError
from exptrack.model.tree import Tree, Value

_KINDS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}
_BOM = "\ufeff"


def edit_text(path: str, text: str, new: Tree) -> str:
    """The text of a parameter file with the values of `new`: `decode_tree` reads exactly them, with their types.

    Comments, order and layout of what did not change stay, as do line ends and a missing newline at the end. A removed key goes with
    the comment on its line; a new one comes at the end of its mapping. A text that cannot be changed in place is written anew.
    Raises ExptrackError if the format cannot hold the values, or the file is not YAML, JSON or TOML.
    """
    kind = _KINDS.get(PurePosixPath(path).suffix)
    if kind is None:
        raise ExptrackError(
            f"{path}: only .yaml, .yml, .json and .toml files can be changed: move the parameter to one"
        )
    if kind == "toml" and (key := _null(new)) is not None:
        raise ExptrackError(f"{path}: TOML has no null for {key!r}: remove it with ~{key}, or give another value")
    if _reads_as(text, kind, new):
        return text
    edited = _in_style_of(text, new, kind)
    if edited is None:
        raise ExptrackError(f"{path}: cannot be written as {kind.upper()} with the new values: change it by hand")
    return edited


def _in_style_of(text: str, new: Tree, kind: str) -> str | None:
    bom = _BOM if text.startswith(_BOM) else ""
    crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.removeprefix(bom)
    plain = plain.replace("\r\n", "\n") if crlf else plain
    unended = bool(plain) and not plain.endswith("\n")
    # tomlkit adds a table to the last line otherwise.
    plain = f"{plain}\n" if unended and kind == "toml" else plain
    for edited in (_edited(plain, new, kind), _anew(new, kind)):
        ends = edited.rstrip("\n") if unended else edited
        for candidate in (ends, edited):
            whole = bom + (candidate.replace("\n", "\r\n") if crlf else candidate)
            if _reads_as(whole, kind, new):
                return whole
    return None


def _reads_as(text: str, kind: str, tree: Tree) -> bool:
    try:
        return is_same(decode_tree(text.encode(), kind), tree)
    except ValueError:
        return False


def _edited(text: str, new: Tree, kind: str) -> str:
    if kind == "json":
        from exptrack.analysis.editing.jsonedit import update_json

        return update_json(text, new)
    if kind == "yaml":
        from exptrack.analysis.editing.yamledit import update_yaml

        return update_yaml(text, new)
    return _update_toml(text, new)


def _anew(new: Tree, kind: str) -> str:
    if kind == "json":
        import json

        return json.dumps(new, indent=2) + "\n"
    if kind == "yaml":
        from exptrack.analysis.yaml12 import dump_yaml

        return dump_yaml(new)
    import tomlkit

    return tomlkit.dumps(new)


def _update_toml(text: str, new: Tree) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        before = decode_tree(text.encode(), "toml")
        document = tomlkit.parse(text)
        _update(document, before, new)
        return tomlkit.dumps(document)
    # Whatever goes wrong in tomlkit must not cost a run: the file is then written anew.
    except (TOMLKitError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RuntimeError):
        return _anew(new, "toml")


def _update(document: Any, before: Any, new: Any) -> None:
    """Makes a mapping or list of tomlkit, which reads as `before`, read as `new`; lists are of one length."""
    if isinstance(new, Mapping):
        for key in [key for key in before if key not in new]:
            del document[key]
    for key, value in new.items() if isinstance(new, Mapping) else enumerate(new):
        old = before[key] if not isinstance(new, Mapping) or key in before else None
        if old is None or not is_same(old, value):
            if _are_alike(old, value):
                _update(document[key], old, value)
            else:
                document[key] = value


def _are_alike(old: Any, new: Any) -> bool:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return True
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def _null(value: Value, key: str = "") -> str | None:
    """The dotted key of the first null."""
    if value is None:
        return key
    if isinstance(value, Mapping):
        pairs = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [(str(number), item) for number, item in enumerate(value)]
    else:
        return None
    found = (_null(item, f"{key}.{name}" if key else name) for name, item in pairs)
    return next((one for one in found if one is not None), None)
