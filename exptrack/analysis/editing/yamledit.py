"""Change values in a YAML text and leave its comments and layout alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

from exptrack.analysis.editing.yamlsplice import splice
from exptrack.analysis.same import is_same
from exptrack.analysis.yaml12 import dump_yaml, load_yaml
from exptrack.model.tree import Tree, Value

# How far the lines after `key:` are indented, where they are items of a list and where they are keys.
_LIST = re.compile(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)
_MAPPING = re.compile(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( +)[^\s#-]", re.MULTILINE)
_START = re.compile(r"^---(?:\s|\Z)", re.MULTILINE)


def update_yaml(text: str, new: Tree) -> str:
    """`text` with the values of `new`: `load_yaml(update_yaml(text, new)) == new`.

    What has its value already stays as it is written, and comments survive where the text allows it. A text that is no YAML, or that
    cannot be changed in place, is written anew.
    """
    try:
        before = load_yaml(text)
        if is_same(before, new):
            return text
    except ValueError:
        return dump_yaml(new)
    if not isinstance(before, dict):
        edited = f"{text}\n{dump_yaml(new)}"
        return edited if _reads_as(edited, new) else dump_yaml(new)
    # ruamel writes all lines in its own manner, so it is asked only where lines cannot be changed one by one.
    for change in (_splice, _edit):
        try:
            edited = change(text, before, new)
        except ValueError:
            continue
        if _reads_as(edited, new):
            return edited
    return dump_yaml(new)


def _reads_as(text: str, tree: Tree) -> bool:
    try:
        return is_same(load_yaml(text), tree)
    except ValueError:
        return False


def _splice(text: str, before: Tree, new: Tree) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return splice(text, YAML(typ="safe", pure=True).compose(text), before, new)
    except (YAMLError, TypeError, AttributeError, LookupError, AssertionError, RuntimeError) as error:
        raise ValueError("cannot be changed in place") from error


def _edit(text: str, before: Mapping[str, Value], new: Tree) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    offset, step = _indentation(_LIST, text, 0), _indentation(_MAPPING, text, 2)
    yaml.indent(mapping=step, sequence=offset + 2, offset=offset)
    yaml.explicit_start = _START.search(text) is not None
    out = StringIO()
    try:
        document = yaml.load(text)
        _update(document, before, new)
        yaml.dump(document, out)
    # Whatever goes wrong in ruamel must not cost a run its record.
    except (YAMLError, TypeError, AttributeError, LookupError, AssertionError, RuntimeError) as error:
        raise ValueError("cannot be changed in place") from error
    return out.getvalue()


def _indentation(pattern: re.Pattern[str], text: str, default: int) -> int:
    found = pattern.search(text)
    return max(0, len(found[2]) - len(found[1])) if found else default


def _update(document: Any, before: Mapping[str, Value], new: Tree) -> None:
    names = {str(key): key for key in document}
    for key in before:
        if key not in new:
            del document[names.get(key, key)]
    for key, value in new.items():
        old = before.get(key)
        if key in before and is_same(old, value):
            continue
        name = names.get(key, key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and old:
            _update(document[name], old, value)
        else:
            document[name] = value
