"""Change values in a YAML text and leave its comments and layout alone."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

from exptrack.analysis.yaml12 import dump_yaml, load_yaml
from exptrack.model.run import Tree


def update_yaml(text: str, new: Tree) -> str:
    """`text` with the values of `new`, which has at least the keys of `text`; comments survive where the text allows it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        document = yaml.load(text)
        if not isinstance(document, dict):
            return dump_yaml(new)
        _update(document, new)
        out = StringIO()
        yaml.dump(document, out)
    except YAMLError:
        return dump_yaml(new)
    edited = out.getvalue()
    return edited if load_yaml(edited) == new else dump_yaml(new)


def _update(document: dict[object, object], new: Mapping[str, object]) -> None:
    names = {str(key): key for key in document}
    for key, value in new.items():
        old = document.get(names.get(key, key))
        if isinstance(old, dict) and isinstance(value, Mapping):
            _update(old, value)
        elif old != value or type(old) is not type(value):
            document[names.get(key, key)] = value
